"""The answer that nothing was found: no pair is moved, and none follows a symmetry."""

from __future__ import annotations

from typing import Any

import numpy as np

from liescope.engines.contract import Fit, Measured
from liescope.engines.pair_set import PairSet
from liescope.engines.registration.aligner import Aligner

__all__ = ["identity_residual", "nothing_found"]


def nothing_found(pairs: PairSet, aligner: Aligner, reason: str, evidence: dict[str, Any]) -> Fit:
    """No generator, for that reason."""
    none, no_pair = np.zeros((len(pairs), 0)), np.zeros(len(pairs), dtype=bool)
    return Fit(
        verdict="no symmetry",
        reason=reason,
        coefficients=np.zeros((0, aligner.basis.dimension)),
        covariances=None,
        evidence=evidence,
        measured=Measured(none, identity_residual(pairs, aligner), none, no_pair),
        accepted=no_pair,
    )


def identity_residual(pairs: PairSet, aligner: Aligner) -> np.ndarray:
    """Relative error of every pair if nothing is moved."""
    shares = [aligner.unmoved_share(aligner.pyramid(pairs, part)).cpu().numpy() for part in aligner.chunks(pairs)]
    return np.concatenate(shares).astype(np.float64)
