"""Pairs with a known answer: which transform, which law, which images, where is looked, and what must come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from pydantic import InstanceOf

from liescope.data import Corpus, Pairs, load_corpus, make_pairs
from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.options import Options, corpus_name

__all__ = [
    "AFFINE",
    "LAW_MODES",
    "RANGES",
    "SMALL",
    "SPECIAL_CONFORMAL",
    "STANDARD_LAWS",
    "Problem",
    "Target",
    "chosen_laws",
    "chosen_transforms",
    "standard_problem",
    "true_coefficients",
]


@dataclass(frozen=True)
class Problem:
    """Pairs to make and the basis to look in.

    Parameters
    ----------
    transform : str
        As :func:`liescope.data.make_pairs` knows it; several are joined by ``+``.
    range : float or tuple of float
        Half-width of the magnitudes in natural units (degrees, log-factor, pixels, plain), one per transform.
    law : str
        Law of the magnitudes.
    pairs : int
    seed : int
        Of the data and of what looks at them.
    order : int
        Spline order of the interpolation the data are made with: 0, 1 or 3. Not 1, the engine's own, unless told so.
    noise : float
        Standard deviation of additive noise on both images, as a share of the grey range.
    basis : str
        Basis that generators are looked for in.
    corpus : str or Corpus, optional
        Name, file or folder of the images, or the images; default the embedded digits.
    task : str
        ``symnist`` transforms whole images; ``galaxsym`` keeps their middle, so that no border enters.
    centre : (column, row), optional
        Fixed point in pixels; default the image centre.
    label : str, optional
        How tables call the transform; default its name.
    """

    transform: str
    range: float | tuple[float, ...]
    law: str = "uniform"
    pairs: int = 5000
    seed: int = 0
    order: int = 3
    noise: float = 0.0
    basis: str = "affine"
    corpus: str | InstanceOf[Corpus] | None = None
    task: str = "symnist"
    centre: tuple[float, float] | None = None
    label: str | None = None

    @property
    def name(self) -> str:
        """How tables call the transform."""
        return self.label or self.transform

    @property
    def range_text(self) -> str:
        """The half-widths for a table."""
        widths = self.range if isinstance(self.range, tuple) else (self.range,)
        units = (_UNITS.get(one, "") for one in self.transform.split("+"))
        return ", ".join(f"±{width:.3g}{unit}" for width, unit in zip(widths, units, strict=True))

    def make(self) -> Pairs:
        """The pairs."""
        return make_pairs(
            self.task,
            corpus=self.corpus,
            transform=self.transform,
            range=self.range,
            law=self.law,
            pairs=self.pairs,
            order=self.order,
            seed=self.seed,
            centre=self.centre,
            noise=self.noise,
        )

    def named(self) -> dict[str, object]:
        """The problem as results keep it, without the folders of a machine."""
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


@dataclass(frozen=True)
class Target:
    """What a row must reach; None where nothing is asked.

    Parameters
    ----------
    cosine : float
        Least cosine between the found and the true vector field, in every run.
    seconds : float
        Most seconds of a detection, in every run.
    t_error : float, optional
        Largest median |t error|, as a share of the range of t.
    w1 : float, optional
        Largest Wasserstein distance between found and true magnitudes, as a share of the range of t.
    modes : int, optional
        Number of modes of the law.
    """

    cosine: float
    seconds: float
    t_error: float | None = None
    w1: float | None = None
    modes: int | None = None


AFFINE: Mapping[str, Problem] = {
    one.name: one
    for one in (
        Problem("rotation", 90.0, order=1),
        Problem("rotation", 60.0, order=1, centre=(18.0, 10.0), label="rotation about (18, 10)"),
        Problem("scale", 0.45, order=1),
        Problem("translation-x", 7.0, order=1),
        Problem("translation-y", 7.0, order=1),
        Problem("shear-x", 0.6, order=1),
        Problem("shear-y", 0.6, order=1),
        Problem("hyperbolic", 0.4, order=1),
        Problem("spiral", 60.0, order=1),
    )
}
"""Transforms that the affine basis holds, by name; linear interpolation unless a benchmark asks for another."""

SPECIAL_CONFORMAL: Mapping[str, Problem] = {
    name: Problem(name, 0.5, order=1, basis="quadratic") for name in ("sct-x", "sct-y")
}
"""Transforms that the quadratic basis holds, by name."""

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

LAW_MODES: Mapping[str, int] = {"uniform": 1, "normal": 1, "two-modal": 2, "four-modal": 4, "five-modal": 5}
"""How many modes each law has."""

STANDARD_LAWS = ("uniform", "normal", "five-modal")
"""Those that methods are compared with."""

_UNITS = {
    **dict.fromkeys(("rotation", "spiral"), "°"),
    **dict.fromkeys(("translation-x", "translation-y"), " px"),
}
_BLANK = 0.02  # of the grey range: a border darker than this on the median is a background


def standard_problem(
    transform: str,
    law: str = "uniform",
    share: float = 1.0,
    pairs: int = 5000,
    seed: int = 0,
    corpus: str | None = None,
) -> Problem:
    """The problem that methods are compared on, cubic splines: not the engines' own linear interpolation.

    Parameters
    ----------
    transform : str
        A name in :data:`RANGES`; the basis is the smallest polynomial one that holds its generator.
    law : str
        A name in :data:`STANDARD_LAWS`.
    share : float
        Of the half-width in :data:`RANGES`.
    corpus : str, optional
        A name, a file or a folder; default the embedded digits.
    """
    task, side = _frame(corpus)
    width = share * RANGES[transform]
    return Problem(
        transform,
        round(width * side, 3) if transform.startswith("translation") else width,
        law,
        pairs,
        seed,
        basis="quadratic" if transform.startswith("sct") else "affine",
        corpus=corpus,
        task=task,
    )


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
        if name not in STANDARD_LAWS:
            raise InputError(f"unknown law {name!r}.{suggest(name, STANDARD_LAWS)}")
    return options.laws or default


def true_coefficients(pairs: Pairs, dimension: int, index: int = 0) -> np.ndarray:
    """Coefficients of a true generator in a polynomial basis that holds it, shape (dimension,).

    Bases order their fields [u..., v...] over 1, x, y, x^2, ...: a basis of higher degree has further monomials behind.
    """
    components = np.reshape(pairs.meta["generators"][index], (2, -1))
    embedded = np.zeros((2, dimension // 2))
    embedded[:, : components.shape[1]] = components
    return embedded.ravel()
