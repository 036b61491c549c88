"""Distances between spans and coefficients against scipy, quadrature and closed forms."""

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles

from liescope.algebra import CANONICAL_FIELDS, canonical_coefficients
from liescope.errors import InputError
from liescope.evaluation import (
    classify_linear_part,
    coefficient_errors,
    field_cosine,
    grassmann_distance,
    principal_angles,
)
from liescope.geometry import affine, conformal, field_basis, get_basis

SHAPES = [(28, 28), (12, 40)]
ROTATION, SCALE = [0, 0, -1, 0, 1, 0], [0, 1, 0, 0, 0, 1]


def sampled(coefficients: np.ndarray, shape: tuple[int, int], degree: int) -> np.ndarray:
    """Fields at the pixels as columns: the whitened form, written without the package."""
    height, width = shape
    s = max(height, width) / 2
    x, y = np.meshgrid((np.arange(width) - (width - 1) / 2) / s, ((height - 1) / 2 - np.arange(height)) / s)
    x, y = x.ravel(), y.ravel()
    monomials = [x**0, x, y] if degree == 1 else [x**0, x, y, x**2, x * y, y**2]
    components = np.reshape(coefficients, (-1, 2, len(monomials)))
    fields: np.ndarray = np.einsum("kcm,mn->nck", components, monomials).reshape(2 * height * width, -1)
    return fields


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("basis", "degree"), [("affine", 1), ("quadratic", 2)])
@pytest.mark.parametrize(("k", "m"), [(1, 1), (2, 2), (1, 3), (3, 2)])
def test_grassmann_distance_is_that_of_sampled_fields(shape, basis, degree, k, m) -> None:
    random = np.random.default_rng(k + 10 * m)
    a, b = (random.standard_normal((n, 6 * degree)) for n in (k, m))
    angles = subspace_angles(sampled(a, shape, degree), sampled(b, shape, degree))
    assert grassmann_distance(a, b, basis, shape) == pytest.approx(np.linalg.norm(angles), abs=1e-9)
    assert principal_angles(a, b, basis, shape) == pytest.approx(np.degrees(np.sort(angles)), abs=1e-6)


def test_grassmann_distance_does_not_depend_on_the_generators_of_a_span() -> None:
    random = np.random.default_rng(1)
    a, b = random.standard_normal((2, 6)), random.standard_normal((2, 6))
    expected = grassmann_distance(a, b)
    assert grassmann_distance(b, a) == pytest.approx(expected)
    assert grassmann_distance(-3 * a[::-1], b) == pytest.approx(expected)
    assert grassmann_distance(random.standard_normal((2, 2)) @ a, b) == pytest.approx(expected)
    assert grassmann_distance(a, a) == pytest.approx(0, abs=1e-7)
    # The angle of a metric on spans: no way round is shorter.
    c = random.standard_normal((2, 6))
    assert expected <= grassmann_distance(a, c) + grassmann_distance(c, b) + 1e-12


def test_grassmann_distance_of_a_single_generator_is_its_angle() -> None:
    a, b = np.random.default_rng(2).standard_normal((2, 6))
    assert np.cos(grassmann_distance(a, b)) == pytest.approx(field_cosine(a, b))
    assert grassmann_distance(ROTATION, SCALE) == pytest.approx(np.pi / 2)
    with pytest.raises(InputError, match="independent"):
        grassmann_distance([ROTATION, ROTATION], [SCALE, ROTATION])


def test_coefficient_errors_by_hand() -> None:
    # Rotation about another centre: drift d beside a unit-norm rotation.
    drifted = coefficient_errors([0.3, 0, -1, 0, 1, 0], ROTATION)
    norm = np.sqrt(2 + 0.09)
    assert drifted.drift == pytest.approx(0.3 / norm)
    assert drifted.linear == pytest.approx(np.sqrt(2) * (1 / np.sqrt(2) - 1 / norm))
    assert np.isnan(drifted.quadratic)
    translation = coefficient_errors([1, 0], [0, 1], "translations")
    assert translation.drift == pytest.approx(np.sqrt(2))
    assert np.isnan([translation.linear, translation.quadratic]).all()


@pytest.mark.parametrize("basis", ["affine", "quadratic", "conformal", "polynomial-3"])
def test_coefficient_errors_are_free_of_sign_and_scale(basis) -> None:
    random = np.random.default_rng(3)
    dimension = get_basis(basis).dimension
    for _ in range(20):
        a, b = random.standard_normal((2, dimension))
        expected = coefficient_errors(a, b, basis)
        for found, truth in ((-a, b), (a, -2 * b), (0.1 * a, 5 * b)):
            np.testing.assert_allclose(coefficient_errors(found, truth, basis), expected, atol=1e-12)
        np.testing.assert_allclose(coefficient_errors(b, a, basis), expected, atol=1e-12)
        same = coefficient_errors(-7 * a, a, basis)
        assert np.nanmax(same) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("basis", "dimension"), [("affine", 6), ("quadratic", 12)])
def test_coefficient_errors_add_up_to_the_angle(basis, dimension) -> None:
    a, b = np.random.default_rng(4).standard_normal((2, dimension))
    cosine = abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b)
    assert np.nansum(np.square(coefficient_errors(a, b, basis))) == pytest.approx(2 - 2 * cosine)


def test_coefficient_errors_of_orthogonal_generators_do_not_depend_on_the_sign() -> None:
    a, b = [1, 1, 0, 0, 0, 0], [1, -1, 0, 0, 0, 0]
    np.testing.assert_array_equal(coefficient_errors(a, b), coefficient_errors(np.negative(a), b))


def test_a_basis_without_monomials_has_no_degrees() -> None:
    swirl = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))})
    with pytest.raises(InputError, match="polynomial"):
        coefficient_errors([1.0], [1.0], swirl)
    with pytest.raises(InputError, match="polynomial"):
        classify_linear_part([1.0] * 7, affine() + swirl)
    with pytest.raises(InputError, match="zero"):
        coefficient_errors(np.zeros(6), ROTATION)
    with pytest.raises(InputError, match=r"\(6,\)"):
        classify_linear_part([1.0, 2.0])


def coefficients_of(matrix: np.ndarray, drift: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    return np.concatenate([np.append(shift, row) for shift, row in zip(drift, matrix, strict=True)])


CANONICAL_CLASSES = {
    "translation-x": "none",
    "translation-y": "none",
    "rotation": "centre",
    "scale": "node",
    "scale-x": "stretch",
    "scale-y": "stretch",
    "shear-x": "shear",
    "shear-y": "shear",
    "hyperbolic": "saddle",
    "hyperbolic-diagonal": "saddle",
}


@pytest.mark.parametrize("name", CANONICAL_CLASSES)
@pytest.mark.parametrize("basis", ["affine", "quadratic"])
def test_canonical_fields_keep_their_class_under_noise(name, basis) -> None:
    fields = get_basis(basis)
    coefficients = canonical_coefficients(name, fields)
    assert coefficients is not None
    assert name in CANONICAL_FIELDS
    random = np.random.default_rng(5)
    for scale in (0.0, 1e-9, 0.01, 0.02):
        for _ in range(50):
            error = random.standard_normal(fields.dimension)
            changed = coefficients + scale * np.linalg.norm(coefficients) * error / np.linalg.norm(error)
            for sign in (1, -3):
                assert classify_linear_part(sign * changed, fields) == CANONICAL_CLASSES[name]


def test_classes_are_those_of_the_eigenvalues() -> None:
    random = np.random.default_rng(6)
    seen = set()
    for _ in range(500):
        matrix = random.standard_normal((2, 2))
        matrix /= np.linalg.norm(matrix)
        values = np.linalg.eigvals(matrix)
        if min(np.abs(values.real).min(), abs(values[0] - values[1]) / 2) < 0.3:
            continue  # too near to a boundary between classes
        real = "saddle" if values.real.min() < 0 < values.real.max() else "node"
        expected = "spiral" if np.iscomplexobj(values) else real
        seen.add(expected)
        assert classify_linear_part(coefficients_of(matrix, (0.4, -0.2))) == expected
    assert seen == {"spiral", "saddle", "node"}


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[0, -1], [1, 0]], "centre"),
        ([[0, -4], [0.5, 0]], "centre"),
        ([[0.5, -1], [1, 0.5]], "spiral"),
        ([[1, 0], [0, 1]], "node"),
        ([[1, 0], [0, 0.5]], "node"),
        ([[1, 1], [0, 1]], "node"),
        ([[1, 0], [0, -1]], "saddle"),
        ([[1, 1], [-1, -1]], "shear"),
        ([[0, 1], [0, 0]], "shear"),
        ([[1, 2], [0.5, 1]], "stretch"),
    ],
)
def test_constructed_linear_parts(matrix, expected) -> None:
    assert classify_linear_part(coefficients_of(np.array(matrix))) == expected
    # The class is that of the map, not of the axes it is written in.
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    assert classify_linear_part(coefficients_of(turn @ np.array(matrix) @ turn.T)) == expected


def test_conformal_coefficients_are_read_as_fields() -> None:
    assert classify_linear_part([0, 0, 1, 0, 0, 0], conformal()) == "centre"
    assert classify_linear_part([0, 0, 1, 1, 0, 0], conformal()) == "spiral"
    assert classify_linear_part([0, 0, 0, 0, 1, 0], conformal()) == "none"
    points = torch.tensor([[0.3, -0.2]], dtype=torch.float64)
    assert conformal().velocity(points, torch.tensor([0, 0, 1.0, 0, 0, 0])).flatten().tolist() == pytest.approx(
        [0.2, 0.3]
    )
