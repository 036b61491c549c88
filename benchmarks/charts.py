"""Plots of the public benchmark: colours that all kinds of colour vision tell apart, and a marker for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from liescope.report.theme import LIGHT, figure

__all__ = ["CHARTS", "Chart"]

Record = Mapping[str, Any]
Row = Mapping[str, Any]

# Okabe and Ito's colours, dark enough for a white ground, each with a marker of its own.
_STYLES = (
    ("#0072b2", "o"),
    ("#d55e00", "s"),
    ("#009e73", "^"),
    ("#cc79a7", "D"),
    ("#56b4e9", "v"),
    ("#3b3b3b", "P"),
)
_FLOOR = 1e-9  # of 1 - cosine: below it single precision says nothing
_LEAST_PIXELS = 1e-3  # of an error: exact ones are drawn there
_MODEST: Mapping[str, Any] = {"marker": "_", "color": LIGHT.muted, "s": 160, "linewidths": 1.5}


class Chart(NamedTuple):
    """A figure, and what it shows in words."""

    figure: Figure
    words: str


def _compared(record: Record, by: str, words: str) -> Chart:
    """Shortfall of the cosine and distance of the laws, transforms on the axis, a mark for each ``by``."""
    rows: Sequence[Row] = record["tables"][0]["rows"]
    transforms = list(dict.fromkeys(row["transform"] for row in rows))
    kinds = list(dict.fromkeys(row[by] for row in rows))
    fig = figure(9.0, 3.9, columns=2)
    left, right = fig.axes
    for number, kind in enumerate(kinds):
        own = [row for row in rows if row[by] == kind]
        colour, marker = _STYLES[number % len(_STYLES)]
        shift = (number - (len(kinds) - 1) / 2) * 0.7 / max(len(kinds), 3)
        places = np.array([transforms.index(row["transform"]) + shift for row in own])
        style: dict[str, Any] = {"color": colour, "marker": marker, "s": 26, "label": kind, "zorder": 3}
        left.scatter(places, [_shortfall(row["cosine"]) for row in own], **style)
        right.scatter(places, [_percent(row["w1"]) for row in own], **style)
        right.scatter(places, [_percent(row["null_w1"]) for row in own], **_MODEST, zorder=2)
    places = np.arange(len(transforms), dtype=float)
    levels = [np.mean([row["null_cosine"] for row in rows if row["transform"] == name]) for name in transforms]
    left.scatter(places, [_shortfall(level) for level in levels], **_MODEST, label="knowing nothing", zorder=2)
    targets = sorted({row["target"] for row in rows if row["target"] is not None}, reverse=True)
    for target, dashes in zip(targets, ("--", ":"), strict=False):
        style = {"color": LIGHT.muted, "linewidth": 1.0, "linestyle": dashes, "zorder": 1}
        left.axhline(1 - target, label=f"target {target}", **style)
    left.set_ylabel("1 − cosine of the fields, worst seed")
    right.set_ylabel("W1 of t, worst seed (% of the range)")
    for axes in (left, right):
        _over_transforms(axes, transforms)
    handles, labels = left.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 7), frameon=False, fontsize=8)
    return Chart(fig, words)


def _shortfall(cosine: float | None) -> float:
    return max(1.0 - (cosine or 0.0), _FLOOR)


def _percent(share: float | None) -> float:
    return np.nan if share is None else max(100 * share, 1e-3)


def _over_transforms(axes: Axes, transforms: Sequence[str]) -> None:
    axes.set_yscale("log")
    axes.set_xticks(range(len(transforms)), transforms, rotation=35, ha="right")
    axes.set_xlim(-0.6, len(transforms) - 0.4)
    axes.grid(axis="y", color=LIGHT.line, linewidth=0.6)
    axes.set_axisbelow(True)


def _headline(record: Record) -> Chart:
    return _compared(
        record,
        "law",
        "Registration: how far the worst cosine of every transform is from 1, and the distance of the found law of t, "
        "beside their null levels",
    )


def _methods(record: Record) -> Chart:
    return _compared(
        record,
        "method",
        "Methods: how far the worst cosine of every transform is from 1, and the distance of the found law of t, "
        "beside their null levels; a mark for each law",
    )


def _symnist(record: Record) -> Chart:
    return _compared(
        record,
        "law",
        "SymNIST of 2023: how far the worst cosine is from 1, and the distance of the found law of t, for three laws",
    )


def _lconv(record: Record) -> Chart:
    """Matrix cosines beside the published ones."""
    rows: Sequence[Row] = record["tables"][0]["rows"]
    bars = {
        "found": "matrix_cosine",
        "found, pixels from d/2": "matrix_cosine_half_pixel",
        "published, angles given": "published",
    }
    fig = figure(5.2, 3.4)
    (axes,) = fig.axes
    width = 0.26
    for number, (label, key) in enumerate(bars.items()):
        places = np.arange(len(rows)) + (number - 1) * width
        values = [row[key] for row in rows]
        hatch = (None, "//", "..")[number]
        drawn = axes.bar(
            places, values, 0.9 * width, color=_STYLES[number][0], hatch=hatch, edgecolor="white", label=label
        )
        axes.bar_label(drawn, fmt="%.3g", fontsize=8, padding=2)
    axes.set_xticks(range(len(rows)), [f"{row['side']} x {row['side']} pixels" for row in rows])
    axes.set_ylabel("cosine of the generators' matrices")
    axes.set_ylim(0, 1.12)
    fig.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return Chart(
        fig, "Rotated noise: cosine between the matrices of the found and of the true generator, by image size"
    )


def _pictures(record: Record) -> Chart:
    """How often every method is right, and the error of its motions, kinds on the axis."""
    tables = {table["title"]: table["rows"] for table in record["tables"]}
    verdicts: Sequence[Row] = tables["Kinds of pictures"]
    errors: Mapping[str, Row] = {row["kind"]: row for row in tables.get("Motion of every pair", ())}
    kinds = [row["kind"] for row in verdicts]
    methods = ("liescope", *verdicts[0]["peers"])
    fig = figure(9.0, 6.4, rows=2)
    above, below = fig.axes
    for number, name in enumerate(methods):
        colour, marker = _STYLES[number]
        places = np.arange(len(kinds)) + (number - (len(methods) - 1) / 2) * 0.14
        style: dict[str, Any] = {"color": colour, "marker": marker, "s": 20, "label": name, "zorder": 3}
        shares = [row["right"] if name == "liescope" else row["peers"][name] for row in verdicts]
        above.scatter(places, [np.nan if share is None else 100 * share for share in shares], **style)
        found = [errors[kind]["errors"][name] if kind in errors else None for kind in kinds]
        below.scatter(places, [np.nan if error is None else max(error, _LEAST_PIXELS) for error in found], **style)
    above.set_ylabel("right (% of the runs)")
    above.set_ylim(-5, 105)
    below.set_ylabel("median error (px)")
    below.set_yscale("log")
    for axes in (above, below):
        axes.set_xlim(-0.6, len(kinds) - 0.4)
        axes.grid(axis="y", color=LIGHT.line, linewidth=0.6)
        axes.set_axisbelow(True)
    above.set_xticks(range(len(kinds)), [""] * len(kinds))
    below.set_xticks(range(len(kinds)), kinds, rotation=60, ha="right")
    handles, labels = above.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False, fontsize=8)
    return Chart(
        fig, "Real pictures: how often every method is right, and the median error of the motions it finds, by kind"
    )


CHARTS: Mapping[str, Sequence[Callable[[Record], Chart]]] = {
    "headline": (_headline,),
    "methods": (_methods,),
    "lconv": (_lconv,),
    "symnist2023": (_symnist,),
    "pictures": (_pictures,),
    "type2": (),
}
"""Plots of every public benchmark."""
