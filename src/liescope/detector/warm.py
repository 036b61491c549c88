"""What registration knows before a latent model is trained: generators and magnitudes of part of the pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from liescope.algebra import product_magnitudes
from liescope.detector.contrasted import ContrastModel
from liescope.detector.registered import among_all, fit_registration, split
from liescope.engines.latent import WarmStart
from liescope.engines.pair_set import PairSet
from liescope.geometry import Basis

__all__ = ["Warmth", "find_warm_start"]


class Warmth(NamedTuple):
    """A start for the training, or none.

    Attributes
    ----------
    start : WarmStart or None
    covariance : array, shape (m, m), or None
        Of the one generator where it was found by contrast; registration's own is taken from the trained generators.
    notice : str
        What was found, in a sentence.
    evidence : mapping
        Registration's own, where it found the start.
    """

    start: WarmStart | None
    covariance: np.ndarray | None
    notice: str
    evidence: Mapping[str, Any] = MappingProxyType({})


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
    result, model = fit_registration(part, basis, split(len(part), int(settings["random_state"])), settings, report)
    if not result.generators:
        return Warmth(None, None, f"registration found nothing reliable to start from ({result.reason})")
    coefficients = np.array([g.generator.coefficients for g in result.generators])
    if isinstance(model, ContrastModel):
        # Magnitudes of different roots are rough: none is left out for its residual.
        start = WarmStart(coefficients, among_all(result.t, index, len(pairs)), hold=True)
        notice = f"warm start from registration: {result.reason}; the generator is kept, not trained"
        return Warmth(start, model.covariance, notice, result.evidence)
    t = result.t
    if len(coefficients) > 1:
        # The model applies its generators one after the other; registration has one exponential of their sum.
        t = product_magnitudes(coefficients, t @ coefficients, basis)
    t = np.where(result.accepted[:, None], t, np.nan)
    names = " and ".join(g.generator.name for g in result.generators)
    start = WarmStart(coefficients, among_all(t, index, len(pairs)))
    return Warmth(start, None, f"warm start from registration: {names}", result.evidence)
