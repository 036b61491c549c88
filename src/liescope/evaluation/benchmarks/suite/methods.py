"""The engines of this package beside what else could be done: least squares, and one registration a pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from liescope.data import Pairs
from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.methods.engines import LATENT_SETTINGS, latent, registration
from liescope.evaluation.benchmarks.methods.least_squares import least_squares
from liescope.evaluation.benchmarks.methods.pairwise import kornia_pairs
from liescope.evaluation.benchmarks.options import Options, UnavailableError, corpus_name, require
from liescope.evaluation.benchmarks.problems import (
    SMALL,
    STANDARD_LAWS,
    Problem,
    chosen_laws,
    chosen_transforms,
    standard_problem,
)
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.scores import NULL_NOTE, SCORE_COLUMNS, Answer, Run, scored
from liescope.evaluation.benchmarks.suite.headline import grouped
from liescope.evaluation.benchmarks.table import Column, Table, value, verdict

__all__ = ["METHODS", "QUICK_METHODS", "Method", "run"]


@dataclass(frozen=True)
class Method:
    """A way to answer, and on what it is tried.

    Parameters
    ----------
    answer : callable
        From a problem, its pairs and the most epochs (None for its own number) to an answer.
    shares : tuple of float
        Of the normal range of the magnitudes.
    pairs, tiny_pairs : int
        How many it is given.
    seeds : int
        How many, unless told otherwise.
    laws : tuple of str
        Of the magnitudes, unless told otherwise.
    least : float or None
        Cosine that every run on the normal range must reach.
    needs : str or None
        Package that it cannot do without.
    """

    answer: Callable[[Problem, Pairs, int | None], Answer]
    shares: tuple[float, ...] = (1.0,)
    pairs: int = 5000
    tiny_pairs: int = 200
    seeds: int = 5
    laws: tuple[str, ...] = ("uniform",)
    least: float | None = None
    needs: str | None = None


def _latent(name: str, seeds: int = 1, laws: tuple[str, ...] = ("uniform",), least: float | None = None) -> Method:
    return Method(partial(latent, name), tiny_pairs=120, seeds=seeds, laws=laws, least=least, needs="lightning")


METHODS: Mapping[str, Method] = {
    "registration": Method(lambda problem, pairs, _: registration(problem, pairs), (1.0, SMALL), least=0.9995),
    "least-squares": Method(lambda problem, pairs, _: least_squares(problem, pairs), (1.0, SMALL)),
    "kornia-pairs": Method(
        lambda problem, pairs, _: kornia_pairs(problem, pairs), pairs=40, tiny_pairs=2, seeds=1, needs="kornia"
    ),
    "latent": _latent("latent", 5, STANDARD_LAWS, least=0.999),
    "latent-cold": _latent("latent-cold", 3, least=0.999),
    "latent-paper": _latent("latent-paper"),
}
"""Methods by name."""

QUICK_METHODS = tuple(name for name in METHODS if name not in LATENT_SETTINGS)
"""Methods that train no network."""

NOTE = (
    "registration: this package's default. least-squares: the first-order model of Rao and Ruderman (1999), fields of "
    "the same basis, images smoothed by one pixel, alternating least squares from nine starts. kornia-pairs: kornia's "
    "ImageRegistrator (homography, tuned) on every pair by itself, logarithms of its matrices, their common direction; "
    "it can only answer with affine fields. latent: this package's auto-encoder with its warm start; latent-cold: "
    "from random starts, without registration; latent-paper: the published settings, in batches of 128 for 2,400 "
    "steps, where our default takes 640. A training that diverges has found nothing. Error: mean square of the decoded "
    "moved images over held-out pairs, grey values from 0 to 1, beside the sources as they are. Magnitudes of the "
    f"latent methods are those of held-out pairs. The last table is made with {100 * SMALL:g} % of the ranges. "
    "Targets: registration 0.9995, latent and latent-cold 0.999, in every run; the others have none."
)


@dataclass(frozen=True)
class _Task:
    method: str
    problem: Problem
    epochs: int | None
    share: float


def layout(title: str) -> tuple[Column, ...]:
    """The columns of a table."""
    return COLUMNS


def run(options: Options) -> Record:
    """6 methods x 8 transforms, one law of t or three; a method whose package is missing is left out and named."""
    names, missing = _available(options)
    tasks = [
        _Task(name, problem, options.epochs or (2 if options.tiny else None), share)
        for name in names
        for share in METHODS[name].shares
        for problem in _problems(name, share, options)
    ]
    runs = options.run("methods", _answered, tasks)
    normal = [run for run, task in zip(runs, tasks, strict=True) if task.share == 1.0]
    small = [run for run, task in zip(runs, tasks, strict=True) if task.share != 1.0]
    own = {name: [run for run in normal if run.method == name] for name in names}
    rows = [row for name in names for row in grouped(own[name], METHODS[name].least)]
    notes = (NULL_NOTE, NOTE, *(f"Left out: {name}, {reason}." for name, reason in missing.items()))
    tables = [Table("Methods", layout("Methods"), rows, notes)]
    if small:
        tables.append(Table("Small transforms", layout("Small transforms"), grouped(small, None), (NULL_NOTE,)))
    used = {
        "methods": names,
        "left_out": missing,
        "seeds": options.seeds or {name: METHODS[name].seeds for name in names},
        "laws": {name: _laws(name, options) for name in names},
        "epochs": options.epochs,
        "tiny": options.tiny,
        "corpus": corpus_name(options.corpus),
        "processes": options.process_count,
    }
    return Record("methods", "Methods compared", tables, runs, used)


def _available(options: Options) -> tuple[list[str], dict[str, str]]:
    """The methods to run, and those that cannot be with the reason."""
    asked = options.methods or tuple(METHODS)
    names, missing = [], {}
    for name in asked:
        if name not in METHODS:
            raise InputError(f"unknown method {name!r}.{suggest(name, METHODS)}")
        try:
            if needed := METHODS[name].needs:
                require(needed)
            names.append(name)
        except UnavailableError as reason:
            missing[name] = str(reason)
            options.progress(f"methods: {name} skipped, {reason}", 0.0)
    if not names:
        raise UnavailableError(next(iter(missing.values())))
    return names, missing


def _problems(name: str, share: float, options: Options) -> list[Problem]:
    method = METHODS[name]
    return [
        standard_problem(
            transform,
            law,
            share,
            pairs=method.tiny_pairs if options.tiny else method.pairs,
            seed=seed,
            corpus=options.corpus,
        )
        for transform in chosen_transforms(options, few=1)
        for law in _laws(name, options)
        for seed in options.chosen_seeds(method.seeds)
    ]


def _laws(name: str, options: Options) -> tuple[str, ...]:
    return chosen_laws(options, METHODS[name].laws[: 1 if options.tiny else None])


def _answered(task: _Task) -> Run:
    pairs = task.problem.make()
    answer = METHODS[task.method].answer(task.problem, pairs, task.epochs)
    return scored(task.method, task.problem, pairs, answer)


COLUMNS = (
    Column("method", value("method")),
    Column("transform", value("transform")),
    Column("range", value("range")),
    Column("law", value("law")),
    *SCORE_COLUMNS,
    Column("seeds", lambda row: str(len(row["seeds"]))),
    Column("", verdict),
)
