"""Laws of motion x' = F(x) learnt from derivatives or from noisy trajectories, with refits that say how sure they are.

F is a polynomial in coordinates of unit spread; its degree is the least that predicts data which were held out about as
well as any. Trajectories are used in the weak form, ``integral of psi' x = - integral of psi F(x)`` for bumps psi, so
that no noisy state is ever differentiated. Refits draw whole runs (or stretches of few runs) anew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.signal import savgol_filter
from scipy.spatial import cKDTree

from liescope.geometry.fields import monomial_exponents

__all__ = ["LawOfMotion", "Regression", "common_residuals", "learn_law", "polynomial_values", "weak_regression"]

_FOLDS = 5
_MOST_DEGREE = 5
_MOST_COLUMNS = 300
_PER_COLUMN = 5
_MARGIN = 1.0
"""Standard errors that a higher degree has to be better by."""
_WINDOWS = (1, 5, 9, 15, 23, 35)
_CUBIC = 3
_ROUND = 1e-12
_NEIGHBOURS = 30
_CLEAR = 3.0


class Regression(NamedTuple):
    """A regression in parts that are drawn together.

    Attributes
    ----------
    states : list of arrays, shape (n_b, r)
        Where the law is evaluated.
    targets : list of arrays, shape (q_b, r)
        What it has to explain.
    weights : list of arrays, shape (q_b, n_b), or None
        Of the states in every target; None where each state has its own.
    """

    states: list[np.ndarray]
    targets: list[np.ndarray]
    weights: list[np.ndarray | None]


class LawOfMotion(NamedTuple):
    """A learnt law.

    Attributes
    ----------
    degree : int
    coefficients : array, shape (k, r)
        On the monomials, of the velocities of u.
    drawn : array, shape (S, k, r)
        Of refits.
    r2 : float
        Share of the variance of held-out data that is explained.
    ceiling : bool
        Whether the highest degree that could be tried was still better than those below: what is left may be misfit.
    misfit : float
        Size of what is missed in the same way by data from nearby states, as a share of the velocities; 0 where
        residuals of neighbours do not agree by more than chance (three standard errors).
    """

    degree: int
    coefficients: np.ndarray
    drawn: np.ndarray
    r2: float
    ceiling: bool
    misfit: float


def polynomial_values(
    inner: Float[np.ndarray, "n r"], degree: int
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k r"]]:
    """Monomials up to a degree at points, and their derivatives."""
    exponents = np.array(monomial_exponents(degree, inner.shape[1])).reshape(-1, inner.shape[1])
    powers = np.stack([inner**p for p in range(degree + 1)])  # (p, n, r)
    values = np.prod([powers[exponents[:, c], :, c] for c in range(inner.shape[1])], axis=0).T
    slopes = np.zeros((*values.shape, inner.shape[1]))
    for c in range(inner.shape[1]):
        lowered = exponents.copy()
        lowered[:, c] = np.maximum(lowered[:, c] - 1, 0)
        others = np.prod([powers[lowered[:, e], :, e] for e in range(inner.shape[1])], axis=0).T
        slopes[:, :, c] = exponents[:, c] * others
    return values, slopes


def weak_regression(
    runs: list[Float[np.ndarray, "t r"]], times: list[Float[np.ndarray, " t"]]
) -> tuple[Regression, list[np.ndarray], int]:
    """Rows of the weak form for every run, the smoothed states, and the window of smoothing that was chosen.

    The window is the one with which every other sample is best told from its neighbours.
    """
    window = _best_window(runs)
    smooth = [_smoothed(run, window) for run in runs]
    length = max(11, 2 * window + 1)
    states, targets = [], []
    weights: list[np.ndarray | None] = []
    for run, at, clean in zip(runs, times, smooth, strict=True):
        bumps, slopes = _bumps(at, min(length, len(at)))
        states.append(clean)
        targets.append(-slopes @ run)
        weights.append(bumps)
    return Regression(states, targets, weights), smooth, window


def _bumps(at: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Bumps (1 - s^2)^4 on overlapping stretches of a run, times the weights of the trapezium rule, and derivatives."""
    starts = np.arange(0, len(at) - length + 1, max(1, length // 4))
    spacing = np.gradient(at)
    bumps, slopes = np.zeros((len(starts), len(at))), np.zeros((len(starts), len(at)))
    for row, first in enumerate(starts):
        own = slice(first, first + length)
        half = (at[first + length - 1] - at[first]) / 2
        s = (at[own] - at[first]) / half - 1
        bumps[row, own] = (1 - s**2) ** 4 * spacing[own] / half
        slopes[row, own] = -8 * s * (1 - s**2) ** 3 / half * spacing[own] / half
    return bumps, slopes


def _smoothed(run: np.ndarray, window: int) -> np.ndarray:
    window = min(window, len(run) - (len(run) + 1) % 2)
    if window <= _CUBIC:
        return run
    smooth: np.ndarray = savgol_filter(run, window, _CUBIC, axis=0)
    return smooth


def _best_window(runs: list[np.ndarray]) -> int:
    """Least error of a sample as its neighbours tell it, without itself (the filter's own weight taken out)."""
    best, least = 1, np.inf
    for window in _WINDOWS[1:]:
        if window >= min(len(run) for run in runs):
            break
        unit = np.zeros(2 * window + 1)
        unit[window] = 1
        own = savgol_filter(unit, window, _CUBIC)[window]
        rest = [((run - savgol_filter(run, window, _CUBIC, axis=0)) / (1 - own))[window:-window] for run in runs]
        error = float(
            np.mean(np.concatenate([np.square(part) for part in rest if len(part)] or [np.full((1, 1), np.inf)]))
        )
        if error < least:
            best, least = window, error
    return best


def learn_law(data: Regression, draws: int, seed: int, most: int = _MOST_DEGREE) -> LawOfMotion:
    """Choose a degree by what was held out, fit it, and refit it to parts drawn anew."""
    rng = np.random.default_rng(seed)
    parts, ndim = len(data.states), data.targets[0].shape[1]
    rows = sum(len(t) for t in data.targets)
    fold = rng.permutation(parts) % min(_FOLDS, parts)
    tried: list[tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]] = []
    for degree in range(1, most + 1):
        count = len(monomial_exponents(degree, ndim))
        if count > min(rows // _PER_COLUMN, _MOST_COLUMNS):
            break
        normal = _normal_equations(data, degree)
        tried.append((_held_out(data, degree, normal, fold), normal))
    means = np.array([errors.mean() for errors, _ in tried])
    best = int(np.argmin(means))
    chosen = next(i for i in range(best + 1) if _as_good(tried[i][0], tried[best][0]))
    degree = chosen + 1
    gram, moment = tried[chosen][1]
    coefficients = _solved(gram.sum(axis=0), moment.sum(axis=0))
    counts = rng.multinomial(parts, np.full(parts, 1 / parts), size=draws)
    drawn = np.array([_solved(np.tensordot(c, gram, 1), np.tensordot(c, moment, 1)) for c in counts.astype(np.float64)])
    targets = np.concatenate(data.targets)
    spread = float(np.square(targets - (0 if data.weights[0] is not None else targets.mean(axis=0))).mean())
    ceiling = chosen == len(tried) - 1 and chosen > 0 and means[chosen] > 100 * _ROUND * spread
    r2 = 1 - float(means[chosen]) / max(spread, 1e-300)
    return LawOfMotion(degree, coefficients, drawn, r2, bool(ceiling), _misfit(data, degree, coefficients, spread))


def _misfit(data: Regression, degree: int, coefficients: np.ndarray, spread: float) -> float:
    """What residuals have in common with those of the nearest states of other parts."""
    places, residuals, parts = [], [], []
    for part, target in enumerate(data.targets):
        weights, states = data.weights[part], data.states[part]
        places.append(states if weights is None else weights @ states / weights.sum(axis=1, keepdims=True))
        residuals.append(target - _design(data, part, degree) @ coefficients)
        parts.append(np.full(len(target), part))
    at, left, own = (np.concatenate(each) for each in (places, residuals, parts))
    return common_residuals(at, left, own, spread)


def _as_good(errors: np.ndarray, best: np.ndarray) -> bool:
    """Whether errors of the folds are within a standard error of the best, or nothing but rounding."""
    difference = errors - best
    deviation = float(difference.std(ddof=1)) / np.sqrt(len(difference)) if len(difference) > 1 else 0.0
    return bool(difference.mean() <= _MARGIN * deviation * 0.999 + 1e-12 * abs(float(best.mean())))


def _design(data: Regression, part: int, degree: int) -> np.ndarray:
    values = polynomial_values(data.states[part], degree)[0]
    weights = data.weights[part]
    return values if weights is None else weights @ values


def _normal_equations(data: Regression, degree: int) -> tuple[np.ndarray, np.ndarray]:
    grams, moments = [], []
    for part, target in enumerate(data.targets):
        design = _design(data, part, degree)
        grams.append(design.T @ design)
        moments.append(design.T @ target)
    return np.array(grams), np.array(moments)


def _solved(gram: np.ndarray, moment: np.ndarray) -> np.ndarray:
    scale = 1 / np.sqrt(np.maximum(np.diag(gram), 1e-300))
    values = np.linalg.lstsq(gram * scale[:, None] * scale, moment * scale[:, None], rcond=_ROUND)[0]
    solution: np.ndarray = values * scale[:, None]
    return solution


def _held_out(data: Regression, degree: int, normal: tuple[np.ndarray, np.ndarray], fold: np.ndarray) -> np.ndarray:
    """Mean squared error of every fold under a fit to the others."""
    gram, moment = normal
    errors = []
    for f in range(int(fold.max()) + 1):
        without = _solved(gram[fold != f].sum(axis=0), moment[fold != f].sum(axis=0))
        missed = [data.targets[p] - _design(data, p, degree) @ without for p in np.flatnonzero(fold == f).tolist()]
        errors.append(float(np.square(np.concatenate(missed)).mean()))
    return np.array(errors)


def common_residuals(
    at: Float[np.ndarray, "n r"], left: Float[np.ndarray, "n q"], own: np.ndarray, spread: float
) -> float:
    """What residuals share with those of the nearest places of other parts, as a share of the root of ``spread``.

    0 where they agree by no more than chance (three standard errors).
    """
    near = cKDTree(at).query(at, k=min(_NEIGHBOURS, len(at)))[1]
    elsewhere = own[near] != own[:, None]
    first = np.argmax(elsewhere, axis=1)
    found = elsewhere[np.arange(len(at)), first]
    if found.sum() < _NEIGHBOURS:
        return 0.0
    pairs = near[np.arange(len(at)), first][found]
    common = (left[found] * left[pairs]).mean(axis=1)
    error = float(common.std(ddof=1)) / np.sqrt(len(common) / 2)
    mean = float(common.mean())
    return float(np.sqrt(mean / max(spread, 1e-300))) if mean > _CLEAR * error else 0.0
