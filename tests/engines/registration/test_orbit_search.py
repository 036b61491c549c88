"""The search along orbits by brute force: every image moved by SciPy, every error summed up, valleys by plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.linalg import expm

from liescope.engines.registration.levels import Level, make_level
from liescope.engines.registration.orbit_search import orbit_search, shared_flow_errors
from liescope.geometry import Grid, affine

FIELDS = {
    "rotation": [0, 0, -1, 0, 1, 0],
    "scale": [0, 1, 0, 0, 0, 1],
    "shift and turn": [0.4, 0, -1, -0.3, 1, 0],
}


def unit(name: str) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.tensor(FIELDS[name], dtype=torch.float32), dim=0)


def images(shape: tuple[int, int], channels: int, count: int, seed: int) -> np.ndarray:
    """Blurred noise, float64: nothing in it is symmetric, so that every wrong sign or order shows."""
    noise = np.random.default_rng(seed).normal(size=(count, channels, *shape))
    blurred: np.ndarray = ndimage.gaussian_filter(noise, (0, 0, 1.5, 1.5)) * 4
    return blurred


def warped(source: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """``exp(X)`` on images (n, c, h, w) by SciPy: each pixel's value from where the inverse matrix puts it."""
    height, width = source.shape[2:]
    s = max(height, width) / 2
    rows, columns = np.indices((height, width))
    x, y = (columns - (width - 1) / 2) / s, ((height - 1) / 2 - rows) / s
    a = np.asarray(coefficients, dtype=np.float64)
    matrix = expm(-np.array([[a[1], a[2], a[0]], [a[4], a[5], a[3]], [0, 0, 0]]))
    x, y = (matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] for i in (0, 1))
    places = np.stack([(height - 1) / 2 - y * s, x * s + (width - 1) / 2])
    moved = [ndimage.map_coordinates(image, places, order=1, mode="grid-constant") for image in np.concatenate(source)]
    return np.stack(moved).reshape(source.shape)


def brute_force(source: np.ndarray, target: np.ndarray, fields: np.ndarray) -> np.ndarray:
    """Squared errors (n, s) of every pair under every field (s, 6)."""
    return np.stack([np.square(warped(source, v) - target).sum(axis=(1, 2, 3)) for v in fields], axis=1)


def made(
    field: str, shape: tuple[int, int], channels: int, seed: int, times: np.ndarray
) -> tuple[Level, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A level that is the image itself, sources, targets moved by SciPy with noise on them, their t, all errors.

    The first pair is moved farther than the grid of magnitudes reaches.
    """
    rng = np.random.default_rng(seed)
    source = images(shape, channels, 12, seed)
    truth = rng.uniform(times[1], times[-2], len(source))
    truth[0] = times[-1] + 0.2
    direction = unit(field).double().numpy()
    target = np.concatenate([warped(x[None], t * direction) for x, t in zip(source, truth, strict=True)])
    target = target + 0.05 * rng.normal(size=target.shape)
    errors = brute_force(source, target, times[:, None] * direction)
    return make_level(Grid.of(*shape), max(shape)), source, target, truth, errors


CASES = [("rotation", (14, 14), 1), ("scale", (13, 18), 2), ("shift and turn", (18, 12), 1)]


def single(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, dtype=torch.float32)


@pytest.mark.parametrize(("field", "shape", "channels"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_errors_are_those_of_images_moved_by_scipy(
    field: str, shape: tuple[int, int], channels: int, seed: int
) -> None:
    times = np.linspace(-1.4, 1.1, 26)  # not symmetric about 0: a wrong sign has no rival to hide behind
    level, source, target, _, expected = made(field, shape, channels, seed, times)
    found = shared_flow_errors(single(source), single(target), affine(), single(times)[:, None] * unit(field), level)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.parametrize(("field", "shape", "channels"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_the_best_magnitude_is_that_of_brute_force(
    field: str, shape: tuple[int, int], channels: int, seed: int
) -> None:
    times = np.linspace(-1.4, 1.1, 26)
    level, source, target, truth, errors = made(field, shape, channels, seed, times)
    match = orbit_search(single(source), single(target), affine(), unit(field), level, single(times))
    np.testing.assert_allclose(match.error, errors.min(axis=1), rtol=1e-3, atol=1e-4 * errors.max())
    step = times[1] - times[0]
    best = errors.argmin(axis=1)
    assert best[0] == len(times) - 1
    expected = [vertex(times, row, k) for row, k in zip(errors, best, strict=True)]
    np.testing.assert_allclose(match.t, expected, atol=0.02 * step)
    assert np.abs(match.t.numpy() - truth)[1:].max() < 0.75 * step
    seconds = [lowest_other_valley(row, k) for row, k in zip(errors, best, strict=True)]
    has_second = np.array([second is not None for second in seconds])
    assert has_second.any()
    np.testing.assert_array_equal(np.isfinite(match.second_error.numpy()), has_second)
    for n, second in enumerate(seconds):
        if second is not None:
            assert float(match.second_error[n]) == pytest.approx(errors[n, second], rel=1e-3)
            assert float(match.second_t[n]) == pytest.approx(vertex(times, errors[n], second), abs=0.02 * step)


def lowest_other_valley(row: np.ndarray, best: int) -> int | None:
    """The lowest place that is below both its neighbours, apart from the best one."""
    valleys = [k for k in range(1, len(row) - 1) if row[k] < min(row[k - 1], row[k + 1]) and k != best]
    return min(valleys, key=lambda k: float(row[k]), default=None)


def vertex(times: np.ndarray, row: np.ndarray, k: int) -> float:
    """Where the parabola through three neighbouring errors is lowest; at an end of the grid, that end."""
    if k in (0, len(row) - 1):
        return float(times[k])
    square, linear, _ = np.polyfit(times[k - 1 : k + 2], row[k - 1 : k + 2], 2)
    return float(-linear / (2 * square))
