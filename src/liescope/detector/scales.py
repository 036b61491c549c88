"""Grey scales of sources and targets that differ: 0 to 255 against 0 to 1, standardised on one side alone."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from liescope.answer.numbers import number
from liescope.engines import PairSet
from liescope.result import SymmetryResult

__all__ = ["with_scales"]

_LOOKED_AT = 256
_MOST_VALUES, _HUGE = 0.99, 1e4
_OTHER = 4.0
"""Sources and targets whose grey values spread by this factor apart are on other scales, not just brighter."""

_NEAR_0, _NEAR_1 = 0.1, 0.05
_PIXEL_NEAR_0, _PIXEL_NEAR_1, _MOST_PIXELS = 0.2, 0.3, 0.9
_FEWEST = 8
"""Images whose pixels have a mean and a standard deviation."""


class _Scale(NamedTuple):
    low: float
    high: float
    spread: float
    standard: bool
    pixelwise: bool

    def __str__(self) -> str:
        return f"{number(self.low, 3)} to {number(self.high, 3)}"


def with_scales(result: SymmetryResult, pairs: PairSet) -> SymmetryResult:
    """The result with a note in ``evidence["scales"]`` where the grey scales of sources and targets differ."""
    index = np.sort(pairs.sample(_LOOKED_AT))
    masks = pairs.missing.source_mask, pairs.missing.target_mask
    some = (np.asarray(images[index]) for images in (pairs.source, pairs.target))
    source, target = (
        _scale(images, pairs.missing.valid(images, mask, index)) for images, mask in zip(some, masks, strict=True)
    )
    if source is None or target is None or not (note := _note(source, target, result)):
        return result
    scales: dict[str, Any] = {
        "source": [source.low, source.high],
        "target": [target.low, target.high],
        "note": note,
    }
    reason = result.reason if result.verdict == "symmetry" else f"{result.reason}; {note}"
    return dataclasses.replace(result, evidence=dict(result.evidence) | {"scales": scales}, reason=reason)


def _scale(images: np.ndarray, valid: np.ndarray) -> _Scale | None:
    """Of images (n, C, H, W), whose valid pixels (n, 1, H, W) are looked at; None where they are all alike."""
    known = np.where(valid, images, np.nan).astype(np.float64)
    finite = np.isfinite(known)
    if not finite.any():
        return None
    # What stands for no data, 1e20 or the like, is no grey value.
    middle = float(np.median(known[finite]))
    typical = float(np.quantile(np.abs(known[finite] - middle), _MOST_VALUES))
    known[~(np.abs(known - middle) <= _HUGE * typical)] = np.nan
    values = known[np.isfinite(known)]
    if not values.size or not (spread := float(values.std())) > 0 or not np.isfinite(spread):
        return None
    standard = abs(float(values.mean())) < _NEAR_0 and abs(spread - 1) < _NEAR_1
    low, high = float(values.min()), float(values.max())
    return _Scale(low, high, spread, standard, len(known) >= _FEWEST and _pixelwise(known))


def _pixelwise(known: np.ndarray) -> bool:
    """Whether most pixels have mean 0 and standard deviation 1 over the images, or do not vary."""
    pixels = known.reshape(len(known), -1)
    pixels = pixels[:, np.isfinite(pixels).all(axis=0)]
    spread, mean = pixels.std(axis=0), pixels.mean(axis=0)
    varying = spread > 0
    # Some of the images that were standardised have about that mean and deviation, not exactly.
    fitting = (np.abs(spread - 1) < _PIXEL_NEAR_1) & (np.abs(mean) < _PIXEL_NEAR_0)
    return bool(varying.any() and fitting[varying].mean() > _MOST_PIXELS)


def _note(source: _Scale, target: _Scale, result: SymmetryResult) -> str:
    """What to say of two scales; empty where they are alike."""
    if source.pixelwise != target.pixelwise:
        one, other = ("sources", "targets") if source.pixelwise else ("targets", "sources")
        return (
            f"{one} look standardised pixel by pixel, {other} do not: that changes what pictures show, "
            "try without it, or one mean and one standard deviation for all pixels"
        )
    taken_up = (
        "gain and offset of every pair were measured along"
        if result.gain is not None
        else "try the same scale for both"
    )
    if source.standard != target.standard:
        one, other = ("sources", "targets") if source.standard else ("targets", "sources")
        return f"{one} look standardised, {other} do not ({source} against {target}): {taken_up}"
    if not 1 / _OTHER < source.spread / target.spread < _OTHER:
        return f"sources ({source}) and targets ({target}) are on different grey scales: {taken_up}"
    return ""
