"""What libraries say past this program, warnings and lines of C, kept off the terminal."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

__all__ = ["quiet_libraries"]

_STDERR = 2


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """A context in which stderr is this program's alone.

    Libraries written in C (libtiff, libpng) print on the descriptor, past Python: it leads nowhere meanwhile, and
    Python's own stderr to where it led. Where something matters to the user it is an error of ours.
    """
    shown = warnings.showwarning
    warnings.showwarning = _say_nothing
    try:
        with _descriptor_apart():
            yield
    finally:
        warnings.showwarning = shown


def _say_nothing(*_: Any, **__: Any) -> None: ...


def _is_the_descriptor(stream: Any) -> bool:
    try:
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() == _STDERR
    except (OSError, ValueError):  # of a stream in memory, or a closed one
        return False


@contextlib.contextmanager
def _descriptor_apart() -> Iterator[None]:
    before = sys.stderr
    if not _is_the_descriptor(before):
        yield
        return
    before.flush()
    own = os.dup(_STDERR)
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        sys.stderr = open(own, "w", encoding=before.encoding, errors=before.errors, buffering=1, closefd=False)  # noqa: SIM115
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        sys.stderr = before
        os.dup2(own, _STDERR)
        os.close(own)
