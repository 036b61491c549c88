"""How a corpus image becomes a task image: canvas, centre crop, resize, and their coordinates.

An image is placed in the middle of a canvas, transformed there, centre-cropped and resized: so galaxies are
transformed with the sky around them and no border enters the picture. Coordinates and natural pixels are
those of the *final* image, which is all that a detector sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Num

from liescope.errors import InputError

__all__ = ["Frame", "resize_images"]

Shape = tuple[int, int]


@dataclass(frozen=True)
class Frame:
    """Shapes (rows, columns) of the corpus image, the canvas, the centre crop and the final image.

    Build it with :meth:`Frame.of`, which checks them.
    """

    image: Shape
    canvas: Shape
    crop: Shape
    size: Shape

    @classmethod
    def of(
        cls,
        image: Sequence[int],
        canvas: int | Sequence[int] | None = None,
        crop: int | Sequence[int] | None = None,
        size: int | Sequence[int] | None = None,
    ) -> Frame:
        """The frame of images with the given (rows, columns).

        Parameters
        ----------
        image : (int, int)
            Shape of the corpus images.
        canvas : int or (int, int), optional
            Shape of the larger canvas in which the image is placed before it is transformed.
        crop : int or (int, int), optional
            Shape kept after the transform. It must leave equal margins, so that the centre stays the centre.
        size : int or (int, int), optional
            Shape to which the crop is resized; the same proportions as the crop.

        Raises
        ------
        InputError
            Canvas smaller than the image, crop larger than the canvas or off-centre, size of other
            proportions.
        """
        shape = _shape(image, "image")
        wide = shape if canvas is None else _shape(canvas, "canvas")
        cut = wide if crop is None else _shape(crop, "crop")
        final = cut if size is None else _shape(size, "size", like=cut)
        if wide[0] < shape[0] or wide[1] < shape[1]:
            raise InputError(f"expected a canvas of at least {shape[0]}x{shape[1]} pixels, got {wide[0]}x{wide[1]}")
        if cut[0] > wide[0] or cut[1] > wide[1]:
            raise InputError(f"expected a crop of at most {wide[0]}x{wide[1]} pixels, got {cut[0]}x{cut[1]}")
        if (wide[0] - cut[0]) % 2 or (wide[1] - cut[1]) % 2:
            nearest = tuple(c + (w - c) % 2 for w, c in zip(wide, cut, strict=True))
            raise InputError(
                f"expected a crop that leaves equal margins on {wide[0]}x{wide[1]}, got {cut[0]}x{cut[1]}, "
                f"try {nearest[0]}x{nearest[1]}"
            )
        if final[0] * cut[1] != final[1] * cut[0]:
            raise InputError(
                f"expected a size in the proportions {cut[0]}:{cut[1]} of the crop, got {final[0]}x{final[1]}"
            )
        return cls(shape, wide, cut, final)

    @property
    def pixels_per_unit(self) -> float:
        """Final pixels in one normalised unit (half of the longest side)."""
        return max(self.size) / 2

    def from_pixels(self, pixel: Sequence[float]) -> tuple[float, float]:
        """(column, row) of the final image to (x, y)."""
        if len(pixel) != 2 or not np.all(np.isfinite(pixel)):
            raise InputError(f"expected a centre as (column, row) in pixels, got {tuple(pixel)}")
        rows, columns = self.size
        s = self.pixels_per_unit
        return (pixel[0] - (columns - 1) / 2) / s, ((rows - 1) / 2 - pixel[1]) / s

    def points(self) -> Float[np.ndarray, "n 2"]:
        """(x, y) of every canvas pixel, row by row, in the final image's coordinates."""
        rows, columns = self.canvas
        s = max(self.crop) / 2
        x = (np.arange(columns) - (columns - 1) / 2) / s
        y = ((rows - 1) / 2 - np.arange(rows)) / s
        xx, yy = np.meshgrid(x, y)
        return np.stack([xx, yy], axis=-1).reshape(-1, 2)

    def to_canvas(self, points: Float[np.ndarray, "*b 2"]) -> np.ndarray:
        """(x, y) to real-valued (row, column) on the canvas, shape (2, ...) as scipy.ndimage wants it."""
        rows, columns = self.canvas
        s = max(self.crop) / 2
        return np.stack([(rows - 1) / 2 - points[..., 1] * s, points[..., 0] * s + (columns - 1) / 2])

    def place(self, images: Float[np.ndarray, "n c h w"]) -> Float[np.ndarray, "n c H W"]:
        """Images in the middle of the canvas, zero around them.

        Where parities differ they lie half a pixel up and left.
        """
        if self.canvas == self.image:
            return images
        top, left = ((w - s) // 2 for w, s in zip(self.canvas, self.image, strict=True))
        placed = np.zeros((*images.shape[:2], *self.canvas), images.dtype)
        placed[..., top : top + self.image[0], left : left + self.image[1]] = images
        return placed

    def finish(self, images: Float[np.ndarray, "n c H W"]) -> Float[np.ndarray, "n c h w"]:
        """Centre-crop canvas images and resize them to the final shape."""
        top, left = ((w - c) // 2 for w, c in zip(self.canvas, self.crop, strict=True))
        cropped = images[..., top : top + self.crop[0], left : left + self.crop[1]]
        return cropped if self.size == self.crop else resize_images(cropped, self.size)


def resize_images(images: Num[np.ndarray, "*b h w"], shape: Sequence[int]) -> Float[np.ndarray, "*b rows columns"]:
    """Resize by area when shrinking, linearly when growing; pixel *edges* coincide, so the centre stays.

    Parameters
    ----------
    images : array, shape (..., H, W)
    shape : (rows, columns)

    Returns
    -------
    array, shape (..., rows, columns), float32 (float64 stays).
    """
    dtype = np.float64 if images.dtype == np.float64 else np.float32
    vertical = _resampling_matrix(images.shape[-2], shape[0]).astype(dtype)
    horizontal = _resampling_matrix(images.shape[-1], shape[1]).astype(dtype)
    resized: np.ndarray = vertical @ images.astype(dtype, copy=False) @ horizontal.T
    return resized


def _resampling_matrix(old: int, new: int) -> np.ndarray:
    """Rows sum to one: overlap of the new pixels with the old (shrinking), or linear weights (growing)."""
    edges = np.arange(new + 1) * (old / new)
    if new <= old:
        grid = np.arange(old)
        overlap = np.minimum(edges[1:, None], grid + 1) - np.maximum(edges[:-1, None], grid)
        weights = np.clip(overlap, 0.0, None)
    else:
        centre = np.clip((edges[1:] + edges[:-1]) / 2 - 0.5, 0, old - 1)
        weights = np.clip(1.0 - np.abs(centre[:, None] - np.arange(old)), 0.0, None)
    normalised: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return normalised


def _shape(value: int | Sequence[int], what: str, like: Shape = (1, 1)) -> Shape:
    """(rows, columns) from one number (the longest side, in the proportions of ``like``) or two."""
    if isinstance(value, int | np.integer):
        numbers = [round(int(value) * n / max(like)) for n in like]
    else:
        numbers = [int(n) for n in value]
    if len(numbers) != 2 or min(numbers) < 1:
        raise InputError(f"expected {what} as a positive side or (rows, columns) in pixels, got {value}")
    return numbers[0], numbers[1]
