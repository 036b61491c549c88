"""Generators and magnitudes of every affine transform, made with every interpolation."""

from __future__ import annotations

from dataclasses import replace

from liescope.evaluation.benchmarks.columns import EXACT_NOTE, HELD_NOTE, READING_NOTE, columns
from liescope.evaluation.benchmarks.options import Options
from liescope.evaluation.benchmarks.problems import AFFINE, Problem, Target
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.sweep import sweep, warm_up
from liescope.evaluation.benchmarks.table import Column, Table

TARGET = Target(cosine=0.9995, seconds=5.0, t_error=0.01)
ORDERS = (0, 1, 3)


def layout(title: str = "") -> list[Column]:
    """The columns of the table."""
    return columns(held=True)


def run(options: Options) -> Record:
    """9 transforms x 3 interpolation orders x 3 seeds, 5,000 pairs each."""
    count = 64 if options.tiny else 5000
    seeds = options.seeds or ((0,) if options.tiny else (0, 1, 2))
    if options.tiny:
        chosen = [(AFFINE["rotation"], 1), (AFFINE["translation-x"], 0)]
    else:
        chosen = [(one, order) for one in AFFINE.values() for order in ORDERS]
    problems: list[Problem] = [replace(one, order=order, pairs=count) for one, order in chosen]
    warm_up(tiny=options.tiny)
    rows, runs = sweep("accuracy", dict.fromkeys(problems, TARGET), seeds, options)
    table = Table(f"Affine basis, {count:,} pairs", layout(), rows, (READING_NOTE, EXACT_NOTE, HELD_NOTE))
    used = {"pairs": count, "seeds": seeds, "tiny": options.tiny, "basis": "affine"}
    return Record("accuracy", "Accuracy", (table,), runs, used)
