"""Stacks of images that stay on disk: HDF5 data sets and folders of files, read slice by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.checks import missing_arrays, reason
from liescope.data.images import IMAGE_SUFFIXES, image_header, read_image
from liescope.data.kinds import other_kind
from liescope.data.lazy import LazyImages
from liescope.errors import InputError, require_packages

__all__ = [
    "IMAGE_SUFFIXES",
    "FolderImages",
    "HDF5Images",
    "LazyImages",
    "image_files",
    "match_folders",
    "read_folders",
    "read_hdf5",
    "sides_of_folder",
    "write_hdf5",
]

SLAB_BYTES = 1 << 24

SIDES = (("source", "target"), ("before", "after"))
"""Names of the sub-folders of a folder of pairs."""


class HDF5Images(LazyImages):
    """A data set of an HDF5 file, opened on each read, so that threads can share the stack."""

    def __init__(self, path: Path, name: str, shape: Sequence[int], dtype: Any) -> None:
        self.path, self.name = Path(path), name
        super().__init__(shape, dtype, self._read_rows)

    def _read_rows(self, indices: np.ndarray) -> np.ndarray:
        import h5py

        with h5py.File(self.path, "r") as file:
            data = file[self.name]
            if indices[-1] - indices[0] + 1 == len(indices):
                return np.asarray(data[int(indices[0]) : int(indices[-1]) + 1])
            return np.asarray(data[indices])


class FolderImages(LazyImages):
    """Image files of one shape and type, in the given order; grey stays (N, H, W), colour becomes (N, 3, H, W)."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(Path(f) for f in files)
        shape, dtype = image_header(self.files[0])
        super().__init__((len(self.files), *shape), dtype, self._read_files)

    def _read_files(self, indices: np.ndarray) -> np.ndarray:
        images = []
        for k in indices:
            image = read_image(self.files[k])
            if image.shape != self._stored_shape[1:]:
                raise InputError(
                    f"expected images of one shape, got {image.shape} in '{_told(self.files[k])}' and "
                    f"{self._stored_shape[1:]} in '{_told(self.files[0])}'"
                )
            if image.dtype != self.dtype:
                raise InputError(
                    f"expected images of one type, got {image.dtype} in '{_told(self.files[k])}' and "
                    f"{self.dtype} in '{_told(self.files[0])}', try writing all of them alike"
                )
            images.append(image)
        return np.stack(images)


def _told(file: Path) -> str:
    """A file with its folder: both sides of pairs have the same names."""
    return f"{file.parent.name}/{file.name}"


def image_files(folder: Path) -> list[Path]:
    """The image files of a folder, sorted by name."""
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith("."))


def sides_of_folder(path: Path) -> tuple[Path, Path] | None:
    """The two sub-folders of a folder that hold pairs; None where there are none.

    Raises
    ------
    InputError
        One without the other.
    """
    for names in SIDES:
        first, second = (path / name for name in names)
        if first.is_dir() and second.is_dir():
            return first, second
        if first.is_dir() or second.is_dir():
            missing = names[1] if first.is_dir() else names[0]
            raise InputError(f"expected folders '{names[0]}' and '{names[1]}' in '{path}', got no '{missing}'")
    return None


def read_folders(path: Path) -> dict[str, Any]:
    """Pairs in ``path/source`` and ``path/target``, or ``before`` and ``after``: files matched by name."""
    sides = sides_of_folder(path)
    if sides is None:
        raise InputError(f"expected folders 'source' and 'target' in '{path}', got neither")
    arrays = match_folders(*sides)
    meta = path / "meta.json"
    if meta.is_file():
        arrays["meta"] = meta.read_text()
    return arrays


def match_folders(sources: Path, targets: Path) -> dict[str, Any]:
    """``source``, ``target`` and ``names`` of two folders whose image files have the same names, suffixes apart.

    Raises
    ------
    InputError
        No images, a name that only one folder has (the first one is told), or images of several types.
    """
    sides = [_by_name(folder) for folder in (sources, targets)]
    unmatched = sorted(sides[0].keys() ^ sides[1].keys())
    if unmatched:
        first = unmatched[0]
        has, lacks = (sources, targets) if first in sides[0] else (targets, sources)
        file = (sides[0] | sides[1])[first].name
        counts = f"{len(sides[0])} and {len(sides[1])} images, " if len(sides[0]) != len(sides[1]) else ""
        raise InputError(
            f"expected the same names in '{sources}' and '{targets}', got {counts}{len(unmatched)} without a partner, "
            f"the first '{file}' in '{has}' alone, try renaming it, or its partner in '{lacks}'"
        )
    names = sorted(sides[0])
    source, target = (FolderImages([side[name] for name in names]) for side in sides)
    if source.dtype != target.dtype:
        raise InputError(
            f"expected images of one type, got {source.dtype} in '{_told(source.files[0])}' and "
            f"{target.dtype} in '{_told(target.files[0])}', try writing all of them alike"
        )
    files = np.array([[file.name for file in stack.files] for stack in (source, target)]).T
    return {"source": source, "target": target, "names": files}


def _by_name(folder: Path) -> dict[str, Path]:
    files = image_files(folder)
    if not files:
        raise InputError(f"expected image files in '{folder}', got none, try {', '.join(IMAGE_SUFFIXES[:3])}")
    named: dict[str, Path] = {}
    for file in files:
        if file.stem in named:
            raise InputError(
                f"expected one image of a name in '{folder}', got '{named[file.stem].name}' and '{file.name}'"
            )
        named[file.stem] = file
    return named


def read_hdf5(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    """Data sets of an HDF5 file: image stacks lazily, the rest as arrays, ``meta`` as text.

    Raises
    ------
    InputError
        Not an HDF5 file, truncated, a required data set missing, objects in place of numbers, or no h5py.
    """
    require_packages("h5py")
    import h5py

    if not path.is_file():
        raise InputError(f"expected an HDF5 file, got no such file '{path}'")
    if kind := other_kind(path, "hdf5"):
        raise InputError(f"expected an HDF5 file, got '{path.name}', {kind}")
    arrays: dict[str, Any] = {}
    try:
        with h5py.File(path, "r") as file:
            held = [name for name in file if isinstance(file.get(name), h5py.Dataset)]
            if error := missing_arrays(path, required, held):
                raise error
            for name in required:
                data = file[name]
                if data.dtype.kind not in "fiub":
                    raise InputError(f"expected numbers in '{path.name}', got {data.dtype} in {name!r}")
                arrays[name] = HDF5Images(path, name, data.shape, data.dtype)
            for name in optional:
                value = file[name][()] if name in file else file.attrs.get(name)
                if value is not None:
                    arrays[name] = value
    except InputError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise InputError(f"expected an HDF5 file, got '{path.name}', truncated or corrupt ({reason(error)})") from None
    return arrays


def write_hdf5(path: Path, arrays: Mapping[str, Any], meta: str) -> None:
    """Arrays slab by slab as data sets, meta as a text attribute."""
    require_packages("h5py")
    import h5py

    # No time stamps: the same pairs give the same bytes.
    with h5py.File(path, "w", track_order=False) as file:
        file.attrs["meta"] = meta
        for name, array in arrays.items():
            data = file.create_dataset(name, shape=array.shape, dtype=array.dtype, track_times=False)
            row = max(1, int(np.prod(array.shape[1:])) * np.dtype(array.dtype).itemsize)
            for start in range(0, len(array), max(1, SLAB_BYTES // row)):
                part = slice(start, start + max(1, SLAB_BYTES // row))
                data[part] = array[part]
