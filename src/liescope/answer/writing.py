"""Writing an answer: its data, file by file, into a folder that somebody else swaps in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from liescope.answer.answer import FURTHER_ARRAYS, Answer
from liescope.answer.field_answer import FieldAnswer
from liescope.answer.folder import TABLES
from liescope.answer.table import write_csv
from liescope.answer.values import json_text

__all__ = ["write_files"]


def write_files(answer: Answer, folder: Path) -> None:
    """``result.json``, magnitudes and their table, ``samples.npz`` and the engine's files, into an existing folder."""
    (folder / "result.json").write_text(json_text(answer.to_dict()), encoding="utf-8")
    if not isinstance(answer, FieldAnswer):
        _write_pairs(answer, folder)
    for name, content in answer.state.items():
        (folder / name).write_bytes(content)


def _write_pairs(answer: Answer, folder: Path) -> None:
    """What was measured of every pair."""
    arrays: dict[str, Any] = {"t": answer.t, "residual": answer.residual, "accepted": answer.accepted}
    further = {name: getattr(answer, name) for name in FURTHER_ARRAYS}
    arrays |= {name: array for name, array in further.items() if array is not None}
    if answer.film is not None:
        arrays |= answer.film.arrays()
    np.savez(folder / "magnitudes.npz", **arrays)
    write_csv(answer, folder / TABLES[0])
    samples: dict[str, Any] = {} if answer.samples is None else dict(vars(answer.samples))
    if answer.film is not None and answer.film.shown is not None:
        samples |= answer.film.shown.arrays()
    if samples:
        np.savez_compressed(folder / "samples.npz", **samples)
