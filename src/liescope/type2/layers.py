"""Layers that share weights along a scheme: lift to copies, convolve over t (eq. 5), pool; and eq. 5 in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor, nn

from liescope.algebra import Generator
from liescope.errors import InputError
from liescope.geometry import Grid, flow, sample
from liescope.type2.copies import orbit_origins, warped
from liescope.type2.scheme import Scheme

__all__ = ["OrbitConv", "OrbitLift", "OrbitPool", "PowerSeries"]


class OrbitLift(nn.Module):
    """Images to their copies along a scheme.

    Whatever follows is applied to every copy alike: its weights w become the stack of all w S^j, with S the step
    from copy to copy. In the lifted coordinate the generator is d/dt, and S is one place along the copies.

    Parameters
    ----------
    scheme : Scheme
    shape : (int, int)
        Height and width of the images.
    jitter : bool
        Whether copies are taken between the places of the scheme while training: a random part of a step further,
        the same for a batch.
    """

    origins: Tensor

    def __init__(self, scheme: Scheme, shape: tuple[int, int], jitter: bool = True) -> None:
        super().__init__()
        self.scheme = scheme
        self.shape = shape
        self.jitter = jitter
        self.register_buffer("origins", orbit_origins(scheme, shape), persistent=False)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n j c h w"]:
        if tuple(images.shape[2:]) != self.shape:
            raise InputError(f"expected images of {self.shape}, got {tuple(images.shape[2:])}")
        if not self.scheme.generators:
            return images[:, None]
        origins = self.origins
        if self.training and self.jitter:
            offset = torch.rand(len(self.scheme.generators), device=images.device) - 0.5
            origins = orbit_origins(self.scheme, self.shape, offset, images.device)
        return warped(images, origins)


class OrbitConv(nn.Module):
    """A convolution over t of features along an orbit: eq. 5, a finite power series of the step S.

    Where the orbit is closed it goes around, and commutes with moving an image by whole steps exactly. On the lattice
    of several generators it is one series after the other, an axis each: a product of their power series.

    Parameters
    ----------
    inputs, outputs : int
        Features of a copy.
    taps : int
        Terms of the series, odd.
    periodic : bool, or sequence of bool
        Whether the orbit is closed; of every axis of a lattice.
    copies : sequence of int, optional
        Copies along every axis of a lattice of several generators, as :attr:`Scheme.copies`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        taps: int = 5,
        periodic: bool | Sequence[bool] = False,
        copies: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if taps < 1 or taps % 2 == 0:
            raise InputError(f"expected an odd number of taps, got {taps}")
        self.reach = taps // 2
        self.copies = None if copies is None else tuple(copies)
        axes = 1 if self.copies is None else len(self.copies)
        self.periodic = (periodic,) * axes if isinstance(periodic, bool) else tuple(periodic)
        if len(self.periodic) != axes:
            raise InputError(f"expected a word on each of {axes} axes whether it is closed, got {len(self.periodic)}")
        self.conv = nn.Conv1d(inputs, outputs, taps)
        self.further = nn.ModuleList(nn.Conv1d(outputs, outputs, taps) for _ in range(axes - 1))

    def forward(self, features: Float[Tensor, "n j f"]) -> Float[Tensor, "n j g"]:
        count, size, _ = features.shape
        copies = (size,) if self.copies is None else self.copies
        if math.prod(copies) != size:
            raise InputError(f"expected {math.prod(copies)} copies on the lattice, got {size}")
        lattice = features.reshape(count, *copies, -1)
        for axis, (conv, closed) in enumerate(zip((self.conv, *self.further), self.periodic, strict=True), start=1):
            lattice = self._along(lattice.movedim(axis, -1), conv, closed).movedim(-1, axis)
        return lattice.reshape(count, size, -1)

    def _along(self, lattice: Float[Tensor, "*b f j"], conv: nn.Module, closed: bool) -> Float[Tensor, "*b g j"]:
        """The series along the last axis; features are the one before it."""
        if closed and lattice.shape[-1] < self.reach:
            raise InputError(f"expected at least {self.reach} copies along the orbit, got {lattice.shape[-1]}")
        rows = lattice.reshape(-1, *lattice.shape[-2:])
        padded = nnf.pad(rows, (self.reach, self.reach), mode="circular" if closed else "constant")
        series: Tensor = conv(padded)
        return series.reshape(*lattice.shape[:-2], *series.shape[-2:])


class OrbitPool(nn.Module):
    """The largest of every feature over the copies: what is left does not tell where on the orbit an image was."""

    def forward(self, features: Float[Tensor, "n j f"]) -> Float[Tensor, "n f"]:
        return features.amax(dim=1)


class PowerSeries(nn.Module):
    """The connectivity matrix of eq. 5 in pixels: ``W = sum_k w_k S^k`` with S = exp(tau X), for every output channel.

    Powers of the matrix S would blur, as each is an interpolation; S^k = exp(k tau X) is one warp instead, for k from
    -``terms`` to ``terms``.

    Parameters
    ----------
    generator : Generator
        On the grid of the images.
    tau : float
        Magnitude of one step.
    terms : int
        Powers on either side of 0.
    inputs, outputs : int
        Channels.
    """

    origins: Tensor

    def __init__(self, generator: Generator, tau: float, terms: int = 6, inputs: int = 1, outputs: int = 1) -> None:
        super().__init__()
        if terms < 0 or not tau > 0:
            raise InputError(f"expected a step above 0 and terms of at least 0, got {tau:g} and {terms}")
        self.shape = generator.shape
        powers = torch.arange(-terms, terms + 1, dtype=torch.float32) * tau
        coefficients = torch.as_tensor(generator.coefficients, dtype=torch.float32)
        points = Grid.of(*self.shape).points()
        origins = flow(generator.basis, -powers[:, None] * coefficients, points)
        self.register_buffer("origins", origins, persistent=False)
        scale = (inputs * len(powers)) ** -0.5
        self.weights = nn.Parameter(scale * torch.randn(outputs, inputs, len(powers)))

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n o h w"]:
        grid = Grid.of(*self.shape)
        total = images.new_zeros(len(images), len(self.weights), *self.shape)
        for place, weights in zip(self.origins, self.weights.unbind(2), strict=True):
            moved = sample(images, place[None], grid).reshape(images.shape)
            total = total + torch.einsum("nchw,oc->nohw", moved, weights)
        return total
