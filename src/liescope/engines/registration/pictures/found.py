"""What the sample of the pairs says: the smallest span that explains it, the tests, and the verdict in words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from liescope.engines.contract import Settings
from liescope.engines.pair_set import PairSet
from liescope.engines.registration.pictures.measuring import NOISY, RELATED, Measurer
from liescope.engines.registration.pictures.mirror import mirror_axis
from liescope.engines.registration.pictures.trials import FLOOR, SAMPLE, Candidate, PictureTrials
from liescope.inference.ranks import p_less, p_less_than_zero

__all__ = ["Found", "Tests"]

_LEVEL = 0.05
_MOVED = 0.9
"""Of the error of pairs as they are: where moving leaves more than this, nothing was moved."""

_FEW = 6
_SAME = 1e-5

_OPEN = 0.2
"""p-value up to which a difference of the size of a symmetry's may be one; above it speaks for none at all."""

_ALIKE = 0.05
"""Of the error of pairs as they are: copies of a picture leave less than this."""

_EVENED = 0.8
"""Of the error: dividing by an illumination must leave less than this."""


class Tests(NamedTuple):
    """Of a candidate: whether pairs fit far better than their mirror images, and than unmoved, on held-out blocks.

    ``maybe`` tells whether they do as far as sizes go, where the p-value leaves it open.
    """

    related: bool
    moved: bool
    mirror_image: bool
    maybe: bool
    p_value: float


class Found(NamedTuple):
    """The sample of the pairs, the span that explains it, and what speaks for that."""

    trials: PictureTrials
    chosen: Candidate
    steps: list[dict[str, float]]
    tests: Tests

    @classmethod
    def of(cls, data: PairSet, measurer: Measurer, settings: Settings, overlapping: np.ndarray) -> Found:
        order = data.shuffled(settings.seed)
        order = order[overlapping[order]] if overlapping.any() else order
        trials = PictureTrials(data, measurer, order[:SAMPLE], settings.seed)
        chosen, steps = _chosen(trials, settings.generators)
        return cls(trials, chosen, steps, _tests(trials, chosen))

    @property
    def same(self) -> bool:
        """Whether source and target are one image."""
        return float(self.trials.still[0].quantile(0.95)) < _SAME

    @property
    def noisy(self) -> bool:
        """Whether noise hides much of what typical pairs show."""
        return self.trials.noise(self.chosen.v) > NOISY

    @property
    def alike(self) -> bool:
        """Whether targets and their mirror images are both reached, from where not moving does not."""
        trials, well = self.trials, _ALIKE * min(1.0, float(self.trials.still[0].median()))
        # In most pairs: of pictures that are smooth in places, some reach any other there.
        return all(float(one.held_out.quantile(0.75)) < well for one in (trials.free, trials.mirrored))

    def better_than(self, other: Found) -> bool:
        """Whether it leaves clearly less of the same pairs on blocks of pixels held out."""
        own, before = self.chosen.held_out + FLOOR, other.chosen.held_out + FLOOR
        return float((own / before).median()) < _EVENED and _less(own - before) <= _LEVEL

    def verdict(self, pairs: int, exactly: int | None) -> tuple[str, str]:
        """The verdict on that many pairs, and the reason for it.

        Parameters
        ----------
        exactly : int or None
            How many generators were asked for.
        """
        trials, tests = self.trials, self.tests
        if self.same:
            return "no symmetry", "source and target are the same image in every pair: t is 0 for all"
        if tests.mirror_image:
            count = len(trials.mirrored.held_out)
            better = trials.mirrored.held_out < trials.free.held_out[:count]
            axis = mirror_axis(trials.mirrored.along.t[better], trials.basis)
            return "no symmetry", f"each target is a mirror image of its source: {axis}"
        if tests.maybe:
            chance = f"but that may be chance (p = {tests.p_value:.2g}); more pairs, or larger pictures, would tell"
            return "undecided", f"moved pairs fit better than their own mirror images do, {chance}"
        if not tests.related and self.alike:
            symmetric = "pairs fit well, but so do their own mirror images: pictures that are symmetric themselves"
            return "undecided", f"{symmetric} cannot tell a motion from a mirror; pictures that are not would"
        if not tests.related:
            return "no symmetry", "pairs fit no better, however they are moved, than their own mirror images do"
        if not tests.moved:
            return (
                "no symmetry",
                "images of a pair belong together, but nothing is moved: what differs is no motion",
            )
        few = "" if pairs >= _FEW + 2 else f"; {pairs} pair{'s' * (pairs > 1)} cannot show a law of the magnitudes"
        if exactly is not None and not self.chosen.enough:
            return "symmetry", f"{exactly} generators were asked for; they explain less than free motions do{few}"
        return "symmetry", f"moved pairs fit held-out pixels far better than their own mirror images do{few}"


def _chosen(trials: PictureTrials, exactly: int | None) -> tuple[Candidate, list[dict[str, float]]]:
    """The smallest span, of the simplest family, that explains held-out blocks as well as free motions do."""
    steps: list[dict[str, float]] = []
    best: Candidate | None = None
    # Where nothing in the basis relates the pairs, there is nothing to count.
    limit = 1 if not trials.related and exactly is None else trials.basis.dimension
    for number in range(1, limit + 1):
        if exactly is not None and number != exactly:
            continue
        tried: list[Candidate] = []
        # The simplest family that does as well as free motions counts, and the rest need not be looked at.
        for candidate in trials.candidates(number):
            tried.append(candidate)
            if candidate.enough:
                break
        typical = [float(one.ratio[trials.good].median()) if bool(trials.good.any()) else 1.0 for one in tried]
        best = tried[-1] if tried[-1].enough else tried[int(np.argmin(typical))]
        steps.append({"generators": number, "excess": 1.0 - min(typical), "pays": float(best.enough)})
        if best.enough:
            break
    assert best is not None
    return best, steps


def _tests(trials: PictureTrials, chosen: Candidate) -> Tests:
    own, null, still = chosen.held_out, trials.mirrored.held_out, chosen.unmoved[0]
    if len(own) >= _FEW:
        p_related = p_less(own.numpy(), null.numpy())
        p_moved = _less(own - still)
        p_mirror = p_less(null.numpy(), trials.free.held_out.numpy())
    else:
        p_related = _less(chosen.by_block - trials.mirrored.by_block)
        p_moved = _less(chosen.by_block - chosen.unmoved[1])
        p_mirror = _less(trials.mirrored.by_block - trials.free.by_block)
    errors = (own, null, still, trials.free.held_out)
    typical, mirrored, unmoved, free = (float(one.median()) + trials.floor for one in errors)
    related, moved = typical <= RELATED * mirrored, typical <= _MOVED * unmoved
    p_value = max(p_related, p_moved)
    return Tests(
        related=p_related <= _LEVEL and related,
        moved=p_moved <= _LEVEL and moved,
        mirror_image=p_mirror <= _LEVEL and mirrored <= RELATED * free,
        maybe=related and moved and _LEVEL < p_value <= _OPEN,
        p_value=p_value,
    )


def _less(difference: Tensor) -> float:
    """p-value of differences that are 0 or above by chance (Wilcoxon), of pairs or of blocks of few pairs."""
    difference = difference[torch.isfinite(difference)]
    if len(difference) < _FEW or not bool((difference != 0).any()):
        return 1.0
    return p_less_than_zero(difference.double().numpy())
