"""Transport against scipy.ndimage: another interpolator, another language, the same convention."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from liescope.data import load_corpus
from liescope.geometry import Grid, affine, quadratic, sample, transport_images
from liescope.geometry.transport import Border, Interpolation

ROTATION = torch.tensor([0, 0, -1, 0, 1, 0], dtype=torch.float64)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    digits = load_corpus("mnist-5k").images[:6].astype(np.float64) / 255
    return torch.tensor(digits)[:, None]


@pytest.mark.parametrize(
    ("interpolation", "order", "bound"), [("nearest", 0, 0.01), ("linear", 1, 1e-6), ("cubic", 3, 0.03)]
)
@pytest.mark.parametrize("degrees", [-70.0, 25.0])
def test_rotation_against_scipy(
    images: torch.Tensor, interpolation: Interpolation, order: int, bound: float, degrees: float
) -> None:
    moved = transport_images(images, affine(), np.radians(degrees) * ROTATION, interpolation=interpolation)
    for image, found in zip(images[:, 0].numpy(), moved[:, 0].numpy(), strict=True):
        # ndimage.rotate turns counter-clockwise as seen, about the true centre.
        expected = ndimage.rotate(image, degrees, reshape=False, order=order, mode="grid-constant")
        assert np.abs(found - expected).mean() < bound


def test_content_moves_along_the_arrows() -> None:
    image = torch.zeros(1, 1, 9, 15, dtype=torch.float64)
    image[0, 0, 6, 4] = 1
    s = 7.5
    right_up = torch.tensor([3 / s, 0, 0, 2 / s, 0, 0], dtype=torch.float64)
    moved = transport_images(image, affine(), right_up)[0, 0]
    assert moved[4, 7] == pytest.approx(1.0, abs=1e-9)
    assert moved.sum() == pytest.approx(1.0, abs=1e-9)


def test_quarter_turn_is_exact_on_square_images(images: torch.Tensor) -> None:
    moved = transport_images(images, affine(), np.pi / 2 * ROTATION)
    torch.testing.assert_close(moved, torch.rot90(images, 1, (2, 3)), atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    ("border", "mode"), [("zero", "grid-constant"), ("edge", "nearest"), ("periodic", "grid-wrap")]
)
@pytest.mark.parametrize(("interpolation", "order"), [("linear", 1)])
def test_borders_against_scipy(border: Border, mode: str, interpolation: Interpolation, order: int) -> None:
    image = np.random.default_rng(0).random((7, 10))
    rows, columns = np.meshgrid(np.arange(7) - 2.3, np.arange(10) + 3.6, indexing="ij")
    expected = ndimage.map_coordinates(image, [rows, columns], order=order, mode=mode)
    grid = Grid.of(7, 10)
    points = grid.from_pixels(torch.tensor(np.stack((columns, rows), -1).reshape(-1, 2)))
    found = sample(torch.tensor(image)[None, None], points[None], grid, interpolation=interpolation, border=border)
    np.testing.assert_allclose(found.reshape(7, 10).numpy(), expected, atol=1e-9)


def test_periodic_cubic_is_the_same_image_a_period_away() -> None:
    image = torch.rand(1, 2, 8, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    moved = transport_images(
        image,
        affine(),
        torch.tensor([2.0, 0, 0, 0, 0, 0], dtype=torch.float64),
        interpolation="cubic",
        border="periodic",
    )
    torch.testing.assert_close(moved, image, atol=1e-9, rtol=0)


@pytest.mark.parametrize(("interpolation", "bound"), [("linear", 0.09), ("cubic", 0.03)])
def test_there_and_back_stays_within_the_stated_bound(
    images: torch.Tensor, interpolation: Interpolation, bound: float
) -> None:
    smooth = torch.tensor(ndimage.gaussian_filter(images.numpy(), (0, 0, 0.7, 0.7)))
    vector = 0.4 * ROTATION
    there = transport_images(smooth, affine(), vector, interpolation=interpolation)
    back = transport_images(there, affine(), -vector, interpolation=interpolation)
    assert float((back - smooth).norm() / smooth.norm()) < bound


def test_one_vector_moves_all_images_as_its_copies_do(images: torch.Tensor) -> None:
    vector = 0.3 * ROTATION
    shared = transport_images(images, affine(), vector)
    torch.testing.assert_close(shared, transport_images(images, affine(), vector.expand(len(images), 6)))


def test_channels_move_alike() -> None:
    image = torch.rand(2, 3, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    vectors = torch.stack((0.2 * ROTATION, -0.5 * ROTATION))
    together = transport_images(image, affine(), vectors)
    for c in range(3):
        torch.testing.assert_close(together[:, c : c + 1], transport_images(image[:, c : c + 1], affine(), vectors))


@pytest.mark.parametrize("t", [0.0, 0.3])
@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_gradients_in_image_and_coefficients(t: float, interpolation: Interpolation) -> None:
    generator = torch.Generator().manual_seed(2)
    image = torch.rand(2, 1, 6, 6, dtype=torch.float64, generator=generator, requires_grad=True)
    # Away from the kinks of linear interpolation: a small irrational offset.
    offset = torch.full((2, 12), 0.0123, dtype=torch.float64)
    vector = (offset + t * torch.rand(2, 12, dtype=torch.float64, generator=generator)).requires_grad_()

    def moved(x: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return transport_images(x, quadratic(), v, interpolation=interpolation, steps=2)

    assert torch.autograd.gradcheck(moved, (image, vector), eps=1e-7, atol=1e-5)
