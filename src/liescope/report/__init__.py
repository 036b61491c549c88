"""Pictures, words and the page of a result."""

from liescope.report.page import render_page, write_page
from liescope.report.plots import plot_field, plot_magnitudes, plot_pairs

__all__ = ["plot_field", "plot_magnitudes", "plot_pairs", "render_page", "write_page"]
