"""What the figures are measured on: pairs with a known truth, and exact orbits of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from liescope.data import Corpus, Frame, Pairs, load_corpus, parse_transforms
from liescope.data.corpora.download import corpus_folder
from liescope.data.corpora.fetched import IDX_CORPORA
from liescope.data.warp import warp_images
from liescope.evaluation.benchmarks.problems import Problem
from liescope.reproduce.study import Request

__all__ = ["ORDER", "Case", "digit_corpus", "pair_count", "true_orbit"]

ORDER = 3
"""Spline order of the pairs' interpolation."""


@dataclass(frozen=True)
class Case:
    """Pairs with a known truth.

    Parameters
    ----------
    label : str
        What people read.
    transform : str
        One or several joined by ``+``.
    range : tuple of float
        Half-widths in natural units, one per transform.
    law : str
    task : str
    basis : str
        That the generators are looked for in.
    """

    label: str
    transform: str
    range: tuple[float, ...]
    law: str = "uniform"
    task: str = "symnist"
    basis: str = "affine"

    def pairs(self, count: int, seed: int, corpus: str | Corpus | None = None) -> Pairs:
        """Pairs of the task's corpus or of another."""
        return Problem(
            self.transform,
            self.range,
            self.law,
            count,
            seed,
            order=ORDER,
            basis=self.basis,
            corpus=corpus,
            task=self.task,
            label=self.label,
        ).make()


def digit_corpus(request: Request) -> str:
    """``mnist`` at full scale where its files are there already (nothing is fetched), else the embedded digits."""
    if request.scale != "full" or request.tiny:
        return "mnist-5k"
    folder = corpus_folder("mnist", None)
    there = all((folder / file.name).exists() for file in IDX_CORPORA["mnist"].files["train"])
    return "mnist" if there else "mnist-5k"


def pair_count(request: Request) -> int:
    """Pairs of a training: 2,500, or one for each image of the corpus at full scale."""
    full = len(load_corpus(digit_corpus(request))) if request.scale == "full" and not request.tiny else 0
    return request.size(80, 2500, full)


def true_orbit(
    images: Float[np.ndarray, "n h w"], transform: str, t: Sequence[float] | np.ndarray
) -> Float[np.ndarray, "n s h w"]:
    """Images moved exactly along a named transform (no crop, black outside), as the pairs are made.

    Parameters
    ----------
    images : array, shape (N, H, W)
    transform : str
        A single one.
    t : array, shape (S,)
        In natural units.
    """
    frame = Frame.of(images.shape[-2:])
    (flow,) = parse_transforms(transform, frame)
    steps = np.asarray(t, dtype=np.float64) * flow.parameter_per_unit
    positions = frame.to_canvas(flow.flow(frame.points(), -steps))
    moved = []
    for image in np.asarray(images, dtype=np.float32):
        copies = np.repeat(image[None, None], len(steps), axis=0)
        moved.append(warp_images(copies, positions, ORDER, "zero")[:, 0])
    return np.stack(moved)
