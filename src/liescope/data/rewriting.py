"""Image files written again with other pixels: the same kind, the same type of numbers, the same size."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.guard import reading, reason
from liescope.data.images import IMAGE_SUFFIXES, read_image
from liescope.data.kinds import file_kind
from liescope.data.spool import IN_MEMORY_BYTES
from liescope.data.tiff import TiffStack, read_tiff_stack
from liescope.errors import InputError, require_packages

__all__ = ["Move", "in_type", "is_image_file", "rewrite_image"]

Move = Callable[[np.ndarray], np.ndarray]
"""From images (H, W), (n, H, W) or (n, C, H, W) to those that are written, before rounding."""

_KINDS = ("tiff", "png", "jpeg", "bmp", "webp", "netpbm", "gif")
_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_TIFF = (".tif", ".tiff")


def is_image_file(path: Path) -> bool:
    """Whether a file is an image, or a stack of them, by its first bytes; by its name where there is no file."""
    return file_kind(path) in _KINDS if path.is_file() else path.suffix.lower() in IMAGE_SUFFIXES


def in_type(moved: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Grey values in a type: held within its range, and of integers rounded."""
    if dtype.kind not in "iuf":
        return moved.astype(np.float32)
    if dtype.kind == "f":
        largest = np.finfo(dtype).max
        return (np.clip(moved, -largest, largest) if dtype.itemsize < moved.itemsize else moved).astype(dtype)
    ends = np.iinfo(dtype)
    return np.clip(np.rint(moved.astype(np.float64)), ends.min, ends.max).astype(dtype)


def rewrite_image(source: Path, target: Path, move: Move) -> int:
    """Write what ``move`` makes of the images in a file as a file of the same kind.

    Parameters
    ----------
    source : path
        PNG, TIFF (one image or a stack of any axes), JPEG, BMP, WebP, PGM, PPM, GIF.
    target : path
    move : callable

    Returns
    -------
    int
        How many images there were.

    Raises
    ------
    InputError
        Masks of one bit, palettes and alpha: there is nothing between their values, or nobody said what to do with
        them. What cannot be read or written.
    """
    try:
        if file_kind(source) == "tiff":
            return _rewrite_tiff(source, target, move)
        kind = _checked_mode(source)
        image = read_image(source)
        _write(target, kind, in_type(_moved(move, image), image.dtype))
    except InputError as error:
        told = str(error)
        raise InputError(told if source.name in told else f"{source.name}: {told}") from None
    return 1


def _moved(move: Move, image: np.ndarray) -> np.ndarray:
    return move(image) if image.ndim == 2 else move(image[None])[0]


def _checked_mode(path: Path) -> str:
    """Pillow's name of the format, after alpha, palettes and masks were refused."""
    from PIL import Image

    with reading(path, "an image file"), Image.open(path) as image:
        mode, kind = image.mode, str(image.format)
        clear = "transparency" in image.info
    if mode in _ALPHA or (clear and mode != "P"):
        raise InputError(
            f"expected images without alpha, got '{path.name}' of mode {mode}, try .convert('RGB') of Pillow"
        )
    _check_values(path, "a palette" if mode == "P" else "a mask of one bit" if mode == "1" else None)
    if mode in ("CMYK", "YCCK", "LAB", "HSV"):
        raise InputError(f"expected grey or RGB images, got '{path.name}' of mode {mode}, try converting it to RGB")
    return kind


def _check_values(path: Path, what: str | None) -> None:
    if what is not None:
        raise InputError(
            f"expected grey or RGB images, got {what} in '{path.name}', which has nothing between its values, "
            "try converting it to grey or RGB"
        )


def _write(path: Path, kind: str, image: np.ndarray) -> None:
    """An image (H, W) or (3, H, W) in a format of Pillow's, or 16 bits in colour as PNG."""
    from PIL import Image

    pixels = np.ascontiguousarray(image if image.ndim == 2 else np.moveaxis(image, 0, -1))
    if pixels.ndim == 3 and pixels.dtype != np.uint8:
        if kind != "PNG":
            raise InputError(
                f"expected at most 8 bits in colour to write as {kind}, got {pixels.dtype}, try .png or .tif"
            )
        require_packages("imagecodecs")
        import imagecodecs

        path.write_bytes(imagecodecs.png_encode(pixels))
        return
    known: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}
    with _written(f"an image that can be written as {kind}, got {pixels.dtype}"):
        Image.fromarray(pixels).save(path, format=kind, **known.get(kind, {}))


@contextlib.contextmanager
def _written(what: str) -> Iterator[None]:
    """What a format has no room for is one line; of what the system refuses, whoever made the place tells."""
    try:
        yield
    # Of what writers of formats raise there is no list: they have errors of their own for every dialect.
    except Exception as error:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno):
            raise
        raise InputError(f"expected {what} ({reason(error)})") from None


def _rewrite_tiff(source: Path, target: Path, move: Move) -> int:
    import tifffile

    stack = read_tiff_stack(source)
    _check_values(source, "a mask of one bit" if stack.pixels.dtype == bool else None)
    if stack.pixels.dtype.kind not in "iuf":
        raise InputError(f"expected real numbers in '{source.name}', got {stack.pixels.dtype}")
    with tempfile.TemporaryFile() as room:
        moved = _room(stack, room)
        given, made = (stack.as_images(array) for array in (stack.pixels, moved))
        places = list(np.ndindex(given.shape[: -stack.image_rank]))
        for place in places:
            made[place] = in_type(_moved(move, np.asarray(given[place])), moved.dtype)
        with _written("a TIFF file that can be written anew"):
            tifffile.imwrite(target, moved, **stack.how)
    return len(places)


def _room(stack: TiffStack, file: Any) -> np.ndarray:
    """An array like the stack's, in memory or, where it is large, in a file."""
    shape, dtype = stack.pixels.shape, stack.pixels.dtype.newbyteorder("=")
    if int(np.prod(shape)) * dtype.itemsize <= IN_MEMORY_BYTES:
        return np.empty(shape, dtype)
    return np.memmap(file, dtype=dtype, mode="w+", shape=shape)
