"""The prosaic part of the page: lines to copy, the run, its settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from liescope.answer import LABELS, Answer
from liescope.answer.numbers import number
from liescope.answer.values import plain_values

__all__ = ["lines_to_use", "run_rows", "setting_rows", "version_rows"]


def lines_to_use(result: Answer, folder_name: str) -> list[tuple[str, str]]:
    """(what it does, lines to copy)."""
    if not result.generators:
        return []
    count = len(result.generators)
    example = ",".join(["0.3"] * count)
    python = "0.3" if count == 1 else "[" + ", ".join(["0.3"] * count) + "]"
    folder = shlex.quote(folder_name)
    steady = []
    if result.frame_t is not None:
        steady = [
            ("Steady the film, on the command line", f"liescope apply {folder} FILM --steady --out steadied.mp4"),
            ("The same in Python", f"still = load_result({folder_name!r}).steadied(frames)"),
        ]
    shared = []
    if result.engine == LABELS:
        shared = [
            (
                "A network that shares its weights along it",
                "from liescope import load_result\nfrom liescope.type2 import Type2Classifier\n\n"
                f"model = Type2Classifier(schemes=load_result({folder_name!r})).fit(images, labels)",
            )
        ]
    return [
        *shared,
        *steady,
        (
            "On the command line, by t",
            f"liescope apply {folder} images.npz --t {example} --out moved.npz",
        ),
        (
            f"On the command line, by {_units(result)}",
            f"liescope apply {folder} images.npz --t {_natural_example(result)} --in-units --out moved.npz",
        ),
        (
            "In Python",
            "from liescope import load_result\n\n"
            f"result = load_result({folder_name!r})\n"
            f"moved = result.transform(images, t={python})",
        ),
    ]


def _units(result: Answer) -> str:
    names = {"degree": "degrees", "pixel": "pixels", "log-factor": "the logarithm of the factor"}
    units = dict.fromkeys(names.get(g.generator.unit, "the parameter of the equation") for g in result.generators)
    return ", ".join(units)


def _natural_example(result: Answer) -> str:
    handy = {"degree": "30", "pixel": "2", "log-factor": "0.2"}
    return ",".join(handy.get(g.generator.unit, "0.3") for g in result.generators)


def run_rows(result: Answer) -> list[tuple[str, str]]:
    """The run: data, engine, seed, time, versions."""
    channels, height, width = result.shape
    size = f"{height} \N{MULTIPLICATION SIGN} {width} pixels, {channels} channel{'s' * (channels > 1)}"
    film = [] if result.film is None else [("Film", f"{result.film.frames:,} frames")]
    rows = [
        *film,
        _looked_at(result, size),
        ("Engine", result.engine),
        ("Basis", f"{result.basis.name} ({result.basis.dimension} fields)"),
        ("Seed", str(result.seed)),
        ("Time", f"{number(result.seconds, 2)} s"),
    ]
    return rows + version_rows(result)


def version_rows(result: Answer) -> list[tuple[str, str]]:
    """Versions of what computed the result."""
    names = {"python": "Python", "torch": "PyTorch", "numpy": "NumPy", "scipy": "SciPy"}
    versions = [(names.get(name, name), str(version)) for name, version in result.versions.items()]
    return [("liescope", result.version), *versions]


def _looked_at(result: Answer, size: str) -> tuple[str, str]:
    if result.engine == LABELS:
        return "Labels", f"{result.evidence['labels']:,} images of {size}"
    if result.kind != "sets":
        return "Pairs", f"{result.pairs:,} of {size}"
    told = result.evidence["sets"]
    return "Images", f"{told['before']:,} before, {told['after']:,} after, of {size}"


def setting_rows(result: Answer) -> list[tuple[str, str]]:
    """The settings, one a row; those inside a group after the group's name."""
    return [(name.replace("_", " "), _setting(value)) for name, value in _leaves(plain_values(result.settings))]


def _leaves(settings: Mapping[str, Any], group: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        full = f"{group}{name}"
        if isinstance(value, Mapping):
            yield from _leaves(value, "" if name == "config" else f"{full}, ")
        else:
            yield full, value


def _setting(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return ", ".join(map(_setting, value))
    return "none" if value is None else str(value)
