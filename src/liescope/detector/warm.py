"""What registration knows before a latent model is trained: generators and magnitudes of part of the pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from liescope.detector.registered import fit_registration, split
from liescope.geometry import Basis
from liescope.latent import WarmStart
from liescope.registration import PairSet, contrast_generator

__all__ = ["Warmth", "find_warm_start"]

_SHARED_ROOT = 0.25
"""Half of the pairs fit better than this share of their energy where both images come from one: digits, noise of 0.1
and a third of intruders included, stay below 0.1; different digits of a class are above 0.4."""


class Warmth(NamedTuple):
    """A start for the training, or none.

    Attributes
    ----------
    start : WarmStart or None
    covariance : array, shape (m, m), or None
        Of the one generator where it was found by contrast; registration's own is taken from the trained generators.
    notice : str
        What was found, in a sentence.
    """

    start: WarmStart | None
    covariance: np.ndarray | None
    notice: str


def find_warm_start(
    pairs: PairSet,
    basis: Basis,
    index: np.ndarray,
    settings: Mapping[str, Any],
    report: Callable[[str, float], None],
) -> Warmth:
    """Generators and magnitudes from the pairs of ``index`` (sorted), as far as they can be relied on.

    Where both images of a pair come from one image, registration gives them. Where they do not (another image of the
    same class), only what pairs vary in beyond the variation within a class can be one.
    """
    part = pairs.subset(index)
    seed = int(settings["random_state"])
    result, _ = fit_registration(part, basis, split(len(part), seed), settings, report)
    asked = settings["n_generators"]
    if result.generators and float(np.median(result.residual)) <= _SHARED_ROOT:
        t = np.where(result.accepted[:, None], result.t, np.nan)
        coefficients = np.array([g.generator.coefficients for g in result.generators])
        names = " and ".join(g.generator.name for g in result.generators)
        start = WarmStart(coefficients, _spread(t, index, len(pairs)))
        return Warmth(start, None, f"warm start from registration: {names}")
    if asked in ("auto", 1):
        report("comparing with the variation within classes", 0.0)
        contrast = contrast_generator(part, basis, seed)
        if contrast.reliable:
            start = WarmStart(contrast.direction[None], _spread(contrast.t[:, None], index, len(pairs)), hold=True)
            notice = (
                "the images of a pair have different roots: warm start from what pairs vary in beyond their classes "
                f"({contrast.ratio:.1f} times as much); the generator is kept, not trained"
            )
            return Warmth(start, contrast.covariance, notice)
    return Warmth(None, None, f"registration found nothing reliable to start from ({result.reason})")


def _spread(t: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
    """Magnitudes of some pairs among those of all; NaN elsewhere."""
    spread = np.full((count, t.shape[1]), np.nan)
    spread[index] = t
    return spread
