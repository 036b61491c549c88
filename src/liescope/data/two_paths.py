"""Pairs whose two sides lie apart: two folders, or two stacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from liescope.data.archives import read_npz
from liescope.data.checks import validate_images
from liescope.data.films import read_film
from liescope.data.guard import check_place, told_path
from liescope.data.images import read_image
from liescope.data.kinds import STILLS, file_kind
from liescope.data.pairs import Pairs
from liescope.data.stacks import match_folders
from liescope.data.tiff import is_one_page
from liescope.errors import InputError

__all__ = ["pairs_from_paths"]

_IMAGES = ("images", "frames")


def pairs_from_paths(sources: str | Path, targets: str | Path) -> Pairs:
    """Read pairs whose sources and targets lie in two folders, or in two files.

    Parameters
    ----------
    sources, targets : path
        Two folders of image files that have the same names (suffixes apart), in the order of their names; or two
        stacks in the same order: TIFF, FITS, ``.npy``, ``.npz`` with ``images`` or ``frames``, a video; or two images,
        which are one pair.

    Returns
    -------
    Pairs
        Images of shape (N, C, H, W) in the files' dtype, folders read lazily; ``names`` of the files of folders.

    Raises
    ------
    InputError
        A folder and a file, names or numbers that differ (the first that has no partner is told), files that cannot be
        read, and anything that :func:`validate_images` refuses.
    """
    paths = Path(sources), Path(targets)
    for path in paths:
        check_place(path, "two folders or two stacks")
    folders = [path for path in paths if path.is_dir()]
    if len(folders) == 1:
        raise InputError(f"expected two folders or two stacks, got one folder, {told_path(folders[0])}, and one file")
    if folders:
        arrays = match_folders(*paths)
    else:
        arrays = {side: _stack(path) for side, path in zip(("source", "target"), paths, strict=True)}
        counts = [len(arrays[side]) for side in ("source", "target")]
        if counts[0] != counts[1]:
            more, fewer = (0, 1) if counts[0] > counts[1] else (1, 0)
            raise InputError(
                f"expected as many images in {told_path(paths[0])} as in {told_path(paths[1])}, got {counts[0]} and "
                f"{counts[1]}, the first without a partner number {counts[fewer]} of {told_path(paths[more])} (from 0)"
            )
    try:
        source, target = validate_images(arrays["source"], arrays["target"], min_pairs=1, nan=True)
    except InputError as error:
        told = ", ".join(told_path(path)[1:-1] for path in paths)
        raise InputError(f"{told}: {error}") from None
    return Pairs(source, target, names=arrays.get("names"))


def _stack(path: Path) -> Any:
    """Images (N, ...) of a file; one image is a stack of one."""
    kind = file_kind(path)
    if kind == "npz":
        arrays = read_npz(path, (), (*_IMAGES, "source"))
        if "source" in arrays:
            raise InputError(
                f"expected a stack of images, got pairs in {told_path(path)}, try them alone, or images in the file"
            )
        if not arrays:
            raise InputError(
                f"expected images or frames in {told_path(path)}, got neither, try np.savez(name, images=...)"
            )
        return next(arrays[name] for name in _IMAGES if name in arrays)
    if kind in STILLS or (kind == "tiff" and is_one_page(path)):
        return read_image(path)[None]
    return read_film(path)
