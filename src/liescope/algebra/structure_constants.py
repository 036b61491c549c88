"""Brackets of found generators, written in the generators: structure constants, the Killing form, closure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from liescope.algebra.inner_product import field_columns, sampling_domain, weighted
from liescope.geometry.fields import Basis
from liescope.geometry.grid import DomainLike

__all__ = [
    "ERROR_DEG",
    "StructureConstants",
    "bracket_columns",
    "bracket_unit",
    "error_degrees",
    "jacobi_residual",
    "killing_form",
    "structure_constants",
]

# Errors of one degree in the generators of the named algebras leave at least this closure residual, in units of the
# bracket's size. Less than the least error, and more than what was measured, is not told from it.
_RESIDUAL_PER_DEGREE = 0.0155
_LEAST_ERROR_DEG = 0.3
ERROR_DEG = 3.0
"""Errors of found generators, in degrees in L2 over the domain, that tolerances allow for at most."""


class StructureConstants(NamedTuple):
    """Brackets of K generators, expressed in the generators.

    Attributes
    ----------
    constants : array, shape (K, K, K)
        ``[X_i, X_j] = sum_k c[i, j, k] X_k`` with ``[X, Y] = (X . grad) Y - (Y . grad) X``, by least squares in L2
        over the domain; antisymmetric in i and j.
    closure_residual : float
        Largest norm, in L2 over the domain, of the part of a bracket outside the span, in units of the largest
        generator's norm.
    """

    constants: np.ndarray
    closure_residual: float


def bracket_columns(
    generators: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike
) -> Float[np.ndarray, "n k k"]:
    """The brackets [X_i, X_j] themselves at the sampling points (:func:`field_columns`), in or out of the basis."""
    sampled = sampling_domain(domain, basis)
    points = sampled.points(dtype=torch.float64)
    columns = torch.as_tensor(generators, dtype=torch.float64)
    fields = torch.einsum("nmc,mk->nkc", basis.fields(points), columns)
    jacobians = torch.einsum("nmcd,mk->nkcd", basis.jacobians(points), columns)
    along = torch.einsum("njcd,nid->ncij", jacobians, fields)  # [n, :, i, j]: (X_i . grad) X_j
    brackets = weighted(along - along.mT, sampled) / len(points) ** 0.5
    values: np.ndarray = brackets.flatten(0, 1).numpy()
    return values


def structure_constants(generators: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike) -> StructureConstants:
    """Structure constants of generators (columns, of any norm), and how far their brackets leave the span."""
    k = generators.shape[1]
    if k == 0:
        return StructureConstants(np.zeros((0, 0, 0)), 0.0)
    fields = field_columns(generators, basis, domain)
    brackets = bracket_columns(generators, basis, domain).reshape(-1, k * k)
    weights = np.linalg.lstsq(fields, brackets, rcond=None)[0]
    outside = np.linalg.norm(brackets - fields @ weights, axis=0).max()
    # Compared with the fields themselves, so that two commuting generators are closed in spite of rounding.
    size = np.linalg.norm(fields, axis=0).max()
    constants = weights.T.reshape(k, k, k)
    return StructureConstants((constants - constants.transpose(1, 0, 2)) / 2, float(outside / max(size, 1e-300)))


def jacobi_residual(constants: Float[np.ndarray, "k k k"]) -> float:
    """Largest coefficient of ``[X_i, [X_j, X_l]]`` summed over its cyclic permutations: 0 for a Lie algebra."""
    nested = np.einsum("jla,iab->ijlb", constants, constants)
    cyclic = nested + nested.transpose(1, 2, 0, 3) + nested.transpose(2, 0, 1, 3)
    return float(np.abs(cyclic).max(initial=0.0))


def killing_form(constants: Float[np.ndarray, "k k k"]) -> Float[np.ndarray, "k k"]:
    """The Killing form ``K_ij = tr(ad_i ad_j) = sum_ab c_iab c_jba``."""
    form: np.ndarray = np.einsum("iab,jba->ij", constants, constants)
    return form


def bracket_unit(constants: Float[np.ndarray, "k k k"]) -> float:
    """Size of the brackets of L2-orthonormal generators, in whatever orthonormal basis of the span; at least 1.

    The largest singular value of the map from pairs of generators to their brackets. 1 is the size of the bracket of
    a shift with a field that grows by its own size over the image's half side.
    """
    k = len(constants)
    return max(1.0, float(np.linalg.norm(constants.reshape(k * k, k), 2)) / np.sqrt(2)) if k else 1.0


def error_degrees(found: StructureConstants) -> float:
    """How far L2-orthonormal generators of a closed algebra may be off, in degrees, judged by how nearly they close."""
    degrees = found.closure_residual / (_RESIDUAL_PER_DEGREE * bracket_unit(found.constants))
    return float(np.clip(degrees, _LEAST_ERROR_DEG, ERROR_DEG))
