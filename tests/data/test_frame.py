"""Canvas, crop and resize: the centre stays the centre, and coordinates are those of the final image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from liescope.data import Frame, pairs_from, resize_images
from liescope.errors import InputError


def blob(shape: tuple[int, int], at: tuple[float, float], width: float = 2.0) -> np.ndarray:
    """A Gaussian blob at real-valued (row, column)."""
    i, j = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    spot: np.ndarray = np.exp(-((i - at[0]) ** 2 + (j - at[1]) ** 2) / (2 * width**2))
    return spot


def to_xy(row: Any, column: Any, shape: tuple[int, ...]) -> Any:
    """The convention, written out."""
    s = max(shape) / 2
    return np.array([(column - (shape[1] - 1) / 2) / s, ((shape[0] - 1) / 2 - row) / s])


def centroid(image: np.ndarray) -> Any:
    """Centre of mass as (x, y)."""
    row, column = ndimage.center_of_mass(image)
    return to_xy(row, column, image.shape)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"canvas": 60},
        {"canvas": (61, 71), "crop": (41, 51)},
        {"crop": 32},
        {"crop": 32, "size": 16},
        {"crop": 32, "size": 64},
        {"canvas": 80, "crop": 48, "size": 24},
    ],
)
@pytest.mark.parametrize(
    ("transform", "size"),
    [("rotation", 50.0), ("scale", -0.3), ("translation-x", 2.0), ("translation-y", 1.5), ("sct-y", 0.5)],
)
def test_a_blob_goes_where_the_flow_of_the_final_image_says(
    options: dict[str, Any], transform: str, size: float
) -> None:
    image = blob((44, 44), (17.0, 26.0))[None]
    made = pairs_from(image, transform=transform, law=f"fixed:{size}", order=3, **options)
    shape = made.target.shape[-2:]
    start, end = (centroid(side[0]) for side in (made.source, made.target))
    if transform == "rotation":
        c, s = np.cos(np.radians(size)), np.sin(np.radians(size))
        expected = np.array([[c, -s], [s, c]]) @ start
    elif transform == "scale":
        expected = start * np.exp(size)
    elif transform == "sct-y":
        expected = pushed_centroid(made.source[0], size)
    else:
        step = size / (max(shape) / 2)
        expected = start + np.array([step, 0.0] if transform == "translation-x" else [0.0, step])
    # A fifth of a pixel.
    np.testing.assert_allclose(end, expected, atol=0.2 / (max(shape) / 2))


def pushed_centroid(image: np.ndarray, size: float) -> np.ndarray:
    """Centroid after z -> z / (1 + i size z): a pixel weighs its grey times the area it is stretched to."""
    rows, columns = np.indices(image.shape)
    x, y = to_xy(rows, columns, image.shape)
    z = x + 1j * y
    weight = image * np.abs(1 + 1j * size * z) ** -4
    centroid = np.sum(weight * z / (1 + 1j * size * z)) / weight.sum()
    return np.array([centroid.real, centroid.imag])


def test_composition_is_applied_left_to_right() -> None:
    image = blob((64, 64), (31.5, 45.5), 1.5)[None]  # to the right of the centre
    laws = ["fixed:90", "fixed:10"]
    made = pairs_from(image, transform="rotation+translation-x", law=laws)
    np.testing.assert_allclose(ndimage.center_of_mass(made.target[0]), (17.5, 41.5), atol=0.05)
    other = pairs_from(image, transform="translation-x+rotation", law=laws[::-1])
    np.testing.assert_allclose(ndimage.center_of_mass(other.target[0]), (7.5, 31.5), atol=0.05)


def test_off_centre_rotation_turns_about_its_pixel() -> None:
    made = pairs_from(blob((64, 64), (20.0, 40.0))[None], transform="rotation", law="fixed:90", centre=(30.0, 20.0))
    # From right of the centre (column 30, row 20) to above it.
    np.testing.assert_allclose(ndimage.center_of_mass(made.target[0]), (10.0, 30.0), atol=0.05)
    assert made.meta["centre_px"] == [30.0, 20.0]


def test_resize_keeps_area_and_centre() -> None:
    image = np.random.default_rng(0).random((3, 12, 18))
    np.testing.assert_allclose(resize_images(image, (4, 6)), image.reshape(3, 4, 3, 6, 3).mean(axis=(2, 4)), atol=1e-12)
    np.testing.assert_allclose(resize_images(image, (5, 7)).mean(), image.mean(), atol=0.02)
    grown = resize_images(image, (24, 36))
    expected = ndimage.zoom(image, (1, 2, 2), order=1, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(grown, expected, atol=1e-12)
    np.testing.assert_allclose(resize_images(np.full((1, 7, 7), 200, np.uint8), (3, 3)), 200)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"canvas": 20}, "canvas of at least 28x28 pixels, got 20x20"),
        ({"crop": 30}, "crop of at most 28x28"),
        ({"crop": 15}, "equal margins .* got 15x15, try 16x16"),
        ({"crop": (20, 10), "size": (10, 10)}, "proportions 20:10"),
        ({"canvas": 0}, "positive side"),
        ({"canvas": (30, 30, 30)}, "positive side"),
    ],
)
def test_bad_frames_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Frame.of((28, 28), **options)
