"""What speaks for a verdict, in sentences, and the whole answer in a few lines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from liescope.answer import LABELS, Answer
from liescope.answer.numbers import angle_bound, error_size, number, p_value_words, percent
from liescope.inference import LEVEL
from liescope.report.film import film_words
from liescope.report.labels import labels_words
from liescope.report.numbers import unit_label
from liescope.report.sets import compared_sets, sets_words
from liescope.report.words import sentence, spoken_name, title

__all__ = ["evidence_words", "explained", "gain_p_value", "summary"]


def explained(result: Answer) -> float:
    """Share of the held-out difference between source and target that the symmetry removes."""
    found, nothing = (result.evidence.get(key) for key in ("heldout_error", "identity_error"))
    if found is None or nothing is None or not nothing > 0:
        return math.nan
    # A distance between distributions may come out below 0 where nothing is left of it.
    return 1.0 - max(float(found), 0.0) / float(nothing)


def gain_p_value(result: Answer) -> float | None:
    """Chance of what generators bought on pairs, if there were no symmetry; a contrast has a test of its own for it."""
    contrast = result.evidence.get("contrast") or {}
    p_value = contrast.get("gain_p_value", result.evidence.get("p_value"))
    return None if p_value is None else float(p_value)


def evidence_words(result: Answer) -> list[str]:
    """What speaks for (or against) the verdict: sentences with numbers."""
    if result.engine == LABELS:
        return labels_words(result)
    evidence: dict[str, Any] = {k: v for k, v in result.evidence.items() if v is not None}
    words = _error_words(result, evidence)
    if contrast := evidence.get("contrast"):
        words.append(_contrast_words(contrast))
    if compared_sets(result):
        words += sets_words(result)
    elif result.generators:
        words.append(_accepted_words(result))
        words += _identifiable_words(result)
    if scales := evidence.get("scales"):
        note = str(scales["note"])
        words.append(f"{note[:1].upper()}{note[1:]}.")
    return words + film_words(result)


def _error_words(result: Answer, evidence: dict[str, Any]) -> list[str]:
    """Errors before and after, those of pairs that do not belong together, and what chance would do."""
    if math.isnan(share := explained(result)) or compared_sets(result):
        return []
    contrast = evidence.get("contrast", {})
    before, after = (error_size(float(evidence[k])) for k in ("identity_error", "heldout_error"))
    mirrored = evidence.get("null") == "mirrored"
    unseen = "On blocks of pixels that the fit did not see" if mirrored else "On pairs that the fit did not see"
    where = "Over all pairs" if contrast and result.generators else unseen
    text = f"{where}, the error between source and target is {before} as they are"
    if result.generators:
        told = f"{percent(share)} of the difference is" if share > 0 else "none of the difference is"
        text += f" and {after} after moving the source: {told} explained"
    words = [f"{text}."]
    if "permuted_error" in evidence:
        left = error_size(float(evidence["permuted_error"]))
        same = "the same procedure leaves" if result.generators else "it is"
        mirror_images = "Mirror images of the targets, reached in the best way that the basis allows, leave"
        words.append(f"{mirror_images if mirrored else f'With the targets of other pairs, {same}'} {left}.")
    p_value = gain_p_value(result)
    if p_value is None or (mirrored and not result.generators):
        return words
    p = p_value_words(p_value)
    if result.generators:
        words.append(f"If there were no symmetry, a gain this large would turn up by chance with {p}.")
    elif not contrast and p_value > LEVEL:
        words.append(f"What generators bought on pairs would turn up by chance with {p}.")
    elif not contrast:
        words.append(f"What generators bought on pairs is no chance ({p}), but too little to count.")
    return words


def _contrast_words(contrast: dict[str, Any]) -> str:
    if contrast.get("direction_found") and not contrast.get("explains", True):
        chance = float(contrast["gain_p_value"]) > LEVEL or float(contrast["excess"]) <= 0
        swapped = ", and as much of it where targets are swapped" if chance else ""
        return (
            "Pairs vary more in one direction than images that look alike do, but moving sources along it takes away "
            f"{percent(float(contrast['bought']))} of the difference only{swapped}."
        )
    extent = number(float(contrast["soft"]["extent_px"]), 2)
    return (
        "The two images of a pair do not come from one image. Images that look alike differ among themselves, most of "
        f"all by {spoken_name(str(contrast['soft']['name']))} (about {extent} pixels); pairs vary at most "
        f"{number(float(contrast['ratio']), 2)} times as much as such images do, "
        f"{p_value_words(float(contrast['p_value']))}."
    )


def _identifiable_words(result: Answer) -> list[str]:
    """What is to be said of pairs that follow the symmetry without telling by how much."""
    if result.identifiable is None or result.t_error is None or not result.accepted.any():
        return []
    if result.evidence.get("contrast"):
        generator = result.generators[0].generator
        error = abs(float(np.median(result.t_error)) * generator.unit_per_t)
        return [f"The magnitude of a single pair is uncertain by about {number(error, 2)} {unit_label(generator)}."]
    vague = int((result.accepted & ~result.identifiable).sum())
    if not vague:
        return []
    share = percent(vague / int(result.accepted.sum()))
    verb = "follows it but does" if vague == 1 else "follow it but do"
    return [
        f"{vague:,} of them ({share}) {verb} not tell by how much, as a disc does not show that it was rotated; "
        "the law of the magnitudes is given with and without them."
    ]


def _accepted_words(result: Answer) -> str:
    if result.evidence.get("contrast"):
        told = "all" if result.accepted.all() else f"{int(result.accepted.sum()):,}"
        return (
            f"Magnitudes of {told} of {result.pairs:,} pairs lie within the law; wild ones are left out of figures. "
            "Whether a single pair follows the symmetry cannot be told, as its images differ anyway."
        )
    if result.accepted.all():
        return f"All {result.pairs:,} pairs follow the symmetry."
    share = f"{int(result.accepted.sum()):,} of {result.pairs:,} pairs ({percent(result.accepted_fraction)})"
    return f"{share} follow the symmetry; the others are left out of the figures."


def summary(result: Answer) -> str:
    """The answer in a few plain lines."""
    lines = [f"{title(result)}. {sentence(result)}"]
    for g in result.generators:
        # Labels alone do not tell how sure a direction is.
        known = not math.isnan(g.direction_error_deg) or result.engine != LABELS
        uncertain = f"   (direction uncertain by {angle_bound(g.direction_error_deg)} degrees)" if known else ""
        lines.append(f"  X = {g.generator.equation}{uncertain}")
    lines.extend(f"  {line}" for line in evidence_words(result))
    return "\n".join(lines)
