"""Illumination that belongs to the camera: it stays where it is while what is seen moves.

A picture is the scene times the illumination L. Once motions are known, a pair's brightness tells it: the logarithm of
the target over that of the moved source is log L at the pixel less log L at its origin, and a constant. Over all pairs
that is a linear problem for a smooth log L; scenes drop out of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.pair_set import PairSet
from liescope.engines.registration.pictures.measuring import Measurer
from liescope.engines.registration.pictures.views import plain_view
from liescope.geometry import Grid
from liescope.geometry.transport import sample

__all__ = ["Illumination", "fixed_illumination"]

_DEGREE = 4
_ROUNDS = 4
_RIDGE = 1e-4
_DARK = 0.02
"""Of the typical grey value: logarithms of darker ones are held."""

_FEWEST = 6
_LEAST = 0.02
"""Standard deviation over the picture, in shares of the brightness: less is left alone."""

_AT_ONCE = 1 << 18  # points

_REPEATS = 0.9
"""Correlation of what the two halves of the pairs say."""


class Illumination(NamedTuple):
    """A smooth field by which all pictures are multiplied.

    Attributes
    ----------
    coefficients : array, shape (14,)
        Of log L in the monomials of x and y of degree 1 to 4.
    """

    coefficients: np.ndarray

    def over(self, grid: Grid) -> Float[np.ndarray, "h w"]:
        """L at the pixels, with geometric mean 1."""
        points, rates = grid.points(), torch.as_tensor(self.coefficients, dtype=torch.float32)
        values = torch.cat([_monomials(part) @ rates for part in torch.split(points, _AT_ONCE)])
        field: np.ndarray = torch.exp(values - values.mean()).reshape(grid.shape).numpy()
        return field


def fixed_illumination(
    pairs: PairSet, index: np.ndarray, measurer: Measurer, v: Float[Tensor, "b m"], good: Tensor
) -> Illumination | None:
    """The illumination that all pictures share, or None where there is none worth dividing by.

    Parameters
    ----------
    pairs : PairSet
    index : integer array, shape (B,)
        Which of the pairs.
    measurer : Measurer
    v : tensor, shape (B, m)
        What moves each of them, in the basis.
    good : bool tensor, shape (B,)
        Those whose motion is known.
    """
    level = measurer.levels[1]
    source, target, source_valid, target_valid = plain_view(level, pairs, index[good.cpu().numpy()])
    dark = _DARK * float(target.mean())
    if len(source) < _FEWEST or float((torch.cat((source, target)) < -dark).float().mean()) > 0.01:
        return None  # a negative brightness is none
    everything = torch.eye(measurer.basis.dimension, device=v.device)
    motion = measurer.registrar.motion_on(level.grid, everything, float(v.abs().max()) + 0.1)
    origins = motion.origins(v[good])
    moved, inside = (sample(x, origins, level.grid).reshape(x.shape) for x in (source, source_valid))
    counted = ((inside > 0.999) * target_valid).flatten(1)
    ratio = (target.clamp_min(dark).log() - moved.clamp_min(dark).log()).flatten(1)
    # Of noise, the logarithm of a dark pixel has most.
    counted = counted * torch.minimum(target, moved).clamp_min(0).flatten(1).square()
    difference = _monomials(level.grid.points(device=v.device))[None] - _monomials(origins)
    halves = [slice(0, None, 2), slice(1, None, 2)]
    found = [_solved(difference[part], ratio[part], counted[part]) for part in (slice(None), *halves)]
    fields = _monomials(level.grid.points(device=v.device)).double() @ torch.stack(found, dim=1)
    fields = fields - fields.mean(dim=0)
    repeats = float(torch.corrcoef(fields[:, 1:].T)[0, 1])
    if float(fields[:, 0].std()) < _LEAST or not repeats > _REPEATS:
        return None
    return Illumination(found[0].cpu().numpy())


def _solved(difference: Tensor, ratio: Tensor, counted: Tensor) -> Float[Tensor, " c"]:
    """Coefficients of log L by robust least squares, a constant for every pair eliminated."""
    weight = counted
    found = difference.new_zeros(difference.shape[-1], dtype=torch.float64)
    for _ in range(_ROUNDS):
        total = weight.sum(dim=1, keepdim=True).clamp_min(1e-12)
        columns = difference - (torch.einsum("bn,bnc->bc", weight, difference) / total)[:, None]
        left = ratio - (weight * ratio).sum(dim=1, keepdim=True) / total
        hessian = torch.einsum("bn,bnc,bnd->cd", weight, columns, columns).double()
        slope = torch.einsum("bn,bnc,bn->c", weight, columns, left).double()
        ridge = _RIDGE * hessian.diagonal().max().clamp_min(1e-12)
        found = torch.linalg.solve(hessian + ridge * torch.eye(len(hessian), device=hessian.device), slope)
        residual = left - columns @ found.to(columns)
        scale = 1.4826 * residual[counted > 0].abs().median().clamp_min(1e-6)
        weight = counted / (1 + (residual / (2 * scale)).square())
    return found


def _monomials(points: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b 14"]:
    x, y = points.unbind(-1)
    return torch.stack([x**i * y ** (n - i) for n in range(1, _DEGREE + 1) for i in range(n, -1, -1)], dim=-1)
