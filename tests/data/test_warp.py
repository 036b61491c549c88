"""Warped images against other codes: Pillow, and scipy.ndimage used the other way round."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from liescope.data import TRANSFORMS, pairs_from
from liescope.data.warp import warp_images
from liescope.errors import InputError

SIZES = {"rotation": 30.0, "spiral": 20.0, "translation-x": 3.4, "translation-y": 3.4}


def one(images: np.ndarray, transform: str, size: float, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Sources and targets with one fixed magnitude, in the order that the task chose."""
    made = pairs_from(images, transform=transform, law=f"fixed:{size}", **options)
    return made.source.astype(np.float64), made.target.astype(np.float64)


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("degrees", [30.0, -75.0])
def test_rotation_is_that_of_scipy(images: np.ndarray, order: int, degrees: float) -> None:
    source, target = one(images, "rotation", degrees, order=order)
    expected = ndimage.rotate(source, degrees, axes=(2, 1), reshape=False, order=order, mode="grid-constant")
    expected = np.clip(expected, 0, source.max(axis=(1, 2), keepdims=True))  # cubic splines overshoot
    different = np.abs(target - expected) > 1e-4
    # Nearest: pixels exactly halfway between two may fall on either side.
    assert different.mean() < (1e-3 if order == 0 else 1e-12)


def test_rotation_is_counter_clockwise_as_pillow_has_it(images: np.ndarray) -> None:
    source, target = one(images, "rotation", 40.0)
    for before, after in zip(source, target, strict=True):
        turned = np.asarray(Image.fromarray(before.astype(np.float32)).rotate(40.0, Image.Resampling.BILINEAR))
        assert np.abs(turned - after).mean() < 0.002
        back = np.asarray(Image.fromarray(before.astype(np.float32)).rotate(-40.0, Image.Resampling.BILINEAR))
        assert np.abs(back - after).mean() > 0.02


@pytest.mark.parametrize(
    ("transform", "size", "shift"), [("translation-x", 3.0, (0, 3)), ("translation-y", 2.5, (-2.5, 0))]
)
def test_translation_is_that_of_scipy(
    images: np.ndarray, transform: str, size: float, shift: tuple[float, float]
) -> None:
    source, target = one(images, transform, size)
    np.testing.assert_allclose(target, ndimage.shift(source, (0, *shift), order=1, mode="grid-constant"), atol=1e-5)


def test_scale_is_that_of_scipy_zoom(images: np.ndarray) -> None:
    source, target = one(images, "scale", float(np.log(2)), border="edge")
    zoomed = ndimage.zoom(source, (1, 2, 2), order=1, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(target, zoomed[:, 14:42, 14:42], atol=1e-5)


@pytest.mark.parametrize(
    ("transform", "inverse"),
    [
        # Inverse maps of (row, column) about the centre; row points down, so the shears change sign.
        ("shear-x", [[1, 0], [0.3, 1]]),
        ("shear-y", [[1, 0.3], [0, 1]]),
        ("hyperbolic", [[np.exp(0.3), 0], [0, np.exp(-0.3)]]),
        ("hyperbolic-diagonal", [[np.cosh(0.3), np.sinh(0.3)], [np.sinh(0.3), np.cosh(0.3)]]),
        ("scale-x", [[1, 0], [0, np.exp(-0.3)]]),
        ("scale-y", [[np.exp(-0.3), 0], [0, 1]]),
    ],
)
def test_linear_maps_are_those_of_scipy(images: np.ndarray, transform: str, inverse: list[list[float]]) -> None:
    wide = images[:, 3:25]  # not square
    source, target = one(wide, transform, 0.3)
    matrix, middle = np.array(inverse, dtype=float), np.array([10.5, 13.5])
    for before, after in zip(source, target, strict=True):
        expected = ndimage.affine_transform(before, matrix, middle - matrix @ middle, order=1, mode="grid-constant")
        np.testing.assert_allclose(after, expected, atol=1e-5)


@pytest.mark.parametrize("transform", [*TRANSFORMS, "rotation+translation-x+scale"])
def test_there_and_back_again(images: np.ndarray, transform: str) -> None:
    """t then -t returns the image: mean absolute error below 0.04 of the grey range."""
    small = np.pad(images, ((0, 0), (8, 8), (8, 8)))
    names = transform.split("+")
    there = [f"fixed:{SIZES.get(n, 0.25)}" for n in names]
    back = [f"fixed:{-SIZES.get(n, 0.25)}" for n in names]
    # Labels that number the images tell which one each pair was made from.
    out: Any = pairs_from(small, np.arange(20), transform=transform, law=there)
    home: Any = pairs_from(out.target, out.label, transform=names[::-1], law=back[::-1], seed=1)
    original = small[home.label]
    error = np.abs(home.target - original)[:, 8:-8, 8:-8]
    moved = np.abs(home.source - original)[:, 8:-8, 8:-8]
    assert error.mean() < 0.04
    assert error.mean() < 0.6 * moved.mean()


@pytest.mark.parametrize("transform", sorted(TRANSFORMS))
def test_interpolators_agree(images: np.ndarray, transform: str) -> None:
    """Linear and cubic differ by less than 0.03 of the grey range on average, nearest and linear by 0.06."""
    targets = [one(images, transform, SIZES.get(transform, 0.25), order=k)[1] for k in (0, 1, 3)]
    assert np.abs(targets[2] - targets[1]).mean() < 0.03
    assert np.abs(targets[0] - targets[1]).mean() < 0.06


def test_channels_are_warped_alike(images: np.ndarray) -> None:
    colour = np.stack([images, images[::-1], 0 * images], axis=1)
    together = pairs_from(colour, transform="rotation", law="fixed:33")
    apart = pairs_from(images, transform="rotation", law="fixed:33")
    assert together.target.shape == (20, 3, 28, 28)
    np.testing.assert_array_equal(together.target[:, 0], apart.target)
    assert np.ptp(together.target[:, 2]) == 0


@pytest.mark.parametrize(("border", "expected"), [("zero", 0.0), ("edge", 1.0), ("periodic", 0.5)])
def test_borders(border: str, expected: float) -> None:
    image = np.ones((1, 8, 8))
    image[..., 7] = 0.5  # the right column comes back on the left only if the border is periodic
    image[0, 3, 3] = 0.2  # content that stays in view
    made = pairs_from(image, transform="translation-x", law="fixed:1", border=border)
    np.testing.assert_allclose(made.target[0, :, 0], expected)


def test_cubic_stays_in_the_range(images: np.ndarray) -> None:
    _, target = one(images, "rotation", 17.0, order=3)
    assert target.min() >= 0
    assert target.max() <= 1


def test_bad_warps_are_named(images: np.ndarray) -> None:
    stack = images[:, None].astype(np.float32)
    positions = np.zeros((2, 20, 784))
    with pytest.raises(InputError, match="got 2, try 1"):
        warp_images(stack, positions, order=2)
    with pytest.raises(InputError, match="Did you mean 'linear'"):
        warp_images(stack, positions, order="linea")
    with pytest.raises(InputError, match="Did you mean 'zero'"):
        warp_images(stack, positions, border="zeros")
