"""A folder that is written as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from liescope.errors import InputError

__all__ = ["OWN_FILES", "RESULT_FILES", "WORK_FOLDER", "atomic_folder", "check_folder", "recover_folder"]

OWN_FILES = ("fitted.npz", "model.safetensors", "config.json", "history.csv")
"""Names that engines may give to what they keep of a fit."""

RESULT_FILES = ("result.json", "magnitudes.npz", "samples.npz", "report.html", *OWN_FILES)
"""Names that belong to a result; whatever else lies in its folder is the user's and stays."""

WORK_FOLDER = "training"
"""Name of the sub-folder with the state of a training that is not finished."""


def _backup_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.previous")


def check_folder(path: str | Path) -> Path:
    """The absolute path of a folder that a result can be written to.

    Parameters
    ----------
    path : path
        A new folder (with its parents), an empty one, one with an earlier result or with an unfinished training.

    Raises
    ------
    InputError
        It is a file, holds other things than a result, is the current folder or a mount point (neither can be
        swapped for another folder), or its place cannot be written. Nothing is left behind.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_dir():
        raise InputError(f"expected an output folder, got the file '{path}', try another name")
    if target.is_dir():
        if os.path.ismount(target) or target == Path.cwd() or target in Path.cwd().parents:
            raise InputError(f"expected an output folder that can be replaced, got '{path}', try '{path}/result'")
        if {entry.name for entry in target.iterdir()} - {WORK_FOLDER} and not (target / "result.json").is_file():
            raise InputError(
                f"expected a new or empty output folder, or one with an earlier result, got '{path}' "
                "with other files, try another name"
            )
    ancestor = next(parent for parent in target.parents if parent.exists())
    try:
        # Asking the file system is the only sure test: permissions lie for root and on read-only mounts.
        os.rmdir(tempfile.mkdtemp(prefix=f".{target.name}.", dir=ancestor))
    except OSError as error:
        raise InputError(f"expected an output folder that can be written, got '{path}': {error.strerror}") from None
    return target


def recover_folder(target: Path) -> None:
    """Finish a swap that was cut short, at whatever moment the process died."""
    backup = _backup_of(target)
    if not backup.is_dir():
        return
    if not target.exists():
        os.rename(backup, target)
        return
    for entry in backup.iterdir():
        if entry.name not in RESULT_FILES and not (target / entry.name).exists():
            os.rename(entry, target / entry.name)
    shutil.rmtree(backup)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """A temporary folder beside ``path`` that takes its place on success and vanishes on failure.

    A crash at any moment leaves the old folder, at worst under a hidden name from which
    :func:`recover_folder` brings it back. The user's own files in the old folder are carried over.

    Raises
    ------
    InputError
        As :func:`check_folder`.
    """
    target = check_folder(path)
    recover_folder(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield fresh
        # mkdtemp makes private folders; give the result the mode that a plain mkdir would have.
        mask = os.umask(0)
        os.umask(mask)
        fresh.chmod(0o777 & ~mask)
        if target.exists():
            os.rename(target, _backup_of(target))
        try:
            os.rename(fresh, target)
        finally:
            recover_folder(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
