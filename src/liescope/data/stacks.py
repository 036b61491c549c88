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
    "read_folders",
    "read_hdf5",
    "write_hdf5",
]

SLAB_BYTES = 1 << 24


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


def read_folders(path: Path) -> dict[str, Any]:
    """Pairs in ``path/source`` and ``path/target``: files matched by name, without their suffix."""
    sides: dict[str, dict[str, Path]] = {}
    for side in ("source", "target"):
        folder = path / side
        if not folder.is_dir():
            raise InputError(f"expected folders 'source' and 'target' in '{path}', got no '{side}'")
        sides[side] = {f.stem: f for f in image_files(folder)}
    unmatched = sorted(sides["source"].keys() ^ sides["target"].keys())
    if unmatched:
        raise InputError(
            f"expected every image in both folders of '{path.name}', got {len(unmatched)} without a partner, "
            f"the first '{unmatched[0]}'"
        )
    if not sides["source"]:
        raise InputError(f"expected image files in '{path}/source', got none, try {', '.join(IMAGE_SUFFIXES[:3])}")
    names = sorted(sides["source"])
    arrays: dict[str, Any] = {side: FolderImages([files[n] for n in names]) for side, files in sides.items()}
    source, target = arrays["source"], arrays["target"]
    if source.dtype != target.dtype:
        raise InputError(
            f"expected images of one type, got {source.dtype} in 'source/{source.files[0].name}' and "
            f"{target.dtype} in 'target/{target.files[0].name}', try writing all of them alike"
        )
    meta = path / "meta.json"
    if meta.is_file():
        arrays["meta"] = meta.read_text()
    return arrays


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
