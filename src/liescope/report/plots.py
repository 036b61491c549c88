"""Figures of a result: the vector field and the law of t."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from liescope.algebra import Generator
from liescope.answer import Answer
from liescope.answer.numbers import number
from liescope.answer.parts import DetectedGenerator
from liescope.errors import InputError
from liescope.geometry import Grid, flow
from liescope.report.numbers import histogram, precision
from liescope.report.theme import LIGHT, Theme, new_axes
from liescope.report.words import bare_amount, modes_of

__all__ = [
    "DIFFERENCE",
    "chosen_generator",
    "factor_axis",
    "field_height",
    "magnitude_label",
    "minus",
    "plot_field",
    "plot_magnitudes",
]

DIFFERENCE = LinearSegmentedColormap.from_list("difference", ["#0b4f8a", "#7db1dc", "#f7f7f5", "#f0a35e", "#a34000"])
"""Blue below, nearly white at zero, orange above."""

_ARROWS = 11
_ORBIT_STEP = 0.03
_ORBIT_STEPS = 110


def plot_field(
    generator: Generator | DetectedGenerator, ax: Axes | None = None, *, theme: Theme = LIGHT, width: float = 3.6
) -> Axes:
    """The vector field on the image domain: x to the right, y up; content moves along the arrows.

    Parameters
    ----------
    generator : Generator or DetectedGenerator
    ax : Axes, optional
        Where to draw; default a new figure.
    theme : Theme
    width : float
        Inches, of a new figure.

    Returns
    -------
    Axes
        In normalised coordinates: the longer side of the image is [-1, 1].
    """
    g = generator.generator if isinstance(generator, DetectedGenerator) else generator
    grid = Grid.of(*g.shape)
    if ax is None:
        ax = new_axes(width, field_height(g, width))[0, 0]
    _frame(ax, grid, theme)
    for line in _orbits(g, grid):
        ax.plot(*line.T, color=theme.line, linewidth=1.0, zorder=1)
    _arrows(ax, g, grid, theme)
    if g.centre_px is not None:
        _centre(ax, g, grid, theme)
    return ax


def field_height(generator: Generator, width: float) -> float:
    """The height at which a field of that width has no empty margins."""
    grid = Grid.of(*generator.shape)
    return width * (0.1 + 0.9 * grid.half_height / grid.half_width)


def _frame(ax: Axes, grid: Grid, theme: Theme) -> None:
    ax.set_xlim(-grid.half_width, grid.half_width)
    ax.set_ylim(-grid.half_height, grid.half_height)
    ax.set_aspect("equal")
    ax.set_xticks([-grid.half_width, 0, grid.half_width])
    ax.set_yticks([-grid.half_height, 0, grid.half_height])
    ax.xaxis.set_major_formatter(lambda v, _: minus(number(v)))
    ax.yaxis.set_major_formatter(lambda v, _: minus(number(v)))
    ax.set_xlabel("x (normalised)", color=theme.muted, labelpad=0)
    ax.set_ylabel("y (normalised)", color=theme.muted, labelpad=-4)
    ax.tick_params(colors=theme.muted, length=3)
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color(theme.muted)


def minus(text: str) -> str:
    """A number with a minus sign in place of the hyphen."""
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
        moves = torch.as_tensor(generator.coefficients * direction, dtype=torch.float64)
        path = [seeds]
        for _ in range(_ORBIT_STEPS):
            # Each is as short as one Runge-Kutta step can be; asking every time how many it takes is the slow part.
            moved = flow(generator.basis, moves, torch.as_tensor(path[-1]), steps=1).numpy()
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
    result: Answer,
    generator: int = 0,
    ax: Axes | None = None,
    *,
    theme: Theme = LIGHT,
    width: float = 5.2,
) -> Axes:
    """Histogram of a magnitude over the accepted pairs in natural units, its modes marked.

    Parameters
    ----------
    result : Answer
    generator : int
        Which generator's magnitude.
    ax : Axes, optional
        Where to draw; default a new figure.
    theme : Theme
    width : float
        Inches, of a new figure.

    Raises
    ------
    InputError
        The result has no such generator.
    """
    found = chosen_generator(result, generator)
    ax = new_axes(width, 0.44 * width)[0, 0] if ax is None else ax
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
        label = minus(bare_amount(found, place, step))
        ax.annotate(label, (place, 1.09 * top), ha="center", color=theme.second, fontsize=9)
    ax.set_xlabel(magnitude_label(found), color=theme.ink)
    ax.set_ylabel("number of pairs", color=theme.ink)
    ax.tick_params(colors=theme.muted, length=3)
    ax.spines[["left", "bottom"]].set_color(theme.muted)
    ax.spines[["top", "right"]].set_visible(False)
    if found.unit == "log-factor":
        factor_axis(ax, theme)
    if bars.outside:
        note = f"{bars.outside} more outside"
        ax.annotate(note, (1, 1), xycoords="axes fraction", ha="right", va="top", color=theme.muted, fontsize=8)
    return ax


def chosen_generator(result: Answer, index: int) -> Generator:
    """One generator of a result."""
    count = len(result.generators)
    if not 0 <= index < count:
        raise InputError(f"expected generator= below {count}, the result's number of generators, got {index}")
    return result.generators[index].generator


def magnitude_label(generator: Generator) -> str:
    """What an axis of magnitudes counts."""
    words = {
        "degree": "angle (degrees, positive is counter-clockwise)",
        "log-factor": "scale factor (logarithmic axis)",
        "pixel": "shift (pixels)",
        "plain": "parameter",
    }
    return words.get(generator.unit, generator.unit)


def factor_axis(ax: Axes, theme: Theme, vertical: bool = False) -> None:
    """Ticks at round factors on an axis of log-factors: people read x0.8, not -0.22."""
    low, high = ax.get_ylim() if vertical else ax.get_xlim()
    for choices in (
        [0.1, 0.2, 0.5, 1, 2, 5, 10],
        [0.25, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 4],
        [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.4, 1.6, 1.8, 2],
        [0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2],
    ):
        inside = [f for f in choices if low <= np.log(f) <= high]
        if len(inside) >= 4:
            labels = [f"\N{MULTIPLICATION SIGN}{f:g}" for f in inside]
            if vertical:
                ax.set_yticks(np.log(inside), labels)
                ax.set_ylim(low, high)
            else:
                ax.set_xticks(np.log(inside), labels)
                ax.set_xlim(low, high)
            ax.tick_params(colors=theme.muted)
            return
