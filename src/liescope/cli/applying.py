"""``liescope apply``."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import torch
import typer

from liescope.algebra import Generator
from liescope.answer.moving import SymmetryTransform, check_finite
from liescope.answer.reading import folder_of
from liescope.cli.arguments import check_file, check_files_folder, check_sampling, fresh_folder, numbers
from liescope.cli.progress import ProgressDisplay
from liescope.data.archives import names_in_npz, read_npy, read_npz
from liescope.data.guard import check_place, told_path
from liescope.data.images import IMAGE_SUFFIXES
from liescope.data.pairs import atomic_path
from liescope.data.rewriting import Move, is_image_file, rewrite_image
from liescope.data.stacks import image_files, sides_of_folder
from liescope.errors import InputError
from liescope.geometry.transport import Border, Interpolation
from liescope.result import FieldResult, SymmetryResult, load_result

__all__ = ["load_images", "run_apply"]

_ALIKE = ((".tif", ".tiff"), (".jpg", ".jpeg"))
_MOST_BYTES = 2
"""Of integers that single precision holds to the last digit."""


def run_apply(
    folder: Path,
    images: Path,
    t: str,
    out: Path,
    in_units: bool,
    interpolation: str,
    border: str,
    quiet: bool,
) -> None:
    """Move the images by exp(t_1 X_1 + ... + t_K X_K) and write them as what they were."""
    check_sampling(interpolation, border)
    check_place(images, "images")
    files = _image_files(images)
    _check_out(images, files, out)
    result = _result_of(folder, images)
    values = np.array(numbers(t, "--t", count=len(result.generators)))
    module = result.module(interpolation=cast(Interpolation, interpolation), border=cast(Border, border))

    def move(stack: np.ndarray) -> np.ndarray:
        scaled = values / _units_per_t(result, stack.shape[-2:]) if in_units else values
        return _moved(module, stack, scaled, exact=files is not None)

    if files is None:
        told = _write_arrays(images, out, move)
    elif images.is_dir():
        with ProgressDisplay(quiet) as display:
            told = _write_folder(images, files, out, move, display)
    else:
        with atomic_path(out) as temporary:
            told = _images_moved(rewrite_image(images, temporary, move))
    if not quiet:
        typer.echo(f"{told}: {out}")


def _result_of(folder: Path, images: Path) -> SymmetryResult:
    """The result, where there is something to apply; arguments the other way round are told."""
    if (images / "result.json").is_file() and not (folder_of(folder) / "result.json").is_file():
        raise InputError(
            f"expected the folder of a result and then images, got them the other way round, try "
            f"liescope apply {images} {folder} ..."
        )
    result = load_result(folder)
    if isinstance(result, FieldResult):
        raise InputError(f"expected a result of images, got one about a {result.kind}, try its transform in Python")
    if not result.generators:
        raise InputError(f"expected a result with a symmetry to apply, got '{folder}' without any: {result.reason}")
    return result


def _image_files(images: Path) -> list[Path] | None:
    """Image files of a folder, the one image or stack; None for arrays."""
    if images.is_dir():
        return image_files(images)
    return [images] if is_image_file(images) else None


def _check_out(images: Path, files: list[Path] | None, out: Path) -> None:
    """Images become what they were: a folder a folder, a file a file of its kind; arrays an .npz."""
    if files is None:
        check_file(out, (".npz",))
    elif not images.is_dir():
        suffix = images.suffix.lower()
        check_file(out, next((group for group in _ALIKE if suffix in group), (suffix,)))
    elif out.suffix in (".npz", ".npy") or out.suffix.lower() in IMAGE_SUFFIXES:
        raise InputError(f"expected a folder to write for images of a folder, got '{out}', try --out moved")
    else:
        check_files_folder(out)
        if out.is_dir() and any(out.iterdir()):
            raise InputError(f"expected a new or empty output folder, got '{out}' with files in it, try another name")


def _moved(module: SymmetryTransform, stack: np.ndarray, t: np.ndarray, exact: bool) -> np.ndarray:
    """The images moved; where they keep their type, in double precision if single has no room for their values."""
    if not exact or stack.dtype == np.float32 or stack.dtype.itemsize <= _MOST_BYTES:
        return module.arrays(stack, t)
    check_finite("", stack)
    moved = np.asarray(module(torch.from_numpy(np.ascontiguousarray(stack, dtype=np.float64)), t))
    check_finite(" after moving them", moved)
    return moved


def _write_arrays(images: Path, out: Path, move: Move) -> str:
    moved = move(load_images(images))
    with atomic_path(out) as temporary:
        np.savez(temporary, images=moved)
    return _images_moved(len(moved) if moved.ndim > 2 else 1) + (" (not their masks)" if _has_masks(images) else "")


def _has_masks(path: Path) -> bool:
    names = set() if path.suffix == ".npy" else names_in_npz(path)
    return "images" not in names and "source_mask" in names


def _write_folder(images: Path, files: list[Path], out: Path, move: Move, display: ProgressDisplay) -> str:
    """Every image of a folder under its name in another, all or nothing."""
    if not files:
        inside = sides_of_folder(images)
        hint = f", try {inside[0]}" if inside else f", try {', '.join(IMAGE_SUFFIXES[:3])}"
        raise InputError(f"expected image files, got the folder '{images}' without any{hint}")
    count = 0
    with fresh_folder(out) as folder:
        for k, file in enumerate(files):
            display("moving the images", k / len(files))
            count += rewrite_image(file, folder / file.name, move)
    others = sum(entry.is_file() for entry in images.iterdir()) - len(files)
    return _images_moved(count) + (f" ({others} other file{'s' * (others > 1)} left out)" if others > 0 else "")


def _images_moved(count: int) -> str:
    return f"{count} image{'s' * (count != 1)} moved"


def load_images(path: Path) -> np.ndarray:
    """Images (H, W), (N, H, W) or (N, C, H, W) from an .npz (``images``, else ``source``) or an .npy.

    Raises
    ------
    InputError
        No such file, truncated, neither array in it, object arrays (never loaded), another rank.
    """
    check_place(path, "images in an .npz or .npy file")
    if path.is_dir():
        raise InputError(f"expected images in an .npz or .npy file, got the folder {told_path(path)}")
    if path.suffix == ".npy":
        array = read_npy(path)
    else:
        arrays = read_npz(path, (), ("images", "source"))
        if not arrays:
            raise InputError(f"expected images or source in {told_path(path)}, got neither")
        array = arrays["images" if "images" in arrays else "source"]
    if array.dtype.kind not in "fiub" or array.ndim not in (2, 3, 4) or not array.size:
        got = f"{array.dtype} {array.shape}"
        raise InputError(f"expected real images (N, H, W) or (N, C, H, W) in '{path}', got {got}")
    return np.asanyarray(array)


def _units_per_t(result: SymmetryResult, shape: tuple[int, ...]) -> np.ndarray:
    """Natural units in one t, on the images at hand: a pixel of a larger image is a smaller shift."""
    height, width = shape
    found = (g.generator for g in result.generators)
    return np.array([Generator(g.coefficients, g.basis, (height, width)).unit_per_t for g in found])
