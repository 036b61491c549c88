"""Magnitudes as people read them: natural units, their range, a histogram that outliers cannot flatten."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from liescope.algebra import Generator
from liescope.answer import Answer
from liescope.answer.numbers import number, trimmed

__all__ = [
    "Histogram",
    "accepted_natural",
    "amount",
    "histogram",
    "precision",
    "span",
    "unit_label",
]

_OUTSIDE = 0.001
"""Share of the magnitudes, at either end, that may lie outside the range that is told and drawn."""

_UNITS = {"degree": "degrees", "log-factor": "log-factor", "pixel": "pixels", "plain": "parameter"}


def unit_label(generator: Generator) -> str:
    """Name of the natural unit, in the plural."""
    return _UNITS.get(generator.unit, generator.unit)


def amount(generator: Generator, natural: float, step: float | None = None) -> str:
    """A magnitude with its unit: "31 degrees", "factor 1.25", "-3.1 pixels", "0.31".

    ``step`` is the precision worth telling, in natural units.
    """
    if generator.unit == "log-factor":
        return f"factor {number(math.exp(natural))}"
    text = _rounded(natural, step) if step else number(natural)
    return text if generator.unit == "plain" else f"{text} {unit_label(generator)}"


def _rounded(value: float, step: float) -> str:
    return trimmed(round(value / step) * step, max(0, -math.floor(math.log10(step))))


def precision(low: float, high: float) -> float:
    """The power of ten worth telling: about a hundredth of the range, at least a thousandth of the values."""
    step = max((high - low) / 60, max(abs(low), abs(high)) / 1000, 1e-9)
    return float(10.0 ** math.floor(math.log10(step)))


def accepted_natural(result: Answer, index: int) -> np.ndarray:
    """Natural magnitudes of one generator over the accepted pairs (all pairs where none is accepted), as in its law.

    Where the law itself was found, by it.
    """
    if result.law_t is not None:
        return np.asarray(result.law_t[:, index] * result.generators[index].generator.unit_per_t)
    natural = result.natural
    chosen = natural[result.accepted, index] if result.accepted.any() else natural[:, index]
    return np.asarray(chosen[np.isfinite(chosen)])


def span(result: Answer, index: int) -> tuple[float, float]:
    """Smallest and largest natural magnitude of one generator, without the most extreme thousandths."""
    values = accepted_natural(result, index)
    if not values.size:
        # Of labels the reach is known, and no magnitudes.
        far = math.nan if result.reach is None else abs(result.reach[index] * result.generators[index].unit_per_t)
        return -float(far), float(far)
    low, high = np.quantile(values, (_OUTSIDE, 1 - _OUTSIDE))
    return float(low), float(high)


class Histogram(NamedTuple):
    """Counts per bin, the bins' edges in natural units, and how many magnitudes lie outside them."""

    counts: np.ndarray
    edges: np.ndarray
    outside: int


def histogram(result: Answer, index: int = 0, bins: int | None = None) -> Histogram:
    """Histogram of one generator's magnitudes over the accepted pairs."""
    values = accepted_natural(result, index)
    low, high = span(result, index)
    if not values.size:
        return Histogram(np.zeros(1), np.array([-1.0, 1.0]), 0)
    margin = 0.02 * (high - low) or max(1e-3 * abs(high), 1e-6)
    count = bins or int(np.clip(np.sqrt(values.size), 8, 60))
    counts, edges = np.histogram(values, bins=count, range=(low - margin, high + margin))
    return Histogram(counts, edges, int(values.size - counts.sum()))
