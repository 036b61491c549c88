"""Pictures on levels of resolution with what is valid of them: a pixel that is missing, or outside, is never a value.

A level holds the pictures blurred and resampled over their valid pixels alone, and the pixels whose neighbours are
valid too, so that interpolation and derivatives look at nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from liescope.engines.pair_set import PairSet, chunk_slices
from liescope.geometry import Grid
from liescope.geometry.smoothing import smoothing_operator

__all__ = ["Level", "View", "levels_of", "plain_view", "view_of"]

_LEAST_COVER = 0.5
"""Of the weights of a level's pixel that must fall on valid pixels for its value to count."""

_BETWEEN = 3  # places a pixel: between them linear interpolation is a ninth as wrong

_ANTIALIAS = 0.5
"""Standard deviation, in pixels of a coarser level, of the blur that goes with resampling."""


class Level(NamedTuple):
    """A grid and the operators that bring full-size pictures onto it: ``rows @ picture @ columns.T``."""

    grid: Grid
    rows: Tensor
    columns: Tensor

    def apply(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """Weighted sums over the pixels of full-size images."""
        return self.rows @ images @ self.columns.T


@dataclass(frozen=True)
class View:
    """Pairs on a level.

    Attributes
    ----------
    grid : Grid
    source, target : tensors, shape (B, C, h, w)
        Every picture with mean 0 and variance 1 over its valid pixels; what is missing is filled in from around.
    source_valid, target_valid : tensors, shape (B, 1, h, w)
        1 where a pixel and its eight neighbours are valid, else 0.
    source_grey, target_grey : tensors, shape (B, 2)
        Mean and standard deviation that the pictures had.
    between : tensor, shape (B, C, 3 h, 3 w), or None
        Sources with values between their pixels; without them these are interpolated linearly.
    """

    grid: Grid
    source: Tensor
    target: Tensor
    source_valid: Tensor
    target_valid: Tensor
    source_grey: Tensor
    target_grey: Tensor
    between: Tensor | None = None

    def __len__(self) -> int:
        return len(self.source)

    def take(self, index: slice | Tensor) -> View:
        """Some of the pairs."""
        between = None if self.between is None else self.between[index]
        return replace(View(self.grid, *(part[index] for part in self._parts())), between=between)

    @property
    def sampled(self) -> tuple[Tensor, Grid]:
        """What sources are interpolated from: their pixels, or what is known between them."""
        if self.between is None:
            return self.source, self.grid
        return self.between, Grid(tuple(_BETWEEN * n for n in self.grid.shape), self.grid.half)

    @property
    def background(self) -> Float[Tensor, "b c 1 1"]:
        """What lies around each source, where that is known: the median of its frame of pixels."""
        x = self.source
        frame = torch.cat((x[..., 0, :], x[..., -1, :], x[..., 1:-1, 0], x[..., 1:-1, -1]), dim=-1)
        return frame.median(dim=-1).values[..., None, None]

    def interpolated(self, kernel: str) -> View:
        """The same pairs, whose sources are interpolated linearly, or by cubic splines through their pixels."""
        if kernel == "linear":
            return replace(self, between=None)
        rows, columns = (torch.as_tensor(_spline(n)).to(self.source) for n in self.grid.shape)
        return replace(self, between=rows @ self.source @ columns.T)

    @classmethod
    def joined(cls, parts: Sequence[View]) -> View:
        """Pairs of several views of one level."""
        if len(parts) == 1:
            return parts[0]
        columns = zip(*(part._parts() for part in parts), strict=True)
        return cls(parts[0].grid, *(torch.cat(column) for column in columns))

    def _parts(self) -> tuple[Tensor, ...]:
        """Of every pair."""
        pixels = (self.source, self.target, self.source_valid, self.target_valid)
        return (*pixels, self.source_grey, self.target_grey)

    def mirrored(self) -> View:
        """The same sources with targets turned over, left for right."""
        target, valid = self.target.flip(-1), self.target_valid.flip(-1)
        return replace(self, target=target, target_valid=valid)

    def replaced(self, index: Tensor, other: View) -> View:
        """These pairs, those at ``index`` replaced by the pairs of another view."""
        parts = zip(self._parts(), other._parts(), strict=True)
        return View(self.grid, *(own.index_copy(0, index, new) for own, new in parts))

    def within(self, blocks: Float[Tensor, "h w"]) -> View:
        """The same pairs, of whose targets only the pixels in ``blocks`` (1) are compared with."""
        return replace(self, target_valid=self.target_valid * blocks)


def levels_of(full: Grid, longest: Sequence[int], device: torch.device, further: float = 0.0) -> list[Level]:
    """Levels with longest sides of at most so many pixels; blurred where they are coarser than the pictures.

    Parameters
    ----------
    further : float
        Standard deviation of a further Gaussian on all levels, in pixels of the last.
    """
    levels = []
    last = min(longest[-1], max(full.shape))
    for side in longest:
        coarser = side < max(full.shape)
        grid = full.resampled(side) if coarser else full
        blur = math.hypot(_ANTIALIAS if coarser else 0.0, further * max(grid.shape) / last)
        rows, columns = (smoothing_operator(f, g, blur).to(device) for f, g in zip(full.shape, grid.shape, strict=True))
        levels.append(Level(grid, rows, columns))
    return levels


def view_of(level: Level, images: tuple[Tensor, Tensor], valid: tuple[Tensor | None, Tensor | None]) -> View:
    """Full-size pairs on a level; ``valid`` (B, 1, H, W) or None where every pixel is."""
    parts = [_on_level(level, x, m) for x, m in zip(images, valid, strict=True)]
    (source, source_valid, source_grey), (target, target_valid, target_grey) = parts
    return View(level.grid, source, target, source_valid, target_valid, source_grey, target_grey)


def plain_view(level: Level, pairs: PairSet, index: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Sources and targets of some pairs, the mean of their channels in grey values, and what is valid: (B, 1, h, w)."""
    rows = []
    for part in chunk_slices(len(index), pairs.grid.size * pairs.shape[0]):
        sides = []
        for images, valid in zip(pairs.take(index[part]), pairs.take_valid(index[part]), strict=True):
            grey = images + images.new_tensor(pairs.scale.background / pairs.scale.amplitude)
            sides.append(_resampled(level, grey.mean(dim=1, keepdim=True), valid))
        (source, source_valid), (target, target_valid) = sides
        rows.append((source, target, _eroded(source_valid), _eroded(target_valid)))
    source, target, source_valid, target_valid = (torch.cat(column) for column in zip(*rows, strict=True))
    return source, target, source_valid, target_valid


def _on_level(level: Level, images: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    values, inside = _resampled(level, images, valid)
    weight = inside.expand_as(values)
    count = weight.sum(dim=(1, 2, 3), keepdim=True).clamp_min(1)
    mean = (values * weight).sum(dim=(1, 2, 3), keepdim=True) / count
    values = (values - mean) * weight
    # A hot pixel or two must not set the scale of a picture.
    spread = (values.square().sum(dim=(1, 2, 3), keepdim=True) / count).sqrt().clamp_min(1e-12)
    clipped = values.clamp(-4 * spread, 4 * spread)
    spread = (clipped.square().sum(dim=(1, 2, 3), keepdim=True) / count).sqrt().clamp_min(1e-12)
    grey = torch.cat((mean, spread), dim=1).reshape(len(values), 2)
    return values / spread, _eroded(inside), grey


@lru_cache(maxsize=64)
def _spline(count: int) -> Float[np.ndarray, "m n"]:
    """Takes values at the pixels of a row to those of cubic splines through them at three places a pixel."""
    from scipy.interpolate import make_interp_spline

    finer = (np.arange(_BETWEEN * count) + 0.5) / _BETWEEN - 0.5
    spline = make_interp_spline(np.arange(count), np.eye(count), k=min(3, count - 1))
    values: np.ndarray = spline(finer)
    return values


def _resampled(level: Level, images: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
    """Means over the valid pixels, and where enough of them are valid, (B, 1, h, w)."""
    whole = level.rows.sum(dim=1)[:, None] * level.columns.sum(dim=1)
    if valid is None:
        values = level.apply(images) / whole
        return values, torch.ones_like(values[:, :1])
    cover = level.apply(valid)
    values = level.apply(torch.where(valid > 0, images, 0)) / cover.clamp_min(1e-6)
    inside = (cover > _LEAST_COVER * whole).to(images)
    return torch.where(inside > 0, values, 0), inside


def _eroded(valid: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
    """Pixels whose neighbours are valid: a derivative is known there. The frame has no neighbours outside."""
    return 1 - nnf.max_pool2d(nnf.pad(1 - valid, (1, 1, 1, 1), value=1.0), 3, stride=1)
