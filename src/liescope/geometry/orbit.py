"""Orbits of points along one field: integrated once, shared by every magnitude."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.errors import InputError
from liescope.geometry.fields import Basis
from liescope.geometry.flow import flow, runge_kutta_steps

__all__ = ["Orbit"]


class Orbit:
    """Where the flow of one field takes points, for any magnitude within reach.

    The orbit of every point is stored at evenly spaced magnitudes with its velocity; in between it is the cubic Hermite
    interpolant, exact to fourth order in the spacing. Magnitudes beyond ``reach`` are held at it.

    Parameters
    ----------
    basis : Basis
    direction : tensor, shape (m,)
        The field, per unit of magnitude; pass -a for the origins of pixels that X = sum a_k b_k moves.
    points : tensor, shape (n, d)
    reach : float
        Largest magnitude, at least 0; with 0, points stay where they are.
    knots : int
        Stored magnitudes, at least 3: one of them is 0, and there are as many on either side (an even number counts as
        the next odd one).
    tolerance : float
        Of the integration, normalised units.

    Raises
    ------
    InputError
        A negative reach, or fewer than 3 knots.
    """

    def __init__(
        self,
        basis: Basis,
        direction: Float[Tensor, " m"],
        points: Float[Tensor, "n d"],
        reach: float,
        knots: int = 129,
        tolerance: float = 1e-4,
    ) -> None:
        if not reach >= 0 or knots < 3:
            raise InputError(f"expected a reach of at least 0 and 3 knots or more, got {reach} and {knots}")
        half = knots // 2
        self.reach = reach
        self.spacing = reach / half
        # From knot to knot, forwards and backwards at once: each piece of the orbit is integrated a single time.
        steps = math.ceil(runge_kutta_steps(basis, reach * direction, tolerance) / half)
        ahead = self.spacing * torch.stack((direction, -direction))
        place = points.expand(2, *points.shape)
        reached = [place]
        for _ in range(half):
            place = flow(basis, ahead, place, steps=steps)
            reached.append(place)
        forwards, backwards = torch.stack(reached).unbind(1)
        places = torch.cat((backwards[1:].flip(0), forwards))
        speeds = basis.velocity(places, direction) * self.spacing
        self._shape = points.shape
        # Between two knots, the coefficients of a cubic in the share of the way (Hermite), highest power last.
        step, (begin, end) = places[1:] - places[:-1], (speeds[:-1], speeds[1:])
        cubics = (places[:-1], begin, 3 * step - 2 * begin - end, begin + end - 2 * step)
        self._cubics = torch.stack([cubic.flatten(1) for cubic in cubics], dim=1)

    def at(self, t: Float[Tensor, " b"]) -> Float[Tensor, "b n d"]:
        """Places of all points after the flow for t_b; differentiable in t, the direction and the points."""
        pieces = len(self._cubics)
        # With no reach all knots are one place, and there is no spacing to count t in.
        position = ((t + self.reach) / self.spacing if self.reach else t.clamp(0, 0)).clamp(0, pieces - 1e-4)
        piece = position.detach().long()
        share = position - piece
        powers = torch.stack((torch.ones_like(share), share, share**2, share**3), dim=1)
        reached = powers[:, None] @ self._cubics.index_select(0, piece)
        return reached.reshape(len(t), *self._shape)
