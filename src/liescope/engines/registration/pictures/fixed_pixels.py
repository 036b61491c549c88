"""Pixels of a camera that show the same whatever the scene: hot and dead ones. They do not move, and mislead."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from liescope.data import ImageStack
from liescope.engines.pair_set import PairSet, working_dtype

__all__ = ["fixed_pixels", "without_pixels"]

_LOOKED_AT = 32
_FEWEST = 4
_OUTLIER = 12.0
"""Robust standard deviations that a fixed pixel typically differs by from the median of its neighbours."""

_STEADY = 0.3
"""Of that difference: what half of the images may vary by."""

_MOST = 0.02
"""Of the pixels: more of them are a pattern of the scene, or of the camera, and no faults."""

_SUSPECT, _MOSTLY = 3.0, 0.7
"""Standard deviations that a steady outlier differs by in this share of the images: a quarter of them may be others."""

_BEYOND_RANGE = 3.0
"""Times the range of grey values: pixels that always differ by more are broken, whatever images show."""

_USUAL_FROM = 1 << 16
"""Pixels that tell what differences are usual in an image."""


class FixedPixels(NamedTuple):
    """Pixels (H, W) that differ from their neighbours in most sources and in most targets, and to the same side.

    Attributes
    ----------
    fixed : bool array, shape (H, W)
    broken : bool array, shape (H, W)
        By more than images vary at all.
    """

    fixed: np.ndarray
    broken: np.ndarray


def fixed_pixels(data: PairSet) -> FixedPixels:
    """Look for pixels that do not change, in some of the pairs."""
    none = np.zeros(data.grid.shape, dtype=bool)
    index = data.sample(_LOOKED_AT)
    if len(index) < _FEWEST:
        return FixedPixels(none, none)
    suspects = np.flatnonzero(_suspects(data.source, index) & _suspects(data.target, index))
    if not len(suspects):
        return FixedPixels(none, none)
    (source, far), (target, target_far) = (
        _typical_deviation(stack, index, suspects) for stack in (data.source, data.target)
    )
    faulty = (np.minimum(source, target) > _OUTLIER) | (np.maximum(source, target) < -_OUTLIER)
    return FixedPixels(*(_unless_many(suspects[one], none) for one in (faulty, faulty & far & target_far)))


def _unless_many(pixels: np.ndarray, none: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    found = none.copy()
    found.flat[pixels] = True
    return found if found.mean() <= _MOST else none


def _suspects(stack: ImageStack, index: np.ndarray) -> Bool[np.ndarray, "h w"]:
    """Pixels that stick out in most images: the few of them whose deviations are worth comparing."""
    often = np.zeros(stack.shape[-2:], dtype=np.int16)
    for number in index.tolist():
        image = _grey(stack, number)
        often += _sticks_out(image, _SUSPECT * _usual(image))
    return often >= _MOSTLY * len(index)


def _sticks_out(image: Float[np.ndarray, "h w"], by: float) -> Bool[np.ndarray, "h w"]:
    """Whether pixels differ by more than that from the median of the nine around them, so from five of the others."""
    height, width = image.shape
    around = np.pad(image, 1, mode="reflect")
    above, below = np.zeros(image.shape, dtype=np.int8), np.zeros(image.shape, dtype=np.int8)
    for row in range(3):
        for column in range(3):
            difference = image - around[row : row + height, column : column + width]
            above += difference > by
            below += difference < -by
    return (above >= 5) | (below >= 5)


def _deviation(image: Float[np.ndarray, "h w"], pixels: np.ndarray) -> Float[np.ndarray, " p"]:
    """What pixels differ by from the median of the nine around them."""
    around = np.pad(image, 1, mode="reflect")
    rows, columns = np.unravel_index(pixels, image.shape)
    nine = [around[rows + i, columns + j] for i in range(3) for j in range(3)]
    deviation: np.ndarray = image.flat[pixels] - np.median(nine, axis=0)
    return deviation


def _usual(image: Float[np.ndarray, "h w"]) -> float:
    """What pixels of an image typically differ by from those around them."""
    size = np.abs(_deviation(image, np.arange(0, image.size, -(-image.size // _USUAL_FROM))))
    # Where most pixels equal the median of their neighbours, as in smooth or saturated pictures, the mean tells.
    return max(1.4826 * float(np.median(size)), 0.1 * float(size.mean())) + 1e-30


def _typical_deviation(
    stack: ImageStack, index: np.ndarray, pixels: np.ndarray
) -> tuple[Float[np.ndarray, " p"], Bool[np.ndarray, " p"]]:
    """Median over images of what pixels differ by from those around them, in units of what is usual there.

    And whether it is far beyond the range of grey values, from the 1st to the 99th of 100.
    """
    deviation, usual, extent = [], [], []
    for image in (_grey(stack, number) for number in index.tolist()):
        deviation.append(_deviation(image, pixels))
        usual.append(_usual(image))
        extent.append(float(np.subtract(*np.quantile(image, (0.99, 0.01)))))
    # What is fixed differs by the same in all images; an edge that happens to lie there does not.
    low, middle, high = np.quantile(deviation, (0.25, 0.5, 0.75), axis=0)
    steady = high - low <= _STEADY * np.abs(middle)
    relative = np.stack(deviation) / np.array(usual)[:, None]
    typical: np.ndarray = np.where(steady, np.median(relative, axis=0), 0.0)
    return typical, np.abs(middle) > _BEYOND_RANGE * np.median(extent)


def _grey(stack: ImageStack, number: int) -> Float[np.ndarray, "h w"]:
    """One image, the mean of its channels."""
    raw = np.asarray(stack[number : number + 1])[0]
    image = raw.mean(axis=0, dtype=working_dtype(raw.dtype))
    finite = np.isfinite(image)
    return image if finite.all() else np.where(finite, image, np.median(image[finite]) if finite.any() else 0)


def without_pixels(data: PairSet, fixed: Bool[np.ndarray, "h w"]) -> PairSet:
    """The same pairs, where those pixels are missing."""
    masks = [~fixed if mask is None else mask & ~fixed for mask in (data.missing.source_mask, data.missing.target_mask)]
    return dataclasses.replace(
        data, missing=dataclasses.replace(data.missing, source_mask=masks[0], target_mask=masks[1])
    )
