"""The image grid and its coordinates.

Convention (used everywhere): row i, column j of an H x W image sits at ``x = (j - (W-1)/2) / s``,
``y = ((H-1)/2 - i) / s`` with ``s = max(H, W) / 2``. x points right, y points up, the origin is the true
centre, both axes share one unit, and the longest side spans [-1, 1] from pixel edge to pixel edge.
A point is a pair (x, y) in the last dimension of an array.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Grid"]


@dataclass(frozen=True)
class Grid:
    """Pixel centres of an H x W image in normalised coordinates.

    Parameters
    ----------
    height, width : int
        Number of rows and columns.
    half_height, half_width : float
        Normalised coordinate of the top and right pixel *edge*; the longer one is 1. They are kept apart from
        the pixel counts so that a resampled copy of an image covers exactly the same domain, and one
        coefficient vector is one vector field at every resolution.
    """

    height: int
    width: int
    half_height: float
    half_width: float

    @classmethod
    def of(cls, height: int, width: int) -> Grid:
        """The grid of an image of ``height`` rows and ``width`` columns."""
        longest = max(height, width)
        return cls(height, width, height / longest, width / longest)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def size(self) -> int:
        """Number of pixels."""
        return self.height * self.width

    @property
    def pitch(self) -> tuple[float, float]:
        """Width and height of a pixel in normalised units."""
        return 2 * self.half_width / self.width, 2 * self.half_height / self.height

    @property
    def pixels_per_unit(self) -> float:
        """Pixels along the longest side in one normalised unit of length (the convention's s)."""
        return max(self.height, self.width) / 2

    def resampled(self, longest_side: int) -> Grid:
        """The grid of the same domain with about square pixels and ``longest_side`` of them along it."""
        scale = longest_side / max(self.height, self.width)
        rows, columns = (max(1, round(n * scale)) for n in self.shape)
        return Grid(rows, columns, self.half_height, self.half_width)

    def points(
        self, *, dtype: torch.dtype = torch.float32, device: torch.device | str | None = None
    ) -> Float[Tensor, "n 2"]:
        """Pixel centres (x, y), row by row, in normalised units."""
        column = torch.arange(self.width, dtype=torch.float64)
        row = torch.arange(self.height, dtype=torch.float64)
        dx, dy = self.pitch
        x = (column - (self.width - 1) / 2) * dx
        y = ((self.height - 1) / 2 - row) * dy
        yy, xx = torch.meshgrid(y, x, indexing="ij")
        return torch.stack((xx, yy), dim=-1).reshape(-1, 2).to(device=device, dtype=dtype)

    def to_pixels(self, points: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b 2"]:
        """(x, y) in normalised units to (column, row), real-valued, (0, 0) at the top left pixel's centre."""
        dx, dy = self.pitch
        column = points[..., 0] / dx + (self.width - 1) / 2
        row = (self.height - 1) / 2 - points[..., 1] / dy
        return torch.stack((column, row), dim=-1)

    def from_pixels(self, pixels: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b 2"]:
        """(column, row) to (x, y) in normalised units: the inverse of :meth:`to_pixels`."""
        dx, dy = self.pitch
        x = (pixels[..., 0] - (self.width - 1) / 2) * dx
        y = ((self.height - 1) / 2 - pixels[..., 1]) * dy
        return torch.stack((x, y), dim=-1)
