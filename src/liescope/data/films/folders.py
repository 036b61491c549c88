"""A film as a folder of numbered frames."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from liescope.data.images import read_image
from liescope.data.spool import Spool
from liescope.data.stacks import image_files
from liescope.errors import InputError

__all__ = ["frame_names", "natural_order", "read_frame_folder"]

_NUMBER = re.compile(r"(\d+)")


def natural_order(names: Sequence[str]) -> list[str]:
    """Names by the numbers in them: frame2 before frame10."""
    return sorted(names, key=lambda name: (_numbers(name), name))


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in _NUMBER.findall(name))


def read_frame_folder(path: Path) -> Any:
    """Frames (T, H, W) or (T, 3, H, W) of a folder of image files that are numbered under one name.

    The order is that of the numbers; a number that is left out is not noticed, as films are numbered in any steps.

    Raises
    ------
    InputError
        No images; files without a number or of several names; two numbers that both count; frames of several sizes
        or types, both files named; a file that cannot be read.
    """
    names = frame_names(path)
    if not names:
        raise InputError(
            f"expected image files in the folder '{path}', got none, try frame0001.png, frame0002.png, ..."
        )
    _check_names(path, names)
    with Spool(path.name) as spool:
        for name in names:
            spool.add(read_image(path / name), f"'{name}'")
        return spool.frames()


def frame_names(path: Path) -> list[str]:
    """Names of the image files of a folder, in the order of the film."""
    return natural_order([file.name for file in image_files(path)])


def _check_names(path: Path, names: Sequence[str]) -> None:
    patterns = {name: _NUMBER.sub("#", name) for name in names}
    counted = Counter(patterns.values()).items()
    (common, _), *others = sorted(counted, key=lambda one: (-one[1], "#" not in one[0]))
    if others:
        one, other = (next(n for n in names if patterns[n] == p) for p in (common, others[0][0]))
        raise InputError(
            f"expected frames that are numbered under one name in the folder '{path}', got '{one}' and '{other}', "
            "try a folder that holds nothing but the frames"
        )
    if len(names) > 1 and "#" not in common:
        raise InputError(f"expected numbered frames in the folder '{path}', got '{names[0]}', try frame0001.png, ...")
    tuples = [_numbers(name) for name in names]
    counting = [sorted(set(values)) for values in zip(*tuples, strict=True) if len(set(values)) > 1]
    grid = len(counting) > 1 and len(set(tuples)) == len(list(itertools.product(*counting)))
    if grid:
        raise InputError(
            f"expected one number that counts frames in the folder '{path}', got {len(counting)} in '{names[0]}' to "
            f"'{names[-1]}', try a folder for every channel, slice or camera"
        )
