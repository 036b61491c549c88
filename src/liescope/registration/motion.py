"""Where pixels come from: origins ``phi_{-v}(p)`` for a batch of pairs, as cheaply as the basis allows."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.geometry.fields import Basis
from liescope.geometry.flow import flow, is_affine

__all__ = ["Motion", "OrbitMotion", "SpanMotion"]

_KNOTS = 128
_TOLERANCE = 1e-3  # of the flow, in normalised units: a hundredth of a pixel at 28 pixels


class Motion(ABC):
    """Maps magnitudes t (B, K) along fixed directions (m, K) to the origins (B, n, 2) of every pixel."""

    def __init__(self, basis: Basis, directions: Float[Tensor, "m k"], points: Float[Tensor, "n 2"]) -> None:
        self.basis = basis
        self.directions = directions
        self.points = points

    @abstractmethod
    def origins(self, t: Float[Tensor, "b k"]) -> Float[Tensor, "b n 2"]:
        """``phi_{-v}(p)`` with v = directions @ t for every pixel centre p."""


class SpanMotion(Motion):
    """Each pair's flow on its own: closed form for affine bases, Runge-Kutta else. Any number of directions."""

    def origins(self, t: Float[Tensor, "b k"]) -> Float[Tensor, "b n 2"]:
        return flow(self.basis, -(t @ self.directions.T), self.points, tolerance=_TOLERANCE)


class OrbitMotion(Motion):
    """One direction: the flow is integrated once and shared by all pairs.

    The orbit of every pixel is stored at evenly spaced magnitudes with its velocity; in between it is the cubic
    Hermite interpolant, exact to fourth order in the spacing. Magnitudes beyond ``reach`` are held at it.
    """

    def __init__(self, basis: Basis, direction: Tensor, points: Tensor, reach: float) -> None:
        super().__init__(basis, direction[:, None], points)
        self.reach = reach
        self.spacing = 2 * reach / (_KNOTS - 1)
        times = torch.linspace(-reach, reach, _KNOTS, dtype=points.dtype, device=points.device)
        places = flow(basis, -times[:, None] * direction, points, tolerance=_TOLERANCE / 10)
        speeds = -basis.velocity(places, direction) * self.spacing
        self._knots = torch.stack((places, speeds), dim=1)

    def origins(self, t: Float[Tensor, "b 1"]) -> Float[Tensor, "b n 2"]:
        position = ((t[:, 0] + self.reach) / self.spacing).clamp(0, _KNOTS - 1 - 1e-4)
        index = position.long()
        s = (position - index)[:, None, None]
        left, right = self._knots[index], self._knots[index + 1]
        # Hermite's cubic, arranged around the left knot.
        rise = right[:, 0] - left[:, 0]
        bend = left[:, 1] + right[:, 1] - 2 * rise
        return left[:, 0] + s * (left[:, 1] + s * ((rise - left[:, 1] - bend) + s * bend))


def motion_along(basis: Basis, directions: Float[Tensor, "m k"], points: Tensor, reach: float) -> Motion:
    """The cheapest exact-enough motion: a shared orbit for one non-affine direction, own flows else."""
    if directions.shape[1] == 1 and not is_affine(basis):
        return OrbitMotion(basis, directions[:, 0], points, reach)
    return SpanMotion(basis, directions, points)
