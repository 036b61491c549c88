"""Normal equations against automatic differentiation, and the differential of the exponential against differences."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from liescope.algebra import structure_tensor
from liescope.data import load_corpus
from liescope.engines.registration.coordinates import equations_on_basis, exponential_derivative
from liescope.engines.registration.levels import make_level
from liescope.engines.registration.linearise import FieldTable, gradient, normal_equations
from liescope.engines.registration.motion import SpanMotion
from liescope.geometry import Basis, Grid, affine, conformal, flow, quadratic, transport_images


def smooth_images(count: int) -> torch.Tensor:
    digits = load_corpus("mnist-5k").images[:count].astype(np.float64) / 255
    return torch.tensor(ndimage.gaussian_filter(digits, (0, 2, 2)))[:, None]


def test_gradient_against_a_plane() -> None:
    grid = Grid.of(9, 12)
    points = grid.points(dtype=torch.float64)
    plane = (3 * points[:, 0] - 2 * points[:, 1]).reshape(1, 1, 9, 12)
    gx, gy = gradient(plane, grid)
    torch.testing.assert_close(gx[..., 1:-1, 1:-1], torch.full((1, 1, 7, 10), 3.0, dtype=torch.float64))
    torch.testing.assert_close(gy[..., 1:-1, 1:-1], torch.full((1, 1, 7, 10), -2.0, dtype=torch.float64))


def monomials(points: np.ndarray, degree: int) -> np.ndarray:
    """Fields (n, m, 2) of the affine (1) or quadratic (2) basis: 1, x, y, x^2, xy, y^2 along x, then along y."""
    x, y = points.T
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y][: 3 if degree == 1 else 6], axis=1)
    fields = np.zeros((len(points), 2 * terms.shape[1], 2))
    fields[:, : terms.shape[1], 0] = fields[:, terms.shape[1] :, 1] = terms
    return fields


def carried(points: np.ndarray, v: np.ndarray, degree: int, steps: int = 8) -> np.ndarray:
    """Where the field's flow takes points in time 1, by Runge and Kutta."""

    def velocity(p: np.ndarray) -> np.ndarray:
        speed: np.ndarray = np.einsum("nmc,m->nc", monomials(p, degree), v)
        return speed

    h = 1 / steps
    for _ in range(steps):
        first = velocity(points)
        second = velocity(points + h / 2 * first)
        third = velocity(points + h / 2 * second)
        points = points + h / 6 * (first + 2 * second + 2 * third + velocity(points + h * third))
    return points


def blobs(points: np.ndarray) -> np.ndarray:
    """Grey values (2 channels, n) of an image that is known at every point."""
    value = np.zeros((2, len(points)))
    for channel, x, y, width, height in (
        (0, 0.15, 0.1, 0.15, 1),
        (0, -0.2, -0.1, 0.18, 0.7),
        (1, -0.1, 0.15, 0.16, 0.9),
    ):
        value[channel] += height * np.exp(-((points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2) / (2 * width**2))
    return value


SIDES = (96, 80)


def differences(v: np.ndarray, u: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A pair of blobs and blobs moved by u, blobs moved by v, and how a further small motion changes the error there.

    The derivative of ``sum |exp(d) exp(v) source - exp(u) source|^2`` in d at 0 by central differences, on images that
    are never resampled.
    """
    points = Grid.of(*SIDES).points(dtype=torch.float64).numpy()
    fields, step = monomials(points, degree), 1e-5
    source, target = (blobs(carried(points, -w, degree)) for w in (0 * u, u))
    slope = np.zeros(fields.shape[1])
    for k in range(len(slope)):
        # phi_{-d}(p) = p - d b(p) up to squares of d, which drop out of the difference.
        ahead, back = (blobs(carried(points + sign * step * fields[:, k], -v, degree)) for sign in (-1, 1))
        slope[k] = (np.square(ahead - target).sum() - np.square(back - target).sum()) / (2 * step)
    return source, target, blobs(carried(points, -v, degree)), slope


def stacked(image: np.ndarray) -> torch.Tensor:
    return torch.tensor(image, dtype=torch.float32).reshape(1, 2, *SIDES)


@pytest.mark.parametrize("basis", [affine(), quadratic()], ids=lambda b: b.name)
@pytest.mark.parametrize("start", [0.0, 0.1], ids=["at t = 0", "moved"])
@pytest.mark.parametrize("seed", range(3))
def test_gradient_of_the_error_against_differences(basis: Basis, start: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    degree = 1 if basis.dimension == 6 else 2
    v = start * rng.normal(size=basis.dimension)
    u = v + 0.015 * rng.normal(size=basis.dimension)
    source, target, moved, slope = differences(v, u, degree)
    table = FieldTable.of(basis, Grid.of(*SIDES))
    given = normal_equations(stacked(moved), stacked(target), table)
    motion = SpanMotion(basis, torch.eye(basis.dimension), Grid.of(*SIDES).points())
    level = make_level(Grid.of(*SIDES), max(SIDES))
    resampled = equations_on_basis(
        stacked(source), stacked(target), motion, level, torch.tensor(v[None], dtype=torch.float32)
    )
    # The engine's gradient is that of both images' mean: what it differs by falls with the square of what is missing.
    for found in (given, resampled):
        assert np.linalg.norm(2 * found.gradient[0].double().numpy() - slope) < 0.02 * np.linalg.norm(slope)
        assert float(found.error) == pytest.approx(np.square(moved - target).sum(), rel=0.01)


def test_hessian_against_the_jacobian_written_out() -> None:
    basis, grid = affine(), Grid.of(28, 28)
    images = smooth_images(3)
    found = normal_equations(images.float(), images.float(), FieldTable.of(basis, grid)).hessian
    gx, gy = (g.reshape(3, -1) for g in gradient(images, grid))
    fields = basis.fields(grid.points(dtype=torch.float64))
    jacobian = -(gx[..., None] * fields[:, :, 0] + gy[..., None] * fields[:, :, 1])
    torch.testing.assert_close(found.double(), jacobian.mT @ jacobian, rtol=1e-4, atol=1e-4)


def test_one_gauss_newton_step_finds_a_small_motion() -> None:
    basis, source = affine(), smooth_images(20)
    generator = torch.Generator().manual_seed(1)
    truth = 0.02 * torch.randn(20, 6, dtype=torch.float64, generator=generator)
    target = transport_images(source, basis, truth, interpolation="cubic")
    equations = normal_equations(source.float(), target.float(), FieldTable.of(basis, Grid.of(28, 28)))
    step = -torch.linalg.solve(equations.hessian, equations.gradient)
    assert (step - truth).norm() / truth.norm() < 0.15


@pytest.mark.parametrize("basis", [affine(), conformal()], ids=lambda b: b.name)
@pytest.mark.parametrize("seed", range(3))
def test_differential_of_the_exponential(basis: Basis, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    v, d = (0.25 * torch.randn(1, basis.dimension, dtype=torch.float64, generator=generator) for _ in range(2))
    points = Grid.of(6, 6).points(dtype=torch.float64)
    step = 1e-5

    def image(p: torch.Tensor) -> torch.Tensor:
        return torch.exp(-3 * (p - 0.1).square().sum(-1)) + 0.3 * p[..., 0]

    def acted(first: torch.Tensor, then: torch.Tensor | None = None) -> torch.Tensor:
        # (exp(then) exp(first) I)(p) = I(phi_{-first}(phi_{-then}(p)))
        origin = points if then is None else flow(basis, -then, points, steps=32)
        return image(flow(basis, -first, origin, steps=32))

    structure = torch.tensor(structure_tensor(basis)[0])
    further = (exponential_derivative(structure, v) @ d[..., None])[..., 0]
    left = (acted(v + step * d) - acted(v - step * d)) / (2 * step)
    right = (acted(v, step * further) - acted(v, -step * further)) / (2 * step)
    torch.testing.assert_close(left, right, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("shape", [(28, 28), (40, 60), (112, 90)])
def test_level_keeps_constant_images_and_positions(shape: tuple[int, int]) -> None:
    level = make_level(Grid.of(*shape), 14, blur_before=0.7)
    ones = level.apply(torch.ones(1, 1, *shape))
    assert ones[..., 4:-4, 4:-4].numpy() == pytest.approx(1, abs=1e-3)
    # The centre of mass of a blob must not move between levels: half a pixel off would bias every centre.
    points = Grid.of(*shape).points().reshape(*shape, 2)
    blob = torch.exp(-12 * ((points[..., 0] - 0.15) ** 2 + (points[..., 1] + 0.1) ** 2))
    small = level.apply(blob[None, None])[0, 0].flatten()
    centre = (small[:, None] * level.grid.points()).sum(0) / small.sum()
    assert centre.numpy() == pytest.approx([0.15, -0.1], abs=5e-3)


def test_fine_level_of_a_small_image_is_the_image() -> None:
    level = make_level(Grid.of(28, 28), 64, blur_after=0.7)
    images = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(level.apply(images), images)
    assert not torch.allclose(level.smooth(images), images)
