"""Global search of the magnitudes: for every pair the best of a list of flows that all pairs share.

A shared flow costs one resampling of the whole batch with one set of weights, so many can be tried. This is what
removes the local minima of large transformations.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.registration.coordinates import rms_displacement
from liescope.engines.registration.levels import Level
from liescope.geometry.fields import Basis
from liescope.geometry.flow import flow, runge_kutta_steps
from liescope.geometry.transport import sample

__all__ = ["OrbitMatch", "orbit_grid", "orbit_search", "shared_flow_errors", "spread"]

_SPACING = 0.6  # of a level pixel, root mean square over the data's support, between neighbouring magnitudes
_REACH = 1.75  # farthest move looked at, same measure, normalised units; half a turn of a full image is 1.63
_MOST = 100  # magnitudes on either side of zero, at most
_LOOKED_AT_ONCE = 25


class OrbitMatch(NamedTuple):
    """Where the error along the orbit is lowest.

    Attributes
    ----------
    t, error : tensors, shape (B,)
        Best magnitude on the grid (refined by a parabola) and its squared error.
    second_t, second_error : tensors, shape (B,)
        The lowest other local minimum, as of images that look alike after half a turn; an infinite error where
        there is none.
    """

    t: Tensor
    error: Tensor
    second_t: Tensor
    second_error: Tensor


def orbit_grid(basis: Basis, direction: Float[Tensor, " m"], level: Level, support: Float[Tensor, " n"]) -> Tensor:
    """Magnitudes to try: evenly spaced, as far as the images can be moved and still be seen.

    Closed orbits (rotation) end at half a turn: the flow's displacement is followed, not extrapolated.
    """
    points = level.grid.points(device=support.device)
    speed = rms_displacement(basis, direction, support, points)
    step = _SPACING * max(level.grid.pitch) / max(speed, 1e-9)
    times = torch.arange(1, _MOST + 1, dtype=torch.float32, device=support.device) * step
    coordinates = times[:, None] * direction.to(points)
    fine = runge_kutta_steps(basis, coordinates, tolerance=1e-3)
    seen, count = support.new_zeros(1), _MOST
    # Most orbits have left the image, or turned back, after a few dozen magnitudes.
    for part in torch.split(coordinates, _LOOKED_AT_ONCE):
        ends = flow(basis, part, points, steps=fine)
        distance = ((ends - points).square().sum(-1) * support).sum(-1).sqrt()
        beyond = (distance > _REACH) | (distance.diff(prepend=seen[-1:]) < 0)
        if bool(beyond.any()):
            count = len(seen) - 1 + int(beyond.nonzero()[0])
            break
        seen = torch.cat((seen, distance))
    count = max(4, count)
    return torch.arange(-count, count + 1, dtype=torch.float32, device=support.device) * step


def shared_flow_errors(
    source: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h w"],
    basis: Basis,
    coordinates: Float[Tensor, "s m"],
    level: Level,
) -> Float[Tensor, "b s"]:
    """Squared error of every pair under each of S shared flows ``exp(v_s . basis)``."""
    points = level.grid.points(device=source.device)
    origins = flow(basis, -coordinates, points, tolerance=1e-3)
    flat = target.reshape(len(target), -1)
    errors = torch.empty(len(source), len(coordinates), device=source.device)
    for k in range(len(coordinates)):
        values = sample(source, origins[k : k + 1], level.grid).reshape(len(source), -1)
        # |w - y|^2 without |y|^2: one reduction over one temporary
        errors[:, k] = torch.linalg.vecdot(values, values - 2 * flat)
    return (errors + flat.square().sum(-1, keepdim=True)).clamp_min(0)


def orbit_search(
    source: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h w"],
    basis: Basis,
    direction: Float[Tensor, " m"],
    level: Level,
    times: Float[Tensor, " s"],
) -> OrbitMatch:
    """The best magnitude of every pair along the orbit of ``direction``.

    Parameters
    ----------
    source, target : tensors, shape (B, C, h, w)
        Images on ``level``.
    times : tensor, shape (S,)
        Evenly spaced magnitudes (:func:`orbit_grid`).
    """
    errors = shared_flow_errors(source, target, basis, times[:, None] * direction, level)
    best, error = errors.argmin(dim=1), errors.amin(dim=1)
    valleys = torch.full_like(errors, torch.inf)
    middle = errors[:, 1:-1]
    lower = (middle < errors[:, :-2]) & (middle < errors[:, 2:])
    valleys[:, 1:-1][lower] = middle[lower]
    valleys.scatter_(1, best[:, None], torch.inf)
    second, second_error = valleys.argmin(dim=1), valleys.amin(dim=1)
    return OrbitMatch(_vertex(errors, best, times), error, _vertex(errors, second, times), second_error)


def _vertex(errors: Float[Tensor, "b s"], index: Tensor, times: Float[Tensor, " s"]) -> Float[Tensor, " b"]:
    """Where the parabola through a grid value and its neighbours is lowest; an end of the grid is kept."""
    inner = index.clamp(1, len(times) - 2)
    left, middle, right = (errors.gather(1, (inner + d)[:, None])[:, 0] for d in (-1, 0, 1))
    curvature = (left + right - 2 * middle).clamp_min(1e-12)
    offset = ((left - right) / (2 * curvature)).clamp(-1, 1)
    return torch.where(index == inner, times[inner] + offset * (times[1] - times[0]), times[index])


def spread(points: Float[Tensor, "n k"], count: int) -> Float[Tensor, "s k"]:
    """At most ``count`` of the points, each as far as possible from those before it; the first is zero."""
    chosen = [points.new_zeros(points.shape[1])]
    distance = points.norm(dim=1)
    for _ in range(min(count, len(points)) - 1):
        farthest = int(distance.argmax())
        if not distance[farthest] > 0:
            break
        chosen.append(points[farthest])
        distance = torch.minimum(distance, (points - points[farthest]).norm(dim=1))
    return torch.stack(chosen)
