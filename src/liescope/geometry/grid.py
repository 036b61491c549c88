"""Grids of pixels, samples or voxels, and their coordinates.

Convention (used everywhere): the axes of an array are the coordinates in reverse order, so the last one is x. Along an
axis of n samples, sample j sits at ``(j - (n - 1)/2) / s`` with ``s = max(shape) / 2``; along the rows of pictures and
volumes, which are counted from the top, the sign is turned round, so that y points up. Hence

    signals (L,)          x to the right with the index
    pictures (H, W)       row i, column j:           x = (j - (W-1)/2) / s, y = ((H-1)/2 - i) / s
    volumes (D, H, W)     slice k, row i, column j:  the same, and z = (k - (D-1)/2) / s

z grows with the number of the slice: out of the picture, towards the reader, so that (x, y, z) is right-handed. The
origin is the true centre, all axes share one unit, and the longest side spans [-1, 1] from pixel edge to pixel edge. A
point is (x, y, ...) in the last dimension of an array.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from liescope.errors import InputError
from liescope.geometry.domain import Device, Domain

__all__ = ["DomainLike", "Grid", "as_domain"]

_ROWS = 1  # the coordinate that falls with the index: y


@dataclass(frozen=True)
class Grid(Domain):
    """Centres of the samples of an array in normalised coordinates.

    Parameters
    ----------
    shape : tuple of int, length d
        Samples along the axes of the array: (L,), (H, W), (D, H, W), ...
    half : tuple of float, length d
        Normalised coordinate of the outer *edge* of the last sample along x, y, ...: in the order of the coordinates.
        The longest is 1. They are kept apart from the numbers of samples so that a resampled copy of an image covers
        exactly the same domain, and one coefficient vector is one vector field at every resolution.
    """

    shape: tuple[int, ...]
    half: tuple[float, ...]

    @classmethod
    def of(cls, *shape: int) -> Grid:
        """The grid of an array of that shape: ``Grid.of(height, width)``, ``Grid.of(depth, height, width)``."""
        if not shape or min(shape) < 1:
            raise InputError(f"expected at least one axis and one sample along each, got shape {shape}")
        longest = max(shape)
        return cls(tuple(shape), tuple(n / longest for n in reversed(shape)))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of samples."""
        return math.prod(self.shape)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance of neighbouring samples along x, y, ..., in normalised units."""
        return tuple(2 * half / n for half, n in zip(self.half, reversed(self.shape), strict=True))

    @property
    def signs(self) -> tuple[int, ...]:
        """Whether x, y, ... grow (1) or fall (-1) with the index."""
        return tuple(-1 if c == _ROWS else 1 for c in range(self.ndim))

    @property
    def unit(self) -> float:
        """Samples along the longest side in one normalised unit of length (the convention's s)."""
        return max(self.shape) / 2

    def resampled(self, longest_side: int) -> Grid:
        """The grid of the same domain with about square pixels and ``longest_side`` of them along it."""
        scale = longest_side / max(self.shape)
        return Grid(tuple(max(1, round(n * scale)) for n in self.shape), self.half)

    def points(self, *, dtype: torch.dtype = torch.float32, device: Device = None) -> Float[Tensor, "n d"]:
        """Centres of the samples (x, y, ...), row by row, in normalised units."""
        ticks = [self._place(c, torch.arange(n, dtype=torch.float64)) for c, n in enumerate(reversed(self.shape))]
        mesh = torch.meshgrid(*reversed(ticks), indexing="ij")
        return torch.stack(mesh[::-1], dim=-1).reshape(-1, self.ndim).to(device=device, dtype=dtype)

    def weights(self, *, dtype: torch.dtype = torch.float32, device: Device = None) -> Float[Tensor, " n"]:
        return torch.full((self.size,), 1 / self.size, dtype=dtype, device=device)

    def contains(self, points: Float[Tensor, "*b d"]) -> Bool[Tensor, "*b"]:
        return (points.abs() <= points.new_tensor(self.half)).all(dim=-1)

    def to_index(self, points: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """(x, y, ...) to real-valued indices along the axes of the array: (row, column) of a picture."""
        places = [self._index(c, points[..., c]) for c in range(self.ndim)]
        return torch.stack(places[::-1], dim=-1)

    def from_index(self, index: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Indices along the axes of the array to (x, y, ...): the inverse of :meth:`to_index`."""
        places = [self._place(c, index[..., self.ndim - 1 - c]) for c in range(self.ndim)]
        return torch.stack(places, dim=-1)

    def _place(self, c: int, index: Tensor) -> Tensor:
        """Coordinate c at indices along its axis."""
        middle = (self.shape[self.ndim - 1 - c] - 1) / 2
        return (middle - index if self.signs[c] < 0 else index - middle) * self.spacing[c]

    def _index(self, c: int, place: Tensor) -> Tensor:
        middle = (self.shape[self.ndim - 1 - c] - 1) / 2
        offset = place / self.spacing[c]
        return middle - offset if self.signs[c] < 0 else offset + middle

    # What is said of pictures only.

    @property
    def height(self) -> int:
        """Rows of a picture."""
        return self._plane().shape[0]

    @property
    def width(self) -> int:
        """Columns of a picture."""
        return self._plane().shape[1]

    @property
    def half_height(self) -> float:
        """Normalised y of the top edge of a picture."""
        return self._plane().half[1]

    @property
    def half_width(self) -> float:
        """Normalised x of the right edge of a picture."""
        return self._plane().half[0]

    @property
    def pitch(self) -> tuple[float, float]:
        """Width and height of a pixel in normalised units."""
        dx, dy = self._plane().spacing
        return dx, dy

    @property
    def pixels_per_unit(self) -> float:
        """Pixels along the longest side in one normalised unit of length."""
        return self.unit

    def to_pixels(self, points: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """(x, y, ...) to (column, row, ...), real-valued, (0, 0) at the top left pixel's centre."""
        return self.to_index(points).flip(-1)

    def from_pixels(self, pixels: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """(column, row, ...) to (x, y, ...) in normalised units: the inverse of :meth:`to_pixels`."""
        return self.from_index(pixels.flip(-1))

    def _plane(self) -> Grid:
        if self.ndim != 2:
            raise InputError(f"expected the grid of a picture, got one of {self.ndim} axes, try shape, half, spacing")
        return self


DomainLike = Domain | Sequence[int]
"""What functions of a domain take: one, or the shape of an array, which stands for its grid."""


def as_domain(domain: Any) -> Domain:
    """The domain as it is; a shape such as (28, 28) is the grid of an array of that shape.

    Raises
    ------
    InputError
        What is neither a domain nor a sequence of whole numbers of at least 1.
    """
    if isinstance(domain, Domain):
        return domain
    try:
        shape = tuple(int(n) for n in domain)
        whole = all(n == given for n, given in zip(shape, domain, strict=True))
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise InputError(f"expected a domain or the shape of an array, got {domain!r}, try (28, 28)")
    return Grid.of(*shape)
