"""Figure 6: galaxies, by rotation, scale and shift, and different galaxies of one class."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from liescope.data import Corpus, load_corpus, make_pairs
from liescope.evaluation import principal_angles, reconstruction_error
from liescope.reproduce.drawing import (
    draw_pair_strip,
    draw_traversal,
    new_figure,
    panel_letter,
    set_title,
    unit_label,
)
from liescope.reproduce.runs import ORDER, SETUPS, Case, Run, Setup, best_null, run_case
from liescope.reproduce.study import Finding, Reproduction, Request
from liescope.reproduce.verdicts import on_failure, on_success

__all__ = ["make"]

DEFAULT_CORPUS = "hubble"
CLASSES = 4
ROTATION, SCALE = (0, 0, -1, 0, 1, 0), (0, 1, 0, 0, 0, 1)
SHIFT = 15 / 128
"""The paper's largest shift as a share of the image's side."""
OUTSIDE = 1.25
"""Just outside: up to so many times the largest magnitude that was sampled."""
ALPHA = {"GalaxSym rotation": 0.001, "GalaxSym scale": 0.001, "GalaxSym shift": 1.0, "SuperGalaxSym rotation": 1000.0}
"""The published weights of alpha matching."""
QUANTITIES = {"degree": "angle", "log-factor": "scale", "pixel": "shift"}


def make(request: Request) -> Reproduction:
    """Train on the four kinds of pairs, with our default and with the published settings."""
    corpus = galaxies(request)
    runs: list[Run] = []
    rows: list[dict[str, Any]] = []
    plan: list[tuple[Case, Setup]] = [(case, setup) for case in _cases(corpus) for setup in ("default", "paper")]
    count = request.size(80, 2000, 20000)
    for k, (case, setup) in enumerate(plan):
        request.progress(f"{case.label}: {SETUPS[setup]}", k / len(plan))
        changes = {"loss": {"alpha": ALPHA[case.label]}} if setup == "paper" else None
        pairs = case.pairs(count, request.seed, corpus)
        runs.append(run_case(case, setup, request, pairs=pairs, changes=changes))
        rows.append(_row(runs[-1], corpus))
    classes = (
        "its labels" if _own_labels(corpus) else f"{CLASSES} classes of equal size by how concentrated their light is"
    )
    side = runs[0].image_shape[0]
    return Reproduction(
        name="fig6",
        title="Galaxies",
        caption=(
            f"{count:,} pairs of {len(corpus):,} galaxies ({corpus.name}), {side} x {side} pixels cut from the middle "
            "after the transform; held-out pairs: new magnitudes of galaxies that were seen. Left: input, target and "
            "output; right: the first three decoded at equally spaced magnitudes, the outermost frames outside of what "
            "was sampled. (a) Rotation by up to 90 degrees; (b) scale by up to 1.5; (c) shift by up to "
            f"{SHIFT * side:.3g} pixels, the paper's share of the side; (d) rotation by up to 90 degrees of different "
            f"galaxies of one class ({classes}). Where the generator is another than the true one, its t is brought to "
            "the mean and standard deviation of the sampled law."
        ),
        figures={"": _draw([run for run in runs if run.setup == "default"])},
        rows=rows,
        findings=findings(rows),
        settings={
            "scale": request.scale,
            "seed": request.seed,
            "corpus": corpus.name,
            "credit": corpus.credit,
            "classes": classes,
            "runs": [run.used for run in runs],
        },
    )


def _own_labels(corpus: Corpus) -> bool:
    """Whether the classes are the corpus's own."""
    return corpus.label_names != ()


def galaxies(request: Request) -> Corpus:
    """The corpus that was asked for, or one that needs no download; with classes in any case."""
    corpus = load_corpus(request.galaxies or DEFAULT_CORPUS)
    if corpus.labels is not None:
        return dataclasses.replace(corpus, label_names=corpus.label_names or tuple(map(str, np.unique(corpus.labels))))
    light = concentration(np.asarray(corpus.images[:]))
    edges = np.quantile(light, np.linspace(0, 1, CLASSES + 1)[1:-1])
    return dataclasses.replace(corpus, labels=np.searchsorted(edges, light))


def concentration(images: np.ndarray) -> np.ndarray:
    """Light above the image's median within a tenth of the side from the centre, as a share of that within a quarter.

    Parameters
    ----------
    images : array, shape (N, H, W) or (N, C, H, W)
    """
    grey = images.reshape(len(images), -1, *images.shape[-2:]).mean(axis=1)
    light = np.clip(grey - np.median(grey, axis=(1, 2), keepdims=True), 0, None)
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in grey.shape[1:])
    radius = np.hypot(rows[:, None], columns[None]) / max(grey.shape[1:])
    inner, outer = (light[:, radius < limit].sum(axis=1) for limit in (0.1, 0.25))
    share: np.ndarray = inner / np.maximum(outer, 1e-12)
    return share


def _cases(corpus: Corpus) -> list[Case]:
    # The frame of the task decides on the side; a probe of one pair tells it.
    side = make_pairs("galaxsym", transform="rotation", pairs=8, corpus=corpus).source.shape[-1]
    return [
        Case("GalaxSym rotation", "rotation", (90.0,), task="galaxsym"),
        Case("GalaxSym scale", "scale", (float(np.log(1.5)),), task="galaxsym"),
        Case("GalaxSym shift", "translation-x", (SHIFT * side,), task="galaxsym"),
        Case("SuperGalaxSym rotation", "rotation", (90.0,), task="supergalaxsym"),
    ]


def _row(run: Run, corpus: Corpus) -> dict[str, Any]:
    outside = _outside(run, corpus)
    return (
        run.law_row()
        | run.image_row()
        | outside
        | {
            "kinds": " ".join(run.kinds),
            "cosine_rotation": _in_span(run, ROTATION),
            "cosine_scale": _in_span(run, SCALE),
        }
    )


def _in_span(run: Run, field: Sequence[float]) -> float:
    """Cosine of the angle between a field and the span of the found generators."""
    angles = principal_angles([field], run.generators, run.result.basis, run.image_shape)
    return float(np.cos(np.radians(angles[0])))


def _outside(run: Run, corpus: Corpus) -> dict[str, float]:
    """Errors on new pairs with magnitudes just larger than any that was sampled, given these magnitudes."""
    (end,) = run.case.range
    law = f"mixture:uniform:{-OUTSIDE * end},{-end}|uniform:{end},{OUTSIDE * end}"
    count = min(len(run.held), 400)
    pairs = make_pairs(
        run.case.task,
        transform=run.case.transform,
        law=law,
        pairs=count,
        order=ORDER,
        corpus=corpus,
        seed=run.result.seed + 1,
    )
    source, target = np.asarray(pairs.source), np.asarray(pairs.target)
    natural = np.asarray(pairs.magnitude)[:, 0] * run.unit_per_t[0]
    output = run.latent.reconstruct(source, run.raw_t(natural)).reshape(source.shape)
    errors = [reconstruction_error(target, images).mean_squared for images in (output, source)]
    return {"error_outside": errors[0], "error_outside_identity": errors[1]}


def findings(rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """The paper's claims on the figure, judged by its rows."""
    ours, published = ({row["case"]: row for row in rows if row["setup"] == s} for s in ("default", "paper"))
    return [
        _pixels(ours),
        _generators(ours, published),
        _super(*(part["SuperGalaxSym rotation"] for part in (ours, published))),
    ]


def _same(rows: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows.values() if row["task"] == "galaxsym"]


def _pixels(ours: Mapping[str, Mapping[str, Any]]) -> Finding:
    told = "; ".join(
        f"{row['case']} {row['error'] / best_null(row):.2f} inside and "
        f"{row['error_outside'] / row['error_outside_identity']:.2f} just outside"
        for row in _same(ours)
    )
    # A third of what no knowledge scores: "exceptional" must be more than the half that is asked of a good output.
    holds = all(
        3 * row["error"] <= best_null(row) and 3 * row["error_outside"] <= row["error_outside_identity"]
        for row in _same(ours)
    )
    return Finding(
        "Pixel level transformations look exceptional both within and just outside the law of t.",
        "Results, Symmetry detection performance; Fig. 6",
        "Mean squared error as a share of that of the better of input and mean target (inside), of the input (outside, "
        f"up to {OUTSIDE:g} times the range): {told}.",
        on_success(holds),
    )


def _generators(ours: Mapping[str, Mapping[str, Any]], published: Mapping[str, Mapping[str, Any]]) -> Finding:
    def wrong(row: Mapping[str, Any]) -> bool:
        # The paper's own flag, imaginary eigenvalues, and nearly the true field: a centre far away has the flag too.
        return bool(row["kinds"] != "centre" or row["cosine"] < 0.99)

    def told(rows: Mapping[str, Mapping[str, Any]]) -> str:
        return ", ".join(f"{row['case']} {row['cosine']:.4f} ({row['kinds']})" for row in _same(rows))

    name = "GalaxSym rotation"

    def hardest(rows: Mapping[str, Mapping[str, Any]]) -> bool:
        return wrong(rows[name]) and all(row["cosine"] >= rows[name]["cosine"] for row in _same(rows))

    return Finding(
        "Generators are closest to the truth for translation and scaling, but rarely correct for rotation.",
        "Results, Symmetry detection performance; Fig. 6",
        f"Cosine with the true field and kind of the linear part: {told(ours)}; published settings: {told(published)}. "
        f"A random field has {ours[name]['cosine_null']:.2f} with a rotation.",
        on_failure(hardest(ours), hardest(published)),
    )


def _super(ours: Mapping[str, Any], published: Mapping[str, Any]) -> Finding:
    def told(row: Mapping[str, Any]) -> str:
        return f"rotation {row['cosine_rotation']:.2f}, scale {row['cosine_scale']:.2f} ({row['kinds']})"

    # Each of two fields that are mixed in equal parts has a cosine of 0.71 with the mixture; at 0.5 one of them has
    # 0.87: still plain to see.
    return Finding(
        "In the SuperGalaxSym case it seems to learn scaling as well as rotation.",
        "Fig. 6",
        f"Cosine with the found generators: {told(ours)}; published settings: {told(published)}.",
        on_success(min(ours["cosine_rotation"], ours["cosine_scale"]) >= 0.5),
    )


def _draw(runs: Sequence[Run]) -> Figure:
    fig = new_figure(7.2, 1.75 * len(runs))
    axes = fig.subplots(len(runs), 2, width_ratios=[1, 1.75])
    for k, ((left, right), run) in enumerate(zip(axes, runs, strict=True)):
        grey = run.source.reshape(len(run.source), -1, *run.image_shape).mean(axis=1)
        target, output = (
            images.reshape(-1, images.shape[-3] if images.ndim == 4 else 1, *run.image_shape).mean(axis=1)
            for images in (run.target, run.output)
        )
        limits = (0.0, float(np.quantile(grey[:50], 0.995)))
        # The brightest of the first galaxies: most of a deep field's are a few grey levels above the sky.
        shown = np.sort(np.argsort(-grey[:40].max(axis=(1, 2)), kind="stable")[:5])
        draw_pair_strip(
            left,
            {"input": grey[shown], "target": target[shown], "output": output[shown]},
            limits,
            ("1", "2", "3", "4", "5"),
        )
        set_title(left, run.case.label)
        panel_letter(left, k)
        (end,), unit = run.case.range, run.pairs.meta["unit"][0]
        t = np.linspace(-OUTSIDE, OUTSIDE, 11) * end
        strips = run.traverse(run.source[shown[:3]], t)
        draw_traversal(
            right,
            {f"galaxy {n}": strip for n, strip in enumerate(strips, 1)},
            t,
            unit_label(QUANTITIES[unit], unit, not run.in_natural_units),
            limits,
            6,
        )
        set_title(right, "decoded along t")
    return fig
