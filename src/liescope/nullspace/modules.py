"""Multiples of symmetries: if X is one, so is h X for every function h that the data do not tell from a number.

A dictionary of some degree holds ``x X``, ``y X``, ... beside X. They are symmetries, but nothing new: what counts is
the rank at a point, and the fewest fields whose multiples are all the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from liescope.geometry.fields import monomial_exponents

__all__ = ["Module", "minimal_generators", "pointwise_rank"]

_SAME = 1e-3


class Module(NamedTuple):
    """What a span of symmetries is made of.

    Attributes
    ----------
    rank : int
        Independent directions at a point.
    columns : array, shape (m, K)
        The same span: first the fewest fields whose multiples by polynomials are all of it, of the lowest degrees.
    minimal : int
        How many these are.
    """

    rank: int
    columns: np.ndarray
    minimal: int


def pointwise_rank(fields: Float[np.ndarray, "n r k"], tolerance: float = 1e-2) -> int:
    """Independent directions of K fields at a typical point (the median over points)."""
    if not fields.shape[2]:
        return 0
    sizes = np.linalg.norm(fields, axis=1, keepdims=True)
    scale = np.sqrt((sizes**2).mean(axis=0, keepdims=True))
    values = np.linalg.svd(fields / np.maximum(scale, 1e-300), compute_uv=False)
    largest = np.maximum(np.median(values[:, :1]), 1e-300)
    return int(np.median((values > tolerance * largest).sum(axis=1)))


def minimal_generators(
    span: Float[np.ndarray, "m k"], degree: int, ndim: int, tolerance: float = _SAME
) -> tuple[Float[np.ndarray, "m k"], int]:
    """The span of polynomial fields with its minimal generators first, and how many they are.

    Parameters
    ----------
    span : array, shape (m, K)
        In the basis of all polynomial fields of the degree, component by component.
    degree, ndim : int
    tolerance : float
        Sine of the angle from which fields count as different.
    """
    exponents = monomial_exponents(degree, ndim)
    orders = np.tile([sum(e) for e in exponents], ndim)
    orthonormal = np.linalg.qr(span)[0]
    count = span.shape[1]
    chosen = np.zeros((len(span), 0))  # orthonormal: what is taken and its multiples, within the span
    minimal: list[np.ndarray] = []
    for order in range(degree + 1):
        of_order = _of_order(orthonormal, orders > order, tolerance)
        new = _outside(of_order, chosen, tolerance)
        for field in new.T:
            if chosen.shape[1] >= count:
                break
            rest = _outside(field[:, None], chosen, 10 * tolerance)
            if not rest.shape[1]:
                continue
            minimal.append(field)
            multiples = _multiples(field, exponents, ndim, degree - order)
            grown = np.column_stack((chosen, multiples))
            left, sizes, _ = np.linalg.svd(grown, full_matrices=False)
            chosen = left[:, sizes > tolerance]
    first = np.column_stack(minimal)
    others = _outside(orthonormal, np.linalg.qr(first)[0], tolerance)[:, : count - first.shape[1]]
    return np.column_stack((first, others)), first.shape[1]


def _of_order(span: np.ndarray, above: np.ndarray, tolerance: float) -> np.ndarray:
    """The part of an orthonormal span without terms above an order."""
    if not above.any():
        return span
    _, sizes, right = np.linalg.svd(span[above])
    sizes = np.append(sizes, np.zeros(span.shape[1] - len(sizes)))
    inside: np.ndarray = span @ right[sizes <= tolerance].T
    return inside


def _outside(columns: np.ndarray, known: np.ndarray, tolerance: float) -> np.ndarray:
    """Orthonormal columns for what of a span lies outside of another one (orthonormal)."""
    rest = columns - known @ (known.T @ columns)
    left, sizes, _ = np.linalg.svd(rest, full_matrices=False)
    outside: np.ndarray = left[:, sizes > tolerance]
    return outside


def _multiples(field: np.ndarray, exponents: list[tuple[int, ...]], ndim: int, most: int) -> np.ndarray:
    """Products of a polynomial field with all monomials of a degree, unit norm."""
    place = {e: i for i, e in enumerate(exponents)}
    table = field.reshape(ndim, len(exponents))
    products = []
    for factor in monomial_exponents(most, ndim):
        product = np.zeros_like(table)
        for i in np.flatnonzero((np.abs(table) > 1e-9).any(axis=0)):
            raised = tuple(a + b for a, b in zip(exponents[i], factor, strict=True))
            if raised in place:
                product[:, place[raised]] += table[:, i]
        products.append(product.ravel() / max(float(np.linalg.norm(product)), 1e-300))
    return np.column_stack(products)
