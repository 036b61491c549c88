"""Stacks of images that stay in their files, in folders, read one by one."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.guard import check_place, quoted, reason, told_path
from liescope.data.hdf5 import HDF5Images, read_hdf5, write_hdf5
from liescope.data.images import IMAGE_SUFFIXES, image_header, read_image
from liescope.data.lazy import LazyImages
from liescope.errors import InputError

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
    """The image files of a folder, sorted by name.

    Raises
    ------
    InputError
        A pipe, a socket, a device, a folder or a link to nothing under a name that images have.
    """
    try:
        names = [f for f in folder.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith(".")]
    except OSError as error:
        raise InputError(f"expected a folder that can be read, got {told_path(folder)} ({reason(error)})") from None
    for file in names:
        if not stat.S_ISREG(check_place(file, f"image files in {told_path(folder.name)}").st_mode):
            raise InputError(f"expected image files in {told_path(folder)}, got the folder {told_path(file.name)}")
    return sorted(names)


def read_folders(path: Path) -> dict[str, Any]:
    """Pairs in ``path/source`` and ``path/target``: files matched by name, without their suffix."""
    sides: dict[str, dict[str, Path]] = {}
    for side in ("source", "target"):
        folder = path / side
        if not folder.is_dir():
            raise InputError(f"expected folders 'source' and 'target' in '{path}', got no '{side}'")
        sides[side] = _by_stem(image_files(folder))
    unmatched = sorted(sides["source"].keys() ^ sides["target"].keys())
    if unmatched:
        raise InputError(
            f"expected every image in both folders of '{path.name}', got {len(unmatched)} without a partner, "
            f"the first {quoted(unmatched[0])}"
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
        try:
            arrays["meta"] = meta.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise InputError(f"expected JSON in 'meta.json' of {told_path(path)}, got {reason(error)}") from None
    return arrays


def _by_stem(files: Sequence[Path]) -> dict[str, Path]:
    """Files by their names without suffix; two of one name would be one image, and the other one left out."""
    named: dict[str, Path] = {}
    for file in files:
        other = named.setdefault(file.stem, file)
        if other is not file:
            raise InputError(
                f"expected one image of each name in {told_path(file.parent)}, got {told_path(other.name)} and "
                f"{told_path(file.name)}, try removing one of them"
            )
    return named
