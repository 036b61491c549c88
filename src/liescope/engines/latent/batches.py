"""Batches cut out of tensors by one indexing operation: no Python per pair."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

__all__ = ["Batch", "PairTensors", "in_parts", "make_loader"]

_PART = 1024

Batch = tuple[Tensor, Tensor, Tensor]
"""Sources and targets (B, C, H, W), known magnitudes (B, K)."""


class PairTensors(Dataset[Batch]):
    """Pairs as whole tensors; an index is a tensor of many.

    Parameters
    ----------
    source, target : tensors, shape (N, C, H, W)
    known : tensor, shape (N, K)
        Magnitudes of a warm start, NaN where there is none.
    """

    def __init__(self, source: Tensor, target: Tensor, known: Tensor) -> None:
        self.source, self.target, self.known = source, target, known

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: Tensor) -> Batch:
        return self.source[index], self.target[index], self.known[index]


class _EpochBatches(Sampler[Tensor]):
    """A fresh order of all indices every epoch, the same one for the same seed and epoch, in even batches."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count = count
        self.batches = math.ceil(count / batch_size)
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before an epoch, also the first one after a resume."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[Tensor]:
        # A generator function: Lightning asks for the iterator before it tells the epoch.
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        yield from torch.randperm(self.count, generator=random).tensor_split(self.batches)


def make_loader(pairs: PairTensors, batch_size: int, seed: int) -> DataLoader[Batch]:
    """A loader whose items are whole batches."""
    # The loader's own conversion would make lists of the tuples.
    return DataLoader(pairs, sampler=_EpochBatches(len(pairs), batch_size, seed), batch_size=None, collate_fn=_as_is)


def in_parts(pairs: PairTensors, device: torch.device) -> Iterator[Batch]:
    """All pairs in their order, as many at a time as are measured at once."""
    for part in torch.split(torch.arange(len(pairs)), _PART):
        source, target, known = pairs[part]
        yield source.to(device), target.to(device), known.to(device)


def _as_is(batch: Any) -> Any:
    return batch
