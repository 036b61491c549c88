"""The folder of an answer: its data and its page."""

from __future__ import annotations

from pathlib import Path

from liescope.answer import Answer, FieldAnswer, write_files
from liescope.answer.folder import atomic_folder
from liescope.report.field_page import write_field_page
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
        name, page = Path(path).resolve().name, folder / "report.html"
        if isinstance(answer, FieldAnswer):
            write_field_page(answer, page, folder_name=name)
        else:
            write_page(answer, page, folder_name=name)
    return Path(path)
