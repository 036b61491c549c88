"""What answers that know nothing would score: the level that a measurement is printed beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped
from scipy.stats import norm, rankdata, zscore

from liescope.algebra import span_angles
from liescope.errors import InputError
from liescope.evaluation.coefficients import CoefficientErrors, classify_linear_part, coefficient_errors
from liescope.evaluation.laws import (
    ReconstructionError,
    mode_count,
    reconstruction_error,
    wasserstein_standardised,
)
from liescope.evaluation.metrics import field_metric, wasserstein
from liescope.geometry.bases import get_basis
from liescope.geometry.fields import Basis, PolynomialBasis

__all__ = ["NullLevel", "NullLevels", "null_levels"]

_TAIL = 0.05


class NullLevel(NamedTuple):
    """A score of answers that know nothing.

    Attributes
    ----------
    mean : float
        Over the trials.
    tail : float
        What one in twenty of them beats by chance: the 95 % quantile of a cosine or a correlation, the 5 % quantile of
        an angle or an error.
    """

    mean: float
    tail: float


@dataclass(frozen=True)
class NullLevels:
    """Null levels of every metric; None where what it needs was not given.

    Attributes
    ----------
    cosine : NullLevel
        Cosine of the largest angle between the true span and that of as many random unit coefficient vectors.
    angle : NullLevel
        That angle in degrees.
    grassmann : NullLevel
        The 2-norm of the principal angles in radians.
    drift, linear, quadratic : NullLevel or None
        Errors of a random generator's coefficients by degree, for one generator in a polynomial basis.
    linear_part : float or None
        Share of random generators whose linear part is of the true one's class.
    w1 : float or None
        Distance from the true law of a normal law with its mean and variance, as a share of the range.
    w1_standardised : float or None
        The same distance in standard deviations.
    modes : int or None
        How many modes that normal law has.
    pearson, spearman : NullLevel or None
        Absolute correlations of the true magnitudes, shuffled, with themselves.
    identity : ReconstructionError or None
        The sources, unmoved, in place of the targets.
    mean_image : ReconstructionError or None
        The mean target in place of every one.
    """

    cosine: NullLevel
    angle: NullLevel
    grassmann: NullLevel
    drift: NullLevel | None = None
    linear: NullLevel | None = None
    quadratic: NullLevel | None = None
    linear_part: float | None = None
    w1: float | None = None
    w1_standardised: float | None = None
    modes: int | None = None
    pearson: NullLevel | None = None
    spearman: NullLevel | None = None
    identity: ReconstructionError | None = None
    mean_image: ReconstructionError | None = None


def null_levels(
    truth: Sequence[float] | Sequence[Sequence[float]] | np.ndarray,
    basis: str | Basis = "affine",
    shape: tuple[int, int] = (28, 28),
    *,
    support: Shaped[np.ndarray, "h w"] | None = None,
    magnitudes: Shaped[np.ndarray, " n"] | None = None,
    source: Shaped[np.ndarray, "b *image"] | None = None,
    target: Shaped[np.ndarray, "b *image"] | None = None,
    trials: int = 1000,
    seed: int = 0,
) -> NullLevels:
    """What a wrong generator, a normal law, shuffled magnitudes and images that are not moved would score.

    Parameters
    ----------
    truth : array, shape (m,) or (K, m)
        True generators: how near random ones come depends on them.
    basis : str or Basis
    shape : (int, int)
        Height and width of the image.
    support : array, shape (H, W), optional
        Weight of every pixel where angles are measured, with a shape of its own; default all alike.
    magnitudes : array, shape (N,), optional
        True magnitudes along one generator.
    source, target : arrays, shape (B, ...), optional
        Pairs with grey values from 0 to 1, or bytes.
    trials : int
        Random generators, and shuffles.
    seed : int

    Returns
    -------
    NullLevels
        The same for the same arguments.
    """
    fields = get_basis(basis)
    spans = np.atleast_2d(np.asarray(truth, dtype=np.float64))
    if spans.shape[1:] != (fields.dimension,) or not spans.any(axis=1).all():
        raise InputError(
            f"expected true generators of {fields.dimension} coefficients, not all zero, got shape {spans.shape}"
        )
    if trials < 1:
        raise InputError(f"expected at least one trial, got {trials}")
    random = np.random.default_rng(seed)
    levels = _span_levels(spans, fields, field_metric(fields, shape, support), trials, random)
    if magnitudes is not None:
        levels |= _law_levels(np.asarray(magnitudes, dtype=np.float64), trials, random)
    return NullLevels(**levels, **_image_levels(source, target))


def _span_levels(
    truth: np.ndarray, basis: Basis, gram: np.ndarray, trials: int, random: np.random.Generator
) -> dict[str, Any]:
    guesses = random.standard_normal((trials, *truth.shape))
    guesses /= np.linalg.norm(guesses, axis=2, keepdims=True)
    angles = np.array([span_angles(truth.T, guess.T, gram) for guess in guesses])
    largest = angles[:, -1]
    lengths = np.linalg.norm(np.radians(angles), axis=1)
    by_degree: dict[str, Any] = {}
    if len(truth) == 1 and isinstance(basis, PolynomialBasis):
        by_degree = _degree_levels(truth[0], guesses[:, 0], basis)
    return {
        **by_degree,
        "cosine": _level(np.cos(np.radians(largest)), high=True),
        "angle": _level(largest, high=False),
        "grassmann": _level(lengths, high=False),
    }


def _degree_levels(truth: np.ndarray, guesses: np.ndarray, basis: Basis) -> dict[str, Any]:
    errors = np.array([coefficient_errors(guess, truth, basis) for guess in guesses])
    true_class = classify_linear_part(truth, basis)
    return {
        name: None if np.isnan(own).any() else _level(own, high=False)
        for name, own in zip(CoefficientErrors._fields, errors.T, strict=True)
    } | {"linear_part": float(np.mean([classify_linear_part(guess, basis) == true_class for guess in guesses]))}


def _law_levels(t: np.ndarray, trials: int, random: np.random.Generator) -> dict[str, Any]:
    if not np.ptp(t) > 0:
        raise InputError("expected true magnitudes that differ, got none or a single value")
    # Its quantiles instead of draws: the level is that of the law, not of a sample of it.
    normal = norm.ppf((np.arange(len(t)) + 0.5) / len(t), t.mean(), t.std())
    scores = [zscore(values) for values in (t, rankdata(t))]
    orders = [random.permutation(len(t)) for _ in range(trials)]
    pearson, spearman = (np.abs([z[order] @ z / len(z) for order in orders]) for z in scores)
    return {
        "w1": wasserstein(normal, t),
        "w1_standardised": wasserstein_standardised(normal, t),
        "modes": mode_count(normal),
        "pearson": _level(pearson, high=True),
        "spearman": _level(spearman, high=True),
    }


def _image_levels(source: np.ndarray | None, target: np.ndarray | None) -> dict[str, Any]:
    if target is None:
        return {}
    middle = np.broadcast_to(np.asarray(target, dtype=np.float64).mean(axis=0), np.shape(target))
    levels = {"mean_image": reconstruction_error(target, middle / 255 if target.dtype == np.uint8 else middle)}
    if source is not None:
        levels["identity"] = reconstruction_error(target, source)
    return levels


def _level(values: np.ndarray, high: bool) -> NullLevel:
    """Mean of scores and what one in twenty beats; ``high`` where more is better."""
    return NullLevel(float(values.mean()), float(np.quantile(values, 1 - _TAIL if high else _TAIL)))
