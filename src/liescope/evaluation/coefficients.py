"""Coefficients beside the true ones, degree by degree, and what kind of motion the linear part is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from liescope.errors import InputError
from liescope.geometry.bases import get_basis
from liescope.geometry.fields import Basis, PolynomialBasis

__all__ = ["CoefficientErrors", "classify_linear_part", "coefficient_errors"]

_TOLERANCE = 0.05
_ROUNDING = 12  # decimals; below them two signs fit equally well


class CoefficientErrors(NamedTuple):
    """Distance between found and true coefficients by degree; nan for a degree that the basis does not have.

    Attributes
    ----------
    drift : float
        Of the constant part (translation).
    linear : float
        Of the four coefficients of degree one.
    quadratic : float
        Of the six coefficients of degree two.
    """

    drift: float
    linear: float
    quadratic: float


def _monomials(coefficients: Sequence[float] | np.ndarray, basis: Basis, name: str) -> Float[np.ndarray, "2 k"]:
    """Coefficients of both components of a field on the monomials 1, x, y, x^2, xy, y^2, ..."""
    if not isinstance(basis, PolynomialBasis):
        raise InputError(
            f"expected a polynomial basis, got {basis.name!r}, try affine, quadratic, conformal or polynomial-3"
        )
    vector = np.asarray(coefficients, dtype=np.float64)
    if vector.shape != (basis.dimension,):
        raise InputError(
            f"expected {name} of shape ({basis.dimension},) for basis {basis.name!r}, got shape {vector.shape}"
        )
    if not (np.isfinite(vector).all() and vector.any()):
        raise InputError(f"expected finite {name} that are not all zero, got {vector.tolist()}")
    monomials: np.ndarray = basis.polynomial(torch.from_numpy(vector)).numpy()
    return monomials


def coefficient_errors(
    found: Sequence[float] | np.ndarray, truth: Sequence[float] | np.ndarray, basis: str | Basis = "affine"
) -> CoefficientErrors:
    """Error of the drift, of the linear part and of the quadratic part of a generator, free of sign and scale.

    Both are brought to unit norm and to the sign that makes them nearest to each other; the error of a degree is the
    Euclidean norm of what is left between its coefficients on the monomials 1, x, y, x^2, ... In a basis of degree
    two at most the squares add up to ``2 - 2 |cos|`` of the angle between the coefficient vectors; coefficients of
    higher degree enter the norm alone.

    Parameters
    ----------
    found, truth : arrays, shape (m,)
    basis : str or Basis
        A polynomial one.

    Raises
    ------
    InputError
        Another shape, zero coefficients, or a basis that is not polynomial.
    """
    fields = get_basis(basis)
    parts = [_monomials(value, fields, name) for value, name in ((found, "found"), (truth, "truth"))]
    own, true = (part / np.linalg.norm(part) for part in parts)
    candidates = [own - true, own + true]
    # Of two signs that are equally near, the one with the smaller drift: the answer must not depend on the order.
    return min(
        (_by_degree(difference) for difference in candidates),
        key=lambda errors: (round(float(np.nansum(np.square(errors))), _ROUNDING), *errors[:2]),
    )


def _by_degree(difference: Float[np.ndarray, "2 k"]) -> CoefficientErrors:
    starts = ((0, 1), (1, 3), (3, 6))
    known = difference.shape[1]
    errors = (float(np.linalg.norm(difference[:, i:j])) if j <= known else float("nan") for i, j in starts)
    return CoefficientErrors(*errors)


def classify_linear_part(
    coefficients: Sequence[float] | np.ndarray, basis: str | Basis = "affine", tolerance: float = _TOLERANCE
) -> str:
    """What kind of motion the linear part of a generator is, by its eigenvalues.

    Parameters
    ----------
    coefficients : array, shape (m,)
    basis : str or Basis
        A polynomial one.
    tolerance : float
        Share of the linear part's Frobenius norm that counts as zero; default 0.05. Coefficients that are wrong by up
        to half of that share do not change the class of a canonical field.

    Returns
    -------
    str
        - ``"centre"``: imaginary eigenvalues, such as rotation;
        - ``"spiral"``: complex ones, rotation with scale;
        - ``"node"``: real ones of one sign, equal ones included, such as isotropic scale;
        - ``"saddle"``: real ones of different sign, such as the hyperbolic fields;
        - ``"shear"``: both zero although the matrix is not;
        - ``"stretch"``: one zero, such as scale along one axis;
        - ``"none"``: no linear part beside the others, such as a translation.

    Raises
    ------
    InputError
        Another shape, zero coefficients, or a basis that is not polynomial.
    """
    monomials = _monomials(coefficients, get_basis(basis), "coefficients")
    linear = monomials[:, 1:3]
    size = float(np.linalg.norm(linear))
    if linear.shape[1] < 2 or size <= tolerance * np.linalg.norm(monomials):
        return "none"
    linear = linear / size
    middle = float(np.trace(linear)) / 2
    deviator = linear - middle * np.eye(2)
    # The eigenvalues are middle +- sqrt(square). The square is the deviator's determinant up to its sign, which an
    # error e of the matrix changes by |deviator| e; the root itself would turn an error of 1 % into one of 10 %.
    square = -float(np.linalg.det(deviator))
    if square < -tolerance * np.linalg.norm(deviator):
        return "centre" if abs(middle) <= tolerance else "spiral"
    if square <= tolerance * np.linalg.norm(deviator):
        return "shear" if abs(middle) <= tolerance else "node"
    ends = middle - np.sqrt(square), middle + np.sqrt(square)
    if min(abs(end) for end in ends) <= tolerance:
        return "stretch"
    return "saddle" if ends[0] < 0 < ends[1] else "node"
