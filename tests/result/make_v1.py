"""How the folders in v1/ were made: by liescope 0.1.0, schema ``liescope.result/1``, before its rooms were moved.

They are never made anew: that they were written by that version is what they are for. With its sources on the path:

    PYTHONPATH=OLD/src python tests/result/make_v1.py v1 [NAME...]

Images are half the corpus' size where that is enough, and only three pairs are kept for the page: a folder has to be
small, not pretty.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from liescope import SymmetryDetector
from liescope.data import load_corpus, make_pairs
from liescope.geometry import Basis, affine, field_basis
from liescope.result import SymmetryResult

PairArrays = tuple[np.ndarray, np.ndarray]
KEPT = 3


def halved(images: np.ndarray) -> np.ndarray:
    """Means of two by two pixels, uint8."""
    height, width = images.shape[-2] // 2, images.shape[-1] // 2
    blocks = images.reshape(*images.shape[:-2], height, 2, width, 2)
    small: np.ndarray = blocks.mean(axis=(-3, -1)).round().astype(np.uint8)
    return small


def whole(**settings: Any) -> PairArrays:
    pairs = make_pairs("symnist", **settings)
    return np.asarray(pairs.source), np.asarray(pairs.target)


def moved(task: str = "symnist", **settings: Any) -> PairArrays:
    pairs = make_pairs(task, **settings)
    return halved(np.asarray(pairs.source)), halved(np.asarray(pairs.target))


def unrelated() -> PairArrays:
    images = halved(np.asarray(load_corpus("mnist-5k").images))
    return images[::125], np.roll(images[::125], 7, axis=0)


def colour() -> PairArrays:
    source, target = moved(transform="scale", range=0.4, pairs=40, seed=2)
    return np.stack((source, source // 2), axis=1)[:, :, 1:13], np.stack((target, target // 2), axis=1)[:, :, 1:13]


def waves() -> Basis:
    return affine() + field_basis({"vortex": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))}, name="vortex")


TINY = {
    "model": {"latent_size": 9, "hidden": [12], "magnitude_hidden": [8]},
    "training": {"epochs": 3, "batch_size": 16},
}

CASES: dict[str, tuple[Callable[[], PairArrays], dict[str, Any]]] = {
    "rotation": (lambda: moved(transform="rotation", range=60, pairs=60, order=3), {}),
    "several": (
        lambda: whole(transform="rotation+translation-x", range=[30, 3], pairs=120, order=3, seed=1),
        {},
    ),
    "colour": (colour, {}),
    "quadratic": (lambda: moved(transform="sct-x", range=0.5, pairs=60, order=3, seed=1), {"basis": "quadratic"}),
    "conformal": (lambda: moved(transform="spiral", range=50, pairs=60, order=1, seed=4), {"basis": "conformal"}),
    "roots": (lambda: moved("supersymnist", transform="rotation", range=60, pairs=400, order=3, seed=1), {}),
    "unrelated": (unrelated, {}),
    "own": (
        lambda: moved(transform="hyperbolic", range=0.4, pairs=60, order=3, seed=7),
        {"basis": waves()},
    ),
    "latent": (
        lambda: moved(transform="rotation", range=60, pairs=60, order=3, seed=1),
        {"engine": "latent", "config": TINY},
    ),
    "latent-two": (
        lambda: moved(transform="rotation+translation-x", range=[30, 3], pairs=60, order=3, seed=1),
        {"engine": "latent", "n_generators": 2, "config": TINY},
    ),
}


def fewer_samples(result: SymmetryResult) -> SymmetryResult:
    if result.samples is None:
        return result
    first = {name: array[:KEPT] for name, array in vars(result.samples).items()}
    return dataclasses.replace(result, samples=dataclasses.replace(result.samples, **first))


def main(out: Path, names: list[str]) -> None:
    for name in names or CASES:
        make, options = CASES[name]
        result = SymmetryDetector(**options).fit(*make()).result_
        fewer_samples(result).save(out / name)
        (out / name / "report.html").unlink()
        print(name, result.verdict, [g.generator.name for g in result.generators], result.reason)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), sys.argv[2:])
