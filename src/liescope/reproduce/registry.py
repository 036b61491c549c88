"""Which figures there are, and making them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.unfinished import kept_folder
from liescope.reproduce.study import Reproduction, Request

__all__ = ["FIGURES", "figure_names", "reproduce"]

FIGURES: Mapping[str, str] = {
    "fig3": "linear and deep auto-encoders, pairs of different digits, a three-parameter group",
    "fig4": "histograms of magnitudes: wide and small ranges, scale, four modes, special conformal",
    "fig5": "five modes of rotation and special conformal pairs of different digits, traversed through t",
    "fig6": "galaxies: rotation, scale, shift, pairs of different galaxies",
    "fig7": "alpha matching: weights, Taylor orders 1 and 2 and exact; orbits, fields, latents",
    "complexity": "cost of a step against image and latent size",
    "latent2d": "latents of two dimensions",
    "wasserstein": "distances between the laws of magnitudes, found and true",
    "ablation": "interpolation kernel, channels, LASSO",
}
"""Name on the command line and in ``liescope.reproduce``, and what it shows."""


def figure_names(name: str) -> list[str]:
    """The figures behind a name: itself, or every one for ``all``.

    Raises
    ------
    InputError
        No such figure.
    """
    if name == "all":
        return list(FIGURES)
    if name not in FIGURES:
        raise InputError(f"unknown figure {name!r}.{suggest(name, ['all', *FIGURES])}")
    return [name]


def reproduce(names: Sequence[str], request: Request) -> Iterator[tuple[str, Reproduction]]:
    """Make figures one after the other.

    Parameters
    ----------
    names : sequence of str
        Of :data:`FIGURES`.
    request : Request

    Yields
    ------
    (str, Reproduction)
        Name and outcome, as soon as it is there.
    """
    for name in names:
        figure_names(name)
    for name in names:
        # Imported when asked for: each brings the engines it needs.
        make: Callable[[Request], Reproduction] = importlib.import_module(f"liescope.reproduce.{name}").make
        folder = None if request.folder is None else kept_folder(request.folder, name)
        yield name, make(replace(request, folder=folder))
