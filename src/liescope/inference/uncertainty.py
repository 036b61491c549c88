"""How sure the coefficients are, from the sampling covariance of the joint estimate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["CoefficientUncertainty", "coefficient_uncertainty", "identifiable"]

_Z95 = 1.959963984540054
_DRAWS = 2000
_DETERMINED = 0.25


class CoefficientUncertainty(NamedTuple):
    """Uncertainty of one generator.

    Attributes
    ----------
    interval : array, shape (m, 2)
        95 % interval of every coefficient.
    direction_error_deg : float
        95 % bound of the angle between the estimated and the true coefficient vector. It covers the scatter of the
        pairs, not what all pairs share, such as the resampling they went through.
    """

    interval: np.ndarray
    direction_error_deg: float


def coefficient_uncertainty(
    coefficients: Float[np.ndarray, " m"], covariance: Float[np.ndarray, "m m"], seed: int = 0
) -> CoefficientUncertainty:
    """Intervals and angular error of a unit-norm generator.

    Parameters
    ----------
    coefficients : array, shape (m,)
    covariance : array, shape (m, m)
        Sampling covariance; the component along the coefficients themselves is fixed by the gauge.
    seed : int
        For the draws behind the angular bound.
    """
    m = len(coefficients)
    across = np.eye(m) - np.outer(coefficients, coefficients)
    covariance = across @ ((covariance + covariance.T) / 2) @ across
    half = _Z95 * np.sqrt(np.clip(np.diag(covariance), 0, None))
    values, vectors = np.linalg.eigh(covariance)
    draws = np.random.default_rng(seed).standard_normal((_DRAWS, m)) * np.sqrt(np.clip(values, 0, None))
    lengths = np.linalg.norm(draws @ vectors.T, axis=1)
    angle = float(np.degrees(np.arctan(np.quantile(lengths, 0.95))))
    return CoefficientUncertainty(np.stack((coefficients - half, coefficients + half), axis=1), angle)


def identifiable(
    t: Float[np.ndarray, "n k"],
    error: Float[np.ndarray, "n k"],
    accepted: Bool[np.ndarray, " n"],
    ambiguous: Bool[np.ndarray, " n"],
) -> Bool[np.ndarray, " n"]:
    """Which pairs determine their magnitudes.

    A rotated disc, or a "0" after half a turn, fits wherever it is: its magnitude says nothing about the law.

    Parameters
    ----------
    t, error : arrays, shape (N, K)
        Magnitudes and their standard errors.
    accepted, ambiguous : bool arrays, shape (N,)
        Pairs that follow the symmetry; pairs that quite another magnitude fits as well.

    Returns
    -------
    bool array, shape (N,)
        Accepted, not ambiguous, and every standard error below a quarter of the typical magnitude: the root mean
        square, not the deviation from the mean, which is no more than the scatter where all pairs moved alike.
    """
    typical = np.sqrt(np.square(t[accepted]).mean(axis=0)) if accepted.any() else np.zeros(t.shape[1])
    determined: np.ndarray = accepted & ~ambiguous & (error <= _DETERMINED * typical).all(axis=1)
    return determined
