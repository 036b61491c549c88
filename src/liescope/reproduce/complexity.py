"""The supplement's comparison of costs: one optimisation step against the image's and the latent patch's size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from liescope.reproduce.drawing import COLOURS, legend_above, new_figure, panel_letter, style_axes
from liescope.reproduce.steps import ANGLE, MOST_BYTES, MOST_WORK, WAYS, timed_steps
from liescope.reproduce.study import Finding, Reproduction, Request
from liescope.reproduce.verdicts import on_failure, on_success

__all__ = ["findings", "fitted_exponent", "make"]

Row = Mapping[str, Any]


_BLUE, _ORANGE, _, _GREY = COLOURS
LOOKS: Mapping[str, tuple[str, str, str, str]] = {
    "networks": ("networks alone", ":", "", _GREY),
    "exact": ("ours, exact", "-", "o", _BLUE),
    "order 1": ("ours, order 1", "-", "s", _BLUE),
    "order 2": ("ours, order 2", "-", "^", _BLUE),
    "dense order 1": ("dense, order 1", "--", "s", _ORANGE),
    "dense order 2": ("dense, order 2", "--", "^", _ORANGE),
    "brute force": ("dense, brute force", "--", "D", _ORANGE),
}
"""Label, line, marker and colour of every way to compute the step."""


def make(request: Request) -> Reproduction:
    """Time steps of ours, of the networks alone and of the published formulation with all of its matrices."""
    batch = request.size(4, 64, 256)
    repeats = request.size(1, 7, 15)
    sides = (8, 12) if request.tiny else (14, 28, 56, 112)
    latents = (4,) if request.tiny else (5, 16)
    middle = sides[1]
    latent = 5 if request.tiny else 9
    cells = [(side, latent, tuple(WAYS)) for side in sides]
    # The cost in pixel space is the same for every latent patch: order 1 stands for the dense forms.
    some = ("networks", "exact", "order 1", "order 2", "dense order 1")
    cells += [(middle, other, some) for other in latents]
    rows: list[dict[str, Any]] = []
    for k, (side, patch, ways) in enumerate(cells):
        request.progress(f"steps of {side} x {side} images, latent patches of {patch} x {patch}", k / len(cells))
        rows += timed_steps(side, patch, ways, batch, repeats, request.seed)
    growth = _growth(rows, latent, middle)
    return Reproduction(
        name="complexity",
        title="Cost of a step",
        caption=(
            f"Seconds of one optimisation step (forward and backward pass, Adam) for {batch} pairs of digits turned by "
            f"up to {ANGLE:g} degrees, published networks, threads: {torch.get_num_threads()}, medians of steps that "
            f"take turns. (a) Against the image's side, latent patches of {latent} x {latent}; (b) against the latent "
            f"patch's, images of {middle} x {middle}. Dense: the published formulation with a matrix exponential of "
            "the latent patch and a matrix of all pixels for each pair, the latter a Taylor polynomial of order 1 or 2 "
            "or an exponential (brute force). Open markers were measured with fewer pairs and scaled. Dense steps of "
            f"more than {MOST_BYTES / 1e9:g} GB or {MOST_WORK / 1e9:g} billion operations for a single pair are left "
            "out. In the key: fitted powers of the number of pixels n."
        ),
        figures={"": _draw(rows, latent, middle, growth)},
        rows=rows,
        findings=findings(rows, growth),
        settings={
            "batch": batch,
            "repeats": repeats,
            "threads": torch.get_num_threads(),
            "sides": sides,
            "latent_sides": sorted({latent, *latents}),
            "config": "paper",
            "growth": growth,
            "seed": request.seed,
        },
    )


def fitted_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float | None:
    """The exponent p of seconds = c sizes^p, least squares of the logarithms; None for fewer than two sizes."""
    if len(set(sizes)) < 2:
        return None
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _growth(rows: Sequence[Row], latent: int, middle: int) -> dict[str, dict[str, float | None]]:
    """Exponents in the number of pixels of the image, and of the latent patch."""
    grown: dict[str, dict[str, float | None]] = {}
    for way in WAYS:
        for axis, held, value in (("image", "latent_side", latent), ("latent", "image_side", middle)):
            own = [row for row in rows if row["way"] == way and row[held] == value and row["seconds"]]
            exponent = fitted_exponent([row[f"{axis}_side"] ** 2 for row in own], [row["seconds"] for row in own])
            grown.setdefault(way, {})[axis] = exponent
    return grown


def findings(rows: Sequence[Row], growth: Mapping[str, Mapping[str, float | None]]) -> list[Finding]:
    """The paper's claims on complexity, judged by the rows and the fitted exponents."""
    return [_brute(rows), _networks(rows, growth), _second_order(rows, growth), _second_against_brute(rows)]


def _sides_of(rows: Sequence[Row], first: str, second: str) -> list[tuple[int, float, float]]:
    """(image side, seconds, seconds) where both were measured, at the latent side of the whole sweep."""
    found = []
    latent = Counter(row["latent_side"] for row in rows).most_common(1)[0][0]
    for row in rows:
        if row["way"] != first or row["latent_side"] != latent or not row["seconds"]:
            continue
        other = [
            r["seconds"]
            for r in rows
            if (r["way"], r["image_side"], r["latent_side"]) == (second, row["image_side"], row["latent_side"])
        ]
        if other and other[0]:
            found.append((row["image_side"], row["seconds"], other[0]))
    return found


def _ratios(compared: Sequence[tuple[int, float, float]]) -> str:
    return ", ".join(f"{second / first:.1f} times at {side} x {side}" for side, first, second in compared)


def _brute(rows: Sequence[Row]) -> Finding:
    published, ours = _sides_of(rows, "dense order 1", "brute force"), _sides_of(rows, "exact", "brute force")
    return Finding(
        "With first-order alpha matching the latent model needs the exponential of the latent patch alone: it is "
        "better than brute force.",
        "Method, Computational complexity",
        f"Brute force takes longer than the published formulation with order 1 by {_ratios(published)}, and than our "
        f"exact form, which needs no polynomial, by {_ratios(ours)}.",
        on_success(bool(published) and all(brute > dense for _, dense, brute in published)),
    )


def _networks(rows: Sequence[Row], growth: Mapping[str, Mapping[str, float | None]]) -> Finding:
    names = ("networks", "exact", "order 1", "order 2")
    own = {name: growth[name]["image"] for name in names}
    known = [exponent for exponent in own.values() if exponent is not None]
    told = ", ".join(f"{LOOKS[name][0]} {value:.2f}" for name, value in own.items() if value is not None)
    dense = growth["dense order 1"]["image"]
    against = _sides_of(rows, "exact", "dense order 1")
    beside = "" if dense is None else f"; dense, order 1 {dense:.2f}"
    return Finding(
        "The networks scale predominantly with input size; the complexity is always better than that of matrices of "
        "all pixels.",
        "Method, Computational complexity",
        f"Fitted exponents of the number of pixels: {told}{beside}. Our exact form takes {_overhead(rows)} as long as "
        f"the networks alone; order 1 with matrices takes longer than it by {_ratios(against)}.",
        # Linear in pixels, and a fifth for what a fit over few sizes, with caches in between, may be off.
        on_success(bool(known) and max(known) <= 1.2 and all(matrices > own for _, own, matrices in against)),
    )


def _overhead(rows: Sequence[Row]) -> str:
    found = [exact / bare for _, bare, exact in _sides_of(rows, "networks", "exact")]
    return f"{min(found):.2f} to {max(found):.2f} times"


def _second_order(rows: Sequence[Row], growth: Mapping[str, Mapping[str, float | None]]) -> Finding:
    ours = [second / first for _, first, second in _sides_of(rows, "order 1", "order 2")]
    dense = _sides_of(rows, "dense order 1", "dense order 2")
    exponents = [growth[name]["image"] for name in ("dense order 1", "dense order 2")]
    told = " and ".join("unknown" if value is None else f"{value:.2f}" for value in exponents)
    first, second = exponents
    # Matrix products add a whole power of the number of pixels; half of one shows through the networks' share.
    published = first is not None and second is not None and second - first >= 0.5
    return Finding(
        "The second-order Taylor term introduces the scaling of a matrix-matrix product; more efficient procedures are "
        "left for future work.",
        "Method, Computational complexity",
        f"Dense: order 2 takes longer than order 1 by {_ratios(dense)}, fitted exponents of the number of pixels "
        f"{told}. Ours: order 2 takes {min(ours):.2f} to {max(ours):.2f} times as long as order 1; it applies the "
        "derivative to the images twice and builds no matrix.",
        # A quarter is far from any further power, and more than an idle machine's scatter.
        on_failure(float(np.median(ours)) > 1.25, published),
    )


def _second_against_brute(rows: Sequence[Row]) -> Finding:
    compared = _sides_of(rows, "dense order 2", "brute force")
    return Finding(
        "With the second-order term the burden is still lower than that of a matrix exponential.",
        "Method, Computational complexity",
        f"Brute force takes longer than dense order 2 by {_ratios(compared)}.",
        on_success(bool(compared) and all(brute > dense for _, dense, brute in compared)),
    )


# What is drawn


def _draw(rows: Sequence[Row], latent: int, middle: int, growth: Mapping[str, Mapping[str, float | None]]) -> Figure:
    fig = new_figure(7.2, 3.6)
    left, right = fig.subplots(1, 2, sharey=True, width_ratios=(1.25, 1))
    for k, (ax, axis, held, value) in enumerate(
        ((left, "image", "latent_side", latent), (right, "latent", "image_side", middle))
    ):
        chosen = [row for row in rows if row[held] == value and row["seconds"]]
        _curves(ax, chosen, axis, growth)
        sides = sorted({row[f"{axis}_side"] for row in chosen})
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xticks(sides, [str(side) for side in sides])
        ax.minorticks_off()
        ax.set_xlabel(f"{axis} side (pixels)")
        style_axes(ax)
        panel_letter(ax, k)
    left.set_ylabel("time of a step (s)")
    legend_above(fig, left, 4)
    return fig


def _curves(ax: Axes, rows: Sequence[Row], axis: str, growth: Mapping[str, Mapping[str, float | None]]) -> None:
    for name, (label, line, marker, colour) in LOOKS.items():
        own = sorted((row for row in rows if row["way"] == name), key=lambda row: int(row[f"{axis}_side"]))
        if len(own) < 2:
            continue
        x, y = [row[f"{axis}_side"] for row in own], [row["seconds"] for row in own]
        exponent = growth[name][axis]
        label = label if exponent is None else f"{label} ($n^{{{exponent:.1f}}}$)"
        ax.plot(x, y, line, color=colour, marker=marker, markersize=4, linewidth=1.1, label=label)
        part = [row for row in own if row["measured_batch"] < row["batch"]]
        ax.plot(
            [row[f"{axis}_side"] for row in part],
            [row["seconds"] for row in part],
            marker,
            color=colour,
            markersize=4,
            markerfacecolor="white",
            zorder=3,
        )
