"""Normal equations against automatic differentiation, and the differential of the exponential against differences."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from liescope.algebra import structure_tensor
from liescope.data import load_corpus
from liescope.engines.registration.coordinates import exponential_derivative
from liescope.engines.registration.levels import make_level
from liescope.engines.registration.linearise import FieldTable, gradient, normal_equations
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


@pytest.mark.parametrize("basis", [affine(), quadratic()], ids=lambda b: b.name)
def test_gradient_of_the_error_against_autograd(basis: Basis) -> None:
    source, grid = smooth_images(4), Grid.of(28, 28)
    small = 0.01 * torch.randn(4, basis.dimension, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    target = transport_images(source, basis, small, interpolation="cubic")
    equations = normal_equations(source.float(), target.float(), FieldTable.of(basis, grid))
    v = torch.zeros_like(small).requires_grad_()
    loss = (transport_images(source, basis, v, interpolation="cubic") - target).square().sum()
    (slope,) = torch.autograd.grad(loss, v)
    cosine = torch.cosine_similarity(slope, 2 * equations.gradient.double(), dim=1)
    assert cosine.min() > 0.99
    assert equations.error.sum().item() == pytest.approx(loss.item(), rel=1e-3)


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
