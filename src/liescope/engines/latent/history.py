"""The history of a training as a CSV file: one row an epoch."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from liescope.errors import InputError

__all__ = ["History", "history_of", "history_text", "write_history"]

History = list[dict[str, float]]
"""One row an epoch: epoch, the means of the weighted loss terms, held-out errors, coefficients."""


def history_text(history: History) -> str:
    """The file's text; terms that an epoch did not have are empty."""
    names = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()


def history_of(content: bytes, where: str) -> History:
    """The history in a file's bytes; InputError, with its place, for others."""
    try:
        return [
            {
                name: int(text) if text.isascii() and text.isdigit() else float(text)
                for name, text in row.items()
                if text
            }
            for row in csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
        ]
    except (ValueError, AttributeError, TypeError, csv.Error) as error:
        raise InputError(f"expected a history in '{where}', got a corrupt file ({error})") from None


def _value(text: str) -> float:
    return int(text) if text.isascii() and text.isdigit() else float(text)


def write_history(history: History, path: Path) -> None:
    """Write it, all or nothing."""
    temporary = path.with_name(f".{path.name}")
    try:
        temporary.write_text(history_text(history), encoding="utf-8", newline="")
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
