"""The same transformation on pixels: what ties latent generators to the images (alpha matching, equation 13)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.latent.action import closed_structure, factor_fields
from liescope.geometry import Basis, Grid, flow, sample
from liescope.geometry.flow import is_affine
from liescope.geometry.operators import FieldOperators
from liescope.geometry.orbit import Orbit

__all__ = ["PixelAction"]

_TOLERANCE = 2e-3  # of flows, in normalised units: 0.03 pixels at 28 pixels
_KNOTS = 33
_HALF_TURN = math.pi * math.sqrt(2)  # a corner's way, in normalised units


class PixelAction:
    """Images moved by ``exp(t_K X_K) ... exp(t_1 X_1)``, exactly or by the paper's Taylor polynomials.

    Parameters
    ----------
    basis : Basis
    grid : Grid
    order : int or None
        None: transport along the flow, differentiated in coefficients and t. A number: each factor is a Taylor
        polynomial of that order, of separable derivatives, and t is not differentiated (the paper).
    kernel : str
        Of the Taylor form's derivative.
    closure : bool
        With factors ``exp(t_ij [G_i, G_j])`` after the generators' own.

    Raises
    ------
    InputError
        Closure factors in a basis that brackets leave.
    """

    def __init__(
        self, basis: Basis, grid: Grid, order: int | None, kernel: str, closure: bool, device: torch.device
    ) -> None:
        self.basis = basis
        self.grid = grid
        self.order = order
        self._points = grid.points(device=device)
        self._fields = basis.fields(self._points)
        self._operators = FieldOperators(basis, grid, kernel, device=device)
        self._structure: Tensor | None = None
        if closure:
            self._structure = torch.as_tensor(closed_structure(basis), dtype=torch.float32, device=device)

    def fields(self, coefficients: Float[Tensor, "k m"]) -> list[Tensor]:
        """Coefficients (m,) of all factors, in the order in which they act."""
        return factor_fields(coefficients, self._structure)

    def farthest(self, coefficients: Float[Tensor, "k m"]) -> Float[Tensor, " f"]:
        """``|t|`` of each factor at which the fastest point of the image has come as far as a corner in half a turn."""
        speeds = [
            torch.einsum("nmc,m->nc", self._fields, field).norm(dim=1).max() for field in self.fields(coefficients)
        ]
        return _HALF_TURN / torch.stack(speeds).clamp_min(1e-12)

    def __call__(
        self, images: Float[Tensor, "b c h w"], t: Float[Tensor, "b f"], coefficients: Float[Tensor, "k m"]
    ) -> Float[Tensor, "b c h w"]:
        """Moved images."""
        fields = self.fields(coefficients)
        if self.order is not None:
            for magnitude, field in zip(t.detach().unbind(1), fields, strict=True):
                images = _taylor(images, magnitude, partial(self._operators.apply, coefficients=field), self.order)
            return images
        points = self._origins(t, fields)
        return sample(images, points, self.grid).reshape(images.shape)

    def _origins(self, t: Tensor, fields: list[Tensor]) -> Tensor:
        """Where every pixel comes from: the last factor is undone first."""
        if len(fields) == 1 and not is_affine(self.basis):
            # A little farther than the farthest pair: at the reach itself an orbit holds t, without a gradient.
            reach = 1.01 * float(t.detach().abs().max()) + 1e-3
            return Orbit(self.basis, -fields[0], self._points, reach, _KNOTS, _TOLERANCE).at(t[:, 0])
        points = self._points
        for magnitude, field in reversed(list(zip(t.unbind(1), fields, strict=True))):
            points = flow(self.basis, -magnitude[:, None] * field, points, tolerance=_TOLERANCE)
        return points


def _taylor(images: Tensor, t: Tensor, operator: Callable[[Tensor], Tensor], order: int) -> Tensor:
    """``sum_j t^j G^j / j!`` on images, j up to the order."""
    term = total = images
    for number in range(1, order + 1):
        term = operator(term) * (t / number)[:, None, None, None]
        total = total + term
    return total
