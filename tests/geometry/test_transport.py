"""Transport of images, signals and volumes against scipy.ndimage, which shares nothing but the convention."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.linalg import expm

from liescope.data import load_corpus
from liescope.errors import InputError
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


def affine_origins(shape: tuple[int, ...], coefficients: np.ndarray) -> np.ndarray:
    """Where an affine flow brings the content of every sample from: array indices, by SciPy and the conventions."""
    d = len(shape)
    matrix = np.zeros((d + 1, d + 1))
    matrix[:d] = np.roll(coefficients.reshape(d, d + 1), -1, axis=1)
    s = max(shape) / 2
    middle = (np.array(shape) - 1) / 2
    index = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")).reshape(d, -1)
    sign = np.ones(d)
    if d > 1:
        sign[-2] = -1  # rows count downwards
    places = ((index.T - middle) * sign / s)[:, ::-1]
    back = (np.c_[places, np.ones(len(places))] @ expm(-matrix).T)[:, :d]
    origins: np.ndarray = (back[:, ::-1] * s * sign + middle).T.reshape(d, *shape)
    return origins


def band_limited(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A few slow waves."""
    random = np.random.default_rng(seed)
    index = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"))
    values = np.zeros(shape)
    for _ in range(4):
        frequency = random.integers(-2, 3, len(shape))
        phase = 2 * np.pi * (np.tensordot(frequency, index, 1) + random.random())
        values += random.normal() * np.cos(phase)
    return values


@pytest.mark.parametrize("shape", [(24,), (15, 20), (9, 12, 10), (12, 7, 9)])
@pytest.mark.parametrize(
    ("border", "mode"), [("zero", "grid-constant"), ("edge", "nearest"), ("periodic", "grid-wrap")]
)
@pytest.mark.parametrize("seed", range(2))
def test_signals_images_and_volumes_against_scipy(shape: tuple[int, ...], border: Border, mode: str, seed: int) -> None:
    d = len(shape)
    coefficients = 0.2 * np.random.default_rng(seed).normal(size=d * (d + 1))
    images = np.stack([band_limited(shape, seed + k) for k in range(3)])
    expected = [ndimage.map_coordinates(i, affine_origins(shape, coefficients), order=1, mode=mode) for i in images]
    stack = torch.from_numpy(images)[:, None]
    found = transport_images(stack, affine(d), torch.from_numpy(coefficients), border=border)
    np.testing.assert_allclose(found[:, 0].numpy(), expected, atol=1e-9)
    single = transport_images(stack.float(), affine(d), torch.from_numpy(coefficients).float(), border=border)
    np.testing.assert_allclose(single[:, 0].numpy(), expected, atol=2e-4)


def test_a_signal_moves_to_the_right_and_a_volume_towards_later_slices() -> None:
    signal = torch.zeros(1, 1, 15, dtype=torch.float64)
    signal[0, 0, 4] = 1
    assert transport_images(signal, affine(1), torch.tensor([3 / 7.5, 0.0]).double())[0, 0].argmax() == 7
    volume = torch.zeros(1, 1, 9, 11, 13, dtype=torch.float64)
    volume[0, 0, 2, 6, 4] = 1
    shift = torch.zeros(12, dtype=torch.float64)
    shift[[0, 4, 8]] = torch.tensor([3.0, 2, 1]).double() / 6.5
    moved = transport_images(volume, affine(3), shift)[0, 0]
    assert moved[3, 4, 7] == pytest.approx(1.0, abs=1e-9)  # right, up, and one slice further


def test_cubic_signals_are_rows_of_pictures() -> None:
    signal = torch.from_numpy(band_limited((20,), 0))[None, None]
    picture = signal[:, :, None, :].expand(1, 1, 9, 20)
    along = transport_images(signal, affine(1), torch.tensor([0.31, 0.1]).double(), interpolation="cubic")
    vector = torch.tensor([0.31, 0.1, 0, 0, 0, 0]).double()
    torch.testing.assert_close(along, transport_images(picture, affine(), vector, interpolation="cubic")[:, :, 4])


@pytest.mark.parametrize("ndim", [1, 3])
@pytest.mark.parametrize("t", [0.0, 0.3])
def test_gradients_off_the_plane(ndim: int, t: float) -> None:
    random = torch.Generator().manual_seed(2)
    image = torch.rand(2, 1, *(3, 4, 3)[:ndim], dtype=torch.float64, generator=random, requires_grad=True)
    m = ndim * (ndim + 1)
    offset = torch.full((2, m), 0.0123, dtype=torch.float64)
    vector = (offset + t * torch.rand(2, m, dtype=torch.float64, generator=random)).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, v: transport_images(x, affine(ndim), v), (image, vector), eps=1e-7, atol=1e-5
    )


def test_what_cannot_be_sampled_is_refused() -> None:
    volume = torch.zeros(1, 1, 4, 4, 4)
    with pytest.raises(InputError, match="linear or nearest interpolation of volumes"):
        transport_images(volume, affine(3), torch.zeros(12), interpolation="cubic")
    with pytest.raises(InputError, match="at most 3 axes"):
        transport_images(torch.zeros(1, 1, 2, 2, 2, 2), affine(4), torch.zeros(20))
