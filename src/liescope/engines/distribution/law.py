"""Laws of magnitudes, by their quantiles, and the points at which images are moved in place of a law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import isotonic_regression

__all__ = ["KNOTS", "Lattice", "ascending", "drawn_from", "quantiles_at", "roughness"]

KNOTS = 33
"""Quantiles that a law is told by, from the lowest to the highest magnitude, in equal steps of probability."""


@dataclass(frozen=True)
class Lattice:
    """Levels of probability at which the laws of K generators are looked at, all combinations of them, equally likely.

    Attributes
    ----------
    hats : tuple of K arrays, shape (B, KNOTS)
        Weights of the quantiles in the magnitudes of each point.
    """

    hats: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, generators: int, levels: int) -> Lattice:
        """``levels`` of each of the generators."""
        one = _hats((np.arange(levels) + 0.5) / levels)
        index = np.meshgrid(*([np.arange(levels)] * generators), indexing="ij")
        return cls(tuple(one[axis.ravel()] for axis in index))

    def t(self, quantiles: Float[np.ndarray, "k q"]) -> Float[np.ndarray, "b k"]:
        """Magnitudes at the points."""
        return np.stack([hats @ own for hats, own in zip(self.hats, quantiles, strict=True)], axis=1)


def _hats(u: Float[np.ndarray, " b"]) -> Float[np.ndarray, "b q"]:
    """Weights of linear interpolation between the knots."""
    place = np.clip(u, 0, 1) * (KNOTS - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(place[:, None] - np.arange(KNOTS))))


def quantiles_at(quantiles: Float[np.ndarray, " q"], u: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Magnitudes at levels of probability."""
    return np.asarray(np.interp(u, np.linspace(0, 1, len(quantiles)), quantiles))


def drawn_from(
    quantiles: Float[np.ndarray, "k q"], count: int, random: np.random.Generator
) -> Float[np.ndarray, "n k"]:
    """Magnitudes at even levels of probability, each generator's in an order of its own."""
    levels = (np.arange(count) + 0.5) / count
    return np.stack([quantiles_at(own, levels)[random.permutation(count)] for own in quantiles], axis=1)


def ascending(quantiles: Float[np.ndarray, "k q"]) -> Float[np.ndarray, "k q"]:
    """The nearest quantiles that never fall."""
    return np.stack([isotonic_regression(row).x for row in quantiles])


def roughness(quantiles: Float[np.ndarray, " q"]) -> Float[np.ndarray, "r q"]:
    """What gives the bends of a quantile function, in units of its range, when it is applied to it."""
    second = np.diff(np.eye(KNOTS), n=2, axis=0)
    span = max(float(np.ptp(quantiles)), 1e-2)
    scaled: np.ndarray = second * (KNOTS / span)
    return scaled
