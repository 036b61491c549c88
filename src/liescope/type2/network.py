"""Networks that share weights along a scheme (eq. 6), and their training."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor, nn

from liescope.errors import InputError
from liescope.type2.labelled import LEAST_SIDE
from liescope.type2.layers import OrbitConv, OrbitLift, OrbitPool
from liescope.type2.scheme import Scheme

__all__ = ["OrbitNetwork", "train"]

_DENSE, _CONV = 128, 5
_CHANNELS = (16, 32)


class OrbitNetwork(nn.Module):
    """Images to outputs, invariant along a scheme: copies, one trunk for all of them, a series over t, pooling, a head.

    Parameters
    ----------
    scheme : Scheme
    shape : (int, int)
        Height and width of the images, at least 8 each where they are moved.
    outputs : int
        Classes, or values of a regression.
    channels : int
        Of the images.
    trunk : {"dense", "cnn"} or nn.Module
        What every copy goes through: images (n, C, H, W) to features (n, F).
    features : int
        Of the trunk, where that is not a module.
    taps : int, optional
        Of the series over t, along every axis of the lattice of several generators; 0: none. Default 5 along one
        orbit and none on a lattice, where a series (of 3, say) takes twice the time.
    jitter : bool
        See :class:`OrbitLift`.

    Notes
    -----
    The number of copies is part of what is learnt: it is that of the scheme, in training and after it.
    """

    def __init__(
        self,
        scheme: Scheme,
        shape: tuple[int, int],
        outputs: int,
        *,
        channels: int = 1,
        trunk: str | nn.Module = "dense",
        features: int = _DENSE,
        taps: int | None = None,
        jitter: bool = True,
    ) -> None:
        super().__init__()
        if scheme.generators and min(shape) < LEAST_SIDE:
            raise InputError(f"expected images of at least {LEAST_SIDE} pixels a side, got {shape}")
        self.scheme = scheme
        self.lift = OrbitLift(scheme, shape, jitter)
        self.trunk = trunk if isinstance(trunk, nn.Module) else _trunk(trunk, shape, channels, features)
        with torch.no_grad():
            width = self.trunk.eval()(torch.zeros(1, channels, *shape)).shape[-1]
        self.trunk.train()
        self.series = nn.Sequential(*_series(scheme, width, taps))
        self.pool = OrbitPool()
        self.head = nn.Linear(width, outputs)

    def features(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n j f"]:
        """Features of every copy, before pooling: they move along the copies as images move along the flow."""
        copies = self.lift(images)
        flat = self.trunk(copies.flatten(0, 1))
        series: Tensor = self.series(flat.reshape(len(images), copies.shape[1], -1))
        return series

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n o"]:
        outputs: Tensor = self.head(self.pool(self.features(images)))
        return outputs


def _series(scheme: Scheme, width: int, taps: int | None) -> list[nn.Module]:
    if taps is None:
        taps = _CONV if len(scheme.generators) == 1 else 0
    if not (scheme.generators and taps):
        return []
    return [OrbitConv(width, width, taps, scheme.periodic, scheme.copies), nn.ReLU()]


def _trunk(name: str, shape: tuple[int, int], channels: int, features: int) -> nn.Module:
    if name == "dense":
        return nn.Sequential(nn.Flatten(), nn.Linear(channels * math.prod(shape), features), nn.ReLU())
    if name == "cnn":
        first, second = _CHANNELS
        flat = second * (shape[0] // 4) * (shape[1] // 4)
        return nn.Sequential(
            *(nn.Conv2d(channels, first, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(first, second, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(flat, features), nn.ReLU()),
        )
    raise InputError(f"expected 'dense', 'cnn' or a module as trunk, got {name!r}")


def train(
    network: nn.Module,
    images: Float[Tensor, "n c h w"],
    targets: Tensor,
    *,
    steps: int = 400,
    batch: int = 64,
    rate: float = 1e-3,
    decay: float = 1e-2,
    seed: int = 0,
    augment: Callable[[Tensor], Tensor] | None = None,
    progress: Callable[[float], None] | None = None,
) -> float:
    """Train by AdamW with a one-cycle rate: cross entropy of integer targets, squared error of others.

    Parameters
    ----------
    steps : int
        Batches; at least one pass over all images.
    augment : callable, optional
        Of every batch of images.
    progress : callable, optional
        Told the share of the steps that are done.

    Returns
    -------
    float
        Mean loss of the last tenth of the steps.
    """
    loss_of = nnf.mse_loss if targets.is_floating_point() else nnf.cross_entropy
    batch = min(batch, len(images))
    steps = max(steps, math.ceil(len(images) / batch))
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4 * rate, total_steps=steps)
    losses = []
    network.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        order = torch.randperm(len(images))
        for step in range(steps):
            begin = step * batch % len(images)
            if begin + batch > len(images):
                order = torch.randperm(len(images))
                begin = 0
            part = order[begin : begin + batch].to(images.device)
            some = images[part] if augment is None else augment(images[part])
            loss = loss_of(network(some), targets[part])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
            if progress is not None:
                progress((step + 1) / steps)
    network.eval()
    last = losses[-max(1, steps // 10) :]
    return sum(last) / len(last)
