"""Whether two sets are drawn from one distribution: the energy distance, and its test by permutation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from scipy.spatial.distance import cdist

__all__ = ["TwoSampleTest", "energy_distance", "two_sample_test"]

_PERMUTATIONS = 499


class TwoSampleTest(NamedTuple):
    """Energy distance of two samples, and how rare it is among samples of one distribution.

    Attributes
    ----------
    distance : float
        Without bias: 0 on average where there is one distribution, and then as often below.
    noise : float
        Standard deviation of the distance where there is one distribution.
    p_value : float
        Share of the permutations, the samples themselves among them, with a distance as large.
    """

    distance: float
    noise: float
    p_value: float


def energy_distance(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "k d"]) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'| over different points of the samples.

    Székely and Rizzo, "Energy statistics", 2013. Zero for one distribution and for none else.
    """
    n, k = len(x), len(y)
    within = cdist(x, x).sum() / (n * (n - 1)) + cdist(y, y).sum() / (k * (k - 1))
    return float(2 * cdist(x, y).mean() - within)


def two_sample_test(
    x: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, "k d"],
    seed: int = 0,
    groups: tuple[Integer[np.ndarray, " n"], Integer[np.ndarray, " k"]] | None = None,
    permutations: int = _PERMUTATIONS,
) -> TwoSampleTest:
    """The energy distance of two samples, with its p-value from permutations of all points among the two.

    Exact in finite samples for points that are independent; the order of rows has no part in it.

    Parameters
    ----------
    x, y : arrays, shape (n, d), (k, d)
    seed : int
    groups : two integer arrays, optional
        Labels: points are only exchanged within one.
    """
    both = np.concatenate([x, y])
    random = np.random.default_rng(seed)
    n, total = len(x), len(both)
    distances = cdist(both, both)
    labels = np.zeros(total, dtype=int) if groups is None else np.concatenate(groups)
    first = np.zeros((total, permutations + 1))
    first[:n, 0] = 1
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for column in range(1, permutations + 1):
        for group in members:
            first[random.permutation(group), column] = first[group, 0]
    found = _distances(distances, first)
    p_value = float((found >= found[0] * (1 - 1e-12)).mean()) if found[0] > 0 else 1.0
    return TwoSampleTest(float(found[0]), float(found[1:].std()), p_value)


def _distances(distances: Float[np.ndarray, "t t"], first: Float[np.ndarray, "t c"]) -> Float[np.ndarray, " c"]:
    """Energy distances of the points marked in each column from all others."""
    n = first[:, 0].sum()
    k = len(first) - n
    towards = distances @ first
    inner = (first * towards).sum(axis=0)
    across = towards.sum(axis=0) - inner
    outer = distances.sum() - inner - 2 * across
    found: np.ndarray = 2 * across / (n * k) - inner / (n * (n - 1)) - outer / (k * (k - 1))
    return found
