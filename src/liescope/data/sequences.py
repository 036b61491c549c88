"""Pairs from video-like stacks: frames that lie some steps apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from liescope.data.pairs import META_KEYS, Pairs
from liescope.errors import InputError

__all__ = ["pairs_from_sequence"]


def pairs_from_sequence(frames: Any, lags: int | Sequence[int] = 1, name: str = "sequence") -> Pairs:
    """Pair every frame with the frames ``lags`` steps later.

    Parameters
    ----------
    frames : array or lazy stack, shape (T, H, W) or (T, C, H, W)
        In order of time.
    lags : int or sequence of int
        Steps between the frames of a pair; negative ones look back.
    name : str
        Corpus name in the meta data.

    Returns
    -------
    Pairs
        All pairs of the first lag in order of time, then of the second, ... in the frames' dtype. ``label``
        holds each pair's lag; the magnitude is not known. ``meta["lags"]`` lists the lags.

    Raises
    ------
    InputError
        Wrong rank, no lags, lag zero, or lags as long as the sequence.
    """
    shape = tuple(frames.shape) if hasattr(frames, "shape") else np.shape(frames)
    if len(shape) not in (3, 4):
        raise InputError(f"expected frames of shape (T, H, W) or (T, C, H, W), got {shape}")
    steps = [int(lags)] if isinstance(lags, int | np.integer) else [int(lag) for lag in lags]
    if not steps or 0 in steps or any(abs(lag) >= shape[0] for lag in steps):
        raise InputError(f"expected lags from 1 to {shape[0] - 1} for {shape[0]} frames, got {steps}, try 1")
    starts, ends = [], []
    for lag in steps:
        time = np.arange(max(0, -lag), min(shape[0], shape[0] - lag))
        starts.append(time)
        ends.append(time + lag)
    stack = frames if hasattr(frames, "shape") else np.asarray(frames)
    lag_of = np.concatenate([np.full(len(s), lag) for s, lag in zip(starts, steps, strict=True)])
    meta: dict[str, Any] = dict.fromkeys(META_KEYS)
    meta |= {"task": "sequence", "corpus": name, "generators": [], "law": [], "unit": [], "unit_per_t": []}
    meta |= {"lags": steps, "label_names": []}
    return Pairs(stack[np.concatenate(starts)], stack[np.concatenate(ends)], None, lag_of, meta)
