"""From what an engine found to the answer: generators with their uncertainty, the algebra, simple forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from liescope import __version__
from liescope.algebra import Factors, Generator, clean_generators, describe_algebra, equation, find_factors
from liescope.detector.branch import followed, on_branch
from liescope.engines import Fit, PairSet, SpanEstimate
from liescope.engines.pair_set import among_all
from liescope.geometry import Basis
from liescope.inference import coefficient_uncertainty, identifiable
from liescope.result import DetectedGenerator, SymmetryResult

__all__ = ["described"]


def described(
    fit: Fit, engine: str, data: PairSet, basis: Basis, seed: int, settings: Mapping[str, Any], seconds: float = 0.0
) -> SymmetryResult:
    """The answer, without its samples."""
    grid, accepted = data.grid, fit.accepted
    columns, generators = fit.coefficients.T, _generators(fit, basis, data, seed)
    measured = fit.measured.t
    t = on_branch([g.generator for g in generators], measured, followed(measured, accepted))
    factors = None
    product = fit.fitted is not None and fit.fitted.product
    if accepted.any() and not product:
        factors = find_factors((t @ columns.T)[accepted], columns, basis, grid)
    algebra = describe_algebra(columns, basis, grid)._asdict()
    algebra["clean"] = None if fit.span is None else _simple(fit.span, basis, data)
    algebra["factors"] = None if factors is None else _factors(factors, basis)
    t_error, ambiguous = fit.measured.t_error, fit.measured.ambiguous
    determined = None
    if t_error is not None and ambiguous is not None:
        determined = identifiable(t, t_error, accepted, ambiguous)
    return SymmetryResult(
        engine=engine,
        verdict=fit.verdict,
        reason=fit.reason,
        pairs=len(data),
        shape=data.shape,
        basis=basis,
        generators=generators,
        algebra=algebra,
        evidence=fit.evidence,
        t=t,
        t_error=t_error,
        identifiable=determined,
        factor_t=None if factors is None else among_all(factors.t, accepted, len(data)),
        gain=fit.measured.gain,
        offset=fit.measured.offset,
        residual=fit.measured.residual,
        accepted=accepted,
        seconds=seconds,
        seed=seed,
        settings=settings,
        version=__version__,
        product=product,
        background=data.scale.background.ravel(),
        state={} if fit.fitted is None else fit.fitted.state(),
    )


def _generators(fit: Fit, basis: Basis, data: PairSet, seed: int) -> tuple[DetectedGenerator, ...]:
    """The generators with their uncertainty; NaN where the engine knows none."""
    generators = [Generator(row, basis, data.grid) for row in fit.coefficients]
    if fit.covariances is None:
        unknown = np.full((basis.dimension, 2), np.nan)
        return tuple(DetectedGenerator(g, np.nan, unknown) for g in generators)
    sure = [
        coefficient_uncertainty(g.coefficients, own, seed) for g, own in zip(generators, fit.covariances, strict=True)
    ]
    return tuple(
        DetectedGenerator(g, one.direction_error_deg, one.interval) for g, one in zip(generators, sure, strict=True)
    )


def _simple(span: SpanEstimate, basis: Basis, data: PairSet) -> dict[str, Any]:
    """Sparse generators of the same span in simple ratios, as far as the intervals allow, and what that costs."""
    found = clean_generators(span.columns, span.covariance, basis, data.grid, systematic_deg=span.systematic_deg)
    return {
        "coefficients": found.coefficients.T,
        "equations": [equation(column, basis) for column in found.coefficients.T],
        "snapped": list(found.snapped),
        "cost": found.total.cost,
        "degrees_of_freedom": found.total.degrees_of_freedom,
        "p_value": found.total.p_value,
        "systematic_deg": span.systematic_deg,
    }


def _factors(factors: Factors, basis: Basis) -> dict[str, Any]:
    """The factors as ``result.json`` keeps them, in the order in which they act."""
    return {
        "names": factors.names,
        "coefficients": factors.coefficients,
        "equations": [equation(row, basis) for row in factors.coefficients],
        "ordered": factors.ordered,
        "misfit_px": factors.misfit_px,
        "runner_up_px": factors.runner_up_px,
    }
