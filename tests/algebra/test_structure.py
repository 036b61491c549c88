"""Algebras: closure, names, readable generators, angles between spans."""

import numpy as np
import pytest
from scipy.linalg import subspace_angles

from liescope.algebra import (
    basis_contains,
    canonical_coefficients,
    describe_algebra,
    field_gram,
    readable_generators,
    span_angles,
    structure_tensor,
)
from liescope.geometry import affine, conformal, field_basis, get_basis, quadratic

SHAPE = (28, 28)
NAMED = {
    "t(2)": ["translation-x", "translation-y"],
    "so(2)+gl(1)": ["rotation", "scale"],
    "se(2)": ["translation-x", "translation-y", "rotation"],
    "sl(2)": ["rotation", "hyperbolic", "hyperbolic-diagonal"],
    "sim(2)": ["translation-x", "translation-y", "rotation", "scale"],
    "aff(2)": ["translation-x", "translation-y", "rotation", "scale", "hyperbolic", "hyperbolic-diagonal"],
    "conformal": ["translation-x", "translation-y", "rotation", "scale", "sct-x", "sct-y"],
}


def columns(names: list[str], basis: str) -> np.ndarray:
    found = [canonical_coefficients(name, get_basis(basis)) for name in names]
    return np.stack([c / np.linalg.norm(c) for c in found if c is not None], axis=1)


@pytest.mark.parametrize("basis", ["affine", "quadratic"])
@pytest.mark.parametrize("name", NAMED)
def test_named_algebras_in_any_basis_of_their_span(basis: str, name: str) -> None:
    if basis == "affine" and name == "conformal":
        basis = "conformal"
    generators = columns(NAMED[name], basis)
    mixed = generators @ np.random.default_rng(0).normal(size=(generators.shape[1],) * 2)
    described = describe_algebra(mixed / np.linalg.norm(mixed, axis=0), get_basis(basis), SHAPE)
    assert described.name == name
    assert described.closed
    assert described.dimension == generators.shape[1]
    assert described.closure_residual < 1e-9


def test_rotation_and_one_translation_are_not_closed() -> None:
    described = describe_algebra(columns(["rotation", "translation-x"], "affine"), affine(), SHAPE)
    assert not described.closed
    assert described.name == "not closed"


@pytest.mark.parametrize(
    ("name", "algebra"),
    [("rotation", "so(2)"), ("translation-y", "t(1)"), ("shear-x", "shear"), ("scale-x", "one-parameter")],
)
def test_one_parameter_groups(name: str, algebra: str) -> None:
    assert describe_algebra(columns([name], "affine"), affine(), SHAPE).name == algebra
    assert describe_algebra(np.zeros((6, 0)), affine(), SHAPE).dimension == 0


def test_a_bracket_that_leaves_the_basis_is_noticed() -> None:
    basis = field_basis({"a": lambda x, y: (x**2, 0 * y), "b": lambda x, y: (0 * x, x)})
    described = describe_algebra(np.eye(2), basis, SHAPE)
    assert not described.closed  # [a, b] = x^2 d/dy
    assert not describe_algebra(np.eye(12), quadratic(), SHAPE).closed


def test_affine_and_conformal_fields_close_and_quadratic_ones_do_not() -> None:
    assert structure_tensor(affine())[1].max() < 1e-9
    assert structure_tensor(conformal())[1].max() < 1e-9
    assert structure_tensor(quadratic())[1].max() > 0.1


def test_structure_constants_are_antisymmetric_and_obey_jacobi() -> None:
    c, _ = structure_tensor(affine())
    np.testing.assert_allclose(c, -c.transpose(1, 0, 2), atol=1e-9)
    nested = np.einsum("ijl,lkm->ijkm", c, c)
    cyclic = nested + nested.transpose(1, 2, 0, 3) + nested.transpose(2, 0, 1, 3)
    np.testing.assert_allclose(cyclic, 0, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_span_angles_against_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(6, 2)), rng.normal(size=(6, 3))
    np.testing.assert_allclose(span_angles(a, b, np.eye(6)), np.sort(np.degrees(subspace_angles(a, b))), atol=1e-6)


def test_small_angles_are_not_lost_in_rounding() -> None:
    a = np.eye(6)[:, :1]
    b = a + 1e-7 * np.eye(6)[:, 1:2]
    assert span_angles(a, b, np.eye(6))[0] == pytest.approx(np.degrees(1e-7), rel=1e-3)


def test_field_gram_against_sums_over_pixels() -> None:
    gram = field_gram(affine(), (10, 14))
    x = (np.arange(14) - 6.5) / 7
    y = (4.5 - np.arange(10)) / 7
    assert gram[1, 1] == pytest.approx((x**2).mean())
    assert gram[5, 5] == pytest.approx((y**2).mean())
    assert gram[0, 0] == pytest.approx(1)
    assert gram[0, 3] == 0


def test_readable_generators_span_the_same_and_are_canonical() -> None:
    truth = columns(["rotation", "scale"], "affine")
    mixed = np.linalg.qr(truth @ np.array([[1.0, 0.4], [0.3, -1.2]]))[0]
    readable = readable_generators(mixed, affine(), SHAPE)
    assert span_angles(readable, truth, np.eye(6)).max() < 1e-6
    np.testing.assert_allclose(np.abs(readable.T @ truth), np.eye(2), atol=1e-9)


def test_readable_generators_of_a_span_without_canonical_fields() -> None:
    span = np.linalg.qr(np.random.default_rng(3).normal(size=(12, 3)))[0]
    readable = readable_generators(span, quadratic(), SHAPE)
    assert readable.shape == (12, 3)
    np.testing.assert_allclose(np.linalg.norm(readable, axis=0), 1)
    assert span_angles(readable, span, np.eye(12)).max() < 1e-6


def test_a_basis_contains_another_whose_fields_are_sums_of_its_own() -> None:
    larger, smaller, other = quadratic(), affine(), conformal()
    assert basis_contains(larger, smaller, (28, 28))
    assert basis_contains(larger, other, (28, 28))
    assert not basis_contains(smaller, larger, (28, 28))
    assert not basis_contains(other, smaller, (28, 28))
    assert basis_contains(get_basis("polynomial-3"), larger, (28, 20))
    turn = field_basis({"turn": lambda x, y: (-y, x)})
    assert basis_contains(smaller, turn, (28, 28))
    assert not basis_contains(turn, smaller, (28, 28))
