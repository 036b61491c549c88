"""Logarithmic coordinates of pairs: v_i with exp(v_i . basis) x_i = y_i, by batched damped Gauss-Newton.

``v = directions @ t``: with all m unit directions the pair's free coordinates, with K directions the magnitudes
along a known span.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.registration.levels import Level
from liescope.engines.registration.linearise import FieldTable, NormalEquations, normal_equations
from liescope.engines.registration.motion import Motion
from liescope.geometry.fields import Basis
from liescope.geometry.transport import sample

__all__ = [
    "Registered",
    "damped_step",
    "equations_on_basis",
    "exponential_derivative",
    "register",
    "rms_displacement",
    "step_metric",
]

_STEP_CAP = 0.3  # longest step, as root mean square displacement over the image in normalised units
_SERIES_TERMS = 14
_LEAST_SHARE = 1e-3


class Registered(NamedTuple):
    """Coordinates of pairs and the normal equations there (in the frame of a further small motion)."""

    t: Tensor
    equations: NormalEquations


def exponential_derivative(structure: Tensor, v: Float[Tensor, "b m"]) -> Float[Tensor, "b m m"]:
    """M(v) with exp(v + d) = exp(M(v) d) exp(v) to first order in d, acting on images.

    The differential of the exponential map, ``sum_k ad_v^k / (k + 1)!``; as operators on functions the fields'
    bracket changes sign. ``structure`` (m, m, m) are the brackets of the basis; where the basis is not closed its
    projection is used, which slows the iteration down but leaves its fixed points where they are.
    """
    ad = -torch.einsum("bi,ijk->bkj", v, structure)
    identity = torch.eye(v.shape[1], dtype=v.dtype, device=v.device).expand_as(ad)
    total, term = identity.clone(), identity
    for k in range(1, _SERIES_TERMS + 1):
        term = term @ ad / k
        total = total + term / (k + 1)
    return total


def step_metric(table: FieldTable) -> Float[Tensor, "m m"]:
    """Mean square displacement over the grid, as a quadratic form in the coordinates of a step."""
    metric = table.linear.T @ table.linear / table.grid.size
    # A field that vanishes on the grid (x d/dx on a single column) must not make steps of any length look short.
    regular: Tensor = metric + _LEAST_SHARE * metric.diagonal().mean() * torch.eye(len(metric), device=metric.device)
    return regular


def damped_step(
    hessian: Float[Tensor, "b k k"], slope: Float[Tensor, "b k"], damping: Float[Tensor, " b"], metric: Tensor
) -> Float[Tensor, "b k"]:
    """Levenberg-Marquardt step, capped in root mean square displacement."""
    size = hessian.diagonal(dim1=-2, dim2=-1).sum(-1) / metric.diagonal().sum() + 1e-12
    regular = hessian + (damping * size)[:, None, None] * metric
    step = -torch.linalg.solve_ex(regular, slope)[0]
    length = torch.einsum("bi,ij,bj->b", step, metric, step).clamp_min(1e-24).sqrt()
    return torch.nan_to_num(step * (_STEP_CAP / length).clamp_max(1.0)[:, None], posinf=0.0, neginf=0.0)


def register(
    source: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h w"],
    motion: Motion,
    level: Level,
    structure: Float[Tensor, "m m m"],
    start: Float[Tensor, "b k"],
    iterations: int,
) -> Registered:
    """Refine the coordinates of every pair at one level.

    Parameters
    ----------
    source, target : tensors, shape (B, C, h, w)
        Images already on ``level``.
    motion : Motion
        The allowed directions (m, K) and their flows on the level's pixels.
    structure : tensor, shape (m, m, m)
        Brackets of the basis (:func:`liescope.algebra.structure_tensor`).
    start : tensor, shape (B, K)
    iterations : int
        Damped Gauss-Newton steps; a step that does not lower a pair's error is taken back and damped more.

    Returns
    -------
    Registered
        ``t`` (B, K); normal equations along the directions in the frame of a further small motion: over the whole
        basis (B, m, m) where K > 1, along the one direction (B, 1, 1) else.
    """
    directions = motion.directions
    single = directions.shape[1] == 1
    table = FieldTable.of(motion.basis, level.grid, directions if single else None).to(source.device)
    metric = step_metric(table)
    metric = metric if single else directions.T @ metric @ directions
    goal = level.smooth(target)
    t = start
    best = _equations_at(source, goal, motion, level, table, t)
    damping = torch.full_like(best.error, 1e-2)
    for _ in range(iterations):
        # Along a single direction a further motion and a larger t are the same thing: the frame is the identity.
        inside = best if single else _in_frame(best, exponential_derivative(structure, t @ directions.T) @ directions)
        trial = t + damped_step(inside.hessian, inside.gradient, damping, metric)
        found = _equations_at(source, goal, motion, level, table, trial)
        better = found.error < best.error
        t = torch.where(better[:, None], trial, t)
        best = _where(better, found, best)
        damping = torch.where(better, damping * 0.2, damping * 8).clamp(1e-6, 1e4)
    return Registered(t, best)


def equations_on_basis(
    source: Tensor, target: Tensor, motion: Motion, level: Level, t: Float[Tensor, "b k"]
) -> NormalEquations:
    """Normal equations over the whole basis (B, m, m) at given coordinates."""
    table = FieldTable.of(motion.basis, level.grid).to(source.device)
    return _equations_at(source, level.smooth(target), motion, level, table, t)


def _equations_at(
    source: Tensor, goal: Tensor, motion: Motion, level: Level, table: FieldTable, t: Tensor
) -> NormalEquations:
    """Normal equations of pairs at t; ``goal`` are the targets, smoothed."""
    warped = sample(source, motion.origins(t), level.grid).reshape(source.shape)
    return normal_equations(level.smooth(warped), goal, table)


def _in_frame(equations: NormalEquations, frame: Float[Tensor, "b m k"]) -> NormalEquations:
    hessian, slope, error = equations
    return NormalEquations(frame.mT @ hessian @ frame, (frame.mT @ slope[..., None])[..., 0], error)


def _where(mask: Tensor, new: NormalEquations, old: NormalEquations) -> NormalEquations:
    """The new equations of the pairs in the mask, the old ones of the others."""
    one, two = mask[:, None], mask[:, None, None]
    return NormalEquations(
        torch.where(two, new.hessian, old.hessian),
        torch.where(one, new.gradient, old.gradient),
        torch.where(mask, new.error, old.error),
    )


def rms_displacement(basis: Basis, coefficients: Tensor, weights: Tensor, points: Tensor) -> float:
    """Root mean square speed of a field over the data's support (pixel weights that sum to one)."""
    speed = basis.velocity(points, coefficients.to(points)).square().sum(-1)
    return math.sqrt(float((speed * weights).sum()))
