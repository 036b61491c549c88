"""The history of a training as a CSV file: one row an epoch."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from liescope.errors import InputError

__all__ = ["History", "read_history", "write_history"]

History = list[dict[str, float]]
"""One row an epoch: epoch, the means of the weighted loss terms, held-out errors, coefficients."""


def write_history(history: History, path: Path) -> None:
    """Write it, all or nothing; terms that an epoch did not have are empty."""
    names = list(dict.fromkeys(name for row in history for name in row))
    temporary = path.with_name(f".{path.name}")
    try:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(history)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def read_history(path: Path) -> History:
    """Read it back; a missing file is an empty history."""
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {name: int(text) if text.isdigit() else float(text) for name, text in row.items() if text}
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"expected a history in '{path}', got a corrupt file ({error})") from None
