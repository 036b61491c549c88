"""What is refused as a set of pairs, and what the refusal says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from liescope.data import validate_images
from liescope.errors import InputError

GOOD = np.zeros((10, 1, 6, 7), np.float32)


def test_shapes_and_types_that_are_fine() -> None:
    for dtype in (np.uint8, np.float16, np.float32, np.float64, np.int16):
        stack = np.ones((9, 6, 7), dtype)
        source, target = validate_images(stack, stack)
        assert source.shape == (9, 1, 6, 7)
        assert target.dtype == dtype
        assert np.shares_memory(source, stack)
    flat = np.arange(10 * 42, dtype=np.uint8).reshape(10, 42)
    source, _ = validate_images(flat, flat, image_shape=(6, 7))
    np.testing.assert_array_equal(source[3, 0], flat[3].reshape(6, 7))
    assert validate_images(flat.reshape(10, 42), flat, image_shape=(1, 6, 7))[0].shape == (10, 1, 6, 7)
    colour = np.zeros((10, 3 * 42))
    assert validate_images(colour, colour, image_shape=(3, 6, 7))[0].shape == (10, 3, 6, 7)
    assert validate_images(GOOD > 0, GOOD > 0)[0].dtype == np.float32
    assert validate_images(GOOD[:1], GOOD[:1], min_pairs=1)[0].shape == (1, 1, 6, 7)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (GOOD, GOOD[:9], r"of one shape, got \(10, 1, 6, 7\) and \(9, 1, 6, 7\)"),
        (GOOD[:7], GOOD[:7], "at least 8 pairs, got 7"),
        (GOOD[..., :4], GOOD[..., :4], "at least 5x5 pixels, got 6x4"),
        (GOOD.reshape(10, 42), GOOD, r"try image_shape=\(H, W\)"),
        (GOOD[0, 0, 0], GOOD, r"of shape \(N, H, W\)"),
        (GOOD[None], GOOD, r"of shape \(N, H, W\)"),
        (np.zeros((10, 28, 28, 3)), np.zeros((10, 28, 28, 3)), "try channels first"),
        (GOOD.astype(object), GOOD, "got dtype object"),
        (GOOD.astype(complex), GOOD, "got dtype complex128"),
        (np.full((10, 6, 7), "x"), GOOD, "expected real or integer pixels"),
        ([[1], [1, 2]], GOOD, "as a numeric array, got list"),
    ],
)
def test_what_is_refused(source: Any, target: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        validate_images(source, target)


def test_image_shape_must_fit() -> None:
    with pytest.raises(InputError, match=r"expected 30 pixels an image for image_shape \(5, 6\), got 42"):
        validate_images(GOOD.reshape(10, 42), GOOD.reshape(10, 42), image_shape=(5, 6))
    with pytest.raises(InputError, match=r"image_shape as \(H, W\) or \(C, H, W\)"):
        validate_images(GOOD, GOOD, image_shape=(42,))


def test_bad_pixels_are_counted_and_placed() -> None:
    bad = np.zeros((5000, 2, 40, 40), np.float32)  # several chunks
    bad[4000, 1, 3, 4] = np.nan
    bad[4000, 0, 30, 31] = np.inf
    bad[4999, 0, 0, 0] = -np.inf
    message = "3 NaN or infinite in 2 target images, the first at pair 4000, channel 0, row 30, column 31"
    with pytest.raises(InputError, match=message):
        validate_images(np.zeros_like(bad), bad)
