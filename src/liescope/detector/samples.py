"""The pairs that a result keeps for its page."""

from __future__ import annotations

import dataclasses

import numpy as np

from liescope.engines import Fitted, PairSet
from liescope.result import Samples, SymmetryResult

__all__ = ["samples_of"]

_SAMPLES, _FEWEST_SAMPLES, _REJECTED_SAMPLES = 60, 10, 4
_SAMPLE_VALUES = 1 << 20
"""Pixels of the accepted samples' sources, all together: of large images fewer are kept."""
_ROOM = 1e3  # for sums of a few values
_LEAST_GREY = 1e-18


def _filled(pairs: PairSet, side: str, index: np.ndarray) -> np.ndarray:
    """Sources or targets as they are; the background where a pixel is missing."""
    sources = side == "source"
    images = np.asarray((pairs.source if sources else pairs.target)[index])
    if not pairs.missing.any:
        return images
    mask = pairs.missing.source_mask if sources else pairs.missing.target_mask
    filled: np.ndarray = np.where(pairs.missing.valid(images, mask, index), images, pairs.scale.background)
    return filled


def _single(images: np.ndarray) -> np.ndarray:
    """In single precision, as far as that goes."""
    largest = float(np.finfo(np.float32).max) / _ROOM
    if images.dtype == np.float16:  # which has no room for that bound
        return images.astype(np.float32)
    return np.asarray(np.clip(images, -largest, largest), dtype=np.float32)


def samples_of(result: SymmetryResult, pairs: PairSet, fitted: Fitted | None = None) -> Samples:
    """Pairs for the page: accepted ones from the best to the worst, and some of the rejected.

    Moved by a decoder, where ``fitted`` has one, else along the flow of the generators.
    """
    order = np.argsort(result.residual, kind="stable")
    accepted, rejected = order[result.accepted[order]], order[~result.accepted[order]]
    if not result.generators:
        accepted, rejected = order, order[:0]
    picked: list[int] = []
    if len(accepted):
        count = int(np.clip(_SAMPLE_VALUES // int(np.prod(result.shape)), _FEWEST_SAMPLES, _SAMPLES))
        picked += [int(accepted[int(q * (len(accepted) - 1))]) for q in np.linspace(0, 1, count)]
    picked += [int(i) for i in rejected[-_REJECTED_SAMPLES:]]
    index = np.array(sorted(set(picked)), dtype=np.int64)
    # Grey values that single precision cannot hold are kept in units of a typical target.
    unit = 1.0 if _LEAST_GREY < pairs.scale.amplitude < 1 / _LEAST_GREY else pairs.scale.amplitude
    x, y = (_single(_filled(pairs, side, index) / unit) for side in ("source", "target"))
    if not result.generators:
        return Samples(index, x, y, x)
    decoded = None if fitted is None else fitted.decoded(np.asarray(pairs.source[index]), result.t[index])
    if decoded is not None:
        return Samples(index, x, y, np.asarray(decoded / unit, dtype=np.float32))
    scaled = dataclasses.replace(result, background=pairs.scale.background.ravel() / unit)
    return Samples(index, x, y, scaled.transform(x, result.t[index]))
