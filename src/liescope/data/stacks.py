"""Stacks of images that stay in their files, in folders, read one by one."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.guard import check_place, reason, told_path
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
    "match_folders",
    "read_folders",
    "read_hdf5",
    "sides_of_folder",
    "write_hdf5",
]

SIDES = (("source", "target"), ("before", "after"))
"""Names of the sub-folders of a folder of pairs."""


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
            told = f"{told_path(path)}, got no '{missing}'"
            raise InputError(f"expected folders '{names[0]}' and '{names[1]}' in {told}")
    return None


def read_folders(path: Path) -> dict[str, Any]:
    """Pairs in ``path/source`` and ``path/target``, or ``before`` and ``after``: files matched by name."""
    sides = sides_of_folder(path)
    if sides is None:
        raise InputError(f"expected folders 'source' and 'target' in {told_path(path)}, got neither")
    arrays = match_folders(*sides)
    meta = path / "meta.json"
    if meta.is_file():
        try:
            arrays["meta"] = meta.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise InputError(f"expected JSON in 'meta.json' of {told_path(path)}, got {reason(error)}") from None
    return arrays


def match_folders(sources: Path, targets: Path) -> dict[str, Any]:
    """``source``, ``target`` and ``names`` of two folders whose image files have the same names, suffixes apart.

    Raises
    ------
    InputError
        No images, a name that only one folder has (the first one is told) or that one has twice, images of several
        types.
    """
    sides = [_by_stem(folder) for folder in (sources, targets)]
    unmatched = sorted(sides[0].keys() ^ sides[1].keys())
    if unmatched:
        first = unmatched[0]
        has, lacks = (sources, targets) if first in sides[0] else (targets, sources)
        file = (sides[0] | sides[1])[first].name
        counts = f"{len(sides[0])} and {len(sides[1])} images, " if len(sides[0]) != len(sides[1]) else ""
        raise InputError(
            f"expected the same names in {told_path(sources)} and {told_path(targets)}, got {counts}{len(unmatched)} "
            f"without a partner, the first {told_path(file)} in {told_path(has)} alone, try renaming it, or its "
            f"partner in {told_path(lacks)}"
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


def _by_stem(folder: Path) -> dict[str, Path]:
    """Image files by their names without suffix; two of one name would be one image, and the other one left out."""
    files = image_files(folder)
    if not files:
        raise InputError(f"expected image files in {told_path(folder)}, got none, try {', '.join(IMAGE_SUFFIXES[:3])}")
    named: dict[str, Path] = {}
    for file in files:
        other = named.setdefault(file.stem, file)
        if other is not file:
            raise InputError(
                f"expected one image of each name in {told_path(folder)}, got {told_path(other.name)} and "
                f"{told_path(file.name)}, try removing one of them"
            )
    return named
