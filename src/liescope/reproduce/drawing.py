"""The panels that the reproduced figures are made of."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from liescope.report.theme import LIGHT

__all__ = [
    "COLOURS",
    "MARKERS",
    "draw_dots",
    "draw_image",
    "draw_magnitudes",
    "draw_pair_strip",
    "draw_traversal",
    "legend_above",
    "new_figure",
    "panel_letter",
    "set_title",
    "style_axes",
    "unit_label",
]

COLOURS = (LIGHT.accent, LIGHT.second, LIGHT.ink, LIGHT.muted)
"""Blue, orange, black, grey: told apart by every kind of colour vision, and in print by their darkness."""
MARKERS = ("o", "s", "^", "D", "v", "P")

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.8,
    "axes.edgecolor": LIGHT.ink,
    "axes.unicode_minus": True,
}
_UNITS = {"degree": "degrees", "pixel": "pixels", "log-factor": "log-factor", "plain": ""}


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure (inches) with a constrained layout, of no pyplot state; 7.2 inches is a page's width."""
    with mpl.rc_context(_SETTINGS):
        return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def set_title(ax: Axes, text: str) -> None:
    """A panel's title, in the size of its axis labels."""
    ax.set_title(text, fontsize=8, color=LIGHT.ink, pad=4)


def legend_above(fig: Figure | SubFigure, ax: Axes, columns: int = 4) -> None:
    """One legend for all panels, above them, with the names used in one of them."""
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False, fontsize=7.5)


def style_axes(ax: Axes) -> None:
    """No frame above and on the right, small type, outward ticks."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=7, length=3, colors=LIGHT.ink)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set_fontsize(8)


def panel_letter(where: Axes | SubFigure, index: int) -> None:
    """A bold a, b, c, ... (index 0, 1, 2) at the upper left of a panel."""
    letter = string.ascii_lowercase[index]
    look: dict[str, Any] = {"fontsize": 10, "fontweight": "bold", "color": LIGHT.ink}
    if isinstance(where, Axes):
        # Above the plotting area and outside: there it hides nothing.
        where.annotate(letter, (0, 1), (-26, 4), xycoords="axes fraction", textcoords="offset points", **look)
    else:
        where.text(0.004, 0.995, letter, ha="left", va="top", **look)


def unit_label(quantity: str, unit: str, matched: bool = False) -> str:
    """An axis label: ``angle (degrees)`` from ``angle`` and ``degree``; a plain number has no unit.

    Parameters
    ----------
    matched : bool
        The axis belongs to another generator's t, brought to the mean and deviation of that quantity.
    """
    if matched:
        quantity = f"t, matched to the {quantity}"
    plural = _UNITS.get(unit, unit)
    return f"{quantity} ({plural})" if plural else quantity


def draw_image(ax: Axes, image: Float[np.ndarray, "h w"], limits: tuple[float, float] | None = None) -> None:
    """A grey image, pixels as squares, without ticks.

    Parameters
    ----------
    limits : (float, float), optional
        Grey values shown as black and white; default 0 and 1.
    """
    low, high = limits or (0.0, 1.0)
    ax.imshow(np.asarray(image), cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def _tiled(images: Float[np.ndarray, "n h w"], low: float, high: float, gap: int = 1) -> Float[np.ndarray, "h l"]:
    """Images side by side with white gaps."""
    stack = np.clip(np.asarray(images, dtype=np.float64), low, high)
    padded = np.pad(stack, ((0, 0), (0, 0), (0, gap)), constant_values=high)
    return np.concatenate(list(padded), axis=1)[:, :-gap]


def draw_pair_strip(
    ax: Axes,
    rows: Mapping[str, Float[np.ndarray, "n h w"]],
    limits: tuple[float, float] = (0.0, 1.0),
    columns: Sequence[str] = (),
) -> None:
    """Rows of images above each other, each with its name on the left: input, target, output of several pairs.

    Parameters
    ----------
    rows : mapping of str to array, shape (n, h, w)
        From a row's name to its images; the columns belong together.
    limits : (float, float)
        Grey values of black and white.
    columns : sequence of str, optional
        Names above the columns.
    """
    low, high = limits
    gap = max(1, next(iter(rows.values())).shape[-1] // 16)
    strips = [_tiled(images, low, high, gap) for images in rows.values()]
    height, width = strips[0].shape
    white = np.full((gap, width), high)
    sheet = np.concatenate([part for strip in strips for part in (strip, white)])[:-gap]
    draw_image(ax, sheet, limits)
    ax.set_yticks([(height - 1) / 2 + k * (height + gap) for k in range(len(rows))], list(rows))
    if columns:
        step = (width + gap) / len(columns)
        ax.set_xticks([(step - gap - 1) / 2 + k * step for k in range(len(columns))], list(columns))
        ax.xaxis.tick_top()
    ax.tick_params(length=0, labelsize=7, colors=LIGHT.ink, pad=2)


def draw_traversal(
    ax: Axes,
    strips: Mapping[str, Float[np.ndarray, "s h w"]],
    t: Sequence[float] | Float[np.ndarray, " s"],
    label: str,
    limits: tuple[float, float] = (0.0, 1.0),
    ticks: int = 5,
) -> None:
    """Images along t, one row for each object or model, with t in natural units below.

    Parameters
    ----------
    strips : mapping of str to array, shape (s, h, w)
        From a row's name (may be blank) to its images.
    t : array, shape (s,)
        In natural units, equally spaced.
    label : str
        Of the axis, with unit: see :func:`unit_label`.
    ticks : int
        At most so many values of t are written.
    """
    draw_pair_strip(ax, strips, limits)
    images = next(iter(strips.values()))
    gap = max(1, images.shape[-1] // 16)
    step = images.shape[-1] + gap
    shown = np.unique(np.linspace(0, len(t) - 1, min(ticks, len(t))).round().astype(int))
    names = [f"{float(t[k]):.3g}".replace("-", "\N{MINUS SIGN}") for k in shown]
    ax.set_xticks([(images.shape[-1] - 1) / 2 + k * step for k in shown], names)
    ax.tick_params(axis="x", length=2, pad=1.5)
    ax.set_xlabel(label, fontsize=8, labelpad=1)


def draw_magnitudes(
    ax: Axes,
    found: Mapping[str, Float[np.ndarray, " n"]] | Float[np.ndarray, " n"],
    truth: Float[np.ndarray, " k"],
    label: str,
    bins: int = 61,
    limits: tuple[float, float] | None = None,
    marks: Sequence[float] = (),
) -> None:
    """Histograms of magnitudes, found over sampled, in natural units.

    Parameters
    ----------
    found : array, or mapping of str to array
        Of one way of finding them, or of several by name; each is an outline, the sampled law a grey area.
    truth : array
        Sampled magnitudes.
    label : str
        Of the axis of t, with unit.
    limits : (float, float), optional
        Of that axis; default the sampled range and a quarter of it on either side. What lies outside is counted in the
        outermost bins: nothing disappears.
    marks : sequence of float
        Values marked by dashed lines.
    """
    named = found if isinstance(found, Mapping) else {"found": found}
    if limits is None:
        low, high = float(np.min(truth)), float(np.max(truth))
        margin = 0.25 * (high - low)
        limits = (low - margin, high + margin)
    edges = np.linspace(*limits, bins + 1)

    def shares(values: np.ndarray) -> np.ndarray:
        counts, _ = np.histogram(np.clip(values, *limits), edges)
        return np.asarray(100 * counts / max(len(values), 1))

    ax.stairs(shares(np.asarray(truth)), edges, fill=True, color="#c9ced6", label="sampled")
    for k, (name, values) in enumerate(named.items()):
        style = ("-", (0, (4, 1.2)), (0, (1, 1)))[k % 3]
        ax.stairs(shares(np.asarray(values)), edges, color=COLOURS[k % 4], linewidth=1.1, linestyle=style, label=name)
    for value in marks:
        ax.axvline(value, color=LIGHT.ink, linewidth=0.7, linestyle=(0, (3, 2)))
    ax.set_xlim(*limits)
    ax.set_xlabel(label, labelpad=2)
    ax.set_ylabel("pairs (%)", labelpad=2)
    style_axes(ax)


def draw_dots(
    ax: Axes,
    rows: Sequence[str],
    values: Mapping[str, Sequence[float]],
    label: str,
    null: Sequence[float] | None = None,
    null_label: str = "no knowledge",
) -> None:
    """A dot plot: one line per row, one marker per series, with null levels as short vertical strokes.

    Parameters
    ----------
    rows : sequence of str
        From top to bottom.
    values : mapping of str to sequence
        From a series' name to one value per row; nan where there is none.
    label : str
        Of the horizontal axis, with unit.
    null : sequence of float, optional
        What an answer without knowledge scores, one per row.
    """
    places = np.arange(len(rows))
    ax.hlines(places, 0, 1, transform=ax.get_yaxis_transform(), color=LIGHT.line, linewidth=0.6, zorder=0)
    if null is not None:
        ax.plot(null, places, "|", color=LIGHT.ink, markersize=8, label=null_label, zorder=1)
    for k, (name, series) in enumerate(values.items()):
        face = "white" if k >= 3 else COLOURS[k % 4]
        ax.plot(
            series,
            places,
            MARKERS[k % len(MARKERS)],
            color=COLOURS[k % 4],
            markerfacecolor=face,
            markersize=4.5,
            label=name,
            zorder=2 + k,
        )
    ax.set_yticks(places, rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(label, labelpad=2)
    style_axes(ax)
    ax.tick_params(axis="y", length=0)
