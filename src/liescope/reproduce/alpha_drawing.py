"""The two pictures of figure 7."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from liescope.algebra import Generator
from liescope.geometry import Grid
from liescope.report import plot_field
from liescope.report.plots import DIFFERENCE
from liescope.reproduce.drawing import (
    COLOURS,
    draw_image,
    draw_pair_strip,
    legend_above,
    new_figure,
    panel_letter,
    set_title,
    style_axes,
)
from liescope.reproduce.runs import Run

__all__ = ["draw_bare_field", "draw_latents", "draw_sweep", "own_orbit"]

Row = Mapping[str, Any]
_LOOKS = {
    ("order 1", "cold"): ("order 1, cold", COLOURS[1], "s", "-"),
    ("order 2", "cold"): ("order 2, cold", COLOURS[1], "^", "--"),
    ("exact", "cold"): ("exact, cold", COLOURS[0], "o", "-"),
    ("exact", "searched"): ("exact, searched", COLOURS[0], "D", ":"),
}
_PAIRS = 5
_STEPS = 7


def own_orbit(run: Run, images: Float[np.ndarray, "n h w"], t: Float[np.ndarray, " s"]) -> Float[np.ndarray, "n s h w"]:
    """Images decoded at magnitudes in natural units, brought to mean and deviation of what the t-network answers.

    Cold starts with a small weight, and all Taylor forms, leave the scale of t to the decoder; without this their
    orbits would run far out of what the model has seen, or stand still.
    """
    own, true = run.raw[:, 0], run.true_t[:, 0]
    steps = own.mean() + run.signs[0] * own.std() / true.std() * (t - true.mean())
    decoded: np.ndarray = run.latent.traverse(images, steps).mean(axis=2)
    return decoded


def draw_bare_field(ax: Axes, run: Run) -> None:
    """The flow field of a run's first generator, whatever the verdict on it, without ticks and labels."""
    plot_field(Generator(run.generators[0] * run.signs[0], run.result.basis, run.image_shape), ax)
    # The mark of a centre, which only recognised fields have, and its label.
    for mark in [*ax.texts, *(line for line in ax.lines if line.get_marker() == "+")]:
        mark.remove()
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("")
    ax.set_ylabel("")


def draw_sweep(
    rows: Sequence[Row], runs: Mapping[tuple[str, float], Run], shown: Sequence[float], angle: float, steps: int
) -> Figure:
    """Cosines over weights and over ranges; orbits and fields of the cold starts.

    Parameters
    ----------
    rows : sequence of mappings
    runs : mapping
        From form and weight to the cold start.
    shown : sequence of float
        Weights whose orbits and fields are drawn.
    angle : float
        Half of the range of angles.
    steps : int
        Digits along an orbit.
    """
    fig = new_figure(7.2, 8.2)
    above, below = np.asarray(fig.subfigures(2, 1, height_ratios=(1, 2.7)))
    left, right = above.subplots(1, 2, width_ratios=(1.6, 1), sharey=True)
    _curves(left, [row for row in rows if row["range_deg"] == angle], "weight")
    left.set_xscale("log")
    left.set_xlabel("weight of alpha matching")
    left.set_ylabel("cosine with truth")
    at = {row["weight"] for row in rows if row["range_deg"] != angle}
    _curves(right, [row for row in rows if row["weight"] in at and row["start"] == "cold"], "range_deg")
    right.set_xlabel("largest angle (degrees)")
    right.set_xticks(sorted({row["range_deg"] for row in rows}))
    for k, ax in enumerate((left, right)):
        ax.set_ylim(0, 1.03)
        style_axes(ax)
        panel_letter(ax, k)
    legend_above(above, left, 5)
    _orbits_and_fields(below, runs, shown, np.linspace(-angle, angle, steps))
    panel_letter(below, 2)
    return fig


def _curves(ax: Axes, rows: Sequence[Row], axis: str) -> None:
    for (form, start), (label, colour, marker, line) in _LOOKS.items():
        own = sorted((r for r in rows if (r["form"], r["start"]) == (form, start)), key=lambda row: float(row[axis]))
        if own:
            ax.plot(
                [row[axis] for row in own],
                [row["cosine"] for row in own],
                line,
                color=colour,
                marker=marker,
                markersize=4,
                # Where both starts agree, both stay visible.
                markerfacecolor="white" if start == "searched" else colour,
                linewidth=1.1,
                label=label,
                clip_on=False,
                zorder=4 if start == "searched" else 3,
            )
    if rows:
        ax.axhspan(rows[0]["cosine_null"], rows[0]["cosine_null_tail"], color="#e4e6ea", zorder=0, label="random field")


def _orbits_and_fields(
    panel: SubFigure, runs: Mapping[tuple[str, float], Run], shown: Sequence[float], angles: np.ndarray
) -> None:
    forms = list(dict.fromkeys(form for form, _ in runs))
    axes = panel.subplots(2 * len(forms), len(shown), height_ratios=(1.3, 5) * len(forms), squeeze=False)
    for r, form in enumerate(forms):
        for c, weight in enumerate(shown):
            run = runs[form, weight]
            digit = _digit(run)
            strip, field = axes[2 * r, c], axes[2 * r + 1, c]
            draw_pair_strip(strip, {"": own_orbit(run, run.source[digit : digit + 1], angles)[0]})
            draw_bare_field(field, run)
            field.set_xlabel(f"cosine {run.cosines[0]:.3f}", fontsize=7, labelpad=2)
            if r == 0:
                set_title(strip, f"weight {weight:g}")
        axes[2 * r + 1, 0].set_ylabel(form, fontsize=8, labelpad=6)


def _digit(run: Run) -> int:
    """The first held-out seven (not the same turned by any angle), or the first digit."""
    labels = np.asarray(run.pairs.label)[run.held]
    return int(np.argmax(labels == 7))


def draw_latents(runs: Mapping[float, Run]) -> Figure:
    """Pairs, their latents and t; a line and a blob in the latent patch, moved by exp(tG). One column a weight."""
    fig = new_figure(7.2, 4.6)
    columns = np.atleast_1d(np.asarray(fig.subfigures(1, len(runs), wspace=0.04)))
    for k, (weight, run) in enumerate(runs.items()):
        upper, lower = columns[k].subplots(2, 1, height_ratios=(4, 2.2))
        _pairs_and_latents(upper, run)
        set_title(upper, f"weight {weight:g}: cosine {run.cosines[0]:.3f}")
        _moved_patterns(lower, run)
        panel_letter(columns[k], k)
    return fig


def _pairs_and_latents(ax: Axes, run: Run) -> None:
    """Source, target and their latents as one sheet, with the model's and the true t below, in the latter's order."""
    chosen = np.argsort(run.true_t[:_PAIRS, 0])
    height, width = run.image_shape
    latents = [run.latent.encode(images[chosen])[:, 0] for images in (run.source, run.target)]
    largest = max(float(np.abs(z).max()) for z in latents)
    side = run.latent.config.model.side
    coloured = [DIFFERENCE(0.5 + 0.5 * z.reshape(-1, side, side) / largest)[..., :3] for z in latents]
    shown = [np.repeat(images[chosen][..., None], 3, axis=-1) for images in (run.source, run.target)]
    rows = {"source": shown[0], "latent": coloured[0], "target": shown[1], "its latent": coloured[1]}
    gap = 2
    strips = [
        np.concatenate([_framed(_enlarged(image, height, width), gap) for image in images], axis=1)
        for images in rows.values()
    ]
    ax.imshow(np.clip(np.concatenate(strips), 0, 1), interpolation="nearest")
    step_y, step_x = height + 2 * gap, width + 2 * gap
    ax.set_yticks([step_y * (k + 0.5) for k in range(len(rows))], list(rows))
    names = [
        f"{found:.0f}\n({true:.0f})".replace("-", "\N{MINUS SIGN}")
        for found, true in zip(run.found_t[chosen, 0], run.true_t[chosen, 0], strict=True)
    ]
    ax.set_xticks([step_x * (k + 0.5) for k in range(len(chosen))], names)
    ax.set_xlabel("t of the model (of the truth), degrees", fontsize=8, labelpad=1)
    ax.tick_params(length=0, labelsize=7)
    ax.spines[:].set_visible(False)


def _enlarged(image: Float[np.ndarray, "a b c"], height: int, width: int) -> Float[np.ndarray, "h w c"]:
    """Pixels repeated to a given size, by the nearest."""
    rows = np.arange(height) * image.shape[0] // height
    columns = np.arange(width) * image.shape[1] // width
    large: np.ndarray = image[rows][:, columns]
    return large


def _framed(image: Float[np.ndarray, "h w c"], gap: int) -> Float[np.ndarray, "k l c"]:
    return np.pad(image, ((gap, gap), (gap, gap), (0, 0)), constant_values=1.0)


def _moved_patterns(ax: Axes, run: Run) -> None:
    """A line segment and an off-centre Gaussian blob on the latent patch, moved by the model's exp(tG)."""
    side = run.latent.config.model.side
    x, y = Grid.of(side, side).points(dtype=torch.float64).numpy().T
    patterns = {
        "line": ((np.abs(y) < 1.01 / side) & (np.abs(x) < 0.6)).astype(float),
        "blob": np.exp(-((x - 0.4) ** 2 + (y - 0.2) ** 2) / (2 * 0.2**2)),
    }
    largest = float(np.abs(run.true_t[:, 0]).max())
    angles = np.linspace(-largest, largest, _STEPS)
    # In true units: what the latent generator would do if it were the one of the pixels.
    t = angles * run.signs[0] / run.unit_per_t[0]
    rows = {name: _moved(run, pattern, t).reshape(-1, side, side) for name, pattern in patterns.items()}
    gap = 1
    sheet = np.concatenate(
        [np.concatenate([np.pad(p, gap, constant_values=np.nan) for p in r], 1) for r in rows.values()]
    )
    draw_image(ax, sheet)
    ax.images[0].set_cmap(DIFFERENCE)
    ax.images[0].set_clim(-1, 1)
    step = side + 2 * gap
    ax.set_yticks([step * (k + 0.5) for k in range(len(rows))], list(rows))
    ax.set_xticks(
        [step * (k + 0.5) for k in range(_STEPS)],
        [f"{angle:.0f}".replace("-", "\N{MINUS SIGN}") for angle in angles],
    )
    ax.set_xlabel("t applied in the latent patch (degrees)", fontsize=8, labelpad=1)
    ax.tick_params(length=0, labelsize=7)


def _moved(run: Run, pattern: Float[np.ndarray, " d"], t: Float[np.ndarray, " s"]) -> Float[np.ndarray, "s d"]:
    model = run.latent.model
    latents = torch.as_tensor(np.tile(pattern, (len(t), 1)), dtype=torch.float32)
    with torch.no_grad():
        moved = model.move(latents, torch.as_tensor(t, dtype=torch.float32)[:, None])
    return np.asarray(moved)
