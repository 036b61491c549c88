"""Pixels that are missing: masks, the value that stands for no data, NaN; checked before any work."""

from __future__ import annotations

from typing import Any

import numpy as np

from liescope.data import ImageStack
from liescope.data.checks import chunks
from liescope.engines.overlap import LEAST_PIXELS, enough_overlap
from liescope.engines.pair_set import Missing
from liescope.errors import InputError

__all__ = ["missing_pixels"]


def missing_pixels(
    source: ImageStack, target: ImageStack, source_mask: Any, target_mask: Any, nodata: float | None
) -> Missing:
    """What is missing of the pairs.

    Parameters
    ----------
    source, target : stacks, shape (N, C, H, W)
    source_mask, target_mask : array, shape (N, H, W) or (H, W), or None
        True (or not 0) where valid.
    nodata : float or None
        The value of pixels that were not measured.

    Raises
    ------
    InputError
        A mask of another shape, or with nothing valid; a value of ``nodata`` that no pixel has; no pair in which
        enough is valid in both images.
    """
    masks = [_mask(mask, name, source) for mask, name in ((source_mask, "source_mask"), (target_mask, "target_mask"))]
    if nodata is not None:
        if isinstance(nodata, bool) or not isinstance(nodata, int | float | np.number):
            raise InputError(f"expected nodata as a number, got {nodata!r}")
        if np.isfinite(nodata) and not any(
            (stack[part] == nodata).any() for stack in (source, target) for part in chunks(stack)
        ):
            raise InputError(f"expected pixels of value nodata={nodata}, got none, try leaving nodata out")
    nan = any(
        np.dtype(stack.dtype).kind == "f" and any(np.isnan(stack[part]).any() for part in chunks(stack))
        for stack in (source, target)
    )
    missing = Missing(masks[0], masks[1], None if nodata is None else float(nodata), nan)
    if not enough_overlap(source, target, missing).any():
        if not _anything(missing, source, target):
            raise InputError(
                "expected valid pixels in sources and targets, got none, try other masks or another nodata"
            )
        raise InputError(
            f"expected at least {LEAST_PIXELS} pixels that are valid in source and target of some pair, got fewer in "
            "every one, try other masks or another nodata"
        )
    return missing


def _mask(mask: Any, name: str, stack: ImageStack) -> np.ndarray | None:
    if mask is None:
        return None
    array = np.asarray(mask)
    count, height, width = int(stack.shape[0]), int(stack.shape[-2]), int(stack.shape[-1])
    if array.dtype.kind not in "biu" or array.shape not in ((height, width), (count, height, width)):
        raise InputError(
            f"expected {name} as booleans of shape ({height}, {width}) or ({count}, {height}, {width}), "
            f"got {array.dtype} of shape {array.shape}"
        )
    return array.astype(bool)


def _anything(missing: Missing, source: ImageStack, target: ImageStack) -> bool:
    for stack, mask in ((source, missing.source_mask), (target, missing.target_mask)):
        if not any(missing.valid(np.asarray(stack[part]), mask, part).any() for part in chunks(stack)):
            return False
    return True
