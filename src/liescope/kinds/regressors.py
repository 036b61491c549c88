"""Functions learnt from noisy values, with draws of what they may be: polynomials, and Gaussian processes.

Both are linear in their weights, whose posterior is normal. A polynomial has one degree more than predicts best, and at
least three: a degree too low has symmetries of its own. The Gaussian process has a Gaussian kernel by random Fourier
features; its length and the share of noise are those of the least generalised cross-validation error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve, eigh, solve_triangular

from liescope.geometry.fields import monomial_exponents
from liescope.kinds.learned import common_residuals, polynomial_values

__all__ = ["MODELS", "Learnt", "learn_labels", "learn_values"]

MODELS = ("auto", "polynomial", "gp")

_LEAST_DEGREE = 3
_MOST_DEGREE = 6
_PER_WEIGHT = 5
_MOST_WEIGHTS = 300
_FEATURES = 400
_LENGTHS = (0.25, 0.4, 0.6, 0.9, 1.4, 2.2, 3.5)
_RIDGES = np.logspace(-9, 1, 21)
_GAIN = 0.97
"""Share of a polynomial's error that a Gaussian process must fall below to be preferred."""
_STEPS = 50
_PRIOR = 1e-2

Slopes = Callable[[np.ndarray], np.ndarray]


class Learnt(NamedTuple):
    """A function of u that was learnt.

    Attributes
    ----------
    gradients : array, shape (n, r)
        At the points that were asked for.
    drawn : array, shape (S, n, r)
        Of draws.
    model : str
    r2 : float
        Share of the variance that is predicted, by cross-validation; of labels of the deviance.
    misfit : float
        :func:`liescope.kinds.learned.common_residuals`.
    """

    gradients: np.ndarray
    drawn: np.ndarray
    model: str
    r2: float
    misfit: float


class _Linear(NamedTuple):
    """A ridge regression: features, their derivatives, weights, and a factor L with posterior L'^-1 L^-1 noise."""

    name: str
    error: float
    weights: np.ndarray
    factor: np.ndarray
    noise: float
    fitted: np.ndarray
    slopes: Slopes


def learn_values(
    inner: Float[np.ndarray, "n r"],
    y: Float[np.ndarray, " n"],
    at: Float[np.ndarray, "p r"],
    model: str,
    draws: int,
    seed: int,
) -> Learnt:
    """Learn y as a function of u, and its gradients at other places."""
    centred = y - y.mean()
    candidates = [] if model == "gp" else [_polynomial(inner, centred)]
    if model != "polynomial":
        process = _process(inner, centred, seed)
        if not candidates or process.error < _GAIN * candidates[0].error:
            candidates = [process]
    (best,) = candidates
    rng = np.random.default_rng(seed)
    scatter = solve_triangular(best.factor.T, rng.normal(size=(len(best.weights), draws)), lower=False)
    weights = best.weights[:, None] + np.sqrt(best.noise) * scatter
    slopes = best.slopes(at)
    spread = max(float(np.mean(centred**2)), 1e-300)
    misfit = common_residuals(inner, (centred - best.fitted)[:, None], np.arange(len(y)), spread)
    drawn = np.einsum("pkr,ks->spr", slopes, weights, optimize=True)
    gradients = np.einsum("pkr,k->pr", slopes, best.weights, optimize=True)
    return Learnt(gradients, drawn, best.name, 1 - best.error / spread, misfit)


def _polynomial(inner: np.ndarray, y: np.ndarray) -> _Linear:
    """Of the degree after the one that predicts best."""
    errors: list[float] = []
    degrees = _degrees(len(y), inner.shape[1])
    for degree in degrees:
        design = polynomial_values(inner, degree)[0]
        left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        errors.append(float(np.mean(left**2)) / (1 - design.shape[1] / len(y)) ** 2)
    size = float(np.mean(y**2))
    good = [e <= min(errors) + 1e-20 * size for e in errors]
    degree = min(max(degrees[good.index(True)] + 1, _LEAST_DEGREE), degrees[-1])
    design = polynomial_values(inner, degree)[0]
    triangle = np.linalg.qr(design, mode="r")
    signs = np.sign(np.diag(triangle)) + (np.diag(triangle) == 0)
    weights = np.linalg.lstsq(design, y, rcond=None)[0]
    fitted = design @ weights
    noise = float(np.sum((y - fitted) ** 2)) / max(len(y) - design.shape[1], 1)
    error = noise / (1 - design.shape[1] / len(y))
    factor = (signs[:, None] * triangle).T + 1e-12 * np.sqrt(len(y)) * np.eye(design.shape[1])
    return _Linear(
        f"polynomial of degree {degree}",
        error,
        weights,
        factor,
        noise,
        fitted,
        lambda u: polynomial_values(u, degree)[1],
    )


def _degrees(count: int, ndim: int) -> list[int]:
    """Degrees with few enough weights for so many values."""
    most = min(count // _PER_WEIGHT, _MOST_WEIGHTS)
    fits = [p for p in range(1, _MOST_DEGREE + 1) if len(monomial_exponents(p, ndim)) <= most]
    return fits or [1]


def _process(inner: np.ndarray, y: np.ndarray, seed: int) -> _Linear:
    """Lengths and noise by generalised cross-validation."""
    rng = np.random.default_rng(seed)
    n, r = inner.shape
    count = min(_FEATURES, max(20, n // 3))
    waves, phases = rng.normal(size=(count, r)), rng.uniform(0, 2 * np.pi, count)
    best: tuple[float, float, float] | None = None
    for length in _LENGTHS:
        design = _features(inner, waves / length, phases)
        values, vectors = eigh(design.T @ design)
        values = np.clip(values, 0, None)
        moment = vectors.T @ (design.T @ y)
        for ridge in _RIDGES * n:
            shares = values / (values + ridge)
            inside = np.where(values > 0, moment**2 / np.maximum(values, 1e-300), 0.0)
            left = float(y @ y) - float(np.sum(inside * (2 * shares - shares**2)))
            error = max(left, 1e-15 * float(y @ y)) / n / (1 - shares.sum() / n) ** 2
            if best is None or error < best[0]:
                best = (error, length, float(ridge))
    assert best is not None
    error, length, ridge = best
    design = _features(inner, waves / length, phases)
    factor, _ = cho_factor(design.T @ design + ridge * np.eye(count), lower=True)
    factor = np.tril(factor)
    weights = cho_solve((factor, True), design.T @ y)
    fitted = design @ weights
    noise = float(np.sum((y - fitted) ** 2)) / n / max(1 - count / n, 0.1)
    return _Linear(
        f"Gaussian process of length {length:g}",
        error,
        weights,
        factor,
        max(noise, error * 1e-6),
        fitted,
        lambda u: _feature_slopes(u, waves / length, phases),
    )


def _features(inner: np.ndarray, waves: np.ndarray, phases: np.ndarray) -> np.ndarray:
    values: np.ndarray = np.sqrt(2 / len(waves)) * np.cos(inner @ waves.T + phases)
    return values


def _feature_slopes(inner: np.ndarray, waves: np.ndarray, phases: np.ndarray) -> np.ndarray:
    values: np.ndarray = -np.sqrt(2 / len(waves)) * np.sin(inner @ waves.T + phases)[:, :, None] * waves
    return values


def learn_labels(
    inner: Float[np.ndarray, "n r"], y: Float[np.ndarray, " n"], at: Float[np.ndarray, "p r"], draws: int, seed: int
) -> Learnt:
    """Learn the probability of a label 1 (of 0 and 1): logistic regression on polynomials, Laplace draws.

    The degree is one more than that of least BIC, and at least three; gradients are those of the probability.
    """
    tried = {}
    degrees = _degrees(len(y) // 2, inner.shape[1])
    for degree in degrees:
        tried[degree] = _logistic(polynomial_values(inner, degree)[0], y)
    sizes = {p: len(monomial_exponents(p, inner.shape[1])) for p in degrees}
    bic = min(degrees, key=lambda p: 2 * tried[p][2] + sizes[p] * np.log(len(y)))
    degree = min(max(bic + 1, _LEAST_DEGREE), degrees[-1])
    weights, factor, loss = tried[degree]
    values, slopes = polynomial_values(at, degree)
    rng = np.random.default_rng(seed)
    scatter = solve_triangular(factor.T, rng.normal(size=(len(weights), draws)), lower=False)
    every = np.column_stack((weights, weights[:, None] + scatter))
    chance = 1 / (1 + np.exp(-np.clip(values @ every, -30, 30)))
    gradients = np.einsum("ps,pkr,ks->spr", chance * (1 - chance), slopes, every, optimize=True)
    known = polynomial_values(inner, degree)[0] @ weights
    left = y - 1 / (1 + np.exp(-np.clip(known, -30, 30)))
    misfit = common_residuals(inner, left[:, None], np.arange(len(y)), max(float(y.var()), 1e-300))
    base = -len(y) * (y.mean() * np.log(y.mean()) + (1 - y.mean()) * np.log(1 - y.mean()))
    held_out = 1 - (loss + len(weights)) / base  # Akaike: what it costs to have fitted the weights
    return Learnt(gradients[0], gradients[1:], f"logistic polynomial of degree {degree}", float(held_out), misfit)


def _logistic(design: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Newton's method with a weak prior: weights, the factor of the negative second derivative, and the loss."""
    k = design.shape[1]
    weights = np.zeros(k)
    for _ in range(_STEPS):
        score = np.clip(design @ weights, -30, 30)
        chance = 1 / (1 + np.exp(-score))
        curvature = design.T @ ((chance * (1 - chance))[:, None] * design) + _PRIOR * np.eye(k)
        factor = cho_factor(curvature, lower=True)
        step = cho_solve(factor, design.T @ (y - chance) - _PRIOR * weights)
        weights = weights + step * min(1.0, 5.0 / max(float(np.abs(design @ step).max()), 1e-300))
        if float(np.abs(step).max()) < 1e-8:
            break
    score = np.clip(design @ weights, -30, 30)
    loss = float(np.sum(np.logaddexp(0, score) - y * score))
    return weights, np.tril(factor[0]), loss
