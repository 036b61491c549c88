"""Pictures, words and the page of a result."""

from liescope.report.compare import render_comparison, write_comparison
from liescope.report.film import plot_frames
from liescope.report.folder import write_folder
from liescope.report.orbit import plot_orbit
from liescope.report.page import render_page, write_page
from liescope.report.pairs import plot_pairs
from liescope.report.plots import plot_field, plot_magnitudes

__all__ = [
    "plot_field",
    "plot_frames",
    "plot_magnitudes",
    "plot_orbit",
    "plot_pairs",
    "render_comparison",
    "render_page",
    "write_comparison",
    "write_folder",
    "write_page",
]
