"""Generators from noisy images."""

from __future__ import annotations

from dataclasses import replace

from liescope.evaluation.benchmarks.columns import NOISE, READING_NOTE, columns
from liescope.evaluation.benchmarks.options import Options
from liescope.evaluation.benchmarks.problems import AFFINE, Target
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.sweep import sweep, warm_up
from liescope.evaluation.benchmarks.table import Column, Table

COSINES = {0.1: 0.999, 0.2: 0.99}
"""Least cosine by the standard deviation of the noise, a share of the grey range."""


def layout(title: str = "") -> list[Column]:
    """The columns of the table."""
    return columns(NOISE)


def run(options: Options) -> Record:
    """9 transforms x 2 levels of noise x 3 seeds, 5,000 pairs each."""
    count = 200 if options.tiny else 5000
    seeds = options.seeds or ((0,) if options.tiny else (0, 1, 2))
    cases = [AFFINE["rotation"]] if options.tiny else list(AFFINE.values())
    levels = [0.1] if options.tiny else list(COSINES)
    plan = {replace(one, noise=level, pairs=count): Target(COSINES[level], 5.0) for level in levels for one in cases}
    warm_up(tiny=options.tiny)
    rows, runs = sweep("noise", plan, seeds, options)
    table = Table(f"Noise, affine basis, {count:,} pairs", layout(), rows, (READING_NOTE,))
    used = {"pairs": count, "seeds": seeds, "tiny": options.tiny, "basis": "affine"}
    return Record("noise", "Noise", (table,), runs, used)
