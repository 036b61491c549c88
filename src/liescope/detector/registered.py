"""A detection with the registration engine, put together: count, register, describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from liescope import __version__
from liescope.algebra import Factors, describe_algebra, equation, find_factors
from liescope.detector.answer import Answer, nothing_found
from liescope.detector.contrasted import ContrastModel, have_different_roots, look_across_roots
from liescope.detector.copies import RegistrationModel, register_copies
from liescope.engines.pair_set import PairSet
from liescope.engines.registration import SpanTrials
from liescope.engines.registration.span_trials import FIT_PAIRS, HELD_OUT_PAIRS
from liescope.geometry import Basis
from liescope.inference import Count, count_generators, identifiable
from liescope.result import SymmetryResult

__all__ = ["Progress", "among_all", "fit_registration", "split"]

Progress = Callable[[str, float], None]
"""Called with the name of the stage and how much of it is done, 0 to 1."""


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
    trials = SpanTrials(pairs, basis, *parts)
    exactly = None if settings["n_generators"] == "auto" else int(settings["n_generators"])
    count = count_generators(trials, basis.dimension, exactly, seed, partial(report, "finding the generators"))
    model: RegistrationModel | ContrastModel | None = None
    answer: Answer | None = None
    if have_different_roots(count, basis):
        answer, model = look_across_roots(pairs, trials, parts, exactly, seed, report)
    if answer is None and count.generators:
        answer, model = register_copies(pairs, trials, count, seed, report)
    if answer is None:
        answer = nothing_found(pairs, trials.aligner, count.reason, {})
    generators, t, accepted = answer.generators, answer.t, answer.accepted
    columns = np.array([g.generator.coefficients for g in generators]).reshape(-1, basis.dimension).T
    algebra = describe_algebra(columns, basis, pairs.grid.shape)._asdict() | {"clean": answer.clean}
    factors = find_factors((t @ columns.T)[accepted], columns, basis, pairs.grid.shape) if accepted.any() else None
    result = SymmetryResult(
        engine="registration",
        verdict="symmetry" if generators else "no symmetry",
        reason=answer.reason,
        pairs=len(pairs),
        shape=(int(pairs.source.shape[1]), pairs.grid.height, pairs.grid.width),
        basis=basis,
        generators=generators,
        algebra=algebra | {"factors": None if factors is None else _described(factors, basis)},
        evidence=_evidence(count, bool(generators)) | answer.evidence,
        t=t,
        t_error=answer.t_error,
        identifiable=identifiable(t, answer.t_error, accepted, answer.ambiguous),
        factor_t=None if factors is None else among_all(factors.t, accepted, len(pairs)),
        residual=answer.residual,
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


def _evidence(count: Count, found: bool) -> dict[str, Any]:
    """What counting knows. Without generators nothing is moved, whatever was tried: that is in the steps."""
    evidence = count.evidence
    return {
        "heldout_error": evidence.heldout_error if found else evidence.identity_error,
        "identity_error": evidence.identity_error,
        "permuted_error": evidence.permuted_error if found else evidence.permuted_identity_error,
        "p_value": evidence.p_value,
        "steps": count.steps,
    }
