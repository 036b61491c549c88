"""Every transform on every corpus that needs no download, and on those that ``--corpus`` names.

``liescope bench corpora [--corpus galaxies.npz]``
"""

from __future__ import annotations

from liescope.evaluation.benchmarks.columns import EXACT_NOTE, READING_NOTE, columns
from liescope.evaluation.benchmarks.options import Options, corpus_name
from liescope.evaluation.benchmarks.problems import Problem, Target
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.sweep import sweep, warm_up
from liescope.evaluation.benchmarks.table import Column, Table

SHARES = {
    "rotation": 60.0,
    "scale": 0.3,
    "scale-x": 0.3,
    "scale-y": 0.3,
    "shear-x": 0.4,
    "shear-y": 0.4,
    "hyperbolic": 0.3,
    "hyperbolic-diagonal": 0.3,
    "spiral": 45.0,
    "sct-x": 0.4,
    "sct-y": 0.4,
}
"""Half-widths in natural units; translations are given as a share of the image's side."""

TRANSLATION_SHARE = 0.15
SIDES = {"mnist-5k": 28, "digits8": 8, "hubble": 32, "faces": 25}
"""Corpora that ship with dependencies, and the side of the pairs made from them (pixels)."""

CROPPED = {"hubble"}
COSINES = {"mnist-5k": 0.9995}
OTHER_COSINE = 0.999


def _plan(corpus: str, side: int, cropped: bool, count: int) -> dict[Problem, Target]:
    shift = round(TRANSLATION_SHARE * side, 1)
    extents = {"translation-x": shift, "translation-y": shift, **SHARES}
    target = Target(COSINES.get(corpus, OTHER_COSINE), seconds=20.0)
    return {
        Problem(
            name,
            extent,
            pairs=count,
            basis="quadratic" if name.startswith("sct") else "affine",
            corpus=corpus,
            task="galaxsym" if cropped else "symnist",
        ): target
        for name, extent in extents.items()
    }


def layout(title: str = "") -> list[Column]:
    """The columns of the table."""
    return columns(Column("corpus", lambda row: str(row["corpus"])))


def run(options: Options) -> Record:
    """13 transforms x 4 corpora and more, cubic interpolation, 2,000 pairs each."""
    count = 64 if options.tiny else 2000
    seeds = options.seeds or (0,)
    plan: dict[Problem, Target] = {}
    for corpus, side in SIDES.items():
        plan |= _plan(corpus, side, corpus in CROPPED, count)
    for corpus in options.corpora:
        plan |= _plan(corpus, 35, cropped=True, count=count)
    if options.tiny:
        plan = dict(list(plan.items())[2:4])
    warm_up(tiny=options.tiny)
    rows, runs = sweep("corpora", plan, seeds, options)
    for row, problem in zip(rows, plan, strict=True):
        row["corpus"] = corpus_name(problem.corpus)
    table = Table(f"Corpora, order 3, {count:,} pairs", layout(), rows, (READING_NOTE, EXACT_NOTE))
    used = {"pairs": count, "seeds": seeds, "tiny": options.tiny, "corpora": [row["corpus"] for row in rows]}
    return Record("corpora", "Corpora", (table,), runs, used)
