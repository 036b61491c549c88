"""What is left of pairs block by block: pixels are alike with their neighbours, blocks hardly are."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from liescope.engines.registration.pictures.weighted import Compared

__all__ = ["block_numbers", "by_blocks"]

_SIDE = 8
"""Pixels a side, on the middle level."""


def block_numbers(shape: tuple[int, ...]) -> Int[Tensor, " n"]:
    """Of every pixel (row by row) the number of its block."""
    rows, columns = (torch.arange(count) // _SIDE for count in shape)
    return (rows[:, None] * (int(columns.max()) + 1) + columns).flatten()


def by_blocks(found: Compared) -> Float[Tensor, "b k"]:
    """Mean squares of what is left of every pair in each of K blocks; NaN where too few pixels count."""
    numbers = block_numbers(tuple(found.weight.shape[-2:])).to(found.weight.device)
    lost = (found.weight * found.residual.square()).sum(dim=1).flatten(1)
    count = found.weight.sum(dim=1).flatten(1)
    blocks = int(numbers.max()) + 1
    sums = [x.new_zeros(len(x), blocks).index_add_(1, numbers, x) for x in (lost, count)]
    return torch.where(sums[1] > _SIDE**2 / 4, sums[0] / sums[1].clamp_min(1), torch.nan)
