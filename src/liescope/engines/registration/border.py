"""What lies outside of images: their background, or content that nobody knows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from liescope.engines.pair_set import PairSet

__all__ = ["background_outside"]

_LOOKED_AT = 64
_LEAST_SIDE = 16  # pixels: two blocks that are fitted to or held out
_FLAT = 0.1
"""Of an image's own spread: what a border that is background may vary by."""

_NOISE, _LESS = 0.3, 0.85
"""Correlation of neighbours along a border that varies by noise alone, and its variance in units of the image's."""


def background_outside(data: PairSet, border: str) -> bool:
    """Whether what lies outside of the images is their background.

    It is taken for that where the frame of pixels around most sources and targets is as good as constant, or varies by
    noise alone and less than the image does: a picture that goes on has neighbours that are alike there too. Of images
    of a dozen pixels a side too few would be left without their border to find a motion in, and to hold some back.
    """
    if border != "auto":
        return border == "zero"
    if min(data.grid.shape) < _LEAST_SIDE:
        return True
    frames: list[tuple[float, float, float]] = []
    for index in data.sample(_LOOKED_AT)[:, None]:
        for images, valid in zip(data.take(index), data.take_valid(index), strict=True):
            image = images[0].double().cpu().numpy()
            known = None if valid is None else np.broadcast_to(valid[0].cpu().numpy() > 0, image.shape)
            frames.extend(_frame(image[c], None if known is None else known[c]) for c in range(len(image)))
    shares = np.array([frame for frame in frames if np.isfinite(frame).all()]).reshape(-1, 3)
    if not len(shares):
        return False
    spread, neighbours, variance = shares.T
    flat = float(np.quantile(spread, 0.75)) < _FLAT
    noisy = float(np.median(neighbours)) < _NOISE and float(np.median(variance)) < _LESS
    return flat or noisy


def _frame(image: Float[np.ndarray, "h w"], valid: np.ndarray | None) -> tuple[float, float, float]:
    """Of the frame of pixels: its spread in units of the image's, correlation of neighbours, variance likewise."""
    good = np.ones(image.shape, dtype=bool) if valid is None else valid
    around = [np.concatenate((x[0, :-1], x[:-1, -1], x[-1, :0:-1], x[:0:-1, 0])) for x in (image, good)]
    edge, whole = around[0][around[1]], image[good]
    if len(edge) < 2 or not whole.std() > 0:
        return np.nan, np.nan, np.nan
    centred = edge - np.median(edge)
    variance = float(np.mean(centred**2))
    alike = float(np.mean(centred * np.roll(centred, 1))) / variance if variance > 0 else 0.0
    return float(np.sqrt(variance) / whole.std()), alike, float(variance / whole.var())
