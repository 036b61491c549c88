"""Colours and matplotlib settings of every figure.

Blue and orange are told apart by every kind of colour vision, and nothing is said by colour alone. On the
page the colours are names, so that light, dark and paper each give them their own value.
"""

from __future__ import annotations

import re
from io import StringIO
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

__all__ = ["LIGHT", "PAGE", "Theme", "figure", "new_axes", "page_svg"]


class Theme(NamedTuple):
    """Colours by their part in a figure."""

    ink: str
    muted: str
    line: str
    accent: str
    second: str


LIGHT = Theme(ink="#1b1d21", muted="#5a6270", line="#dfe2e7", accent="#1f6fb2", second="#c24e00")

# Stand-ins that no figure uses otherwise; page_svg turns them into the page's CSS variables.
PAGE = Theme(ink="#010203", muted="#020304", line="#030405", accent="#040506", second="#050607")

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "liescope",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "axes.unicode_minus": True,
}


def figure(width: float, height: float, columns: int = 1, rows: int = 1) -> Figure:
    """A figure (inches) that belongs to no pyplot state and no display."""
    with mpl.rc_context(_SETTINGS):
        fig = Figure(figsize=(width, height), layout="constrained", facecolor="white")
        fig.subplots(rows, columns, squeeze=False)
    return fig


def new_axes(width: float, height: float, columns: int = 1, rows: int = 1) -> np.ndarray:
    """Axes (rows, columns) of a new pyplot figure (inches): notebooks show it, scripts save ``ax.figure``."""
    # pyplot looks for a display when it is imported: not before somebody wants a figure.
    import matplotlib.pyplot as plt

    with mpl.rc_context(_SETTINGS):
        fig = plt.figure(figsize=(width, height), layout="constrained", facecolor="white")
        axes: np.ndarray = fig.subplots(rows, columns, squeeze=False)
    return axes


def page_svg(fig: Figure, prefix: str, label: str) -> str:
    """A figure drawn in PAGE colours, as SVG for inside an HTML page.

    Parameters
    ----------
    prefix : str
        Distinguishes the identifiers of this drawing from those of others on the page.
    label : str
        What the figure shows, in words, for readers who do not see it (plain text without markup characters).
    """
    buffer = StringIO()
    with mpl.rc_context(_SETTINGS):
        fig.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # A style element would hold for the whole page that the drawing lies in.
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    for name, colour in PAGE._asdict().items():
        text = text.replace(colour, f"var(--{name})")
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', text)
    # The page decides on width and typeface.
    opening = re.match(r"<svg[^>]*>", text)
    box = re.search(r'viewBox="[^"]+"', text)
    if opening is None or box is None:
        raise RuntimeError("matplotlib wrote an SVG without an opening tag or a view box")
    head = f'<svg {box[0]} role="img" aria-label="{label}" xmlns:xlink="http://www.w3.org/1999/xlink" {_places(fig)} '
    head += 'stroke-linejoin="round">'
    return head + text[opening.end() :]


def _places(fig: Figure) -> str:
    """Where the first axes lie (left, top, width, height in the drawing's units) and what they span, for scripts."""
    if not fig.axes:
        return ""
    width, height = (72 * inches for inches in fig.get_size_inches())
    ax = fig.axes[0]
    # Saving has laid the figure out: positions are final.
    place = ax.get_position()
    frame = (place.x0 * width, (1 - place.y1) * height, place.width * width, place.height * height)
    limits = (*ax.get_xlim(), *ax.get_ylim())
    frame_text, limits_text = (" ".join(f"{value:.6g}" for value in values) for values in (frame, limits))
    return f'data-frame="{frame_text}" data-limits="{limits_text}"'
