"""Detections in children that were forked after one: they must not wait for threads that did not come along."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from liescope import detect
from liescope.data import make_pairs

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
PATIENCE = 120  # seconds; a child that waits for lost threads waits for ever


def found(_: Any = None) -> np.ndarray:
    pairs = make_pairs(transform="rotation", range=40, pairs=60, seed=1)
    return detect(pairs.source, pairs.target).generators[0].generator.coefficients


class Detections(Dataset[np.ndarray]):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> np.ndarray:
        return found()


def by_multiprocessing() -> np.ndarray:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.map_async(found, [None]).get(PATIENCE)[0]


def by_a_loader() -> np.ndarray:
    loader = DataLoader(Detections(), batch_size=None, num_workers=1, timeout=PATIENCE, multiprocessing_context="fork")
    return np.asarray(next(iter(loader)))


@pytest.mark.parametrize("forked", [by_multiprocessing, by_a_loader])
def test_a_forked_child_detects_as_its_parent_does(forked: Callable[[], np.ndarray]) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        # Both the package's and torch's own threads exist before the child does.
        own = found()
        torch.einsum("ij,jk->ik", torch.rand(2000, 2000), torch.rand(2000, 2000))
        np.testing.assert_allclose(forked(), own, atol=1e-6)
    finally:
        torch.set_num_threads(threads)
