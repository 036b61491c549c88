"""Resampling of images at given points with scipy.ndimage: how pairs are made, never detected."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from liescope.errors import InputError, suggest

__all__ = ["BORDERS", "INTERPOLATIONS", "interpolation_name", "spline_order", "warp_images"]

INTERPOLATIONS: Mapping[str, int] = {"nearest": 0, "linear": 1, "cubic": 3}
"""Spline order of each interpolation."""

BORDERS: Mapping[str, str] = {"zero": "grid-constant", "edge": "nearest", "periodic": "grid-wrap"}
"""scipy.ndimage mode of each border; zero means a black surround that takes part in the interpolation."""


def spline_order(interpolation: int | str) -> int:
    """Spline order 0, 1 or 3 from itself or its name."""
    if isinstance(interpolation, str):
        if interpolation not in INTERPOLATIONS:
            raise InputError(f"unknown interpolation {interpolation!r}.{suggest(interpolation, INTERPOLATIONS)}")
        return INTERPOLATIONS[interpolation]
    if interpolation not in INTERPOLATIONS.values():
        raise InputError(
            f"expected interpolation order 0 (nearest), 1 (linear) or 3 (cubic), got {interpolation}, try 1"
        )
    return int(interpolation)


def interpolation_name(order: int) -> str:
    """``nearest``, ``linear`` or ``cubic``."""
    return {number: name for name, number in INTERPOLATIONS.items()}[spline_order(order)]


def warp_images(
    images: Float[np.ndarray, "n c h w"],
    positions: Float[np.ndarray, "2 n p"],
    order: int | str = 1,
    border: str = "zero",
) -> Float[np.ndarray, "n c h w"]:
    """Sample every image at its own positions.

    Parameters
    ----------
    images : array, shape (N, C, H, W)
    positions : array, shape (2, N, H W)
        Real-valued (row, column) in pixels from which each output pixel takes its value: the *inverse* map.
    order : int or str
        Spline order 0, 1, 3, or ``nearest``, ``linear``, ``cubic``.
    border : str
        ``zero``, ``edge`` or ``periodic``.

    Returns
    -------
    array, shape (N, C, H, W), float32.
        Cubic splines overshoot; values are cut back to the range of each image.
    """
    number = spline_order(order)
    if border not in BORDERS:
        raise InputError(f"unknown border {border!r}.{suggest(border, BORDERS)}")
    mode = BORDERS[border]
    warped = np.empty(images.shape, dtype=np.float32)
    shape = images.shape[-2:]
    for n, channels in enumerate(images):
        where = positions[:, n].reshape(2, *shape)
        for c, image in enumerate(channels):
            ndimage.map_coordinates(image, where, output=warped[n, c], order=number, mode=mode)
    if number > 1:
        floor = images.min(axis=(-2, -1), keepdims=True)
        if border == "zero":
            floor = np.minimum(floor, 0)
        np.clip(warped, floor, images.max(axis=(-2, -1), keepdims=True), out=warped)
    return warped
