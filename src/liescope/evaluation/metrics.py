"""Distances between found and true symmetries that do not depend on sign, scale or parametrisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from scipy.stats import wasserstein_distance

from liescope.algebra import field_gram, span_angles
from liescope.errors import InputError
from liescope.geometry.bases import get_basis
from liescope.geometry.fields import Basis

__all__ = [
    "field_cosine",
    "field_metric",
    "grassmann_distance",
    "image_support",
    "magnitude_error",
    "principal_angles",
    "wasserstein",
]

_FLAT = 1e-12  # of the largest eigenvalue: fields that differ by less are the same ones where the images are


def _coefficients(value: Any, basis: Basis, name: str) -> np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    if array.shape[-1:] != (basis.dimension,):
        raise InputError(
            f"expected {name} with {basis.dimension} coefficients for basis {basis.name!r}, got shape {array.shape}"
        )
    return array


def image_support(images: Shaped[np.ndarray, "n *image"]) -> Float[np.ndarray, "h w"]:
    """Where images tell how they are moved: the mean square of their grey gradient at every pixel, 1 on average.

    A field acts on an image as its component along the gradient, so what it is where no image has one does not show
    in any data. Images of digits say nothing of the corners, and little of what is behind the stroke.

    Parameters
    ----------
    images : array, shape (N, H, W) or (N, C, H, W)
        Sources and targets, of any real dtype.

    Raises
    ------
    InputError
        Another shape, or images without any structure.
    """
    if np.ndim(images) not in (3, 4) or min(np.shape(images)[-2:]) < 2:
        raise InputError(f"expected images of shape (N, H, W) or (N, C, H, W), got {np.shape(images)}")
    along_y, along_x = np.gradient(np.asarray(images, dtype=np.float64), axis=(-2, -1))
    energy = np.square(along_y) + np.square(along_x)
    energy = energy.reshape(-1, *energy.shape[-2:]).mean(axis=0)
    if not energy.max() > 0:
        raise InputError("expected images with structure, got images of one grey value each")
    support: np.ndarray = energy / energy.mean()
    return support


def field_metric(
    basis: Basis, shape: tuple[int, int], support: Shaped[np.ndarray, "h w"] | None
) -> Float[np.ndarray, "m m"]:
    """Inner products of the basis fields over the image, or over its support.

    Raises
    ------
    InputError
        A support that is no image of weights, or so small that fields of the basis cannot be told apart on it.
    """
    if support is None:
        return field_gram(basis, shape)
    weights = np.asarray(support, dtype=np.float64)
    if weights.ndim != 2 or not (np.isfinite(weights).all() and weights.min() >= 0 and weights.max() > 0):
        raise InputError(f"expected a support of shape (H, W) with weights that are not negative, got {weights.shape}")
    gram = field_gram(basis, (weights.shape[0], weights.shape[1]), weights)
    lengths = np.sqrt(gram.diagonal().clip(1e-300))
    if np.linalg.eigvalsh(gram / np.outer(lengths, lengths))[0] < _FLAT:
        raise InputError(f"expected a support that tells the fields of {basis.name!r} apart, got too few pixels")
    return gram


def field_cosine(
    a: Sequence[float] | np.ndarray,
    b: Sequence[float] | np.ndarray,
    basis: str | Basis = "affine",
    shape: tuple[int, int] = (28, 28),
    support: Shaped[np.ndarray, "h w"] | None = None,
) -> float:
    """``|cos|`` of the angle between two vector fields in L2 over the image.

    Parameters
    ----------
    a, b : arrays, shape (m,)
        Coefficients of two generators.
    basis : str or Basis
    shape : (int, int)
        Height and width of the image: where the fields are compared.
    support : array, shape (H, W), optional
        Weight of every pixel, of :func:`image_support` for instance, with a shape of its own; default all alike.

    Returns
    -------
    float
        In [0, 1]; 1 for the same generator, whatever its sign and scale.
    """
    basis = get_basis(basis)
    first, second = _coefficients(a, basis, "a"), _coefficients(b, basis, "b")
    if not (first.any() and second.any()):
        raise InputError("expected generators that are not zero, got zero coefficients")
    return float(
        np.cos(np.radians(span_angles(first[:, None], second[:, None], field_metric(basis, shape, support))[0]))
    )


def principal_angles(
    a: Sequence[Sequence[float]] | np.ndarray,
    b: Sequence[Sequence[float]] | np.ndarray,
    basis: str | Basis = "affine",
    shape: tuple[int, int] = (28, 28),
    support: Shaped[np.ndarray, "h w"] | None = None,
) -> Float[np.ndarray, " k"]:
    """Principal angles in degrees, ascending, between the spans of two lists of generators, in L2 over the image.

    Parameters
    ----------
    a, b : arrays, shapes (K, m) and (L, m)
    basis : str or Basis
    shape : (int, int)
        Height and width of the image: where the fields are compared.
    support : array, shape (H, W), optional
        Weight of every pixel, of :func:`image_support` for instance, with a shape of its own; default all alike.
    """
    basis = get_basis(basis)
    first, second = np.atleast_2d(_coefficients(a, basis, "a")), np.atleast_2d(_coefficients(b, basis, "b"))
    return span_angles(first.T, second.T, field_metric(basis, shape, support))


def grassmann_distance(
    a: Sequence[Sequence[float]] | Sequence[float] | np.ndarray,
    b: Sequence[Sequence[float]] | Sequence[float] | np.ndarray,
    basis: str | Basis = "affine",
    shape: tuple[int, int] = (28, 28),
    support: Shaped[np.ndarray, "h w"] | None = None,
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
    support : array, shape (H, W), optional
        Weight of every pixel, of :func:`image_support` for instance, with a shape of its own; default all alike.

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
    return float(np.linalg.norm(np.radians(principal_angles(first, second, basis, shape, support))))


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
