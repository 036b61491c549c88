"""Every transform on every corpus that needs no download, and on those that ``--corpus`` names.

``python -m benchmarks.corpora [--corpus galaxies.npz]``
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.cases import Case, Setting, Target
from benchmarks.columns import EXACT_NOTE, READING_NOTE, columns
from benchmarks.command import Options, main
from benchmarks.sweep import sweep, warm_up
from liescope.evaluation.bench.options import corpus_name
from liescope.evaluation.bench.record import Record
from liescope.evaluation.bench.table import Column, Table

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


def _cases(side: int) -> list[Case]:
    shift = round(TRANSLATION_SHARE * side, 1)
    translations = [Case(name, name, shift) for name in ("translation-x", "translation-y")]
    return translations + [Case(name, name, extent) for name, extent in SHARES.items()]


def _settings(corpus: str, side: int, cropped: bool) -> dict[Setting, Target]:
    task = "galaxsym" if cropped else "symnist"
    target = Target(COSINES.get(corpus, OTHER_COSINE), seconds=20.0)
    bases = {case: "quadratic" if case.name.startswith("sct") else "affine" for case in _cases(side)}
    return {Setting(case, 3, basis=basis, corpus=corpus, task=task): target for case, basis in bases.items()}


def run(options: Options) -> Record:
    """13 transforms x 4 corpora and more, cubic interpolation, 2,000 pairs each."""
    count = 64 if options.tiny else 2000
    seeds = options.seeds or (0,)
    plan: dict[Setting, Target] = {}
    for corpus, side in SIDES.items():
        plan |= _settings(corpus, side, corpus in CROPPED)
    for corpus in options.corpora:
        plan |= _settings(corpus, 35, cropped=True)
    if options.tiny:
        plan = dict(list(plan.items())[2:4])
    warm_up(tiny=options.tiny)
    rows, runs = sweep(plan, seeds, count)
    for row, setting in zip(rows, plan, strict=True):
        row["corpus"] = corpus_name(setting.corpus)
    table = Table(
        f"Corpora, order 3, {count:,} pairs",
        columns(Column("corpus", lambda row: str(row["corpus"]))),
        rows,
        (READING_NOTE, EXACT_NOTE),
    )
    # The results name a file, not the machine's folders.
    named = [replace(run, setting=replace(run.setting, corpus=corpus_name(run.setting.corpus))) for run in runs]
    used = {"pairs": count, "seeds": seeds, "tiny": options.tiny, "corpora": [row["corpus"] for row in rows]}
    return Record("corpora", "Corpora", (table,), named, used)


if __name__ == "__main__":
    main({"corpora": run})
