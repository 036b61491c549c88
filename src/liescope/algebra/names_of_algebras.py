"""What the algebra that generators of the plane span is called.

By its fields, where they are known ones, else by its brackets. Other dimensions have
:mod:`liescope.algebra.names_in_any_dimension`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from liescope.algebra.inner_product import field_columns, orthonormal_generators, sampling_domain, weighted
from liescope.algebra.invariants import Invariants, algebra_invariants
from liescope.algebra.names_of_generators import CANONICAL_FIELDS, recognise
from liescope.algebra.structure_constants import StructureConstants, error_degrees
from liescope.geometry.bases import quadratic
from liescope.geometry.fields import Basis
from liescope.geometry.grid import DomainLike

__all__ = ["NAMED_ALGEBRAS", "SAME_DEG", "Naming", "Position", "name_by_brackets", "name_by_fields"]

NAMED_ALGEBRAS: Mapping[str, tuple[str, ...]] = {
    "t(2)": ("translation-x", "translation-y"),
    "so(2)+gl(1)": ("rotation", "scale"),
    "se(2)": ("translation-x", "translation-y", "rotation"),
    "t(2)+gl(1)": ("translation-x", "translation-y", "scale"),
    "sl(2)": ("rotation", "hyperbolic", "hyperbolic-diagonal"),
    "sim(2)": ("translation-x", "translation-y", "rotation", "scale"),
    "gl(2)": ("rotation", "scale", "hyperbolic", "hyperbolic-diagonal"),
    "saff(2)": ("translation-x", "translation-y", "rotation", "hyperbolic", "hyperbolic-diagonal"),
    "aff(2)": ("translation-x", "translation-y", "rotation", "scale", "hyperbolic", "hyperbolic-diagonal"),
    "conformal": ("translation-x", "translation-y", "rotation", "scale", "sct-x", "sct-y"),
}
"""Canonical fields that span the named algebras of dimension two and more."""

Position = Literal["canonical", "moved", "stretched", "abstract"]
"""How a name was found: canonical fields; the same turned or about another centre; in another frame; by brackets."""

_ONE_PARAMETER = {
    "rotation": "so(2)",
    "scale": "gl(1)",
    "translation-x": "t(1)",
    "translation-y": "t(1)",
    "translation": "t(1)",
    "hyperbolic": "so(1,1)",
    "hyperbolic-diagonal": "so(1,1)",
    "shear-x": "shear",
    "shear-y": "shear",
}
_WITH_SHIFTS = {
    "so(2)": "se(2)",
    "gl(1)": "t(2)+gl(1)",
    "so(2)+gl(1)": "sim(2)",
    "sl(2)": "saff(2)",
    "gl(2)": "aff(2)",
}
# Names that brackets alone decide: dimensions of the derived series, dimension of the centre, Killing signature.
# No other real Lie algebra has the same three.
_BY_INVARIANTS = {
    ((2, 1, 0), 0, (1, 0, 1)): "aff(1)",
    ((3,), 0, (2, 1, 0)): "sl(2)",
    ((3,), 0, (0, 3, 0)): "so(3)",
    ((4, 2, 0), 0, (1, 1, 2)): "sim(2)",
    ((4, 3), 1, (2, 1, 1)): "gl(2)",
    ((5,), 0, (2, 1, 2)): "saff(2)",
    ((6, 5), 0, (3, 1, 2)): "aff(2)",
    ((6,), 0, (3, 3, 0)): "conformal",
    ((8,), 0, (5, 3, 0)): "sl(3)",
}
SAME_DEG = 5.0
"""Largest principal angle, in L2 over the domain, between a span and the fields that it is called by."""
_IDENTITY = np.eye(2)
_TRACELESS = np.array([[[0, -1], [1, 0]], [[1, 0], [0, -1]], [[0, 1], [1, 0]]], dtype=float)


class Naming(NamedTuple):
    """A name, and the exact fields that bear it.

    Attributes
    ----------
    name : str
    position : str
        :data:`Position`.
    centre : tuple of float, length d, or None
        The one point (x, y, ...) that all of the algebra leaves where it is, if there is one.
    fields : array, shape (12, K) on the plane
        The exact fields of that name nearest to the found ones, in the quadratic basis.
    """

    name: str
    position: Position
    centre: tuple[float, ...] | None
    fields: np.ndarray


def name_by_fields(generators: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike) -> Naming | None:
    """Name a span that lies within five degrees of known fields; None where it does not.

    Known are the canonical fields, and any affine ones that they turn into about another fixed point or in another
    linear frame: an elliptic rotation is so(2) too.
    """
    orthonormal = orthonormal_generators(generators, basis, domain)
    found = field_columns(orthonormal, basis, domain)
    k = orthonormal.shape[1]
    members = [m for m in NAMED_ALGEBRAS.items() if len(m[1]) == k]
    known = None
    if k == 1:
        field = recognise(orthonormal[:, 0] / np.linalg.norm(orthonormal), basis, domain).name
        known = _ONE_PARAMETER.get(field)
        members = [(known, (field,))] if known and field in CANONICAL_FIELDS else []
    for name, names in members:
        fields = np.stack([np.ravel(CANONICAL_FIELDS[n]) for n in names], axis=1).astype(np.float64)
        if _agree(found, fields, domain):
            fixed = name != "shear" and "translation" not in names[0]
            return Naming(name, "canonical", (0.0, 0.0) if fixed else None, fields)
    moved = _moved(found, domain)
    # A generator's own name decides: a translation with a little turning in it is no rotation about a far point.
    if known and (moved is None or moved.name != known):
        return Naming(known, "moved", None, _least_squares(found, domain))
    return moved


def name_by_brackets(brackets: StructureConstants) -> str:
    """Name a closed algebra in any position by the structure constants of L2-orthonormal generators."""
    constants = brackets.constants
    found = algebra_invariants(constants, error_degrees(brackets))
    if found.abelian:
        return "abelian" if found.dimension > 1 else "one-parameter"
    key = (found.derived_dimensions, found.centre_dimension, found.killing_signature)
    if key in _BY_INVARIANTS:
        return _BY_INVARIANTS[key]
    if not found.solvable:
        return "general"
    return _plane_extension(constants, found) or "solvable"


def _plane_extension(constants: np.ndarray, found: Invariants) -> str | None:
    """se(2) and t(2)+gl(1) among the solvable algebras of dimension 3: how the third acts on the other two."""
    if found.derived_dimensions != (3, 2, 0):
        return None
    left, _, _ = np.linalg.svd(constants.reshape(-1, 3).T)
    action = np.einsum("i,ijk,ja,kb->ba", left[:, 2], constants, left[:, :2], left[:, :2])
    inner = _one_matrix(action)
    return _WITH_SHIFTS.get(inner[0]) if inner else None


def _least_squares(found: np.ndarray, domain: DomainLike) -> np.ndarray:
    """Fields of the quadratic basis, shape (12, K), nearest to the found columns."""
    fields: np.ndarray = np.linalg.lstsq(field_columns(np.eye(12), quadratic(), domain), found, rcond=None)[0]
    return fields


def _agree(found: np.ndarray, fields: np.ndarray, domain: DomainLike) -> bool:
    """Whether orthonormal columns span what fields of the quadratic basis span, within the tolerance."""
    exact = np.linalg.qr(field_columns(fields, quadratic(), domain))[0]
    return bool(np.linalg.norm(exact - found @ (found.T @ exact), 2) <= np.sin(np.radians(SAME_DEG)))


def _moved(found: np.ndarray, domain: DomainLike) -> Naming | None:
    """Name affine fields by their linear parts, about their common fixed point or with all translations."""
    affine = [0, 1, 2, 6, 7, 8]
    parts = np.linalg.lstsq(field_columns(np.eye(12)[:, affine], quadratic(), domain), found, rcond=None)[0]
    parts = parts.T.reshape(-1, 2, 3)
    matrices, drifts = parts[:, :, 1:], parts[:, :, 0]
    every = torch.eye(2, dtype=torch.float64).expand(len(found) // 2, 2, 2)
    units = weighted(every, sampling_domain(domain, quadratic())).flatten(0, 1).numpy()
    shifts = found.T @ units * np.sqrt(2 / len(found))
    left, cosines, _ = np.linalg.svd(shifts)
    has_shifts = len(cosines) == 2 and cosines[1] >= np.cos(np.radians(SAME_DEG))
    if has_shifts:
        matrices = np.einsum("kl,kab->lab", left[:, 2:], matrices)
    named = _matrix_algebra(matrices)
    name = None if named is None else _WITH_SHIFTS.get(named[0]) if has_shifts else named[0]
    if named is None or name is None:
        return None
    centre = np.zeros(2)
    if not has_shifts:
        centre = np.linalg.lstsq(matrices.reshape(-1, 2), -drifts.ravel(), rcond=None)[0]
    fields = [_affine_field(b, -b @ centre) for b in named[1]]
    if has_shifts:
        fields = [_affine_field(np.zeros((2, 2)), unit) for unit in _IDENTITY] + fields
    exact = np.stack(fields, axis=1)
    if exact.shape[1] != found.shape[1] or not _agree(found, exact, domain):
        return None
    fixed = not has_shifts and name != "shear"  # a shear leaves a line of points where they are
    position: Position = "stretched" if _stretched(named[0], named[1][0]) else "moved"
    return Naming(name, position, (float(centre[0]), float(centre[1])) if fixed else None, exact)


def _stretched(name: str, matrix: np.ndarray) -> bool:
    """Whether rotations run on ellipses, or stretching and squeezing are along lines that are not perpendicular."""
    turn, stretch = _turn_and_stretch(matrix)
    foreign = {"so(2)": stretch, "so(2)+gl(1)": stretch, "so(1,1)": turn}.get(name, 0.0 * turn)
    return bool(np.linalg.norm(foreign) > np.sin(np.radians(SAME_DEG)) * np.linalg.norm(matrix))


def _turn_and_stretch(traceless: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Antisymmetric and symmetric part."""
    return (traceless - traceless.T) / 2, (traceless + traceless.T) / 2


def _affine_field(matrix: np.ndarray, drift: np.ndarray) -> np.ndarray:
    field = np.zeros((2, 6))
    field[:, 0], field[:, 1:3] = drift, matrix
    return field.ravel()


def _matrix_algebra(matrices: Float[np.ndarray, "l 2 2"]) -> tuple[str, np.ndarray] | None:
    """Name of a span of 2 x 2 matrices up to conjugation, and the exact matrices nearest to it."""
    if len(matrices) == 1:
        return _one_matrix(matrices[0])
    if len(matrices) == 2:
        traceless = matrices - np.einsum("laa->l", matrices)[:, None, None] * _IDENTITY / 2
        direction = np.linalg.svd(traceless.reshape(2, 4), full_matrices=False)[2][0].reshape(2, 2)
        inner = _one_matrix(direction)
        turning = inner is not None and inner[0] == "so(2)"
        return ("so(2)+gl(1)", np.stack((direction, _IDENTITY))) if turning else None
    if len(matrices) == 3:
        return "sl(2)", _TRACELESS
    if len(matrices) == 4:
        return "gl(2)", np.concatenate((_TRACELESS, _IDENTITY[None]))
    return None


def _one_matrix(matrix: Float[np.ndarray, "2 2"]) -> tuple[str, np.ndarray] | None:
    """Which one-parameter algebra a linear field spans, up to conjugation; None where none is near.

    The traceless part turns (its antisymmetric part) and stretches (its symmetric part): its eigenvalues are
    imaginary where the first is larger, real where the second is, and zero for a shear, where both are equal.
    """
    size = np.linalg.norm(matrix)
    growth = np.trace(matrix) / 2
    traceless = matrix - growth * _IDENTITY
    tolerance = np.sin(np.radians(SAME_DEG)) * size
    if np.linalg.norm(traceless) <= tolerance:
        return "gl(1)", _IDENTITY[None]
    if np.sqrt(2) * abs(growth) > tolerance:
        return None
    turn, stretch = _turn_and_stretch(traceless)
    e, h = np.linalg.norm(turn), np.linalg.norm(stretch)
    excess = np.degrees(np.arctan2(e, h)) - 45
    if abs(excess) > SAME_DEG:
        return ("so(2)" if excess > 0 else "so(1,1)"), traceless[None]
    return "shear", (turn / e + stretch / h)[None] * (e + h) / 2
