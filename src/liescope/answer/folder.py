"""A folder that is written as a whole or not at all, and that nobody else's files are lost in."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from glob import escape
from pathlib import Path
from typing import Any, TypeVar

from liescope.data.guard import reason, told_path, writing
from liescope.errors import InputError

__all__ = [
    "OWN_FILES",
    "RESULT_FILES",
    "SCHEMA_NAME",
    "WORK_FOLDER",
    "atomic_folder",
    "check_folder",
    "check_result",
    "files_of_result",
    "no_result",
    "read_whole",
]

SCHEMA_NAME = "liescope.result/"
"""How the schema of every ``result.json`` begins: the mark of a folder that is a result."""

OWN_FILES = ("fitted.npz", "model.safetensors", "config.json", "history.csv")
"""Names that engines may give to what they keep of a fit."""

RESULT_FILES = ("result.json", "magnitudes.npz", "samples.npz", "report.html", *OWN_FILES)
"""Names that may belong to a result; whatever else lies in its folder is the user's and stays."""

WORK_FOLDER = "training"
"""Name of the sub-folder with the state of a training that is not finished."""

_ALWAYS = ("result.json", "magnitudes.npz", "samples.npz", "report.html")
_LATENT = ("model.safetensors", "config.json", "history.csv")
_LOCK = ".liescope-lock"
_AT_FDCWD, _EXCHANGE = -100, 2  # of Linux' renameat2
_LARGEST_MARK = 1 << 26  # bytes: no result.json is larger
_READINGS = 20

Read = TypeVar("Read")


def _backup_of(target: Path) -> Path:
    """Where the earlier folder is while another takes its place, on systems that cannot exchange the two."""
    return target.with_name(f".{target.name}.liescope-previous")


def _fresh_prefix(target: Path) -> str:
    return f".{target.name}.liescope-new-"


def files_of_result(folder: Path) -> frozenset[str]:
    """Names of the files of a result in a folder; none where it carries no result's mark."""
    file = folder / "result.json"
    try:
        status = file.stat()
        if status.st_size > _LARGEST_MARK or not stat.S_ISREG(status.st_mode):
            return frozenset()
        content: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, RuntimeError, ValueError):
        return frozenset()
    if not isinstance(content, dict) or not str(content.get("schema", "")).startswith(SCHEMA_NAME):
        return frozenset()
    named = content.get("files", _LATENT if content.get("engine") == "latent" else ())
    further = {str(name) for name in named} if isinstance(named, list | tuple) else set()
    return frozenset(_ALWAYS) | (further & set(OWN_FILES))


def no_result(path: str | Path, what: str) -> InputError:
    """What is said of a place that holds no result, ``what`` is wrong with it."""
    return InputError(
        f"expected a result folder, got {told_path(path)}: {what}, try liescope detect PAIRS --out {path}"
    )


def check_result(path: str | Path) -> None:
    """InputError where there is no folder; what is in it is looked at when it is read."""
    try:
        target = Path(path).resolve()
        # Twice: another result may take its place at this moment.
        there = any(place.exists() for place in (target, _backup_of(target), target))
    except (OSError, RuntimeError) as error:  # a name that is too long, links that go round
        raise no_result(path, reason(error)) from None
    if not there:
        raise no_result(path, "no such folder")


def check_folder(path: str | Path) -> Path:
    """The absolute path of a folder that a result can be written to.

    Parameters
    ----------
    path : path
        A new folder (with its parents), an empty one, one with an earlier result or with an unfinished training.

    Raises
    ------
    InputError
        It is a file, holds other things than a result, or files of the user under names that a result uses, is the
        current folder or a mount point (neither can be swapped for another folder), or its place cannot be written.
        Nothing is left behind.
    """
    try:
        target = Path(path).resolve()
        if target.exists() and not target.is_dir():
            raise InputError(f"expected an output folder, got the file '{path}', try another name")
    except (OSError, RuntimeError) as error:  # a loop of links, a name that is too long
        raise InputError(f"expected an output folder, got {told_path(path)} ({reason(error)})") from None
    if target.is_dir():
        if os.path.ismount(target) or target == Path.cwd() or target in Path.cwd().parents:
            raise InputError(f"expected an output folder that can be replaced, got '{path}', try '{path}/result'")
        own, there = files_of_result(target), {entry.name for entry in target.iterdir()}
        if there - {WORK_FOLDER, _LOCK} and not own:
            raise InputError(
                f"expected a new or empty output folder, or one with an earlier result, got '{path}' "
                "with other files, try another name"
            )
        if theirs := sorted((there & set(RESULT_FILES)) - own):
            raise InputError(
                f"expected an output folder without other files of a result's names, got '{path}' with "
                f"'{theirs[0]}', which is not of the result there, try another name"
            )
    ancestor = next(parent for parent in target.parents if parent.exists())
    try:
        # Asking the file system is the only sure test: permissions lie for root and on read-only mounts.
        os.rmdir(tempfile.mkdtemp(prefix=_fresh_prefix(target), dir=ancestor))
    except OSError as error:
        told = f"{told_path(path)}: {reason(error)}"
        raise InputError(f"expected an output folder that can be written, got {told}") from None
    return target


def read_whole(path: str | Path, read: Callable[[Path], Read]) -> Read:
    """What ``read`` reads of a folder, all of it from one result even if another takes its place meanwhile.

    Nothing is changed. Where a writer died between two renames, the earlier result is read from where it is kept.
    """
    try:
        target = Path(path).resolve()
    except (OSError, RuntimeError) as error:
        raise InputError(f"expected a result folder, got {told_path(path)} ({reason(error)})") from None
    for _ in range(_READINGS):
        before = _identity(target)
        folder = Path(path) if before is not None or not files_of_result(_backup_of(target)) else _backup_of(target)
        try:
            found = read(folder)
        except (InputError, OSError):
            if _identity(target) == before:
                raise
            continue
        if _identity(target) == before:
            return found
    return read(Path(path))


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """A temporary folder beside ``path`` that takes its place on success and vanishes on failure.

    The two are exchanged at once where the system can do that, so that there is a result at every moment; elsewhere
    the earlier one waits under a hidden name, from which it is read and brought back if the writer dies. The user's own
    files in the earlier folder are in the new one as well. What killed writers left beside it is cleared away.

    Raises
    ------
    InputError
        As :func:`check_folder`.
    """
    target = check_folder(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    _recover(target)
    _sweep(target)
    fresh, lock = _made_beside(target)
    try:
        with writing(target):
            yield fresh
        _like_made_here(fresh, target)
        if target.exists():
            _carry_over(target, fresh)
        _synchronised(fresh)
        _swap(fresh, target)
        (target / _LOCK).unlink(missing_ok=True)
    finally:
        if lock is not None:
            os.close(lock)
        _cleared(fresh)


def _made_beside(target: Path) -> tuple[Path, int | None]:
    """A new folder, and its lock; made again where another writer took it, still empty, for one that was left."""
    while True:
        fresh = Path(tempfile.mkdtemp(prefix=_fresh_prefix(target), dir=target.parent))
        with contextlib.suppress(FileNotFoundError):
            return fresh, _locked(fresh)


def _cleared(folder: Path, mark: str = _LOCK) -> None:
    """Remove a folder of ours, its mark last: what a killed process leaves of it is known for ours."""
    with contextlib.suppress(OSError):
        if mark == _LOCK:
            (folder / mark).touch()
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != mark:
                entry.unlink()
        (folder / mark).unlink(missing_ok=True)
        folder.rmdir()


def _swap(fresh: Path, target: Path) -> None:
    """The fresh folder in the target's place; the earlier one, if there was one, in the fresh one's, or gone."""
    if not target.exists():
        os.rename(fresh, target)
    elif _exchanged(fresh, target):
        # What the user put there since it was looked at.
        _rescue(fresh, target)
    else:
        backup = _backup_of(target)
        os.rename(target, backup)
        try:
            os.rename(fresh, target)
        finally:
            _recover(target)
    _synchronise(target.parent)


def _exchanged(first: Path, second: Path) -> bool:
    """Exchange two folders in one step, on Linux; False where that cannot be done."""
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    names = (os.fsencode(first), os.fsencode(second))
    return bool(function(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) == 0)


def _recover(target: Path) -> None:
    """Finish a swap by renames that was cut short, at whatever moment the process died."""
    backup = _backup_of(target)
    if not files_of_result(backup):
        return
    if not target.exists():
        os.rename(backup, target)
        return
    _rescue(backup, target)
    _cleared(backup, "result.json")


def _rescue(old: Path, target: Path) -> None:
    """Move the user's files of an earlier folder that are not in the new one."""
    for entry in old.iterdir():
        if entry.name not in {*RESULT_FILES, _LOCK} and not os.path.lexists(target / entry.name):
            os.rename(entry, target / entry.name)


def _carry_over(target: Path, fresh: Path) -> None:
    """The user's files, and the state of an unfinished training, in the new folder too: linked, or copied."""
    own = files_of_result(target)
    for entry in target.iterdir():
        place = fresh / entry.name
        if entry.name in own or entry.name == _LOCK or os.path.lexists(place):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, place, symlinks=True, copy_function=_linked)
        else:
            _linked(entry, place)


def _linked(source: Any, place: Any) -> Any:
    try:
        os.link(source, place, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, place, follow_symlinks=False)
    return place


def _like_made_here(fresh: Path, target: Path) -> None:
    """The modes that plain files and folders would have there: the earlier folder's own, else those of the umask."""
    mask = os.umask(0)
    os.umask(mask)
    # mkdtemp makes private folders, in which the parent's group may be inherited.
    mode = (0o777 & ~mask) | (fresh.stat().st_mode & stat.S_ISGID)
    if target.exists():
        status = target.stat()
        with contextlib.suppress(OSError, AttributeError):
            os.chown(fresh, -1, status.st_gid)
        mode = stat.S_IMODE(status.st_mode)
    for entry in fresh.iterdir():
        if entry.is_file():
            entry.chmod(0o666 & ~mask)
    fresh.chmod(mode)


def _synchronised(folder: Path) -> None:
    """Contents on the disk before their name is."""
    for entry in folder.iterdir():
        if entry.is_file() and entry.name in RESULT_FILES:
            _synchronise(entry)
    _synchronise(folder)


def _synchronise(path: Path) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _locked(folder: Path) -> int | None:
    """A lock in a folder that is being written, which the system takes away with the process."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return None
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sweep(target: Path) -> None:
    """Clear away what killed writers left: folders of our name whose lock nobody holds."""
    for left in target.parent.glob(f"{escape(_fresh_prefix(target))}*"):
        if not (left / _LOCK).is_file() and not files_of_result(left):
            with contextlib.suppress(OSError):
                left.rmdir()  # refuses what is not empty, and that is somebody else's
            continue
        lock = _locked(left)
        if lock is None:
            continue
        try:
            if target.is_dir():
                _rescue(left, target)
            _cleared(left)
        finally:
            os.close(lock)
