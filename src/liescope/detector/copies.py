"""Pairs whose targets are moved copies of their sources: generators and magnitudes by registration."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from liescope.algebra import Generator, readable_generators
from liescope.data import ImageStack
from liescope.detector.answer import Answer, identity_residual, simple_generators
from liescope.engines.pair_set import GreyScale, PairSet
from liescope.engines.registration import Aligner, Registration, Search, SpanTrials, magnitudes_along, register_all
from liescope.engines.workers import worker_pool
from liescope.geometry import Basis
from liescope.inference import Count, coefficient_uncertainty
from liescope.result import DetectedGenerator

__all__ = ["RegistrationModel", "register_copies"]

_ACCEPT_QUANTILE = 0.02
"""A pair is accepted where it fits better than all but this share of unrelated pairs would, and clearly so where
typical pairs fit far better."""

_CLEARLY = 1 / 6
_RESAMPLING = 2e-3

_SYSTEMATIC_DEG = 0.1
"""What all pairs share, such as their resampling, turns generators by about this much."""


class RegistrationModel(NamedTuple):
    """What measuring new pairs needs: ``change`` (K, K) takes coordinates in the span to magnitudes."""

    aligner: Aligner
    search: Search
    change: np.ndarray
    scale: GreyScale
    interpolation: str

    @property
    def background(self) -> np.ndarray:
        """Grey value (C, 1, 1) outside images."""
        return self.scale.background

    def measured(self, source: ImageStack, target: ImageStack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Magnitudes (M, K) and relative errors (M,) of pairs, moved and as they are."""
        pairs = PairSet(source, target, self.scale, self.aligner.device)
        with worker_pool(pairs.device):
            t, residual = magnitudes_along(pairs, self.aligner, self.search, self.interpolation)
        return t @ self.change.T, residual, identity_residual(pairs, self.aligner)


def register_copies(
    pairs: PairSet, trials: SpanTrials, count: Count, seed: int, report: Callable[[str, float], None]
) -> tuple[Answer, RegistrationModel]:
    """Measure all pairs along the span that was counted, and put it into readable generators."""
    basis = trials.aligner.basis
    registration = register_all(pairs, trials, count.span, partial(report, "measuring all pairs"))
    generators, change = _generators(registration, basis, pairs, seed)
    search = registration.search
    model = RegistrationModel(trials.aligner, search, change, pairs.scale, registration.interpolation)
    residual = registration.residual.astype(np.float64)
    threshold = _accept_below(count, residual)
    span = search.span.double().cpu().numpy()
    answer = Answer(
        generators=generators,
        reason=count.reason,
        evidence={"accept_below": threshold},
        t=registration.t @ change.T,
        t_error=_standard_errors(registration, change),
        residual=residual,
        accepted=residual <= threshold,
        ambiguous=registration.ambiguous,
        clean=simple_generators(span, registration.covariance, basis, pairs, _SYSTEMATIC_DEG),
    )
    return answer, model


def _generators(
    registration: Registration, basis: Basis, pairs: PairSet, seed: int
) -> tuple[tuple[DetectedGenerator, ...], np.ndarray]:
    """Readable generators of the found span, and the (K, K) matrix from coordinates in the span to magnitudes."""
    span = registration.search.span.double().cpu().numpy()
    m, k = span.shape
    shape = pairs.grid.shape
    columns = readable_generators(span, basis, shape)
    generators = [Generator(column, basis, shape) for column in columns.T]
    columns = np.stack([g.coefficients for g in generators], axis=1)
    mixing = span.T @ columns
    covariance = registration.covariance.reshape(k, m, k, m)
    detected = []
    for generator, weights in zip(generators, mixing.T, strict=True):
        own = np.einsum("k,kmln,l->mn", weights, covariance, weights)
        uncertainty = coefficient_uncertainty(generator.coefficients, own, seed)
        detected.append(DetectedGenerator(generator, uncertainty.direction_error_deg, uncertainty.interval))
    return tuple(detected), np.linalg.inv(mixing)


def _standard_errors(registration: Registration, change: np.ndarray) -> np.ndarray:
    """Standard errors (N, K) of the magnitudes along the readable generators."""
    variance = np.einsum("ki,nij,kj->nk", change, registration.t_covariance.astype(np.float64), change)
    errors: np.ndarray = np.sqrt(np.clip(variance, 0, None))
    return errors


def _accept_below(count: Count, residual: np.ndarray) -> float:
    """Largest residual of a pair that follows the symmetry."""
    unrelated = float(np.quantile(count.evidence.null_errors, _ACCEPT_QUANTILE))
    typical = max(float(np.median(residual)), _RESAMPLING)
    return float(unrelated * min(1.0, typical / max(unrelated, 1e-12)) ** _CLEARLY)
