"""Structure constants, Killing forms and invariants, against commutators of matrices and of polynomials in z."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from liescope.algebra import (
    algebra_invariants,
    canonical_coefficients,
    describe_algebra,
    jacobi_residual,
    killing_form,
    orthonormal_generators,
    structure_constants,
)
from liescope.geometry import affine, conformal, field_basis, quadratic
from liescope.geometry.fields import Basis

SHAPES = [(28, 28), (20, 36)]

# Affine fields X(p) = A p + d as 3 x 3 matrices [[A, d], [0, 0]].
TX, TY = np.eye(3)[:, :1] @ np.eye(3)[2:], np.eye(3)[:, 1:2] @ np.eye(3)[2:]
ROTATION = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]])
SCALE = np.diag([1.0, 1, 0])
HYPERBOLIC = np.diag([1.0, -1, 0])
DIAGONAL = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])
SHEAR = np.array([[0.0, 1, 0], [0, 0, 0], [0, 0, 0]])

# Members; Killing signature; dimensions of the derived series, of the lower central series and of the centre.
KNOWN = {
    "so(2)": ([ROTATION], (0, 0, 1), (1, 0), (1, 0), 1),
    "t(2)": ([TX, TY], (0, 0, 2), (2, 0), (2, 0), 2),
    "so(2)+gl(1)": ([ROTATION, SCALE], (0, 0, 2), (2, 0), (2, 0), 2),
    "aff(1)": ([TX, np.diag([1.0, 0, 0])], (1, 0, 1), (2, 1, 0), (2, 1), 0),
    "heisenberg": ([TX, TY, SHEAR], (0, 0, 3), (3, 1, 0), (3, 1, 0), 1),
    "se(2)": ([TX, TY, ROTATION], (0, 1, 2), (3, 2, 0), (3, 2), 0),
    "sl(2)": ([ROTATION, HYPERBOLIC, DIAGONAL], (2, 1, 0), (3,), (3,), 0),
    "gl(2)": ([ROTATION, HYPERBOLIC, DIAGONAL, SCALE], (2, 1, 1), (4, 3), (4, 3), 1),
    "sim(2)": ([TX, TY, ROTATION, SCALE], (1, 1, 2), (4, 2, 0), (4, 2), 0),
    "saff(2)": ([TX, TY, ROTATION, HYPERBOLIC, DIAGONAL], (2, 1, 2), (5,), (5,), 0),
    "aff(2)": ([TX, TY, ROTATION, HYPERBOLIC, DIAGONAL, SCALE], (3, 1, 2), (6, 5), (6, 5), 0),
}


def affine_columns(matrices: list[np.ndarray]) -> np.ndarray:
    return np.stack([np.r_[m[0, 2], m[0, :2], m[1, 2], m[1, :2]] for m in matrices], axis=1)


def matrix_constants(matrices: list[np.ndarray]) -> np.ndarray:
    """Of the fields: (X . grad) Y - (Y . grad) X is minus the commutator of the matrices."""
    k = len(matrices)
    design: np.ndarray = np.stack([m.ravel() for m in matrices], axis=1)
    constants = np.zeros((k, k, k))
    for i, a in enumerate(matrices):
        for j, b in enumerate(matrices):
            target = -(a @ b - b @ a).ravel()
            constants[i, j] = np.linalg.lstsq(design, target, rcond=None)[0]
            np.testing.assert_allclose(design @ constants[i, j], target, atol=1e-12)
    return constants


def trace_form(constants: np.ndarray) -> np.ndarray:
    adjoint = [c.T for c in constants]  # column j of ad_i: [X_i, X_j]
    return np.array([[np.trace(a @ b) for b in adjoint] for a in adjoint])


def signature(form: np.ndarray) -> tuple[int, int, int]:
    values = np.linalg.eigvalsh(form)
    return int((values > 1e-6).sum()), int((values < -1e-6).sum()), int((abs(values) <= 1e-6).sum())


def invariants_of(columns: np.ndarray, basis: Basis, shape: tuple[int, int]):
    orthonormal = orthonormal_generators(columns, basis, shape)
    return algebra_invariants(structure_constants(orthonormal, basis, shape).constants)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", KNOWN)
def test_structure_constants_are_those_of_the_matrices(name: str, shape: tuple[int, int]) -> None:
    matrices = KNOWN[name][0]
    found = structure_constants(affine_columns(matrices), affine(), shape)
    np.testing.assert_allclose(found.constants, matrix_constants(matrices), atol=1e-9)
    assert found.closure_residual < 1e-9


@pytest.mark.parametrize("name", KNOWN)
def test_killing_form_is_the_trace_form_of_the_matrices(name: str) -> None:
    matrices, expected, *_ = KNOWN[name]
    form = trace_form(matrix_constants(matrices))
    assert signature(form) == expected
    found = structure_constants(affine_columns(matrices), affine(), SHAPES[0]).constants
    np.testing.assert_allclose(killing_form(found), form, atol=1e-8)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", KNOWN)
def test_invariants_in_any_basis_of_the_span(name: str, shape: tuple[int, int], seed: int) -> None:
    matrices, killing, derived, central, centre = KNOWN[name]
    change = np.random.default_rng(seed).normal(size=(len(matrices),) * 2)
    found = invariants_of(affine_columns(matrices) @ change, affine(), shape)
    assert found == (derived, central, centre, killing)
    assert found.abelian == (name in ("so(2)", "t(2)", "so(2)+gl(1)"))
    assert found.nilpotent == (found.abelian or name == "heisenberg")
    assert found.solvable == (found.nilpotent or name in ("aff(1)", "se(2)", "sim(2)"))
    assert found.semisimple == (name == "sl(2)")


def test_constants_and_form_follow_a_change_of_basis() -> None:
    matrices = KNOWN["aff(2)"][0]
    change = np.random.default_rng(5).normal(size=(6, 6))
    before = matrix_constants(matrices)
    after = structure_constants(affine_columns(matrices) @ change, affine(), SHAPES[0]).constants
    expected = np.einsum("ai,bj,abc,kc->ijk", change, change, before, np.linalg.inv(change))
    np.testing.assert_allclose(after, expected, atol=1e-7)
    np.testing.assert_allclose(killing_form(after), change.T @ trace_form(before) @ change, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in KNOWN if n not in ("heisenberg", "aff(1)")])
def test_facts_agree_with_the_matrices(name: str) -> None:
    matrices, killing, derived, central, centre = KNOWN[name]
    described = describe_algebra(
        affine_columns(matrices) @ np.random.default_rng(0).normal(size=(len(matrices),) * 2), affine(), SHAPES[0]
    )
    assert described.name == name
    assert described.killing_signature == killing
    assert described.derived_dimension == derived[min(1, len(derived) - 1)]
    assert described.centre_dimension == centre
    assert (described.abelian, described.nilpotent) == (centre == len(matrices), central[-1] == 0)
    assert (described.solvable, described.semisimple) == (derived[-1] == 0, killing[2] == 0)
    assert described.jacobi_residual < 1e-8


def conformal_constants() -> np.ndarray:
    """As fields f(z) d/dz: [f, g] = f g' - g f', with z = x + iy; real coordinates on 1, i, iz, z, z^2, -i z^2."""
    polynomials = [np.array(c, dtype=complex) for c in ([1], [1j], [0, 1j], [0, 1], [0, 0, 1], [0, 0, -1j])]

    def coordinates(f: np.ndarray) -> np.ndarray:
        c = np.r_[f, np.zeros(8)][:3]
        return np.array([c[0].real, c[0].imag, c[1].imag, c[1].real, c[2].real, -c[2].imag])

    derivative = np.polynomial.polynomial.polyder
    multiply = np.polynomial.polynomial.polymul
    return np.array(
        [
            [
                coordinates(np.polynomial.polynomial.polysub(multiply(f, derivative(g)), multiply(g, derivative(f))))
                for g in polynomials
            ]
            for f in polynomials
        ]
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_conformal_fields_against_polynomials_in_z(shape: tuple[int, int]) -> None:
    found = structure_constants(np.eye(6), conformal(), shape)
    np.testing.assert_allclose(found.constants, conformal_constants(), atol=1e-9)
    assert found.closure_residual < 1e-9


def test_conformal_algebra_has_the_invariants_of_lorentz_matrices() -> None:
    metric = np.diag([1.0, 1, 1, -1])
    lorentz = []
    for i, j in combinations(range(4), 2):
        rotation = np.zeros((4, 4))
        rotation[i, j], rotation[j, i] = 1, -1
        lorentz.append(rotation @ metric)
    constants = matrix_constants(lorentz)
    assert signature(trace_form(constants)) == (3, 3, 0)
    assert jacobi_residual(constants) < 1e-12
    found = invariants_of(np.eye(6), conformal(), SHAPES[0])
    assert found == ((6,), (6,), 0, (3, 3, 0))
    assert found.semisimple


def test_a_changed_structure_constant_is_caught() -> None:
    constants = conformal_constants()
    assert jacobi_residual(constants) < 1e-12
    for i, j in combinations(range(6), 2):
        for k in range(6):
            changed = constants.copy()
            changed[i, j, k] += 0.25
            changed[j, i, k] -= 0.25
            assert jacobi_residual(changed) > 0.1
            with pytest.raises(AssertionError):
                np.testing.assert_allclose(changed, conformal_constants(), atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("degrees", [0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("name", [*KNOWN, "conformal"])
def test_invariants_survive_errors_in_the_generators(noisy, name: str, degrees: float, seed: int) -> None:
    names = ("translation-x", "translation-y", "rotation", "scale", "sct-x", "sct-y")
    expected: tuple[Any, ...] = ((6,), (6,), 0, (3, 3, 0))
    if name == "conformal":
        columns = np.stack([c for n in names if (c := canonical_coefficients(n, quadratic())) is not None], axis=1)
    else:
        matrices, killing, derived, central, centre = KNOWN[name]
        columns = np.zeros((12, len(matrices)))
        columns[[0, 1, 2, 6, 7, 8]] = affine_columns(matrices)
        expected = (derived, central, centre, killing)
    for shape in SHAPES:
        assert invariants_of(noisy(columns, quadratic(), shape, degrees, seed), quadratic(), shape) == expected


def test_fields_of_your_own() -> None:
    basis = field_basis(
        {
            "along": lambda x, y: (np.pi + 0 * x, 0 * y),
            "sine": lambda x, y: ((2 * x).sin(), 0 * y),
            "cosine": lambda x, y: ((2 * x).cos(), 0 * y),
        }
    )
    # [d/dx, sin 2x d/dx] = 2 cos 2x d/dx, [d/dx, cos 2x d/dx] = -2 sin 2x d/dx, [sin, cos] = -2 d/dx: sl(2).
    found = structure_constants(np.eye(3), basis, (28, 28)).constants
    np.testing.assert_allclose(found[0, 1], [0, 0, 2 * np.pi], atol=1e-9)
    np.testing.assert_allclose(found[0, 2], [0, -2 * np.pi, 0], atol=1e-9)
    np.testing.assert_allclose(found[1, 2], [-2 / np.pi, 0, 0], atol=1e-9)
    assert invariants_of(np.eye(3), basis, (28, 28)).killing_signature == (2, 1, 0)


def test_large_images_are_measured_on_fewer_points() -> None:
    columns = np.random.default_rng(0).normal(size=(6, 3))
    small, large = (structure_constants(columns, affine(), shape) for shape in ((40, 30), (400, 300)))
    assert large.closure_residual == pytest.approx(small.closure_residual, rel=5e-3)
