"""Pairs of different objects have two ways to a generator: their distributions, and how pairs vary beyond classes.

Distributions are the better one, and the only one with a null that is well defined. They say nothing where sources were
moved as well as targets, which leaves both sets alike; there the other one is all there is, and no proof.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from liescope.engines.contract import Fit
from liescope.inference import LEVEL

__all__ = ["weighed"]

_AGREE = 0.95
"""Cosine of the coefficients of two ways that found one generator."""


def weighed(first: Fit, own: Fit) -> tuple[str, Fit]:
    """The answer of the two ways, and the engine that it is of."""
    by_contrast = first.verdict == "symmetry" and len(first.coefficients) == 1
    if own.verdict == "symmetry":
        return "distribution", own
    if float(own.evidence["p_value"]) > LEVEL:
        return "registration", _alike(first, own) if by_contrast else _noted(first, own)
    if own.verdict == "undecided" and by_contrast and _agree(first, own):
        return "registration", _noted(first, own)
    return "distribution", own


def _agree(first: Fit, own: Fit) -> bool:
    both = np.abs(own.coefficients @ first.coefficients[0]) if len(own.coefficients) == 1 else np.zeros(1)
    return float(both.max()) > _AGREE


def _alike(first: Fit, own: Fit) -> Fit:
    """What pairs vary in, of sets that are alike."""
    reason = (
        f"{first.reason}; but sources and targets are alike as sets: this is a symmetry only if sources were moved as "
        "well as targets, which they do not tell"
    )
    return dataclasses.replace(_noted(first, own), verdict="undecided", reason=reason)


def _noted(first: Fit, own: Fit) -> Fit:
    """With what the distributions say."""
    sets = {name: value for name, value in own.evidence["sets"].items() if name != "law"}
    sets["p_value"] = own.evidence["p_value"]
    return first.with_evidence(dict(first.evidence) | {"compared_sets": sets})
