"""Laws of several results in one drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from liescope.answer import Answer
from liescope.report.numbers import accepted_natural, span
from liescope.report.theme import Theme

__all__ = ["Law", "draw_laws"]

_BINS = 30
_STYLES = ("-", (0, (6, 2)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
_UNITS = {
    "degree": "angle (degrees, positive is counter-clockwise)",
    "log-factor": "logarithm of the scale factor",
    "pixel": "shift (pixels)",
    "plain": "parameter",
}


class Law(NamedTuple):
    """The magnitudes of one generator of one result, and what the drawing calls them."""

    result: Answer
    generator: int
    label: str


def draw_laws(laws: Sequence[Law], ax: Axes, theme: Theme) -> None:
    """Histograms of magnitudes that have one unit, as outlines: shares of the accepted pairs over common bins."""
    ends = np.array([span(law.result, law.generator) for law in laws])
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    margin = 0.02 * (high - low) or max(1e-3 * abs(high), 1e-6)
    edges = np.linspace(low - margin, high + margin, _BINS + 1)
    for k, law in enumerate(laws):
        values = accepted_natural(law.result, law.generator)
        shares = np.histogram(values, bins=edges)[0] / max(len(values), 1)
        colour = (theme.accent, theme.second, theme.ink)[k % 3]
        style = _STYLES[(k + k // 3) % len(_STYLES)]
        ax.stairs(shares, edges, color=colour, linewidth=1.5, linestyle=style, label=law.label)
    ax.set_xlabel(_UNITS.get(laws[0].result.generators[laws[0].generator].generator.unit, "magnitude"), color=theme.ink)
    ax.set_ylabel("share of pairs", color=theme.ink)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    ax.set_ylim(bottom=0)
    ax.tick_params(colors=theme.muted, length=3)
    ax.spines[["left", "bottom"]].set_color(theme.muted)
    ax.spines[["top", "right"]].set_visible(False)
    legend = ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), labelcolor=theme.ink)
    legend.set_zorder(0)
