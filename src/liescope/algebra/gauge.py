"""One gauge for generators: (a, t), (-a, -t) and rescalings are the same symmetry.

Unit Euclidean norm, and a sign fixed by the field itself: the linear part decides, unless it is negligible; then
the drift, then the parts of higher degree. Within a part the sign is that of a weighted sum whose weights were
chosen so that the canonical fields are positive as they are written (counter-clockwise rotation, growth, y d/dx,
x d/dy, x d/dx - y d/dy, +x, +y) and stay far from zero: rounding and estimation noise cannot flip them.
"""

from __future__ import annotations

import numpy as np

from liescope.geometry.fields import Basis, PolynomialBasis, SumBasis

__all__ = ["fix_gauge"]

# Weights of the monomials 1 | x, y | x^2, xy, y^2 in the two components.
_WEIGHTS = {
    0: ((1.0,), (0.83,)),
    1: ((1.0, 0.45), (1.6, 0.4)),
    2: ((1.0, 0.7, 0.31), (0.27, 0.83, 0.57)),
}
# A part whose weighted sum is below this (for a unit-norm generator) leaves the decision to the next part.
_NEGLIGIBLE = 0.25
_ROUNDING = 1e-14
_NO_POLYNOMIAL = 1000  # fields that are no polynomials are ordered behind all degrees


def _degree_scores(coefficients: np.ndarray, basis: Basis) -> dict[int, float]:
    """Weighted sum of every homogeneous part, by degree; fields that are no polynomials count last, in order."""
    if isinstance(basis, PolynomialBasis):
        polynomial = np.einsum("m,mck->ck", coefficients, basis.table.numpy())
        scores: dict[int, float] = {}
        for degree in range(basis.degree + 1):
            start = degree * (degree + 1) // 2
            part = polynomial[:, start : start + degree + 1]
            fallback = 1 / (1 + np.arange(part.size) / np.sqrt(2)).reshape(part.shape)
            scores[degree] = float((part * np.asarray(_WEIGHTS.get(degree, fallback))).sum())
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
