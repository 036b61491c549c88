"""Curves of a training: losses, and what the coefficients did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from liescope.answer import Answer
from liescope.answer.numbers import number
from liescope.report.theme import PAGE, Theme, figure, page_svg
from liescope.report.typesetting import escaped

__all__ = ["Training", "draw_coefficients", "draw_losses", "training_view"]

_STYLES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
_LOSSES = {
    "loss": "training, all terms",
    "held_out_moved": "held-out, moved",
    "held_out_own": "held-out, targets auto-encoded",
}
_WIDTH, _HEIGHT = 4.6, 2.6

Row = Mapping[str, float]


class Training(NamedTuple):
    """The two drawings of a training, and the same in a sentence."""

    losses: Markup
    coefficients: Markup
    sentence: str


def training_view(result: Answer, history: Sequence[Row]) -> Training | None:
    """Curves of a training; None where there was none or nothing of it was kept."""
    if len(history) < 2:
        return None
    first, last = history[0], history[-1]
    told = [
        f"{_LOSSES[name]} from {number(first[name])} to {number(last[name])}"
        for name in _LOSSES
        if name in first and name in last
    ]
    sentence = f"{int(last.get('epoch', len(history)))} epochs: {'; '.join(told)}."
    losses = figure(_WIDTH, _HEIGHT)
    draw_losses(history, losses.axes[0], PAGE)
    coefficients = figure(_WIDTH, _HEIGHT)
    draw_coefficients(history, result.basis.terms, coefficients.axes[0], PAGE)
    return Training(
        Markup(page_svg(losses, "losses", escaped(f"Losses over {sentence}"))),
        Markup(page_svg(coefficients, "learned", escaped(_coefficient_words(result, history)))),
        sentence,
    )


def draw_losses(history: Sequence[Row], ax: Axes, theme: Theme) -> None:
    """Training loss and held-out errors over the epochs, each line with its name at its end."""
    ends = []
    for k, (name, label) in enumerate(_LOSSES.items()):
        epochs, values = _curve(history, name)
        if len(values) and (values > 0).all():
            colour = (theme.ink, theme.accent, theme.second)[k]
            ax.plot(epochs, values, color=colour, linewidth=1.5, linestyle=_STYLES[k])
            ends.append((float(values[-1]), label, colour))
    ax.set_yscale("log")
    _name_ends(ax, ends)
    _frame(ax, "loss and mean squared errors", theme)


def draw_coefficients(history: Sequence[Row], terms: Sequence[str], ax: Axes, theme: Theme) -> None:
    """The generators' coefficients over the epochs; those that end large by name."""
    ends = []
    generators = sorted({name.split("_")[0] for name in history[-1] if name[:1] == "a" and name[1:2].isdigit()})
    for k, generator in enumerate(generators):
        for i, term in enumerate(terms):
            epochs, values = _curve(history, f"{generator}_{i}")
            if not len(values):
                continue
            large = abs(values[-1]) > 0.2
            colour = (theme.accent, theme.second, theme.ink)[k % 3] if large else theme.muted
            ax.plot(epochs, values, color=colour, linewidth=1.5 if large else 0.6, linestyle=_STYLES[k % 4])
            if large:
                ends.append((float(values[-1]), f"{term} ({k + 1})" if len(generators) > 1 else term, colour))
    _name_ends(ax, ends)
    _frame(ax, "coefficients", theme)


def _curve(history: Sequence[Row], name: str) -> tuple[np.ndarray, np.ndarray]:
    rows = [(row.get("epoch", k + 1), row[name]) for k, row in enumerate(history) if name in row]
    table = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _name_ends(ax: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Names right of the lines' ends, moved apart where they would lie on each other."""
    if not ends:
        return
    low, high = (ax.transScale.transform((0, y))[1] for y in ax.get_ylim())
    gap, lowest = 0.085, -1.0
    for value, label, colour in sorted(ends):
        share = (ax.transScale.transform((0, value))[1] - low) / (high - low)
        lowest = max(share, lowest + gap)
        ax.annotate(
            label.replace("d/d", "\N{PARTIAL DIFFERENTIAL}"),
            (1.02, lowest),
            xycoords="axes fraction",
            color=colour,
            fontsize=8,
            va="center",
        )


def _frame(ax: Axes, label: str, theme: Theme) -> None:
    ax.set_xlabel("epoch", color=theme.ink)
    ax.set_ylabel(label, color=theme.ink)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.tick_params(which="both", colors=theme.muted, length=3)
    ax.spines[["left", "bottom"]].set_color(theme.muted)
    ax.spines[["top", "right"]].set_visible(False)


def _coefficient_words(result: Answer, history: Sequence[Row]) -> str:
    equations = "; ".join(g.generator.equation for g in result.generators) or "no generator that counts"
    return f"Coefficients over {len(history)} epochs, at the end {equations}"
