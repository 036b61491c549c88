"""Figures as SVG for inside an HTML page."""

from __future__ import annotations

from liescope.algebra import Generator
from liescope.answer import Answer
from liescope.report.plots import field_height, plot_field, plot_magnitudes
from liescope.report.theme import PAGE, figure, page_svg

__all__ = ["field_svg", "law_svg"]


def field_svg(generator: Generator, prefix: str, label: str, width: float = 3.6) -> str:
    """The vector field in the page's colours.

    Parameters
    ----------
    generator : Generator
    prefix, label
        As of :func:`liescope.report.theme.page_svg`.
    width : float
        Inches: the smaller, the larger the letters beside the drawing.
    """
    fig = figure(width, field_height(generator, width))
    plot_field(generator, fig.axes[0], theme=PAGE)
    return page_svg(fig, prefix, label)


def law_svg(result: Answer, index: int, prefix: str, label: str, width: float = 5.2) -> str:
    """The histogram of one generator's magnitudes in the page's colours; parameters as of :func:`field_svg`."""
    fig = figure(width, 0.44 * width)
    plot_magnitudes(result, index, fig.axes[0], theme=PAGE)
    return page_svg(fig, prefix, label)
