"""How many symmetries a null-space problem has: certificate, tiers, three verdicts.

The burden of proof lies on the symmetry. The span of the k directions of least defect is *certified* where the 95 per
cent quantile, over draws of what was estimated, of the largest defect in it is at most the tolerance. That the span was
chosen by the same data does no harm: the draws are conditional on them. A certified direction is *exact* where noise
alone explains its defect, else *approximate*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

from liescope.nullspace.forms import Forms

__all__ = ["Decision", "Spectrum", "decide", "defect_intervals", "noise_defects", "spectrum"]

_DEPENDENT = 1e-11
"""Share of the largest eigenvalue of the scaled terms below which a combination of fields moves nothing."""
_DEVIATIONS = 3
_SPLITS = (0.1, 0.2, 0.35, 0.5, 0.7)


class Spectrum(NamedTuple):
    """Defects, ascending, and the directions (columns) that have them, orthonormal in the terms."""

    defects: np.ndarray
    vectors: np.ndarray


@dataclass(frozen=True, eq=False)
class Decision:
    """What is decided of a null-space problem.

    Attributes
    ----------
    verdict : str
        ``symmetry``, ``no symmetry`` or ``undecided``.
    count : int
        Certified directions: the first columns of ``vectors``.
    exact : int
        How many of these, from the first on, noise alone explains.
    defects : array, shape (l,)
    vectors : array, shape (m, l)
    upper : array, shape (k,)
        Upper bounds of the largest defect in the span of the first 1, 2, ... directions whose own defect is within the
        tolerance; NaN where there was no need to know.
    lower : float
        Lower bound of the smallest defect that any direction has.
    noise : array, shape (l,)
        Defect that noise alone, or rounding, gives a direction; of a certified one the span up to it.
    intervals : array, shape (l, 2)
        Of the defects, over the draws.
    moves : int
        Dimension l of what moves anything; the basis may have more fields.
    """

    verdict: str
    count: int
    exact: int
    defects: np.ndarray
    vectors: np.ndarray
    upper: np.ndarray
    lower: float
    noise: np.ndarray
    intervals: np.ndarray
    moves: int


def spectrum(misses: Float[np.ndarray, "m m"], terms: Float[np.ndarray, "m m"]) -> Spectrum:
    """Solve ``C a = defect^2 D a`` on the combinations of fields that move anything."""
    basis = moving(terms)
    values, vectors = eigh(basis.T @ misses @ basis)
    return Spectrum(np.sqrt(np.clip(values, 0, None)), basis @ vectors)


def moving(terms: Float[np.ndarray, "m m"]) -> Float[np.ndarray, "m l"]:
    """Columns that are orthonormal in the terms and span all that they see."""
    scale = 1 / np.sqrt(np.maximum(np.diag(terms), 1e-300))
    scale[np.diag(terms) <= 1e-26 * max(float(np.diag(terms).max()), 1e-300)] = 0.0
    values, vectors = eigh(terms * scale[:, None] * scale)
    kept = values > _DEPENDENT * max(float(values[-1]), 1e-300)
    columns: np.ndarray = scale[:, None] * vectors[:, kept] / np.sqrt(values[kept])
    return columns


def decide(forms: Forms, tolerance: float, confidence: float = 0.95, floor: float = 1e-6) -> Decision:
    """Count, tiers and verdict.

    Parameters
    ----------
    forms : Forms
    tolerance : float
        Largest defect that counts as a symmetry.
    confidence : float
        Quantile over the draws that every bound is.
    floor : float
        Defect that rounding gives: anything below is exact.
    """
    found = spectrum(forms.misses, forms.terms)
    count, upper = _certified(forms, found, tolerance, confidence)
    noise = _noise(forms, found.vectors, count, floor)
    explained = found.defects <= noise
    exact = count if explained[:count].all() else int(np.argmin(explained[:count]))
    lower = _lower(forms, confidence)
    verdict = "symmetry" if count else "no symmetry" if lower > tolerance else "undecided"
    return Decision(
        verdict,
        count,
        exact,
        found.defects,
        found.vectors,
        upper,
        lower,
        noise,
        defect_intervals(forms, found.vectors, confidence),
        found.vectors.shape[1],
    )


def _certified(forms: Forms, found: Spectrum, tolerance: float, confidence: float) -> tuple[int, np.ndarray]:
    """How many directions are certified, and the upper bounds; these only grow, so the number is bisected."""
    candidates = int((found.defects <= tolerance).sum())
    upper = np.full(candidates, np.nan)
    low, high = 0, candidates + 1  # certified, not certified
    while high - low > 1:
        k = high - 1 if high == candidates + 1 else (low + high) // 2
        upper[k - 1] = float(
            np.quantile(_largest(forms.drawn_misses, forms.drawn_terms, found.vectors[:, :k]), confidence)
        )
        low, high = (k, high) if upper[k - 1] <= tolerance else (low, k)
    return low, upper


def _within(forms: np.ndarray, columns: np.ndarray) -> np.ndarray:
    inside: np.ndarray = columns.T @ forms @ columns
    return inside


def _largest(drawn: np.ndarray, below: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The largest defect in a span, for every draw."""
    misses, terms = _within(drawn, columns), _within(below, columns)
    if columns.shape[1] == 1:
        largest = misses[:, 0, 0] / np.maximum(terms[:, 0, 0], 1e-300)
    else:
        kept = [d + 1e-14 * np.trace(d) * np.eye(len(d)) for d in terms]
        largest = np.array([eigh(c, d, eigvals_only=True)[-1] for c, d in zip(misses, kept, strict=True)])
    roots: np.ndarray = np.sqrt(np.clip(largest, 0, None))
    return roots


def _shares(forms: np.ndarray, terms: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Roots of v'F_s v / v'D_s v of every draw and column."""
    above = np.einsum("mk,smn,nk->sk", columns, forms, columns, optimize=True)
    below = np.einsum("mk,smn,nk->sk", columns, terms, columns, optimize=True)
    roots: np.ndarray = np.sqrt(np.clip(above, 0, None) / np.maximum(below, 1e-300))
    return roots


def _noise(forms: Forms, columns: np.ndarray, count: int, floor: float) -> np.ndarray:
    """Defects that noise alone gives: of certified directions the largest in the span up to each, else of each."""
    levels = noise_defects(forms, columns, floor)
    if forms.noise is not None:
        for k in range(1, count + 1):
            levels[k - 1] = max(_most(_largest(forms.noise, forms.drawn_terms, columns[:, :k])[:, None])[0], floor)
    return levels


def noise_defects(forms: Forms, columns: Float[np.ndarray, "m k"], floor: float) -> Float[np.ndarray, " k"]:
    """Defects that noise alone, or rounding (``floor``), gives directions."""
    if forms.noise is None:
        return np.full(columns.shape[1], floor)
    levels: np.ndarray = np.maximum(_most(_shares(forms.noise, forms.drawn_terms, columns)), floor)
    return levels


def _most(shares: np.ndarray) -> np.ndarray:
    """Roots of mean squares and three standard deviations: one in a hundred true symmetries is not called exact."""
    squares = shares**2
    bounds: np.ndarray = np.sqrt(squares.mean(axis=0) + _DEVIATIONS * squares.std(axis=0))
    return bounds


def defect_intervals(
    forms: Forms, columns: Float[np.ndarray, "m k"], confidence: float = 0.95
) -> Float[np.ndarray, "k 2"]:
    """Intervals of the defects of directions, over the draws."""
    tail = (1 - confidence) / 2
    shares = _shares(forms.drawn_misses, forms.drawn_terms, columns)
    bounds: np.ndarray = np.quantile(shares, [tail, 1 - tail], axis=0).T
    return bounds


def _lower(forms: Forms, confidence: float) -> float:
    """Lower bound of the least defect of any direction.

    Rows that are known: the low quantile of the draws' own smallest defect. Rows with an error E: for every split s,
    ``|A a|^2 >= (1 - s) |(A + E) a|^2 - (1/s - 1) |E a|^2``, with the draws' errors for E.
    """
    if forms.noise is None:
        least = [spectrum(c, d).defects[:1] for c, d in zip(forms.drawn_misses, forms.drawn_terms, strict=True)]
        return float(np.quantile(np.concatenate(least), 1 - confidence)) if least else 0.0
    basis = moving(forms.terms)
    misses, noise = _within(forms.misses, basis), _within(forms.noise, basis)
    best = 0.0
    for split in _SPLITS:
        bounds = [eigh((1 - split) * misses - (1 / split - 1) * one, eigvals_only=True)[0] for one in noise]
        best = max(best, float(np.quantile(bounds, 1 - confidence)))
    return float(np.sqrt(best))
