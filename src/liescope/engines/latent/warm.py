"""What the training starts from, where another engine has found generators in some of the pairs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from liescope.algebra import Generator, product_magnitudes
from liescope.engines.contract import Start
from liescope.engines.latent.fitting import WarmStart
from liescope.engines.pair_set import PairSet, among_all
from liescope.geometry import Basis

__all__ = ["Warmth", "warmth_of"]


class Warmth(NamedTuple):
    """A start for the training, or none.

    Attributes
    ----------
    start : WarmStart or None
    covariances : array, shape (K, m, m), or None
        Of the generators where they are kept as they are; those of trained ones are measured anew.
    notice : str
        What was found, in a sentence.
    evidence : mapping
        The other engine's own, where it found the start.
    """

    start: WarmStart | None
    covariances: np.ndarray | None
    notice: str
    evidence: Mapping[str, Any] = MappingProxyType({})


def warmth_of(start: Start | None, pairs: PairSet, basis: Basis) -> Warmth:
    """Generators and magnitudes of a start, as far as they can be relied on.

    Where both images of a pair come from one image, registration gives them. Where they do not (another image of the
    same class), only what pairs vary in beyond the variation within a class can be one.
    """
    if start is None:
        return Warmth(None, None, "a cold start was asked for")
    chosen, fit = start
    coefficients, t = fit.coefficients, fit.measured.t
    if not len(coefficients):
        return Warmth(None, None, f"registration found nothing reliable to start from ({fit.reason})")
    if fit.fitted is not None and fit.fitted.rough:
        # Magnitudes of different roots are rough: none is left out for its residual.
        kept = WarmStart(coefficients, among_all(t, chosen, len(pairs)), hold=True)
        notice = f"warm start from registration: {fit.reason}; the generator is kept, not trained"
        return Warmth(kept, fit.covariances, notice, fit.evidence)
    if len(coefficients) > 1:
        # The model applies its generators one after the other; registration has one exponential of their sum.
        t = product_magnitudes(coefficients, t @ coefficients, basis)
    t = np.where(fit.accepted[:, None], t, np.nan)
    names = " and ".join(Generator(row, basis, pairs.grid).name for row in coefficients)
    warm = WarmStart(coefficients, among_all(t, chosen, len(pairs)))
    return Warmth(warm, None, f"warm start from registration: {names}", fit.evidence)
