"""Derivatives and generators as operators: against waves, SciPy's splines, and analytically moved pictures."""

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline
from scipy.linalg import expm

from liescope.errors import InputError
from liescope.geometry import KERNELS, FieldOperators, Grid, affine, derivative_matrix, flow, quadratic


def wave(n: int, frequency: int, phase: float) -> tuple[np.ndarray, np.ndarray]:
    """A wave on n points of [0, 1) and its slope."""
    x = np.arange(n) / n
    argument = 2 * np.pi * frequency * x + phase
    return np.sin(argument), 2 * np.pi * frequency * np.cos(argument)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n", [5, 8, 9, 28])
def test_derivatives_are_antisymmetric_and_circulant(kernel: str, n: int) -> None:
    matrix = derivative_matrix(n, 0.3, kernel)
    torch.testing.assert_close(matrix, -matrix.T, rtol=0, atol=1e-12)
    torch.testing.assert_close(matrix, matrix.roll((1, 1), (0, 1)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [5, 8, 9, 16, 28])
def test_shannon_whittaker_is_exact_below_nyquist(n: int) -> None:
    matrix = derivative_matrix(n, 1 / n).numpy()
    for frequency in range((n - 1) // 2 + 1):
        values, slope = wave(n, frequency, 0.4)
        np.testing.assert_allclose(matrix @ values, slope, atol=1e-11 * n)


@pytest.mark.parametrize(("kernel", "order"), [("finite-difference", 2), ("cubic-spline", 4)])
def test_order_of_local_kernels(kernel: str, order: int) -> None:
    errors = []
    for n in (32, 64, 128):
        values, slope = wave(n, 2, 0.4)
        errors.append(np.abs(derivative_matrix(n, 1 / n, kernel).numpy() @ values - slope).max())
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(np.abs(slopes - order) < 0.15)


def test_the_spline_kernel_is_scipys() -> None:
    random = np.random.default_rng(0)
    for n in (7, 12):
        values = random.standard_normal(n)
        spline = CubicSpline(np.arange(n + 1), np.append(values, values[0]), bc_type="periodic")
        found = derivative_matrix(n, 1.0, "cubic-spline").numpy() @ values
        np.testing.assert_allclose(found, spline(np.arange(n), 1), atol=1e-10)


@pytest.mark.parametrize("kernel", ["exponential", "gaussian"])
@pytest.mark.parametrize("n", [9, 28])
def test_damped_kernels_keep_the_slowest_wave_and_damp_fast_ones(kernel: str, n: int) -> None:
    matrix = derivative_matrix(n, 1 / n, kernel).numpy()
    values, slope = wave(n, 1, 0.4)
    np.testing.assert_allclose(matrix @ values, slope, atol=1e-9)
    fast, fast_slope = wave(n, (n - 1) // 2, 0.4)
    assert np.linalg.norm(matrix @ fast) < 0.9 * np.linalg.norm(fast_slope)


def test_bad_kernels() -> None:
    with pytest.raises(InputError, match="Did you mean 'gaussian'"):
        derivative_matrix(9, 1.0, "gausian")
    with pytest.raises(InputError, match="at least 3 points"):
        derivative_matrix(2, 1.0)


@pytest.mark.parametrize("shape", [(5, 5), (6, 9), (8, 7)])
def test_separable_application_is_the_dense_matrix(shape: tuple[int, int]) -> None:
    random = torch.Generator().manual_seed(0)
    basis = quadratic()
    operators = FieldOperators(basis, Grid.of(*shape), dtype=torch.float64)
    images = torch.randn(3, 2, *shape, generator=random, dtype=torch.float64)
    coefficients = torch.randn(basis.dimension, generator=random, dtype=torch.float64)
    dense = torch.einsum("m,mij->ij", coefficients, operators.matrices())
    expected = (images.flatten(2) @ dense.T).reshape(images.shape)
    torch.testing.assert_close(operators.apply(images, coefficients), expected, rtol=1e-10, atol=1e-10)


BLOB = np.array([0.25, 0.1])
FIELDS = {
    "rotation": (affine(), [0, 0, -1, 0, 1, 0], 1.0),
    "translation": (affine(), [1, 0, 0, 0.5, 0, 0], 0.2),
    "scale": (affine(), [0, 1, 0, 0, 0, 1], 0.25),
    "shear": (affine(), [0, 0, 1, 0, 0, 0], 0.5),
    "sct": (quadratic(), [0, 0, 0, 1, 0, -1, 0, 0, 0, 0, 2, 0], 0.3),
}


def blob(points: np.ndarray) -> np.ndarray:
    """A Gaussian right of and above the centre, as a function of the plane."""
    values: np.ndarray = np.exp(-np.square(points - BLOB).sum(-1) / (2 * 0.15**2))
    return values


@pytest.mark.parametrize("name", FIELDS)
def test_the_exponential_moves_content_along_the_arrows(name: str) -> None:
    basis, coefficients, t = FIELDS[name]
    grid = Grid.of(28, 28)
    generator = torch.einsum(
        "m,mij->ij",
        torch.tensor(coefficients, dtype=torch.float64),
        FieldOperators(basis, grid, dtype=torch.float64).matrices(),
    )
    points = grid.points(dtype=torch.float64)
    moved = expm(t * generator.numpy()) @ blob(points.numpy())
    back = flow(basis, -t * torch.tensor(coefficients, dtype=torch.float64), points, tolerance=1e-8)
    expected = blob(back.numpy())
    # The blob is band-limited and zero at the border to about this accuracy; the sct bends it a little more.
    assert np.linalg.norm(moved - expected) <= 2e-3 * np.linalg.norm(expected)
    assert np.linalg.norm(blob(points.numpy()) - expected) > 0.2 * np.linalg.norm(expected)


def test_positive_rotation_is_counter_clockwise_as_seen() -> None:
    grid = Grid.of(28, 28)
    operators = FieldOperators(affine(), grid, dtype=torch.float64)
    generator = (operators.matrices()[4] - operators.matrices()[2]).numpy()
    points = grid.points(dtype=torch.float64).numpy()
    image = np.exp(-np.square(points - [0.4, 0.0]).sum(-1) / (2 * 0.12**2))
    turned = (expm(np.pi / 2 * generator) @ image).reshape(28, 28)
    row, column = np.unravel_index(turned.argmax(), turned.shape)
    assert row < 10  # up
    assert 12 <= column <= 15


@pytest.mark.parametrize("shape", [(9,), (8,), (7, 9), (8, 6), (5, 7, 6), (6, 5, 9)])
@pytest.mark.parametrize("seed", range(2))
def test_operators_are_exact_on_waves_below_nyquist(shape: tuple[int, ...], seed: int) -> None:
    random = np.random.default_rng(seed)
    d = len(shape)
    grid, basis = Grid.of(*shape), quadratic(d)
    points = grid.points(dtype=torch.float64).numpy()
    lengths = np.array(shape[::-1]) / (max(shape) / 2)  # of a period along x, y, ...
    frequency = np.array([random.integers(-((n - 1) // 2), (n - 1) // 2 + 1) for n in shape[::-1]])
    wave_vector = 2 * np.pi * frequency / lengths
    phase = points @ wave_vector + 0.4
    coefficients = random.normal(size=basis.dimension)
    monomials = [np.ones(len(points)), *points.T]
    monomials += [points[:, a] * points[:, b] for a in range(d) for b in range(a, d)]
    field = coefficients.reshape(d, -1) @ np.stack(monomials)
    expected = -(field * wave_vector[:, None]).sum(axis=0) * np.cos(phase)
    operators = FieldOperators(basis, grid, dtype=torch.float64)
    image = torch.from_numpy(np.sin(phase).reshape(1, 1, *shape))
    found = operators.apply(image, torch.from_numpy(coefficients))
    np.testing.assert_allclose(found.numpy().ravel(), expected, atol=1e-10 * max(1, np.abs(expected).max()))
    dense = torch.einsum("m,mij->ij", torch.from_numpy(coefficients), operators.matrices())
    torch.testing.assert_close(dense @ image.flatten(), found.flatten(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(11,), (5, 6, 7)])
def test_no_dense_matrix_is_needed_off_the_plane(shape: tuple[int, ...]) -> None:
    basis = affine(len(shape))
    operators = FieldOperators(basis, Grid.of(*shape), "cubic-spline", dtype=torch.float64)
    random = torch.Generator().manual_seed(0)
    images = torch.randn(3, 2, *shape, generator=random, dtype=torch.float64)
    coefficients = torch.randn(basis.dimension, generator=random, dtype=torch.float64)
    dense = torch.einsum("m,mij->ij", coefficients, operators.matrices())
    expected = (images.flatten(2) @ dense.T).reshape(images.shape)
    torch.testing.assert_close(operators.apply(images, coefficients), expected, rtol=1e-10, atol=1e-10)


def test_a_grid_of_other_axes_is_refused() -> None:
    with pytest.raises(InputError, match="grid of 3 axes"):
        FieldOperators(affine(3), Grid.of(5, 5))
