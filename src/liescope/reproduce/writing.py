"""Files of a reproduced figure: pictures, numbers, findings; and reading the findings back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from liescope.answer.values import json_text, plain_values
from liescope.data.guard import json_of
from liescope.data.pairs import atomic_path
from liescope.evaluation.benchmarks.environment import environment
from liescope.evaluation.benchmarks.record import csv_text
from liescope.evaluation.benchmarks.unfinished import forget
from liescope.reproduce.registry import FIGURES
from liescope.reproduce.study import Reproduction, Request

__all__ = ["SCHEMA", "read_findings", "write_reproduction"]

SCHEMA = "liescope.reproduction/1"
_DOTS_PER_INCH = 200
# A time stamp inside of a picture would make two runs with one seed differ.
_STAMPS: dict[str, dict[str, Any]] = {"png": {"Software": None}, "pdf": {"CreationDate": None}}


def write_reproduction(made: Reproduction, folder: Path, request: Request, seconds: float) -> list[Path]:
    """Write NAME.png and .pdf (with the figures' endings), NAME.csv, NAME.json; the folder is made.

    NAME.json comes last, and an older one is removed first: where it is, the rest is whole. Trainings that were kept in
    case the figure were stopped are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / f"{made.name}.json"
    told.unlink(missing_ok=True)
    written: list[Path] = []
    for ending, figure in made.figures.items():
        for kind in ("png", "pdf"):
            path = folder / f"{made.name}{'-' * bool(ending)}{ending}.{kind}"
            with atomic_path(path) as temporary:
                figure.savefig(temporary, format=kind, dpi=_DOTS_PER_INCH, metadata=_STAMPS[kind])
            written.append(path)
    pictures = [path.name for path in written if path.suffix == ".png"]
    table = folder / f"{made.name}.csv"
    with atomic_path(table) as temporary:
        temporary.write_text(csv_text(made.rows), encoding="utf-8", newline="\n")
    content = {
        "schema": SCHEMA,
        "name": made.name,
        "title": made.title,
        "caption": made.caption,
        "pictures": pictures,
        "findings": [finding._asdict() for finding in made.findings],
        "settings": {
            "scale": request.scale,
            "tiny": request.tiny,
            "seed": request.seed,
            "galaxies": None if request.galaxies is None else Path(request.galaxies).stem,
            **made.settings,
        },
        "seconds": round(seconds, 1),
        "environment": environment(),
    }
    with atomic_path(told) as temporary:
        temporary.write_text(json_text(plain_values(content)), encoding="utf-8", newline="\n")
    forget(folder, made.name)
    return [*written, table, told]


def read_findings(folder: Path) -> list[dict[str, Any]]:
    """What :func:`write_reproduction` has written to a folder, in the order of the figures."""
    found = []
    for name in FIGURES:
        path = folder / f"{name}.json"
        if path.is_file():
            content = json_of(path.read_bytes(), str(path))
            if isinstance(content, dict) and content.get("schema") == SCHEMA:
                found.append(content)
    return found
