"""Means and second moments of moved images, and how they change with the generator and its law.

Moving, blurring and taking components are linear in the grey values: z = M_t x. Hence the mean and the second moments
of the components of moved images follow from those of the images as they are,

    E z = M_t E x,        E z z' = M_t (E x x') M_t',

and are averages over the law of t of these. Two sets of images are compared in a few hundred numbers, whatever
their size, without noise of simulation; the work does not grow with the number of images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.distribution.law import Lattice
from liescope.engines.distribution.views import Patterns, Views
from liescope.geometry import Basis, Grid
from liescope.geometry.flow import flow
from liescope.geometry.transport import sample

__all__ = ["Moments", "Motion", "SecondMoments", "describe"]

_SHRINKAGE = 0.2
"""Of correlations between numbers that describe a set: as many as they are, they are not known exactly."""
_STEP = 0.01
"""Of a magnitude, for derivatives of moved patterns."""


class SecondMoments(NamedTuple):
    """Sums over a set of images as they are: mean of x x', with a 1 put behind every x; shape (n + 1, n + 1)."""

    matrix: Tensor

    @classmethod
    def of(cls, views: Views, index: np.ndarray) -> SecondMoments:
        """Of some of the images."""
        size = views.grid.size
        total = torch.zeros(size + 1, size + 1)
        for part in views.chunks(index):
            rows = torch.nn.functional.pad(views.rows(part), (0, 1), value=1.0)
            total += rows.T @ rows
        return cls(total / len(index))


def describe(z: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n f"]:
    """Components and all their products: the numbers whose means describe a set."""
    upper = np.triu_indices(z.shape[1])
    return np.concatenate([z, z[:, upper[0]] * z[:, upper[1]]], axis=1)


@dataclass(frozen=True)
class Motion:
    """Patterns seen through the flows of fields: the matrices M of vectors v = sum_k t_k a_k."""

    basis: Basis
    grid: Grid
    patterns: Patterns

    def matrices(self, vectors: Float[np.ndarray, "b m"]) -> Float[Tensor, "b p s"]:
        """One matrix a vector; the last column is minus the offset of the patterns."""
        origins = flow(self.basis, -torch.as_tensor(vectors, dtype=torch.float32), self.grid.points())
        weights, offset = self.patterns.weights, self.patterns.offset
        # The adjoint of sampling at the origins, applied to the patterns.
        image = torch.zeros(len(origins), len(weights), *self.grid.shape, requires_grad=True)
        sampled = sample(image, origins, self.grid)
        (seen,) = torch.autograd.grad(sampled, image, weights.expand(len(origins), -1, -1))
        last = -offset.expand(len(origins), -1)[..., None]
        return torch.cat([seen.reshape(len(origins), len(weights), -1), last], dim=2)

    def moved(self, rows: Float[Tensor, "b n"], vectors: Float[np.ndarray, "b m"]) -> Float[Tensor, "b n"]:
        """Images, each moved by its own vector."""
        origins = flow(self.basis, -torch.as_tensor(vectors, dtype=torch.float32), self.grid.points())
        return sample(rows.reshape(-1, 1, *self.grid.shape), origins, self.grid)[:, 0]

    def coordinates(self, rows: Float[Tensor, "b n"], vectors: Float[np.ndarray, "b m"]) -> Float[np.ndarray, "b p"]:
        """Components of images, each moved by its own vector."""
        found: np.ndarray = self.patterns.coordinates(self.moved(rows, vectors)).numpy().astype(np.float64)
        return found


@dataclass(frozen=True)
class Moments:
    """Sources as sums, and what targets are described by: the distance between moved sources and targets.

    Parameters
    ----------
    motion : Motion
    sources : list of SecondMoments
        One a group of images.
    described : list of arrays, shape (f,)
        Means over the targets of each group.
    whitening : list of arrays, shape (f, f)
        What makes their errors independent and of unit variance.
    spreads : list of arrays, shape (f, f)
        Covariances of their errors.
    """

    motion: Motion
    sources: list[SecondMoments]
    described: list[np.ndarray]
    whitening: list[np.ndarray]
    spreads: list[np.ndarray]

    @classmethod
    def of(
        cls,
        motion: Motion,
        sources: list[SecondMoments],
        source_z: list[np.ndarray],
        target_z: list[np.ndarray],
    ) -> Moments:
        """From components of the images of every group as they are."""
        means, whitening, spreads = [], [], []
        for x, y in zip(source_z, target_z, strict=True):
            of_targets = describe(y)
            means.append(of_targets.mean(axis=0))
            spread = np.cov(of_targets.T) / len(y) + np.cov(describe(x).T) / len(x)
            spreads.append(spread)
            whitening.append(_whitening(spread))
        return cls(motion, sources, means, whitening, spreads)

    def reweighted(self, moved_z: list[np.ndarray], target_z: list[np.ndarray]) -> Moments:
        """The same with errors taken from components of moved sources, and of targets, as much from either.

        Covariances that are estimated on the very images whose means they weigh draw these towards each other. Of both
        sides, one draws this way and the other that way.
        """
        spreads = [
            0.5 * (np.cov(describe(x).T) + np.cov(describe(y).T)) * (1 / len(x) + 1 / len(y))
            for x, y in zip(moved_z, target_z, strict=True)
        ]
        whitening = [_whitening(spread) for spread in spreads]
        return Moments(self.motion, self.sources, self.described, whitening, spreads)

    def first(self, count: int) -> Moments:
        """By fewer components."""
        p = len(self.motion.patterns)
        upper = np.triu_indices(p)
        kept = np.concatenate([np.arange(p) < count, (upper[0] < count) & (upper[1] < count)])
        spreads = [spread[np.ix_(kept, kept)] for spread in self.spreads]
        motion = Motion(self.motion.basis, self.motion.grid, self.motion.patterns.first(count))
        means = [mean[kept] for mean in self.described]
        return Moments(motion, self.sources, means, [_whitening(spread) for spread in spreads], spreads)

    @property
    def count(self) -> int:
        """How many numbers are compared."""
        return sum(map(len, self.described))

    def differences(self, vectors: Float[np.ndarray, "b m"]) -> Float[np.ndarray, " f"]:
        """Of sources moved by the vectors, all equally likely, from targets, in standard errors."""
        matrices = self.motion.matrices(vectors)
        return np.concatenate(
            [
                white @ (self._moments(matrices, self._applied(matrices, source)) - mean)
                for source, mean, white in zip(self.sources, self.described, self.whitening, strict=True)
            ]
        )

    def linearised(
        self, coefficients: Float[np.ndarray, "k m"], quantiles: Float[np.ndarray, "k q"], lattice: Lattice
    ) -> tuple[Float[np.ndarray, " f"], Float[np.ndarray, "f u"]]:
        """Differences, and their derivatives in coefficients and quantiles, K m + K q columns."""
        t = lattice.t(quantiles)
        vectors = t @ coefficients
        matrices = self.motion.matrices(vectors)
        applied = [self._applied(matrices, source) for source in self.sources]
        here = [self._moments(matrices, own) - mean for own, mean in zip(applied, self.described, strict=True)]
        k, m = coefficients.shape
        slopes = [np.zeros((len(vectors), m, len(mean))) for mean in self.described]
        for j in range(m):
            step = np.zeros(m)
            step[j] = _STEP
            change = (self.motion.matrices(vectors + step) - self.motion.matrices(vectors - step)) / (2 * _STEP)
            for own, slope, source in zip(applied, slopes, self.sources, strict=True):
                slope[:, j] = self._slopes(change, own, source)
        columns = []
        for slope, white in zip(slopes, self.whitening, strict=True):
            along = np.einsum("bmf,km->bkf", slope, coefficients)
            of_fields = np.einsum("bk,bmf->kmf", t, slope).reshape(k * m, -1)
            of_laws = np.concatenate([lattice.hats[g].T @ along[:, g] for g in range(k)])
            columns.append(white @ np.concatenate([of_fields, of_laws]).T / len(vectors))
        whitened = [white @ own for white, own in zip(self.whitening, here, strict=True)]
        return np.concatenate(whitened), np.concatenate(columns)

    @staticmethod
    def _applied(matrices: Float[Tensor, "b p s"], source: SecondMoments) -> Float[Tensor, "b p s"]:
        return (matrices.flatten(0, 1) @ source.matrix).reshape(matrices.shape)

    @staticmethod
    def _moments(matrices: Float[Tensor, "b p s"], applied: Float[Tensor, "b p s"]) -> Float[np.ndarray, " f"]:
        """Means of components and products, averaged over the vectors."""
        products = torch.einsum("bps,bqs->pq", applied, matrices) / len(matrices)
        mean = applied[..., -1].mean(dim=0)
        return _flattened(mean, products)

    @staticmethod
    def _slopes(
        change: Float[Tensor, "b p s"], applied: Float[Tensor, "b p s"], source: SecondMoments
    ) -> Float[np.ndarray, "b f"]:
        """Their derivatives at every vector; ``change`` are those of the matrices."""
        products = torch.bmm(change, applied.mT)
        # What is behind every image is a one: its products with the image are the image.
        return _flattened(change @ source.matrix[:, -1], products + products.mT)


def _flattened(mean: Float[Tensor, "*b p"], products: Float[Tensor, "*b p q"]) -> np.ndarray:
    upper = torch.triu_indices(products.shape[-1], products.shape[-1])
    both = torch.cat([mean, products[..., upper[0], upper[1]]], dim=-1)
    return both.numpy().astype(np.float64)


def _whitening(spread: Float[np.ndarray, "f f"]) -> Float[np.ndarray, "f f"]:
    """The inverse of a square root of a covariance, of shrunk correlations."""
    deviation = np.sqrt(np.maximum(np.diag(spread), 1e-12 * max(np.diag(spread).max(), 1e-30)))
    correlation = spread / deviation[:, None] / deviation
    correlation = (1 - _SHRINKAGE) * correlation + _SHRINKAGE * np.eye(len(spread))
    whitening: np.ndarray = np.linalg.inv(np.linalg.cholesky(correlation)) / deviation
    return whitening
