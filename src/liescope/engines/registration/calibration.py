"""How much wider intervals must be than the equations say: groups of pairs are fitted apart and compared.

The normal equations are linearised in images that carry noise themselves, and noise has gradients: curvatures come out
too large and covariances too small, by a tenth or more where images are noisy. Fits of disjoint groups of pairs scatter
as they do, whatever the equations say. Their scatter in units of the predicted one is a single number, known well even
from a few groups.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from liescope.engines.registration.aligner import Search
from liescope.engines.registration.span_trials import SpanTrials

__all__ = ["variance_factor"]

_GROUPS = 8
_LEAST_GROUP = 12
_ROUNDS = 3
_PRIOR = 8.0  # degrees of freedom with which a factor of 1 is believed beforehand


def variance_factor(trials: SpanTrials, search: Search) -> float:
    """By what to multiply the predicted covariance of the span.

    Parameters
    ----------
    trials : SpanTrials
        Its sample of pairs is divided into groups.
    search : Search
        The span at its best; groups start from there.
    """
    aligner, pyramid = trials.aligner, trials.fit_pyramid
    m, k = search.span.shape
    count = len(pyramid.fine_source)
    groups = min(_GROUPS, count // _LEAST_GROUP)
    if groups < 2 or m == k:
        return 1.0
    start = aligner.magnitudes(pyramid, search).t
    equations = aligner.refine(pyramid.fine_source, pyramid.fine_target, search, aligner.fine, start, 0)[1]
    predicted = trials.joint_equations(equations, pyramid.fine_target, search.span, start).covariance(search.span)
    deviations = []
    for index in np.array_split(np.arange(count), groups):
        source, target = pyramid.fine_source[index], pyramid.fine_target[index]
        own, t = search, start[index]
        for _ in range(_ROUNDS):
            t, part = aligner.refine(source, target, own, aligner.fine, t, 1)
            own, t = trials.moved_span(own, trials.joint_equations(part, target, own.span, t), t)
        deviations.append(_off(search.span, own.span))
    scattered = torch.stack(deviations)
    scattered = scattered - scattered.mean(dim=0)
    inverse = torch.linalg.pinv(groups * predicted, rtol=1e-9, hermitian=True)
    freedom = (groups - 1) * k * (m - k)
    squares = float(torch.einsum("gi,ij,gj->", scattered, inverse, scattered))
    factor = (squares + _PRIOR) / (freedom + _PRIOR)
    return factor if np.isfinite(factor) else 1.0


def _off(span: Tensor, other: Tensor) -> Tensor:
    """How the other span leaves the first, as a change (K m,) of its columns."""
    first, second = span.double().cpu(), other.double().cpu()
    # Columns that agree with the first span's as far as they lie in it: the rest is the change.
    aligned = second @ torch.linalg.inv(first.T @ second)
    change: Tensor = (aligned - first).T.reshape(-1)
    return change
