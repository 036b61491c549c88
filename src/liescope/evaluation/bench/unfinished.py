"""The finished runs of a benchmark that is not: one that was stopped goes on where it ended."""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import scipy
import torch

from liescope.data.pairs import atomic_path

__all__ = ["Kept", "code_digest", "forget", "kept_folder"]

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

ENDING = ".unfinished"


def code_digest(function: Callable[..., Any]) -> str:
    """What tells this code and its libraries from any other: outcomes of other code are not this code's.

    A commit would not do: it says nothing of a file that was changed since.
    """
    versions = (platform.python_version(), torch.__version__, np.__version__, scipy.__version__)
    digest = hashlib.sha256(repr(versions).encode())
    files = sorted(Path(__file__).parents[2].rglob("*.py"))
    own = sys.modules[function.__module__].__file__
    for file in (*files, *([Path(own)] if own else [])):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Kept(Generic[Task, Outcome]):
    """A function whose outcomes are kept in files, and read from there when it is asked again.

    Parameters
    ----------
    function : callable
        From a task to an outcome; both can be pickled, and the task's ``repr`` says everything of it.
    folder : Path
        Of the files.
    code : str
        :func:`code_digest` of the function.
    """

    function: Callable[[Task], Outcome]
    folder: Path
    code: str

    def __call__(self, task: Task) -> Outcome:
        name = hashlib.sha256(f"{self.function.__qualname__}\0{self.code}\0{task!r}".encode()).hexdigest()
        file = self.folder / f"{name}.pickle"
        # A file that cannot be read is as good as none.
        with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
            outcome: Outcome = pickle.loads(file.read_bytes())
            return outcome
        outcome = self.function(task)
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary:
            temporary.write_bytes(pickle.dumps(outcome))
        return outcome


def kept_folder(folder: Path, name: str) -> Path:
    """Where the finished runs of a benchmark lie until its record is written to the folder."""
    return folder / f"{name}{ENDING}"


def forget(folder: Path, name: str) -> None:
    """Remove them."""
    shutil.rmtree(kept_folder(folder, name), ignore_errors=True)
