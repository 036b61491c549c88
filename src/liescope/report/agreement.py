"""How far several results agree: angles between what they found, as vector fields on the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from liescope.algebra.inner_product import field_columns
from liescope.answer import Answer

__all__ = ["cosine_matrix", "span_degrees"]


def cosine_matrix(results: Sequence[Answer]) -> Float[np.ndarray, "g g"]:
    """|cos| of the angles between all generators of all results, one result after the other.

    In L2 over the first result's image: the bases need not be the same. NaN where a field is not finite there.
    """
    columns = np.concatenate(_columns(results), axis=1)
    norms = np.linalg.norm(columns, axis=0)
    matrix: np.ndarray = np.minimum(np.abs(columns.T @ columns) / np.outer(norms, norms), 1.0)
    return matrix


def span_degrees(results: Sequence[Answer]) -> dict[tuple[int, int], Float[np.ndarray, " k"]]:
    """Principal angles in degrees, ascending, between the spans of every two results that found a symmetry."""
    spans = {}
    for k, columns in enumerate(_columns(results)):
        if columns.shape[1] and np.isfinite(columns).all():
            spans[k] = np.linalg.qr(columns)[0]
    angles = {}
    for i in spans:
        for j in spans:
            if i >= j:
                continue
            first, second = sorted((spans[i], spans[j]), key=lambda span: span.shape[1])
            # The sine of what lies outside tells small angles that the cosine's rounding swallows.
            cosines = np.linalg.svd(first.T @ second)[1]
            sines = np.linalg.svd(first - second @ (second.T @ first))[1][::-1]
            angles[i, j] = np.sort(np.degrees(np.arctan2(sines, cosines)))
    return angles


def _columns(results: Sequence[Answer]) -> list[np.ndarray]:
    """The generators of every result at the same points, one column each."""
    shape = (results[0].shape[1], results[0].shape[2])
    return [
        field_columns(
            np.array([g.generator.coefficients for g in result.generators]).reshape(-1, result.basis.dimension).T,
            result.basis,
            shape,
        )
        for result in results
    ]
