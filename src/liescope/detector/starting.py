"""What one engine hands to another: a start before it fits, and how sure its span is afterwards."""

from __future__ import annotations

import dataclasses

import numpy as np

from liescope.engines import ENGINES, Engine, Fit, PairSet, Progress, Settings, Start
from liescope.geometry import Basis

__all__ = ["gone_on", "start_of", "with_covariances"]


def start_of(engine: Engine, pairs: PairSet, basis: Basis, settings: Settings, report: Progress) -> Start | None:
    """What another engine finds in some of the pairs, where the engine wants to go on from that."""
    engine.check(pairs, basis, settings)
    chosen = engine.start_pairs(len(pairs), basis, settings)
    if chosen is None or engine.starts_from is None:
        return None
    plain = dataclasses.replace(settings, options=None, folder=None, resume=False)
    return Start(chosen, ENGINES[engine.starts_from].fit(pairs.subset(chosen), basis, plain, report))


def with_covariances(fit: Fit, engine: Engine, pairs: PairSet, basis: Basis, settings: Settings) -> Fit:
    """With the uncertainty that the pairs leave in pixels, where the engine itself does not know its own."""
    if fit.covariances is not None or engine.starts_from is None or not len(fit.coefficients):
        return fit
    span, triangle = np.linalg.qr(fit.coefficients.T)
    whole = ENGINES[engine.starts_from].span_covariance(pairs, basis, span, settings)
    if whole is None:
        return fit
    m, k = span.shape
    whole = whole.reshape(k, m, k, m)
    own = [np.einsum("k,kmln,l->mn", weights, whole, weights) for weights in triangle.T]
    return dataclasses.replace(fit, covariances=np.stack(own))


def gone_on(
    engine: Engine, fit: Fit, pairs: PairSet, basis: Basis, settings: Settings, report: Progress
) -> tuple[Engine, Fit]:
    """What other engines make of a fit that they go on from, and the engine whose answer it is."""
    for other in ENGINES.values():
        takes = other.starts_from == engine.name and other.goes_on_from(fit) and other.accepts(pairs) is None
        if takes:
            own = other.fit(pairs, basis, settings, report, Start(np.arange(len(pairs)), fit))
            name, told = other.weighed(fit, own)
            return ENGINES[name], told
    return engine, fit
