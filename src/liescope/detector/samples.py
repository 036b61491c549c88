"""The pairs that a result keeps for its page, and images moved over their background."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from liescope.engines.pair_set import PairSet
from liescope.result import Samples, SymmetryResult

__all__ = ["moved", "samples_of"]

_SAMPLES, _FEWEST_SAMPLES, _REJECTED_SAMPLES = 60, 10, 4
_SAMPLE_VALUES = 1 << 20
"""Pixels of the accepted samples' sources, all together: of large images fewer are kept."""
_LEAST_GREY = 1e-18


def moved(result: SymmetryResult, images: np.ndarray, t: np.ndarray, background: np.ndarray | float) -> np.ndarray:
    """Images moved over a background that stays."""
    return np.asarray(result.transform(images - background, t) + background, dtype=np.float32)


def samples_of(
    result: SymmetryResult, pairs: PairSet, transported: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
) -> Samples:
    """Pairs for the page: accepted ones from the best to the worst, and some of the rejected.

    Parameters
    ----------
    transported : callable, optional
        From sources and their magnitudes to moved images; by default the flow of the generators.
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
    x, y = (np.asarray(stack[index] / unit, dtype=np.float32) for stack in (pairs.source, pairs.target))
    if not result.generators:
        shown = x
    elif transported is None:
        shown = moved(result, x, result.t[index], pairs.scale.background / unit)
    else:
        shown = np.asarray(transported(np.asarray(pairs.source[index]), result.t[index]) / unit, dtype=np.float32)
    return Samples(index, x, y, shown)
