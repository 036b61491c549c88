"""Reading what was written on the command line, and checking outputs before the work."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from liescope.data.guard import quoted, reason, told_path, writing
from liescope.errors import InputError, require_packages, suggest

if TYPE_CHECKING:
    from liescope.data import Corpus

__all__ = [
    "check_file",
    "check_files_folder",
    "check_sampling",
    "fresh_folder",
    "generator_count",
    "labelled_images",
    "numbers",
    "whole_number",
    "whole_numbers",
]

_INTERPOLATIONS = ("linear", "cubic")
_BORDERS = ("zero", "edge", "periodic")
_MOST_DIGITS = 18


def numbers(text: str, option: str, count: int | None = None) -> list[float]:
    """The numbers in ``"1,2,3"``.

    Raises
    ------
    InputError
        Not numbers, not finite, or not ``count`` of them.
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"expected numbers separated by commas for {option}, got {quoted(text)}") from None
    if not all(math.isfinite(value) for value in values):
        raise InputError(f"expected finite numbers for {option}, got {quoted(text)}")
    if count is not None and len(values) != count:
        raise InputError(f"expected {count} number{'s' * (count > 1)} for {option}, got {len(values)} in {text!r}")
    return values


def whole_numbers(text: str, option: str) -> list[int]:
    """The whole numbers in ``"1,2,3"``, or InputError."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"expected whole numbers separated by commas for {option}, got {quoted(text)}") from None


def whole_number(text: str) -> int | None:
    """The whole number >= 0 that a text is, in plain digits; None for any other text, "²" among them."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def generator_count(text: str) -> Literal["auto"] | int:
    """A number of generators, or InputError."""
    if text == "auto":
        return "auto"
    count = whole_number(text)
    if not count:
        raise InputError(f"expected --generators auto or a number of at least 1, got {quoted(text)}")
    return count


def labelled_images(file: Path) -> Corpus:
    """Images with labels from a file, or InputError."""
    from liescope.data import load_corpus

    found = load_corpus(str(file))
    if found.labels is None:
        raise InputError(f"expected images with labels in '{file}', got images alone")
    return found


def check_sampling(interpolation: str, border: str) -> None:
    """InputError for what is neither an interpolation nor a border."""
    if interpolation not in _INTERPOLATIONS:
        raise InputError(f"unknown interpolation {interpolation!r}.{suggest(interpolation, _INTERPOLATIONS)}")
    if border not in _BORDERS:
        raise InputError(f"unknown border {border!r}.{suggest(border, _BORDERS)}")


def check_file(path: Path, endings: tuple[str, ...]) -> Path:
    """A file that can be written, found out without leaving a trace.

    Raises
    ------
    InputError
        Another ending, a folder of that name, a parent folder that is missing or cannot be written, or no h5py for
        HDF5 files.
    """
    if path.suffix not in endings:
        raise InputError(f"expected an output file ending in {' or '.join(endings)}, got '{path}'")
    if path.suffix in (".h5", ".hdf5"):
        require_packages("h5py")
    with _a_place(path, "an output file"):
        if path.is_dir():
            raise InputError(f"expected an output file, got the folder '{path}'")
        if path.exists() and not path.is_file():
            raise InputError(f"expected an output file, got something else of that name, '{path}', try another name")
        if not path.parent.is_dir():
            told = f"'{path}', try mkdir -p {path.parent}"
            raise InputError(f"expected an output file in a folder that exists, got {told}")
    try:
        handle, probe = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        told = f"{told_path(path.parent)}: {reason(error)}"
        raise InputError(f"expected a folder that can be written, got {told}") from None
    os.close(handle)
    os.unlink(probe)
    return path


@contextlib.contextmanager
def _a_place(path: Path, what: str) -> Iterator[None]:
    """A loop of links, or a name that is too long, is no place for anything."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise InputError(f"expected {what}, got {told_path(path)} ({reason(error)})") from None


def check_files_folder(folder: Path) -> None:
    """A folder for several files that can be written, or made, found out without leaving a trace.

    Raises
    ------
    InputError
        A file of that name, or a place where nothing can be written.
    """
    with _a_place(folder, "an output folder"):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"expected an output folder, got the file '{folder}', try another name")
        if dead := [place for place in (folder, *folder.parents) if os.path.lexists(place) and not place.exists()]:
            raise InputError(f"expected an output folder, got '{folder}', a link that leads nowhere ('{dead[-1]}')")
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".liescope.", dir=nearest))
    except OSError as error:
        told = f"{told_path(folder)}: {reason(error)}"
        raise InputError(f"expected a folder that can be written, got {told}") from None


@contextlib.contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``folder``, new or empty, on success and vanishes on failure.

    Raises
    ------
    InputError
        What the system refuses meanwhile, with the path.
    """
    nearest = next(place for place in folder.absolute().parents if place.exists())
    with writing(folder):
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=nearest))
        try:
            yield temporary
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o777 & ~mask)
            folder.absolute().parent.mkdir(parents=True, exist_ok=True)
            if folder.is_dir():
                folder.rmdir()
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
