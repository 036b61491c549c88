"""Points moved along found generators, in the data's own units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from liescope.algebra import Generator
from liescope.errors import InputError
from liescope.geometry import Basis, Domain, PolynomialBasis
from liescope.geometry.flow import affine_matrix, is_affine

__all__ = ["law_of_motion", "moved_points"]

_TOLERANCE = 1e-7
_MOST_STEPS = 2048


def moved_points(points: Any, t: Any, coefficients: Float[np.ndarray, "k m"], basis: Basis) -> np.ndarray:
    """Points (N, d) or (d,) after exp(sum_k t_k X_k); t one number, (K,), (N, K), or (N,) where K is 1.

    Affine flows are matrix exponentials. Others are integrated by Runge-Kutta steps of order 4, halved until halving
    them again moves nothing by more than 1e-7 of how far the points spread.

    Raises
    ------
    InputError
        Shapes that do not fit, values that are not finite, or a flow that leaves every bound before t.
    """
    places = np.asarray(points, dtype=np.float64)
    rows = np.atleast_2d(places)
    if rows.ndim != 2 or rows.shape[1] != basis.ndim:
        raise InputError(f"expected points of shape (N, {basis.ndim}), got {places.shape}")
    velocities = _magnitudes(t, len(rows), len(coefficients)) @ coefficients
    if not np.isfinite(rows).all() or not np.isfinite(velocities).all():
        raise InputError("expected finite points and magnitudes t, got NaN or infinite ones")
    vectors, start = torch.as_tensor(velocities), torch.as_tensor(rows)
    if isinstance(basis, PolynomialBasis) and is_affine(basis):
        matrices = affine_matrix(basis, vectors).numpy()
        moved = np.einsum("...cd,...d->...c", matrices[..., :-1], rows) + matrices[..., -1]
    else:
        moved = _integrated(basis, vectors, start).numpy()
    if not np.isfinite(moved).all():
        raise InputError("expected magnitudes t that keep points finite, got larger ones, try smaller ones")
    shaped: np.ndarray = moved.reshape(places.shape)
    return shaped


def _magnitudes(t: Any, points: int, size: int) -> Float[np.ndarray, "n k"]:
    values = np.asarray(t, dtype=np.float64)
    if values.ndim == 0 and size == 1:
        return np.broadcast_to(values, (points, 1))
    if values.shape == (size,):
        return np.broadcast_to(values, (points, size))
    if size == 1 and values.shape == (points,):
        return values[:, None]
    if values.shape == (points, size):
        return values
    raise InputError(f"expected t of shape ({size},) or ({points}, {size}), got {values.shape}")


def _integrated(basis: Basis, vectors: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    def velocity(p: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nmc,nm->nc", basis.fields(p), vectors)

    def after(steps: int) -> torch.Tensor:
        p, h = start, 1.0 / steps
        for _ in range(steps):
            k1 = velocity(p)
            k2 = velocity(p + h / 2 * k1)
            k3 = velocity(p + h / 2 * k2)
            k4 = velocity(p + h * k3)
            p = p + h / 6 * (k1 + 2 * (k2 + k3) + k4)
        return p

    steps, coarse = 8, after(8)
    spread = float((start - start.mean(dim=0)).abs().max()) or 1.0
    while steps < _MOST_STEPS:
        steps *= 2
        fine = after(steps)
        change = float((fine - coarse).abs().max())
        if change <= _TOLERANCE * spread:
            return fine
        coarse = fine
    return torch.full_like(start, torch.nan)


def law_of_motion(generators: Sequence[Generator], domain: Domain, reach: float) -> Float[np.ndarray, " k"]:
    """Largest magnitude of every generator: ``reach`` standard deviations of the points, half a turn of rotations."""
    points = domain.points(dtype=torch.float64).numpy()
    spread = np.maximum(points.std(axis=0), 1e-300)
    largest = []
    for generator in generators:
        speed = float(np.sqrt(np.square(generator.field(points) / spread).sum(axis=1).mean()))
        period = generator.period
        largest.append(period / 2 if period is not None else reach / max(speed, 1e-300))
    return np.array(largest)
