"""The pairs as a table: what was measured of each, in units that people read."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from liescope.answer.answer import Answer

__all__ = ["magnitude_columns", "write_csv"]


def magnitude_columns(answer: Answer) -> dict[str, np.ndarray]:
    """Columns of the table of pairs, N values each.

    Returns
    -------
    dict
        ``pair`` (its number, from 0); ``source_file``, ``target_file`` and ``first_frame``, ``second_frame`` where
        they are known; of every generator ``t1_rotation_degree`` and the like, number, name and natural unit, and
        where it is known ``..._error``; ``residual``, ``accepted``; ``identifiable``, ``gain``, ``offset`` where they
        were measured.
    """
    columns: dict[str, np.ndarray] = {"pair": np.arange(answer.pairs)}
    if answer.names is not None:
        columns |= {"source_file": answer.names[:, 0], "target_file": answer.names[:, 1]}
    if answer.film is not None:
        columns |= {"first_frame": answer.film.first, "second_frame": answer.film.second}
    for k, found in enumerate(answer.generators):
        name = f"t{k + 1}_{found.name}_{found.unit}"
        columns[name] = answer.natural[:, k]
        if answer.t_error is not None:
            columns[f"{name}_error"] = answer.t_error[:, k] * abs(found.unit_per_t)
    further = {name: getattr(answer, name) for name in ("residual", "accepted", "identifiable", "gain", "offset")}
    return columns | {name: column for name, column in further.items() if column is not None}


def write_csv(answer: Answer, path: Path) -> None:
    """The table as comma-separated text with a line of names; what is not known is empty."""
    columns: list[list[Any]] = [column.tolist() for column in magnitude_columns(answer).values()]
    # Names of files may hold bytes that are no text.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(magnitude_columns(answer))
        # NaN alone differs from itself.
        lines.writerows(["" if value != value else value for value in row] for row in zip(*columns, strict=True))
