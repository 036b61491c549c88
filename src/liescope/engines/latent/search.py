"""Generators from a random start: alpha matching alone, coarse to fine, before any latent is learned.

With all losses at once encoder and decoder soon explain the pairs by themselves, with whatever generator they were
given; it is then a matter of alpha matching's weight whether that is ever turned to the true one. By itself alpha
matching has no weight, and nothing else explains the pairs: a network that answers with t and the coefficients are
all that is trained, which takes seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import mse_loss

from liescope.engines.devices import seed_random_state
from liescope.engines.latent.alpha import PixelAction
from liescope.engines.latent.batches import Batch, PairTensors, in_parts, make_loader
from liescope.engines.latent.config import LatentConfig
from liescope.engines.latent.model import LatentModel
from liescope.engines.latent.trainer import one_cycle, run_trainer
from liescope.errors import ComputationError
from liescope.geometry import Grid
from liescope.geometry.smoothing import smoothing_operator

__all__ = ["search"]

_BATCH = 64
# Small batches: with four times as many pairs in each, and steps in proportion fewer, most starts have not arrived.
_COEFFICIENT_RATE = 0.1
_BLUR = 1 / 14
# Standard deviation of the first steps' Gaussian as a share of the longest side: 2 pixels of 28. Without it rotations
# by up to 90 degrees are not found: strokes that do not overlap pull nowhere.
_LEAST_BLUR = 0.3  # pixels; less changes nothing
_REPORT_EVERY = 20  # steps


class _Search(pl.LightningModule):
    """Sources moved in pixels by the coefficients and the t-network's answers, against targets."""

    def __init__(
        self, model: LatentModel, config: LatentConfig, seed: int, report: Callable[[float], None] | None
    ) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.seed = seed
        self.report = report

    def on_fit_start(self) -> None:
        seed_random_state(self.seed, self.device)  # for dropout
        model, settings = self.model, self.config.model
        grid = Grid.of(*model.shape[1:])
        self.pixels = PixelAction(model.basis, grid, None, settings.kernel, settings.closure, self.device)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        source, target, _ = batch
        done = self.global_step / self.config.training.search_steps
        moved = self.pixels(source, self.model.magnitudes(source, target), self.model.coefficients)
        # The difference is blurred, after the motion: a blur does not commute with most of them.
        loss = blurred(moved - target, (1 - done) * _BLUR * max(source.shape[-2:])).square().mean()
        if not torch.isfinite(loss):
            raise ComputationError(f"the loss is not finite at step {self.global_step} of a search")
        if self.report and self.global_step % _REPORT_EVERY == 0:
            self.report(done)
        return loss

    def configure_optimizers(self) -> Any:
        training = self.config.training
        groups: list[dict[str, Any]] = [
            {"params": self.model.magnitude.parameters(), "lr": training.learning_rate},
            {"params": [self.model.raw_coefficients], "lr": _COEFFICIENT_RATE},
        ]
        return one_cycle(torch.optim.Adam(groups), training.search_steps)


def blurred(images: Float[Tensor, "b c h w"], deviation: float) -> Float[Tensor, "b c h w"]:
    """Images, zero outside, under a Gaussian of that many pixels."""
    if deviation < _LEAST_BLUR:
        return images
    rows, columns = (smoothing_operator(size, size, deviation).to(images) for size in images.shape[-2:])
    return rows @ images @ columns.T


def search(
    model: LatentModel,
    config: LatentConfig,
    pairs: PairTensors,
    held_out: PairTensors,
    *,
    seed: int,
    device: str | None = None,
    report: Callable[[float], None] | None = None,
) -> float:
    """Train t-network and coefficients in place, by exact transport in pixels alone.

    Parameters
    ----------
    model : LatentModel
    config : LatentConfig
        ``training.search_steps`` are taken.
    pairs, held_out : PairTensors
        Known magnitudes are not looked at.
    seed : int
        Of batches and dropout.
    report : callable, optional
        Called with the share that is done.

    Returns
    -------
    float
        Mean squared error of the held-out sources, moved in pixels.

    Raises
    ------
    ComputationError
        A loss or an error that is not finite.
    """
    module = _Search(model, config, seed, report)
    run_trainer(
        module,
        make_loader(pairs, min(_BATCH, config.training.batch_size), seed),
        device=device,
        max_epochs=-1,
        max_steps=config.training.search_steps,
        gradient_clip_val=config.training.gradient_clip or None,
        logger=False,
        enable_checkpointing=False,
    )
    error = _held_out_error(model, module.pixels, held_out, torch.device(device or "cpu"))
    if not math.isfinite(error):
        raise ComputationError("the held-out error of a search is not finite")
    return error


@torch.no_grad()
def _held_out_error(model: LatentModel, pixels: PixelAction, pairs: PairTensors, device: torch.device) -> float:
    model.eval().to(device)
    total = 0.0
    for source, target, _ in in_parts(pairs, device):
        moved = pixels(source, model.magnitudes(source, target), model.coefficients)
        total += float(mse_loss(moved, target)) * len(source)
    model.train()
    return total / len(pairs)
