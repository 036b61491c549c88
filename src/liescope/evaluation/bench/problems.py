"""The transforms, laws and images that methods are compared on, with the truth about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from liescope.data import Pairs, load_corpus, make_pairs
from liescope.errors import InputError, suggest
from liescope.evaluation.bench.options import Options, corpus_name

__all__ = ["LAW_MODES", "RANGES", "Problem", "chosen_laws", "chosen_transforms", "true_coefficients"]

RANGES: Mapping[str, float] = {
    "rotation": 90.0,
    "scale": 0.45,
    "translation-x": 0.25,
    "translation-y": 0.25,
    "shear-x": 0.6,
    "shear-y": 0.6,
    "hyperbolic": 0.4,
    "sct-x": 0.5,
}
"""Half-widths of the magnitudes in natural units; translations are given as a share of the image's side."""

SMALL = 0.07
"""Share of those half-widths where a first-order expansion is a fair description: about half a pixel at the rim."""

LAW_MODES: Mapping[str, int] = {"uniform": 1, "normal": 1, "five-modal": 5}
"""How many modes each law has."""

_UNITS = {"rotation": "°", "translation-x": " px", "translation-y": " px"}
_BLANK = 0.02  # of the grey range: a border darker than this on the median is a background


@dataclass(frozen=True)
class Problem:
    """Pairs to make and what to look for in them.

    Parameters
    ----------
    transform : str
        A name in :data:`RANGES`.
    law : str
        A name in :data:`LAW_MODES`.
    share : float
        Of the half-width in :data:`RANGES`.
    pairs : int
    seed : int
    corpus : str, optional
        A name, a file or a folder; default the embedded digits.
    order : int
        Of the splines that the pairs are made with: not the engines' own linear interpolation.
    """

    transform: str
    law: str = "uniform"
    share: float = 1.0
    pairs: int = 5000
    seed: int = 0
    corpus: str | None = None
    order: int = 3

    @property
    def basis(self) -> str:
        """The smallest polynomial basis that holds the generator."""
        return "quadratic" if self.transform.startswith("sct") else "affine"

    @property
    def range(self) -> float:
        """Half-width in natural units."""
        side = _frame(self.corpus)[1]
        width = self.share * RANGES[self.transform]
        return round(width * side, 3) if self.transform.startswith("translation") else width

    @property
    def range_text(self) -> str:
        """The half-width for a table."""
        return f"±{self.range:.3g}{_UNITS.get(self.transform, '')}"

    def make(self) -> Pairs:
        """The pairs."""
        return make_pairs(
            _frame(self.corpus)[0],
            corpus=self.corpus,
            transform=self.transform,
            range=self.range,
            law=self.law,
            pairs=self.pairs,
            order=self.order,
            seed=self.seed,
        )

    def named(self) -> dict[str, object]:
        """The problem as results keep it."""
        return {
            "transform": self.transform,
            "law": self.law,
            "range": self.range,
            "basis": self.basis,
            "pairs": self.pairs,
            "seed": self.seed,
            "corpus": corpus_name(self.corpus),
            "order": self.order,
        }


@cache
def _frame(corpus: str | None) -> tuple[str, int]:
    """The task that suits a corpus, and the longest side of the pairs that it makes.

    Images on a blank background are transformed whole; of others the middle is kept, so that no border enters.
    """
    if corpus is None:
        return "symnist", 28
    images = np.asarray(load_corpus(corpus).images[:200])
    edges = np.concatenate([images[..., 0, :].ravel(), images[..., -1, :].ravel()])
    task = "symnist" if np.median(edges) <= images.min() + _BLANK * float(np.ptp(images)) else "galaxsym"
    return task, max(make_pairs(task, corpus=corpus, transform="scale", pairs=2).source.shape[-2:])


def chosen_transforms(options: Options, few: int) -> tuple[str, ...]:
    """The transforms that were asked for; else all, or the first ``few`` where it is only tried out."""
    if options.transforms is None:
        return tuple(RANGES)[: few if options.tiny else None]
    for name in options.transforms:
        if name not in RANGES:
            raise InputError(f"unknown transform {name!r}.{suggest(name, RANGES)}")
    return options.transforms


def chosen_laws(options: Options, default: tuple[str, ...]) -> tuple[str, ...]:
    """The laws of t that were asked for, or those of a benchmark."""
    for name in options.laws or ():
        if name not in LAW_MODES:
            raise InputError(f"unknown law {name!r}.{suggest(name, LAW_MODES)}")
    return options.laws or default


def true_coefficients(pairs: Pairs, dimension: int, index: int = 0) -> np.ndarray:
    """Coefficients of a true generator in a polynomial basis that holds it, shape (dimension,).

    Bases order their fields [u..., v...] over 1, x, y, x^2, ...: a basis of higher degree has further monomials behind.
    """
    components = np.reshape(pairs.meta["generators"][index], (2, -1))
    embedded = np.zeros((2, dimension // 2))
    embedded[:, : components.shape[1]] = components
    return embedded.ravel()
