"""``liescope bench``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from liescope.answer.values import json_text
from liescope.cli.arguments import check_files_folder, numbers
from liescope.cli.progress import ProgressDisplay
from liescope.data import load_corpus
from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks import BENCHMARKS, DEFAULTS, Options, Record, UnavailableError, environment
from liescope.evaluation.benchmarks.suite.methods import QUICK_METHODS

__all__ = ["BenchRequest", "run_bench"]

_WIDTH = 190  # of the tables where no terminal says how wide it is


class BenchRequest(NamedTuple):
    """The options of ``liescope bench`` as they were written."""

    name: str | None
    out: Path
    seeds: str | None
    corpus: str | None
    methods: str | None
    transforms: str | None
    laws: str | None
    kinds: str | None
    images: str | None
    epochs: int | None
    processes: int | None
    tiny: bool


def run_bench(request: BenchRequest, *, as_json: bool, quiet: bool) -> None:
    """Check everything, then run the benchmarks one by one; each is written when it is complete."""
    names = _names(request)
    options = _options(request)
    check_files_folder(request.out)
    if refused := environment.refusal(request.out, environment.results_folder(), request.tiny):
        raise InputError(refused)
    if request.corpus is not None:
        load_corpus(request.corpus)  # one that is not there is told before the work, not after
    records: list[Record] = []
    with ProgressDisplay(quiet) as display:
        for number, name in enumerate(names):
            told = _part_of(display, number, len(names))
            try:
                record = BENCHMARKS[name](replace(options, progress=told))
            except UnavailableError as reason:
                raise InputError(f"expected something to compare in {name}, got nothing: {reason}") from None
            record.write(request.out, runs=True)
            records.append(record)
    if as_json:
        found = [record.to_dict() for record in records]
        sys.stdout.write(json_text(found[0] if request.name else {"benchmarks": found}))
    elif not quiet:
        _show(records, request.out, request.tiny)


def _names(request: BenchRequest) -> list[str]:
    """The benchmarks to run, after a look whether they have a use for what was given."""
    name = request.name
    if name is not None and name not in BENCHMARKS:
        raise InputError(f"unknown benchmark {name!r}.{suggest(name, BENCHMARKS)}")
    heeded = ("corpus",) if name is None else BENCHMARKS[name].choices
    for word in ("methods", "transforms", "laws", "kinds", "images", "epochs", "corpus"):
        if getattr(request, word) is not None and word not in heeded:
            able = ", ".join(one.name for one in BENCHMARKS.values() if word in one.choices)
            raise InputError(f"expected --{word} with one of {able}, got it with {name or 'all benchmarks'}")
    return list(DEFAULTS) if name is None else [name]


def _options(request: BenchRequest) -> Options:
    for word, count in (("processes", request.processes), ("epochs", request.epochs)):
        if count is not None and count < 1:
            raise InputError(f"expected --{word} of at least 1, got {count}")
    return Options(
        tiny=request.tiny,
        seeds=_seeds(request.seeds),
        corpora=() if request.corpus is None else (request.corpus,),
        methods=QUICK_METHODS if request.name is None else _words(request.methods),
        transforms=_words(request.transforms),
        laws=_words(request.laws),
        kinds=_words(request.kinds),
        images=_words(request.images),
        epochs=request.epochs,
        processes=request.processes,
        folder=request.out,
    )


def _words(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(","))


def _seeds(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    values = numbers(text, "--seeds")
    if any(value < 0 or value != int(value) for value in values) or len(set(values)) < len(values):
        raise InputError(f"expected --seeds of different whole numbers >= 0, got {text!r}, try --seeds 0,1,2")
    return tuple(int(value) for value in values)


def _part_of(display: ProgressDisplay, number: int, count: int) -> Callable[[str, float], None]:
    """Progress of one of several benchmarks, as a share of all."""
    return lambda stage, fraction: display(stage, (number + fraction) / count)


def _show(records: Sequence[Record], out: Path, tiny: bool) -> None:
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=_WIDTH)
    for record in records:
        record.show(console)
    for record in records:
        outcome = "all targets met" if record.passed else "targets missed, see FAIL in its tables"
        told = "a quick look, its numbers mean little" if tiny else outcome
        console.print(f"{record.name}: {told}; {record.name}.json, .md and .csv in {out}", soft_wrap=True)
