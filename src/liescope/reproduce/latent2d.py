"""The supplement's two-dimensional latents: a free matrix on a vector instead of a field on a patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from liescope.engines.latent.action import VectorAction, unit_rows
from liescope.evaluation import reconstruction_error
from liescope.geometry import exponential_action
from liescope.report.theme import LIGHT
from liescope.reproduce.drawing import COLOURS, draw_dots, draw_pair_strip, new_figure, panel_letter, style_axes
from liescope.reproduce.runs import Case, Run, best_null, digit_corpus, run_case
from liescope.reproduce.study import Finding, Reproduction, Request
from liescope.reproduce.verdicts import on_success

__all__ = ["findings", "make", "matrix_per_radian"]

Row = Mapping[str, Any]
CASE = Case("rotation ±45°", "rotation", (45.0,))
PATCH = "patch of 9 x 9"
SIZES = (2, 3, 9, 81)
"""Entries of vectors; the last as many as a patch has pixels."""
_TINY_SIZES = (2, 3)
_WORSE = 1.1
_MOST = 0.5
_SHOWN_DIGITS = 12
_SHOWN_LATENTS = 150


def make(request: Request) -> Reproduction:
    """Train with vectors of two and more dimensions and with a patch."""
    sizes = _TINY_SIZES if request.tiny else SIZES
    runs: dict[str, Run] = {}
    models: list[tuple[str, dict[str, Any]]] = [
        (_vector_name(size), {"latent": "vector", "latent_size": size}) for size in sizes
    ]
    models.append((PATCH, {}))
    for k, (name, model) in enumerate(models):
        request.progress(f"latents: {name}", k / len(models))
        runs[name] = run_case(CASE, "default", request, generators=1, changes={"model": model})
    rows = [_row(name, run) for name, run in runs.items()]
    count = len(runs[PATCH].pairs)
    return Reproduction(
        name="latent2d",
        title="Latents of two dimensions",
        caption=(
            f"Rotations of {digit_corpus(request)} by up to 45 degrees, {count:,} pairs, default settings with a warm "
            "start; the latent is a vector moved by exp(tG) with a free matrix G, or a patch. (a) Two-dimensional "
            "latents of held-out digits, each written as its label, and orbits of exp(tG) over the sampled range of t "
            "(orange); dark to light by label. (b) Eigenvalues of the matrices, scaled to the unit of the angle: a "
            "representation of the rotation group has whole multiples of i. (c) Mean squared error of held-out "
            "targets; strokes: the better of the source and the mean target. (d) Held-out pairs and their decoded "
            "moved latents."
        ),
        figures={"": _draw(runs, rows)},
        rows=rows,
        findings=findings(rows),
        settings={"sizes": sizes, "seed": request.seed, "runs": [run.used for run in runs.values()]},
    )


def _vector_name(size: int) -> str:
    return f"vector of {size}"


def _row(name: str, run: Run) -> dict[str, Any]:
    law = run.law_row()
    eigenvalues = _eigenvalues(run)
    still = run.latent.reconstruct(run.target).reshape(run.target.shape)
    return {
        "latents": name,
        "dimension": run.latent.config.model.latent_size,
        **{key: law[key] for key in ("pairs", "held_out", "seed", "cosine", "cosine_null", "pearson", "w1", "w1_null")},
        **run.image_row(),
        "error_of_targets_themselves": reconstruction_error(run.target, still).mean_squared,
        "eigenvalues_per_radian": " ".join(f"{v.real:.3f}{v.imag:+.3f}i" for v in eigenvalues[:9]),
        "turning": bool(np.abs(eigenvalues.imag).max(initial=0.0) > np.abs(eigenvalues.real).max(initial=0.0)),
    }


def matrix_per_radian(run: Run) -> Float[np.ndarray, "d d"] | None:
    """The free matrix of a vector model, for t in radians that grow with the true angle; None of a patch."""
    action = run.latent.model.action
    if not isinstance(action, VectorAction):
        return None
    unit = unit_rows(action.matrices.detach())[0].reshape(action.size, action.size).double().numpy()
    # The model's t of one radian.
    scale = float(run.signs[0]) * 180 / np.pi / float(run.unit_per_t[0])
    matrix: np.ndarray = unit * scale
    return matrix


def _eigenvalues(run: Run) -> np.ndarray:
    """By decreasing imaginary part; none for a patch."""
    matrix = matrix_per_radian(run)
    if matrix is None:
        return np.zeros(0, dtype=complex)
    values = np.linalg.eigvals(matrix).astype(complex)
    return values[np.lexsort((values.real, -values.imag))]


def findings(rows: Sequence[Row]) -> list[Finding]:
    """The paper's sentence on abstract latents, judged by the rows."""
    vectors = sorted((row for row in rows if row["latents"] != PATCH), key=lambda row: int(row["dimension"]))
    patch = next(row for row in rows if row["latents"] == PATCH)
    two, largest = vectors[0], vectors[-1]
    told = ", ".join(f"{row['latents']} {row['error']:.4f}" for row in vectors)
    levels = f"doing nothing {patch['error_identity']:.4f}, the mean target {patch['error_mean_image']:.4f}"
    errors = [row["error"] for row in vectors]
    share = _share(two["error"], largest["error"], patch["error"])
    return [
        Finding(
            "With abstract, two-dimensional latents reconstructions are not of as high a quality as with patches.",
            "Results",
            f"Mean squared error of held-out targets: {two['latents']} {two['error']:.4f}, {PATCH} "
            f"{patch['error']:.4f} ({levels}). Correlation of t {two['pearson']:.3f} and {patch['pearson']:.3f}; the "
            f"pixels' generator has a cosine of {two['cosine']:.4f} and {patch['cosine']:.4f} (random fields "
            f"{two['cosine_null']:.2f}); the free matrix of the two-dimensional latents "
            f"{'turns them more than it stretches' if two['turning'] else 'stretches them more than it turns'} "
            f"(eigenvalues per radian: {two['eigenvalues_per_radian'].replace(' ', ', ')}).",
            # A tenth more than the patch: beyond what another seed changes.
            on_success(two["error"] > _WORSE * patch["error"]),
        ),
        Finding(
            "That is most likely due to the low dimension of the latent space.",
            "Results",
            f"Mean squared error by dimension: {told}; {PATCH} {patch['error']:.4f}; the best that knows nothing "
            f"{best_null(patch):.4f}. As many abstract entries as the patch has pixels close {share:.0%} of the gap "
            "between two of them and the patch.",
            # Most likely the reason: errors fall with the dimension, and it closes more than half of the gap.
            on_success(share > _MOST and all(after < before for before, after in pairwise(errors))),
        ),
    ]


def _share(two: float, largest: float, patch: float) -> float:
    """How much of the gap between two dimensions and a patch further dimensions close; 0 where there is no gap."""
    return (two - largest) / (two - patch) if two > patch else 0.0


def _draw(runs: Mapping[str, Run], rows: Sequence[Row]) -> Figure:
    fig = new_figure(7.2, 6.0)
    above, below = np.asarray(fig.subfigures(2, 1, height_ratios=(1.05, 1)))
    plane, right = np.asarray(above.subfigures(1, 2, width_ratios=(1, 1)))
    ax = plane.subplots()
    _latent_plane(ax, runs[_vector_name(2)])
    upper, lower = right.subplots(2, 1, height_ratios=(1.2, 1))
    _eigenvalue_plane(upper, runs)
    names = [row["latents"] for row in rows]
    draw_dots(
        lower,
        names,
        {"decoded target": [row["error"] for row in rows]},
        "mean squared error",
        null=[best_null(row) for row in rows],
        null_label="no knowledge",
    )
    lower.set_xlim(0, 1.08 * max(max(best_null(row), row["error"]) for row in rows))
    lower.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.3), ncols=2, fontsize=7)
    for k, panel in enumerate((ax, upper, lower)):
        panel_letter(panel, k)
    _reconstructions(below, runs)
    panel_letter(below, 3)
    return fig


def _latent_plane(ax: Axes, run: Run) -> None:
    latents = run.latent.encode(run.source[:_SHOWN_LATENTS])[:, 0]
    labels = np.asarray(run.pairs.label)[run.held][:_SHOWN_LATENTS]
    _orbits(ax, run, latents)
    for z, label in zip(latents, labels, strict=True):
        shade = f"{0.55 * label / 9:.2f}"
        ax.text(float(z[0]), float(z[1]), str(label), fontsize=7, color=shade, ha="center", va="center", clip_on=True)
    # An orbit may leave the picture; the latents fill it.
    low, high = np.quantile(latents, [0.01, 0.99], axis=0)
    margin = 0.1 * (high - low)
    ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
    ax.set_ylim(low[1] - margin[1], high[1] + margin[1])
    ax.set_xlabel("first latent entry")
    ax.set_ylabel("second latent entry")
    style_axes(ax)


def _orbits(ax: Axes, run: Run, latents: Float[np.ndarray, "n 2"]) -> None:
    """Where exp(tG) takes every tenth latent over the sampled range."""
    matrix = matrix_per_radian(run)
    if matrix is None:
        return
    largest = float(np.radians(np.abs(run.true_t[:, 0]).max()))
    steps = torch.linspace(-largest, largest, 41, dtype=torch.float64)
    for z in latents[::10]:
        start = torch.as_tensor(np.tile(z, (len(steps), 1)), dtype=torch.float64)
        path = exponential_action(torch.as_tensor(matrix), start, steps).numpy()
        ax.plot(*path.T, color=COLOURS[1], linewidth=0.8, alpha=0.8, zorder=0)
        ax.annotate(
            "",
            path[-1],
            path[-4],
            arrowprops={"arrowstyle": "->", "color": COLOURS[1], "linewidth": 0.8},
            annotation_clip=True,
        )


def _eigenvalue_plane(ax: Axes, runs: Mapping[str, Run]) -> None:
    ax.axhline(0, color=LIGHT.line, linewidth=0.8, zorder=0)
    ax.axvline(0, color=LIGHT.line, linewidth=0.8, zorder=0)
    for k, (size, marker) in enumerate(((2, "o"), (3, "s"), (9, "^"))):
        run = runs.get(_vector_name(size))
        if run is not None:
            values = _eigenvalues(run)
            ax.plot(
                values.real,
                values.imag,
                marker,
                color=COLOURS[k],
                markersize=5,
                markerfacecolor="none",
                label=f"{size}",
            )
    ax.set_xlabel("real part (1 / radian)")
    ax.set_ylabel("imaginary part")
    ax.legend(
        title="dimension", title_fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=7
    )
    style_axes(ax)


def _reconstructions(panel: SubFigure, runs: Mapping[str, Run]) -> None:
    run = runs[PATCH]
    labels = np.asarray(run.pairs.label)[run.held]
    firsts = [int(np.flatnonzero(labels == digit)[0]) for digit in np.unique(labels)]
    shown = [*firsts, *(k for k in range(len(labels)) if k not in firsts)][:_SHOWN_DIGITS]
    strips = {"source": run.source[shown], "target": run.target[shown]}
    strips |= {name: other.output[shown] for name, other in runs.items()}
    draw_pair_strip(panel.subplots(), strips)
