"""SymNIST as of 2023: digits moved by one transform, with magnitudes that follow one of three laws.

A. Gabel, V. Klein, R. Valperga and others, "Learning Lie group symmetry transformations with neural networks" (2023):
what acts, and the law of its magnitudes.
"""

from __future__ import annotations

from typing import Any

from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.options import Options, corpus_name
from liescope.evaluation.benchmarks.problems import STANDARD_LAWS, standard_problem
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.scores import NULL_NOTE, SCORE_COLUMNS
from liescope.evaluation.benchmarks.suite.headline import grouped, register
from liescope.evaluation.benchmarks.table import Column, Table, value, verdict

__all__ = ["run"]

TRANSFORMS = ("rotation", "scale", "translation-x")
SHARE = 0.5
"""Of the normal range: rotations to 45 degrees, shifts to an eighth of the image."""
LEAST_COSINE = 0.9995
MOST_W1 = 0.01
SEEDS = 5

NOTE = (
    "One transform and one law in each row; the law is read off the magnitudes of all pairs. Target: a cosine of at "
    f"least {LEAST_COSINE}, W1 of at most {100 * MOST_W1:g} % of the range and the right number of modes, in every run."
)


def layout(title: str = "") -> tuple[Column, ...]:
    """The columns of the table."""
    return COLUMNS


def run(options: Options) -> Record:
    """3 transforms x 3 laws x 5 seeds, 5,000 pairs each."""
    transforms = options.transforms or TRANSFORMS[: 1 if options.tiny else None]
    for name in transforms:
        if name not in TRANSFORMS:
            raise InputError(f"unknown transform {name!r} for symnist2023.{suggest(name, TRANSFORMS)}")
    seeds, count = options.chosen_seeds(SEEDS), 500 if options.tiny else 5000
    problems = [
        standard_problem(transform, law, SHARE, pairs=count, seed=seed, corpus=options.corpus)
        for transform in transforms
        for law in STANDARD_LAWS
        for seed in seeds
    ]
    runs = options.run("symnist2023", register, problems)
    rows = [_judged(row) for row in grouped(runs, LEAST_COSINE)]
    table = Table(f"One transform, one law, {count:,} pairs", layout(), rows, (NULL_NOTE, NOTE))
    used = {
        "pairs": count,
        "seeds": seeds,
        "tiny": options.tiny,
        "corpus": corpus_name(options.corpus),
        "processes": options.process_count,
    }
    return Record("symnist2023", "SymNIST of 2023: the generator and the law of t", (table,), runs, used)


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    """A row that is asked for the law too. Comparisons are written so that nan falls short."""
    missed = [*row["missed"]]
    missed += [] if row["w1"] <= MOST_W1 else ["W1"]
    missed += [] if row["modes_right"] == len(row["seeds"]) else ["modes"]
    return {**row, "passed": not missed, "missed": missed}


COLUMNS = (
    Column("transform", value("transform")),
    Column("range", value("range")),
    Column("law", value("law")),
    *SCORE_COLUMNS,
    Column("", verdict),
)
