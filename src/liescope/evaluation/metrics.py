"""Distances between found and true symmetries that do not depend on sign, scale or parametrisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import wasserstein_distance

from liescope.algebra import field_gram, span_angles
from liescope.errors import InputError
from liescope.geometry.bases import get_basis
from liescope.geometry.fields import Basis

__all__ = ["field_cosine", "grassmann_distance", "magnitude_error", "principal_angles", "wasserstein"]


def _coefficients(value: Any, basis: Basis, name: str) -> np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    if array.shape[-1:] != (basis.dimension,):
        raise InputError(
            f"expected {name} with {basis.dimension} coefficients for basis {basis.name!r}, got shape {array.shape}"
        )
    return array


def field_cosine(
    a: Sequence[float] | np.ndarray,
    b: Sequence[float] | np.ndarray,
    basis: str | Basis = "affine",
    shape: tuple[int, int] = (28, 28),
) -> float:
    """``|cos|`` of the angle between two vector fields in L2 over the image.

    Parameters
    ----------
    a, b : arrays, shape (m,)
        Coefficients of two generators.
    basis : str or Basis
    shape : (int, int)
        Height and width of the image: where the fields are compared.

    Returns
    -------
    float
        In [0, 1]; 1 for the same generator, whatever its sign and scale.
    """
    basis = get_basis(basis)
    first, second = _coefficients(a, basis, "a"), _coefficients(b, basis, "b")
    if not (first.any() and second.any()):
        raise InputError("expected generators that are not zero, got zero coefficients")
    return float(np.cos(np.radians(span_angles(first[:, None], second[:, None], field_gram(basis, shape))[0])))


def principal_angles(
    a: Sequence[Sequence[float]] | np.ndarray,
    b: Sequence[Sequence[float]] | np.ndarray,
    basis: str | Basis = "affine",
    shape: tuple[int, int] = (28, 28),
) -> Float[np.ndarray, " k"]:
    """Principal angles in degrees, ascending, between the spans of two lists of generators, in L2 over the image.

    Parameters
    ----------
    a, b : arrays, shapes (K, m) and (L, m)
    """
    basis = get_basis(basis)
    first, second = np.atleast_2d(_coefficients(a, basis, "a")), np.atleast_2d(_coefficients(b, basis, "b"))
    return span_angles(first.T, second.T, field_gram(basis, shape))


def grassmann_distance(
    a: Sequence[Sequence[float]] | Sequence[float] | np.ndarray,
    b: Sequence[Sequence[float]] | Sequence[float] | np.ndarray,
    basis: str | Basis = "affine",
    shape: tuple[int, int] = (28, 28),
) -> float:
    """Geodesic distance between two spans: the 2-norm of their principal angles in radians, in L2 over the image.

    Of spans of different size the smaller one counts: 0 where it lies in the larger one.

    Parameters
    ----------
    a, b : arrays, shapes (K, m) and (L, m), or (m,) for a single generator
        Coefficients; neither their sign, their scale nor the choice of generators within a span matters.
    basis : str or Basis
    shape : (int, int)
        Height and width of the image: where the fields are compared.

    Returns
    -------
    float
        At most pi / 2 times the square root of the smaller dimension.
    """
    basis = get_basis(basis)
    first, second = np.atleast_2d(_coefficients(a, basis, "a")), np.atleast_2d(_coefficients(b, basis, "b"))
    for span, name in ((first, "a"), (second, "b")):
        if np.linalg.matrix_rank(span) < len(span):
            raise InputError(f"expected independent generators in {name}, got {len(span)} that depend on each other")
    return float(np.linalg.norm(np.radians(principal_angles(first, second, basis, shape))))


def magnitude_error(
    found: Float[np.ndarray, " n"], truth: Float[np.ndarray, " n"], sign: float = 1.0
) -> Float[np.ndarray, " n"]:
    """``|t found - t true|`` of every pair as a share of the range of the truth.

    Parameters
    ----------
    sign : float
        -1 where the found generator points the other way.
    """
    truth = np.asarray(truth, dtype=np.float64)
    extent = float(truth.max() - truth.min())
    if not extent > 0:
        raise InputError("expected true magnitudes that differ, got a single value")
    error: np.ndarray = np.abs(sign * np.asarray(found, dtype=np.float64) - truth) / extent
    return error


def wasserstein(found: Float[np.ndarray, " n"], truth: Float[np.ndarray, " k"], sign: float = 1.0) -> float:
    """1-Wasserstein distance between two laws of t as a share of the range of the truth."""
    truth = np.asarray(truth, dtype=np.float64)
    extent = float(truth.max() - truth.min())
    if not extent > 0:
        raise InputError("expected true magnitudes that differ, got a single value")
    return float(wasserstein_distance(sign * np.asarray(found, dtype=np.float64), truth)) / extent
