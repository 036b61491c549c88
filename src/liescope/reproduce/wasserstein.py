"""Wasserstein distances between found and true laws of t: transforms, laws, tasks, engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from liescope.reproduce.drawing import draw_dots, legend_above, new_figure, panel_letter, set_title
from liescope.reproduce.runs import Case, Run, Setup, digit_corpus, pair_count, run_case, settings_of
from liescope.reproduce.study import Finding, Reproduction, Request
from liescope.reproduce.verdicts import on_failure, on_success

__all__ = ["make"]

TRANSFORMS: Mapping[str, tuple[str, float, str]] = {
    "rotation": ("rotation ±60°", 60.0, "affine"),
    "scale": ("scale ±0.45", 0.45, "affine"),
    "translation-x": ("translation ±5 px", 5.0, "affine"),
    "shear-x": ("shear ±0.6", 0.6, "affine"),
    "sct-x": ("special conformal ±0.5", 0.5, "quadratic"),
}
LAWS = ("uniform", "five-modal", "normal")
TASKS: Mapping[str, str] = {"symnist": "SyMNIST, one digit", "supersymnist": "SuperSyMNIST, different digits"}
ENGINES: Mapping[Setup, str] = {
    "registration": "registration",
    "default": "latent, our default",
    "paper": "latent, published settings",
}
MEASURES: Mapping[str, str] = {"w1_standardised": "W1 (standard deviations)", "w1": "W1 (share of the range)"}
_WORSE = 1.5
SHORTER = 0.6
"""Trainings are so long compared with those of the other figures: there are many."""


def make(request: Request) -> Reproduction:
    """Measure every combination of transform, law, task and engine."""
    transforms = list(TRANSFORMS)[: request.size(1, 3, 5)]
    laws = LAWS[: request.size(1, 2, 3)]
    seeds = range(request.seed, request.seed + request.size(1, 1, 3))
    plan = [
        (transform, law, task, setup, seed)
        for transform in transforms
        for law in laws
        for task in TASKS
        for setup in ENGINES
        for seed in seeds
    ]
    runs: list[Run] = []
    rows: list[dict[str, Any]] = []
    for k, (transform, law, task, setup, seed) in enumerate(plan):
        label, end, basis = TRANSFORMS[transform]
        request.progress(f"{label}, {law}, {task}: {setup}", k / len(plan))
        case = Case(f"{label}, {law}", transform, (end,), law, task, basis)
        runs.append(run_case(case, setup, request, seed=seed, changes=_shorter(setup, request)))
        rows.append(runs[-1].law_row())
    return Reproduction(
        name="wasserstein",
        title="Wasserstein distances between the laws of magnitudes",
        caption=(
            "1-Wasserstein distance between the law of t on held-out pairs and the sampled one. (a, b) Both brought "
            "to mean 0 and variance 1, the smaller of both signs, as the paper normalises; (c, d) in natural units of "
            "the true generator, as a share of the sampled range. Strokes: a normal law with the sampled mean and "
            f"variance. {len(runs[0].pairs):,} pairs of {digit_corpus(request)}, a fifth of them held out, "
            f"{len(seeds)} seed{'s (mean shown)' if len(seeds) > 1 else ''}."
        ),
        figures={"": _draw(rows)},
        rows=rows,
        findings=findings(rows),
        settings={"scale": request.scale, "seed": request.seed, "runs": [run.used for run in runs]},
    )


def _shorter(setup: Setup, request: Request) -> dict[str, Any]:
    if setup == "registration":
        return {}
    epochs = settings_of(setup, request, pair_count(request), {})["training"]["epochs"]
    epochs = max(1, round(SHORTER * epochs))
    return {"training": {"epochs": epochs} | ({"distil_epochs": epochs // 2} if setup == "default" else {})}


def findings(rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """The paper's claims on laws of t, judged by the rows."""
    return [_good(rows), _modes(rows), _degrades(rows)]


def _part(rows: Sequence[Mapping[str, Any]], setup: str, task: str = "symnist") -> list[Mapping[str, Any]]:
    return [row for row in rows if (row["setup"], row["task"]) == (setup, task)]


def near(row: Mapping[str, Any]) -> bool:
    """Whether a law's shape is told from a normal one: at most half as far from the truth."""
    null = row["w1_standardised_null"]
    # As near as a normal law is all that could be asked where the sampled law is one, cut at two deviations.
    return bool(row["w1_standardised"] <= (0.5 * null if null >= NEAR_NORMAL else null))


NEAR_NORMAL = 0.1
"""Standard deviations: a normal law that is nearer than this is near itself."""


def _good(rows: Sequence[Mapping[str, Any]]) -> Finding:
    told = []
    for setup, name in ENGINES.items():
        part = _part(rows, setup)
        values = [row["w1_standardised"] for row in part]
        told.append(
            f"{name} {np.median(values):.3f} (worst {max(values):.3f}), {sum(map(near, part))} of {len(part)} near"
        )
    null = np.median([row["w1_standardised_null"] for row in _part(rows, "default")])
    return Finding(
        "Laws of t are quantitatively very good.",
        "Discussion",
        f"Median standardised W1 on pairs of one digit: {'; '.join(told)}; a normal law {null:.3f}. Near: at most half "
        f"of what the normal law scores, or as much where that is less than {NEAR_NORMAL:g}.",
        on_success(all(map(near, _part(rows, "default")))),
    )


def _modes(rows: Sequence[Mapping[str, Any]]) -> Finding:
    told = []
    for setup, name in ENGINES.items():
        part = _part(rows, setup)
        told.append(f"{name} {sum(row['modes'] == row['modes_sampled'] for row in part)} of {len(part)}")
    part = _part(rows, "default")
    guess = sum(row["modes_null"] == row["modes_sampled"] for row in part)
    return Finding(
        "The number of modes in the outputs of the t-network matches the augmentations.",
        "Discussion",
        f"Right number of modes, pairs of one digit: {'; '.join(told)}; a normal law {guess} of {len(part)}.",
        on_success(all(row["modes"] == row["modes_sampled"] for row in part)),
    )


def _degrades(rows: Sequence[Mapping[str, Any]]) -> Finding:
    told, worse = [], {}
    for setup, name in ENGINES.items():
        same, other = (np.median([row["w1_standardised"] for row in _part(rows, setup, task)]) for task in TASKS)
        told.append(f"{name} {same:.3f} and {other:.3f}")
        worse[setup] = bool(other > _WORSE * same) and not all(map(near, _part(rows, setup, "supersymnist")))
    return Finding(
        "Laws of t degrade for pairs of different digits.",
        "Results, Transformation magnitude distribution",
        f"Median standardised W1 with one digit and with different digits: {'; '.join(told)}.",
        # What degrades is worse than with one digit, and no longer told from a normal law; one case is enough.
        on_failure(worse["default"], worse["paper"]),
    )


def _draw(rows: Sequence[Mapping[str, Any]]) -> Figure:
    names = list(dict.fromkeys(row["case"] for row in rows))
    fig = new_figure(7.2, 2.0 + 0.36 * len(names))
    axes = fig.subplots(2, 2, sharex="row", sharey=True)
    for k, (measure, label) in enumerate(MEASURES.items()):
        for j, (task, title) in enumerate(TASKS.items()):
            ax = axes[k, j]

            def mean(name: str, setup: str, key: str, task: str = task) -> float:
                return float(np.mean([row[key] for row in _part(rows, setup, task) if row["case"] == name]))

            series = {text: [mean(name, setup, measure) for name in names] for setup, text in ENGINES.items()}
            null = [mean(name, "default", f"{measure}_null") for name in names]
            draw_dots(ax, names, series, label, null, "normal law")
            # Distances of engines differ by powers of ten.
            ax.set_xscale("log")
            ax.xaxis.set_minor_formatter(NullFormatter())
            set_title(ax, title)
            panel_letter(ax, 2 * k + j)
    legend_above(fig, axes[0, 0])
    return fig
