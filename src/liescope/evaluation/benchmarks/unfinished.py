"""The finished runs of a benchmark that is not: one that was stopped goes on where it ended."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, get_type_hints, runtime_checkable

import numpy as np
import scipy
import torch
from pydantic import PydanticSchemaGenerationError, TypeAdapter

from liescope.data.pairs import atomic_path
from liescope.errors import InputError

__all__ = ["InFolder", "Kept", "code_digest", "forget", "kept_folder"]

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

ENDING = ".unfinished"
_CODE = (".py", ".toml", ".json")


_OPTIONAL = ("kornia", "lightning", "opencv-python-headless", "pystackreg", "scikit-image", "scikit-learn")


def code_digest(function: Callable[..., Any], processes: int = 1, *corpora: str) -> str:
    """What tells this code, its libraries and its images from any other: outcomes of others are not this one's.

    A commit would not do: it says nothing of a file that was changed since. How many runs go side by side is part of
    their seconds.

    Parameters
    ----------
    function : callable
    processes : int
    corpora : str
        Names, files or folders.
    """
    versions = [platform.python_version(), torch.__version__, np.__version__, scipy.__version__, str(processes)]
    for package in _OPTIONAL:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions.append(metadata.version(package))
    digest = hashlib.sha256(repr(versions).encode())
    files = [file for file in Path(__file__).parents[2].rglob("*") if file.suffix in _CODE]
    if own := sys.modules[function.__module__].__file__:
        # With what a script imports from beside it.
        files += Path(own).parent.glob("*.py")
    for corpus in map(Path, corpora):
        files += [file for file in corpus.rglob("*") if file.is_file()] if corpus.is_dir() else [corpus]
    for file in sorted(files):
        # A corpus that is a name has no file; those that come with the package do not change without it.
        if file.is_file():
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


@runtime_checkable
class InFolder(Protocol):
    """An outcome that is more than plain data: it writes itself into a folder, and is read from there."""

    def write(self, folder: Path) -> None: ...

    @classmethod
    def read(cls, folder: Path) -> Any: ...


@dataclass(frozen=True)
class Kept(Generic[Task, Outcome]):
    """A function whose outcomes are kept in files, and read from there when it is asked again.

    Parameters
    ----------
    function : callable
        From a task to an outcome of the annotated type: plain data that JSON holds, or :class:`InFolder`. The task's
        ``repr`` says everything of it.
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
        expected = get_type_hints(self.function).get("return")
        read, write = _in_folder(expected) if _is_in_folder(expected) else _as_json(self.function)
        # What cannot be read is as good as none.
        with contextlib.suppress(InputError, OSError, ValueError, LookupError, TypeError, RecursionError):
            kept: Outcome = read(self.folder / name)
            return kept
        outcome = self.function(task)
        self.folder.mkdir(parents=True, exist_ok=True)
        write(outcome, self.folder / name)
        return outcome


def _is_in_folder(expected: Any) -> bool:
    return isinstance(expected, type) and issubclass(expected, InFolder)


def _in_folder(expected: Any) -> tuple[Callable[[Path], Any], Callable[[Any, Path], None]]:
    def write(outcome: InFolder, place: Path) -> None:
        place.mkdir(exist_ok=True)
        outcome.write(place)

    return expected.read, write


def _as_json(function: Callable[..., Any]) -> tuple[Callable[[Path], Any], Callable[[Any, Path], None]]:
    try:
        adapter: Any = TypeAdapter(get_type_hints(function)["return"])
    except (KeyError, PydanticSchemaGenerationError) as error:
        raise TypeError(f"expected {function.__qualname__} to return plain data by its annotation") from error

    def read(place: Path) -> Any:
        text = place.with_suffix(".json").read_text(encoding="utf-8")
        return adapter.validate_python(json.loads(text)["outcome"])

    def write(outcome: Any, place: Path) -> None:
        with contextlib.suppress(ValueError, TypeError):
            text = json.dumps({"outcome": adapter.dump_python(outcome, warnings=False)}, default=_plain)
            with atomic_path(place.with_suffix(".json")) as temporary:
                temporary.write_text(text, encoding="utf-8")

    return read, write


def _plain(value: Any) -> Any:
    """A number of NumPy as Python's own."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"expected plain data, got {type(value).__name__}")


def kept_folder(folder: Path, name: str) -> Path:
    """Where the finished runs of a benchmark lie until its record is written to the folder."""
    return folder / f"{name}{ENDING}"


def forget(folder: Path, name: str) -> None:
    """Remove them."""
    shutil.rmtree(kept_folder(folder, name), ignore_errors=True)
