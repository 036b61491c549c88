"""What the algebra that generators span is called in any number of coordinates, by what its linear parts leave alone.

Affine fields split into their linear parts, matrices that act on R^d, and the shifts that are among them. The matrices
are told by dimension, trace and the forms M that they keep, ``A' M + M A = 0``: a symmetric one of signature (p, q) and
d(d - 1)/2 matrices make so(p, q), an antisymmetric one and d(d + 1)/2 matrices make sp(d). Matrices that move only a
part of the space are those of that part. What is not affine is told by its brackets.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations, combinations_with_replacement
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from liescope.algebra.inner_product import field_columns
from liescope.algebra.invariants import algebra_invariants
from liescope.algebra.names_of_algebras import SAME_DEG, Naming, Position, name_by_brackets
from liescope.algebra.structure_constants import StructureConstants, error_degrees
from liescope.geometry.bases import affine, conformal, polynomial, quadratic
from liescope.geometry.fields import Basis
from liescope.geometry.grid import DomainLike

__all__ = ["name_by_invariants", "name_by_linear_parts"]

_SAME = float(np.sin(np.radians(SAME_DEG)))
_DEGENERATE = 0.05  # share of the largest eigenvalue of a form below which an eigenvalue counts as zero
_SIDES_DIFFER = 1.2  # ratio of the lengths of a form's axes from which a frame counts as stretched
# With all shifts; whatever has no name of its own is called t(d)+....
_WITH_SHIFTS = {"so({d})": "se({d})", "so({d})+gl(1)": "sim({d})", "sl({d})": "saff({d})", "gl({d})": "aff({d})"}


class _Linear(NamedTuple):
    """A matrix algebra: its name, the exact matrices (l, d, d), and whether its frame is stretched."""

    name: str
    matrices: np.ndarray
    stretched: bool = False


def name_by_linear_parts(generators: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike) -> Naming | None:
    """Name a span of L2-orthonormal fields that lies within five degrees of an algebra that is known.

    Known are t(r); matrix algebras about any point, gl(d), sl(d), so(p,q), sp(2n), also with growth (``+gl(1)``), on
    the whole space or a part of it; these with all shifts, se(d), sim(d), aff(d), saff(d), ``t(d)+...``; all conformal
    fields, so(d + 1, 1).
    """
    found = field_columns(generators, basis, domain)
    d, k = basis.ndim, found.shape[1]
    if _agree(found, conformal(d).table.numpy(), domain):
        name = f"so({d + 1},1)" if d > 1 else "sl(2)"
        return Naming(name, "canonical", None, _in_quadratic(conformal(d).table.numpy()))
    shifts = field_columns(np.eye(d), polynomial(0, d), domain)
    left, cosines, _ = np.linalg.svd(found.T @ shifts)
    count = int((cosines >= np.cos(np.radians(SAME_DEG))).sum())
    if count not in (0, d, k):
        return None
    design = field_columns(np.eye(d * (d + 1)), affine(d), domain)
    inside = np.linalg.qr(design)[0]
    if np.linalg.norm(found - inside @ (inside.T @ found), 2) > _SAME:
        return None
    parts = np.linalg.lstsq(design, found @ left[:, count:], rcond=None)[0].T.reshape(-1, d, d + 1)
    drifts, matrices = parts[:, :, 0], parts[:, :, 1:]
    if count == k:
        fields = polynomial(0, d).embedded(2).numpy()
        directions = np.linalg.lstsq(shifts, found, rcond=None)[0]
        exact = np.einsum("jck,jl->lck", fields, directions)
        return Naming(f"t({k})", "canonical", None, _in_quadratic(exact))
    linear = _named_matrices(matrices)
    if linear is None:
        return None
    centre = np.zeros(d)
    if not count:
        centre = np.linalg.lstsq(matrices.reshape(-1, d), -drifts.ravel(), rcond=None)[0]
    moved = _fields(linear.matrices, centre, shifts=bool(count))
    if len(moved) != k or not _agree(found, moved, domain):
        return None
    name = _with_shifts(linear.name, d) if count else linear.name
    still = np.linalg.svd(linear.matrices.reshape(-1, d), compute_uv=False)
    fixed = not count and still[-1] > _SAME * still[0]
    position: Position = "canonical"
    if linear.stretched:
        position = "stretched"
    elif not count and not _agree(found, _fields(linear.matrices, np.zeros(d)), domain):
        position = "moved"
    return Naming(name, position, tuple(centre.tolist()) if fixed else None, _in_quadratic(moved))


def name_by_invariants(brackets: StructureConstants) -> str:
    """Name a closed algebra in any position by the structure constants of L2-orthonormal generators."""
    name = name_by_brackets(brackets)
    if name not in ("general", "conformal"):
        return name
    found = algebra_invariants(brackets.constants, error_degrees(brackets))
    return _classical().get(found.killing_signature, "general")


@cache
def _classical() -> Mapping[tuple[int, int, int], str]:
    """Classical algebras by their Killing signature: as many minuses as the dimension of what is compact in them.

    Signatures that belong to two of them, such as those of sp(6) and so(4,3), are left out.
    """
    known: dict[tuple[int, int, int], set[str]] = {}
    for n in range(2, 6):
        known.setdefault((n * (n + 1) // 2 - 1, n * (n - 1) // 2, 0), set()).add(f"sl({n})")
    for n in range(3, 9):
        for q in range(n // 2 + 1):
            p = n - q
            signature = (p * q, (p * (p - 1) + q * (q - 1)) // 2, 0)
            known.setdefault(signature, set()).add(_orthogonal(p, q))
    known.setdefault((12, 9, 0), set()).add("sp(6)")
    same = {"so(2,1)": "sl(2)", "so(3,3)": "sl(4)"}  # one algebra, two names
    named = {signature: {same.get(n, n) for n in names} for signature, names in known.items()}
    return {signature: names.pop() for signature, names in named.items() if len(names) == 1}


def _orthogonal(p: int, q: int) -> str:
    return f"so({p},{q})" if q else f"so({p})"


def _with_shifts(name: str, d: int) -> str:
    for pattern, together in _WITH_SHIFTS.items():
        if name == pattern.format(d=d):
            return together.format(d=d)
    return f"t({d})+{name}"


def _in_quadratic(tables: np.ndarray) -> Float[np.ndarray, "m k"]:
    """Columns of coefficients in the quadratic basis of fields that are given on its monomials (l, d, k)."""
    return tables.reshape(len(tables), -1).T


def _fields(matrices: np.ndarray, centre: np.ndarray, *, shifts: bool = False) -> Float[np.ndarray, "l d k"]:
    """Linear fields about a centre, and all shifts if asked, on the monomials of degree at most two."""
    d = len(centre)
    tables = np.zeros((len(matrices), d, (d + 1) * (d + 2) // 2))
    tables[:, :, 0] = -matrices @ centre
    tables[:, :, 1 : d + 1] = matrices
    return np.concatenate((polynomial(0, d).embedded(2).numpy(), tables)) if shifts else tables


def _agree(found: np.ndarray, tables: Float[np.ndarray, "l d k"], domain: DomainLike) -> bool:
    """Whether orthonormal columns span what fields (given on monomials) span, within the tolerance."""
    if len(tables) != found.shape[1]:
        return False
    exact = np.linalg.qr(field_columns(_in_quadratic(tables), quadratic(tables.shape[1]), domain))[0]
    return bool(np.linalg.norm(exact - found @ (found.T @ exact), 2) <= _SAME)


def _named_matrices(matrices: Float[np.ndarray, "l d d"]) -> _Linear | None:
    """Name of a span of matrices up to conjugation, and the exact matrices nearest to it; None where none is near."""
    count, d = len(matrices), matrices.shape[1]
    _, weights, directions = np.linalg.svd(matrices.reshape(count, -1), full_matrices=False)
    if count > len(weights) or weights[-1] <= _SAME * weights[0]:
        return None
    matrices = directions.reshape(count, d, d)
    if count == 1 and np.linalg.norm(matrices[0] @ matrices[0]) <= _SAME:
        return _Linear("shear", matrices)
    image, sizes, _ = np.linalg.svd(matrices.transpose(1, 0, 2).reshape(d, -1))
    rank = int((sizes > _SAME).sum())
    if rank < d:
        return _on_a_part(matrices, image[:, :rank])
    if count == d * d:
        return _Linear(f"gl({d})", np.eye(d * d).reshape(-1, d, d))
    traces = np.einsum("laa->l", matrices) / np.sqrt(d)
    if np.linalg.norm(traces) <= _SAME:
        return _traceless(matrices)
    if np.linalg.norm(traces) < np.sqrt(1 - _SAME**2):
        return None
    identity = np.eye(d)[None]
    if count == 1:
        return _Linear("gl(1)", identity)
    rest = matrices - traces[:, None, None] * identity / np.sqrt(d)
    inner = np.linalg.svd(rest.reshape(count, -1), full_matrices=False)[2][: count - 1].reshape(-1, d, d)
    named = _traceless(inner)
    if named is None:
        return None
    return _Linear(f"{named.name}+gl(1)", np.concatenate((named.matrices, identity)), named.stretched)


def _on_a_part(matrices: np.ndarray, image: np.ndarray) -> _Linear | None:
    """Matrices that move a part of the space and leave another one alone are those of the part."""
    d, rank = image.shape
    rows = np.linalg.svd(matrices.reshape(-1, d))
    kernel = rows[2][int((rows[1] > _SAME).sum()) :].T
    frame = np.column_stack((image, kernel))
    if frame.shape != (d, d) or np.linalg.cond(frame) > 1 / _DEGENERATE:
        return None
    inverse = np.linalg.inv(frame)
    inner = _named_matrices((inverse @ matrices @ frame)[:, :rank, :rank])
    if inner is None:
        return None
    whole = frame[:, :rank] @ inner.matrices @ inverse[:rank]
    oblique = np.linalg.norm(image.T @ kernel, 2) > _SAME
    return _Linear(inner.name, whole, inner.stretched or bool(oblique))


def _traceless(matrices: np.ndarray) -> _Linear | None:
    """sl(d), so(p,q) and sp(d) among Frobenius-orthonormal matrices of trace zero."""
    count, d = len(matrices), matrices.shape[1]
    if d > 1 and count == d * d - 1:
        units = np.eye(d * d).reshape(-1, d, d)
        traceless = units - np.einsum("uaa->u", units)[:, None, None] * np.eye(d) / d
        exact = np.linalg.svd(traceless.reshape(d * d, -1))[2][:-1].reshape(-1, d, d)
        return _Linear(f"sl({d})", exact)
    if count == d * (d - 1) // 2 and (form := _kept_form(matrices, symmetric=True)) is not None:
        values = np.linalg.eigvalsh(form)
        p = int((values > 0).sum())
        stretched = bool(np.abs(values).max() > _SIDES_DIFFER**2 * np.abs(values).min())
        exact = np.linalg.inv(form) @ _matrix_units(d, symmetric=False)
        return _Linear(_orthogonal(max(p, d - p), min(p, d - p)), exact, stretched)
    if count == d * (d + 1) // 2 and (form := _kept_form(matrices, symmetric=False)) is not None:
        sizes = np.linalg.svd(form, compute_uv=False)
        exact = np.linalg.inv(form) @ _matrix_units(d, symmetric=True)
        return _Linear(f"sp({d})", exact, bool(sizes[0] > _SIDES_DIFFER**2 * sizes[-1]))
    return None


def _kept_form(matrices: np.ndarray, *, symmetric: bool) -> Float[np.ndarray, "d d"] | None:
    """The one form M with A' M + M A = 0 for all matrices, of unit norm; None where there is none or are several."""
    units = _matrix_units(matrices.shape[1], symmetric=symmetric)
    units = units / np.linalg.norm(units, axis=(1, 2), keepdims=True)
    left = np.einsum("lba,ubc->ulac", matrices, units) + np.einsum("uab,lbc->ulac", units, matrices)
    _, sizes, right = np.linalg.svd(np.linalg.qr(left.reshape(len(units), -1).T, mode="r"))
    sizes = np.append(sizes, np.zeros(max(len(units) - len(sizes), 0)))
    if not len(units) or sizes[-1] > _SAME or (len(units) > 1 and sizes[-2] <= _SAME):
        return None
    form: np.ndarray = np.einsum("u,uab->ab", right[-1], units)
    values = np.linalg.svd(form, compute_uv=False)
    return form if values[-1] > _DEGENERATE * values[0] else None


def _matrix_units(d: int, *, symmetric: bool) -> Float[np.ndarray, "u d d"]:
    """The matrices E_ab + E_ba, diagonal ones included, or E_ab - E_ba."""
    pairs = combinations_with_replacement(range(d), 2) if symmetric else combinations(range(d), 2)
    units = []
    for a, b in pairs:
        unit = np.zeros((d, d))
        unit[a, b] = 1
        unit[b, a] = 1 if symmetric else -1
        units.append(unit)
    return np.array(units).reshape(-1, d, d)
