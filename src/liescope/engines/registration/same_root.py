"""Pairs whose targets are moved copies of their sources: generators and magnitudes by registration."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from liescope.data import ImageStack
from liescope.engines.contract import Fit, Fitted, Measured, SpanEstimate
from liescope.engines.pair_set import GreyScale, PairSet
from liescope.engines.registration.aligner import Aligner, Search
from liescope.engines.registration.all_pairs import magnitudes_along, register_all
from liescope.engines.registration.nothing import identity_residual
from liescope.engines.registration.readable import readable_span, standard_errors
from liescope.engines.registration.span_trials import SpanTrials
from liescope.engines.registration.systematic import resampling_error
from liescope.engines.state import pack_arrays
from liescope.engines.workers import worker_pool
from liescope.inference import Count

__all__ = ["SameRoot", "register_copies"]

_ACCEPT_QUANTILE = 0.02
"""A pair is accepted where it fits better than all but this share of unrelated pairs would, and clearly so where
typical pairs fit far better."""

_CLEARLY = 1 / 6
_RESAMPLING = 2e-3

_SYSTEMATIC_DEG = 0.1
"""What all pairs share, such as their resampling, turns generators by about this much."""


class SameRoot(Fitted):
    """Measures pairs along a span that was registered.

    Parameters
    ----------
    aligner : Aligner
    search : Search
        The span and where magnitudes along it are looked for.
    change : array, shape (K, K)
        From coordinates in the span to magnitudes.
    scale : GreyScale
    interpolation : str
        The resampling that explains the targets best.
    backwards : bool
        Whether targets are moved onto sources, by -t.
    """

    def __init__(
        self,
        aligner: Aligner,
        search: Search,
        change: np.ndarray,
        scale: GreyScale,
        interpolation: str,
        backwards: bool = False,
    ) -> None:
        self.aligner = aligner
        self.search = search
        self.change = change
        self.scale = scale
        self.background = scale.background
        self.interpolation = interpolation
        self.backwards = backwards

    def measure(self, source: ImageStack, target: ImageStack) -> Measured:
        pairs = self._pairs(source, target)
        with worker_pool(pairs.device):
            t, residual = magnitudes_along(pairs, self.aligner, self.search, self.interpolation)
        t = t @ self.change.T
        return Measured(-t if self.backwards else t, residual)

    def still(self, source: ImageStack, target: ImageStack) -> np.ndarray:
        return identity_residual(self._pairs(source, target), self.aligner)

    def turned_round(self) -> SameRoot:
        """The same of pairs whose sources and targets are exchanged."""
        parts = (self.aligner, self.search, self.change, self.scale, self.interpolation)
        return SameRoot(*parts, backwards=not self.backwards)

    def _pairs(self, source: ImageStack, target: ImageStack) -> PairSet:
        both = (target, source) if self.backwards else (source, target)
        return PairSet(*both, self.scale, self.aligner.device)

    def state(self) -> dict[str, bytes]:
        return pack_arrays(
            kind="same root",
            shape=self.aligner.grid.shape,
            span=self.search.span.cpu().numpy(),
            starts=self.search.starts.cpu().numpy(),
            reach=self.search.reach,
            change=self.change,
            background=self.scale.background,
            amplitude=self.scale.amplitude,
            interpolation=self.interpolation,
            backwards=self.backwards,
        )


def register_copies(pairs: PairSet, trials: SpanTrials, count: Count, report: Callable[[str, float], None]) -> Fit:
    """Measure all pairs along the span that was counted, and put it into readable generators."""
    registration = register_all(pairs, trials, count.span, partial(report, "measuring all pairs"))
    aligner, search = trials.aligner, registration.search
    span = search.span.double().cpu().numpy()
    shared = resampling_error(trials, search)
    covariance = registration.covariance + shared.span
    coefficients, covariances, change = readable_span(span, covariance, aligner.basis, aligner.grid)
    residual = registration.residual.astype(np.float64)
    threshold = _accept_below(count, residual)
    return Fit(
        verdict="symmetry",
        reason=count.reason,
        coefficients=coefficients,
        covariances=covariances,
        evidence={"accept_below": threshold},
        measured=Measured(
            registration.t @ change.T,
            residual,
            standard_errors(registration.t_covariance + shared.t, change),
            registration.ambiguous,
        ),
        accepted=residual <= threshold,
        fitted=SameRoot(aligner, search, change, pairs.scale, registration.interpolation),
        span=SpanEstimate(span, covariance, _SYSTEMATIC_DEG),
    )


def _accept_below(count: Count, residual: np.ndarray) -> float:
    """Largest residual of a pair that follows the symmetry."""
    unrelated = float(np.quantile(count.evidence.null_errors, _ACCEPT_QUANTILE))
    typical = max(float(np.median(residual)), _RESAMPLING)
    return float(unrelated * min(1.0, typical / max(unrelated, 1e-12)) ** _CLEARLY)
