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

from liescope.algebra import field_gram
from liescope.engines.registration.aligner import PairPyramid, Search
from liescope.engines.registration.span_trials import SpanTrials
from liescope.geometry import Basis, Grid
from liescope.geometry.transport import Interpolation, sample

__all__ = ["Systematic", "resampling_error", "systematic_of"]

_PAIRS = 192
_ROUNDS = 3
_KERNELS: tuple[Interpolation, ...] = ("linear", "cubic")
_NORMAL_95 = 1.96

_DEVIATION = 0.6
"""Standard deviation of an error of a known size, in units of that: 95 of 100 normal ones are below 1.2 of them."""
_FINEST_PX = 3e-4
"""Root mean square: nothing is known better, whatever pixels say; what two programs do at a border differs by more."""


class Systematic(NamedTuple):
    """Errors beyond the scatter of the pairs.

    Attributes
    ----------
    span : array, shape (K m, K m)
        Covariance of the span's columns, K-major.
    t : array, shape (K, K)
        Covariance of magnitudes, diagonal.
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
    return systematic_of((search.span, known), (own.span, t), (_DEVIATION, 1.0), trials.basis, aligner.grid)


def systematic_of(
    answer: tuple[Float[Tensor, "m k"], Float[Tensor, "b k"]],
    other: tuple[Float[Tensor, "m k"], Float[Tensor, "b k"]],
    shares: tuple[float, float],
    basis: Basis,
    grid: Grid,
) -> Systematic:
    """Errors as large as an answer differs from another, and never less than a trace of a pixel.

    Parameters
    ----------
    answer, other : two tensors each, shapes (m, K) and (B, K)
        Span, as orthonormal columns, and magnitudes.
    shares : two floats
        Standard deviations in units of the differences, of the span and of the magnitudes.
    """
    span, t = answer
    # The other's nearest columns: turning within a span changes nothing but the coordinates.
    left, _, right = torch.linalg.svd(other[0].T @ span)
    turn = left @ right
    change, t_change = shares[0] * (other[0] @ turn - span), shares[1] * (other[1] @ turn - t)
    columns, k = span.double().cpu().numpy(), span.shape[1]
    gram = field_gram(basis, grid)
    speed = np.sqrt(np.einsum("mk,mn,nk->k", columns, gram, columns)) * grid.pixels_per_unit
    size = torch.quantile(t_change.abs().double(), 0.95, dim=0).cpu().numpy() / _NORMAL_95
    v = t.double().cpu().numpy() @ columns.T
    moved = np.sqrt(np.median(np.einsum("bm,mn,bn->b", v, gram, v))) * grid.pixels_per_unit
    # All columns off the span: what turns them within it changes nothing.
    off = np.eye(len(columns)) - columns @ columns.T
    whole = change.double().cpu().numpy().T.reshape(-1)
    floor = (_FINEST_PX / max(moved, _FINEST_PX)) ** 2 * np.kron(np.eye(k), off)
    return Systematic(np.outer(whole, whole) + floor, np.diag(size**2 + (_FINEST_PX / speed) ** 2))
