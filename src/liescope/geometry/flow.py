"""Flows of vector fields: the points that the time-one flow of a field sends given points to.

``flow(basis, v, p)`` is phi(p), the value at time 1 of the solution of dp/dt = sum_k v_k b_k(p); the magnitude is
part of v = t a. Fields of degree at most one have a closed form (a matrix exponential of size d + 1); all others are
integrated by the classical Runge-Kutta method of order 4.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.geometry.domain import lattice
from liescope.geometry.fields import Basis, PolynomialBasis

__all__ = ["affine_matrix", "flow", "flow_error", "is_affine", "runge_kutta_steps"]

# Non-linear flows may leave every bounded region in finite time. Points are held inside this box (normalised
# units; images and volumes live in [-1, 1]) so that coordinates stay finite: out there every border rule applies.
_FAR = 16.0
_MOST_STEPS = 64
_PROBES = 5  # points a side at which the slope of a field is looked at; fewer where there are many sides


def is_affine(basis: Basis) -> bool:
    """Whether every field is a polynomial of degree at most one, so that flows have a closed form."""
    return isinstance(basis, PolynomialBasis) and basis.degree <= 1


def affine_matrix(basis: PolynomialBasis, coefficients: Float[Tensor, "*b m"]) -> Float[Tensor, "*b d e"]:
    """The affine map exp of the field as [A | c], shape (..., d, d + 1): a point p goes to A p + c.

    The basis has degree at most one. Differentiable in the coefficients, at zero too.
    """
    polynomial = basis.polynomial(coefficients)
    if basis.degree == 0:
        polynomial = torch.nn.functional.pad(polynomial, (0, basis.ndim))
    constant, linear = polynomial[..., :1], polynomial[..., 1:]
    homogeneous = torch.cat((linear, constant), dim=-1)
    homogeneous = torch.nn.functional.pad(homogeneous, (0, 0, 0, 1))
    exponential: Tensor = torch.linalg.matrix_exp(homogeneous)
    return exponential[..., : basis.ndim, :]


def runge_kutta_steps(basis: Basis, coefficients: Float[Tensor, "*b m"], tolerance: float = 1e-4) -> int:
    """Number of steps for which the error of :func:`flow` over [-1, 1]^d stays about below ``tolerance``.

    The step h obeys h L <= (120 tolerance)^(1/4), with L the largest Lipschitz constant of the fields over the
    domain: the classical bound of order 4 without its (problem-dependent) constant. :func:`flow_error` measures.
    """
    count = _PROBES if basis.ndim <= 3 else 3
    probe = lattice(basis.ndim, count, dtype=coefficients.dtype, device=coefficients.device)
    jacobians = basis.jacobians(probe)
    lipschitz = torch.einsum("nmij,...m->...nij", jacobians, coefficients.detach())
    largest = float(lipschitz.square().sum(dim=(-2, -1)).amax().sqrt()) if lipschitz.numel() else 0.0
    step = float((120 * tolerance) ** 0.25)
    return min(_MOST_STEPS, max(2, math.ceil(min(largest / step, _MOST_STEPS)))) if largest == largest else _MOST_STEPS


def _mapped(matrix: Float[Tensor, "*b d e"], points: Float[Tensor, "*p d"]) -> Float[Tensor, "*q d"]:
    """The points under affine maps [A | c]."""
    if points.ndim > 2:
        return points @ matrix[..., :-1].mT + matrix[..., None, :, -1]
    # The same points under all maps are one matrix product, each coordinate in one piece.
    homogeneous = torch.nn.functional.pad(points.mT, (0, 0, 0, 1), value=1.0)
    coordinates = matrix.flatten(0, -2) @ homogeneous
    return coordinates.reshape(*matrix.shape[:-1], len(points)).mT


def flow(
    basis: Basis,
    coefficients: Float[Tensor, "*b m"],
    points: Float[Tensor, "*p d"],
    *,
    steps: int | None = None,
    tolerance: float = 1e-4,
) -> Float[Tensor, "*q d"]:
    """Where the time-one flow of ``sum_k v_k b_k`` sends the points.

    Parameters
    ----------
    basis : Basis
        The m vector fields.
    coefficients : tensor, shape (..., m)
        v = t a, one vector for all points or one for each image of a batch.
    points : tensor, shape (n, d) or (..., n, d)
        (x, y, ...) in normalised units.
    steps : int, optional
        Runge-Kutta steps; chosen from ``tolerance`` by :func:`runge_kutta_steps` when not given. Ignored where
        the closed form applies.
    tolerance : float
        Aimed-for largest error over the image in normalised units.

    Returns
    -------
    tensor, shape (..., n, d)
        Differentiable in coefficients and points. Affine: exact to rounding. Else of order 4 in the step, up to 64
        steps and as long as points stay in [-16, 16]^d, at whose edge they are held.
    """
    if isinstance(basis, PolynomialBasis) and is_affine(basis):
        return _mapped(affine_matrix(basis, coefficients), points)
    h = 1.0 / (steps or runge_kutta_steps(basis, coefficients, tolerance))
    lead = np.broadcast_shapes(coefficients.shape[:-1], points.shape[:-2])
    p = points.expand(*lead, *points.shape[-2:])
    if not (coefficients.requires_grad or points.requires_grad):
        # Each coordinate in one piece: the fields read them one by one. Gradients keep the order of their sums.
        p = p.movedim(-1, 0).contiguous().movedim(0, -1)
    for _ in range(round(1 / h)):
        k1 = basis.velocity(p, coefficients)
        k2 = basis.velocity(p + (h / 2) * k1, coefficients)
        k3 = basis.velocity(p + (h / 2) * k2, coefficients)
        k4 = basis.velocity(p + h * k3, coefficients)
        p = (p + (h / 6) * (k1 + 2 * (k2 + k3) + k4)).clamp(-_FAR, _FAR)
    return p.contiguous()


def flow_error(
    basis: Basis,
    coefficients: Float[Tensor, "*b m"],
    points: Float[Tensor, "*p d"],
    *,
    steps: int | None = None,
    tolerance: float = 1e-4,
) -> float:
    """Largest error of :func:`flow` at points that stay in [-2, 2]^d, estimated by halving the step."""
    if is_affine(basis):
        return 0.0
    steps = steps or runge_kutta_steps(basis, coefficients, tolerance)
    coarse = flow(basis, coefficients, points, steps=steps)
    fine = flow(basis, coefficients, points, steps=2 * steps)
    near = fine.abs().amax(dim=-1) <= 2
    difference = (coarse - fine).abs().amax(dim=-1)[near]
    return float(difference.amax()) * 16 / 15 if difference.numel() else 0.0
