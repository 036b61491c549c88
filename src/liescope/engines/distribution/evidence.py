"""What speaks for a motion between two sets: distances of images held out, and what else there might be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from liescope.engines.distribution.law import drawn_from
from liescope.engines.distribution.moments import Motion
from liescope.engines.distribution.solving import Solution
from liescope.engines.distribution.views import Views
from liescope.inference import TwoSampleTest, two_sample_test

__all__ = ["HeldOut", "Rivals", "sets_test"]

_MOST = 1000
"""Images of each set in a test: its work grows with their square."""
_GREYS = 256


class Rivals(NamedTuple):
    """Share of the distance that is gone without any motion.

    Attributes
    ----------
    grey : float
        When the sources' grey values are brought to the targets' distribution.
    mirror : float
        When sources are turned over.
    """

    grey: float
    mirror: float


def sets_test(
    x: Float[np.ndarray, "n p"],
    y: Float[np.ndarray, "k p"],
    seed: int,
    groups: tuple[np.ndarray, np.ndarray] | None,
) -> TwoSampleTest:
    """Whether two sets, by their components and in an order by chance, are of one distribution."""
    some = None if groups is None else (groups[0][:_MOST], groups[1][:_MOST])
    return two_sample_test(x[:_MOST], y[:_MOST], seed, some)


class HeldOut(NamedTuple):
    """Images that no generator was fitted to.

    Attributes
    ----------
    motion : Motion
    rows : tensor, shape (n, pixels)
        Sources.
    z : array, shape (k, p)
        Components of the targets.
    seed : int
    """

    motion: Motion
    rows: torch.Tensor
    z: np.ndarray
    seed: int

    @classmethod
    def of(cls, motion: Motion, sources: Views, x: np.ndarray, targets: Views, y: np.ndarray, seed: int) -> HeldOut:
        """Of those of two sets with these indices."""
        rows = torch.cat([sources.rows(part) for part in sources.chunks(x[:_MOST])])
        return cls(motion, rows, motion.patterns.of_images(targets, y[:_MOST]), seed)

    def still(self) -> TwoSampleTest:
        """Of the sources as they are."""
        return self._test(self.motion.patterns.coordinates(self.rows).numpy().astype(np.float64))

    def after(self, solution: Solution) -> TwoSampleTest:
        """Of the sources moved by magnitudes of the law, drawn by chance."""
        t = drawn_from(solution.quantiles, len(self.rows), np.random.default_rng(self.seed))
        return self._test(self.motion.coordinates(self.rows, t @ solution.coefficients))

    def rivals(self, targets: Views, y: np.ndarray, before: float) -> Rivals:
        """What matching grey values, and turning images over, do."""
        some = torch.cat([targets.rows(part) for part in targets.chunks(y[:_MOST])])
        greys = torch.linspace(0, 1, _GREYS)
        levels = [np.quantile(rows.numpy(), greys.numpy()) for rows in (self.rows, some)]
        matched = torch.from_numpy(np.interp(self.rows.numpy(), *_rising(*levels)).astype(np.float32))
        images = self.rows.reshape(-1, *self.motion.grid.shape)
        turned = [images.flip(axis).flatten(1) for axis in range(1, images.ndim)]
        left = [
            self._test(self.motion.patterns.coordinates(rows).numpy().astype(np.float64)).distance
            for rows in (matched, *turned)
        ]
        before = max(before, 1e-30)
        return Rivals(1 - left[0] / before, 1 - min(left[1:]) / before)

    def _test(self, z: np.ndarray) -> TwoSampleTest:
        return two_sample_test(z, self.z, self.seed)


def _rising(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels of one distribution and of another; of equal ones of the first, background above all, the median."""
    values, first, counts = np.unique(x, return_index=True, return_counts=True)
    return values, y[first + counts // 2]
