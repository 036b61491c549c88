"""A detection with the registration engine, put together: count, register, describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from liescope import __version__
from liescope.algebra import (
    Factors,
    Generator,
    clean_generators,
    describe_algebra,
    equation,
    find_factors,
    readable_generators,
)
from liescope.data import ImageStack
from liescope.detector.contrasted import ContrastModel, contrast_pairs, have_different_roots, left_in_larger_basis
from liescope.geometry import Basis
from liescope.inference import DIFFERENT_ROOTS, Count, coefficient_uncertainty, count_generators, identifiable
from liescope.registration import (
    Alignment,
    GreyScale,
    PairSet,
    Registration,
    Search,
    Study,
    magnitudes_along,
    register_all,
    worker_pool,
)
from liescope.registration.study import FIT_PAIRS, HELD_OUT_PAIRS
from liescope.result import DetectedGenerator, SymmetryResult

__all__ = [
    "Progress",
    "RegistrationModel",
    "among_all",
    "fit_registration",
    "identity_residual",
    "split",
]

Progress = Callable[[str, float], None]
"""Called with the name of the stage and how much of it is done, 0 to 1."""

_ACCEPT_QUANTILE = 0.02
"""A pair is accepted where it fits better than all but this share of unrelated pairs would, and clearly so where
typical pairs fit far better."""

_CLEARLY = 1 / 6
_RESAMPLING = 2e-3

_SYSTEMATIC_DEG = 0.1
"""What all pairs share, such as their resampling, turns generators by about this much."""

_CONTRAST_SYSTEMATIC_DEG = 5.0
"""The same for images of different roots."""


class RegistrationModel(NamedTuple):
    """What measuring new pairs needs: ``change`` (K, K) takes coordinates in the span to magnitudes."""

    alignment: Alignment
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
        pairs = PairSet(source, target, self.scale, self.alignment.device)
        with worker_pool(pairs.device):
            t, residual = magnitudes_along(pairs, self.alignment, self.search, self.interpolation)
        return t @ self.change.T, residual, identity_residual(pairs, self.alignment)


def fit_registration(
    pairs: PairSet,
    basis: Basis,
    parts: tuple[np.ndarray, np.ndarray],
    settings: Mapping[str, Any],
    report: Progress,
) -> tuple[SymmetryResult, RegistrationModel | ContrastModel | None]:
    """Find the generators, measure all pairs, and describe what was found.

    Parameters
    ----------
    parts : two integer arrays
        Pairs that are fitted to and pairs that are held out (:func:`split`).
    settings : mapping
        The estimator's parameters; ``n_generators`` and ``random_state`` are read here.

    Returns
    -------
    result : SymmetryResult
        Without its samples and seconds.
    model : RegistrationModel, ContrastModel or None
        What measuring new pairs needs; None where there is no symmetry.
    """
    seed = int(settings["random_state"])
    study = Study(pairs, basis, *parts)
    exactly = None if settings["n_generators"] == "auto" else int(settings["n_generators"])
    count = count_generators(study, basis.dimension, exactly, seed, partial(report, "finding the generators"))
    evidence, reason = _evidence(count), count.reason
    generators: tuple[DetectedGenerator, ...] = ()
    model: RegistrationModel | ContrastModel | None = None
    clean: dict[str, Any] | None = None
    different = have_different_roots(count, basis) and exactly in (None, 1)
    beyond: float | None = None
    if different:
        report("looking beyond the basis", 0.0)
        beyond = evidence["left_in_larger_basis"] = left_in_larger_basis(pairs, basis, *parts)
    if beyond is not None and beyond <= DIFFERENT_ROOTS:
        reason = (
            f"the images of a pair are copies of one image, but basis '{basis.name}' lacks what moves them; "
            "try basis='quadratic'"
        )
    elif different:
        contrasted = contrast_pairs(pairs, parts[1], study.alignment, seed, report)
        reason = contrasted.reason
        if contrasted.generator is None:
            told = ("p_value", "contrast")  # the errors stay those of what was counted
            evidence |= {name: contrasted.evidence[name] for name in told}
        else:
            evidence |= contrasted.evidence
            generators, model = (contrasted.generator,), contrasted.model
            t, residual, contrast = contrasted.t, contrasted.residual, contrasted.model.contrast
            t_error = np.full_like(t, contrast.t_error)
            ambiguous = ((t <= contrast.bounds[0]) | (t >= contrast.bounds[1]))[:, 0]
            direction = torch.as_tensor(contrast.direction[:, None])
            clean = _clean(direction, contrast.covariance, basis, pairs, _CONTRAST_SYSTEMATIC_DEG)
    elif count.generators:
        registration = register_all(pairs, study, count.span, partial(report, "measuring all pairs"))
        generators, change = _generators(registration, basis, pairs, seed)
        model = RegistrationModel(study.alignment, registration.search, change, pairs.scale, registration.interpolation)
        t, residual = registration.t @ change.T, registration.residual.astype(np.float64)
        t_error = _standard_errors(registration, change)
        ambiguous = registration.ambiguous
        clean = _clean(registration.search.span, registration.covariance, basis, pairs, _SYSTEMATIC_DEG)
    if not generators:
        t, residual = np.zeros((len(pairs), 0)), identity_residual(pairs, study.alignment)
        t_error, ambiguous = t, np.zeros(len(pairs), dtype=bool)
    threshold = _accept_below(count, residual) if generators else 0.0
    accepted = np.zeros(len(pairs), dtype=bool)
    if isinstance(model, ContrastModel):
        accepted = ~ambiguous  # no residual tells different roots from strangers; a wild magnitude does
    elif generators:
        accepted = residual <= threshold
    evidence["accept_below"] = threshold
    columns = np.array([g.generator.coefficients for g in generators]).reshape(-1, basis.dimension).T
    algebra = describe_algebra(columns, basis, pairs.grid.shape)._asdict() | {"clean": clean}
    factors = find_factors((t @ columns.T)[accepted], columns, basis, pairs.grid.shape) if accepted.any() else None
    result = SymmetryResult(
        engine="registration",
        verdict="symmetry" if generators else "no symmetry",
        reason=reason,
        pairs=len(pairs),
        shape=(int(pairs.source.shape[1]), *pairs.grid.shape),
        basis=basis,
        generators=generators,
        algebra=algebra | {"factors": None if factors is None else _described(factors, basis)},
        evidence=evidence,
        t=t,
        t_error=t_error,
        identifiable=identifiable(t, t_error, accepted, ambiguous),
        factor_t=None if factors is None else among_all(factors.t, accepted, len(pairs)),
        residual=residual,
        accepted=accepted,
        seconds=0.0,
        seed=seed,
        settings=settings,
        version=__version__,
    )
    return result, model


def split(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices of the pairs that are fitted to and of those held out, two thirds to one third."""
    order = np.random.default_rng(seed).permutation(count)
    fit = min(FIT_PAIRS, (2 * count) // 3)
    return np.sort(order[:fit]), np.sort(order[fit : fit + HELD_OUT_PAIRS])


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


def _accept_below(count: Count, residual: np.ndarray) -> float:
    """Largest residual of a pair that follows the symmetry."""
    unrelated = float(np.quantile(count.evidence.null_errors, _ACCEPT_QUANTILE))
    typical = max(float(np.median(residual)), _RESAMPLING)
    return float(unrelated * min(1.0, typical / max(unrelated, 1e-12)) ** _CLEARLY)


def _standard_errors(registration: Registration, change: np.ndarray) -> np.ndarray:
    """Standard errors (N, K) of the magnitudes along the readable generators."""
    variance = np.einsum("ki,nij,kj->nk", change, registration.t_covariance.astype(np.float64), change)
    errors: np.ndarray = np.sqrt(np.clip(variance, 0, None))
    return errors


def _described(factors: Factors, basis: Basis) -> dict[str, Any]:
    """The factors as ``result.json`` keeps them, in the order in which they act."""
    return {
        "names": factors.names,
        "coefficients": factors.coefficients,
        "equations": [equation(row, basis) for row in factors.coefficients],
        "ordered": factors.ordered,
        "misfit_px": factors.misfit_px,
        "runner_up_px": factors.runner_up_px,
    }


def among_all(t: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
    """Magnitudes of some pairs (indices or a mask) among those of all ``count``; NaN elsewhere."""
    spread = np.full((count, t.shape[1]), np.nan)
    spread[index] = t
    return spread


def _clean(
    span: torch.Tensor, covariance: np.ndarray, basis: Basis, pairs: PairSet, systematic_deg: float
) -> dict[str, Any]:
    """Sparse generators of the same span in simple ratios, as far as the intervals allow, and what that costs."""
    shape = pairs.grid.shape
    found = clean_generators(span.double().cpu().numpy(), covariance, basis, shape, systematic_deg=systematic_deg)
    return {
        "coefficients": found.coefficients.T,
        "equations": [equation(column, basis) for column in found.coefficients.T],
        "snapped": list(found.snapped),
        "cost": found.total.cost,
        "degrees_of_freedom": found.total.degrees_of_freedom,
        "p_value": found.total.p_value,
        "systematic_deg": systematic_deg,
    }


def _evidence(count: Count) -> dict[str, Any]:
    evidence = count.evidence
    return {
        "heldout_error": evidence.heldout_error,
        "identity_error": evidence.identity_error,
        "permuted_error": evidence.permuted_error,
        "p_value": evidence.p_value,
        "steps": count.steps,
    }


def identity_residual(pairs: PairSet, align: Alignment) -> np.ndarray:
    """Relative error of every pair if nothing is moved."""
    shares = [align.unmoved_share(align.sample(pairs, part)).cpu().numpy() for part in align.chunks(pairs)]
    return np.concatenate(shares).astype(np.float64)
