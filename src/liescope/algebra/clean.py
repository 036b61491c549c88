"""Clean generators of a found span: sparse, with coefficients in simple ratios where the errors allow them.

Ratios other than zero mean something between fields of one degree only: that of a shift to a rotation, say, depends
on the unit of length, so a centre is either the image's own or anywhere.

A span determines its generators only up to their combinations. So K rows of the coefficients can be chosen freely:
there every generator gets the values of a canonical field, or ones and zeros. What is left of it, m - K coefficients,
is determined by the data and has a sampling covariance; of these, the ones that agree with a simple ratio are set
to it, and the others take the values that are then the likeliest. What this costs is a squared Mahalanobis
distance, chi-square distributed where the simple ratios are the truth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import null_space, qr
from scipy.special import chdtrc, ndtri

from liescope.algebra.gauge import fix_gauge
from liescope.algebra.names_of_generators import canonical_coefficients
from liescope.algebra.span import canonical_members
from liescope.errors import InputError
from liescope.geometry.fields import Basis, PolynomialBasis, SumBasis
from liescope.geometry.grid import DomainLike

__all__ = ["CleanGenerators", "Snapping", "clean_generators"]

# Simple ratios to the coefficients that are set freely, and how many units of chi-square each has to be better by
# than a plain 0 or 1 before it is believed (two, what Akaike's criterion charges for a parameter, for every step).
# A ratio is believed only where half of a 95 % interval is less than half the way to the next ratio: a wider one
# holds some ratio whatever the truth is, and snapping would be a guess.
_RATIOS = np.array([0, 1, -1, 0.5, -0.5, 2, -2, 1 / 3, -1 / 3, 3, -3])
_CHARGES = np.array([0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4])
_WIDEST = np.array([0.5, 0.5, 0.5, 0.25, 0.25, 0.5, 0.5, 1 / 12, 1 / 12, 0.5, 0.5])
_NO_DEGREE = -1
_ROUNDING = 1e-6  # standard deviation below which differences are rounding
_Z95 = 1.959963984540054


class Snapping(NamedTuple):
    """What simple ratios cost.

    Attributes
    ----------
    cost : float
        Squared Mahalanobis distance between the found coefficients and the nearest ones with those ratios.
    degrees_of_freedom : int
        Coefficients that were set, but for those that the choice of generators within the span sets.
    p_value : float
        Probability of a larger cost where the ratios are the truth (1 where nothing was set).
    """

    cost: float
    degrees_of_freedom: int
    p_value: float


class CleanGenerators(NamedTuple):
    """Generators of a span (columns), scaled so that simple coefficients are simple numbers.

    Attributes
    ----------
    coefficients : array, shape (m, K)
        With simple ratios where the covariance allows them, the other coefficients at their likeliest values then.
    unsnapped : array, shape (m, K)
        The same generators before snapping: they span exactly what was found.
    fixed : bool array, shape (m, K)
        Coefficients that were set: simple ratios, and those that the choice within the span sets.
    snapped : tuple of bool, length K
        Whether all coefficients of a generator are simple.
    snappings : tuple of Snapping, length K
        The cost of every generator alone.
    total : Snapping
        The cost of all together, with the correlations between generators.
    """

    coefficients: np.ndarray
    unsnapped: np.ndarray
    fixed: np.ndarray
    snapped: tuple[bool, ...]
    snappings: tuple[Snapping, ...]
    total: Snapping


def clean_generators(
    span: Float[np.ndarray, "m k"],
    covariance: Float[np.ndarray, "km km"],
    basis: Basis,
    domain: DomainLike,
    *,
    level: float = 0.02,
    systematic_deg: float = 0.0,
) -> CleanGenerators:
    """Sparse generators of a span, in simple ratios where nothing speaks against them.

    Parameters
    ----------
    span : array, shape (m, K)
        Orthonormal columns.
    covariance : array, shape (K m, K m)
        Sampling covariance of the columns, K-major (index ``k * m + i``). Only its part off the span is used: moving
        columns within the span changes nothing.
    basis : Basis
    domain : Domain or tuple of int
        Where the fields live; a shape stands for the grid of images of that shape.
    level : float
        Share of spans of simple generators that are not recognised as such, on each of two grounds: a coefficient
        outside its interval, and all of a generator's together by their chi-square. Split evenly over the generators.
    systematic_deg : float
        Standard deviation, in degrees, of an error of the columns that all pairs share and the covariance therefore
        does not know, such as that of the resampling they went through.

    Raises
    ------
    InputError
        Shapes that do not fit, columns that are not orthonormal, or a level outside (0, 1).
    """
    m, k = span.shape
    _check(span, covariance, basis, level)
    free_rows, targets, values = _choice(span, basis, domain)
    rest = np.setdiff1d(np.arange(m), free_rows)
    weights = np.linalg.solve(span[free_rows], values)
    found = span @ weights
    off = null_space(span.T) if k < m else np.zeros((m, 0))
    # Off the span the columns err by ``off @ e``; with their values at the free rows kept, the generators err by
    # ``to_rest @ e`` at the others.
    to_rest = np.linalg.inv(off[rest].T)
    size = k * (m - k)
    noise = np.einsum("ma,kmln,nb->kalb", off, covariance.reshape(k, m, k, m), off).reshape(size, size)
    noise = noise + np.radians(systematic_deg) ** 2 * np.eye(size)
    mixing = np.kron(weights.T, to_rest)
    errors = mixing @ noise @ mixing.T
    errors = (errors + errors.T) / 2 + _ROUNDING**2 * np.eye(size)

    estimate = found[rest].T.ravel()
    set_to = np.full(size, np.nan)
    degrees = _degrees(basis)
    snappings = []
    for j, target in enumerate(targets):
        own = slice(j * (m - k), (j + 1) * (m - k))
        simple = None if target is None else target[rest]
        comparable = degrees[rest] == degrees[free_rows[np.argmax(np.abs(values[:, j]))]]
        set_to[own] = _simple_values(estimate[own], errors[own, own], simple, comparable, level / k)
        snappings.append(_conditioned(estimate[own], errors[own, own], set_to[own])[1])
    likeliest, total = _conditioned(estimate, errors, set_to)

    coefficients = found.copy()
    coefficients[free_rows] = values
    coefficients[rest] = likeliest.reshape(k, m - k).T
    fixed = np.ones((m, k), dtype=bool)
    fixed[rest] = np.isfinite(set_to).reshape(k, m - k).T
    signs = np.array([1.0 if fix_gauge(column, basis) @ column > 0 else -1.0 for column in coefficients.T])
    return CleanGenerators(
        coefficients * signs + 0.0,
        found * signs,
        fixed,
        tuple(bool(column.all()) for column in fixed.T),
        tuple(snappings),
        total,
    )


def _check(span: np.ndarray, covariance: np.ndarray, basis: Basis, level: float) -> None:
    m, k = span.shape
    if m != basis.dimension or covariance.shape != (k * m, k * m):
        raise InputError(
            f"expected a span of shape ({basis.dimension}, K) and its covariance of shape (K m, K m), "
            f"got {span.shape} and {covariance.shape}"
        )
    if not np.allclose(span.T @ span, np.eye(k), atol=1e-6):
        raise InputError("expected orthonormal columns of the span, got others, try numpy.linalg.qr")
    if not 0 < level < 1:
        raise InputError(f"expected a level between 0 and 1, got {level}")


def _degrees(basis: Basis) -> Int[np.ndarray, " m"]:
    """Degree of every basis field: ratios of fields of different degree depend on the unit of length.

    Fields that are polynomials of mixed degree, or no polynomials, count as of one degree: nothing is known of them.
    """
    if isinstance(basis, SumBasis):
        return np.concatenate([_degrees(part) for part in basis.parts])
    if not isinstance(basis, PolynomialBasis):
        return np.full(basis.dimension, _NO_DEGREE)
    of_monomials = np.array([sum(powers) for powers in basis.exponents])
    used = [np.unique(of_monomials[(field != 0).any(axis=0)]) for field in basis.table.numpy()]
    return np.array([int(degrees[0]) if len(degrees) == 1 else _NO_DEGREE for degrees in used])


def _choice(
    span: np.ndarray, basis: Basis, domain: DomainLike
) -> tuple[np.ndarray, list[np.ndarray | None], np.ndarray]:
    """The K rows whose values are chosen, the canonical targets (m,) of the generators, and the values (K, K)."""
    k = span.shape[1]
    fields = [canonical_coefficients(name, basis) for name, _ in canonical_members(span, basis, domain)]
    canonical = [np.round(field, 12) for field in fields if field is not None]
    rows = np.zeros(0, dtype=int)
    if canonical:
        rows = qr(np.stack(canonical), mode="r", pivoting=True)[1][: len(canonical)]
    others = k - len(canonical)
    if others:
        # What is left of the span where the generators vanish at the rows so far, and its clearest rows.
        remaining = span @ null_space(span[rows]) if len(rows) else span
        rows = np.concatenate((rows, qr(remaining.T, mode="r", pivoting=True)[1][:others]))
    values = np.zeros((k, k))
    for j, field in enumerate(canonical):
        values[:, j] = field[rows]
    values[len(canonical) :, len(canonical) :] = np.eye(others)
    return rows, [*canonical, *([None] * others)], values


def _simple_values(
    estimate: np.ndarray, errors: np.ndarray, target: np.ndarray | None, comparable: np.ndarray, level: float
) -> np.ndarray:
    """Simple values of one generator's coefficients, NaN where none agrees with the estimate.

    ``comparable`` says which coefficients may be other ratios than 0.
    """
    if not len(estimate):
        return estimate
    deviations = np.sqrt(np.diag(errors))
    # All coefficients are looked at: a share of ``level`` of true generators has any of them outside its interval.
    limit = -float(ndtri(level / (2 * len(estimate))))
    told_apart = _Z95 * deviations[:, None] < _WIDEST
    if target is not None and told_apart[:, 0].all() and _agrees(estimate, errors, target, level, limit):
        return target
    allowed = comparable[:, None] | (_RATIOS == 0)
    distances = ((estimate[:, None] - _RATIOS) / deviations[:, None]) ** 2
    scores = np.where(allowed & told_apart & (distances <= limit**2), distances + _CHARGES, np.inf)
    simple = np.where(np.isfinite(scores.min(axis=1)), _RATIOS[scores.argmin(axis=1)], np.nan)
    # Each agrees by itself; where all together do not, the one that is furthest out is given up.
    while np.isfinite(simple).any() and not _agrees(estimate, errors, simple, level, limit):
        furthest = np.nanargmax(np.abs(estimate - simple) / deviations)
        simple[furthest] = np.nan
    return simple


def _agrees(estimate: np.ndarray, errors: np.ndarray, values: np.ndarray, level: float, limit: float) -> bool:
    each = np.abs(estimate - values) / np.sqrt(np.diag(errors))
    return bool(np.nanmax(each) <= limit) and _conditioned(estimate, errors, values)[1].p_value >= level


def _conditioned(estimate: np.ndarray, errors: np.ndarray, set_to: np.ndarray) -> tuple[np.ndarray, Snapping]:
    """The likeliest values where some are set (not NaN), and what setting them costs."""
    fixed = np.isfinite(set_to)
    if not fixed.any():
        return estimate, Snapping(0.0, 0, 1.0)
    shift = set_to[fixed] - estimate[fixed]
    scaled = np.linalg.solve(errors[np.ix_(fixed, fixed)], shift)
    values = estimate + errors[:, fixed] @ scaled
    values[fixed] = set_to[fixed]
    cost, freedom = max(float(shift @ scaled), 0.0), int(fixed.sum())
    return values, Snapping(cost, freedom, float(chdtrc(freedom, cost)))
