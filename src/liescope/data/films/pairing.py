"""From a film to its pairs of frames: which frames, and their rows of one stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from liescope.data.checks import MIN_SIDE, ImageStack
from liescope.data.guard import reason
from liescope.data.lazy import LazyImages
from liescope.errors import InputError

__all__ = ["as_film", "check_lags", "film_pairs", "frame_rows"]


def check_lags(lags: Any, frames: int) -> list[int]:
    """Lags as a sorted list.

    Parameters
    ----------
    lags : int or sequence of int
        Frames from the first to the second of a pair.
    frames : int
        Of the film.

    Raises
    ------
    InputError
        None, not whole numbers, zero or negative, repeated, or as long as the film.
    """
    if frames < 2:
        raise InputError(f"expected a film of at least 2 frames, got {frames}")
    given = list(lags) if isinstance(lags, Sequence | np.ndarray) and not isinstance(lags, str) else [lags]
    steps = []
    for lag in given:
        whole = isinstance(lag, int | np.integer) and not isinstance(lag, bool)
        if not whole or not 1 <= int(lag) < frames:
            told = f"whole numbers from 1 to {frames - 1} for {frames} frames"
            raise InputError(f"expected lags that are {told}, got {lag if whole else repr(lag)}, try lags 1")
        steps.append(int(lag))
    if not steps or len(set(steps)) < len(steps):
        twice = next((lag for lag in steps if steps.count(lag) > 1), None)
        raise InputError(
            "expected every lag once, " + (f"got {twice} repeatedly" if steps else "got none") + ", try lags 1"
        )
    return sorted(steps)


def film_pairs(frames: int, lags: int | Sequence[int] = (1,)) -> tuple[np.ndarray, np.ndarray]:
    """Which frames are pairs: every frame with those that come ``lags`` frames later.

    Parameters
    ----------
    frames : int
        How many the film has.
    lags : int or sequence of int

    Returns
    -------
    (first, second) : int arrays, shape (N,)
        Numbers of frames from 0, ``second - first`` one of the lags; by lag, then in order of time.

    Raises
    ------
    InputError
        As :func:`check_lags`.
    """
    steps = check_lags(lags, frames)
    first = np.concatenate([np.arange(frames - lag) for lag in steps])
    lag_of = np.repeat(steps, [frames - lag for lag in steps])
    return first, first + lag_of


def as_film(frames: Any) -> Any:
    """Frames as a stack (T, C, H, W), without a copy of numeric data.

    Parameters
    ----------
    frames : array or lazy stack, shape (T, H, W) or (T, C, H, W)

    Raises
    ------
    InputError
        Not numeric, another rank, one frame alone, frames too small, or channels last.
    """
    if not isinstance(frames, ImageStack):
        try:
            frames = np.asarray(frames)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"expected frames as a numeric array of one shape, got {type(frames).__name__} ({reason(error)})"
            ) from None
    shape, dtype = tuple(int(n) for n in frames.shape), np.dtype(frames.dtype)
    if dtype.kind not in "fiub":
        raise InputError(f"expected real or integer pixels in frames, got dtype {dtype}, try float32 or uint8")
    if len(shape) not in (3, 4):
        raise InputError(f"expected frames of shape (T, H, W) or (T, C, H, W), got {shape}")
    if len(shape) == 4 and shape[-1] in (1, 3, 4) and shape[1] >= MIN_SIDE:
        raise InputError(
            f"expected frames with channels first, (T, C, H, W), got {shape}, try frames.transpose(0, 3, 1, 2)"
        )
    if shape[0] < 2:
        raise InputError(f"expected a film of at least 2 frames, got {shape[0]}")
    if min(shape[-2:]) < MIN_SIDE or min(shape) < 1:
        raise InputError(f"expected frames of at least {MIN_SIDE}x{MIN_SIDE} pixels, got {shape[-2]}x{shape[-1]}")
    if isinstance(frames, LazyImages):
        return frames.with_channels()
    return frames if len(shape) == 4 else frames[:, None]


def frame_rows(film: Any, rows: np.ndarray) -> LazyImages:
    """Some frames of a film (T, C, H, W), in any order and as often as they are named, read when they are asked for.

    Arrays are not copied, nor is a frame for every pair that it is in.
    """
    if isinstance(film, LazyImages):
        return film.subset(rows)
    dtype = np.dtype(np.float32) if np.dtype(film.dtype).kind == "b" else np.dtype(film.dtype)
    stack = LazyImages(film.shape, dtype, lambda places: np.asarray(film[places], dtype=dtype))
    return stack.subset(rows)
