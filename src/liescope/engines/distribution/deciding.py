"""From what was found between two sets to a verdict with its reason."""

from __future__ import annotations

from typing import Any, NamedTuple

from liescope.engines.distribution.searching import Found
from liescope.inference import LEVEL, TwoSampleTest

__all__ = ["Decision", "decide", "evidence_of", "one_distribution"]

_REMOVED, _NEARLY = 0.9, 0.8
"""Of the distance between images held out: what a symmetry takes away; less will do where noise alone is left."""
_RIVAL = 0.8


class Decision(NamedTuple):
    """Verdict, its reason, and whether what was found is told."""

    verdict: str
    reason: str
    told: bool


def one_distribution(test: TwoSampleTest) -> str:
    """Why there is no symmetry where nothing was moved."""
    return (
        f"the two sets are alike: a distance like theirs has a chance of {test.p_value:.2g} between sets of one "
        "distribution, so nothing was moved in one that was not in the other"
    )


def decide(found: Found) -> Decision:
    """What the distances of images held out say."""
    removed, rivals = found.removed, found.rivals
    best = max(rivals.grey, rivals.mirror)
    # What needs no generator is believed first, unless a motion does clearly better.
    if best >= _RIVAL and removed < best + 0.5 * (1 - best):
        if rivals.mirror > rivals.grey:
            return Decision("no symmetry", "the two sets differ by a mirror, not a flow", told=False)
        return Decision("no symmetry", "the two sets differ in grey values, not by a motion", told=False)
    enough = removed >= _REMOVED or (removed >= _NEARLY and found.after.p_value > LEVEL)
    if enough and found.after.distance < found.before.distance - 2 * found.before.noise:
        return Decision(
            "symmetry",
            f"moving one set takes away {100 * min(removed, 1):.0f} % of its distance from the other, of images that "
            "the fit did not see",
            told=True,
        )
    return Decision(
        "undecided",
        "the two sets differ, but moving by what fits best takes away only "
        f"{100 * max(removed, 0):.0f} % of the distance between them; a larger basis, more generators or more images "
        "would tell whether they differ by a motion",
        told=True,
    )


def evidence_of(test: TwoSampleTest, found: Found | None, counts: tuple[int, int]) -> dict[str, Any]:
    """As ``result.json`` keeps it; distances are energy distances of images that were held out."""
    before = test.distance if found is None else found.before.distance
    after = before if found is None else found.after.distance
    noise = test.noise if found is None else found.before.noise
    told: dict[str, Any] = {"before": counts[0], "after": counts[1], "distance": test.distance, "noise": noise}
    if found is not None:
        told |= {
            "removed": found.removed,
            "left_p_value": found.after.p_value,
            "removed_by_grey_values": found.rivals.grey,
            "removed_by_mirror": found.rivals.mirror,
        }
    return {
        "heldout_error": after,
        "identity_error": before,
        "permuted_error": noise,
        "p_value": test.p_value,
        "null": "sets",
        "sets": told,
    }
