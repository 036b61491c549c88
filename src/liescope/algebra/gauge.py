"""One gauge for generators: (a, t), (-a, -t) and rescalings are the same symmetry.

Unit Euclidean norm, and a sign fixed by the field itself: the linear part decides, unless it is negligible; then
the drift, then the parts of higher degree. Within a part the sign is that of a weighted sum whose weights were
chosen so that the canonical fields are positive as they are written (counter-clockwise rotation, growth, y d/dx,
x d/dy, x d/dx - y d/dy, +x, +y) and stay far from zero: rounding and estimation noise cannot flip them.

In any number of coordinates the same fields are positive: growth, shifts along +x, +y, ..., shears y d/dx, and
rotations that turn a coordinate towards a later one; in three the rotations about +x, +y and +z by the right-hand rule,
so that the one about y turns z towards x.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from liescope.geometry.fields import Basis, PolynomialBasis, SumBasis, monomial_exponents

__all__ = ["fix_gauge"]

# On the plane, weights of the monomials 1 | x, y | x^2, xy, y^2 in the two components.
_PLANE = {
    0: ((1.0,), (0.83,)),
    1: ((1.0, 0.45), (1.6, 0.4)),
    2: ((1.0, 0.7, 0.31), (0.27, 0.83, 0.57)),
}
# A part whose weighted sum is below this (for a unit-norm generator) leaves the decision to the next part.
_NEGLIGIBLE = 0.25
_ROUNDING = 1e-14
_NO_POLYNOMIAL = 1000  # fields that are no polynomials are ordered behind all degrees


def _part_weights(degree: int, ndim: int) -> np.ndarray:
    """Weights (d, j) of the j monomials of one degree in the d components."""
    if ndim == 2 and degree in _PLANE:
        return np.asarray(_PLANE[degree])
    if degree == 0:
        return np.linspace(1.0, 0.8, ndim)[:, None]
    if degree == 1:
        return _linear_weights(ndim)
    count = sum(sum(exponent) == degree for exponent in monomial_exponents(degree, ndim))
    fallback: np.ndarray = 1 / (1 + np.arange(ndim * count) / np.sqrt(2)).reshape(ndim, count)
    return fallback


def _linear_weights(ndim: int) -> np.ndarray:
    """Weights of the entries of a matrix, all different: decided by the pairs of coordinates, one after the other."""
    weights = np.diag(np.linspace(1.0, 0.4, ndim))
    pairs = list(combinations(range(ndim), 2))
    for (a, b), share in zip(pairs, np.linspace(1.0, 0.6, max(len(pairs), 1)), strict=False):
        turn = -0.575 * share if (ndim, a, b) == (3, 0, 2) else 0.575 * share
        weights[b, a], weights[a, b] = 1.025 * share + turn, 1.025 * share - turn
    return weights


def _degree_scores(coefficients: np.ndarray, basis: Basis) -> dict[int, float]:
    """Weighted sum of every homogeneous part, by degree; fields that are no polynomials count last, in order."""
    if isinstance(basis, PolynomialBasis):
        polynomial = np.einsum("m,mck->ck", coefficients, basis.table.numpy())
        scores: dict[int, float] = {}
        start = 0
        for degree in range(basis.degree + 1):
            weights = _part_weights(degree, basis.ndim)
            part = polynomial[:, start : start + weights.shape[1]]
            start += weights.shape[1]
            scores[degree] = float((part * weights).sum())
        return scores
    if isinstance(basis, SumBasis):
        scores = {}
        offset = 0
        for index, part_basis in enumerate(basis.parts):
            share = coefficients[offset : offset + part_basis.dimension]
            offset += part_basis.dimension
            for degree, score in _degree_scores(share, part_basis).items():
                key = degree if isinstance(part_basis, PolynomialBasis) else 1000 * index + degree
                scores[key] = scores.get(key, 0.0) + score
        return scores
    return {_NO_POLYNOMIAL + k: float(value) for k, value in enumerate(coefficients)}


def fix_gauge(coefficients: np.ndarray, basis: Basis) -> np.ndarray:
    """The representative of a generator's line: unit norm and the documented sign.

    Parameters
    ----------
    coefficients : array, shape (m,)

    Returns
    -------
    array, shape (m,)
        Idempotent, and equal for a, -a and every multiple. Zero stays zero.
    """
    norm = float(np.linalg.norm(coefficients))
    if norm == 0 or not np.isfinite(norm):
        return np.array(coefficients, dtype=np.float64)
    unit = np.array(coefficients, dtype=np.float64)
    if abs(norm - 1) > _ROUNDING:  # dividing again would change the last bit at every reload
        unit /= norm
    scores = _degree_scores(unit, basis)
    order = sorted(scores, key=lambda degree: (degree != 1, degree))
    clear = [scores[d] for d in order if abs(scores[d]) > _NEGLIGIBLE]
    decisive = clear[0] if clear else max((scores[d] for d in order), key=abs)
    return -unit if decisive < 0 else unit
