"""One image in one file, as deep as it is stored."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.checks import reason
from liescope.errors import InputError, require_packages

__all__ = ["IMAGE_SUFFIXES", "image_header", "read_image"]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".pgm", ".ppm", ".webp")

_TIFF = (".tif", ".tiff")
_DEEP = ("I;16", "I;16L", "I;16B", "I", "F")
"""Modes in which Pillow keeps more than eight bits; all of them are grey."""
_UNSIGNED = ("PNG", "PPM")
_GREY = ("L", "LA", "1")
_SHALLOW_BITS = 8


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
    if path.suffix.lower() in _TIFF and not _plain_tiff(path):
        from liescope.data.tiff import read_tiff_image

        return read_tiff_image(path)
    with _opened(path) as head:
        start = head.read(32)
    if start.startswith(b"\x89PNG") and start[24:25] == b"\x10" and start[25:26] != b"\x00":
        return _deep_png(path)
    if start.startswith(b"P6"):
        deep = _deep_ppm(path)
        if deep is not None:
            return deep
    return _pillow_image(path)


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"expected an image file, got '{path.name}' ({reason(error)})") from None


def _plain_tiff(path: Path) -> bool:
    """Whether Pillow reads all of a TIFF file, so that no further package is needed."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            tags = getattr(image, "tag_v2", {})
            bits = tags.get(258, (64,))
            if max(bits) > 16 and max(tags.get(339, (1,))) == 1:
                return False  # unsigned numbers of 32 bits, which Pillow reads with a sign
            shallow = max(bits) <= _SHALLOW_BITS and image.mode in ("L", "RGB", "1")
            return getattr(image, "n_frames", 1) == 1 and (shallow or (len(bits) == 1 and image.mode in _DEEP))
    # struct: Pillow's own on tags that are cut off.
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, TypeError, struct.error):
        return False


def _pillow_image(path: Path) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            count = getattr(image, "n_frames", 1)
            if count > 1:
                raise InputError(
                    f"expected one image in '{path.name}', got {count}, try a film: liescope detect '{path.name}'"
                )
            if image.mode in _DEEP:
                pixels = np.asarray(image)
                # Pillow before 11 gives 32 bits for the 16 of these.
                return pixels.astype(np.uint16) if image.format in _UNSIGNED and image.mode == "I" else pixels
            grey = image.mode in _GREY
            pixels = np.asarray(image.convert("L" if grey else "RGB"))
    except InputError:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError(f"expected an image file, got '{path.name}' ({reason(error)})") from None
    return pixels if grey else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _deep_png(path: Path) -> np.ndarray:
    """A PNG with 16 bits and colour or alpha, of which Pillow gives eight bits."""
    require_packages("imagecodecs")
    import imagecodecs

    try:
        pixels = np.asarray(imagecodecs.png_decode(path.read_bytes()))
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"expected an image file, got '{path.name}' ({reason(error)})") from None
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
    size = 2 * 3 * width * height
    if len(content) < at + 1 + size:
        raise InputError(f"expected a whole image file, got '{path.name}', truncated")
    pixels = np.frombuffer(content, dtype=">u2", count=size // 2, offset=at + 1).reshape(height, width, 3)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.uint16)
