"""The search: half of the images to fit to, the other half to choose by, then all of them for the last steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from liescope.engines.distribution.evidence import HeldOut, Rivals, sets_test
from liescope.engines.distribution.moments import Moments, Motion, SecondMoments
from liescope.engines.distribution.solving import Solution, covariance_of, solve
from liescope.engines.distribution.starts import first_fields, look_from
from liescope.engines.distribution.views import Patterns, Views
from liescope.geometry import Basis
from liescope.inference import LEVEL, TwoSampleTest

__all__ = ["Found", "TwoSets", "search", "test_of"]

_COMPONENTS, _FEWEST, _COARSE = 24, 8, 10
_PER_COMPONENT = 40
"""Images of a set that each component takes: its products with the others must be known."""
_LEAST_OF_GROUP = 50
"""Images a label must have in either set to be compared by itself."""
_LAST_LEVELS = {1: 32, 2: 9}
_LAST_STEPS = 12
_MUCH = 0.05
"""Of the distance: where one generator leaves less, another one is not looked for."""


@dataclass(frozen=True)
class TwoSets:
    """Two sets of images, in orders that rows have no part in.

    Attributes
    ----------
    sources, targets : Views
    x, y : integer arrays, shape (N,), (M,)
        Indices of their images, shuffled.
    groups : two integer arrays, shape (N,), (M,), or None
        Labels.
    paired : bool
        Whether image i of one belongs to image i of the other.
    """

    sources: Views
    targets: Views
    x: np.ndarray
    y: np.ndarray
    groups: tuple[np.ndarray, np.ndarray] | None = None
    paired: bool = False

    def halves(self) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Images to fit to and images held out."""
        n, m = len(self.x) // 2, len(self.y) // 2
        return (self.x[:n], self.y[:m]), (self.x[n:], self.y[m:])

    def components(self) -> int:
        """How many the images are enough for."""
        fewest = min(len(self.x), len(self.y))
        return int(np.clip(fewest // _PER_COMPONENT, _FEWEST, _COMPONENTS))

    def parts(self, x: np.ndarray, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of these images those of every label, where there are enough; else all together."""
        if self.groups is None:
            return [(x, y)]
        of_x, of_y = self.groups[0][x], self.groups[1][y]
        parts = [(x[of_x == label], y[of_y == label]) for label in np.unique(of_x)]
        enough = all(min(len(a), len(b)) >= _LEAST_OF_GROUP for a, b in parts)
        return parts if enough else [(x, y)]


class Found(NamedTuple):
    """What the search found.

    Attributes
    ----------
    solution : Solution
        On all images.
    covariance : array
        Of coefficients and quantiles.
    motion : Motion
    moments : Moments
        Of all images.
    before, after : TwoSampleTest
        Of images held out, as they are and moved.
    rivals : Rivals
    """

    solution: Solution
    covariance: np.ndarray
    motion: Motion
    before: TwoSampleTest
    after: TwoSampleTest
    rivals: Rivals

    @property
    def removed(self) -> float:
        """Share of the distance between the sets that the motion takes away."""
        return 1 - self.after.distance / self.before.distance if self.before.distance > 0 else 0.0


def test_of(sets: TwoSets, seed: int) -> TwoSampleTest:
    """Whether the two sets are of one distribution."""
    patterns = Patterns.of([(sets.sources, sets.x), (sets.targets, sets.y)], _COMPONENTS)
    x, y = patterns.of_images(sets.sources, sets.x[:1000]), patterns.of_images(sets.targets, sets.y[:1000])
    groups = None if sets.groups is None else (sets.groups[0][sets.x], sets.groups[1][sets.y])
    return sets_test(x, y, seed, groups)


def search(
    sets: TwoSets,
    basis: Basis,
    generators: int | None,
    seed: int,
    report: Callable[[str, float], None],
    others: Sequence[np.ndarray] = (),
) -> Found:
    """The generators that bring sources to targets, and what is left of the distance between images held out."""
    count = sets.components()
    (x, y), (held_x, held_y) = sets.halves()
    patterns = Patterns.of([(sets.sources, x), (sets.targets, y)], count)
    motion = Motion(basis, sets.sources.grid, patterns)
    fitted = _moments(sets, motion, x, y)
    coarse = fitted.first(min(count, _COARSE))
    held = HeldOut.of(motion, sets.sources, held_x, sets.targets, held_y, seed)
    before = held.still()
    starts = first_fields(basis, others)

    def looked(held_already: Solution | None = None) -> tuple[Solution, TwoSampleTest]:
        report("comparing distributions", 0.0)
        found = look_from(
            coarse, fitted, starts, basis, motion.grid, lambda done: report("comparing distributions", done), held_already
        )
        tests = [held.after(one) for one in found]
        best = int(np.argmin([one.distance for one in tests]))
        return found[best], tests[best]

    solution, after = looked()
    left = after.distance > _MUCH * before.distance and after.p_value <= LEVEL
    if basis.dimension > 1 and (generators == 2 or (generators is None and left)):  # noqa: PLR2004
        second, after_both = looked(solution)
        if generators == 2 or _pays(after, after_both, before):  # noqa: PLR2004
            solution, after = second, after_both
    rivals = held.rivals(sets.targets, held_y, max(before.distance, 1e-30))
    report("refining on all images", 0.0)
    levels = _LAST_LEVELS[len(solution.coefficients)]
    everything = _moments(sets, motion, sets.x, sets.y)
    solution = solve(everything, solution.coefficients, solution.quantiles, levels, _LAST_STEPS)
    covariance = covariance_of(everything, solution, levels)
    return Found(solution, covariance, motion, before, after, rivals)


def _pays(one: TwoSampleTest, both: TwoSampleTest, before: TwoSampleTest) -> bool:
    """Whether a second generator takes away most of what the first one leaves, and what it takes is no noise."""
    gained = one.distance - both.distance
    return gained > 0.5 * one.distance and gained > 2 * before.noise


def _moments(sets: TwoSets, motion: Motion, x: np.ndarray, y: np.ndarray) -> Moments:
    parts = sets.parts(x, y)
    sources = [SecondMoments.of(sets.sources, own) for own, _ in parts]
    of_sources = [motion.patterns.of_images(sets.sources, own) for own, _ in parts]
    of_targets = [motion.patterns.of_images(sets.targets, own) for _, own in parts]
    return Moments.of(motion, sources, of_sources, of_targets)
