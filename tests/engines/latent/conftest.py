"""Small settings and a few real digits: a training on them takes a fraction of a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from liescope.data import make_pairs
from liescope.engines.latent import LatentConfig, LatentModel, TrainedLatent, get_config

SMALL: dict[str, dict[str, Any]] = {
    "model": {"latent_size": 25, "hidden": [16], "magnitude_hidden": [16]},
    "loss": {},
    "training": {
        "epochs": 4,
        "batch_size": 20,
        "warm_start": False,
        "restarts": 1,
        "search_steps": 0,
        "distil_epochs": 2,
        "checkpoint_every": 1,
    },
}

MakeConfig = Callable[..., LatentConfig]


def small_config(**changes: Any) -> LatentConfig:
    """Small networks and four epochs; ``training_epochs=2`` changes the key ``training.epochs``."""
    content = {section: dict(keys) for section, keys in SMALL.items()}
    for name, value in changes.items():
        section, _, key = name.partition("_")
        content[section][key] = value
    return get_config(content)


@pytest.fixture(scope="session")
def small() -> MakeConfig:
    """:func:`small_config`."""
    return small_config


@pytest.fixture(scope="session")
def digit_pairs() -> tuple[Tensor, Tensor, Tensor]:
    """80 digits, the same rotated by up to 45 degrees, and their t: (80, 1, 28, 28) twice, (80, 1)."""
    pairs = make_pairs(transform="rotation", range=45, pairs=80)
    assert pairs.magnitude is not None
    source, target = (torch.from_numpy(np.asarray(stack))[:, None] for stack in (pairs.source, pairs.target))
    return source, target, torch.as_tensor(pairs.magnitude, dtype=torch.float32)


@pytest.fixture
def untrained(small: MakeConfig) -> Callable[..., TrainedLatent]:
    """A latent model with its first weights, as people use it after the training."""
    from liescope.geometry import affine

    def make(
        generators: int = 1,
        shape: tuple[int, int, int] = (1, 12, 10),
        background: float = 0.0,
        amplitude: float = 1.0,
        **changes: Any,
    ) -> TrainedLatent:
        config = small(**changes)
        model = LatentModel(config.model, affine(), shape, generators, seed=3)
        history = [{"epoch": 1, "loss": 0.5, "a0_0": -0.1}, {"epoch": 2, "loss": 0.25, "a0_0": -0.2}]
        return TrainedLatent(model, config, np.full((shape[0], 1, 1), background), amplitude, history)

    return make
