"""The registration engine on every transform and law: the table that stands for the package."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from liescope.evaluation.benchmarks.methods.engines import registration
from liescope.evaluation.benchmarks.options import Options, corpus_name
from liescope.evaluation.benchmarks.problems import STANDARD_LAWS, Problem, chosen_transforms, standard_problem
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.scores import NULL_NOTE, SCORE_COLUMNS, Run, scored, summary
from liescope.evaluation.benchmarks.table import Column, Table, number, value, verdict

__all__ = ["register", "run"]

LEAST_COSINE = 0.9995
MOST_SECONDS = 600.0
SEEDS = 5
WHOLE = "The whole table"
PAIRS = 5000

NOTE = (
    f"Pairs are made with cubic splines, which the engine's linear interpolation cannot reproduce. Target: a cosine of "
    f"at least {LEAST_COSINE} and one generator, in every run. Seconds of a detection with one thread, as many side by "
    "side as there are cores. sct-x is looked for in the quadratic basis, the others in the affine one."
)


def layout(title: str) -> tuple[Column, ...]:
    """The columns of a table."""
    return WHOLE_COLUMNS if title == WHOLE else COLUMNS


def run(options: Options) -> Record:
    """8 transforms x 3 laws x 5 seeds, 5,000 pairs each."""
    seeds, laws = options.chosen_seeds(SEEDS), STANDARD_LAWS[: 1 if options.tiny else None]
    problems = [
        standard_problem(transform, law, pairs=200 if options.tiny else PAIRS, seed=seed, corpus=options.corpus)
        for transform in chosen_transforms(options, few=2)
        for law in laws
        for seed in seeds
    ]
    began = time.perf_counter()
    runs = options.run("headline", register, problems, keep=False)
    seconds = time.perf_counter() - began
    rows = grouped(runs, LEAST_COSINE)
    tables = (
        Table(f"Registration, {problems[0].pairs:,} pairs", layout("Registration"), rows, (NULL_NOTE, NOTE)),
        Table(WHOLE, layout(WHOLE), [_whole(runs, seconds)]),
    )
    used = {
        "pairs": problems[0].pairs,
        "seeds": seeds,
        "tiny": options.tiny,
        "corpus": corpus_name(options.corpus),
        "processes": options.process_count,
    }
    return Record("headline", "Registration on every transform and law", tables, runs, used)


def register(problem: Problem) -> Run:
    """Make the pairs, detect, compare."""
    pairs = problem.make()
    return scored("registration", problem, pairs, registration(problem, pairs))


def grouped(runs: Sequence[Run], least: float | None) -> list[dict[str, Any]]:
    """One row for the runs that differ in their seed alone."""
    groups: dict[tuple[object, ...], list[Run]] = {}
    for one in runs:
        key = (one.method, *(one.problem[name] for name in ("transform", "law", "range")))
        groups.setdefault(key, []).append(one)
    return list(map(partial(summary, least=least), groups.values()))


def _whole(runs: Sequence[Run], seconds: float) -> dict[str, Any]:
    cosines = np.array([one.score.cosine for one in runs])
    reached = {"cosine": bool((cosines >= LEAST_COSINE).all()), "time": seconds < MOST_SECONDS}
    missed = [name for name, fine in reached.items() if not fine]
    return {
        "runs": len(runs),
        "reached": int((cosines >= LEAST_COSINE).sum()),
        "cosine": float(cosines.min()),
        "cosine_median": float(np.median(cosines)),
        "seconds_median": seconds,
        "seconds_iqr": 0.0,
        "passed": not missed,
        "missed": missed,
    }


COLUMNS = (
    Column("transform", value("transform")),
    Column("range", value("range")),
    Column("law", value("law")),
    *SCORE_COLUMNS,
    Column("", verdict),
)
WHOLE_COLUMNS = (
    Column("runs", value("runs")),
    Column(f"cosine ≥ {LEAST_COSINE}", value("reached")),
    Column("worst cosine", value("cosine", 6)),
    Column("median cosine", value("cosine_median", 6)),
    Column("seconds in all", lambda row: f"{number(row['seconds_median'], 0)} (≤ {MOST_SECONDS:g})"),
    Column("", verdict),
)
