"""Numbers as people read them: few digits, natural units, a histogram that outliers cannot flatten."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from liescope.algebra import Generator
from liescope.result import SymmetryResult

__all__ = [
    "Histogram",
    "accepted_natural",
    "amount",
    "angle_bound",
    "error_size",
    "histogram",
    "number",
    "number_fixed",
    "p_value_words",
    "percent",
    "precision",
    "span",
    "unit_label",
]

_OUTSIDE = 0.001
"""Share of the magnitudes, at either end, that may lie outside the range that is told and drawn."""

_UNITS = {"degree": "degrees", "log-factor": "log-factor", "pixel": "pixels", "plain": "parameter"}


def number(value: float | None, digits: int = 3) -> str:
    """About ``digits`` significant digits, an exponent only where people use one; "unknown" for NaN."""
    if value is None or math.isnan(value):
        return "unknown"
    if value == 0 or math.isinf(value):
        return f"{value:g}".replace("-0", "0")
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -4 or exponent > 6:
        return f"{value:.{digits - 1}e}".replace("e-0", "e-").replace("e+0", "e")
    return _trimmed(value, max(0, digits - 1 - exponent))


def number_fixed(value: float, decimals: int) -> str:
    """A number with that many decimals; a zero has no sign."""
    return f"{value:.{decimals}f}" if round(abs(value), decimals) > 0 else f"{0:.{decimals}f}"


def _trimmed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def percent(share: float | None) -> str:
    """A share as per cent: 97 %, 99.8 %, never 100 % for less than all nor 0 % for more than none."""
    if share is None or math.isnan(share):
        return "unknown"
    for decimals in (0, 1, 2):
        text = f"{100 * share:.{decimals}f}"
        if share in (0.0, 1.0) or float(text) not in (0.0, 100.0):
            return f"{text} %"
    return "over 99.99 %" if share > 0.5 else "under 0.01 %"


def error_size(error: float | None) -> str:
    """An error; digits far below anything that shows would only distract."""
    return "below 0.000001" if error is not None and 0 <= error < 1e-6 else number(error)


def angle_bound(degrees: float) -> str:
    """A bound in degrees to two digits; it knows scatter only, so what is tiny is told as a limit."""
    return "less than 0.01" if 0 <= degrees < 0.01 else number(degrees, 2)


def p_value_words(p: float) -> str:
    """ "p = 0.03", or a bound where digits would mean nothing."""
    return "p < 0.0001" if p < 1e-4 else f"p = {number(p, 2)}"


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
    return _trimmed(round(value / step) * step, max(0, -math.floor(math.log10(step))))


def precision(low: float, high: float) -> float:
    """The power of ten worth telling: about a hundredth of the range, at least a thousandth of the values."""
    step = max((high - low) / 60, max(abs(low), abs(high)) / 1000, 1e-9)
    return float(10.0 ** math.floor(math.log10(step)))


def accepted_natural(result: SymmetryResult, index: int) -> np.ndarray:
    """Natural magnitudes of one generator over the accepted pairs (all pairs where none is accepted)."""
    chosen = result.natural[result.accepted, index] if result.accepted.any() else result.natural[:, index]
    return np.asarray(chosen[np.isfinite(chosen)])


def span(result: SymmetryResult, index: int) -> tuple[float, float]:
    """Smallest and largest natural magnitude of one generator, without the most extreme thousandths."""
    values = accepted_natural(result, index)
    if not values.size:
        return math.nan, math.nan
    low, high = np.quantile(values, (_OUTSIDE, 1 - _OUTSIDE))
    return float(low), float(high)


class Histogram(NamedTuple):
    """Counts per bin, the bins' edges in natural units, and how many magnitudes lie outside them."""

    counts: np.ndarray
    edges: np.ndarray
    outside: int


def histogram(result: SymmetryResult, index: int = 0, bins: int | None = None) -> Histogram:
    """Histogram of one generator's magnitudes over the accepted pairs."""
    values = accepted_natural(result, index)
    low, high = span(result, index)
    if not values.size:
        return Histogram(np.zeros(1), np.array([-1.0, 1.0]), 0)
    margin = 0.02 * (high - low) or max(1e-3 * abs(high), 1e-6)
    count = bins or int(np.clip(np.sqrt(values.size), 8, 60))
    counts, edges = np.histogram(values, bins=count, range=(low - margin, high + margin))
    return Histogram(counts, edges, int(values.size - counts.sum()))
