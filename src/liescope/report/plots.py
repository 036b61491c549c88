"""Figures of a result: the vector field, the law of t, sample pairs."""

from __future__ import annotations

from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from liescope.algebra import Generator
from liescope.geometry import Grid
from liescope.report.numbers import error_size, histogram, number, precision
from liescope.report.samples import SampleView, sample_views
from liescope.report.theme import LIGHT, Theme, figure
from liescope.report.words import bare_amount, modes_of
from liescope.result import SymmetryResult

__all__ = ["DIFFERENCE", "plot_field", "plot_magnitudes", "plot_pairs"]

DIFFERENCE = LinearSegmentedColormap.from_list("difference", ["#0b4f8a", "#7db1dc", "#f7f7f5", "#f0a35e", "#a34000"])
"""Blue below, nearly white at zero, orange above."""

_ARROWS = 11
_ORBIT_STEP = 0.03
_ORBIT_STEPS = 110


def plot_field(generator: Generator, ax: Axes | None = None, *, theme: Theme = LIGHT, width: float = 3.6) -> Figure:
    """The vector field on the image domain: x to the right, y up; content moves along the arrows.

    Parameters
    ----------
    generator : Generator
    ax : Axes, optional
        Where to draw; default a new figure.
    theme : Theme
    width : float
        Inches, of a new figure.

    Returns
    -------
    Figure
    """
    grid = Grid.of(*generator.shape)
    if ax is None:
        ax = figure(width, width * (0.1 + 0.9 * grid.half_height / grid.half_width)).axes[0]
    _frame(ax, grid, theme)
    for line in _orbits(generator, grid):
        ax.plot(*line.T, color=theme.line, linewidth=1.0, zorder=1)
    _arrows(ax, generator, grid, theme)
    if generator.centre_px is not None:
        _centre(ax, generator, grid, theme)
    return cast(Figure, ax.get_figure())


def _frame(ax: Axes, grid: Grid, theme: Theme) -> None:
    ax.set_xlim(-grid.half_width, grid.half_width)
    ax.set_ylim(-grid.half_height, grid.half_height)
    ax.set_aspect("equal")
    ax.set_xticks([-grid.half_width, 0, grid.half_width])
    ax.set_yticks([-grid.half_height, 0, grid.half_height])
    ax.xaxis.set_major_formatter(lambda v, _: _minus(number(v)))
    ax.yaxis.set_major_formatter(lambda v, _: _minus(number(v)))
    ax.set_xlabel("x", color=theme.muted, labelpad=0)
    ax.set_ylabel("y", color=theme.muted, labelpad=2, rotation=0, va="center")
    ax.tick_params(colors=theme.muted, length=3)
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color(theme.muted)


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def _lattice(grid: Grid, across: int) -> tuple[np.ndarray, float]:
    """Points inside the domain at equal distances, and the distance."""
    spacing = 2.0 / across
    sides = []
    for half in (grid.half_width, grid.half_height):
        count = max(2, round(2 * half / spacing))
        sides.append((np.arange(count) - (count - 1) / 2) * (2 * half / count))
    xx, yy = np.meshgrid(*sides)
    return np.stack([xx, yy], axis=-1).reshape(-1, 2), spacing


def _orbits(generator: Generator, grid: Grid) -> list[np.ndarray]:
    """A few lines along which points travel, forth and back from a coarse lattice."""
    seeds, _ = _lattice(grid, 5)
    fastest = float(np.linalg.norm(generator.field(_lattice(grid, 9)[0]), axis=-1).max())
    step = _ORBIT_STEP / max(fastest, 1e-12)
    halves = []
    for direction in (-step, step):
        path = [seeds]
        for _ in range(_ORBIT_STEPS):
            moved = np.array(generator.flow(path[-1], direction))
            # Special conformal flows reach infinity: a line ends where it has left the picture.
            moved[np.abs(moved).max(axis=-1) > 1.5] = np.nan
            path.append(moved)
        halves.append(np.stack(path))
    whole = np.concatenate([halves[0][:0:-1], halves[1]])
    return [whole[:, k] for k in range(whole.shape[1])]


def _arrows(ax: Axes, generator: Generator, grid: Grid, theme: Theme) -> None:
    points, spacing = _lattice(grid, _ARROWS)
    vectors = np.asarray(generator.field(points))
    longest = max(float(np.linalg.norm(vectors, axis=-1).max()), 1e-12)
    ax.quiver(
        *points.T,
        *(vectors * (0.92 * spacing / longest)).T,
        angles="xy",
        scale_units="xy",
        scale=1.0,
        pivot="mid",
        color=theme.accent,
        width=0.0065,
        headwidth=4.2,
        headlength=4.6,
        headaxislength=4.1,
        minlength=0.4,
        zorder=3,
    )


def _centre(ax: Axes, generator: Generator, grid: Grid, theme: Theme) -> None:
    if generator.centre_px is None:
        return
    column, row = generator.centre_px
    dx, dy = grid.pitch
    x = (column - (grid.width - 1) / 2) * dx
    y = ((grid.height - 1) / 2 - row) * dy
    if abs(x) > grid.half_width or abs(y) > grid.half_height:
        return
    ax.plot([x], [y], marker="+", markersize=11, markeredgewidth=1.8, color=theme.second, zorder=4)
    # The label stands towards the middle of the picture, where there is room.
    side = -1 if x > 0.4 * grid.half_width else 1
    label = f"({number(round(column, 1), 4)}, {number(round(row, 1), 4)})"
    text = ax.annotate(
        label,
        (x, y),
        xytext=(7 * side, 6),
        textcoords="offset points",
        color=theme.second,
        fontsize=9,
        zorder=5,
    )
    text.set_horizontalalignment("left" if side > 0 else "right")
    text.set_gid("on-field")


def plot_magnitudes(
    result: SymmetryResult,
    ax: Axes | None = None,
    generator: int = 0,
    *,
    theme: Theme = LIGHT,
    width: float = 5.2,
) -> Figure:
    """Histogram of a magnitude over the accepted pairs in natural units, its modes marked.

    Parameters
    ----------
    result : SymmetryResult
    ax : Axes, optional
        Where to draw; default a new figure.
    generator : int
        Which generator's magnitude.
    theme : Theme
    width : float
        Inches, of a new figure.
    """
    found = result.generators[generator].generator
    ax = figure(width, 0.44 * width).axes[0] if ax is None else ax
    bars = histogram(result, generator)
    ax.bar(
        bars.edges[:-1],
        bars.counts,
        width=0.9 * np.diff(bars.edges),
        align="edge",
        color=theme.accent,
        linewidth=0,
    )
    top = max(float(bars.counts.max()), 1.0)
    ax.set_ylim(0, 1.16 * top)
    modes = modes_of(result, generator)
    step = precision(float(bars.edges[0]), float(bars.edges[-1]))
    for place in modes:
        ax.axvline(place, ymax=0.92, color=theme.second, linewidth=1.2, linestyle=(0, (4, 2)))
        label = _minus(bare_amount(found, place, step))
        ax.annotate(label, (place, 1.09 * top), ha="center", color=theme.second, fontsize=9)
    ax.set_xlabel(_axis_label(found), color=theme.ink)
    ax.set_ylabel("pairs", color=theme.ink)
    ax.tick_params(colors=theme.muted, length=3)
    ax.spines[["left", "bottom"]].set_color(theme.muted)
    ax.spines[["top", "right"]].set_visible(False)
    if found.unit == "log-factor":
        _factor_axis(ax, theme)
    if bars.outside:
        note = f"{bars.outside} more outside"
        ax.annotate(note, (1, 1), xycoords="axes fraction", ha="right", va="top", color=theme.muted, fontsize=8)
    return cast(Figure, ax.get_figure())


def _axis_label(generator: Generator) -> str:
    words = {
        "degree": "angle (degrees, positive is counter-clockwise)",
        "log-factor": "scale factor (logarithmic axis)",
        "pixel": "shift (pixels)",
        "plain": "parameter",
    }
    return words.get(generator.unit, generator.unit)


def _factor_axis(ax: Axes, theme: Theme) -> None:
    """Ticks at round factors on an axis of log-factors: people read x0.8, not -0.22."""
    low, high = ax.get_xlim()
    for choices in (
        [0.1, 0.2, 0.5, 1, 2, 5, 10],
        [0.25, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 4],
        [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.4, 1.6, 1.8, 2],
        [0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2],
    ):
        inside = [f for f in choices if low <= np.log(f) <= high]
        if len(inside) >= 4:
            ax.set_xticks(np.log(inside), [f"\N{MULTIPLICATION SIGN}{f:g}" for f in inside])
            ax.set_xlim(low, high)
            ax.tick_params(colors=theme.muted)
            return


def plot_pairs(result: SymmetryResult, count: int = 6, *, theme: Theme = LIGHT) -> Figure:
    """Sample pairs, one a row: source, target, transported source, difference.

    Parameters
    ----------
    result : SymmetryResult
        With ``samples``.
    count : int
        Number of pairs at most.
    """
    views = sample_views(result)[:count]
    names = ["source", "target", "transported", "difference"]
    fig = figure(6.2, 1.65 * max(1, len(views)), columns=len(names), rows=max(1, len(views)))
    for ax in fig.axes:
        ax.set_axis_off()
    for row, view in enumerate(views):
        _pair_row(fig.axes[4 * row : 4 * row + 4], view, names if row == 0 else None, theme)
    return fig


def _pair_row(axes: list[Axes], view: SampleView, names: list[str] | None, theme: Theme) -> None:
    images = (view.source, view.target, view.transported, view.difference)
    for k, (ax, image) in enumerate(zip(axes, images, strict=True)):
        if image is None:
            continue
        if k == 3:
            ax.imshow(image, cmap=DIFFERENCE, vmin=-1, vmax=1, interpolation="nearest")
        else:
            ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        if names:
            ax.set_title(names[k], color=theme.ink, fontsize=9)
    caption = f"{': '.join(filter(None, (view.kind, view.caption)))}\nerror {error_size(view.residual)}"
    axes[0].annotate(
        caption,
        (0, -0.04),
        xycoords="axes fraction",
        va="top",
        color=theme.muted,
        fontsize=8,
        annotation_clip=False,
    )
