"""The pass over all pairs: magnitudes, residuals, and the generators refined on everything there is.

Pairs go through in chunks of fixed size; kept between chunks are three numbers a pair (t, residual, accepted) and
the reduced normal equations, whose size depends on the basis alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.pair_set import PairSet
from liescope.engines.registration.aligner import Aligner, PairPyramid, Search
from liescope.engines.registration.calibration import variance_factor
from liescope.engines.registration.joint import JointEquations
from liescope.engines.registration.span_trials import SpanTrials
from liescope.engines.workers import map_chunks
from liescope.geometry.transport import Interpolation
from liescope.geometry.transport import sample as resample

__all__ = ["Registration", "magnitudes_along", "register_all"]

_SETTLED_DEG = 0.05  # a last change of the generators below this needs no second pass
_PASSES = 3
_LEAST_ERROR_SCALE = 0.01  # of a target's energy: the robust weights never get choosier than this
_NEAREST_WINDOW = 0.6  # pixels of displacement searched on either side for nearest-neighbour data
_NEAREST_TRIALS = 8


@dataclass(frozen=True)
class Registration:
    """Generators and magnitudes of all pairs.

    Attributes
    ----------
    search : Search
        The span (orthonormal columns) and where magnitudes along it are looked for.
    covariance : array, shape (K m, K m)
        Sampling covariance of the span's columns (K-major), sandwich form.
    t : array, shape (N, K)
        Coordinates of every pair along the columns.
    t_covariance : array, shape (N, K, K)
        Their sampling covariance.
    ambiguous : array of bool, shape (N,)
        Pairs that another magnitude fits as well.
    residual : array, shape (N,)
        Squared difference between moved source and target as a share of the target's energy.
    interpolation : str
        The resampling that explains the targets best: ``linear`` or ``nearest``.
    """

    search: Search
    covariance: np.ndarray
    t: np.ndarray
    t_covariance: np.ndarray
    ambiguous: np.ndarray
    residual: np.ndarray
    interpolation: str


def register_all(
    pairs: PairSet, trials: SpanTrials, search: Search, progress: Callable[[float], None] | None = None
) -> Registration:
    """Register every pair along the span of ``search`` and refine the span on all of them."""
    aligner = trials.aligner
    scale = float(trials.held_out_errors(search).median()) + _LEAST_ERROR_SCALE
    interpolation = "nearest" if _is_nearest(trials, search) else "linear"
    generators = search.span.shape[1]
    t = np.zeros((len(pairs), generators), dtype=np.float32)
    residual = np.empty(len(pairs), dtype=np.float32)
    t_covariance = np.empty((len(pairs), generators, generators), dtype=np.float32)
    ambiguous = np.zeros(len(pairs), dtype=bool)
    for number in range(_PASSES):
        sums = JointEquations.empty(trials.basis.dimension, generators)
        measure = partial(_measured, pairs, trials, search, interpolation, scale, t if number else None)
        for part, measured in map_chunks(measure, aligner.chunks(pairs)):
            t[part], t_covariance[part], residual[part] = measured.t, measured.t_covariance, measured.residual
            if measured.ambiguous is not None:
                ambiguous[part] = measured.ambiguous
            sums = sums + measured.sums
            if progress is not None:
                progress((number + part.stop / len(pairs)) / _PASSES)
        before, covariance = search.span, sums.covariance(search.span).numpy()
        search, moved = trials.moved_span(search, sums, torch.as_tensor(t, device=before.device))
        t = moved.cpu().numpy()
        if _angle_deg(before, search.span) < _SETTLED_DEG:
            break
    if progress is not None:
        progress(1.0)
    covariance = covariance * variance_factor(trials, search)
    return Registration(search, covariance, t.astype(np.float64), t_covariance, ambiguous, residual, interpolation)


def magnitudes_along(
    pairs: PairSet, aligner: Aligner, search: Search, interpolation: str = "linear"
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, " n"]]:
    """Coordinates and relative residuals of new pairs along known generators."""
    measure = partial(_aligned, pairs, aligner, search, interpolation)
    parts = list(map_chunks(measure, aligner.chunks(pairs)))
    t, residual = (np.concatenate(column) for column in zip(*parts, strict=True))
    return t.astype(np.float64), residual


def _aligned(
    pairs: PairSet, aligner: Aligner, search: Search, interpolation: str, part: slice
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates and relative residuals of the pairs in a slice."""
    pyramid = aligner.pyramid(pairs, part)
    t, equations, _ = aligner.magnitudes(pyramid, search)
    t = nearest_magnitudes(pyramid, aligner, search, t) if interpolation == "nearest" else t
    return t.cpu().numpy(), aligner.share(pyramid, equations.error).cpu().numpy()


class _Measured(NamedTuple):
    """What one pass knows of the pairs of a chunk; which are ambiguous only the first, global search can tell."""

    t: np.ndarray
    t_covariance: np.ndarray
    ambiguous: np.ndarray | None
    residual: np.ndarray
    sums: JointEquations


def _measured(
    pairs: PairSet,
    trials: SpanTrials,
    search: Search,
    interpolation: str,
    scale: float,
    known: np.ndarray | None,
    part: slice,
) -> tuple[slice, _Measured]:
    """Coordinates, residuals and normal equations of the pairs in a slice, from ``known`` coordinates if given."""
    aligner = trials.aligner
    pyramid = aligner.pyramid(pairs, part)
    ambiguous = None
    if known is None:
        t, equations, doubtful = aligner.magnitudes(pyramid, search)
        ambiguous = doubtful.cpu().numpy()
    else:
        start = torch.as_tensor(known[part], device=search.span.device)
        t, equations = aligner.refine(pyramid.fine_source, pyramid.fine_target, search, aligner.fine, start, 2)
    sums = trials.joint_equations(equations, pyramid.fine_target, search.span, t, scale)
    t = nearest_magnitudes(pyramid, aligner, search, t) if interpolation == "nearest" else t
    scatter = aligner.scatter(equations, search.span, pyramid.fine_source.shape[1])
    arrays = (x.cpu().numpy() for x in (t, scatter, aligner.share(pyramid, equations.error)))
    moved, covariance, residual = arrays
    return part, _Measured(moved, covariance, ambiguous, residual, sums)


def _angle_deg(a: Float[Tensor, "m k"], b: Float[Tensor, "m k"]) -> float:
    """Largest angle between two spans given by orthonormal columns, accurate for small angles."""
    outside = b.double() - a.double() @ (a.double().T @ b.double())
    return float(torch.rad2deg(torch.asin(torch.linalg.matrix_norm(outside, 2).clamp(max=1))))


def _is_nearest(trials: SpanTrials, search: Search) -> bool:
    """Whether the targets were resampled by nearest neighbour.

    Such targets hold the source's own grey values in other places: moving the source with the same kernel then
    explains them far better than any smooth interpolation does, and pins their magnitude down far more closely.
    """
    aligner, held = trials.aligner, trials.held_out_pyramid
    if search.span.shape[1] != 1 or aligner.fine.grid != aligner.grid:
        return False
    t = aligner.magnitudes(held, search).t
    smooth = _raw_errors(held, aligner, search, t, "linear")
    sharp = _raw_errors(held, aligner, search, nearest_magnitudes(held, aligner, search, t), "nearest")
    informative = smooth > 1e-4 * held.fine_target.square().sum(dim=(1, 2, 3))
    if not bool(informative.any()):
        return False
    return bool((sharp[informative] / smooth[informative]).median() < 0.5)


def _raw_errors(
    pyramid: PairPyramid, aligner: Aligner, search: Search, t: Tensor, interpolation: Interpolation
) -> Float[Tensor, " b"]:
    """Squared errors at full resolution without any smoothing."""
    origins = aligner.motion(search, aligner.fine).origins(t)
    moved = resample(pyramid.fine_source, origins, aligner.fine.grid, interpolation=interpolation)
    return (moved.reshape(pyramid.fine_target.shape) - pyramid.fine_target).square().sum(dim=(1, 2, 3))


def nearest_magnitudes(
    pyramid: PairPyramid, aligner: Aligner, search: Search, t: Float[Tensor, "b 1"]
) -> Float[Tensor, "b 1"]:
    """Magnitudes of nearest-neighbour data: a search around t, because the error is piecewise constant.

    Where several neighbouring magnitudes give the same lowest error, their mean is returned.
    """
    grid = aligner.fine.grid
    speed = aligner.basis.velocity(grid.points(device=t.device), search.span[:, 0]).norm(dim=1)
    energy = pyramid.fine_target.square().sum(dim=(0, 1)).flatten() + 1e-12
    window = _NEAREST_WINDOW * max(grid.pitch) / float((speed * energy).sum() / energy.sum())
    for _ in range(2):
        offsets = torch.linspace(-window, window, 2 * _NEAREST_TRIALS + 1, device=t.device)
        errors = torch.stack([_raw_errors(pyramid, aligner, search, t + o, "nearest") for o in offsets], dim=1)
        lowest = errors <= errors.amin(dim=1, keepdim=True) * (1 + 1e-5) + 1e-9
        t = t + ((lowest * offsets).sum(dim=1) / lowest.sum(dim=1))[:, None]
        window = window * 1.5 / _NEAREST_TRIALS
    return t
