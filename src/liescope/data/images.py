"""One image in one file, as deep as it is stored."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.guard import reading, told_path
from liescope.errors import InputError, require_memory, require_packages

__all__ = ["IMAGE_SUFFIXES", "image_header", "read_image"]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".pgm", ".ppm", ".webp")

_TIFF = (".tif", ".tiff")
_DEEP = ("I;16", "I;16L", "I;16B", "I", "F")
"""Modes in which Pillow keeps more than eight bits; all of them are grey."""
_UNSIGNED = ("PNG", "PPM")
_GREY = ("L", "LA", "1")
_SHALLOW_BITS = 8
_LARGEST_PIXEL = 4
"""Bytes: of 32 bits in grey, or eight bits in colour."""


def image_header(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape (H, W) or (3, H, W) and type of the image in a file; errors as of :func:`read_image`."""
    image = read_image(path)
    return image.shape, image.dtype


def read_image(path: Path) -> np.ndarray:
    """The image in a file.

    Returns
    -------
    array, shape (H, W) or (3, H, W)
        uint8, or as deep as it is stored: 16 bits in grey and in colour (PNG, TIFF, PPM), 32-bit integers and floats.
        Alpha is dropped; palettes become colours.

    Raises
    ------
    InputError
        No image, truncated or corrupt; several images in one file; deep colour without the extra ``data``.
    """
    with reading(path, "an image file"):
        if path.suffix.lower() in _TIFF and not _plain_tiff(path):
            from liescope.data.tiff import read_tiff_image

            return read_tiff_image(path)
        with path.open("rb") as head:
            start = head.read(32)
        if start.startswith(b"\x89PNG") and start[24:25] == b"\x10" and start[25:26] != b"\x00":
            return _deep_png(path, start)
        if start.startswith(b"P6"):
            deep = _deep_ppm(path)
            if deep is not None:
                return deep
        return _pillow_image(path)


def _plain_tiff(path: Path) -> bool:
    """Whether Pillow reads all of a TIFF file, so that no further package is needed."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            bits = getattr(image, "tag_v2", {}).get(258, (64,))
            shallow = max(bits) <= _SHALLOW_BITS and image.mode in ("L", "RGB", "1")
            return getattr(image, "n_frames", 1) == 1 and (shallow or (len(bits) == 1 and image.mode in _DEEP))
    # Of all that Pillow raises on tags that are broken there is no list; the other reader says what is wrong.
    except Exception:
        return False


def _pillow_image(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        count = getattr(image, "n_frames", 1)
        if count > 1:
            raise InputError(
                f"expected one image in '{path.name}', got {count}, try a film: liescope detect '{path.name}'"
            )
        # As it is decoded, and as it is handed on.
        _check_memory(path, image.height, image.width, 2 * _LARGEST_PIXEL)
        if image.mode in _DEEP:
            pixels = np.asarray(image)
            # Pillow before 11 gives 32 bits for the 16 of these.
            return pixels.astype(np.uint16) if image.format in _UNSIGNED and image.mode == "I" else pixels
        grey = image.mode in _GREY
        pixels = np.asarray(image.convert("L" if grey else "RGB"))
    return pixels if grey else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _check_memory(path: Path, height: int, width: int, pixel: int) -> None:
    """InputError for an image without pixels, or with more than fit into memory at ``pixel`` bytes for each."""
    if min(height, width) < 1:
        raise ValueError(f"{height} x {width} pixels")
    require_memory(height * width * pixel, f"{told_path(path.name)}, {height} x {width} pixels,", "smaller images")


def _deep_png(path: Path, start: bytes) -> np.ndarray:
    """A PNG with 16 bits and colour or alpha, of which Pillow gives eight bits."""
    require_packages("imagecodecs")
    import imagecodecs

    width, height = struct.unpack(">II", start[16:24])
    _check_memory(path, height, width, 4 * _LARGEST_PIXEL)
    pixels = np.asarray(imagecodecs.png_decode(path.read_bytes()))
    colours = 1 if pixels.ndim == 2 or pixels.shape[-1] < 3 else 3
    pixels = pixels.reshape(*pixels.shape[:2], -1)[..., :colours]
    return np.ascontiguousarray(pixels[..., 0] if colours == 1 else pixels.transpose(2, 0, 1))


def _deep_ppm(path: Path) -> np.ndarray | None:
    """A PPM with more than eight bits, of which Pillow gives eight; None for any other."""
    content = path.read_bytes()
    words: list[int] = []
    at = 2
    while len(words) < 3:
        while content[at : at + 1].isspace():
            at += 1
        if content[at : at + 1] == b"#":
            at = content.find(b"\n", at) + 1
            if at == 0:
                return None
            continue
        end = at
        while content[end : end + 1].isdigit():
            end += 1
        if end == at:
            return None
        words.append(int(content[at:end]))
        at = end
    width, height, largest = words
    if largest < 1 << _SHALLOW_BITS:
        return None
    if min(width, height) < 1 or largest >= 1 << 16:
        raise ValueError(f"{height} x {width} pixels up to {largest}")
    size = 2 * 3 * width * height
    if len(content) < at + 1 + size:
        raise InputError(f"expected a whole image file, got '{path.name}', truncated")
    pixels = np.frombuffer(content, dtype=">u2", count=size // 2, offset=at + 1).reshape(height, width, 3)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.uint16)
