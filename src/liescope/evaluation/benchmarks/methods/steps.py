"""Optimisation steps of the latent engine, of its bare networks and of the published formulation, on the same pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from liescope.data import load_corpus, pairs_from, resize_images
from liescope.engines.latent import LatentConfig, LatentModel, PixelAction, get_config, loss_terms
from liescope.evaluation.benchmarks.methods.dense import DenseFormulation
from liescope.geometry import Grid, affine

__all__ = [
    "ANGLE",
    "Loss",
    "Step",
    "bare_loss",
    "dense_loss",
    "engine_loss",
    "new_model",
    "rotated_digits",
    "step_of",
    "step_settings",
]

ANGLE = 60.0
"""Half-width of the rotations, in degrees."""

Loss = Callable[[], Tensor]
Step = Callable[[], None]


def step_settings(latent: int, taylor_order: int | None) -> LatentConfig:
    """The published networks with a latent patch of that side; alpha matching exact, or by a Taylor polynomial."""
    settings = get_config("paper").model_dump(exclude_none=True)
    settings["model"]["latent_size"] = latent**2
    del settings["loss"]["taylor_order"]
    form = {"alpha_form": "exact"} if taylor_order is None else {"alpha_form": "taylor", "taylor_order": taylor_order}
    settings["loss"] |= form
    return get_config(settings)


def rotated_digits(side: int, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Real digits of that side and the same turned by up to :data:`ANGLE` degrees, (count, 1, side, side) each."""
    digits = np.asarray(load_corpus("mnist-5k").images)
    chosen = digits[:: max(1, len(digits) // count)][:count] / np.float32(255)
    images = chosen if side == chosen.shape[-1] else resize_images(chosen, (side, side))
    pairs = pairs_from(images, transform="rotation", range=ANGLE, seed=seed, pairs=count)
    source, target = (torch.from_numpy(np.asarray(stack))[:, None] for stack in (pairs.source, pairs.target))
    return source, target


def engine_loss(model: LatentModel, config: LatentConfig, source: Tensor, target: Tensor) -> Loss:
    """The whole loss of the engine."""
    grid, order = Grid.of(*model.shape[1:]), config.loss.taylor_order
    pixels = PixelAction(model.basis, grid, order, config.model.kernel, False, torch.device("cpu"))

    def loss() -> Tensor:
        terms = loss_terms(model, model(source, target), source, target, pixels, config.loss)
        return torch.stack(list(terms.values())).sum()

    return loss


def bare_loss(model: LatentModel, source: Tensor, target: Tensor) -> Loss:
    """The same three networks with the same passes and plain squared errors, without a generator."""

    def loss() -> Tensor:
        t = model.magnitudes(source, target)
        z = model.encoder(torch.cat((source, target)))
        decoded = model.decoder(torch.cat((z, z[: len(source)])))
        return mse_loss(decoded, torch.cat((source, target, target))) + t.square().mean()

    return loss


def dense_loss(model: LatentModel, config: LatentConfig, source: Tensor, target: Tensor) -> Loss:
    """The loss of the published formulation, with all of its matrices."""
    dense = DenseFormulation(model, config.loss)
    return lambda: dense.loss(source, target)


def step_of(model: LatentModel, loss: Loss) -> Step:
    """Forward and backward pass, and Adam."""
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def new_model(config: LatentConfig, side: int, seed: int) -> LatentModel:
    """An untrained model for images of that side, affine fields."""
    return LatentModel(config.model, affine(), (1, side, side), seed=seed)
