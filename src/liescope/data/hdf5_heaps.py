"""Texts of any length in HDF5 files lie in heaps, of which broken ones make the library walk in circles for ever."""

from __future__ import annotations

import mmap
from pathlib import Path

__all__ = ["check_heaps"]

_MARK = b"GCOL\x01\x00\x00\x00"
_HEAD = 16
"""Bytes before the first object: mark, version and size; and of every object: number, uses and size."""


def check_heaps(path: Path) -> None:
    """Raise ValueError unless every global heap of a file can be walked to its end (format specification, III.E)."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content.find(_MARK)
        while start >= 0:
            _walk(content, start)
            start = content.find(_MARK, start + len(_MARK))


def _walk(content: mmap.mmap, start: int) -> None:
    end = start + int.from_bytes(content[start + 8 : start + _HEAD], "little")
    at = start + _HEAD
    if not at < end <= len(content):
        raise ValueError(f"a heap of {end - start} bytes")
    while at + _HEAD <= end:
        number, size = content[at : at + 2], int.from_bytes(content[at + 8 : at + _HEAD], "little")
        # What is free, number 0, counts its own head; what is held is padded to eight bytes.
        step = _HEAD + (size + 7) // 8 * 8 if any(number) else size
        if step < _HEAD or at + step > end:
            raise ValueError(f"{size} bytes in a heap of {end - start}")
        at += step
