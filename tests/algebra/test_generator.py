"""Names, equations, centres and units of generators; brackets against finite differences of flows."""

import numpy as np
import pytest
import torch

from liescope.algebra import CANONICAL_FIELDS, Generator, canonical_coefficients, equation
from liescope.errors import InputError
from liescope.geometry import Grid, affine, field_basis, get_basis, quadratic


@pytest.mark.parametrize("basis", ["affine", "quadratic", "polynomial-3"])
@pytest.mark.parametrize("name", CANONICAL_FIELDS)
def test_canonical_fields_are_recognised_with_noise(basis: str, name: str) -> None:
    a = canonical_coefficients(name, get_basis(basis))
    if a is None:
        assert basis == "affine"
        assert name.startswith("sct")
        return
    rng = np.random.default_rng(1)
    noisy = a / np.linalg.norm(a) + 0.01 * rng.normal(size=len(a))
    assert Generator(-noisy, basis).name == name


@pytest.mark.parametrize(
    ("coefficients", "text"),
    [
        ([0, 0, -1, 0, 1, 0], "-y d/dx + x d/dy"),
        ([0, 2, 0, 0, 0, 2], "x d/dx + y d/dy"),
        ([1, 0, 0, 0, 0, 0], "d/dx"),
        ([0.25, 0, -1, 0.5, 1, 0], "0.25 d/dx - y d/dx + 0.5 d/dy + x d/dy"),
        ([0, 0, 0, 0, 0, 0], "0"),
        ([1, 0.004, 0, 0, 0, -0.3333333], "d/dx - 0.33 y d/dy"),
    ],
)
def test_equation_text(coefficients: list[float], text: str) -> None:
    assert equation(coefficients) == text


@pytest.mark.parametrize("kind", ["rotation", "scale", "spiral"])
@pytest.mark.parametrize("centre", [(13.5, 13.5), (18.0, 10.0), (3.0, 25.5)])
def test_centre_in_pixels(kind: str, centre: tuple[float, float]) -> None:
    linear = {"rotation": [[0, -1], [1, 0]], "scale": [[1, 0], [0, 1]], "spiral": [[0.5, -1], [1, 0.5]]}[kind]
    matrix = np.array(linear, dtype=float)
    fixed = Grid.of(28, 28).from_pixels(torch.tensor(centre, dtype=torch.float64)).numpy()
    drift = -matrix @ fixed
    generator = Generator([drift[0], *matrix[0], drift[1], *matrix[1]], "affine", (28, 28))
    assert generator.name == kind
    assert generator.centre_px == pytest.approx(centre, abs=1e-6)
    still = generator.flow(fixed[None], 0.7)
    np.testing.assert_allclose(still[0], fixed, atol=1e-9)


def test_centre_on_a_non_square_image() -> None:
    assert Generator([0, 0, -1, 0, 1, 0], "affine", (20, 40)).centre_px == pytest.approx((19.5, 9.5))


def test_natural_units_say_what_the_flow_does() -> None:
    shape = (28, 20)
    grid = Grid.of(*shape)
    start = np.array([[0.3, 0.1]])
    t = 0.4
    rotation = Generator([0, 0, -1, 0, 1, 0], "affine", shape)
    end = rotation.flow(start, t)[0]
    turned = np.degrees(np.arctan2(end[1], end[0]) - np.arctan2(start[0, 1], start[0, 0]))
    assert t * rotation.unit_per_t == pytest.approx(turned)
    scale = Generator([0, 1, 0, 0, 0, 1], "affine", shape)
    assert t * scale.unit_per_t == pytest.approx(np.log(np.linalg.norm(scale.flow(start, t)) / np.linalg.norm(start)))
    shift = Generator([0.6, 0, 0, 0.8, 0, 0], "affine", shape)
    pixels = grid.to_pixels(torch.tensor(np.concatenate((start, shift.flow(start, t))))).numpy()
    assert t * shift.unit_per_t == pytest.approx(np.linalg.norm(pixels[1] - pixels[0]))
    assert (rotation.unit, scale.unit, shift.unit) == ("degree", "log-factor", "pixel")
    bend = Generator(canonical_coefficients("sct-x", quadratic()), quadratic(), shape)  # type: ignore[arg-type]
    z = complex(*start[0])
    expected = z / (1 - t * bend.unit_per_t * z)
    np.testing.assert_allclose(bend.flow(start, t)[0], [expected.real, expected.imag], atol=1e-5)


@pytest.mark.parametrize(
    "coefficients",
    [[0, 0, -1, 0, 1, 0], [0.3, 0, -1, 0.1, 1, 0], [0, 0, -2, 0, 1, 0], [0, 0.2, -1, 0, 0.6, -0.2]],
    ids=["rotation", "off-centre", "ellipse", "tilted ellipse"],
)
def test_orbits_of_rotations_close_after_one_period(coefficients: list[float]) -> None:
    generator = Generator(coefficients)
    points = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    assert generator.period is not None
    np.testing.assert_allclose(generator.flow(points, generator.period), points, atol=1e-9)
    assert np.abs(generator.flow(points, generator.period / 2) - points).max() > 0.5


@pytest.mark.parametrize("name", sorted(set(CANONICAL_FIELDS) - {"rotation"}))
def test_other_flows_have_no_period(name: str) -> None:
    coefficients = canonical_coefficients(name, "quadratic")
    assert coefficients is not None
    assert Generator(coefficients, "quadratic").period is None


def test_general_generators_tell_their_parts_and_eigenvalues() -> None:
    generator = Generator([0.1, 1, 0.3, -0.7, -0.2, 0.4])
    assert (generator.name, generator.unit, generator.unit_per_t) == ("general", "plain", 1.0)
    parts = generator.recognition
    rebuilt = np.r_[parts.drift[0], parts.linear[0], parts.drift[1], parts.linear[1]]
    np.testing.assert_allclose(rebuilt, generator.coefficients, atol=1e-12)
    np.testing.assert_allclose(sorted(parts.eigenvalues), sorted(np.roots(np.poly(parts.linear))))
    assert Generator([0, 0, -1, 0, 1, 0]).recognition.eigenvalues.imag.any()


def test_mixed_basis_is_recognised_by_its_field() -> None:
    basis = affine() + field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))})
    assert Generator([0, 0, -1, 0, 1, 0, 0], basis).name == "rotation"
    assert Generator([0, 0, 0, 0, 0, 0, 1], basis).name != "rotation"


def test_bracket_of_rotation_and_translation() -> None:
    rotation, shift = Generator([0, 0, -1, 0, 1, 0]), Generator([1, 0, 0, 0, 0, 0])
    # [X, Y] = (X.grad) Y - (Y.grad) X: of rotation and d/dx it is -d/dy, here times the norms.
    np.testing.assert_allclose(rotation.bracket(shift), [0, 0, 0, -1 / np.sqrt(2), 0, 0], atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_bracket_is_the_commutator_of_flows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = Generator(rng.normal(size=6)), Generator(rng.normal(size=6))
    points = torch.tensor(rng.uniform(-1, 1, (5, 2)))
    h = 1e-3
    there = second.flow(first.flow(points, h), h)
    around = second.flow(first.flow(there, -h), -h)
    # phi_Y(-h) phi_X(-h) phi_Y(h) phi_X(h) p = p + h^2 [X, Y](p) + O(h^3)
    field = affine().velocity(points, torch.tensor(first.bracket(second)))
    np.testing.assert_allclose((around - points) / h**2, field, atol=0.05)


def test_wrong_number_of_coefficients() -> None:
    with pytest.raises(InputError, match="expected 6 coefficients for basis 'affine'"):
        Generator([1, 2, 3])
    with pytest.raises(InputError, match="one basis"):
        Generator([0, 0, -1, 0, 1, 0]).bracket(Generator(np.ones(12), "quadratic"))
