"""The answer without generators: no pair is moved, and none follows a symmetry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from liescope.engines.contract import Fit, Measured
from liescope.engines.pair_set import PairSet
from liescope.engines.registration.aligner import Aligner
from liescope.geometry import Basis

__all__ = ["identity_residual", "nothing_found"]


def nothing_found(
    basis: Basis, reason: str, evidence: Mapping[str, Any], residual: np.ndarray, verdict: str = "no symmetry"
) -> Fit:
    """No generator, for that reason; ``residual`` (N,) are errors of the pairs as they are."""
    none, no_pair = np.zeros((len(residual), 0)), np.zeros(len(residual), dtype=bool)
    return Fit(
        verdict=verdict,
        reason=reason,
        coefficients=np.zeros((0, basis.dimension)),
        covariances=None,
        evidence=evidence,
        measured=Measured(none, residual, none, no_pair),
        accepted=no_pair,
    )


def identity_residual(pairs: PairSet, aligner: Aligner) -> np.ndarray:
    """Relative error of every pair if nothing is moved."""
    shares = [aligner.unmoved_share(aligner.pyramid(pairs, part)).cpu().numpy() for part in aligner.chunks(pairs)]
    return np.concatenate(shares).astype(np.float64)
