"""Two sets of images without pairs: before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from liescope.data.archives import read_npz
from liescope.data.checks import listed, validate_images
from liescope.data.guard import check_place, told_path
from liescope.errors import InputError

__all__ = ["FEWEST_IMAGES", "Sets", "load_sets", "validate_sets"]

FEWEST_IMAGES = 100
"""Images of each set; fewer do not tell a distribution."""

_LABELS = ("before_label", "after_label")


class Sets(NamedTuple):
    """Two sets of images.

    Attributes
    ----------
    before, after : ImageStack, shape (N, C, H, W), (M, C, H, W)
    labels : two arrays, shape (N,), (M,), or None
    """

    before: Any
    after: Any
    labels: tuple[np.ndarray, np.ndarray] | None = None


def load_sets(path: str | Path) -> Sets:
    """Read an .npz with ``before`` (N, ...) and ``after`` (M, ...), and labels ``before_label`` and ``after_label``.

    Raises
    ------
    InputError
        No such file, no such arrays, labels of one set alone, or what :func:`validate_sets` refuses.
    """
    path = Path(path)
    check_place(path, "two sets")
    arrays = read_npz(path, ("before", "after"), _LABELS)
    there = [name for name in _LABELS if name in arrays]
    if len(there) == 1:
        missing = next(name for name in _LABELS if name not in arrays)
        told = told_path(path.name)
        raise InputError(f"expected {missing} beside {there[0]} in {told}, got none, try both or neither")
    labels = (arrays[_LABELS[0]], arrays[_LABELS[1]]) if there else None
    try:
        return validate_sets(arrays["before"], arrays["after"], labels)
    except InputError as error:
        raise InputError(f"{told_path(path.name)[1:-1]}: {error}") from None


def validate_sets(before: Any, after: Any, labels: Any = None) -> Sets:
    """Two sets with channels, checked; labels as arrays.

    Parameters
    ----------
    before, after : arrays or lazy stacks, shape (N, H, W) or (N, C, H, W), (M, H, W) or (M, C, H, W)
    labels : (array (N,), array (M,)), optional

    Raises
    ------
    InputError
        Images of different sizes, fewer than :data:`FEWEST_IMAGES` of a set, labels of other lengths or that one set
        lacks, and what :func:`liescope.data.validate_images` refuses.
    """
    stacks = [_checked(images, name) for images, name in ((before, "before"), (after, "after"))]
    shapes = [tuple(stack.shape[1:]) for stack in stacks]
    if shapes[0] != shapes[1]:
        told = [" x ".join(map(str, shape[1:] if shape[0] == 1 else shape)) for shape in shapes]
        raise InputError(
            f"expected images of one size in both sets, got {told[0]} before and {told[1]} after, try resizing"
        )
    for stack, name in zip(stacks, ("before", "after"), strict=True):
        if len(stack) < FEWEST_IMAGES:
            raise InputError(f"expected at least {FEWEST_IMAGES} images in each set, got {len(stack)} in {name}")
    return Sets(stacks[0], stacks[1], None if labels is None else _labels(labels, len(stacks[0]), len(stacks[1])))


def _checked(images: Any, name: str) -> Any:
    try:
        return validate_images(images, images, min_pairs=1)[0]
    except InputError as error:
        told = str(error).replace("source and target", name).replace("source", name).replace("pairs", "images")
        raise InputError(told) from None


def _labels(labels: Any, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        first, second = labels
    except (TypeError, ValueError):
        raise InputError("expected labels as two arrays, those of before and those of after") from None
    arrays = np.asarray(first), np.asarray(second)
    for array, count, name in zip(arrays, (n, m), ("before", "after"), strict=True):
        if array.shape != (count,):
            raise InputError(f"expected labels of {name} of shape ({count},), got {array.shape}")
    sides = [set(array.tolist()) for array in arrays]
    for lacking, having, name in ((sides[0], sides[1], "before"), (sides[1], sides[0], "after")):
        if missing := sorted(map(str, having - lacking)):
            one = "label" if len(missing) == 1 else "labels"
            raise InputError(f"expected the same labels in both sets, got no {one} {listed(missing)} in {name}")
    return arrays[0], arrays[1]
