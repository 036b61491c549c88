"""From a span that was estimated to generators that people read, with what is known of both."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from liescope.algebra import fix_gauge, readable_generators
from liescope.geometry import Basis, Grid

__all__ = ["readable_span", "standard_errors"]


def readable_span(
    span: Float[np.ndarray, "m k"], covariance: Float[np.ndarray, "km km"], basis: Basis, grid: Grid
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Readable generators of a span.

    Parameters
    ----------
    span : array, shape (m, K)
        Orthonormal columns.
    covariance : array, shape (K m, K m)
        Of the columns, K-major.

    Returns
    -------
    coefficients : array, shape (K, m)
        Unit norm, in the gauge.
    covariances : array, shape (K, m, m)
    change : array, shape (K, K)
        From coordinates in the span to magnitudes.
    """
    m, k = span.shape
    readable = readable_generators(span, basis, grid)
    columns = np.stack([fix_gauge(column, basis) for column in readable.T], axis=1)
    mixing = span.T @ columns
    blocks = covariance.reshape(k, m, k, m)
    own = np.stack([np.einsum("k,kmln,l->mn", weights, blocks, weights) for weights in mixing.T])
    return columns.T, own, np.linalg.inv(mixing)


def standard_errors(
    covariance: Float[np.ndarray, "n k k"], change: Float[np.ndarray, "k k"]
) -> Float[np.ndarray, "n k"]:
    """Standard errors of the magnitudes along readable generators, from the covariances of coordinates in the span."""
    variance = np.einsum("ki,nij,kj->nk", change, covariance.astype(np.float64), change)
    errors: np.ndarray = np.sqrt(np.clip(variance, 0, None))
    return errors
