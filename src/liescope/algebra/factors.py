"""What generated the pairs: products of fewer one-parameter transforms than the algebra they fill has dimensions.

Logarithms of products of transforms that do not commute fill the whole algebra that their brackets generate: a
rotation followed by a shift along one axis shows up as se(2), three dimensions, though two magnitudes made each pair.
Such pairs lie on a surface in the algebra, and the surface tells the factors and their order.
"""

from __future__ import annotations

from itertools import combinations, pairwise, permutations
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.algebra.bracket import bracket_coefficients
from liescope.algebra.closure import generated_algebra
from liescope.algebra.gauge import fix_gauge
from liescope.algebra.names_of_generators import CANONICAL_FIELDS, canonical_coefficients
from liescope.algebra.span import field_gram, nearest_in_span
from liescope.geometry.domain import lattice
from liescope.geometry.fields import Basis
from liescope.geometry.flow import flow, is_affine
from liescope.geometry.grid import DomainLike, as_domain

__all__ = ["Factors", "find_factors", "product_magnitudes"]

_MEMBERSHIP = 0.9995  # cosine to the span in L2 over the image, 1.8 degrees: what a factor is, it is closely
_MOST_CHOICES = 30  # of factors, tried in all orders; in a larger algebra too many products look alike
_PROBE = 5  # points a side at which products and pairs are compared
_PROBE_REACH = 0.7
_CHOOSING = 200  # pairs that factors are chosen on
_STEPS = 8
_DIFFERENCE = 1e-3
_COMMUTE = 1e-9
_MOST_MISFIT = 0.03  # of the typical displacement
_CLEARLY = 2.0  # other factors, or another order, must fit this much worse


class Factors(NamedTuple):
    """Transforms whose product every pair is.

    Attributes
    ----------
    names : tuple of str
        In the order in which they act.
    coefficients : array, shape (J, m)
        Unit norm, in the gauge.
    t : array, shape (N, J)
        Their magnitudes: target = exp(t_J X_J) ... exp(t_1 X_1) source.
    ordered : bool
        Whether no other order fits as well: scaling and then shifting is also shifting and then scaling.
    misfit_px : float
        Median over pairs of the root mean square distance between where the product and the pair's own logarithm
        take points, pixels.
    runner_up_px : float
        The same for the next best choice of factors.
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    t: np.ndarray
    ordered: bool
    misfit_px: float
    runner_up_px: float


def find_factors(
    v: Float[np.ndarray, "n m"], span: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike
) -> Factors | None:
    """The fewest canonical transforms, fewer than K, whose products the pairs are.

    Parameters
    ----------
    v : array, shape (N, m)
        Logarithms of pairs that follow the symmetry.
    span : array, shape (m, K)
        The algebra that they fill, columns.
    basis : Basis
    domain : Domain or tuple of int
        Where the fields live; a shape stands for the grid of images of that shape.

    Returns
    -------
    Factors or None
        None where K is less than 3, where the basis is not one of affine fields of the plane, where no such product
        fits to 3 % of the typical displacement, or where another choice fits almost as well: then the factors cannot be
        told.
    """
    k = span.shape[1]
    if k < 3 or not len(v) or basis.ndim != 2 or not is_affine(basis):
        return None
    points, goal = _reached(v, basis)
    members = _members(span, basis, domain)
    few = np.linspace(0, len(v) - 1, min(_CHOOSING, len(v))).astype(int)
    for count in range(2, k):
        choices = list(combinations(members, count))
        if len(choices) > _MOST_CHOICES:
            break
        choices = [names for names in choices if _generates(names, members, span, basis, domain)]
        tuples = [order for names in choices for order in _distinct_orders(names, members, basis)]
        if not tuples:
            continue
        fits = [_fit(np.stack([members[n] for n in names]), v[few], goal[few], points, basis)[1] for names in tuples]
        misfits = np.array([float(fit.median()) for fit in fits])
        order = np.argsort(misfits)
        best, chosen = misfits[order[0]], set(tuples[order[0]])
        others = [misfits[i] for i in order if set(tuples[i]) != chosen]
        reordered = [misfits[i] for i in order[1:] if set(tuples[i]) == chosen]
        second = float(min(others, default=np.inf))
        typical = float((goal - points).square().sum(-1).mean(-1).sqrt().median())
        if best <= _MOST_MISFIT * typical and second >= _CLEARLY * best:
            names = tuples[order[0]]
            coefficients = np.stack([members[n] for n in names])
            t, misfit = _fit(coefficients, v, goal, points, basis)
            scale = as_domain(domain).unit
            ordered = bool(min(reordered, default=np.inf) >= _CLEARLY * best)
            return Factors(names, coefficients, t.numpy(), ordered, float(misfit.median()) * scale, second * scale)
    return None


def product_magnitudes(
    fields: Float[np.ndarray, "j m"], v: Float[np.ndarray, "n m"], basis: Basis
) -> Float[np.ndarray, "n j"]:
    """Magnitudes t with exp(t_J X_J) ... exp(t_1 X_1) nearest to exp(v), for every row of v.

    Parameters
    ----------
    fields : array, shape (J, m)
        X_1, ..., X_J in the order in which they act.
    v : array, shape (N, m)
        Logarithms.
    """
    points, goal = _reached(v, basis)
    return np.asarray(_fit(fields, v, goal, points, basis)[0].numpy())


def _reached(v: np.ndarray, basis: Basis) -> tuple[Tensor, Tensor]:
    """Probe points (p, d) and where the flows of v take them (N, p, d)."""
    points = lattice(basis.ndim, _PROBE, _PROBE_REACH)
    return points, flow(basis, torch.as_tensor(v), points, tolerance=1e-6)


def _members(span: np.ndarray, basis: Basis, domain: DomainLike) -> dict[str, np.ndarray]:
    """Canonical fields of unit norm that lie in the span."""
    gram = field_gram(basis, domain)
    members = {}
    for name in CANONICAL_FIELDS:
        field = canonical_coefficients(name, basis)
        if field is not None and nearest_in_span(field, span, gram)[1] >= _MEMBERSHIP:
            members[name] = fix_gauge(field / np.linalg.norm(field), basis)
    return members


def _distinct_orders(names: tuple[str, ...], members: dict[str, np.ndarray], basis: Basis) -> list[tuple[str, ...]]:
    """All orders of the factors, but one only of those that differ by neighbours that commute."""
    commute = {
        (a, b): bool(np.abs(bracket_coefficients(members[a], members[b], basis)).max() < _COMMUTE)
        for a, b in permutations(names, 2)
    }
    return [order for order in permutations(names) if not any(a > b and commute[a, b] for a, b in pairwise(order))]


def _generates(
    names: tuple[str, ...], members: dict[str, np.ndarray], span: np.ndarray, basis: Basis, domain: DomainLike
) -> bool:
    """Whether brackets of these fields fill the span."""
    generated = generated_algebra(np.stack([members[n] for n in names], axis=1), basis, domain)
    return generated.span.shape[1] == span.shape[1] and not generated.leaves_basis


def _fit(
    fields: Float[np.ndarray, "j m"], v: Float[np.ndarray, "n m"], goal: Tensor, points: Tensor, basis: Basis
) -> tuple[Tensor, Tensor]:
    """Magnitudes (N, J) of the product nearest to every pair, and root mean square distances (N,)."""
    columns = torch.as_tensor(fields)
    t = torch.as_tensor(v) @ torch.linalg.pinv(columns)

    def residual(magnitudes: Tensor) -> Tensor:
        place = points
        for magnitude, field in zip(magnitudes.unbind(1), columns, strict=True):
            place = flow(basis, magnitude[:, None] * field, place, tolerance=1e-6)
        return (place - goal).flatten(1)

    for _ in range(_STEPS):
        here = residual(t)
        steps = torch.eye(t.shape[1], dtype=t.dtype) * _DIFFERENCE
        slopes = torch.stack([(residual(t + step) - here) / _DIFFERENCE for step in steps], dim=2)
        t = t - torch.linalg.lstsq(slopes, here[..., None], driver="gelsd").solution[..., 0]
    return t, residual(t).square().mean(dim=1).mul(2).sqrt()
