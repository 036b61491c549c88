"""Where an ascent begins, and what simple schemes lie near to where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.algebra import CANONICAL_FIELDS, canonical_coefficients
from liescope.geometry import Basis, Grid

__all__ = ["Start", "one_generator", "simpler", "two_generators"]

_DISTANCES = (0.25, 0.5, 1.0)  # rms displacement over the image, in normalised units
_RANDOM = 2
_DRIFT = ("translation-x", "translation-y")
_PAIRS = (
    _DRIFT,
    ("rotation", "scale"),
    ("scale-x", "scale-y"),
    ("scale", "hyperbolic-diagonal"),
    ("translation-x", "shear-x"),
    ("translation-y", "shear-y"),
)
"""Fields that commute with one another: which acts first makes no difference."""

_ALIKE = 0.8  # cosine with what is a simpler form of a generator, at least

_FAMILIES: tuple[tuple[str, ...], ...] = (
    *((name,) for name in CANONICAL_FIELDS),
    _DRIFT,
    ("hyperbolic", "hyperbolic-diagonal"),
    ("rotation", "scale"),
    ("rotation", *_DRIFT),
    ("scale", *_DRIFT),
    ("rotation", "scale", *_DRIFT),
)
"""Spans of what a simple generator is made of: turns and scalings about some centre, shifts and stretches along one."""


class Start(NamedTuple):
    """Where an ascent begins: generators times their reach, shape (K, m)."""

    name: str
    place: Tensor


def one_generator(basis: Basis, grid: Grid, rng: np.random.Generator) -> list[Start]:
    """Canonical fields at several distances, and a few random ones; only these in a basis of other fields."""
    fields = [(name, field) for name in CANONICAL_FIELDS if (field := canonical_coefficients(name, basis)) is not None]
    starts = [Start(name, _at(field, distance, basis, grid)[None]) for name, field in fields for distance in _DISTANCES]
    count = _RANDOM if fields else 2 * basis.dimension
    drawn = torch.as_tensor(rng.normal(size=(count, basis.dimension)), dtype=torch.float32)
    return starts + [
        Start(f"random {number}", _at(row, _DISTANCES[1], basis, grid)[None]) for number, row in enumerate(drawn, 1)
    ]


def two_generators(basis: Basis, grid: Grid) -> list[Start]:
    """Pairs of canonical fields that commute, at several distances."""
    starts = []
    for names in _PAIRS:
        fields = [canonical_coefficients(name, basis) for name in names]
        if all(field is not None for field in fields):
            for distance in _DISTANCES:
                rows = [_at(field, distance, basis, grid) for field in fields if field is not None]
                starts.append(Start("+".join(names), torch.stack(rows)))
    return starts


def simpler(place: Float[Tensor, "1 m"], basis: Basis) -> Iterator[tuple[Tensor, int]]:
    """The nearest member of every simple family to one generator, and how many numbers it takes to write down."""
    found = place[0].double().numpy()
    for names in _FAMILIES:
        fields = [canonical_coefficients(name, basis) for name in names]
        if any(field is None for field in fields):
            continue
        design = np.stack([field for field in fields if field is not None], axis=1)
        nearest = design @ np.linalg.lstsq(design, found, rcond=None)[0]
        # What lies across it is no simpler form of it.
        if np.linalg.norm(nearest) > _ALIKE * np.linalg.norm(found):
            yield torch.as_tensor(nearest, dtype=torch.float32)[None], len(names)


def _at(field: np.ndarray | Tensor, distance: float, basis: Basis, grid: Grid) -> Tensor:
    """The field times what moves pixels by that distance (rms)."""
    coefficients = torch.as_tensor(np.asarray(field), dtype=torch.float32)
    speed = basis.velocity(grid.points(), coefficients).square().sum(dim=-1).mean().sqrt()
    return coefficients * distance / speed
