"""What a detection by registration ends with, whichever way the pairs asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from liescope.algebra import clean_generators, equation
from liescope.engines.pair_set import PairSet
from liescope.engines.registration import Aligner
from liescope.geometry import Basis
from liescope.result import DetectedGenerator

__all__ = ["Answer", "identity_residual", "nothing_found", "simple_generators"]


class Answer(NamedTuple):
    """Generators, and what every pair says of them.

    Attributes
    ----------
    generators : tuple of DetectedGenerator, length K
    reason : str
    evidence : dict
        Beyond what counting knows, or in place of it.
    t, t_error : arrays, shape (N, K)
        Magnitudes and their standard errors.
    residual : array, shape (N,)
        Relative error of every pair.
    accepted, ambiguous : bool arrays, shape (N,)
        Pairs that follow the symmetry; pairs that quite another magnitude fits as well.
    clean : dict or None
        As :func:`simple_generators` gives it.
    """

    generators: tuple[DetectedGenerator, ...]
    reason: str
    evidence: dict[str, Any]
    t: np.ndarray
    t_error: np.ndarray
    residual: np.ndarray
    accepted: np.ndarray
    ambiguous: np.ndarray
    clean: dict[str, Any] | None


def nothing_found(pairs: PairSet, aligner: Aligner, reason: str, evidence: dict[str, Any]) -> Answer:
    """No generator: no pair is moved, and none follows a symmetry."""
    none, no_pair = np.zeros((len(pairs), 0)), np.zeros(len(pairs), dtype=bool)
    return Answer((), reason, evidence, none, none, identity_residual(pairs, aligner), no_pair, no_pair, None)


def identity_residual(pairs: PairSet, aligner: Aligner) -> np.ndarray:
    """Relative error of every pair if nothing is moved."""
    shares = [aligner.unmoved_share(aligner.pyramid(pairs, part)).cpu().numpy() for part in aligner.chunks(pairs)]
    return np.concatenate(shares).astype(np.float64)


def simple_generators(
    span: np.ndarray, covariance: np.ndarray, basis: Basis, pairs: PairSet, systematic_deg: float
) -> dict[str, Any]:
    """Sparse generators of the same span in simple ratios, as far as the intervals allow, and what that costs."""
    shape = pairs.grid.shape
    found = clean_generators(span, covariance, basis, shape, systematic_deg=systematic_deg)
    return {
        "coefficients": found.coefficients.T,
        "equations": [equation(column, basis) for column in found.coefficients.T],
        "snapped": list(found.snapped),
        "cost": found.total.cost,
        "degrees_of_freedom": found.total.degrees_of_freedom,
        "p_value": found.total.p_value,
        "systematic_deg": systematic_deg,
    }
