"""Structure constants of found generators, and what does not depend on the basis they are written in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from liescope.algebra.sampling import field_columns, sampling_points
from liescope.geometry.fields import Basis

__all__ = [
    "Invariants",
    "StructureConstants",
    "algebra_invariants",
    "bracket_columns",
    "bracket_unit",
    "error_degrees",
    "jacobi_residual",
    "killing_form",
    "structure_constants",
]

# Singular values of the bracket and eigenvalues of the Killing form that count as zero, in units of the bracket's
# size (:func:`bracket_unit`; squared for the form), for errors of three degrees in the generators. Measured over the
# named algebras in the quadratic basis, on images of up to twice their width, errors of three degrees turn zeros
# into at most 0.27 and 0.12, while what is not zero stays above 0.5 and 0.25.
_RANK = 0.3
_KILLING = 0.15
_ERROR_DEG = 3.0
# Errors of one degree in the generators of the named algebras leave at least this closure residual, in units of the
# bracket's size. Less than the least error, and more than what was measured, is not told from it.
_RESIDUAL_PER_DEGREE = 0.0155
_LEAST_ERROR_DEG = 0.3
_ROUNDING_DEG = 1e-4


class StructureConstants(NamedTuple):
    """Brackets of K generators, expressed in the generators.

    Attributes
    ----------
    constants : array, shape (K, K, K)
        ``[X_i, X_j] = sum_k c[i, j, k] X_k`` with ``[X, Y] = (X . grad) Y - (Y . grad) X``, by least squares in L2
        over the image; antisymmetric in i and j.
    closure_residual : float
        Largest norm, in L2 over the image, of the part of a bracket outside the span, in units of the largest
        generator's norm.
    """

    constants: np.ndarray
    closure_residual: float


class Invariants(NamedTuple):
    """What a Lie algebra is, whatever basis it is written in.

    Attributes
    ----------
    derived_dimensions : tuple of int
        Dimensions of the derived series g, [g, g], [[g, g], [g, g]], ... until it stays.
    central_dimensions : tuple of int
        Dimensions of the lower central series g, [g, g], [g, [g, g]], ... until it stays.
    centre_dimension : int
        Of the centre: what commutes with everything.
    killing_signature : (int, int, int)
        Numbers of positive, negative and zero eigenvalues of the Killing form.
    """

    derived_dimensions: tuple[int, ...]
    central_dimensions: tuple[int, ...]
    centre_dimension: int
    killing_signature: tuple[int, int, int]

    @property
    def dimension(self) -> int:
        """Dimension of the algebra."""
        return self.derived_dimensions[0]

    @property
    def derived_dimension(self) -> int:
        """Dimension of [g, g]."""
        return self.derived_dimensions[min(1, len(self.derived_dimensions) - 1)]

    @property
    def abelian(self) -> bool:
        """Everything commutes."""
        return self.derived_dimension == 0

    @property
    def nilpotent(self) -> bool:
        """Brackets of brackets of ... with anything end at zero."""
        return self.central_dimensions[-1] == 0

    @property
    def solvable(self) -> bool:
        """The derived series ends at zero."""
        return self.derived_dimensions[-1] == 0

    @property
    def semisimple(self) -> bool:
        """No solvable ideal: the Killing form has no zero (Cartan's criterion)."""
        return self.dimension > 0 and self.killing_signature[2] == 0


def bracket_columns(
    generators: Float[np.ndarray, "m k"], basis: Basis, shape: tuple[int, int]
) -> Float[np.ndarray, "n k k"]:
    """The brackets [X_i, X_j] themselves at the sampling points (:func:`field_columns`), in or out of the basis."""
    points = sampling_points(shape)
    columns = torch.as_tensor(generators, dtype=torch.float64)
    fields = torch.einsum("nmc,mk->nkc", basis.fields(points), columns)
    jacobians = torch.einsum("nmcd,mk->nkcd", basis.jacobians(points), columns)
    along = torch.einsum("njcd,nid->ncij", jacobians, fields)  # [n, :, i, j]: (X_i . grad) X_j
    brackets = (along - along.mT) / len(points) ** 0.5
    values: np.ndarray = brackets.flatten(0, 1).numpy()
    return values


def structure_constants(
    generators: Float[np.ndarray, "m k"], basis: Basis, shape: tuple[int, int]
) -> StructureConstants:
    """Structure constants of generators (columns, of any norm), and how far their brackets leave the span."""
    k = generators.shape[1]
    if k == 0:
        return StructureConstants(np.zeros((0, 0, 0)), 0.0)
    fields = field_columns(generators, basis, shape)
    brackets = bracket_columns(generators, basis, shape).reshape(-1, k * k)
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
    return float(np.clip(degrees, _LEAST_ERROR_DEG, _ERROR_DEG))


def algebra_invariants(constants: Float[np.ndarray, "k k k"], error_deg: float = _ERROR_DEG) -> Invariants:
    """Invariants of a closed span from the structure constants of generators that are orthonormal in L2.

    Orthonormal ones (:func:`liescope.algebra.orthonormal_generators`), because only they give the tolerances a
    meaning: a zero that errors of that many degrees in the generators can explain counts as zero.

    Parameters
    ----------
    constants : array, shape (K, K, K)
    error_deg : float
        Errors of the generators, in degrees in L2 over the image; 0 for exact fields.
    """
    k = len(constants)
    share = max(error_deg, _ROUNDING_DEG) / _ERROR_DEG
    unit = bracket_unit(constants)
    tolerance = _RANK * unit * share
    everything = np.eye(k)
    derived, central = [everything], [everything]
    for series, partner in ((derived, lambda current: current), (central, lambda _: everything)):
        while series[-1].shape[1]:
            following = _bracket_span(constants, partner(series[-1]), series[-1], tolerance)
            if following.shape[1] == series[-1].shape[1]:
                break
            series.append(following)
    adjoint = np.linalg.svd(constants.transpose(1, 2, 0).reshape(-1, k), compute_uv=False) if k else np.zeros(0)
    # The form of a nilpotent algebra is zero, that of a solvable one is zero on [g, g] (Cartan): noise is not asked.
    space = everything
    if central[-1].shape[1] == 0:
        space = everything[:, :0]
    elif derived[-1].shape[1] == 0:
        space = np.linalg.svd(derived[1])[0][:, derived[1].shape[1] :]
    eigenvalues = np.linalg.eigvalsh(space.T @ killing_form(constants) @ space) if space.size else np.zeros(0)
    plus, minus = (int((sign * eigenvalues > _KILLING * unit**2 * share).sum()) for sign in (1, -1))
    return Invariants(
        tuple(s.shape[1] for s in derived),
        tuple(s.shape[1] for s in central),
        int((adjoint <= tolerance).sum()),
        (plus, minus, k - plus - minus),
    )


def _bracket_span(constants: np.ndarray, a: np.ndarray, b: np.ndarray, tolerance: float) -> np.ndarray:
    """Orthonormal columns of the span of all [X, Y] with X in the span of a and Y in that of b."""
    brackets = np.einsum("ip,jq,ijk->kpq", a, b, constants).reshape(len(constants), -1)
    left, values, _ = np.linalg.svd(brackets, full_matrices=False)
    span: np.ndarray = left[:, values > tolerance]
    return span
