"""The smallest algebra that contains given generators."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from liescope.algebra.inner_product import field_columns, orthonormal_generators
from liescope.algebra.structure_constants import bracket_columns
from liescope.geometry.fields import Basis
from liescope.geometry.grid import DomainLike

__all__ = ["GeneratedAlgebra", "generated_algebra"]

# Between L2-orthonormal generators, brackets of the named algebras have norm 1.2 to 3; errors of one degree in the
# generators move them by at most 0.1. What a bracket adds counts from this share of the largest bracket on.
_ADDS = 0.15


class GeneratedAlgebra(NamedTuple):
    """The smallest span that contains the generators and is closed under the bracket.

    Attributes
    ----------
    span : array, shape (m, L)
        Columns of coefficients, orthonormal; the first ones span the generators. Not closed where brackets leave
        the basis.
    leaves_basis : bool
        Whether brackets have parts that no field of the basis can express: then there is no such span in it.
    """

    span: np.ndarray
    leaves_basis: bool


def generated_algebra(generators: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike) -> GeneratedAlgebra:
    """Add brackets, the largest new direction first, until nothing new comes.

    Parameters
    ----------
    generators : array, shape (m, K)
        Columns of any norm. Errors of about one degree in them add nothing.
    basis : Basis
    domain : Domain or tuple of int
        Where the fields live; a shape stands for the grid of images of that shape. Brackets are measured in
        L2 over it.
    """
    span = orthonormal_generators(generators, basis, domain)
    within = orthonormal_generators(np.eye(basis.dimension), basis, domain)
    everything = field_columns(within, basis, domain)
    while span.shape[1]:
        k = span.shape[1]
        brackets = bracket_columns(span, basis, domain).reshape(-1, k * k)
        tolerance = _ADDS * max(1.0, float(np.linalg.norm(brackets, axis=0).max()))
        inside = everything.T @ brackets
        if np.linalg.norm(brackets - everything @ inside, axis=0).max() > tolerance:
            return GeneratedAlgebra(_orthonormal(span), leaves_basis=True)
        known = everything.T @ field_columns(span, basis, domain)
        new = inside - known @ (known.T @ inside)
        if k == basis.dimension or np.linalg.norm(new, axis=0).max() <= tolerance:
            break
        # The direction that most brackets agree on carries the least noise.
        direction = np.linalg.svd(new, full_matrices=False)[0][:, :1]
        span = np.column_stack((span, within @ direction))
    return GeneratedAlgebra(_orthonormal(span), leaves_basis=False)


def _orthonormal(span: np.ndarray) -> np.ndarray:
    return np.linalg.qr(span)[0]
