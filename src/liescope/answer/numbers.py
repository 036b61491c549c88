"""Numbers as people read them: few digits, no sign before a zero, bounds where digits would mean nothing."""

from __future__ import annotations

import math

__all__ = ["angle_bound", "error_size", "number", "number_fixed", "p_value_words", "percent", "trimmed"]


def number(value: float | None, digits: int = 3) -> str:
    """About ``digits`` significant digits, an exponent only where people use one; "unknown" for NaN."""
    if value is None or math.isnan(value):
        return "unknown"
    if value == 0 or math.isinf(value):
        return f"{value:g}".replace("-0", "0")
    exponent = math.floor(math.log10(abs(value)))
    if exponent < -4 or exponent > 6:
        return f"{value:.{digits - 1}e}".replace("e-0", "e-").replace("e+0", "e")
    return trimmed(value, max(0, digits - 1 - exponent))


def number_fixed(value: float, decimals: int) -> str:
    """A number with that many decimals; a zero has no sign."""
    return f"{value:.{decimals}f}" if round(abs(value), decimals) > 0 else f"{0:.{decimals}f}"


def trimmed(value: float, decimals: int) -> str:
    """A number with at most that many decimals, without zeros behind it."""
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
