"""From a certified span to generators that people can read, with the uncertainty that the draws leave them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import qr

from liescope.algebra import readable_generators
from liescope.geometry import Basis, Domain
from liescope.nullspace.decide import spectrum
from liescope.nullspace.forms import Forms

__all__ = ["Uncertainty", "sparse_generators", "uncertainty"]


class Uncertainty(NamedTuple):
    """Of K generators: degrees (K,) between the true and the found direction, and intervals (K, m, 2)."""

    degrees: np.ndarray
    intervals: np.ndarray


def sparse_generators(span: Float[np.ndarray, "m k"], basis: Basis, domain: Domain) -> Float[np.ndarray, "m k"]:
    """Unit-norm generators of a span: canonical fields on the plane, else as many zeros as K - 1 in every one.

    Elsewhere than on the plane K rows are chosen, the clearest first, at which one generator is 1 and the others 0.
    """
    count = span.shape[1]
    if count and basis.ndim == 2:
        readable = readable_generators(span, basis, domain)
        if np.linalg.matrix_rank(readable, tol=1e-9) == count:
            return readable
    if not count:
        return span
    orthonormal = np.linalg.qr(span)[0]
    rows = np.sort(qr(orthonormal.T, mode="r", pivoting=True)[1][:count])
    columns = np.linalg.solve(orthonormal[rows].T, orthonormal.T).T
    columns[np.abs(columns) < 1e-9] = 0.0
    unit: np.ndarray = columns / np.linalg.norm(columns, axis=0)
    return unit


def uncertainty(
    forms: Forms,
    generators: Float[np.ndarray, "l k"],
    gram: Float[np.ndarray, "l l"],
    to_basis: Float[np.ndarray, "m l"],
    confidence: float = 0.95,
) -> Uncertainty:
    """How far the draws' own spans of as many directions of least defect lie from the generators.

    Parameters
    ----------
    forms : Forms
    generators : array, shape (l, K)
        In the coordinates of the forms.
    gram : array, shape (l, l)
        Inner products of the fields in L2 over the data: what angles are measured in.
    to_basis : array, shape (m, l)
        From there to the coefficients that are reported, of unit norm.
    confidence : float
    """
    count = generators.shape[1]
    values, vectors = np.linalg.eigh(gram)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).T
    sizes = np.linalg.norm(root @ generators, axis=0)
    angles, drawn = [], []
    for misses, terms in zip(forms.drawn_misses, forms.drawn_terms, strict=True):
        own = spectrum(misses, terms).vectors[:, :count]
        weights = np.linalg.lstsq(root @ own, root @ generators, rcond=None)[0]
        nearest = own @ weights
        away = np.linalg.norm(root @ (nearest - generators), axis=0) / np.maximum(sizes, 1e-300)
        angles.append(np.degrees(np.arcsin(np.clip(away, 0, 1))))
        outward = to_basis @ nearest
        drawn.append(outward / np.maximum(np.linalg.norm(outward, axis=0), 1e-300))
    tail = (1 - confidence) / 2
    bounds = np.quantile(np.array(drawn), [tail, 1 - tail], axis=0)
    return Uncertainty(np.quantile(np.array(angles), confidence, axis=0), bounds.transpose(2, 1, 0))
