"""Files that can be written for other libraries: what is known of them before anything heavy is loaded."""

from __future__ import annotations

import keyword
from pathlib import Path
from typing import NamedTuple

from liescope.errors import InputError, suggest

__all__ = ["ARRAYS", "LAWS", "MADE", "check_target", "endings"]

LAWS = ("torchvision", "kornia", "albumentations", "sklearn")
"""Libraries whose objects draw t."""
ARRAYS = (".npy", ".npz")


class Made(NamedTuple):
    """The function that a file has, and how it is used."""

    name: str
    what: str
    use: str


MADE = {
    "torchvision": Made("transform", "a transform of torchvision (transforms.v2)", "v2.Compose([transform(), ...])"),
    "kornia": Made("augmentation", "an augmentation of kornia", "augmentation()(images)  # (B, C, H, W)"),
    "albumentations": Made("transform", "a transform of albumentations", "A.Compose([transform(), ...], seed=0)"),
    "emlp": Made("group", "a group of emlp", "emlp.nn.EMLP(rep_in, rep_out, group())"),
    "escnn": Made("space", "a space of escnn", "space(N=16)"),
    "sklearn": Made("transformer", "a transformer of scikit-learn", "make_pipeline(transformer(), ...)"),
}


def endings(to: str) -> tuple[str, ...]:
    """Endings of the files that can be written for a library.

    Raises
    ------
    InputError
        An unknown library, with did-you-mean.
    """
    if to not in MADE:
        raise InputError(f"unknown library {to!r}.{suggest(to, MADE)}")
    return (".py", *ARRAYS) if to == "emlp" else (".py",)


def check_target(to: str, path: Path) -> None:
    """What can be told of a file before anything is read.

    Raises
    ------
    InputError
        An unknown library, another ending, a module that could not be imported by its name or would hide a library.
    """
    if path.suffix not in endings(to):
        raise InputError(f"expected an output file ending in {' or '.join(endings(to))}, got '{path}'")
    if path.suffix != ".py":
        return
    if not path.stem.isidentifier() or keyword.iskeyword(path.stem):
        raise InputError(f"expected a file that Python can import, got '{path.name}', try found_{to}.py")
    if path.stem in {*MADE, "liescope"}:
        raise InputError(f"expected a file that hides no package, got '{path.name}', try found_{to}.py")
