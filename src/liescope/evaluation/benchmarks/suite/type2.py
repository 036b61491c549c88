"""Networks that take their weight sharing from the data: few labels, the choice among schemes, labels alone.

``--kinds`` are the parts, ``--transforms`` the motions. Corpora of one's own are labelled images; those that
lie in every direction by themselves, such as galaxies, are the motion ``as-they-are``. ``full`` needs a corpus of
17,000 images at least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.options import Options, corpus_name
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.sharing.networks import METHODS
from liescope.evaluation.benchmarks.sharing.problems import MOTIONS
from liescope.evaluation.benchmarks.sharing.running import Task, answered
from liescope.evaluation.benchmarks.suite.type2_rows import ROWS
from liescope.evaluation.benchmarks.suite.type2_tables import NOTES, layout
from liescope.evaluation.benchmarks.table import Table

__all__ = ["KINDS", "SEEDS", "layout", "run"]

SEEDS = 5
_SHUFFLED_SEEDS = 200
_TINY_LABELS = 40
_FULL, _BATCH, _EPOCHS = 12_000, 64, 15


class Kind(NamedTuple):
    """A part of the benchmark with so many labels, the motions it is run on, and how many seeds it has."""

    part: str
    labels: int
    motions: tuple[str, ...]
    seeds: int = SEEDS


_CHOSEN = ("rotated", "shifted", "scaled", "sheared", "squeezed", "shifted-x", "rotated-scaled", "upright")
_LEARNT = (
    *("rotated", "rotated-60", "scaled", "sheared", "sheared-y", "squeezed", "diagonal", "shifted-x", "off-centre"),
    "spiral",
)

KINDS: Mapping[str, Kind] = {
    "few-100": Kind("few", 100, ("rotated",)),
    "few-300": Kind("few", 300, ("rotated", "shifted", "scaled")),
    "few-1000": Kind("few", 1000, ("rotated",)),
    "choice": Kind("choice", 300, _CHOSEN),
    "choice-1000": Kind("choice", 1000, _CHOSEN),
    "shuffled": Kind("shuffled", 300, ("rotated",), _SHUFFLED_SEEDS),
    "learn": Kind("learn", 200, _LEARNT, 1),
    "learn-two": Kind("learn", 200, ("shifted",)),
    "pairs": Kind("pairs", 300, ("rotated", "scaled", "sheared")),
    "invariance": Kind("invariance", 300, ("rotated",)),
    "full": Kind("full", _FULL, ("rotated",), 1),
}
"""Parts by name."""

_ASKED_FOR = ("choice-1000", "full")
"""Those that are run where they are named only."""


def run(options: Options) -> Record:
    """Every part on its motions with its seeds."""
    kinds = _chosen(options.kinds, KINDS, "kind") or [name for name in KINDS if name not in _ASKED_FOR]
    motions = _chosen(options.transforms, MOTIONS, "motion")
    methods = _chosen(options.methods, METHODS, "method") or list(METHODS)
    tasks = [one for name in kinds for one in _tasks(options, KINDS[name], motions, methods)]
    runs = options.run("type2", answered, tasks)
    tables = []
    for title, (part, rows_of) in ROWS.items():
        own = [one for one in runs if one.task.part == part]
        if own:
            tables.append(Table(title, layout(title), rows_of(own), (NOTES[title],)))
    used = {
        "kinds": kinds,
        "motions": sorted({one.motion for one in tasks}),
        "methods": methods,
        "corpus": corpus_name(options.corpus),
        "seeds": options.seeds,
        "tiny": options.tiny,
        "processes": options.process_count,
    }
    return Record("type2", "Networks that take their weight sharing from the data", tables, runs, used)


def _chosen(asked: tuple[str, ...] | None, known: Mapping[str, object], word: str) -> list[str]:
    """The names that were asked for; none where nothing was."""
    for name in asked or ():
        if name not in known:
            raise InputError(f"unknown {word} {name!r}.{suggest(name, known)}")
    return list(asked or ())


def _tasks(options: Options, kind: Kind, motions: Sequence[str], methods: Sequence[str]) -> list[Task]:
    """Every motion with every seed, and every method where methods are compared."""
    steps = _FULL * (options.epochs or _EPOCHS) // _BATCH if kind.part == "full" else None
    seeds = options.chosen_seeds(kind.seeds)
    places = list(motions or kind.motions)[: 1 if options.tiny else None]
    labels = min(kind.labels, _TINY_LABELS) if options.tiny else kind.labels
    return [
        Task(kind.part, motion, labels, seed, method, options.corpus, steps, options.tiny)
        for motion in places
        for seed in seeds
        for method in (methods if kind.part == "few" else ("",))
        if kind.part != "few" or MOTIONS[motion].scheme
    ]
