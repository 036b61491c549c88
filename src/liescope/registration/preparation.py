"""From people's arrays to tensors the engine computes on: any dtype, any size, a known background and grey scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.data import ImageStack
from liescope.geometry.grid import Grid

__all__ = ["GreyScale", "PairSet", "chunk_slices", "relative"]

CHUNK_PIXELS = 400_000
"""Pixels (of the working level) handled at a time: small enough for the processor's cache, and for any memory."""


@dataclass(frozen=True)
class GreyScale:
    """The common grey scale of a data set: background 0, a typical target of root mean square 1.

    Attributes
    ----------
    background : tensor, shape (C, 1, 1)
        Median of the images' border pixels: what lies outside an image is taken to look like this.
    amplitude : float
        Median over the images of their root mean square about the background; blank images do not count.
    """

    background: Tensor
    amplitude: float

    @classmethod
    def of(cls, target: ImageStack, probe: np.ndarray) -> GreyScale:
        """Estimate it on the targets ``probe`` (sorted indices)."""
        raw = _tensor(_rows(target, probe))
        borders = (raw[..., 0, :], raw[..., -1, :], raw[..., :, 0], raw[..., :, -1])
        edge = torch.cat([b.transpose(0, 1).flatten(1) for b in borders], dim=1)
        background = edge.median(dim=1).values[:, None, None]
        contrast = (raw - background).square().mean(dim=(1, 2, 3)).sqrt()
        contrast = contrast[contrast > 0]
        return cls(background, float(contrast.median()) if len(contrast) else 1.0)


@dataclass(frozen=True)
class PairSet:
    """Access to pairs in a common grey scale.

    Attributes
    ----------
    source, target : ImageStack, shape (N, C, H, W)
        Arrays or lazy stacks, validated (:func:`liescope.data.validate_images`); only slices of them are ever
        converted.
    scale : GreyScale
    device : torch.device
    """

    source: ImageStack
    target: ImageStack
    scale: GreyScale
    device: torch.device

    def __len__(self) -> int:
        return int(self.source.shape[0])

    @property
    def grid(self) -> Grid:
        """Grid of the full-size images."""
        return Grid.of(*self.source.shape[-2:])

    def take(self, index: slice | np.ndarray) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
        """Sources and targets of some pairs, in the common grey scale."""
        background = self.scale.background.to(self.device)
        source, target = (_tensor(_rows(stack, index)).to(self.device) for stack in (self.source, self.target))
        return (source - background) / self.scale.amplitude, (target - background) / self.scale.amplitude


def chunk_slices(count: int, pixels_per_image: int) -> Iterator[slice]:
    """Slices of about :data:`CHUNK_PIXELS` pixels that cover ``count`` images."""
    step = max(1, CHUNK_PIXELS // max(1, pixels_per_image))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def _rows(stack: ImageStack, index: slice | np.ndarray) -> np.ndarray:
    """Rows of a stack; a lazy one may only know slices, so scattered rows are read one by one from it."""
    if isinstance(index, slice) or isinstance(stack, np.ndarray):
        return np.asarray(stack[index])
    return np.concatenate([np.asarray(stack[int(i) : int(i) + 1]) for i in index])


def _tensor(images: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32))


def relative(error: Tensor, target: Tensor) -> Tensor:
    """Squared errors (B,) as a share of each target's energy; a target without any counts as 1, like a miss."""
    energy = target.square().sum(dim=(1, 2, 3))
    floor = 1e-6 * target[0].numel()
    return torch.where(energy > floor, error / energy.clamp_min(floor), torch.ones_like(error))
