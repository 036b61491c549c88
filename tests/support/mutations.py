"""Files made worse: bits, lengths, numbers and blocks of valid ones changed, by a seed."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["mutated", "with_inner_arrays", "with_png_chunks"]

Mutate = Callable[[np.random.Generator, bytearray, Sequence[bytes]], None]

_EXTREME = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 63) - 1, 1 << 63)
_WORDS = (
    b"-1",
    b"0",
    b"1e400",
    b"nan",
    b"null",
    b"99999999999999999999",
    b"1000000",
    b'"x"',
    b"[]",
    b"{}",
    b"true",
    b"\xff",
)
_HEAD = 160
_LONGEST_BLOCK = 600


def _place(rng: np.random.Generator, size: int) -> int:
    """Anywhere, but half of the time near the beginning or the end, where files say what they are."""
    near = min(_HEAD, size)
    where = rng.integers(4)
    if where == 0:
        return int(rng.integers(near))
    return size - 1 - int(rng.integers(near)) if where == 1 else int(rng.integers(size))


def _block(rng: np.random.Generator, size: int) -> slice:
    start = _place(rng, size)
    return slice(start, min(size, start + 1 + int(rng.integers(_LONGEST_BLOCK))))


def _bits(rng: np.random.Generator, content: bytearray, _: Sequence[bytes]) -> None:
    for place in [_place(rng, len(content)) for _flip in range(int(rng.integers(1, 9)))]:
        content[place] ^= 1 << int(rng.integers(8))


def _bytes(rng: np.random.Generator, content: bytearray, _: Sequence[bytes]) -> None:
    part = _block(rng, len(content))
    size = min(8, part.stop - part.start)
    content[part.start : part.start + size] = rng.bytes(size)


def _number(rng: np.random.Generator, content: bytearray, _: Sequence[bytes]) -> None:
    """An extreme value in binary, of one to eight bytes, in either order."""
    code = str(rng.choice(["B", "<H", ">H", "<I", ">I", "<Q", ">Q"]))
    size = struct.calcsize(code)
    value = _EXTREME[int(rng.integers(len(_EXTREME)))] & ((1 << 8 * size) - 1)
    start = _place(rng, len(content))
    content[start : start + size] = struct.pack(code, value)[: len(content) - start]


def _word(rng: np.random.Generator, content: bytearray, _: Sequence[bytes]) -> None:
    """An extreme value in the place of a number that is written in digits."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", bytes(content[:20_000])))
    if found:
        one = found[int(rng.integers(len(found)))]
        content[one.start() : one.end()] = _WORDS[int(rng.integers(len(_WORDS)))]


def _cut(rng: np.random.Generator, content: bytearray, _: Sequence[bytes]) -> None:
    del content[_place(rng, len(content)) :]


def _left_out(rng: np.random.Generator, content: bytearray, _: Sequence[bytes]) -> None:
    del content[_block(rng, len(content))]


def _repeated(rng: np.random.Generator, content: bytearray, _: Sequence[bytes]) -> None:
    part = _block(rng, len(content))
    content[part.stop : part.stop] = bytes(content[part]) * int(rng.integers(1, 4))


def _spliced(rng: np.random.Generator, content: bytearray, others: Sequence[bytes]) -> None:
    """A block of another valid file."""
    other = others[int(rng.integers(len(others)))]
    content[_block(rng, len(content))] = other[_block(rng, len(other))]


def _exchanged(rng: np.random.Generator, content: bytearray, _: Sequence[bytes]) -> None:
    one, two = _block(rng, len(content)), _block(rng, len(content))
    content[one], content[two] = content[two], content[one]


_MUTATIONS: tuple[Mutate, ...] = (
    _bits, _bits, _bytes, _number, _number, _word, _cut, _left_out, _repeated, _spliced, _exchanged,
)  # fmt: skip


def mutated(rng: np.random.Generator, content: bytes, others: Sequence[bytes]) -> bytes:
    """The content with one to three changes."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        if changed:
            _MUTATIONS[int(rng.integers(len(_MUTATIONS)))](rng, changed, others)
    return bytes(changed)


def with_inner_arrays(rng: np.random.Generator, content: bytes, others: Sequence[bytes]) -> bytes:
    """An archive in which one array was changed before it was packed, so that its checksum is right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = str(rng.choice(list(members)))
    members[chosen] = mutated(rng, members[chosen], list(members.values()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if rng.integers(2) else zipfile.ZIP_STORED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return buffer.getvalue()


def with_png_chunks(rng: np.random.Generator, content: bytes, others: Sequence[bytes]) -> bytes:
    """A PNG that was changed, with checksums that are right as far as its chunks can be followed."""
    changed = bytearray(mutated(rng, content, others))
    at = 8
    while at + 12 <= len(changed):
        end = at + 8 + int.from_bytes(changed[at : at + 4], "big")
        if end + 4 > len(changed):
            break
        changed[end : end + 4] = struct.pack(">I", zlib.crc32(changed[at + 4 : end]))
        at = end + 4
    return bytes(changed)
