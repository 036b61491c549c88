"""Spans of generators: angles between them as vector fields, and a basis of them that people can read."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float

from liescope.algebra.inner_product import domain_of, relative_weights, sampling_domain
from liescope.algebra.names_of_generators import CANONICAL_FIELDS, canonical_coefficients
from liescope.errors import InputError
from liescope.geometry.fields import Basis
from liescope.geometry.grid import DomainLike

__all__ = [
    "basis_contains",
    "canonical_members",
    "check_basis",
    "field_gram",
    "nearest_in_span",
    "readable_generators",
    "span_angles",
]

# A canonical field counts as lying in a found span up to this cosine (L2 over the domain, about 5 degrees).
_MEMBERSHIP = 0.996
_DEPENDENT = 1e-7
_INDEPENDENT = 0.3  # least singular value of unit-norm canonical fields that are taken together


def field_gram(
    basis: Basis, domain: DomainLike, weights: Float[np.ndarray, "*s"] | None = None
) -> Float[np.ndarray, "m m"]:
    """Inner products of the basis fields in L2 over the points of a domain: their mean, weighted otherwise if asked."""
    over = domain_of(domain, basis) if weights is not None else sampling_domain(domain, basis)
    fields = basis.fields(over.points(dtype=torch.float64))
    share = (
        torch.from_numpy(np.ravel(weights)) / float(weights.mean()) if weights is not None else relative_weights(over)
    )
    gram: np.ndarray = (torch.einsum("nic,njc->ij", share[:, None, None] * fields, fields) / len(fields)).numpy()
    return gram


def check_basis(basis: Basis, domain: DomainLike) -> None:
    """Refuse a basis that cannot be detected with on a domain, such as images of some shape.

    Raises
    ------
    InputError
        Fields of other coordinates, that cannot be evaluated or differentiated, are not finite at a point, or depend
        on each other.
    """
    over = sampling_domain(domain, basis)
    points = over.points(dtype=torch.float64)
    try:
        values = torch.cat((basis.fields(points).flatten(1), basis.jacobians(points).flatten(1)), dim=1)
    except Exception as error:
        reason = str(error).split("\n")[0]
        given = f"torch tensors ({', '.join(over.axes)})"
        raise InputError(f"expected fields of {given} in basis {basis.name!r}, got {reason}") from error
    fields = basis.fields(points)
    faulty = [t for t, f in zip(basis.terms, fields.unbind(1), strict=True) if not bool(torch.isfinite(f).all())]
    if faulty or not bool(torch.isfinite(values).all()):
        raise InputError(
            f"expected fields that are finite on the image, got {', '.join(faulty) or 'derivatives'} not so"
        )
    columns = fields.permute(0, 2, 1).reshape(-1, basis.dimension)
    _, triangle = torch.linalg.qr(columns / columns.norm(dim=0).clamp_min(1e-300))
    dependent = [t for t, d in zip(basis.terms, triangle.diagonal().abs().tolist(), strict=True) if d < _DEPENDENT]
    if dependent:
        raise InputError(f"expected independent fields, got {', '.join(dependent)} as a sum of those before")


def basis_contains(basis: Basis, other: Basis, domain: DomainLike) -> bool:
    """Whether every field of the other basis is a sum of fields of the first, at the points of a domain."""
    if basis.ndim != other.ndim:
        return False
    points = sampling_domain(domain, basis).points(dtype=torch.float64)
    own, others = (one.fields(points).permute(0, 2, 1).reshape(-1, one.dimension).numpy() for one in (basis, other))
    rest = others - own @ np.linalg.lstsq(own, others, rcond=None)[0]
    return bool(np.linalg.norm(rest) <= _DEPENDENT * np.linalg.norm(others))


def span_angles(
    a: Float[np.ndarray, "m k"], b: Float[np.ndarray, "m l"], gram: Float[np.ndarray, "m m"]
) -> Float[np.ndarray, " p"]:
    """Principal angles in degrees, ascending, between two spans of coefficient columns under the field metric."""
    values, vectors = np.linalg.eigh(gram)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).T
    first, second = (np.linalg.qr(root @ columns)[0] for columns in (a, b))
    if first.shape[1] > second.shape[1]:
        first, second = second, first
    cosines = np.linalg.svd(first.T @ second)[1]
    # Small angles are lost in the cosine's rounding: take them from the sine of what lies outside.
    sines = np.linalg.svd(first - second @ (second.T @ first))[1][::-1]
    angles = np.where(cosines > 0.7, np.arcsin(np.clip(sines, 0, 1)), np.arccos(np.clip(cosines, 0, 1)))
    return np.sort(np.degrees(angles))


def nearest_in_span(
    field: Float[np.ndarray, " m"], span: Float[np.ndarray, "m k"], gram: Float[np.ndarray, "m m"]
) -> tuple[Float[np.ndarray, " m"], float]:
    """The field of a span (columns) nearest to a given one under the field metric, and the cosine between them."""
    weights = np.linalg.lstsq(span.T @ gram @ span, span.T @ gram @ field, rcond=None)[0]
    nearest = span @ weights
    return nearest, float(np.sqrt(max(nearest @ gram @ nearest, 0) / (field @ gram @ field)))


def canonical_members(span: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike) -> list[tuple[str, np.ndarray]]:
    """Independent canonical fields that lie in the span within five degrees, in the table's order; none off the plane.

    Returns
    -------
    list of (str, array of shape (m,))
        Name and unit-norm coefficients, projected onto the span.
    """
    gram = field_gram(basis, domain)
    members: list[tuple[str, np.ndarray]] = []
    for name in CANONICAL_FIELDS:
        field = canonical_coefficients(name, basis)
        if field is None or len(members) == span.shape[1]:
            continue
        nearest, cosine = nearest_in_span(field, span, gram)
        if cosine < _MEMBERSHIP:
            continue
        grown = np.column_stack([column for _, column in members] + [nearest / np.linalg.norm(nearest)])
        if np.linalg.svd(grown)[1].min() > _INDEPENDENT:
            members.append((name, grown[:, -1]))
    return members


def readable_generators(span: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike) -> np.ndarray:
    """Unit-norm generators of the same span, canonical fields first.

    Every canonical field that lies in the span within five degrees is taken (projected onto the span, so that the
    span does not change) until K independent ones are found; what remains is completed orthogonally.

    Returns
    -------
    array, shape (m, K)
        Columns span what ``span`` spans.
    """
    m, k = span.shape
    if m != basis.dimension:
        raise InputError(f"expected {basis.dimension} coefficients for basis {basis.name!r}, got {m}")
    if k == 1:
        unit: np.ndarray = span / np.linalg.norm(span)
        return unit
    members = canonical_members(span, basis, domain)
    chosen = np.column_stack([column for _, column in members]) if members else np.zeros((m, 0))
    if len(members) == k:
        return chosen
    orthonormal = np.linalg.qr(chosen)[0] if members else chosen
    rest = span - orthonormal @ (orthonormal.T @ span)
    left, _, _ = np.linalg.svd(rest, full_matrices=False)
    return np.column_stack((chosen, left[:, : k - len(members)]))
