"""What all pairs share, and resampling them therefore does not show: targets were made by some interpolation.

Sources are moved by the flow that was found, with the interpolation that the targets look like, and registered again.
By what the answer changes, it may be wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.registration.aligner import PairPyramid, Search
from liescope.engines.registration.span_trials import SpanTrials
from liescope.geometry.transport import Interpolation, sample

__all__ = ["Systematic", "resampling_error", "typical_square"]

_PAIRS = 192
_ROUNDS = 3
_KERNELS: tuple[Interpolation, ...] = ("linear", "cubic")
_NORMAL_95 = 1.96


class Systematic(NamedTuple):
    """Errors beyond the scatter of the pairs.

    Attributes
    ----------
    span : array, shape (K m,)
        Change of the span's columns, K-major.
    t : array, shape (K, K)
        Diagonal: mean squares of the magnitudes' changes, as 95 of 100 pairs have them.
    """

    span: np.ndarray
    t: np.ndarray


def resampling_error(trials: SpanTrials, search: Search) -> Systematic:
    """How the answer changes where sources, moved by it, take the targets' place."""
    aligner, pyramid = trials.aligner, trials.fit_pyramid
    few = slice(0, _PAIRS)
    coarse, source, target = (x[few] for x in (pyramid.coarse_source, pyramid.fine_source, pyramid.fine_target))
    known = aligner.magnitudes(PairPyramid(coarse, pyramid.coarse_target[few], source, target), search).t
    origins, grid = aligner.motion(search, aligner.fine).origins(known), aligner.fine.grid
    made = [sample(source, origins, grid, interpolation=kernel).reshape(source.shape) for kernel in _KERNELS]
    errors = [(x - target).square().sum(dim=(1, 2, 3)).median() for x in made]
    target = made[int(np.argmin([float(error) for error in errors]))]
    own, t = search, known
    for _ in range(_ROUNDS):
        t, equations = aligner.refine(source, target, own, aligner.fine, t, 2)
        own, t = trials.moved_span(own, trials.joint_equations(equations, target, own.span, t), t)
    # The nearest columns to the given ones: turning within a span changes nothing but the coordinates.
    left, _, right = torch.linalg.svd(own.span.T @ search.span)
    turn = left @ right
    change = (own.span @ turn - search.span).T.reshape(-1)
    return Systematic(change.double().cpu().numpy(), typical_square(t @ turn - known))


def typical_square(changes: Float[Tensor, "b k"]) -> Float[np.ndarray, "k k"]:
    """Variances (diagonal) of normal errors of which 95 of 100 are as large as 95 of 100 of these."""
    size = torch.quantile(changes.abs().double(), 0.95, dim=0) / _NORMAL_95
    variance: np.ndarray = np.diag(size.square().cpu().numpy())
    return variance
