"""What reading a file may run into, as one line: places that are no files, and whatever other libraries raise."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from liescope.errors import InputError, one_line, quoted, shortened

__all__ = ["LONGEST", "check_place", "json_of", "quoted", "reading", "reading_bytes", "reason", "told_path", "writing"]

LONGEST = 480
"""Letters of what is told about a file that cannot be read."""

_LONGEST_REASON = 200
_LONGEST_PATH = 200
_OTHER_THINGS = (
    (stat.S_ISFIFO, "a named pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def reason(error: BaseException) -> str:
    """The text of an error of another library, on one line that is not too long."""
    told = error.strerror if isinstance(error, OSError) and error.strerror and error.filename else str(error)
    return shortened(one_line(" ".join(str(told).split())), _LONGEST_REASON) or type(error).__name__


def told_path(path: str | Path) -> str:
    """A path in quotes, as it stands in a message."""
    return f"'{shortened(one_line(str(path)), _LONGEST_PATH)}'"


def check_place(path: Path, what: str = "a file or a folder") -> os.stat_result:
    """What is known of a path that something is to be read from.

    Raises
    ------
    InputError
        Nothing is there, a loop of links, a name that is too long; a pipe, a socket or a device: nobody waits for them.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"expected {what}, got no such file {told_path(path)}") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"expected {what} that can be read, got {told_path(path)} ({reason(error)})") from None
    for is_one, name in _OTHER_THINGS:
        if is_one(status.st_mode):
            raise InputError(f"expected {what}, got {name}, {told_path(path)}, try copying its content to a file")
    return status


@contextlib.contextmanager
def reading(path: Path, what: str, advice: str = "") -> Iterator[None]:
    """A context in which a file is read: whatever goes wrong with it is one :class:`InputError`.

    Parameters
    ----------
    path : Path
    what : str
        What is expected, as it stands in a sentence: ``"an .npz file"``.
    advice : str
        How the message ends.

    Raises
    ------
    InputError
        In place of anything that is raised inside. Libraries that read files of all kinds have no list of what they
        raise where a file is broken.
    """
    with reading_bytes(path.name, what, advice):
        check_place(path, what)
        yield


@contextlib.contextmanager
def reading_bytes(name: str, what: str, advice: str = "") -> Iterator[None]:
    """As :func:`reading`, for what lies in memory and is called ``name``."""
    try:
        yield
    except InputError as error:
        if len(str(error)) <= LONGEST:
            raise
        raise InputError(shortened(str(error), LONGEST)) from error
    except MemoryError as error:
        message = f"expected {what} that fits into memory, got {told_path(name)}{advice}"
        raise InputError(shortened(message, LONGEST)) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
        message = f"expected {what}, got {told_path(name)}, truncated or corrupt ({reason(error)}){advice}"
        raise InputError(shortened(message, LONGEST)) from error


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """A context in which a file is written: what the system refuses is one :class:`InputError` with the path."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        full = error.errno in _FULL or "No space left on device" in str(error)
        what = "room on the disk for" if full else "to write"
        advice = ", try another place" if full else ""
        raise InputError(f"expected {what} {told_path(path)}, got none ({reason(error)}){advice}") from error


def json_of(content: str | bytes, where: str) -> Any:
    """What a JSON text holds.

    Raises
    ------
    InputError
        It is none, or nested more deeply than can be read; ``where`` names the place.
    """
    try:
        return json.loads(content)
    except (ValueError, TypeError, RecursionError) as error:
        told = shortened(one_line(where), _LONGEST_PATH)
        raise InputError(f"expected JSON in {told}, got a truncated or corrupt file ({reason(error)})") from None
