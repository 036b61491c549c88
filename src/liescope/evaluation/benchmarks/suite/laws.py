"""The law of the magnitudes: its distance from the truth and the number of its modes."""

from __future__ import annotations

from dataclasses import replace

from liescope.evaluation.benchmarks.columns import EXACT_NOTE, LAW, MODES, READING_NOTE, columns
from liescope.evaluation.benchmarks.options import Options
from liescope.evaluation.benchmarks.problems import AFFINE, LAW_MODES, Target
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.sweep import sweep, warm_up
from liescope.evaluation.benchmarks.table import Column, Table

CASES = ("rotation", "scale", "translation-x")


def layout(title: str = "") -> list[Column]:
    """The columns of the table."""
    return columns(LAW, MODES)


def run(options: Options) -> Record:
    """5 laws x 3 transforms x 3 seeds, 5,000 pairs each."""
    count = 200 if options.tiny else 5000
    seeds = options.seeds or ((0,) if options.tiny else (0, 1, 2))
    cases, laws = (CASES[:1], ["two-modal"]) if options.tiny else (CASES, list(LAW_MODES))
    plan = {
        replace(AFFINE[name], order=3, law=law, pairs=count): Target(0.9995, 5.0, w1=0.01, modes=LAW_MODES[law])
        for name in cases
        for law in laws
    }
    warm_up(tiny=options.tiny)
    rows, runs = sweep("laws", plan, seeds, options)
    table = Table(f"Laws of t, affine basis, {count:,} pairs", layout(), rows, (READING_NOTE, EXACT_NOTE))
    used = {"pairs": count, "seeds": seeds, "tiny": options.tiny, "basis": "affine"}
    return Record("laws", "Laws of the magnitudes", (table,), runs, used)
