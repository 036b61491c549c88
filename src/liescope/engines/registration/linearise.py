"""The linearised registration problem: how the difference of a pair changes with a small flow.

With w the moved source and y the target, a further small motion ``exp(sum_k d_k b_k)`` changes w by
``-sum_k d_k b_k . grad w``. The normal equations of every pair are sums over pixels of products of image gradients
(which depend on the pair) and of basis fields (which do not): two matrix products for a whole batch, whatever the
basis, and never a Jacobian per pair.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.geometry.fields import Basis
from liescope.geometry.grid import Grid

__all__ = ["FieldTable", "NormalEquations", "gradient", "normal_equations"]


class FieldTable(NamedTuple):
    """Basis fields at the pixels of a grid, arranged for :func:`normal_equations`.

    ``linear`` (2n, m) maps [e w_x, e w_y] to the gradient; ``products`` (3n, m(m+1)/2) maps
    [w_x^2, w_x w_y, w_y^2] to the upper triangle of the Hessian.
    """

    grid: Grid
    linear: Tensor
    products: Tensor
    dimension: int

    @classmethod
    def of(cls, basis: Basis, grid: Grid, directions: Tensor | None = None) -> FieldTable:
        """Tables for a basis, or for the fields ``directions`` (columns, shape (m, k)) span in it."""
        points = grid.points(dtype=torch.float64)
        fields = basis.fields(points)
        if directions is not None:
            fields = torch.einsum("nmc,mk->nkc", fields, directions.to(fields))
        m = fields.shape[1]
        u, v = fields.unbind(-1)
        i, j = torch.triu_indices(m, m)
        products = torch.cat((u[:, i] * u[:, j], u[:, i] * v[:, j] + v[:, i] * u[:, j], v[:, i] * v[:, j]))
        return cls(grid, torch.cat((u, v)).float(), products.float(), m)

    def hessian(self, moments: Float[Tensor, "b p n"]) -> Float[Tensor, "b m m"]:
        """Hessians from w_x^2, w_x w_y and w_y^2 at the pixels."""
        count, m = len(moments), self.dimension
        triangle = moments.reshape(count, -1) @ self.products
        hessian = triangle.new_empty(count, m, m)
        i, j = torch.triu_indices(m, m)
        hessian[:, i, j] = triangle
        hessian[:, j, i] = triangle
        return hessian

    def to(self, device: torch.device) -> FieldTable:
        """The same table on a device."""
        return self._replace(linear=self.linear.to(device), products=self.products.to(device))


class NormalEquations(NamedTuple):
    """Sums over the pixels of every pair: ``hessian`` (B, m, m), ``gradient`` (B, m), ``error`` (B,).

    error = |w - y|^2, gradient = half its derivative, hessian = its Gauss-Newton matrix.
    """

    hessian: Tensor
    gradient: Tensor
    error: Tensor


def gradient(images: Float[Tensor, "b c h w"], grid: Grid) -> tuple[Tensor, Tensor]:
    """(d/dx, d/dy) of images by central differences, zero outside, in normalised units."""
    dx, dy = grid.pitch
    along_x, along_y = torch.zeros_like(images), torch.zeros_like(images)
    along_x[..., 1:-1] = images[..., 2:] - images[..., :-2]
    along_y[..., 1:-1, :] = images[..., :-2, :] - images[..., 2:, :]
    return along_x.mul_(1 / (2 * dx)), along_y.mul_(1 / (2 * dy))


def normal_equations(
    warped: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h w"], table: FieldTable
) -> NormalEquations:
    """Normal equations of every pair for a further small flow.

    The image gradient is that of the mean of both images: second-order convergence for the price of first order,
    and, because noise enters both sides alike, no bias towards motions that average the noise away.
    """
    difference = warped - target
    gx, gy = gradient((warped + target) / 2, table.grid)
    error = _products(difference, difference).sum(dim=1)
    if table.dimension == 1:
        u, v = table.linear[:, 0].reshape(2, *table.grid.shape)
        along = gx.mul_(u).addcmul_(gy, v).flatten(1)
        hessian = torch.linalg.vecdot(along, along)[:, None, None]
        return NormalEquations(hessian, -torch.linalg.vecdot(along, difference.flatten(1))[:, None], error)
    moments = torch.stack([_products(a, b) for a, b in ((gx, gx), (gx, gy), (gy, gy))], dim=1)
    slopes = torch.cat([_products(difference, a) for a in (gx, gy)], dim=1)
    return NormalEquations(table.hessian(moments), -(slopes @ table.linear), error)


def _products(a: Float[Tensor, "b c h w"], b: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n"]:
    """Products at every pixel, summed over channels."""
    products = a * b
    # A sum over one channel would be a copy, and a slow one.
    return products.flatten(1) if products.shape[1] == 1 else products.sum(dim=1).flatten(1)
