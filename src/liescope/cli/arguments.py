"""Reading what was written on the command line, and checking outputs before the work."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from liescope.errors import InputError, require_packages

__all__ = ["check_file", "check_files_folder", "fresh_folder", "numbers", "whole_numbers"]


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
        raise InputError(f"expected numbers separated by commas for {option}, got {text!r}") from None
    if not all(math.isfinite(value) for value in values):
        raise InputError(f"expected finite numbers for {option}, got {text!r}")
    if count is not None and len(values) != count:
        raise InputError(f"expected {count} number{'s' * (count > 1)} for {option}, got {len(values)} in {text!r}")
    return values


def whole_numbers(text: str, option: str) -> list[int]:
    """The whole numbers in ``"1,2,3"``, or InputError."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"expected whole numbers separated by commas for {option}, got {text!r}") from None


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
    if path.is_dir():
        raise InputError(f"expected an output file, got the folder '{path}'")
    if not path.parent.is_dir():
        raise InputError(f"expected an output file in a folder that exists, got '{path}', try mkdir -p {path.parent}")
    try:
        handle, probe = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(f"expected a folder that can be written, got '{path.parent}': {error.strerror}") from None
    os.close(handle)
    os.unlink(probe)
    return path


def check_files_folder(folder: Path) -> None:
    """A folder for several files that can be written, or made, found out without leaving a trace.

    Raises
    ------
    InputError
        A file of that name, or a place where nothing can be written.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"expected an output folder, got the file '{folder}', try another name")
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".liescope.", dir=nearest))
    except OSError as error:
        raise InputError(f"expected a folder that can be written, got '{folder}': {error.strerror}") from None


@contextlib.contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``folder``, new or empty, on success and vanishes on failure."""
    nearest = next(place for place in folder.absolute().parents if place.exists())
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
