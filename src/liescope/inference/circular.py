"""Magnitudes of flows that are periodic lie on a circle: where to cut it, so that their law can be told on a line."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

__all__ = ["unwrapped"]

_WILD = 0.01
"""Share of the values, those farthest from the circular mean, that do not decide where the circle is cut where values
lie on more than half of it."""
_FILLED = 0.01
"""Chance of as wide a gap among as many uniform values above which the circle counts as filled."""
_EXPLAINED = 5.0
"""Gaps of up to so many times the spacing beside them are no gaps: one in 150 of exponential ones is wider."""
_AS_WIDE = 0.9
"""Share of the widest gap from which another one will do."""
_TOUCHES = 1e-9
"""Distance from half a period, in periods, of values that lie on it: as measured, they may have either sign."""
_NEAR = 0.01
"""Share of a period that does not matter: values as near as that to each other leave no gap, and a median that little
beyond half a period is told as positive, as a half turn is 180 degrees and not -180."""


def unwrapped(
    t: Float[np.ndarray, " n"], period: float, decide: Float[np.ndarray, " k"] | None = None
) -> Float[np.ndarray, " n"]:
    """Magnitudes on the branch of a circle that their law lies on: each plus a whole number of periods.

    The circle is cut at half a period, which leaves every value as it is, unless the law lies across that, with values
    on either side about as near to each other as their neighbours are. Then the cut is moved into the widest gap (of
    several that are as wide, into the one nearest to half a period). A law that fills the circle is left as it is.

    Parameters
    ----------
    t : array, shape (n,)
    period : float
        Positive.
    decide : array, shape (k,), optional
        Values that say where the circle is cut; default all.

    Returns
    -------
    array, shape (n,)
        Where the cut is moved, values within one period of it; the median of those that decide is at most half a
        period away from 0, or just above.
    """
    t = np.asarray(t, dtype=np.float64)
    told = t if decide is None else np.asarray(decide, dtype=np.float64)
    cut = _cut(told[np.isfinite(told)], period)
    if cut is None:
        return t
    middle = np.median(_from(cut, told[np.isfinite(told)], period))
    if middle > (0.5 + _NEAR) * period:
        cut -= period
    return _from(cut, t, period)


def _from(cut: float, t: np.ndarray, period: float) -> np.ndarray:
    """Values moved by whole periods into [cut, cut + period); those that lie there are not touched by rounding."""
    return np.asarray(t - period * np.floor((t - cut) / period))


def _cut(t: np.ndarray, period: float) -> float | None:
    """Where the circle is cut, in [-period / 2, period / 2); None where half a period will do."""
    places = _without_wild(np.sort(_from(-period / 2, t, period)), period)
    count = len(places)
    if count < 2:
        return None
    across = period - (places[-1] - places[0])
    gaps, centres = np.diff(places), (places[:-1] + places[1:]) / 2
    if places[0] + period / 2 < _TOUCHES * period:
        gaps, centres = np.append(gaps, across), np.append(centres, places[-1] + across / 2)
        across = 0.0
    widest = float(gaps.max())
    # What was taken away as wild may itself have opened about as much.
    empty = max(widest / period - (2 * _WILD if count < len(t) else 0.0), 0.0)
    filled = count * (1 - empty) ** (count - 1) > _FILLED
    if filled or across > min(max(_EXPLAINED * _spacing_at_ends(places), _NEAR * period), widest):
        return None
    centres = _from(-period / 2, centres[gaps >= _AS_WIDE * widest], period)
    # Of two that are as near the first, negative one: what is moved is then told beyond half a period.
    return float(centres[np.argmax(np.round(np.abs(centres) / period, 2))])


def _spacing_at_ends(places: np.ndarray) -> float:
    """Mean distance between neighbours among the lowest and among the highest values; the larger of the two.

    Of as many values at an end as are nearest to each other: a small hump does not count what lies beyond it.
    """
    most = min(math.isqrt(len(places)), len(places) - 1)
    some = np.arange((most + 1) // 2, most + 1)
    low, high = places[some] - places[0], places[-1] - places[-1 - some]
    return float(max((low / some).min(), (high / some).min()))


def _without_wild(places: np.ndarray, period: float) -> np.ndarray:
    """The places, ascending, without those farthest from the circular mean."""
    left_out = int(_WILD * len(places))
    # Values within half of the circle hold no wild ones.
    if not left_out or max(np.diff(places).max(), period - np.ptp(places)) >= period / 2:
        return places
    mean = np.angle(np.exp(2j * np.pi * places / period).sum()) * period / (2 * np.pi)
    distance = np.abs(_from(-period / 2, places - mean, period))
    return np.asarray(places[np.sort(np.argsort(distance, kind="stable")[: len(places) - left_out])])
