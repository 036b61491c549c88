"""``liescope apply``."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import typer

from liescope.algebra import Generator
from liescope.cli.arguments import check_file, check_sampling, numbers
from liescope.data.archives import read_npy, read_npz
from liescope.data.guard import check_place, told_path
from liescope.data.pairs import atomic_path
from liescope.errors import InputError
from liescope.geometry.transport import Border, Interpolation
from liescope.result import SymmetryResult, load_result

__all__ = ["load_images", "run_apply"]


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
    """Move the images by exp(t_1 X_1 + ... + t_K X_K) and write them."""
    check_sampling(interpolation, border)
    check_file(out, (".npz",))
    result = load_result(folder)
    if not result.generators:
        raise InputError(f"expected a result with a symmetry to apply, got '{folder}' without any: {result.reason}")
    values = np.array(numbers(t, "--t", count=len(result.generators)))
    stack = load_images(images)
    if in_units:
        values = values / _units_per_t(result, stack.shape[-2:])
    moved = result.transform(
        stack, values, interpolation=cast(Interpolation, interpolation), border=cast(Border, border)
    )
    with atomic_path(out) as temporary:
        np.savez(temporary, images=moved)
    if not quiet:
        typer.echo(f"{len(moved) if moved.ndim > 2 else 1} images moved: {out}")


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
