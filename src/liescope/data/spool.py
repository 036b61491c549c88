"""Frames that were decoded one by one: in memory while they are few, in a temporary file beyond that."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from liescope.data.guard import reason, told_path
from liescope.data.lazy import LazyImages
from liescope.errors import InputError

__all__ = ["IN_MEMORY_BYTES", "Spool", "mapped", "native_order"]

IN_MEMORY_BYTES = 1 << 26
"""Decoded frames larger than this together lie in a file, which vanishes with the last array that shows it."""


class Spool:
    """Takes frames in order and gives them back as one array, in bounded memory; a context, which closes its file.

    Parameters
    ----------
    name : str
        Of what is read, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._held: list[np.ndarray] = []
        self._held_bytes = 0
        self._file: IO[bytes] | None = None
        self._count = 0
        self._first: tuple[tuple[int, ...], np.dtype[Any], str] | None = None

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An array that shows the file keeps it, nameless, for as long as it lives.
        if self._file is not None:
            self._file.close()

    def add(self, frame: np.ndarray, what: str | None = None) -> None:
        """One more frame; ``what`` names it (default its number).

        Raises
        ------
        InputError
            Another shape or type than the first one, or no room on the disk.
        """
        what = what or f"frame {self._count}"
        if self._first is None:
            self._first = frame.shape, frame.dtype, what
        shape, dtype, first = self._first
        if (frame.shape, frame.dtype) != (shape, dtype):
            raise InputError(
                f"expected frames of one size and type in '{self._name}', got {_told(shape, dtype)} in {first} "
                f"and {_told(frame.shape, frame.dtype)} in {what}"
            )
        self._count += 1
        self._held.append(frame)
        self._held_bytes += frame.nbytes
        if self._held_bytes > IN_MEMORY_BYTES:
            self._write()

    def _write(self) -> None:
        try:
            self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115
            for frame in self._held:
                self._file.write(np.ascontiguousarray(frame).data)
            self._file.flush()
        except OSError as error:
            raise InputError(
                f"expected room for the frames of '{self._name}' in '{tempfile.gettempdir()}', got none "
                f"({reason(error)}), try another place: TMPDIR=FOLDER"
            ) from None
        self._held, self._held_bytes = [], 0

    def frames(self) -> np.ndarray:
        """All frames, (T, ...)."""
        if self._first is None:
            raise InputError(f"expected frames in '{self._name}', got none")
        shape, dtype, _ = self._first
        if self._file is None:
            return np.stack(self._held)
        self._write()
        return np.memmap(self._file, dtype=dtype, mode="c", shape=(self._count, *shape))


def _told(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    return f"{'x'.join(map(str, shape))} {dtype}"


def mapped(path: Path, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that lie in a file in one piece, mapped; copy-on-write, so that callers may write to their arrays."""
    missing = offset + math.prod(shape) * dtype.itemsize - path.stat().st_size
    if missing > 0 or min(offset, *shape) < 0:
        told = f"truncated ({missing} bytes of pixels are missing)"
        raise InputError(f"expected a whole file, got {told_path(path.name)}, {told}")
    return np.memmap(path, dtype=dtype, mode="c", offset=offset, shape=shape)


def native_order(stack: np.ndarray) -> Any:
    """The stack in the machine's byte order; a mapped one of another order as a lazy stack."""
    if stack.dtype.isnative:
        return stack
    native = stack.dtype.newbyteorder("=")
    if not isinstance(stack, np.memmap) or stack.ndim < 3:
        return stack.astype(native)
    return LazyImages(stack.shape, native, lambda rows: np.asarray(stack[rows], dtype=native))
