"""The folder of an answer: its data and its page."""

from __future__ import annotations

from pathlib import Path

from liescope.answer import Answer, write_files
from liescope.answer.folder import atomic_folder
from liescope.report.page import write_page

__all__ = ["write_folder"]


def write_folder(answer: Answer, path: str | Path) -> Path:
    """Write data and page, all or nothing; an earlier result there is replaced.

    Raises
    ------
    InputError
        The folder cannot be written, or holds other things than a result.
    """
    with atomic_folder(path) as folder:
        write_files(answer, folder)
        write_page(answer, folder / "report.html", folder_name=Path(path).resolve().name)
    return Path(path)
