"""Real pictures: kinds of pairs that people bring, beside what registers them one by one; and false alarms.

``--images tuning`` are photographs to adjust the program on, ``--images confirming`` (default) those to measure it on.
"""

from __future__ import annotations

from collections.abc import Sequence

from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.options import Options, UnavailableError, require
from liescope.evaluation.benchmarks.pictures.kinds import KINDS
from liescope.evaluation.benchmarks.pictures.negatives import FORMS, NEGATIVES
from liescope.evaluation.benchmarks.pictures.running import METHODS, OWN, Task, answered, missing_methods, versions_of
from liescope.evaluation.benchmarks.pictures.scenes import chosen_images
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.suite.picture_rows import alarm_rows, error_rows, verdict_rows, way_rows
from liescope.evaluation.benchmarks.suite.picture_tables import ALARMS, ERRORS, NOTES, VERDICTS, WAYS, layout
from liescope.evaluation.benchmarks.table import Table

__all__ = ["ALARM_SEEDS", "SEEDS", "layout", "run"]

SEEDS = 5
ALARM_SEEDS = 40
"""Photographs take turns."""

_TINY_KINDS = ("film-short", "mirror-columns", "photo-shift")
_TINY_NEGATIVES = ("unrelated", "identical")
_TINY_FORMS = ("set", "single")


def run(options: Options) -> Record:
    """Every kind on four photographs with five seeds and five methods; alarms with forty seeds."""
    require("skimage")
    methods = _chosen(options.methods, METHODS, "method")
    missing = missing_methods(methods)
    for name, reason in missing.items():
        options.progress(f"pictures: {name} skipped, {reason}", 0.0)
    usable = tuple(name for name in methods if name not in missing)
    if not usable:
        raise UnavailableError(next(iter(missing.values())))
    images = chosen_images(options.images)[: 1 if options.tiny else None]
    kinds, negatives, forms = _selected(options)
    tasks = _tasks(options, kinds, images, usable) + _alarm_tasks(options, negatives, forms, images, usable)
    runs = options.run("pictures", answered, tasks)
    moved = [one for one in runs if not one.task.form]
    alarms = [one for one in runs if one.task.form]
    parts = (
        (VERDICTS, verdict_rows(moved, kinds)),
        (ERRORS, error_rows(moved, kinds)),
        (WAYS, way_rows(moved, methods, missing)),
        (ALARMS, alarm_rows(alarms, negatives, forms)),
    )
    tables = [Table(title, layout(title), rows, (NOTES[title],)) for title, rows in parts if rows]
    used = {
        "images": images,
        "kinds": kinds,
        "negatives": negatives,
        "methods": methods,
        "left_out": missing,
        "versions": versions_of(methods),
        "seeds": options.chosen_seeds(SEEDS),
        "alarm_seeds": options.chosen_seeds(ALARM_SEEDS),
        "tiny": options.tiny,
        "processes": options.process_count,
    }
    return Record("pictures", "Real pictures", tables, [one.named() for one in runs], used)


def _chosen(asked: tuple[str, ...] | None, known: Sequence[str], word: str) -> tuple[str, ...]:
    """The names that were asked for, or all."""
    for name in asked or ():
        if name not in known:
            raise InputError(f"unknown {word} {name!r}.{suggest(name, known)}")
    return tuple(asked or known)


def _selected(options: Options) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Kinds, negatives and their forms; with kinds that were asked for no others, and ``alarms`` for the negatives."""
    if options.kinds is None:
        if options.tiny:
            return _TINY_KINDS, _TINY_NEGATIVES, _TINY_FORMS
        return tuple(KINDS), tuple(NEGATIVES), FORMS
    asked = _chosen(options.kinds, [*KINDS, "alarms"], "kind")
    negatives = tuple(NEGATIVES) if "alarms" in asked else ()
    return tuple(name for name in asked if name in KINDS), negatives, FORMS


def _tasks(options: Options, kinds: Sequence[str], images: Sequence[str], methods: Sequence[str]) -> list[Task]:
    return [
        Task(kind, "", image, seed, method, options.tiny)
        for kind in kinds
        for image in images
        for seed in options.chosen_seeds(SEEDS)
        for method in methods
        if method == OWN or KINDS[kind].moved
    ]


def _alarm_tasks(
    options: Options, negatives: Sequence[str], forms: Sequence[str], images: Sequence[str], methods: Sequence[str]
) -> list[Task]:
    if OWN not in methods:
        return []
    return [
        Task(kind, form, images[seed % len(images)], seed, OWN, options.tiny)
        for kind in negatives
        for form in forms
        for seed in options.chosen_seeds(ALARM_SEEDS)
    ]
