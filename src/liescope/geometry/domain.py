"""Where fields and functions live: a set of points in d coordinates with weights.

Everything that is a mean over "the image" (angles between fields, brackets, ranks) is a weighted mean over the points
of a domain: the pixels of a picture, the samples of a signal, the voxels of a volume (:class:`liescope.geometry.Grid`),
a box that nothing is sampled on (:class:`Box`), or points that were given (:class:`Cloud`).
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from liescope.errors import InputError

__all__ = ["Box", "Cloud", "Domain", "axis_names", "lattice"]

Device = torch.device | str | None


def axis_names(ndim: int) -> tuple[str, ...]:
    """Names of the coordinates: x | x, y | x, y, z | x1, x2, ... in four and more dimensions."""
    return ("x", "y", "z")[:ndim] if ndim <= 3 else tuple(f"x{i}" for i in range(1, ndim + 1))


def lattice(
    ndim: int, count: int, reach: float = 1.0, *, dtype: torch.dtype = torch.float64, device: Device = None
) -> Float[Tensor, "n d"]:
    """``count`` points a side, evenly spaced on [-reach, reach]^d, both ends included."""
    side = torch.linspace(-reach, reach, count, dtype=dtype, device=device)
    return torch.cartesian_prod(*[side] * ndim).reshape(-1, ndim)


class Domain(ABC):
    """A set of points with weights that sum to one.

    Points are rows (x, y, ...) in normalised units, in which fields are written.
    """

    @property
    @abstractmethod
    def ndim(self) -> int:
        """Number of coordinates d."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the coordinates (:func:`axis_names`)."""
        return axis_names(self.ndim)

    @property
    @abstractmethod
    def unit(self) -> float:
        """What a length of 1 is: pixels on a grid, units of the data elsewhere."""

    @abstractmethod
    def points(self, *, dtype: torch.dtype = torch.float32, device: Device = None) -> Float[Tensor, "n d"]:
        """The points, one a row."""

    @abstractmethod
    def weights(self, *, dtype: torch.dtype = torch.float32, device: Device = None) -> Float[Tensor, " n"]:
        """What share of the domain each point stands for; they sum to one."""

    @abstractmethod
    def contains(self, points: Float[Tensor, "*b d"]) -> Bool[Tensor, "*b"]:
        """Whether points lie in the domain, its boundary included."""


@dataclass(frozen=True)
class Box(Domain):
    """A box that nothing is sampled on, with the points and weights of Gauss and Legendre.

    Means of polynomials of degree up to ``2 count - 1`` in every coordinate are exact.

    Parameters
    ----------
    lower, upper : tuple of float, length d
        Its corners.
    count : int
        Points along every side, at least 1; ``count ** d`` in all.
    unit : float
        Units of the data in a length of 1.

    Raises
    ------
    InputError
        Corners of different length, or sides that are not positive and finite.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    count: int = 8
    unit: float = 1.0

    def __post_init__(self) -> None:
        sides = [b - a for a, b in zip(self.lower, self.upper, strict=False)]
        if len(self.lower) != len(self.upper) or not sides or not all(0 < s < math.inf for s in sides):
            raise InputError(f"expected lower corners below upper ones, got {self.lower} and {self.upper}")
        if self.count < 1:
            raise InputError(f"expected at least 1 point along every side of a box, got {self.count}")

    @property
    def ndim(self) -> int:
        return len(self.lower)

    def points(self, *, dtype: torch.dtype = torch.float32, device: Device = None) -> Float[Tensor, "n d"]:
        nodes = np.polynomial.legendre.leggauss(self.count)[0]
        sides = [(a + b) / 2 + (b - a) / 2 * nodes for a, b in zip(self.lower, self.upper, strict=True)]
        return torch.tensor(list(itertools.product(*sides)), dtype=torch.float64).to(device=device, dtype=dtype)

    def weights(self, *, dtype: torch.dtype = torch.float32, device: Device = None) -> Float[Tensor, " n"]:
        side = torch.from_numpy(np.polynomial.legendre.leggauss(self.count)[1] / 2)
        shares = torch.cartesian_prod(*[side] * self.ndim).reshape(-1, self.ndim)
        return shares.prod(dim=1).to(device=device, dtype=dtype)

    def contains(self, points: Float[Tensor, "*b d"]) -> Bool[Tensor, "*b"]:
        inside = (points >= points.new_tensor(self.lower)) & (points <= points.new_tensor(self.upper))
        return inside.all(dim=-1)


class Cloud(Domain):
    """Points that were given, and their weights.

    Parameters
    ----------
    places : tensor or array, shape (n, d)
        Finite, n at least 1.
    weights : tensor or array, shape (n,), optional
        Not negative, of any sum; equal if not given.
    unit : float
        Units of the data in a length of 1.

    Raises
    ------
    InputError
        Anything else.
    """

    def __init__(
        self,
        places: Tensor | np.ndarray | Sequence[Sequence[float]],
        weights: Tensor | np.ndarray | Sequence[float] | None = None,
        unit: float = 1.0,
    ) -> None:
        rows = torch.as_tensor(places, dtype=torch.float64)
        if rows.ndim != 2 or not rows.numel() or not bool(torch.isfinite(rows).all()):
            raise InputError(f"expected finite points of shape (n, d), got shape {tuple(rows.shape)}")
        shares = torch.ones(len(rows)) if weights is None else torch.as_tensor(weights)
        shares = shares.to(torch.float64)
        if shares.shape != rows.shape[:1] or not bool((shares >= 0).all()) or not 0 < float(shares.sum()) < math.inf:
            raise InputError(f"expected {len(rows)} weights of at least 0, not all 0, got shape {tuple(shares.shape)}")
        self._places, self._weights = rows, shares / shares.sum()
        self._unit = float(unit)

    @property
    def ndim(self) -> int:
        return self._places.shape[1]

    @property
    def unit(self) -> float:
        return self._unit

    def points(self, *, dtype: torch.dtype = torch.float32, device: Device = None) -> Float[Tensor, "n d"]:
        return self._places.to(device=device, dtype=dtype)

    def weights(self, *, dtype: torch.dtype = torch.float32, device: Device = None) -> Float[Tensor, " n"]:
        return self._weights.to(device=device, dtype=dtype)

    def contains(self, points: Float[Tensor, "*b d"]) -> Bool[Tensor, "*b"]:
        """Whether points lie in the smallest box around the cloud."""
        lowest, highest = (bound.to(points) for bound in torch.aminmax(self._places, dim=0))
        return ((points >= lowest) & (points <= highest)).all(dim=-1)

    def __repr__(self) -> str:
        return f"Cloud({len(self._places)} points in {self.ndim} dimensions)"
