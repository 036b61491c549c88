"""The folder of an answer: its data and its page."""

from __future__ import annotations

from pathlib import Path

from liescope.answer import Answer, FieldAnswer, write_files
from liescope.answer.folder import atomic_folder
from liescope.report.field_page import write_field_page
from liescope.report.page import write_page

__all__ = ["write_folder", "write_report"]


def write_folder(answer: Answer, path: str | Path) -> Path:
    """Write data and page, all or nothing; an earlier result there is replaced.

    Raises
    ------
    InputError
        The folder cannot be written, or holds other things than a result.
    """
    with atomic_folder(path) as folder:
        write_files(answer, folder)
        write_report(answer, folder / "report.html", Path(path).resolve().name)
    return Path(path)


def write_report(answer: Answer, path: Path, folder_name: str) -> None:
    """Write the page that the kind of an answer has."""
    if isinstance(answer, FieldAnswer):
        write_field_page(answer, path, folder_name=folder_name)
    else:
        write_page(answer, path, folder_name=folder_name)
