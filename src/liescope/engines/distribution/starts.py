"""Where generators are looked for: fields with a name, what another engine found, and then coarse to fine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from liescope.algebra import CANONICAL_FIELDS, canonical_coefficients, field_gram
from liescope.engines.distribution.law import KNOTS
from liescope.engines.distribution.moments import Moments
from liescope.engines.distribution.solving import Solution, solve
from liescope.geometry import Basis, Grid

__all__ = ["first_fields", "look_from"]

_EXTENT = 0.25
"""Half-width of the law that is begun with: root mean square displacement over the image, in normalised units."""
_COARSE_LEVELS, _COARSE_STEPS = 12, 5
_LEVELS, _STEPS = 24, 12
_KEPT = 3
_LEVELS_OF_TWO = 7


def first_fields(basis: Basis, others: Sequence[np.ndarray] = ()) -> list[np.ndarray]:
    """Others, and fields of the basis that have a name, or else its own; of fields that are one, the first."""
    named = [canonical_coefficients(name, basis) for name in CANONICAL_FIELDS]
    known = [one for one in named if one is not None]
    candidates = [*others, *(known or np.eye(basis.dimension))]
    fields: list[np.ndarray] = []
    for one in candidates:
        unit = one / np.linalg.norm(one)
        if not any(abs(unit @ other) > 1 - 1e-6 for other in fields):
            fields.append(unit)
    return fields


def look_from(
    coarse: Moments,
    fine: Moments,
    starts: Sequence[np.ndarray],
    basis: Basis,
    grid: Grid,
    progress: Callable[[float], None],
    held: Solution | None = None,
) -> list[Solution]:
    """The best few generators from all starts, the lowest misfit first; each beside those that are held already."""
    gram = field_gram(basis, grid)
    levels = (_COARSE_LEVELS, _LEVELS) if held is None else (_LEVELS_OF_TWO, _LEVELS_OF_TWO)
    found: list[Solution] = []
    for number, start in enumerate(starts):
        progress(0.7 * number / len(starts))
        extent = _EXTENT / np.sqrt(max(float(start @ gram @ start), 1e-12))
        law = np.linspace(-extent, extent, KNOTS)
        coefficients, quantiles = start[None], law[None]
        if held is not None:
            coefficients = np.concatenate([held.coefficients, coefficients])
            quantiles = np.concatenate([held.quantiles, 0.5 * quantiles])
        found.append(solve(coarse, coefficients, quantiles, levels[0], _COARSE_STEPS))
    found.sort(key=lambda one: one.misfit)
    refined: list[Solution] = []
    for number, one in enumerate(_different(found)[:_KEPT]):
        progress(0.7 + 0.3 * number / _KEPT)
        refined.append(solve(fine, one.coefficients, one.quantiles, levels[1], _STEPS))
    return sorted(refined, key=lambda one: one.misfit)


def _different(found: Sequence[Solution]) -> list[Solution]:
    """Without those that came to where a better one is."""
    kept: list[Solution] = []
    for one in found:
        if not any(np.abs(np.linalg.det(one.coefficients @ other.coefficients.T)) > 0.995 for other in kept):
            kept.append(one)
    return kept
