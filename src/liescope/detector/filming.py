"""A film as data: its pairs of frames, and what they say of every frame afterwards."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from liescope.algebra import Generator
from liescope.answer.film import Film, FilmImages
from liescope.data import film_pairs, resize_images
from liescope.data.checks import chunks
from liescope.data.films import as_film, check_lags, frame_rows
from liescope.errors import InputError
from liescope.inference import FrameMagnitudes, bracket_share, frame_magnitudes
from liescope.result import SymmetryResult

__all__ = ["FramePairs", "pairs_of_film", "with_frames"]

_ENOUGH_FRAMES, _MOST_FRAMES = 150, 600
_SHOWN_SIDE, _LEAST_SIDE = 128, 48
_SHOWN_BYTES = 1_500_000
_HARDLY_PX = 0.1
"""Generators of shifts that are found never commute to the last digit: what is left out up to here does not matter."""


@dataclass(frozen=True, eq=False)
class FramePairs:
    """The pairs of a film: its frames (T, C, H, W), which of them are pairs, and their rows of the film."""

    frames: Any
    lags: tuple[int, ...]
    first: np.ndarray
    second: np.ndarray

    @property
    def source(self) -> Any:
        """First frames (N, C, H, W), read when they are asked for."""
        return frame_rows(self.frames, self.first)

    @property
    def target(self) -> Any:
        """Second frames."""
        return frame_rows(self.frames, self.second)


def pairs_of_film(X: Any, Y: Any, frames: Any, lags: int | Sequence[int] | None) -> FramePairs | None:
    """The pairs of a film, or None where pairs are given.

    Raises
    ------
    InputError
        Both or neither, lags without a film, and whatever frames and lags may have wrong with them.
    """
    if frames is None:
        if lags is not None:
            raise InputError("expected lags together with frames=, got lags for pairs, try detect(frames=F, lags=[1])")
        if X is None or Y is None:
            raise InputError("expected pairs X, Y or a film frames=, got neither, try detect(X, Y)")
        return None
    if X is not None or Y is not None:
        raise InputError("expected either pairs X, Y or a film frames=, got both, try detect(frames=F, lags=[1])")
    film = as_film(frames)
    steps = check_lags(1 if lags is None else lags, len(film))
    return FramePairs(film, tuple(steps), *film_pairs(len(film), steps))


def with_frames(result: SymmetryResult, pairs: FramePairs) -> SymmetryResult:
    """The result with its film: magnitudes of the frames where they add up, and small images for the page."""
    film = Film(len(pairs.frames), pairs.lags, pairs.first, pairs.second, shown=_shown(pairs.frames))
    if not result.generators:
        return dataclasses.replace(result, film=film)
    found = [g.generator for g in result.generators]
    period = np.array([np.nan if g.period is None else g.period for g in found])
    added = frame_magnitudes(pairs.first, pairs.second, result.t, result.t_error, result.accepted, film.frames, period)
    told, adds_up = _evidence(found, added, _HARDLY_PX / result.grid.pixels_per_unit)
    if adds_up:
        film = dataclasses.replace(film, t=added.t, t_error=added.error, piece=added.piece)
    return dataclasses.replace(result, film=film, evidence=dict(result.evidence) | {"film": told})


def _evidence(found: Sequence[Generator], added: FrameMagnitudes, least: float) -> tuple[dict[str, Any], bool]:
    """What ``result.json`` says of the adding up, and whether magnitudes of frames mean anything."""
    connected = int((added.piece >= 0).sum())
    told: dict[str, Any] = {
        "connected": connected,
        "pieces": int(added.piece.max(initial=-1)) + 1,
        "redundant_pairs": added.redundant,
        "misfit": added.misfit,
        "misfit_in_errors": added.in_errors,
        "contradicting_pairs": added.against,
        "brackets_in_errors": None,
        "reason": None,
    }
    if not connected:
        told["reason"] = "no accepted pair connects any frames"
        return told, False
    if len(found) > 1:
        brackets = np.array([[a.bracket(b) for b in found] for a in found])
        share = max(
            bracket_share(added.t[added.piece == p], added.error[added.piece == p], brackets, least)
            for p in range(told["pieces"])
        )
        told["brackets_in_errors"] = share
        if not share <= 1:
            size = "by more than any error" if math.isinf(share) else f"by up to {share:.1f} times its error"
            told["reason"] = (
                "the generators do not commute, so that magnitudes do not add up from frame to frame: "
                f"a frame would be off {size}"
            )
            return told, False
    return told, True


def _shown(frames: Any) -> FilmImages:
    """A copy to look at that stays small: fewer frames of a long film, smaller ones of a large one."""
    count, channels, height, width = (int(n) for n in frames.shape)
    colours = 3 if channels == 3 else 1
    longest, flatness = max(height, width), max(height, width) / min(height, width)
    fitting = int(_SHOWN_BYTES * flatness / (colours * min(longest, _SHOWN_SIDE) ** 2))
    step = math.ceil(count / min(_MOST_FRAMES, max(_ENOUGH_FRAMES, fitting)))
    index = np.arange(0, count, step)
    room = math.sqrt(_SHOWN_BYTES * flatness / (colours * len(index)))
    side = min(_SHOWN_SIDE, max(_LEAST_SIDE, int(room)))
    scale = min(1.0, side / max(height, width))
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    low, high = _grey_range(frames, index)
    small = np.empty((len(index), colours, *shape), np.uint8)
    for part in chunks(small):
        images = np.asarray(frames[index[part]], dtype=np.float32)
        images = images if colours == 3 else images.mean(axis=1, keepdims=True)
        images = np.nan_to_num((images - low) / (high - low))
        images = images if images.shape[-2:] == shape else resize_images(images, shape)
        small[part] = np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)
    return FilmImages(index, small, low, high)


def _grey_range(frames: Any, index: np.ndarray) -> tuple[float, float]:
    """The range of most grey values: a hot pixel does not make all others black."""
    some = np.asarray(frames[index[:: math.ceil(len(index) / 16)]], dtype=np.float64)
    known = some[np.isfinite(some)]
    if not known.size:
        return 0.0, 1.0
    if np.dtype(frames.dtype) == np.uint8:
        return 0.0, 255.0
    low, high = (float(v) for v in np.quantile(known, (0.0005, 0.9995)))
    return (low, high) if high > low else (low, low + 1.0)
