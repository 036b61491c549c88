"""Magnitudes per frame of a film, from those of its pairs of frames: they add up along time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.linalg import cholesky_banded
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

__all__ = ["FrameMagnitudes", "bracket_share", "frame_magnitudes"]

_HUBER, _TUKEY = 1.345, 4.685
_ROUNDS = 20
_LEAST_WEIGHT = 1e-6
"""Of a pair that contradicts the others: above zero, so that no frame is cut off by it."""
_MAD = 1.4826
_FEWEST_REDUNDANT = 8
"""Pairs beyond those that frames need, from which their scatter says more than their own errors do."""


class FrameMagnitudes(NamedTuple):
    """What the pairs of a film say of its T frames.

    Attributes
    ----------
    t : array, shape (T, K)
        Magnitudes from the first frame of a frame's piece, which has 0; NaN where no pair connects the frame.
    error : array, shape (T, K)
        Standard errors of ``t``; NaN where not known.
    piece : int array, shape (T,)
        Frames that pairs connect have one number, in order of their first frames; -1 where no pair does.
    misfit : array, shape (K,)
        Robust standard deviation of t_second - t_first - t_pair, in units of t: of i to k and i to j to k, how far
        they are apart. NaN where no frame has more than one way to it.
    in_errors : array, shape (K,)
        The same in standard errors of the pairs: about 1 where magnitudes add up to their errors.
    redundant : int
        Pairs beyond those that connect the frames.
    against : int
        Pairs that contradict the others and have next to no weight.
    """

    t: np.ndarray
    error: np.ndarray
    piece: np.ndarray
    misfit: np.ndarray
    in_errors: np.ndarray
    redundant: int
    against: int


def frame_magnitudes(
    first: Int[np.ndarray, " n"],
    second: Int[np.ndarray, " n"],
    t: Float[np.ndarray, "n k"],
    t_error: Float[np.ndarray, "n k"] | None,
    accepted: Bool[np.ndarray, " n"],
    frames: int,
    period: Float[np.ndarray, " k"] | None = None,
) -> FrameMagnitudes:
    """Solve t[second] - t[first] = t_pair over the accepted pairs by robust weighted least squares.

    Parameters
    ----------
    first, second : int arrays, shape (N,)
        Frames of the pairs; each from ``first`` to ``second``, in any order.
    t, t_error : arrays, shape (N, K)
        Magnitudes of the pairs and their standard errors, along generators that commute.
    accepted : bool array, shape (N,)
        Pairs that count.
    frames : int
        T.
    period : array, shape (K,), optional
        Magnitude after which a generator comes back to where it was (a full turn); NaN or infinite for none. Pairs
        further apart than half of that are taken for what the pairs of neighbours say.

    Returns
    -------
    FrameMagnitudes
        Exact where the pairs' magnitudes add up exactly, whatever the order of the pairs.
    """
    used = accepted & np.isfinite(t).all(axis=1) & (first != second)
    i, j, pairs = first[used], second[used], t[used].astype(np.float64)
    sigma = _floored(None if t_error is None else t_error[used], pairs)
    piece, starts = _pieces(i, j, frames)
    count = t.shape[1]
    if not len(i):
        nothing, unknown = np.full((frames, count), np.nan), np.full(count, np.nan)
        return FrameMagnitudes(nothing, nothing.copy(), piece, unknown, unknown.copy(), 0, 0)
    tree = _spanning_tree(i, j, sigma, frames)
    if period is not None:
        pairs = _unwrapped(pairs, _along(tree, i, j, pairs, piece, starts), i, j, period)
    free = np.flatnonzero(piece >= 0)
    free = free[~np.isin(free, starts)]
    incidence = _incidence(i, j, free, frames)
    redundant = len(i) - len(free)
    weights, solved, scale = _robust(incidence, pairs, sigma, redundant)
    residual = pairs - incidence @ solved
    magnitudes = np.where(piece[:, None] >= 0, 0.0, np.nan) * np.ones(count)
    magnitudes[free] = solved
    error = np.full((frames, count), np.nan)
    if t_error is not None or redundant >= _FEWEST_REDUNDANT:
        error[piece >= 0] = 0.0
        error[free] = _errors(incidence, weights, sigma, scale if redundant >= _FEWEST_REDUNDANT else np.ones(count))
    misfit, in_errors = np.full(count, np.nan), np.full(count, np.nan)
    if redundant:
        misfit = _spread(residual, redundant)
        in_errors = scale if t_error is not None else in_errors
    against = int((weights <= 10 * _LEAST_WEIGHT).sum())
    return FrameMagnitudes(magnitudes, error, piece, misfit, in_errors, redundant, against)


def bracket_share(
    t: Float[np.ndarray, "n k"],
    error: Float[np.ndarray, "n k"],
    brackets: Float[np.ndarray, "k k m"],
    least: float = 0.0,
) -> float:
    """How much of the errors of frames what is left out weighs, where generators do not commute.

    exp(b) exp(a) is exp(a + b + [b, a] / 2 + ...): adding up leaves the bracket out. Below 1 it hides in the errors.

    Parameters
    ----------
    t, error : arrays, shape (T, K)
        Magnitudes of the frames in order of time and their standard errors.
    brackets : array, shape (K, K, m)
        Coefficients of the brackets of the generators.
    least : float
        What does not matter, whatever the errors: they are taken for no smaller.

    Returns
    -------
    float
        The largest, over the frames, of what the steps up to there leave out, in root mean square errors of a frame.
    """
    steps = np.diff(t, axis=0)
    left_out = 0.5 * np.einsum("na,nb,abm->nm", t[:-1], steps, brackets)
    known = np.isfinite(left_out).all(axis=1)
    total = np.cumsum(np.where(known[:, None], left_out, 0.0), axis=0)
    largest = float(np.linalg.norm(total, axis=1).max(initial=0.0))
    squares = np.square(error[np.isfinite(error).all(axis=1)]).sum(axis=1)
    typical = max(float(np.sqrt(squares.mean())) if len(squares) else 0.0, least)
    if largest <= 1e-9:
        return 0.0
    return largest / typical if typical > 0 else np.inf


def _floored(error: np.ndarray | None, pairs: np.ndarray) -> np.ndarray:
    """Errors above zero: none is taken for more than ten times as sure as a typical one."""
    if error is None or not len(pairs):
        return np.ones_like(pairs)
    known = np.where(np.isfinite(error) & (error > 0), error, np.nan)
    typical = np.array([np.nanmedian(column) if np.isfinite(column).any() else 1.0 for column in known.T])
    return np.fmax(np.where(np.isfinite(known), known, typical), 0.1 * typical)


def _graph(values: np.ndarray, i: np.ndarray, j: np.ndarray, frames: int) -> sparse.csr_array:
    """Frames with values on the way from i to j; SciPy before 1.15 walks along indices of 32 bits alone."""
    return sparse.csr_array((values, (i.astype(np.int32), j.astype(np.int32))), shape=(frames, frames))


def _pieces(i: np.ndarray, j: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """The piece of every frame, and the first frame of every piece."""
    graph = _graph(np.ones(len(i)), i, j, frames)
    _, labels = csgraph.connected_components(graph, directed=False)
    connected = np.zeros(frames, dtype=bool)
    connected[i] = connected[j] = True
    # Labels in order of first appearance.
    _, starts = np.unique(labels[connected], return_index=True)
    starts = np.sort(np.flatnonzero(connected)[starts])
    number = np.full(int(labels.max(initial=0)) + 1, -1)
    number[labels[starts]] = np.arange(len(starts))
    return np.where(connected, number[labels], -1), starts


def _spanning_tree(i: np.ndarray, j: np.ndarray, sigma: np.ndarray, frames: int) -> np.ndarray:
    """Places of pairs that connect the frames, those of neighbours first, then those that are sure."""
    order = np.lexsort((sigma.max(axis=1), np.abs(j - i)))
    rank = np.empty(len(order))
    rank[order] = np.arange(1, len(order) + 1)
    # Pairs of the same two frames: the best one.
    ends = np.stack((np.minimum(i, j), np.maximum(i, j)))
    _, distinct = np.unique(ends[:, order], axis=1, return_index=True)
    chosen = order[distinct]
    kept = csgraph.minimum_spanning_tree(_graph(rank[chosen], ends[0, chosen], ends[1, chosen], frames)).data
    return np.asarray(order[kept.astype(int) - 1])


def _along(
    tree: np.ndarray, i: np.ndarray, j: np.ndarray, pairs: np.ndarray, piece: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """Magnitudes of the frames from the pairs of a tree alone."""
    free = np.flatnonzero(piece >= 0)
    free = free[~np.isin(free, starts)]
    solved = np.zeros((len(piece), pairs.shape[1]))
    if len(free):
        solved[free] = splu(_incidence(i[tree], j[tree], free, len(piece)).tocsc()).solve(pairs[tree])
    return solved


def _unwrapped(pairs: np.ndarray, rough: np.ndarray, i: np.ndarray, j: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Magnitudes of pairs with as many full turns added as bring them next to what the frames say."""
    turns = np.isfinite(period) & (period > 0)
    away = np.where(turns, (rough[j] - rough[i] - pairs) / np.where(turns, period, 1.0), 0.0)
    return np.asarray(pairs + np.round(away) * np.where(turns, period, 0.0))


def _incidence(i: np.ndarray, j: np.ndarray, free: np.ndarray, frames: int) -> sparse.csr_array:
    """Rows that take the frames' magnitudes to the pairs'; frames that are not ``free`` have 0."""
    place = np.full(frames, -1)
    place[free] = np.arange(len(free))
    rows = np.tile(np.arange(len(i)), 2)
    columns, signs = place[np.concatenate((j, i))], np.repeat((1.0, -1.0), len(i))
    inside = columns >= 0
    return sparse.csr_array((signs[inside], (rows[inside], columns[inside])), shape=(len(i), len(free)))


def _solved(incidence: sparse.csr_array, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weighted least squares of one column."""
    weighted = incidence.T @ sparse.diags_array(weights)
    return np.asarray(splu((weighted @ incidence).tocsc()).solve(weighted @ values))


def _spread(residual: np.ndarray, redundant: int) -> np.ndarray:
    """Robust standard deviation of residuals, of which fitting has taken a part away."""
    return np.asarray(_MAD * np.median(np.abs(residual), axis=0) * np.sqrt(len(residual) / redundant))


def _robust(
    incidence: sparse.csr_array, pairs: np.ndarray, sigma: np.ndarray, redundant: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of the pairs, magnitudes of the free frames, and the scatter of the pairs in their errors.

    Huber's loss first, from which Tukey's goes on: a pair that is off by a lot then does not count at all.
    """
    weights, count = np.ones(len(pairs)), pairs.shape[1]
    scale = np.ones(count)
    solved = np.zeros((incidence.shape[1], count))
    for round_ in range(_ROUNDS if redundant else 1):
        before = solved
        columns = [_solved(incidence, weights / sigma[:, k] ** 2, pairs[:, k]) for k in range(count)]
        solved = np.stack(columns, axis=1)
        if not redundant:
            break
        z = np.abs(pairs - incidence @ solved) / sigma
        scale = _spread(z, redundant)
        # Magnitudes that add up to rounding contradict nothing.
        least = 1e-9 * np.abs(pairs / sigma).max(axis=0, initial=1e-30)
        u = (z / np.maximum(scale, least)).max(axis=1)
        if round_ < _ROUNDS // 2:
            weights = np.minimum(1.0, _HUBER / np.maximum(u, _HUBER))
        else:
            weights = np.square(np.clip(1 - np.square(u / _TUKEY), 0.0, None))
        weights = np.maximum(weights, _LEAST_WEIGHT)
        if round_ >= _ROUNDS // 2 + 1 and np.allclose(solved, before, rtol=1e-9, atol=1e-12):
            break
    return weights, solved, scale


def _errors(incidence: sparse.csr_array, weights: np.ndarray, sigma: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Standard errors of the free frames, (F, K)."""
    variances = [_inverse_diagonal(incidence, weights / sigma[:, k] ** 2) for k in range(sigma.shape[1])]
    return np.asarray(scale * np.sqrt(np.stack(variances, axis=1)))


def _inverse_diagonal(incidence: sparse.csr_array, weights: np.ndarray) -> np.ndarray:
    """The diagonal of the inverse of the normal matrix, in time that grows with the frames and not with their square.

    The matrix is banded, as pairs are no further apart than the largest lag, and so are the entries of the inverse that
    the diagonal needs: from the last row up, each follows from those below it (Takahashi, Fagan and Chin 1973).
    """
    normal = (incidence.T @ sparse.diags_array(weights) @ incidence).tocoo()
    below = normal.row >= normal.col
    rows, columns = normal.row[below], normal.col[below]
    width = int((rows - columns).max(initial=0))
    bands = np.zeros((width + 1, normal.shape[0]))
    bands[rows - columns, columns] = normal.data[below]
    factor = cholesky_banded(bands, lower=True)
    diagonal = np.empty(factor.shape[1])
    # Of the inverse, rows and columns of the frames behind the one at hand.
    behind = np.zeros((width, width))
    for place in range(len(diagonal) - 1, -1, -1):
        towards = factor[1:, place] / factor[0, place]
        across = -behind @ towards
        diagonal[place] = 1.0 / factor[0, place] ** 2 - towards @ across
        if width:
            behind[1:, 1:] = behind[:-1, :-1].copy()
            behind[0, 1:] = behind[1:, 0] = across[:-1]
            behind[0, 0] = diagonal[place]
    return diagonal
