"""Generated algebras: dimensions known from matrices, errors in the generators, brackets that leave the basis."""

import numpy as np
import pytest

from liescope.algebra import canonical_coefficients, field_gram, generated_algebra, span_angles
from liescope.geometry import affine, field_basis, quadratic

SHAPES = [(28, 28), (20, 36)]
SIMILARITIES = ("translation-x", "translation-y", "rotation", "scale")
LINEAR = ("rotation", "scale", "hyperbolic", "hyperbolic-diagonal")
GENERATED = {
    ("rotation",): ("rotation",),
    ("rotation", "scale"): ("rotation", "scale"),
    ("rotation", "translation-x"): ("translation-x", "translation-y", "rotation"),
    ("rotation", "translation-x", "scale"): SIMILARITIES,
    ("shear-x", "shear-y"): ("rotation", "hyperbolic", "hyperbolic-diagonal"),
    ("shear-x", "shear-y", "translation-x"): ("translation-x", "translation-y", *LINEAR[:1], *LINEAR[2:]),
    ("rotation", "hyperbolic", "scale", "translation-y"): ("translation-x", "translation-y", *LINEAR),
    ("translation-x", "sct-x"): ("translation-x", "scale", "sct-x"),
    ("translation-x", "sct-y"): (*SIMILARITIES, "sct-x", "sct-y"),
}


def canonical(names: tuple[str, ...]) -> np.ndarray:
    return np.stack([c for n in names if (c := canonical_coefficients(n, quadratic())) is not None], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("names", GENERATED, ids="+".join)
def test_smallest_algebra(names: tuple[str, ...], shape: tuple[int, int]) -> None:
    span, leaves = generated_algebra(canonical(names), quadratic(), shape)
    assert not leaves
    np.testing.assert_allclose(span.T @ span, np.eye(span.shape[1]), atol=1e-10)
    expected = canonical(GENERATED[names])
    assert span.shape == expected.shape
    assert span_angles(span, expected, field_gram(quadratic(), shape)).max() < 1e-6
    first = span[:, : len(names)]
    assert span_angles(first, canonical(names), np.eye(12)).max() < 1e-6


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("degrees", [0.5, 1.0])
@pytest.mark.parametrize("names", GENERATED, ids="+".join)
def test_errors_add_nothing(noisy, names: tuple[str, ...], degrees: float, seed: int) -> None:
    generators = noisy(canonical(names), quadratic(), SHAPES[0], degrees, seed)
    span, leaves = generated_algebra(generators, quadratic(), SHAPES[0])
    assert not leaves
    expected = canonical(GENERATED[names])
    assert span.shape == expected.shape
    # Errors of generators add up in their brackets, but stay of their size.
    assert span_angles(span, expected, field_gram(quadratic(), SHAPES[0])).max() < 12 * degrees


def test_rotations_about_two_points_generate_rigid_motions() -> None:
    generators = np.array([[0.0, 0, -1, 0, 1, 0], [0.4, 0, -1, -0.2, 1, 0]]).T
    span, leaves = generated_algebra(generators, affine(), SHAPES[0])
    rigid = np.array([[0.0, 0, -1, 0, 1, 0], [1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]]).T
    assert not leaves
    assert span.shape == (6, 3)
    assert span_angles(span, rigid, np.eye(6)).max() < 1e-6


def test_leaving_the_basis_is_flagged() -> None:
    basis = field_basis({"a": lambda x, y: (x**2, 0 * y), "b": lambda x, y: (0 * x, x)})
    assert generated_algebra(np.eye(2), basis, SHAPES[0]).leaves_basis
    assert generated_algebra(np.eye(12), quadratic(), SHAPES[0]).leaves_basis
    assert not generated_algebra(np.eye(2)[:, :1], basis, SHAPES[0]).leaves_basis
    assert generated_algebra(np.eye(6), affine(), SHAPES[0]).span.shape == (6, 6)


def test_no_generators() -> None:
    assert generated_algebra(np.zeros((6, 0)), affine(), SHAPES[0]).span.shape == (6, 0)
