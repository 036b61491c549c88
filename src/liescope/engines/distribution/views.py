"""Sets of images on one working grid, as rows of grey values, and the patterns that they are compared in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.data import ImageStack
from liescope.engines.pair_set import GreyScale, chunk_slices
from liescope.geometry import Grid
from liescope.geometry.smoothing import smoothing_operator

__all__ = ["Patterns", "Views", "working_grid"]

_LONGEST = 32
"""Samples along the longest side that images are moved on."""
_COARSE, _BLUR = 14, 1.0
"""Samples along the longest side that moved images are compared on, and the blur in those."""
_LESS_BLUR = 0.7


def working_grid(grid: Grid) -> Grid:
    """The grid that images are moved on: their own, or a coarser one of the same domain."""
    return grid if max(grid.shape) <= _LONGEST else grid.resampled(_LONGEST)


def _blurred(grid: Grid) -> Tensor:
    """What takes rows of images to rows of blurred and coarser ones, in which they are compared (out, in)."""
    coarse = grid if max(grid.shape) <= _COARSE else grid.resampled(_COARSE)
    blur = _BLUR if coarse != grid else _LESS_BLUR
    sides = [smoothing_operator(n, k, blur) for n, k in zip(grid.shape, coarse.shape, strict=True)]
    return reduce(torch.kron, sides)


@dataclass(frozen=True, eq=False)
class Views:
    """A set of images as rows.

    Attributes
    ----------
    images : ImageStack, shape (N, C, H, W)
    scale : GreyScale
    grid : Grid
        The working grid.
    """

    images: ImageStack
    scale: GreyScale
    grid: Grid

    def __len__(self) -> int:
        return int(self.images.shape[0])

    def rows(self, index: np.ndarray | slice) -> Float[Tensor, "b n"]:
        """Some of them, channels averaged, background 0."""
        images = self.scale.apply(np.asarray(self.images[index])).mean(dim=1)
        if tuple(images.shape[1:]) != self.grid.shape:
            down, across = (
                smoothing_operator(n, k, 0.5) for n, k in zip(images.shape[1:], self.grid.shape, strict=True)
            )
            images = down @ images @ across.T
        return images.flatten(1)

    def chunks(self, index: np.ndarray) -> Iterator[np.ndarray]:
        """Parts of an index, small enough for any memory."""
        for part in chunk_slices(len(index), math.prod(self.images.shape[1:])):
            yield index[part]


@dataclass(frozen=True, eq=False)
class Patterns:
    """Principal components of blurred images: what images are described in.

    Attributes
    ----------
    weights : tensor, shape (p, n)
        Of the pixels of the working grid.
    offset : tensor, shape (p,)
        Of the mean image; coordinates are ``rows @ weights.T - offset``.
    """

    weights: Tensor
    offset: Tensor

    @classmethod
    def of(cls, sets: Sequence[tuple[Views, np.ndarray]], count: int) -> Patterns:
        """The first ``count`` components of some images of several sets, each set counting as much."""
        blur = _blurred(sets[0][0].grid)
        mean, square = (torch.zeros(shape, dtype=torch.float64) for shape in (len(blur), (len(blur), len(blur))))
        for views, index in sets:
            for part in views.chunks(index):
                seen = (views.rows(part) @ blur.T).double()
                mean += seen.sum(dim=0) / (len(index) * len(sets))
                square += seen.T @ seen / (len(index) * len(sets))
        covariance = square - torch.outer(mean, mean)
        _, vectors = torch.linalg.eigh(covariance)
        components = vectors[:, -min(count, len(blur)) :].flip(1)
        # The sign of a component is arbitrary: its largest entry is positive.
        largest = components.gather(0, components.abs().argmax(dim=0, keepdim=True)).sign()
        components = (components * largest).T
        return cls((components @ blur.double()).float(), (components @ mean).float())

    def __len__(self) -> int:
        return len(self.offset)

    def first(self, count: int) -> Patterns:
        """Fewer of them."""
        return Patterns(self.weights[:count], self.offset[:count])

    def coordinates(self, rows: Float[Tensor, "b n"]) -> Float[Tensor, "b p"]:
        """What rows of images are described by."""
        return rows @ self.weights.T - self.offset

    def of_images(self, views: Views, index: np.ndarray) -> Float[np.ndarray, "b p"]:
        """Coordinates of some images as they are."""
        parts = [self.coordinates(views.rows(part)).numpy() for part in views.chunks(index)]
        return np.concatenate(parts).astype(np.float64)
