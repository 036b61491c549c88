"""Motions off the plane: axis, pitch, fixed point and rate of turning, against SciPy's exponentials."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from liescope.algebra import Generator, describe_algebra
from liescope.errors import InputError
from liescope.geometry import Grid, affine, field_basis

SHAPES = {1: (20,), 3: (8, 9, 10), 4: (5, 6, 5, 6), 5: (4, 4, 5, 4, 4)}


def unit(n: int, i: int, j: int) -> np.ndarray:
    matrix = np.zeros((n, n))
    matrix[i, j] = 1
    return matrix


def field(matrix: np.ndarray) -> np.ndarray:
    """Coefficients of A p in ``affine(d)``."""
    coefficients: np.ndarray = np.c_[np.zeros(len(matrix)), matrix].ravel()
    return coefficients


def turned(axis: np.ndarray) -> np.ndarray:
    x, y, z = axis / np.linalg.norm(axis)
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 2, -1), (0.3, -1, 0.4)])
@pytest.mark.parametrize("pitch", [0.0, 0.4])
def test_rotations_and_screws_about_an_axis(axis: tuple[float, ...], pitch: float) -> None:
    direction = np.array(axis) / np.linalg.norm(axis)
    point = np.array([0.2, -0.1, 0.15])
    matrix = turned(direction)
    coefficients = np.c_[-matrix @ point + pitch * direction, matrix].ravel()
    generator = Generator(coefficients, "affine", (20, 24, 28))
    found = generator.recognition
    assert found.name == generator.name == ("screw" if pitch else "rotation")
    assert found.axis is not None
    assert found.centre is not None
    sign = np.sign(np.dot(found.axis, direction))
    np.testing.assert_allclose(found.axis, sign * direction, atol=1e-9)
    nearest = point - (point @ direction) * direction
    np.testing.assert_allclose(found.centre, nearest, atol=1e-9)
    if max(axis) == 1:
        assert sign > 0  # about +x, +y, +z by the right-hand rule
    # The angle that it says is the one of its flow, by SciPy's exponential of the matrix.
    t = 0.4
    angle = np.radians(t * generator.unit_per_t)
    start = point + np.cross(direction, [0.3, 0.5, -0.2])
    end = generator.flow(start[None], t)[0]
    expected = expm(sign * angle * matrix) @ (start - point) + point + sign * angle * pitch * direction
    np.testing.assert_allclose(end, expected, atol=1e-9)
    assert generator.unit == "degree"


@pytest.mark.parametrize(
    ("matrix", "name", "unit"),
    [
        (np.eye(3), "dilation", "log-factor"),
        (0.5 * np.eye(3) + turned(np.array([1, 1, 0])), "spiral", "degree"),
        (np.diag([1.0, -1, 0.2]), "stretch", "plain"),
        (unit(3, 0, 1) + 0.5 * unit(3, 0, 2), "shear", "plain"),
        (np.array([[1.0, 0.8, 0], [-0.1, 0.3, 0.7], [0.2, -0.5, -1]]), "linear", "plain"),
        (unit(3, 0, 0) + unit(3, 0, 1), "affine", "plain"),
    ],
)
@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (0.2, -0.1, 0.15)])
def test_linear_motions(matrix: np.ndarray, name: str, unit: str, centre: tuple[float, float, float]) -> None:
    if name == "affine" and any(centre):
        return
    coefficients = np.c_[-matrix @ np.array(centre), matrix].ravel()
    generator = Generator(coefficients, "affine", (20, 20, 20))
    assert (generator.name, generator.unit) == (name, unit)
    rng = np.random.default_rng(0)
    for _ in range(5):
        noisy = generator.coefficients + 0.01 * rng.normal(size=12)
        if name not in ("affine", "shear"):
            assert Generator(noisy, "affine", (20, 20, 20)).name == name
    if name in ("dilation", "spiral", "linear"):
        assert generator.recognition.centre == pytest.approx(centre, abs=1e-9)
        column, row, place = (9.5 + 10 * centre[0], 9.5 - 10 * centre[1], 9.5 + 10 * centre[2])
        assert generator.centre_px == pytest.approx((column, row, place), abs=1e-6)
    if name == "dilation":
        start, end = np.array([[0.5, 0.4, 0.3]]), generator.flow(np.array([[0.5, 0.4, 0.3]]), 0.3)
        growth = np.linalg.norm(end - centre) / np.linalg.norm(start - centre)
        assert 0.3 * generator.unit_per_t == pytest.approx(np.log(growth))


def test_motions_of_the_line_and_of_higher_spaces() -> None:
    assert Generator([1.0, 0], "affine", (40,)).name == "translation"
    assert Generator([1.0, 0], "affine", (40,)).unit_per_t == pytest.approx(20)
    growth = Generator([0.3, 1.0], "affine", (40,))
    assert growth.name == "dilation"
    assert growth.recognition.centre == pytest.approx((-0.3,))
    assert Generator([0, 0, 1.0], "conformal", (40,)).name == "sct"
    assert Generator([1, 0, 1.0], "conformal", (40,)).name == "projective"
    assert Generator(np.eye(10)[8], "conformal", (9, 9, 9)).name == "sct"
    assert Generator(np.eye(10)[8], "conformal", (9, 9, 9)).unit_per_t == pytest.approx(1.0)
    wave = field_basis({"wave": lambda x: (5 * x).sin()}, ndim=1)
    assert Generator([1.0], wave, (40,)).name == "general"
    one, two = np.zeros((4, 4)), np.zeros((4, 4))
    one[:2, :2] = two[:2, :2] = [[0, -1], [1, 0]]
    two[2:, 2:] = [[0, -1.5], [1.5, 0]]
    assert Generator(field(one), "affine", SHAPES[4]).name == "rotation"
    double = Generator(field(two), "affine", SHAPES[4])
    assert double.name == "multiple-rotation"
    assert double.unit_per_t == pytest.approx(np.degrees(1.5 / np.linalg.norm(two)))


def test_equations_are_written_with_the_names_of_the_axes() -> None:
    assert Generator(field(turned(np.array([1.0, 0, 0]))), "affine", (5, 5, 5)).equation == "-z d/dy + y d/dz"
    assert Generator([0.0, 1], "affine", (9,)).equation == "x d/dx"
    shear = field(unit(5, 2, 4))
    generator = Generator(shear, "affine", SHAPES[5])
    assert generator.equation == "x5 d/dx3"
    assert "<i>x</i><sub>5</sub>" in generator.html()
    assert "<svg" not in generator.html()


def test_a_basis_of_other_coordinates_is_refused() -> None:
    with pytest.raises(InputError, match=r"domain of 3 coordinates.*try ndim=2"):
        Generator(np.ones(12), affine(3))
    with pytest.raises(InputError, match="domain of 2 coordinates"):
        describe_algebra(np.eye(6), affine(), (4, 5, 6))
    assert Generator(np.ones(12), affine(3), Grid.of(4, 5, 6)).shape == (4, 5, 6)
