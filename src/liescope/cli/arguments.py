"""Reading what was written on the command line, and checking outputs before the work."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

from liescope.errors import InputError, require_packages, suggest

__all__ = ["check_file", "check_files_folder", "check_sampling", "numbers", "whole_numbers"]

_INTERPOLATIONS = ("linear", "cubic")
_BORDERS = ("zero", "edge", "periodic")


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
