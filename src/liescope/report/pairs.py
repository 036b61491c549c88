"""Sample pairs as a figure."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from liescope.answer import Answer
from liescope.answer.numbers import error_size
from liescope.errors import InputError
from liescope.report.plots import DIFFERENCE, minus
from liescope.report.samples import SampleView, sample_views
from liescope.report.theme import LIGHT, Theme, new_axes

__all__ = ["plot_pairs"]


def plot_pairs(result: Answer, count: int = 6, axes: np.ndarray | None = None, *, theme: Theme = LIGHT) -> np.ndarray:
    """Sample pairs, one a row: source, target, transported source, difference.

    Parameters
    ----------
    result : Answer
        With ``samples``.
    count : int
        Number of pairs at most.
    axes : array of Axes, shape (rows, 4), optional
        Where to draw; default a new figure.
    theme : Theme

    Returns
    -------
    array of Axes, shape (rows, 4)
        The best pairs first, then typical, worst and rejected ones.
    """
    views = sample_views(result)[:count]
    names = ["source", "target", "transported", "difference"]
    rows = max(1, len(views))
    axes = new_axes(6.2, 1.65 * rows, columns=len(names), rows=rows) if axes is None else axes
    if axes.ndim != 2 or axes.shape[1] != len(names):
        raise InputError(f"expected axes of shape (rows, {len(names)}), got {axes.shape}, try squeeze=False")
    for ax in axes.flat:
        ax.set_axis_off()
    for row, (place, view) in enumerate(zip(axes, views, strict=False)):
        _pair_row(list(place), view, names if row == 0 else None, theme)
    return axes


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
    caption = f"{': '.join(filter(None, (view.kind, minus(view.caption))))}\nerror {error_size(view.residual)}"
    axes[0].annotate(
        caption,
        (0, -0.04),
        xycoords="axes fraction",
        va="top",
        color=theme.muted,
        fontsize=8,
        annotation_clip=False,
    )
