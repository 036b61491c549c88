"""Laws of the bracket in any number of coordinates, and algebras whose numbers are in every textbook.

Affine fields X(p) = A p + c are matrices [[A, c], [0, 0]], and their bracket is minus the commutator: that is the
independent route.
"""

from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest

from liescope.algebra import (
    Generator,
    algebra_invariants,
    jacobi_residual,
    killing_form,
    orthonormal_generators,
    structure_constants,
    structure_tensor,
)
from liescope.geometry import Basis, Box, affine, conformal, field_basis, polynomial, quadratic

SHAPES = {1: (16,), 2: (9, 12), 3: (5, 6, 7), 4: (4, 4, 4, 4), 5: (3, 3, 3, 3, 3)}
OWN = field_basis({"bend": lambda x, y, z: (y * z, 0 * x, 1.0), "wave": lambda x, y, z: (x.sin(), 0 * x, y)}, ndim=3)
CLOSED = [*(affine(d) for d in (1, 2, 3, 5)), *(polynomial(0, d) for d in (1, 3)), *(conformal(d) for d in (1, 2, 3))]


def basis_id(basis: Basis) -> str:
    return f"{basis.name}-{basis.ndim}"


def unit(n: int, i: int, j: int) -> np.ndarray:
    matrix = np.zeros((n, n))
    matrix[i, j] = 1
    return matrix


def so(p: int, q: int = 0) -> list[np.ndarray]:
    """Matrices A with A' g + g A = 0 for g = diag(1, ..., 1, -1, ..., -1)."""
    metric = np.diag([1.0] * p + [-1.0] * q)
    return [metric @ (unit(p + q, j, i) - unit(p + q, i, j)) for i, j in combinations(range(p + q), 2)]


def sl(n: int) -> list[np.ndarray]:
    off = [unit(n, i, j) for i in range(n) for j in range(n) if i != j]
    return off + [unit(n, i, i) - unit(n, i + 1, i + 1) for i in range(n - 1)]


def sp(n: int) -> list[np.ndarray]:
    """Matrices of size 2 n with A' J + J A = 0."""
    eye, zero = np.eye(n), np.zeros((n, n))
    form = np.block([[zero, eye], [-eye, zero]])
    pairs = combinations_with_replacement(range(2 * n), 2)
    return [np.linalg.inv(form) @ (unit(2 * n, i, j) + unit(2 * n, j, i)) for i, j in pairs]


def affine_columns(matrices: list[np.ndarray], shifts: bool = False) -> np.ndarray:
    """Coefficients of the fields A p, and of all shifts if asked, in ``affine(d)``."""
    d = len(matrices[0])
    fields = [np.c_[np.zeros(d), matrix] for matrix in matrices]
    if shifts:
        fields += [np.c_[row, np.zeros((d, d))] for row in np.eye(d)]
    return np.stack([field.ravel() for field in fields], axis=1)


@pytest.mark.parametrize("ndim", [1, 2, 3, 5])
def test_structure_constants_of_affine_fields_are_commutators(ndim: int) -> None:
    c, outside = structure_tensor(affine(ndim))
    assert outside.max() < 1e-9
    matrices = []
    for field in np.eye(ndim * (ndim + 1)).reshape(-1, ndim, ndim + 1):
        matrix = np.zeros((ndim + 1, ndim + 1))
        matrix[:ndim] = np.roll(field, -1, axis=1)  # the constant comes last
        matrices.append(matrix)
    for i, a in enumerate(matrices):
        for j, b in enumerate(matrices):
            expected = np.roll((b @ a - a @ b)[:ndim], 1, axis=1).ravel()
            np.testing.assert_allclose(c[i, j], expected, atol=1e-9)


@pytest.mark.parametrize("basis", CLOSED, ids=basis_id)
def test_closed_bases_are_lie_algebras(basis: Basis) -> None:
    c, outside = structure_tensor(basis)
    assert outside.max() < 1e-8
    np.testing.assert_allclose(c, -c.transpose(1, 0, 2), atol=1e-8)
    assert jacobi_residual(c) < 1e-7


@pytest.mark.parametrize("basis", [quadratic(1), quadratic(3), OWN], ids=basis_id)
def test_other_bases_do_not_close_and_stay_antisymmetric(basis: Basis) -> None:
    c, outside = structure_tensor(basis)
    assert (outside.max() > 0.1) == (basis.ndim > 1)  # on the line the quadratic fields are sl(2)
    np.testing.assert_allclose(c, -c.transpose(1, 0, 2), atol=1e-9)


@pytest.mark.parametrize("ndim", [1, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_the_bracket_is_the_commutator_of_flows(ndim: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    m = ndim * (ndim + 1)
    first, second = (Generator(rng.normal(size=m), "affine", SHAPES[ndim]) for _ in range(2))
    points = rng.uniform(-1, 1, (5, ndim))
    h = 1e-3
    around = second.flow(first.flow(second.flow(first.flow(points, h), h), -h), -h)
    # phi_Y(-h) phi_X(-h) phi_Y(h) phi_X(h) p = p + h^2 [X, Y](p) + O(h^3)
    bracket = first.bracket(second).reshape(ndim, ndim + 1)
    np.testing.assert_allclose((around - points) / h**2, points @ bracket[:, 1:].T + bracket[:, 0], atol=0.02)


# Dimension, Killing form as a multiple of the trace form tr(XY), signature: Helgason, Differential Geometry, Lie Groups
# and Symmetric Spaces, chapter III, section 8.
TEXTBOOK = {
    "so(3)": (so(3), 3, 1, (0, 3, 0)),
    "so(2,1)": (so(2, 1), 3, 1, (2, 1, 0)),
    "so(5)": (so(5), 10, 3, (0, 10, 0)),
    "so(3,1)": (so(3, 1), 6, 2, (3, 3, 0)),
    "sl(3)": (sl(3), 8, 6, (5, 3, 0)),
    "sp(4)": (sp(2), 10, 6, (6, 4, 0)),
}


@pytest.mark.parametrize("name", TEXTBOOK)
@pytest.mark.parametrize("seed", range(2))
def test_killing_forms_of_the_textbook(name: str, seed: int) -> None:
    matrices, dimension, factor, signature = TEXTBOOK[name]
    assert len(matrices) == dimension
    change = np.random.default_rng(seed).normal(size=(dimension, dimension))
    columns = affine_columns(matrices) @ change
    basis = affine(len(matrices[0]))
    found = structure_constants(columns, basis, SHAPES[basis.ndim])
    assert found.closure_residual < 1e-8
    traces = np.array([[np.trace(a @ b) for b in matrices] for a in matrices])
    np.testing.assert_allclose(killing_form(found.constants), factor * change.T @ traces @ change, rtol=1e-6, atol=1e-6)
    orthonormal = orthonormal_generators(columns, basis, SHAPES[basis.ndim])
    invariants = algebra_invariants(
        structure_constants(orthonormal, basis, SHAPES[basis.ndim]).constants, error_deg=0.3
    )
    assert invariants.killing_signature == signature
    assert invariants.semisimple


@pytest.mark.parametrize(("ndim", "dimension", "killing"), [(3, 6, (0, 3, 3)), (4, 10, (0, 6, 4))])
def test_rigid_motions_of_space(ndim: int, dimension: int, killing: tuple[int, int, int]) -> None:
    columns = affine_columns(so(ndim), shifts=True)
    assert columns.shape[1] == dimension
    orthonormal = orthonormal_generators(columns, affine(ndim), SHAPES[ndim])
    found = algebra_invariants(structure_constants(orthonormal, affine(ndim), SHAPES[ndim]).constants, error_deg=0.3)
    assert found.killing_signature == killing
    assert found.derived_dimensions == (dimension,)  # perfect, though not semisimple
    assert not found.semisimple


def test_the_domain_does_not_matter_where_an_algebra_is_closed() -> None:
    columns = affine_columns(so(3), shifts=True) @ np.random.default_rng(0).normal(size=(6, 6))
    on_grid = structure_constants(columns, affine(3), (5, 6, 7)).constants
    in_box = structure_constants(columns, affine(3), Box((-1.0, 0.2, 0.0), (0.3, 0.5, 2.0), count=3)).constants
    np.testing.assert_allclose(in_box, on_grid, atol=1e-8)


def test_the_laws_can_fail() -> None:
    c, _ = structure_tensor(affine(3))
    for i, j in ((0, 1), (2, 5), (6, 11)):
        changed = c.copy()
        changed[i, j, 3] += 0.25
        changed[j, i, 3] -= 0.25
        assert jacobi_residual(changed) > 0.1
