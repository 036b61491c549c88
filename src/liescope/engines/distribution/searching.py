"""The search: half of the images to fit to, the other half to choose by; then all of them for the last steps.

What is told of the distance that is left is of images held out, a quarter at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from liescope.engines.distribution.evidence import HeldOut, Rivals, sets_test
from liescope.engines.distribution.law import drawn_from
from liescope.engines.distribution.moments import Moments, Motion, SecondMoments
from liescope.engines.distribution.solving import Solution, covariance_of, solve
from liescope.engines.distribution.starts import first_fields, look_from
from liescope.engines.distribution.views import Patterns, Views
from liescope.geometry import Basis
from liescope.inference import LEVEL, TwoSampleTest

__all__ = ["Found", "TwoSets", "search", "test_of"]

_COMPONENTS, _FEWEST, _COARSE = 24, 8, 10
_PER_COMPONENT = 55
"""Images of a set that each component takes: its products with the others must be known."""
_LEAST_OF_GROUP = 50
"""Images a label must have in either set to be compared by itself."""
_LAST_LEVELS = {1: 32, 2: 9}
_LAST_STEPS = 12
_FOLDS = 4
_REWEIGHTED = 2
_TWO = 2
_RIVAL = 0.8
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
    # Components of all images: they know no motion.
    motion = Motion(basis, sets.sources.grid, Patterns.of([(sets.sources, sets.x), (sets.targets, sets.y)], count))
    fitted = _moments(sets, motion, x, y)
    coarse = fitted.first(min(count, _COARSE))
    held = HeldOut.of(motion, sets.sources, held_x, sets.targets, held_y, seed)
    starts = first_fields(basis, others)

    def looked(held_already: Solution | None = None) -> Solution:
        def told(done: float) -> None:
            report("comparing distributions", done)

        found = look_from(coarse, fitted, starts, basis, motion.grid, told, held_already)
        return min(found, key=lambda one: held.after(one).distance)

    solution = looked()
    before, after = _cross_validated(sets, motion, solution, seed, report)
    left = after.distance > _MUCH * before.distance and after.p_value <= LEVEL
    rivals = held.rivals(sets.targets, held_y, held.still().distance)
    plain = max(rivals.grey, rivals.mirror) >= _RIVAL  # what needs no generator needs no second one
    if basis.dimension > 1 and (generators == _TWO or (generators is None and left and not plain)):
        second = looked(solution)
        _, after_both = _cross_validated(sets, motion, second, seed, report)
        if generators == _TWO or _pays(after, after_both, before):
            solution, after = second, after_both
    report("refining on all images", 0.0)
    everything, solution = _refined(sets, motion, solution, sets.x, sets.y, seed)
    covariance = covariance_of(everything, solution, _LAST_LEVELS[len(solution.coefficients)])
    return Found(solution, covariance, motion, before, after, rivals)


def _refined(
    sets: TwoSets, motion: Motion, solution: Solution, x: np.ndarray, y: np.ndarray, seed: int
) -> tuple[Moments, Solution]:
    """From a solution to the nearest one for these images, differences being weighed by moved sources as well."""
    levels = _LAST_LEVELS[len(solution.coefficients)]
    moments = _moments(sets, motion, x, y)
    solution = solve(moments, solution.coefficients, solution.quantiles, levels, _LAST_STEPS)
    parts = sets.parts(x, y)
    for _ in range(_REWEIGHTED):
        moved = [_moved(sets, motion, solution, own, seed) for own, _ in parts]
        of_targets = [motion.patterns.of_images(sets.targets, own) for _, own in parts]
        moments = moments.reweighted(moved, of_targets)
        solution = solve(moments, solution.coefficients, solution.quantiles, levels, _LAST_STEPS)
    return moments, solution


def _moved(sets: TwoSets, motion: Motion, solution: Solution, index: np.ndarray, seed: int) -> np.ndarray:
    """Components of some sources moved by magnitudes of the law."""
    t = drawn_from(solution.quantiles, len(index), np.random.default_rng(seed))
    vectors, start, found = t @ solution.coefficients, 0, []
    for part in sets.sources.chunks(index):
        found.append(motion.coordinates(sets.sources.rows(part), vectors[start : start + len(part)]))
        start += len(part)
    return np.concatenate(found)


def _cross_validated(
    sets: TwoSets, motion: Motion, solution: Solution, seed: int, report: Callable[[str, float], None]
) -> tuple[TwoSampleTest, TwoSampleTest]:
    """Distances of sources as they are, and moved by what the images outside of their fold say; over all folds."""
    before, after = [], []
    folds = [np.array_split(index, _FOLDS) for index in (sets.x, sets.y)]
    for fold in range(_FOLDS):
        report("testing on images held out", fold / _FOLDS)
        x, y = (np.concatenate([*parts[:fold], *parts[fold + 1 :]]) for parts in folds)
        _, own = _refined(sets, motion, solution, x, y, seed)
        held = HeldOut.of(motion, sets.sources, folds[0][fold], sets.targets, folds[1][fold], seed)
        before.append(held.still())
        after.append(held.after(own))
    return _together(before), _together(after)


def _together(tests: list[TwoSampleTest]) -> TwoSampleTest:
    """The mean of several distances, whose noises are independent."""
    distance = float(np.mean([test.distance for test in tests]))
    noise = float(np.sqrt(np.sum([test.noise**2 for test in tests]))) / len(tests)
    # Distances of one distribution are skewed: the normal law is what their mean comes near to.
    return TwoSampleTest(distance, noise, float(ndtr(-distance / max(noise, 1e-30))))


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
