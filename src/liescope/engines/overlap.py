"""Pairs of which enough is valid in both images to compare them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from liescope.data import ImageStack
from liescope.data.checks import chunks
from liescope.engines.pair_set import Missing

__all__ = ["LEAST_PIXELS", "enough_overlap"]

LEAST_PIXELS = 25
"""Fewer pixels than this, the smallest image, are matched by some motion whatever they show."""


def enough_overlap(source: ImageStack, target: ImageStack, missing: Missing) -> Bool[np.ndarray, " n"]:
    """Whether at least 25 pixels are valid in the source and, at the same places, in the target of every pair."""
    if not missing.any:
        return np.ones(len(source), dtype=bool)
    enough = []
    for part in chunks(source):
        sides = ((source, missing.source_mask), (target, missing.target_mask))
        both = [missing.valid(np.asarray(stack[part]), mask, part) for stack, mask in sides]
        enough.append((both[0] & both[1]).sum(axis=(1, 2, 3)) >= LEAST_PIXELS)
    return np.concatenate(enough)
