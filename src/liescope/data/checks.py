"""What a set of image pairs must be: shapes, types and finite pixels, checked before any work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from liescope.data.guard import reason, told_path
from liescope.errors import InputError

__all__ = ["MIN_PAIRS", "MIN_SIDE", "ImageStack", "chunks", "listed", "missing_arrays", "validate_images"]

MIN_PAIRS = 8
"""Fewer pairs than this support no statement about a symmetry."""

MIN_SIDE = 5
"""Images narrower than this (pixels) hold no derivative worth the name."""

CHUNK_BYTES = 1 << 24


@runtime_checkable
class ImageStack(Protocol):
    """What the engines need of a stack of images: shape, dtype and slices.

    Arrays and lazy readers both are one.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> Any: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


def missing_arrays(path: Path, required: Sequence[str], held: Iterable[str]) -> InputError | None:
    """The error of a file without some of the required arrays; None where it has them."""
    names = sorted(held)
    missing = [name for name in required if name not in names]
    if not missing:
        return None
    instead = ", try detect(frames=read_film(...))" if "frames" in names and "source" in missing else ""
    return InputError(
        f"expected arrays {', '.join(required)} in {told_path(path.name)}, got no {', '.join(missing)} "
        f"(it holds {listed(names)}){instead}"
    )


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names in a file, as they stand in a message."""
    known = sorted(names)
    told = ", ".join(name if len(name) <= 30 else f"{name[:27]}..." for name in known[:most])
    return (told or "none") if len(known) <= most else f"{told} and {len(known) - most} more"


def chunks(stack: ImageStack) -> Iterator[slice]:
    """Slices of about 16 MB that cover a stack."""
    per_image = max(1, math.prod(stack.shape[1:]) * np.dtype(stack.dtype).itemsize)
    step = max(1, CHUNK_BYTES // per_image)
    for start in range(0, stack.shape[0], step):
        yield slice(start, min(start + step, stack.shape[0]))


def validate_images(
    source: Any,
    target: Any,
    image_shape: Sequence[int] | None = None,
    min_pairs: int = MIN_PAIRS,
    nan: bool = False,
) -> tuple[Any, Any]:
    """Check a set of pairs and return it with channels.

    Parameters
    ----------
    source, target : arrays or lazy stacks, shape (N, H, W), (N, C, H, W), or flattened (N, H*W) or (N, C*H*W)
    image_shape : (H, W) or (C, H, W), optional
        Shape of one image; needed where images are flattened.
    min_pairs : int
        Smallest N accepted.
    nan : bool
        Whether pixels may be missing (NaN).

    Returns
    -------
    (source, target) : shape (N, C, H, W)
        Views of the data in their own dtype (booleans become float32); lazy stacks stay lazy.

    Raises
    ------
    InputError
        Not numeric, shapes that differ, wrong rank, too few pairs, too small images, NaN or infinite pixels.
        Memory stays flat: pixels are looked at in slices of 16 MB.
    """
    stacks = [_as_stack(images, name, image_shape) for name, images in (("source", source), ("target", target))]
    shapes = [tuple(stack.shape) for stack in stacks]
    if shapes[0] != shapes[1]:
        raise InputError(f"expected source and target of one shape, got {shapes[0]} and {shapes[1]}")
    count, channels, height, width = shapes[0]
    if count < min_pairs:
        raise InputError(f"expected at least {min_pairs} pairs, got {count}, try more data")
    if min(height, width) < MIN_SIDE or channels < 1:
        hint = (
            ", try channels first: images.transpose(0, 3, 1, 2)"
            if width in (1, 3, 4) and height >= MIN_SIDE <= channels
            else ", try larger images"
        )
        raise InputError(
            f"expected images of at least {MIN_SIDE}x{MIN_SIDE} pixels, got {height}x{width} (shape {shapes[0]}){hint}"
        )
    for name, stack in zip(("source", "target"), stacks, strict=True):
        _check_finite(stack, name, nan)
    return stacks[0], stacks[1]


def _as_stack(images: Any, name: str, image_shape: Sequence[int] | None) -> Any:
    """The images as (N, C, H, W) without a copy of numeric data."""
    lazy = isinstance(images, ImageStack) and hasattr(images, "with_channels")
    if not lazy:
        try:
            images = np.asarray(images)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"expected {name} as a numeric array, got {type(images).__name__} ({reason(error)})"
            ) from None
    dtype = np.dtype(images.dtype)
    if dtype.kind == "b" and not lazy:
        images, dtype = images.astype(np.float32), np.dtype(np.float32)
    if dtype.kind not in "fiu":
        raise InputError(f"expected real or integer pixels in {name}, got dtype {dtype}, try float32 or uint8")
    rank = len(images.shape)
    if lazy:
        if rank not in (3, 4) or image_shape is not None:
            raise InputError(
                f"expected {name} of shape (N, H, W) or (N, C, H, W) read lazily, got {images.shape}, "
                "try an array and image_shape=(H, W) for flattened images"
            )
        return images.with_channels()
    if image_shape is not None:
        images, rank = _unflattened(images, name, image_shape), 4
    if rank == 2:
        raise InputError(
            f"expected {name} of shape (N, H, W) or (N, C, H, W), got {images.shape}, "
            "try image_shape=(H, W) for flattened images"
        )
    if rank not in (3, 4):
        raise InputError(f"expected {name} of shape (N, H, W) or (N, C, H, W), got {images.shape}")
    return images[:, None] if rank == 3 else images


def _unflattened(images: np.ndarray, name: str, image_shape: Sequence[int]) -> np.ndarray:
    shape = tuple(int(n) for n in image_shape)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise InputError(f"expected image_shape as (H, W) or (C, H, W), got {tuple(image_shape)}")
    full = (1, *shape) if len(shape) == 2 else shape
    if images.ndim < 2 or images.size != len(images) * int(np.prod(full)):
        per_image = images.size // max(1, len(images)) if images.ndim else 0
        raise InputError(
            f"expected {int(np.prod(full))} pixels an image for image_shape {shape}, "
            f"got {per_image} in {name} (shape {images.shape})"
        )
    return images.reshape(len(images), *full)


def _check_finite(stack: Any, name: str, nan: bool = False) -> None:
    """Refuse infinite pixels, and NaN unless they may be: how many, and where the first one is."""
    if np.dtype(stack.dtype).kind != "f":
        return
    bad_pixels, bad_pairs, first = 0, 0, None
    for part in chunks(stack):
        bad = np.isinf(stack[part]) if nan else ~np.isfinite(stack[part])
        if not bad.any():
            continue
        bad_pixels += int(bad.sum())
        bad_pairs += int(bad.any(axis=(1, 2, 3)).sum())
        if first is None:
            pair, channel, row, column = (int(k) for k in np.argwhere(bad)[0])
            first = f"pair {part.start + pair}, " + (f"channel {channel}, " if stack.shape[1] > 1 else "")
            first += f"row {row}, column {column}"
    if first is not None:
        what = "infinite" if nan else "NaN or infinite"
        raise InputError(
            f"expected finite pixels, got {bad_pixels} {what} in {bad_pairs} "
            f"{name} image{'s' if bad_pairs > 1 else ''}, the first at {first}, try leaving those pairs out"
        )
