"""What is told and shown where distributions were compared: distances, the law as a curve, mean images."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from liescope.answer import Answer
from liescope.answer.numbers import number, p_value_words, percent
from liescope.report.numbers import unit_label
from liescope.report.plots import factor_axis, magnitude_label
from liescope.report.theme import PAGE, Theme, figure, page_svg
from liescope.report.typesetting import escaped
from liescope.report.views import Picture, data_uri

__all__ = ["SetsView", "compared_sets", "draw_law", "pairs_words", "sets_view", "sets_words"]

_WIDTH, _HEIGHT = 4.6, 2.8
_NAMES = ("before", "after", "before, moved by the law")


class SetsView(NamedTuple):
    """The section of two sets: laws as curves, one a generator, and mean images."""

    laws: list[Markup]
    means: list[Picture]


def compared_sets(result: Answer) -> dict[str, Any]:
    """What was found out by comparing distributions; empty where pairs were compared."""
    return dict(result.evidence.get("sets") or {})


def pairs_words(result: Answer) -> str:
    """How many images were looked at: "5,000 and 4,000 images", "5,000 pairs"."""
    told = compared_sets(result)
    return f"{told['before']:,} and {told['after']:,} images" if result.kind == "sets" else f"{result.pairs:,} pairs"


def sets_words(result: Answer) -> list[str]:
    """What speaks for the verdict, in sentences."""
    told = compared_sets(result)
    p = p_value_words(float(result.evidence["p_value"]))
    before, after = (float(result.evidence[key]) for key in ("identity_error", "heldout_error"))
    words = [f"Between sets of one distribution a distance like that of these two would turn up by chance with {p}."]
    if "removed" in told:
        noise = number(float(told["noise"]), 2)
        words.append(
            f"Of images that the fit did not see, the energy distance of the two sets is {number(before, 2)} as they "
            f"are and {number(max(after, 0.0), 2)} after moving the first one: {percent(_gone(told['removed']))} of it "
            f"is gone. Of sets of one distribution it varies by {noise} about 0."
        )
        grey, mirror = (percent(_gone(told[key])) for key in ("removed_by_grey_values", "removed_by_mirror"))
        words.append(f"Without any motion, other grey values would take away {grey} of it, and a mirror {mirror}.")
    if result.generators and result.t_error is not None and len(result.t_error):
        errors = [
            f"{number(abs(float(np.median(column)) * g.generator.unit_per_t), 2)} {unit_label(g.generator)}"
            for g, column in zip(result.generators, result.t_error.T, strict=True)
        ]
        words.append(
            f"The magnitude of a single image is uncertain by about {', '.join(errors)}, as images of one kind differ "
            "anyway; the law is known much better than that."
        )
    return words


def _gone(share: float) -> float:
    return min(max(float(share), 0.0), 1.0)


def sets_view(result: Answer, means: np.ndarray | None) -> SetsView | None:
    """Curves and mean images; None where no law was found between sets.

    Parameters
    ----------
    means : array, shape (3, H, W), or None
        Mean images of the first set, the second, and the first one moved.
    """
    laws = compared_sets(result).get("law")
    if not laws or len(laws) != len(result.generators):
        return None
    drawn = []
    for index in range(len(laws)):
        fig = figure(_WIDTH, _HEIGHT)
        draw_law(result, index, fig.axes[0], PAGE)
        label = f"Law of magnitude {index + 1}: share of the images that were moved by less, with its band"
        drawn.append(Markup(page_svg(fig, f"quantiles{index}", escaped(label))))
    return SetsView(drawn, _pictures(means))


def draw_law(result: Answer, index: int, ax: Axes, theme: Theme) -> None:
    """The share of images that were moved by less than a magnitude, with a band of 95 %."""
    g = result.generators[index].generator
    law = compared_sets(result)["law"][index]
    u, t, low, high = (np.asarray(law[key], dtype=np.float64) for key in ("u", "t", "low", "high"))
    ax.fill_betweenx(u, low * g.unit_per_t, high * g.unit_per_t, color=theme.accent, alpha=0.25, linewidth=0)
    ax.plot(t * g.unit_per_t, u, color=theme.accent, linewidth=1.4)
    ax.set_ylim(0, 1)
    ax.set_xlabel(magnitude_label(g), color=theme.ink)
    ax.set_ylabel("share moved by less", color=theme.ink)
    ax.tick_params(colors=theme.muted, length=3)
    ax.spines[["left", "bottom"]].set_color(theme.muted)
    ax.spines[["top", "right"]].set_visible(False)
    if g.unit == "log-factor":
        factor_axis(ax, theme)


def _pictures(means: np.ndarray | None) -> list[Picture]:
    if means is None or not np.isfinite(means).all():
        return []
    low, high = float(means.min()), float(means.max())
    shades = (means - low) / (high - low if high > low else math.inf)
    return [Picture(data_uri(image), f"mean image {name}", name) for image, name in zip(shades, _NAMES, strict=True)]
