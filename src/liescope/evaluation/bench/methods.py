"""The engines of this package beside what else could be done: least squares, and one registration a pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from liescope.data import Pairs
from liescope.errors import InputError, suggest
from liescope.evaluation.bench.engines import LATENT_SETTINGS, latent, registration
from liescope.evaluation.bench.headline import grouped
from liescope.evaluation.bench.least_squares import least_squares
from liescope.evaluation.bench.options import Options, UnavailableError, corpus_name
from liescope.evaluation.bench.pairwise import kornia_pairs, require_kornia
from liescope.evaluation.bench.problems import LAW_MODES, SMALL, Problem, chosen_laws, chosen_transforms
from liescope.evaluation.bench.record import Record
from liescope.evaluation.bench.scores import NULL_NOTE, SCORE_COLUMNS, Answer, Run, scored
from liescope.evaluation.bench.table import Column, Table, value, verdict

__all__ = ["METHODS", "QUICK_METHODS", "Method", "run"]


def _require_lightning() -> None:
    import importlib.util

    if importlib.util.find_spec("lightning") is None:
        raise UnavailableError("lightning is not installed, try pip install 'liescope[latent]'")


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
    require : callable
        Raises UnavailableError where something is missing.
    """

    answer: Callable[[Problem, Pairs, int | None], Answer]
    shares: tuple[float, ...] = (1.0,)
    pairs: int = 5000
    tiny_pairs: int = 200
    seeds: int = 5
    laws: tuple[str, ...] = ("uniform",)
    least: float | None = None
    require: Callable[[], None] = lambda: None


def _latent(name: str, seeds: int = 1, laws: tuple[str, ...] = ("uniform",), least: float | None = None) -> Method:
    return Method(
        partial(latent, name), tiny_pairs=120, seeds=seeds, laws=laws, least=least, require=_require_lightning
    )


METHODS: Mapping[str, Method] = {
    "registration": Method(lambda problem, pairs, _: registration(problem, pairs), (1.0, SMALL), least=0.9995),
    "least-squares": Method(lambda problem, pairs, _: least_squares(problem, pairs), (1.0, SMALL)),
    "kornia-pairs": Method(
        lambda problem, pairs, _: kornia_pairs(problem, pairs), pairs=40, tiny_pairs=2, seeds=1, require=require_kornia
    ),
    "latent": _latent("latent", 5, tuple(LAW_MODES), least=0.999),
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


def run(options: Options) -> Record:
    """6 methods x 8 transforms, one law of t or three; a method whose package is missing is left out and named."""
    names, missing = _available(options)
    tasks = [
        _Task(name, problem, options.epochs or (2 if options.tiny else None))
        for name in names
        for problem in _problems(name, options)
    ]
    runs = options.run("methods", _answered, tasks)
    normal = [one for one in runs if one.share == 1.0]
    small = [one for one in runs if one.share != 1.0]
    rows = [row for name in names for row in grouped(_of(normal, name), METHODS[name].least)]
    notes = (NULL_NOTE, NOTE, *(f"Left out: {name}, {reason}." for name, reason in missing.items()))
    tables = [Table("Methods", COLUMNS, rows, notes)]
    if small:
        tables.append(Table("Small transforms", COLUMNS, grouped([one.run for one in small], None), (NULL_NOTE,)))
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
    return Record("methods", "Methods compared", tables, [one.run for one in runs], used)


def _available(options: Options) -> tuple[list[str], dict[str, str]]:
    """The methods to run, and those that cannot be with the reason."""
    asked = options.methods or tuple(METHODS)
    names, missing = [], {}
    for name in asked:
        if name not in METHODS:
            raise InputError(f"unknown method {name!r}.{suggest(name, METHODS)}")
        try:
            METHODS[name].require()
            names.append(name)
        except UnavailableError as reason:
            missing[name] = str(reason)
            options.progress(f"methods: {name} skipped, {reason}", 0.0)
    if not names:
        raise UnavailableError(next(iter(missing.values())))
    return names, missing


def _problems(name: str, options: Options) -> list[Problem]:
    method = METHODS[name]
    return [
        Problem(
            transform,
            law,
            share=share,
            pairs=method.tiny_pairs if options.tiny else method.pairs,
            seed=seed,
            corpus=options.corpus,
        )
        for share in method.shares
        for transform in chosen_transforms(options, few=1)
        for law in _laws(name, options)
        for seed in options.chosen_seeds(method.seeds)
    ]


def _laws(name: str, options: Options) -> tuple[str, ...]:
    return chosen_laws(options, METHODS[name].laws[: 1 if options.tiny else None])


@dataclass(frozen=True)
class _Answered:
    run: Run
    share: float


def _answered(task: _Task) -> _Answered:
    pairs = task.problem.make()
    answer = METHODS[task.method].answer(task.problem, pairs, task.epochs)
    return _Answered(scored(task.method, task.problem, pairs, answer), task.problem.share)


def _of(runs: list[_Answered], method: str) -> list[Run]:
    return [one.run for one in runs if one.run.method == method]


COLUMNS = (
    Column("method", value("method")),
    Column("transform", value("transform")),
    Column("range", value("range")),
    Column("law", value("law")),
    *SCORE_COLUMNS,
    Column("seeds", lambda row: str(len(row["seeds"]))),
    Column("", verdict),
)
