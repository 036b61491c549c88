"""Pixels of a camera that show the same whatever the scene: hot and dead ones. They do not move, and mislead."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool
from scipy.ndimage import median_filter

from liescope.data import ImageStack
from liescope.engines.pair_set import PairSet, evenly

__all__ = ["fixed_pixels", "without_pixels"]

_LOOKED_AT = 32
_FEWEST = 4
_OUTLIER = 12.0
"""Robust standard deviations that a fixed pixel typically differs by from the median of its neighbours."""

_STEADY = 0.3
"""Of that difference: what half of the images may vary by."""

_MOST = 0.02
"""Of the pixels: more of them are a pattern of the scene, or of the camera, and no faults."""


def fixed_pixels(data: PairSet) -> Bool[np.ndarray, "h w"]:
    """Pixels (H, W) that differ from their neighbours in most sources and in most targets, and to the same side."""
    height, width = data.grid.shape
    none = np.zeros((height, width), dtype=bool)
    if len(data) < _FEWEST:
        return none
    index = evenly(len(data), _LOOKED_AT)
    source, target = (_typical_deviation(stack, index) for stack in (data.source, data.target))
    found = (np.minimum(source, target) > _OUTLIER) | (np.maximum(source, target) < -_OUTLIER)
    return none if found.mean() > _MOST else found


def _typical_deviation(stack: ImageStack, index: np.ndarray) -> np.ndarray:
    """Median over images of what a pixel differs by from its neighbours, in units of what pixels do there."""
    images = np.asarray(stack[index], dtype=np.float64).mean(axis=1)
    images = np.where(np.isfinite(images), images, np.nanmedian(images))
    deviation = images - median_filter(images, size=(1, 3, 3))
    usual = 1.4826 * np.median(np.abs(deviation), axis=(1, 2), keepdims=True)
    # Where most pixels equal the median of their neighbours, as in smooth or saturated pictures, the mean tells.
    usual = np.maximum(usual, 0.1 * np.abs(deviation).mean(axis=(1, 2), keepdims=True)) + 1e-30
    # What is fixed differs by the same in all images; an edge that happens to lie there does not.
    low, middle, high = np.quantile(deviation, (0.25, 0.5, 0.75), axis=0)
    steady = high - low <= _STEADY * np.abs(middle)
    typical: np.ndarray = np.where(steady, np.median(deviation / usual, axis=0), 0.0)
    return typical


def without_pixels(data: PairSet, fixed: Bool[np.ndarray, "h w"]) -> PairSet:
    """The same pairs, where those pixels are missing."""
    masks = [~fixed if mask is None else mask & ~fixed for mask in (data.missing.source_mask, data.missing.target_mask)]
    return dataclasses.replace(
        data, missing=dataclasses.replace(data.missing, source_mask=masks[0], target_mask=masks[1])
    )
