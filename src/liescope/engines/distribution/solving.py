"""Generators and their laws from moments: damped Gauss-Newton steps, without any chance in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from liescope.engines.distribution.law import KNOTS, Lattice, ascending, roughness
from liescope.engines.distribution.moments import Moments

__all__ = ["Solution", "covariance_of", "solve"]

_SMOOTH = 30.0
"""Weight of the bends of a law: a law that needs none is told by its data, one of steps is rounded."""
_LEAST_DAMPING, _MOST_DAMPING = 1e-5, 1e3
_SETTLED = 1e-3
"""A step that lowers the misfit by less than this part ends."""


_LEAST_EXCESS = 0.5
"""Errors are never taken for smaller than by this factor, in variance."""
_LAW_FREEDOM = 8
"""About as many numbers a smooth law takes."""


class Solution(NamedTuple):
    """Generators and laws.

    Attributes
    ----------
    coefficients : array, shape (K, m)
        Of unit norm.
    quantiles : array, shape (K, KNOTS)
        Of every law.
    misfit : float
        Sum of squared differences, in standard errors, with the weight of bends.
    """

    coefficients: np.ndarray
    quantiles: np.ndarray
    misfit: float


def solve(
    moments: Moments,
    coefficients: Float[np.ndarray, "k m"],
    quantiles: Float[np.ndarray, "k q"],
    levels: int,
    steps: int,
) -> Solution:
    """From a start to the nearest generators and laws under which moved sources are described as targets are."""
    lattice = Lattice.of(len(coefficients), levels)
    here = _normalised(coefficients, quantiles)
    misfit = _misfit(moments, *here, lattice)
    damping = 1e-2
    for _ in range(steps):
        differences, jacobian = moments.linearised(*here, lattice)
        bends, weights = _bends(*here)
        normal = jacobian.T @ jacobian + weights
        slope = jacobian.T @ differences + bends
        before = misfit
        while damping < _MOST_DAMPING:
            diagonal = np.diag(normal)
            damped = normal + damping * np.diag(diagonal + 1e-6 * diagonal.max())
            there = _moved(*here, -np.linalg.solve(damped, slope))
            tried = _misfit(moments, *there, lattice)
            if tried < misfit:
                here, misfit = there, tried
                damping = max(damping / 10, _LEAST_DAMPING)
                break
            damping *= 5
        if before - misfit <= _SETTLED * before:
            break
    return Solution(*here, misfit)


def covariance_of(moments: Moments, solution: Solution, levels: int) -> Float[np.ndarray, "u u"]:
    """Covariance of coefficients and quantiles, K m + K q a side.

    Differences from their errors; what is left of them says by how much these are too large or too small.
    """
    lattice = Lattice.of(len(solution.coefficients), levels)
    differences, jacobian = moments.linearised(solution.coefficients, solution.quantiles, lattice)
    _, weights = _bends(solution.coefficients, solution.quantiles)
    normal = jacobian.T @ jacobian + weights
    # The norm of every generator is fixed: it is no freedom.
    m = solution.coefficients.shape[1]
    for row, own in enumerate(solution.coefficients):
        part = slice(row * m, (row + 1) * m)
        normal[part, part] += np.diag(normal).max() * np.outer(own, own)
    reading = np.linalg.solve(normal + 1e-9 * np.diag(normal).max() * np.eye(len(normal)), jacobian.T)
    excess = float(differences @ differences) / max(len(differences) - solution.quantiles.shape[0] * _LAW_FREEDOM, 1)
    covariance: np.ndarray = max(excess, _LEAST_EXCESS) * reading @ reading.T
    return covariance


def _bends(coefficients: np.ndarray, quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half the gradient, and half the second derivatives, of the weight of bends."""
    fields = coefficients.size
    weights = np.zeros((fields + quantiles.size,) * 2)
    slope = np.zeros(len(weights))
    for row, own in enumerate(quantiles):
        part = slice(fields + row * KNOTS, fields + (row + 1) * KNOTS)
        second = roughness(own)
        weights[part, part] = _SMOOTH * second.T @ second
        slope[part] = weights[part, part] @ own
    return slope, weights


def _misfit(moments: Moments, coefficients: np.ndarray, quantiles: np.ndarray, lattice: Lattice) -> float:
    differences = moments.differences(lattice.t(quantiles) @ coefficients)
    bent = sum(float(np.square(roughness(own) @ own).sum()) for own in quantiles)
    total = float(differences @ differences) + _SMOOTH * bent
    return total if np.isfinite(total) else np.inf


def _moved(coefficients: np.ndarray, quantiles: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = coefficients.size
    return _normalised(
        coefficients + step[:size].reshape(coefficients.shape), quantiles + step[size:].reshape(quantiles.shape)
    )


def _normalised(coefficients: np.ndarray, quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    norm = np.maximum(np.linalg.norm(coefficients, axis=1, keepdims=True), 1e-12)
    return coefficients / norm, ascending(quantiles * norm)
