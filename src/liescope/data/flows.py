"""Flows of vector fields on the plane in numpy: the data layer's own route, independent of the engines.

Every flow maps points (n, 2) or (k, n, 2) and field parameters tau (k,) to phi_tau(points), shape (k, n, 2),
in float64. Affine and special conformal flows are exact; polynomial ones are integrated (error stated below).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy.linalg
from jaxtyping import Float

__all__ = ["affine_flow", "polynomial_field", "polynomial_flow", "special_conformal_flow"]

Flow = Callable[[np.ndarray, np.ndarray], np.ndarray]

FAR = 1e4
"""Where points at infinity are put: outside of any image, and finite so that interpolation stays defined."""

ESCAPED = 10.0
"""Beyond this distance the field is held constant: such points are off any image and need no accuracy."""


def affine_flow(
    exponential: Callable[[np.ndarray], np.ndarray],
    centre: Sequence[float] = (0.0, 0.0),
    velocity: Sequence[float] = (0.0, 0.0),
) -> Flow:
    """The flow ``p -> centre + exp(tau M)(p - centre) + tau velocity``.

    Parameters
    ----------
    exponential : callable
        tau (k,) to exp(tau M), shape (k, 2, 2).
    centre, velocity : (x, y)
        Fixed point and constant drift in normalised units; at most one of them is not zero.
    """
    c, v = np.asarray(centre, dtype=np.float64), np.asarray(velocity, dtype=np.float64)

    def flow(points: np.ndarray, tau: np.ndarray) -> np.ndarray:
        moved: np.ndarray = (points - c) @ np.swapaxes(exponential(tau), -1, -2)
        moved += c + tau[:, None, None] * v
        return moved

    return flow


def special_conformal_flow(direction: complex) -> Flow:
    """The flow ``z -> z / (1 - tau direction z)`` of the field ``direction z^2``, with z = x + iy.

    Direction 1 is (x^2 - y^2) d/dx + 2xy d/dy; direction -i is 2xy d/dx + (y^2 - x^2) d/dy. Points carried
    through the pole land where the Moebius map puts them; the pole itself lands ``FAR`` away.
    """

    def flow(points: np.ndarray, tau: np.ndarray) -> np.ndarray:
        z = points[..., 0] + 1j * points[..., 1]
        denominator = 1.0 - direction * tau[:, None] * z
        pole = np.abs(denominator) < 1.0 / FAR
        moved = z / np.where(pole, 1.0 / FAR, denominator)
        return np.stack([moved.real, moved.imag], axis=-1)

    return flow


def polynomial_field(
    points: Float[np.ndarray, "*b 2"], components: Float[np.ndarray, "2 f"], degree: int
) -> Float[np.ndarray, "*b 2"]:
    """The field with those coefficients on the monomials 1, x, y, x^2, xy, y^2, ... at the points."""
    x, y = points[..., 0], points[..., 1]
    field = np.zeros_like(points)
    k = 0
    for total in range(degree + 1):
        for q in range(total + 1):
            if np.any(components[:, k]):
                field += (x ** (total - q) * y**q)[..., None] * components[:, k]
            k += 1
    return field


def polynomial_flow(components: Float[np.ndarray, "2 f"], degree: int) -> Flow:
    """The flow of a polynomial field: matrix exponential for degree 1, classical Runge-Kutta above.

    The step h keeps h x (bound of the field and its derivative on the image) <= 1/16, which leaves errors
    below 1e-6 normalised units where the flow stays near the image. Where all tau share their starting
    points, as they do in a set of pairs, the trajectories are integrated once and read by cubic Hermite
    interpolation. Trajectories that leave for good are held ``FAR`` away: a quadratic field can reach
    infinity in finite time.
    """
    return _linear_flow(components) if degree == 1 else _integrated_flow(components, degree)


def _linear_flow(components: np.ndarray) -> Flow:
    generator = np.zeros((3, 3))
    generator[:2, 2], generator[:2, :2] = components[:, 0], components[:, 1:]

    def flow(points: np.ndarray, tau: np.ndarray) -> np.ndarray:
        matrix = scipy.linalg.expm(tau[:, None, None] * generator)
        moved: np.ndarray = points @ np.swapaxes(matrix[:, :2, :2], -1, -2) + matrix[:, None, :2, 2]
        return moved

    return flow


def _integrated_flow(components: np.ndarray, degree: int) -> Flow:
    # Bound of the field and of its derivative on the disc of radius sqrt 2, which holds the image.
    bound = degree * float(np.abs(components).sum()) * 2 ** ((degree - 1) / 2)

    def velocity(points: np.ndarray) -> np.ndarray:
        return polynomial_field(np.clip(points, -ESCAPED, ESCAPED), components, degree)

    def step(points: np.ndarray, h: np.ndarray | float) -> np.ndarray:
        k1 = velocity(points)
        k2 = velocity(points + h / 2 * k1)
        k3 = velocity(points + h / 2 * k2)
        k4 = velocity(points + h * k3)
        moved: np.ndarray = np.clip(points + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), -FAR, FAR)
        return moved

    def flow(points: np.ndarray, tau: np.ndarray) -> np.ndarray:
        furthest = float(np.max(np.abs(tau), initial=0.0))
        steps = int(np.clip(np.ceil(16 * bound * furthest), 8, 1024))
        if points.ndim == 2:
            return _dense_output(points.astype(np.float64), tau, furthest / steps, step, velocity)
        moved = points.astype(np.float64)
        for _ in range(steps):
            moved = step(moved, (tau / steps)[:, None, None])
        return moved

    return flow


def _dense_output(
    points: np.ndarray,
    tau: np.ndarray,
    h: float,
    step: Callable[[np.ndarray, float], np.ndarray],
    velocity: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """phi_tau(points) for many tau at once: nodes every h in both directions, cubic Hermite between them."""
    if h == 0:
        return np.repeat(points[None], len(tau), axis=0)
    moved = np.empty((len(tau), *points.shape))
    for sign in (1.0, -1.0):
        chosen = np.flatnonzero(tau >= 0 if sign > 0 else tau < 0)
        place = np.abs(tau[chosen]) / h
        interval = np.floor(place).astype(int)
        here = points
        for k in range(int(interval.max(initial=-1)) + 1):
            ahead = step(here, sign * h)
            members = interval == k
            u = (place[members] - k)[:, None, None]
            slope, slope_ahead = sign * h * velocity(here), sign * h * velocity(ahead)
            moved[chosen[members]] = (
                (1 + 2 * u) * (1 - u) ** 2 * here
                + u * (1 - u) ** 2 * slope
                + u**2 * (3 - 2 * u) * ahead
                - u**2 * (1 - u) * slope_ahead
            )
            here = ahead
    return moved
