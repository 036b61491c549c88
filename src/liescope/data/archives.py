"""Arrays in the formats of numpy (.npz, .npy): sizes are checked before anything is read, pickles are never loaded."""

from __future__ import annotations

import io
import math
import struct
import threading
import zipfile
from pathlib import Path
from typing import Any, cast

import numpy as np

from liescope.data.checks import missing_arrays
from liescope.data.guard import quoted, reading, reading_bytes, told_path
from liescope.data.kinds import other_kind
from liescope.errors import InputError, require_memory

__all__ = ["array_names", "arrays_of", "read_npy", "read_npz"]

IN_MEMORY_BYTES = 1 << 26
"""Uncompressed arrays of an .npz larger than this are mapped, not read."""

_LONGEST_HEADER = 10_000
_NUMBERS_AND_TEXT = "fiubcSUmM"
_ENCRYPTED = 1
_BLOCK = 1 << 22
_PARSING = threading.Lock()
"""Headers are parsed as Python's literals, which some of its versions cannot do in two threads at a time."""
_LAST_LETTER = 0x10FFFF


def read_npz(path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Arrays of an .npz by name; large uncompressed ones are memory-mapped, after their checksum was
    verified.

    Raises
    ------
    InputError
        Not an .npz, truncated, corrupt, encrypted, a required array missing, object arrays, or more than fits into
        memory.
    """
    with reading(path, "an .npz file"):
        if kind := other_kind(path, "npz"):
            raise InputError(f"expected an .npz file, got {told_path(path.name)}, {kind}")
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.getinfo(f"{name}.npy") for name in array_names(archive)}
            if error := missing_arrays(path, required, members):
                raise error
            wanted = [name for name in (*required, *optional) if name in members]
            return {name: _read_member(path, archive, members[name]) for name in wanted}


def read_npy(path: Path) -> np.ndarray:
    """The array of an .npy, mapped; copy-on-write, so that callers may write to it.

    Raises
    ------
    InputError
        Not an .npy, truncated, or objects.
    """
    with reading(path, "an .npy file"):
        if kind := other_kind(path, "npy"):
            raise InputError(f"expected an .npy file, got {told_path(path.name)}, {kind}")
        with path.open("rb") as file:
            shape, fortran, dtype = _header(file, f"{told_path(path.name)}, got an array of objects")
            offset = file.tell()
        _check_size(told_path(path.name), "the array", math.prod(shape) * dtype.itemsize, path.stat().st_size - offset)
        return _mapped(path, shape, fortran, dtype, offset)


def arrays_of(content: bytes, where: str) -> dict[str, np.ndarray]:
    """All arrays of an .npz that lies in memory; ``where`` names it.

    Raises
    ------
    InputError
        As :func:`read_npz`.
    """
    with reading_bytes(where, "arrays"), zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = array_names(archive)
        return {name: _read_whole(archive, archive.getinfo(f"{name}.npy"), told_path(where)) for name in names}


def array_names(archive: zipfile.ZipFile) -> list[str]:
    """Names of the arrays in an .npz; other things that a zip archive may hold are none."""
    return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def _header(file: Any, what: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran order, and dtype of an array in the format of numpy; the file is left where it begins.

    Raises
    ------
    InputError
        Objects: pickles are never loaded.
    """
    version = np.lib.format.read_magic(file)
    width, read_header = ("<H", np.lib.format.read_array_header_1_0)
    if version > (1, 0):
        width, read_header = ("<I", np.lib.format.read_array_header_2_0)
    start = file.tell()
    (length,) = struct.unpack(width, file.read(struct.calcsize(width)))
    if length > _LONGEST_HEADER:
        raise ValueError(f"a header of {length} bytes")
    file.seek(start)
    with _PARSING:
        shape, fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise InputError(f"expected numbers in {what} (pickles are never loaded), try .astype(np.float32)")
    if (
        dtype.kind not in _NUMBERS_AND_TEXT
        or min(shape, default=0) < 0
        or (not dtype.itemsize and math.prod(shape) > 1)
    ):
        raise ValueError(f"an array of {quoted(str(dtype))} of shape {quoted(shape)}")
    return shape, fortran, dtype


def _check_size(told: str, name: str, needed: int, there: int) -> None:
    if needed > there:
        raise InputError(
            f"expected a whole file, got {told}, truncated or corrupt "
            f"({name} should have {needed} bytes and has {max(there, 0)})"
        )


def _read_member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    if info.compress_type != zipfile.ZIP_STORED or info.file_size <= IN_MEMORY_BYTES:
        return _read_whole(archive, info, told_path(path.name))
    _check_plain(info, told_path(path.name))
    with archive.open(info) as member:
        shape, fortran, dtype = _described(member, info, told_path(path.name))
        offset = member.tell()
        # Reading to the end verifies the archive's checksum of this member, in flat memory.
        while member.read(_BLOCK):
            pass
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        lengths = np.frombuffer(file.read(4), dtype="<u2")
    return _mapped(path, shape, fortran, dtype, info.header_offset + 30 + int(lengths.sum()) + offset)


def _described(member: Any, info: zipfile.ZipInfo, told: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and dtype of an array in an archive, all of whose numbers are there; it is left where they begin."""
    name = quoted(info.filename.removesuffix(".npy"))
    shape, fortran, dtype = _header(member, f"{told}, got object array {name}")
    _check_size(told, name, math.prod(shape) * dtype.itemsize, info.file_size - member.tell())
    return shape, fortran, dtype


def _check_plain(info: zipfile.ZipInfo, told: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        name = quoted(info.filename.removesuffix(".npy"))
        raise InputError(f"expected plain arrays in {told}, got {name} encrypted, try np.savez again")


def _read_whole(archive: zipfile.ZipFile, info: zipfile.ZipInfo, told: str) -> np.ndarray:
    _check_plain(info, told)
    name = quoted(info.filename.removesuffix(".npy"))
    with archive.open(info) as member:
        shape, fortran, dtype = _described(member, info, told)
        needed = math.prod(shape) * dtype.itemsize
        require_memory(needed, f"{name} of {told}", "np.savez, which is mapped and not read")
        stored = np.empty(needed, np.uint8)
        done = 0
        while done < needed and (count := cast(Any, member).readinto(stored[done : done + _BLOCK].data)):
            done += count
        # To the end, where the archive's checksum is looked at.
        if done < needed or member.read(1):
            raise ValueError(f"another number of bytes in {name} than its shape says")
    if dtype.kind == "U" and needed and stored.view(f"{dtype.str[0]}u4").max() > _LAST_LETTER:
        raise ValueError(f"text in {name} that is no Unicode")
    if not needed:
        return np.empty(shape, dtype)
    return stored.view(dtype).reshape(shape, order="F" if fortran else "C")


def _mapped(path: Path, shape: tuple[int, ...], fortran: bool, dtype: np.dtype, offset: int) -> np.ndarray:
    """An array that lies in a file in one piece; one without elements cannot be mapped, and is made."""
    order: Any = "F" if fortran else "C"
    if not math.prod(shape) * dtype.itemsize:
        return np.empty(shape, dtype, order)
    # Copy-on-write: callers may write to their arrays, the file stays as it is.
    return np.memmap(path, dtype=dtype, mode="c", offset=offset, shape=shape or (1,), order=order).reshape(shape)
