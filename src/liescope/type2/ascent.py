"""Evidence as a function of a scheme's coefficients, and the way uphill: warps are differentiable in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from liescope.geometry import Basis, Grid, flow
from liescope.type2.evidence import Evidence, PooledProcess, differentiable_nats, evidence_of

__all__ = ["Climb", "Slope", "of_side"]

_SEGMENT, _SIDE = 13, 6  # copies along one generator; along each of two
_EVERY = 5  # steps with the same width of the kernel and the same noise
_FADE = 0.05  # rate of the last step, of the first one's


class Climb(NamedTuple):
    """Where an ascent began and where it is.

    Attributes
    ----------
    name : str
        Of the start.
    start : tensor, shape (K, m)
        Generators times their reach.
    place : tensor, shape (K, m)
    nats : float
        Log evidence there.
    """

    name: str
    start: Tensor
    place: Tensor
    nats: float


class Slope:
    """The log evidence of copies at exp(sum_k s_k v_k) x with s between -1 and 1: |v_k| is the reach.

    Parameters
    ----------
    images : tensor, shape (n, C, H, W)
    targets : array, shape (n, o)
    basis : Basis
    seed : int
        Of the random layer, and of where between the places copies are taken.
    """

    def __init__(
        self, images: Float[Tensor, "n c h w"], targets: Float[np.ndarray, "n o"], basis: Basis, seed: int = 0
    ) -> None:
        self.process = PooledProcess(images, targets, seed)
        self.basis = basis
        self._targets = torch.from_numpy(self.process.targets)
        self._points = Grid.of(*images.shape[2:]).points()
        self._seed = seed

    def at(self, place: Float[Tensor, "k m"], copies: int | None = None) -> float:
        """Log evidence at a place, at the best width and noise; of no sharing where it is empty."""
        with torch.no_grad():
            return self._evidence(self._features(place, _lattice(len(place), copies))).nats

    def climbed(self, climb: Climb, steps: int, rate: float) -> Climb:
        """The climb, so many steps of Adam further up; as it was where that is higher."""
        place = climb.place.clone().requires_grad_(True)
        optimiser = torch.optim.Adam([place], lr=rate, betas=(0.8, 0.95))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=_FADE * rate)
        generator = torch.Generator().manual_seed(self._seed)
        lattice = _lattice(len(place))
        width = 2 / ((_SEGMENT if len(place) == 1 else _SIDE) - 1)
        for step in range(steps):
            # A little off the places, by another amount each time: what pays between them pays at them.
            offset = width * (torch.rand(len(place), generator=generator) - 0.5)
            features = self._features(place, lattice + offset)
            if step % _EVERY == 0:
                best = self._evidence(features.detach())
            nats = differentiable_nats(features.double(), self._targets, best.width, best.noise)
            optimiser.zero_grad()
            (-nats).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        found = place.detach()
        before, after = self.at(climb.place), self.at(found)
        return Climb(climb.name, climb.start, *((found, after) if after >= before else (climb.place, before)))

    def _features(self, place: Tensor, lattice: Tensor) -> Tensor:
        return self.process.pooled(flow(self.basis, -(lattice @ place), self._points))

    def _evidence(self, features: Tensor) -> Evidence:
        return evidence_of(features.double().numpy(), self.process.targets)


def _lattice(size: int, copies: int | None = None) -> Float[Tensor, "j k"]:
    """Places from -1 to 1 along every generator."""
    if size == 0:
        return torch.zeros(1, 0)
    axis = torch.linspace(-1, 1, copies or (_SEGMENT if size == 1 else _SIDE))
    return torch.cartesian_prod(*[axis] * size).reshape(-1, size)


def of_side(images: Float[Tensor, "n c h w"], side: int) -> Float[Tensor, "n c i j"]:
    """Images made smaller by areas, so that the longest side has so many pixels; small ones as they are."""
    height, width = images.shape[2:]
    share = side / max(height, width)
    if share >= 1:
        return images
    return nnf.interpolate(images, size=(max(1, round(share * height)), max(1, round(share * width))), mode="area")
