"""Batches: every pair once an epoch, the same order for the same seed and epoch, no Python per pair."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from liescope.engines.latent.batches import PairTensors, make_loader


def numbered(count: int) -> PairTensors:
    """Pairs whose pixels are their place in the data."""
    place = torch.arange(count, dtype=torch.float32)
    return PairTensors(place.reshape(-1, 1, 1, 1), place.reshape(-1, 1, 1, 1) + 0.5, place[:, None] / 10)


def epoch(pairs: PairTensors, batch_size: int, seed: int = 0, number: int = 0) -> list[Tensor]:
    """The places in the order in which they come, batch by batch."""
    loader = make_loader(pairs, batch_size, seed)
    sampler: Any = loader.sampler
    sampler.set_epoch(number)
    found = []
    for source, target, known in loader:
        assert torch.equal(target, source + 0.5)
        torch.testing.assert_close(known[:, 0], source.flatten() / 10)
        found.append(source.flatten())
    assert len(found) == len(loader)
    return found


@pytest.mark.parametrize(("count", "batch_size"), [(10, 3), (10, 10), (7, 1), (7, 64), (100, 33), (2, 1)])
def test_every_pair_comes_once_an_epoch_in_even_batches(count: int, batch_size: int) -> None:
    batches = epoch(numbered(count), batch_size)
    assert sorted(torch.cat(batches).tolist()) == list(range(count))
    sizes = [len(batch) for batch in batches]
    assert len(sizes) == math.ceil(count / batch_size)
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1


def test_the_order_follows_from_seed_and_epoch_alone() -> None:
    pairs = numbered(50)
    first = torch.cat(epoch(pairs, 8, seed=1, number=3))
    torch.manual_seed(123)
    assert torch.equal(torch.cat(epoch(pairs, 8, seed=1, number=3)), first)
    for seed, number in ((1, 4), (2, 3)):
        assert not torch.equal(torch.cat(epoch(pairs, 8, seed, number)), first)


def test_batches_are_cut_out_whole() -> None:
    asked = []

    class Watched(PairTensors):
        def __getitem__(self, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            asked.append(len(index))
            return super().__getitem__(index)

    pairs = numbered(40)
    epoch(Watched(pairs.source, pairs.target, pairs.known), 16)
    assert asked == [14, 13, 13]
