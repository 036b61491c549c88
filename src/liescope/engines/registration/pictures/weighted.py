"""The registration problem of pictures: overlap alone counts, brightness is eliminated, outliers weigh little.

With w the moved source, y the target and W the weight of a pixel (0 where the source's origin or the target is not
valid), a pair's residual is ``r = g w + o - y``. Gain g and offset o have a closed form and are eliminated like any
linear unknown; the error is the robust mean of r^2 over the overlap in units of the target's variance there, so that
neither a small overlap nor a flat one looks like a good fit.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from liescope.engines.registration.linearise import FieldTable, NormalEquations, gradient
from liescope.engines.registration.pictures.views import View
from liescope.geometry.transport import sample

__all__ = ["LEAST_OVERLAP", "Compared", "compared", "equations_of", "magnitude_covariance", "noise_share"]

LEAST_OVERLAP = 0.3
"""Of the valid pixels that must be common to a moved source and its target."""

_ROBUST = 3.0
"""Residuals of so many robust standard deviations count half."""

_LEAST_SCALE = 0.1
"""Of the target's standard deviation: smaller residuals are never taken for outliers."""

_BLOCK = 8
"""Pixels a side of the blocks whose residuals are independent of one another."""

_LOOKED_AT = 1000
_NOTHING = 1e-6


class Compared(NamedTuple):
    """Moved sources beside their targets.

    Attributes
    ----------
    error : tensor, shape (B,)
        Robust mean square of what is left over the overlap, in units of the target's variance there: 0 for a copy,
        about 1 where they have nothing in common. Infinite where too little overlaps.
    gain, offset : tensors, shape (B,)
        target = gain * moved source + offset, on the scale of the view.
    overlap : tensor, shape (B,)
        Share of the valid pixels that are compared.
    matched, residual, weight : tensors, shape (B, C, h, w)
        g w + o, its difference to the target, and the weights of the pixels.
    """

    error: Tensor
    gain: Tensor
    offset: Tensor
    overlap: Tensor
    matched: Tensor
    residual: Tensor
    weight: Tensor


def compared(view: View, origins: Float[Tensor, "b n 2"], outside: bool = False) -> Compared:
    """Compare sources, moved so that every pixel shows what was at its origin, with their targets.

    Parameters
    ----------
    outside : bool
        What lies outside of pictures is known (background), and counts.
    """
    shape = view.source.shape
    grid = view.grid
    source, fine = view.sampled
    if outside:
        moved = sample(source - view.background, origins, fine).reshape(shape) + view.background
        overlap_mask = view.target_valid
    else:
        moved = sample(source, origins, fine).reshape(shape)
        inside = sample(view.source_valid, origins, grid).reshape(view.source_valid.shape)
        overlap_mask = (inside > 0.999).to(moved) * view.target_valid
    mask = overlap_mask.expand(shape)
    gain, offset = _brightness(moved, view.target, mask)
    residual = _brightened(moved, gain, offset) - view.target
    scale = _scale(residual, mask, view.target)
    weight = mask / (residual / scale).square_().add_(1)
    gain, offset = _brightness(moved, view.target, weight)
    matched = _brightened(moved, gain, offset)
    residual = matched - view.target
    excess = (residual / scale).square_()
    weight = mask / (1 + excess)
    count = mask.sum(dim=(1, 2, 3))
    least = torch.minimum(view.source_valid.sum(dim=(1, 2, 3)), view.target_valid.sum(dim=(1, 2, 3))) * shape[1]
    lost = scale[:, 0, 0, 0].square() * _dot(mask, excess.log1p_()) / count.clamp_min(1)
    error = lost / _variance(view.target, weight).clamp_min(_NOTHING)
    overlap = count / least.clamp_min(1)
    error = torch.where((overlap < LEAST_OVERLAP) | (gain <= 0), torch.inf, error)
    return Compared(error, gain, offset, overlap, matched, residual, weight)


def equations_of(view: View, found: Compared, table: FieldTable) -> NormalEquations:
    """Normal equations for a further small flow, gain and offset eliminated.

    The error is in units of the target's variance over the overlap, per pixel; Hessian and gradient likewise.
    """
    count, n = len(view), view.grid.size
    weight = found.weight
    gx, gy = gradient((found.matched + view.target) / 2, view.grid)
    along = (weight * gx, weight * gy)
    moments = torch.stack([_pixels(a * b) for a, b in ((along[0], gx), (along[0], gy), (along[1], gy))], dim=1)
    # What a small flow changes, times the residual, the brightened source and one.
    rows = [_pixels(w * part) for part in (found.residual, found.matched) for w in along] + [_pixels(w) for w in along]
    slope, with_gain, with_offset = (torch.cat(rows, dim=1).reshape(count, 3, 2 * n) @ table.linear).unbind(1)
    across = torch.stack((with_gain, with_offset), dim=2)
    total = weight.sum(dim=(1, 2, 3))
    once = _dot(weight, found.matched)
    inner = torch.stack([_dot(weight * found.matched, found.matched), once, once, total], dim=1).reshape(count, 2, 2)
    ridge = 1e-6 * inner.diagonal(dim1=1, dim2=2).amax(1).clamp_min(_NOTHING)
    inner = inner + ridge[:, None, None] * torch.eye(2, device=inner.device)
    hessian = table.hessian(moments) - across @ torch.linalg.solve(inner, across.mT)
    unit = (total * _variance(view.target, weight)).clamp_min(_NOTHING)
    return NormalEquations(hessian / unit[:, None, None], -slope / unit[:, None], found.error)


def magnitude_covariance(
    view: View, found: Compared, table: FieldTable, directions: Float[Tensor, "b m k"]
) -> Float[Tensor, "b k k"]:
    """Sampling covariance of the magnitudes of pairs at their best, gain and offset eliminated.

    A sandwich over blocks of pixels, as interpolation and optics make neighbours' residuals alike: the spread of what
    single blocks pull at (Liang and Zeger, Biometrika 73, 1986).

    Parameters
    ----------
    directions : tensor, shape (B, m, K)
        What a change of each magnitude moves a pair along, in the frame of a further small motion.
    """
    count, (height, width) = len(view), view.grid.shape
    gx, gy = gradient((found.matched + view.target) / 2, view.grid)
    u, v = table.linear.reshape(2, height, width, -1)
    fields = torch.einsum("dhwm,bmk->dbkhw", torch.stack((u, v)), directions)
    # (B, C, K + 2, h, w): how the residual changes with magnitudes, gain and offset.
    slope = -(fields[0][:, None] * gx[:, :, None] + fields[1][:, None] * gy[:, :, None])
    ones = torch.ones_like(found.matched)
    columns = torch.cat((slope, torch.stack((found.matched, ones), dim=2)), dim=2)
    weighted = columns * found.weight[:, :, None]
    hessian = torch.einsum("bckhw,bclhw->bkl", weighted, columns)
    scores = (weighted * found.residual[:, :, None]).sum(dim=1)
    blocks = nnf.avg_pool2d(scores, _BLOCK, ceil_mode=True, divisor_override=1).flatten(2)
    used = (blocks.square().sum(dim=1) > 0).sum(dim=1).clamp_min(2)
    spread = (blocks @ blocks.mT) * (used / (used - 1))[:, None, None]
    ridge = 1e-6 * hessian.diagonal(dim1=1, dim2=2).clamp_min(_NOTHING)
    inverse = torch.linalg.inv(hessian + torch.diag_embed(ridge))
    k = directions.shape[2]
    covariance: Tensor = (inverse @ spread @ inverse)[:, :k, :k]
    return covariance.reshape(count, k, k)


def noise_share(view: View, found: Compared) -> Float[Tensor, " b"]:
    """How much of the slopes that a motion is told by is noise: of their squares, in pairs moved onto their targets.

    What two pictures share has the slopes of their mean, in which noise of both counts half; their difference is noise
    alone. 0 for copies, 1 for pictures that have nothing in common.
    """
    energies = []
    for images in ((found.matched + view.target) / 2, found.residual / 2):
        gx, gy = gradient(images, view.grid)
        energies.append(_dot(found.weight, gx.square_().add_(gy.square_())))
    return energies[1] / energies[0].clamp_min(_NOTHING)


def _dot(a: Float[Tensor, "b c h w"], b: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Sums of products over the pixels of every pair."""
    sums: Tensor = torch.linalg.vecdot(a.flatten(1), b.flatten(1))
    return sums


def _pixels(images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n"]:
    """Sums over channels; over a single one a sum would be a copy, and a slow one."""
    return images.flatten(1) if images.shape[1] == 1 else images.sum(dim=1).flatten(1)


def _brightness(moved: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and offset (B,) of least squares over the weights."""
    total = weight.sum(dim=(1, 2, 3)).clamp_min(_NOTHING)
    mean_w, mean_y = (_dot(weight, x) / total for x in (moved, target))
    centred = moved - mean_w[:, None, None, None]
    weighted = weight * centred
    gain = (_dot(weighted, target) / total) / (_dot(weighted, centred) / total).clamp_min(_NOTHING)
    return gain, mean_y - gain * mean_w


def _brightened(moved: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    return torch.addcmul(offset[:, None, None, None], gain[:, None, None, None], moved)


def _variance(images: Tensor, weight: Tensor) -> Float[Tensor, " b"]:
    total = weight.sum(dim=(1, 2, 3)).clamp_min(_NOTHING)
    centred = images - (_dot(weight, images) / total)[:, None, None, None]
    return _dot(weight * centred, centred) / total


def _scale(residual: Tensor, mask: Tensor, target: Tensor) -> Float[Tensor, "b 1 1 1"]:
    """Robust size of residuals over the overlap, and never less than a share of the target's spread."""
    # A thousand of the pixels tell the median; those outside of the overlap are none.
    stride = max(1, residual[0].numel() // _LOOKED_AT)
    some, counted = (x.flatten(1)[:, ::stride] for x in (residual, mask))
    mad = torch.where(counted > 0, some.abs(), torch.nan).nanmedian(dim=1).values
    mad = torch.where(torch.isfinite(mad), mad, 0)
    spread = _variance(target, mask).sqrt()
    scale = (_ROBUST * 1.4826 * mad).clamp_min(_NOTHING)
    return torch.maximum(scale, _LEAST_SCALE * spread)[:, None, None, None].clamp_min(_NOTHING)
