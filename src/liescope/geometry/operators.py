"""Generators as linear operators on a grid: the derivative in one dimension, and fields made of it in d.

An image moves as ``dI/dt = -X I`` (the action is ``(exp(tX) I)(p) = I(phi_{-t}(p))``), so the operator of a field is
``G = -(u d/dx + v d/dy + ...)``, and ``exp(tG)`` applied to pixels is the transport along X for images that the grid
resolves. Derivatives are circulant matrices: the image is taken to repeat itself, as Shannon's series has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.errors import InputError, suggest
from liescope.geometry.fields import Basis
from liescope.geometry.grid import Grid

__all__ = ["KERNELS", "FieldOperators", "derivative_matrix"]

_EXPONENTIAL_LENGTH = 3.0  # pixels in which an exponentially damped kernel falls by e
_GAUSSIAN_LENGTH = 2.0  # standard deviation of the Gaussian damping, pixels


def _shannon_whittaker(offset: Tensor, n: int) -> Tensor:
    """Derivative of the periodic Shannon-Whittaker interpolant (the paper's equation 9): exact below Nyquist."""
    angle = torch.pi * offset / n
    # With an even number of pixels the wave at Nyquist has no slope of its own, which turns 1 / sin into cot.
    shape = 1 / angle.sin() if n % 2 else angle.cos() / angle.sin()
    return torch.where(offset == 0, 0.0, (1 - 2 * (offset % 2)) * shape * torch.pi / n)


def _damped(window: Callable[[Tensor], Tensor]) -> Callable[[Tensor, int], Tensor]:
    def weights(offset: Tensor, n: int) -> Tensor:
        distance = torch.minimum(offset, n - offset)
        damped = _shannon_whittaker(offset, n) * window(distance)
        # Damping alone would change the slope of slow waves; this wave, the slowest there is, keeps its own.
        slope = -(damped * (2 * torch.pi * offset / n).sin()).sum() / (2 * torch.pi / n)
        return damped / slope

    return weights


def _finite_difference(offset: Tensor, n: int) -> Tensor:
    """Central differences: second order in the pixel."""
    return ((offset == n - 1).double() - (offset == 1).double()) / 2


def _cubic_spline(offset: Tensor, n: int) -> Tensor:
    """Slope of the periodic cubic spline through the pixels: fourth order."""
    wave = 2 * torch.pi * torch.fft.fftfreq(n, dtype=torch.float64)
    slope = 3 * wave.sin() / (2 + wave.cos())
    weights: Tensor = (slope[:, None] * torch.sin(-wave[:, None] * offset)).mean(dim=0)
    return weights


KERNELS: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "shannon-whittaker": _shannon_whittaker,
    "exponential": _damped(lambda distance: torch.exp(-distance / _EXPONENTIAL_LENGTH)),
    "gaussian": _damped(lambda distance: torch.exp(-(distance**2) / (2 * _GAUSSIAN_LENGTH**2))),
    "finite-difference": _finite_difference,
    "cubic-spline": _cubic_spline,
}
"""Derivative kernels by name: weight of the pixel ``n - offset`` places to the right, in units of 1 / pixel."""


def derivative_matrix(n: int, spacing: float, kernel: str = "shannon-whittaker") -> Float[Tensor, "n n"]:
    """The derivative on n points as a circulant, antisymmetric matrix, float64.

    Parameters
    ----------
    n : int
        Number of points, at least 3.
    spacing : float
        Distance of neighbouring points; negative where the coordinate falls with the index.
    kernel : str
        A name in :data:`KERNELS`: ``shannon-whittaker`` (exact for every wave below Nyquist), ``exponential`` and
        ``gaussian`` (the same, damped with the distance: less ringing), ``finite-difference`` (order 2),
        ``cubic-spline`` (order 4).

    References
    ----------
    The paper's equation 9.
    """
    if kernel not in KERNELS:
        raise InputError(f"unknown derivative kernel {kernel!r}.{suggest(kernel, KERNELS)}")
    if n < 3:
        raise InputError(f"expected at least 3 points along each side for a derivative, got {n}")
    place = torch.arange(n)
    offset = (place[:, None] - place[None, :]) % n
    weights = KERNELS[kernel](torch.arange(n, dtype=torch.float64), n)
    matrix: Tensor = weights[offset] / spacing
    return matrix


class FieldOperators:
    """The operators ``G_k = -(u_k d/dx + v_k d/dy + ...)`` of a basis on a grid.

    Parameters
    ----------
    basis : Basis
        The m vector fields in d coordinates.
    grid : Grid
        n samples along d axes: H x W pixels, D x H x W voxels.
    kernel : str
        Of the derivative (:func:`derivative_matrix`).

    Raises
    ------
    InputError
        A grid of another number of axes than the basis has coordinates.
    """

    def __init__(
        self,
        basis: Basis,
        grid: Grid,
        kernel: str = "shannon-whittaker",
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> None:
        if basis.ndim != grid.ndim:
            raise InputError(f"expected a grid of {basis.ndim} axes for basis {basis.name!r}, got shape {grid.shape}")
        self.basis = basis
        self.grid = grid
        steps = (sign * spacing for sign, spacing in zip(grid.signs, grid.spacing, strict=True))
        # In the order of the coordinates: the last axis of an array is x.
        self._derivatives = [
            derivative_matrix(n, step, kernel).to(device, dtype)
            for n, step in zip(reversed(grid.shape), steps, strict=True)
        ]
        points = grid.points(dtype=torch.float64)
        self._fields = basis.fields(points).to(device, dtype)

    def apply(self, images: Float[Tensor, "b c *s"], coefficients: Float[Tensor, " m"]) -> Float[Tensor, "b c *s"]:
        """``sum_k a_k G_k`` on images: one product along every axis, no n x n matrix."""
        components = torch.einsum("nmc,m->cn", self._fields, coefficients).reshape(-1, *self.grid.shape)
        total = components[0] * self._slope(images, 0)
        for c in range(1, self.grid.ndim):
            total = total + components[c] * self._slope(images, c)
        return -total

    def _slope(self, images: Tensor, c: int) -> Tensor:
        """Derivative of images along coordinate c."""
        derivative = self._derivatives[c]
        if c == 1:
            return derivative @ images
        axis = images.ndim - 1 - c
        return (images.movedim(axis, -1) @ derivative.T).movedim(-1, axis)

    def matrices(self) -> Float[Tensor, "m n n"]:
        """The operators as dense matrices on flattened samples (Kronecker products, the paper's equation 10)."""
        eyes = [torch.eye(len(derivative)).to(derivative) for derivative in self._derivatives]
        gradient = []
        for c, derivative in enumerate(self._derivatives):
            factors = [*eyes[:c], derivative, *eyes[c + 1 :]]
            gradient.append(reduce(torch.kron, reversed(factors)))
        return -torch.einsum("nmc,cnk->mnk", self._fields, torch.stack(gradient))
