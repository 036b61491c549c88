"""What lies outside of images: their background, or content that nobody knows."""

from __future__ import annotations

import numpy as np

from liescope.engines.pair_set import PairSet

__all__ = ["background_outside"]

_LOOKED_AT = 64
_FLAT = 0.1
"""Of an image's own spread about the background: what a border that is background may vary by, typically."""


def background_outside(data: PairSet, border: str) -> bool:
    """Whether what lies outside of the images is their background.

    It is taken for that where the frame of pixels around most sources and targets is as good as constant.
    """
    if border != "auto":
        return border == "zero"
    few = np.linspace(0, len(data) - 1, min(_LOOKED_AT, len(data))).round().astype(int)
    shares = []
    for images, valid in zip(data.take(np.unique(few)), data.take_valid(np.unique(few)), strict=True):
        values = images.double().numpy()
        good = np.ones(values.shape, bool) if valid is None else np.broadcast_to(valid.numpy() > 0, values.shape)
        frame = np.ones(values.shape[-2:], bool)
        frame[1:-1, 1:-1] = False
        for image, known in zip(values, good, strict=True):
            edge, whole = image[known & frame], image[known]
            if len(edge) and whole.std() > 0:
                shares.append(float(np.sqrt(np.mean((edge - np.median(edge)) ** 2)) / whole.std()))
    return bool(shares) and float(np.quantile(shares, 0.75)) < _FLAT
