"""The quadratic basis: affine and special conformal transforms, with twice the freedom to go wrong.

With ``--seeds 0,1,2`` all of it runs with three seeds.
"""

from __future__ import annotations

from dataclasses import replace

from liescope.evaluation.benchmarks.columns import EXACT_NOTE, HELD_NOTE, NOISE, READING_NOTE, columns
from liescope.evaluation.benchmarks.options import Options
from liescope.evaluation.benchmarks.problems import AFFINE, SPECIAL_CONFORMAL, Problem, Target
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.sweep import sweep, warm_up
from liescope.evaluation.benchmarks.table import Column, Table

BASIS = "quadratic"
TARGET = Target(cosine=0.999, seconds=20.0)
LEVELS = (0.1, 0.2)
_NONE: list[Problem] = []


LINEAR, OTHER, NOISY = "linear interpolation", "other interpolations", "noise"
"""The parts, as the titles of the tables name them."""


def layout(title: str) -> list[Column]:
    """The columns of a table."""
    return columns(NOISE) if f", {NOISY}," in title else columns(held=f", {OTHER}," in title)


def run(options: Options) -> Record:
    """11 transforms, 5,000 pairs each; linear interpolation with 3 seeds, the other orders and noise with one."""
    count = 64 if options.tiny else 5000
    if options.tiny:
        seeds = other_seeds = options.seeds or (0,)
        clean, other, noisy = [replace(SPECIAL_CONFORMAL["sct-x"], pairs=count)], _NONE, _NONE
    else:
        seeds, other_seeds = options.seeds or (0, 1, 2), options.seeds or (0,)
        affine = [replace(one, basis=BASIS, pairs=count) for one in AFFINE.values()]
        clean = [*affine, *(replace(one, pairs=count) for one in SPECIAL_CONFORMAL.values())]
        other = [replace(one, order=order) for order in (0, 3) for one in clean]
        noisy = [replace(one, noise=level) for level in LEVELS for one in affine]
    warm_up("affine" if options.tiny else BASIS, options.tiny)
    tables, runs = [], []
    for part, problems, chosen in ((LINEAR, clean, seeds), (OTHER, other, other_seeds), (NOISY, noisy, other_seeds)):
        if not problems:
            continue
        rows, own = sweep("quadratic", dict.fromkeys(problems, TARGET), chosen, options)
        runs += own
        title = f"Quadratic basis, {part}, {count:,} pairs"
        notes = (READING_NOTE, EXACT_NOTE, HELD_NOTE) if part is OTHER else (READING_NOTE, EXACT_NOTE)
        tables.append(Table(title, layout(title), rows, notes))
    used = {
        "pairs": count,
        "seeds": seeds,
        "seeds_of_other_orders_and_noise": other_seeds,
        "tiny": options.tiny,
        "basis": BASIS,
    }
    return Record("quadratic", "Quadratic basis", tables, runs, used)
