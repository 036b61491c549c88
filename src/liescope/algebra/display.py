"""A generator as a notebook shows it: its equation, its field in small, what its magnitude counts.

Everything is styled in place, so that nothing leaks into the notebook; letters and lines take the colour of the
text around them, and the others are readable on light and dark grounds.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from liescope.geometry.domain import Domain
from liescope.geometry.grid import Grid

__all__ = ["ACCENT", "SECOND", "Shown", "card", "equation_html", "field_thumbnail", "generator_html", "rows_html"]

ACCENT, SECOND = "#2f80c8", "#cf5f12"
"""Blue and orange with a contrast of at least 3.7 to white and to the grounds of dark notebooks."""

_ARROWS = 9
_UNITS = {"degree": "degrees", "pixel": "pixels", "log-factor": "log-factor", "plain": "(a plain parameter)"}


class Shown(NamedTuple):
    """What is shown of a generator.

    Attributes
    ----------
    equation, name : str
    field : callable
        From points (n, d) to the vectors there, arrays.
    domain : Domain
        Where the field is drawn.
    centre_px : tuple of float or None
    unit : str
    unit_per_t : float
    basis : str
        The basis in words.
    """

    equation: str
    name: str
    field: Callable[[np.ndarray], np.ndarray]
    domain: Domain
    centre_px: tuple[float, ...] | None
    unit: str
    unit_per_t: float
    basis: str


def equation_html(equation: str) -> str:
    """An equation such as ``-y d/dx + x^2 d/dy`` as mathematics; whatever else is in it is escaped."""
    text = re.sub(r"(?<!\w)-", "\N{MINUS SIGN}", html.escape(equation))
    text = re.sub(r"d/d([xyz]|x\d+)\b", "\N{PARTIAL DIFFERENTIAL}<sub>\\1</sub>", text)
    # Monomials, but not the x of "<sub>x" nor of a user's "x-flow".
    text = re.sub(
        r"(?<![\w>-])(?:(?:[xyz]|x\d+)(?:\^\d+)?)+(?![\w-])",
        lambda monomial: re.sub(r"([xyz])(\d*)(?:\^(\d+))?", _power, monomial[0]),
        text,
    )
    # A line may break before a sign, not inside a term.
    text = re.sub(r"(?<=[\d>]) (?=<i>|\N{PARTIAL DIFFERENTIAL})", "\N{NO-BREAK SPACE}", text)
    return re.sub(r"(?<=[+\N{MINUS SIGN}]) ", "\N{NO-BREAK SPACE}", text)


def _power(match: re.Match[str]) -> str:
    number, power = (f"<{tag}>{text}</{tag}>" if text else "" for tag, text in (("sub", match[2]), ("sup", match[3])))
    return f"<i>{match[1]}</i>{number}{power}"


def field_thumbnail(shown: Shown, size: int = 132) -> str:
    """The vector field as a small SVG, ``size`` pixels of the screen on its longer side; empty off pictures."""
    grid = shown.domain
    if not isinstance(grid, Grid) or grid.ndim != 2:
        return ""
    width, height = (size * half for half in (grid.half_width, grid.half_height))
    feet, tips = _arrows(shown.field, grid)
    scale = np.array([size / 2, -size / 2])
    feet, tips = (scale * points + np.array([width, height]) / 2 for points in (feet, tips))
    along = tips - feet
    across = 0.28 * along @ np.array([[0, -1], [1, 0]])
    neck = tips - 0.45 * along
    corners = np.stack([tips, neck + across, neck - across], axis=1)
    shafts = "".join(f"M{_point(a)}L{_point(b)}" for a, b in zip(feet, neck, strict=True))
    heads = "".join(f"M{'L'.join(map(_point, triangle))}Z" for triangle in corners)
    label = html.escape(f"vector field of {shown.equation}")
    return (
        f'<svg role="img" aria-label="{label}" width="{width:g}" height="{height:g}" '
        f'viewBox="-1 -1 {width + 2:g} {height + 2:g}" style="flex:none">'
        f'<rect width="{width:g}" height="{height:g}" fill="none" stroke="currentColor" stroke-opacity="0.4"/>'
        f'<path d="{shafts}" stroke="{ACCENT}" stroke-width="1.2" fill="none"/><path d="{heads}" fill="{ACCENT}"/>'
        f"</svg>"
    )


def _arrows(field: Callable[[np.ndarray], np.ndarray], grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Feet and tips of arrows on a lattice inside the image, the longest as long as the lattice is wide."""
    spacing = 2.0 / _ARROWS
    sides = []
    for half in (grid.half_width, grid.half_height):
        count = max(2, round(2 * half / spacing))
        sides.append((np.arange(count) - (count - 1) / 2) * (2 * half / count))
    points = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    vectors = field(points)
    vectors = vectors * (0.9 * spacing / max(float(np.linalg.norm(vectors, axis=-1).max()), 1e-12))
    # What is shorter than its head would be drawn as a dot without a direction.
    shown = np.linalg.norm(vectors, axis=-1) > 0.1 * spacing
    return points[shown] - vectors[shown] / 2, points[shown] + vectors[shown] / 2


def _point(place: np.ndarray) -> str:
    return f"{place[0]:.1f} {place[1]:.1f}"


def rows_html(rows: Mapping[str, str]) -> str:
    """A small table of names and values; both are escaped."""
    cells = "".join(
        f'<tr style="background:none"><th scope="row" style="text-align:left;font-weight:normal;opacity:0.75;'
        f'padding:1px 12px 1px 0;border:0">{html.escape(name)}</th>'
        f'<td style="text-align:left;padding:1px 0;border:0">{html.escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    return (
        f'<table style="border:0;border-collapse:collapse;margin:4px 0 0;color:inherit;font-size:1em">{cells}</table>'
    )


def card(content: str) -> str:
    """The frame of everything that is shown."""
    return f'<div style="color:inherit;font:13px/1.45 system-ui,sans-serif;max-width:70em;padding:4px">{content}</div>'


def generator_html(shown: Shown, further: Mapping[str, str] | None = None) -> str:
    """Field, equation, name, centre and unit side by side; ``further`` rows come last."""
    rows = {"name": shown.name}
    if shown.centre_px is not None:
        rows["centre"] = f"({', '.join(f'{c:.4g}' for c in shown.centre_px)}) pixels"
    rows["one t is"] = f"{shown.unit_per_t:.4g} {_UNITS.get(shown.unit, shown.unit)}"
    rows["basis"] = shown.basis
    equation = f'<div style="font-size:1.25em"><i>X</i> = {equation_html(shown.equation)}</div>'
    return (
        '<div style="display:flex;flex-wrap:wrap;align-items:center;gap:16px;margin:4px 0">'
        f"{field_thumbnail(shown)}<div>{equation}{rows_html(rows | dict(further or {}))}</div></div>"
    )
