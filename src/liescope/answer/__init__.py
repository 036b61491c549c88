"""What a detection answers, as plain data, and its files. What people hold is in :mod:`liescope.result`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from liescope.answer.folder import OWN_FILES

if TYPE_CHECKING:
    from liescope.answer.answer import LABELS, Answer
    from liescope.answer.field_answer import FieldAnswer
    from liescope.answer.reading import read_answer
    from liescope.answer.writing import write_files

__all__ = ["LABELS", "OWN_FILES", "Answer", "FieldAnswer", "read_answer", "write_files"]

# Imported on first use: the command line looks at folders (liescope.answer.folder) before it loads torch.
_HOMES = {
    "LABELS": "answer",
    "Answer": "answer",
    "FieldAnswer": "field_answer",
    "read_answer": "reading",
    "write_files": "writing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
