"""Where pixels come from: origins ``phi_{-v}(p)`` for a batch of pairs, as cheaply as the basis allows."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor

from liescope.geometry.fields import Basis
from liescope.geometry.flow import flow, is_affine
from liescope.geometry.orbit import Orbit

__all__ = ["TOLERANCE", "Motion", "OrbitMotion", "SpanMotion", "motion_along"]

_KNOTS = 129
TOLERANCE = 1e-3
"""Of the flow, in normalised units: a hundredth of a pixel at 28 pixels."""


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

    def __init__(self, basis: Basis, directions: Tensor, points: Tensor, tolerance: float = TOLERANCE) -> None:
        super().__init__(basis, directions, points)
        self._tolerance = tolerance

    def origins(self, t: Float[Tensor, "b k"]) -> Float[Tensor, "b n 2"]:
        return flow(self.basis, -(t @ self.directions.T), self.points, tolerance=self._tolerance)


class OrbitMotion(Motion):
    """One direction: the flow is integrated once and shared by all pairs; beyond ``reach`` t is held at it."""

    def __init__(self, basis: Basis, direction: Tensor, points: Tensor, reach: float) -> None:
        super().__init__(basis, direction[:, None], points)
        self._orbit = Orbit(basis, -direction, points, reach, _KNOTS, TOLERANCE / 10)

    def origins(self, t: Float[Tensor, "b 1"]) -> Float[Tensor, "b n 2"]:
        return self._orbit.at(t[:, 0])


def motion_along(
    basis: Basis, directions: Float[Tensor, "m k"], points: Tensor, reach: float, tolerance: float = TOLERANCE
) -> Motion:
    """The cheapest exact-enough motion: a shared orbit for one non-affine direction, own flows else.

    ``tolerance`` is that of the pairs' own flows.
    """
    if directions.shape[1] == 1 and not is_affine(basis):
        return OrbitMotion(basis, directions[:, 0], points, reach)
    return SpanMotion(basis, directions, points, tolerance)
