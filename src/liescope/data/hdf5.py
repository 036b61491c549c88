"""Data sets of HDF5 files, read slice by slice; what lies in other files is refused, and what was never written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.checks import missing_arrays
from liescope.data.guard import quoted, reading, told_path
from liescope.data.hdf5_heaps import check_heaps
from liescope.data.kinds import other_kind
from liescope.data.lazy import LazyImages
from liescope.errors import InputError, require_memory, require_packages

__all__ = ["HDF5Images", "array_names_of_hdf5", "read_hdf5", "write_hdf5"]

SLAB_BYTES = 1 << 24

_WHAT = "an HDF5 file"
_MOST_LINKS = 16
_COPY = "try copying the pixels themselves into it"


class HDF5Images(LazyImages):
    """A data set of an HDF5 file, opened on each read, so that threads can share the stack."""

    def __init__(self, path: Path, name: str, shape: Sequence[int], dtype: Any) -> None:
        self.path, self.name = Path(path), name
        super().__init__(shape, dtype, self._read_rows)

    def _read_rows(self, indices: np.ndarray) -> np.ndarray:
        import h5py

        with reading(self.path, _WHAT), h5py.File(self.path, "r") as file:
            data = _data_set(self.path, file, self.name)
            if indices[-1] - indices[0] + 1 == len(indices):
                return np.asarray(data[int(indices[0]) : int(indices[-1]) + 1])
            return np.asarray(data[indices])


def read_hdf5(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    """Data sets of an HDF5 file: image stacks lazily, the rest as arrays, ``meta`` as text.

    Raises
    ------
    InputError
        Not an HDF5 file, truncated, a required data set missing, objects in place of numbers, pixels that lie in other
        files or were never written, or no h5py.
    """
    require_packages("h5py")
    import h5py

    with reading(path, _WHAT):
        if kind := other_kind(path, "hdf5"):
            raise InputError(f"expected an HDF5 file, got {told_path(path.name)}, {kind}")
        arrays: dict[str, Any] = {}
        with h5py.File(path, "r") as file:
            held = _names(file)
            if error := missing_arrays(path, required, held):
                raise error
            for name in required:
                data = _data_set(path, file, name)
                if data.dtype.kind not in "fiub":
                    got = f"{quoted(str(data.dtype))[1:-1]} in {name!r}"
                    raise InputError(f"expected numbers in {told_path(path.name)}, got {got}")
                _check_written(path, data, name)
                arrays[name] = HDF5Images(path, name, data.shape, data.dtype)
            for name in optional:
                value = (
                    _whole(path, _data_set(path, file, name), name) if name in held else _attribute(path, file, name)
                )
                if value is not None:
                    arrays[name] = value
        return arrays


def array_names_of_hdf5(path: Path) -> set[str]:
    """Names of the data sets at the top of a file."""
    require_packages("h5py")
    import h5py

    with reading(path, _WHAT), h5py.File(path, "r") as file:
        return set(_names(file))


def write_hdf5(path: Path, arrays: Mapping[str, Any], meta: str) -> None:
    """Arrays slab by slab as data sets, meta as a text attribute."""
    require_packages("h5py")
    import h5py

    # No time stamps: the same pairs give the same bytes.
    with h5py.File(path, "w", track_order=False) as file:
        file.attrs["meta"] = meta
        for name, array in arrays.items():
            data = file.create_dataset(name, shape=array.shape, dtype=array.dtype, track_times=False)
            row = max(1, math.prod(array.shape[1:]) * np.dtype(array.dtype).itemsize)
            for start in range(0, len(array), max(1, SLAB_BYTES // row)):
                part = slice(start, start + max(1, SLAB_BYTES // row))
                data[part] = array[part]


def _names(file: Any) -> list[str]:
    """Names at the top of a file that are data sets, or links whose target is still to be looked at."""
    import h5py

    return [
        name
        for name in file
        if not isinstance(file.get(name, getlink=True), h5py.HardLink) or isinstance(file.get(name), h5py.Dataset)
    ]


def _check_links(path: Path, file: Any, name: str) -> None:
    """Refuse a name that leads out of the file, through whatever groups and links, without following it there."""
    import h5py

    left, place, seen = [part for part in name.split("/") if part], "/", 0
    while left:
        part = left.pop(0)
        link = file[place].get(part, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            told = f"{quoted(name)} as a link to another file, {quoted(link.filename)}"
            raise InputError(f"expected pixels in {told_path(path.name)} itself, got {told}, {_COPY}")
        if isinstance(link, h5py.SoftLink):
            seen += 1
            if seen > _MOST_LINKS:
                raise InputError(
                    f"expected a data set in {told_path(path.name)}, got {quoted(name)}, links in a circle"
                )
            place = "/" if link.path.startswith("/") else place
            left = [inner for inner in link.path.split("/") if inner not in ("", ".")] + left
        else:
            place = f"{place.rstrip('/')}/{part}"


def _data_set(path: Path, file: Any, name: str) -> Any:
    """A data set whose numbers lie in this file, all of them."""
    import h5py

    _check_links(path, file, name)
    data = file[name]
    if not isinstance(data, h5py.Dataset):
        raise InputError(f"expected an array {name!r} in {told_path(path.name)}, got a group of that name")
    made = data.id.get_create_plist()
    if made.get_layout() == h5py.h5d.VIRTUAL:
        raise InputError(
            f"expected pixels in {told_path(path.name)} itself, got {name!r} as a virtual data set, {_COPY}"
        )
    if made.get_external_count():
        other = quoted(made.get_external(0)[0].decode(errors="replace"))
        raise InputError(
            f"expected pixels in {told_path(path.name)} itself, got {name!r} in another file, {other}, {_COPY}"
        )
    if data.shape is None:
        raise InputError(f"expected an array {name!r} in {told_path(path.name)}, got an empty data set")
    return data


def _check_written(path: Path, data: Any, name: str) -> None:
    """Refuse sizes of which nothing, or a part alone, is in the file: the library would make up zeros for the rest."""
    needed, there = math.prod(data.shape) * data.dtype.itemsize, data.id.get_storage_size()
    if data.chunks is None:
        offset = data.id.get_offset()
        whole = there >= needed and (offset is None or offset + needed <= path.stat().st_size)
    else:
        require_memory(math.prod(data.chunks) * data.dtype.itemsize, f"a chunk of {name!r} of {told_path(path.name)}")
        chunks = math.prod(-(-n // k) for n, k in zip(data.shape, data.chunks, strict=True))
        # A chunk that says it is larger than the file would be made room for before it is read.
        whole = data.id.get_num_chunks() >= chunks and there <= path.stat().st_size
    if needed and not whole:
        raise InputError(
            f"expected a whole HDF5 file, got {told_path(path.name)}, truncated or corrupt ({name!r} should have "
            f"{needed} bytes and was not written, or in part)"
        )


def _whole(path: Path, data: Any, name: str) -> Any:
    if data.dtype.kind == "O":
        check_heaps(path)
    else:
        _check_written(path, data, name)
    require_memory(math.prod(data.shape) * data.dtype.itemsize, f"{name!r} of {told_path(path.name)}")
    return data[()]


def _attribute(path: Path, file: Any, name: str) -> Any:
    if name not in file.attrs:
        return None
    if file.attrs.get_id(name).dtype.kind == "O":
        check_heaps(path)
    return file.attrs[name]
