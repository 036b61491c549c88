"""Bases of vector fields in d coordinates.

A basis of dimension m spans the generators ``X = sum_k a_k b_k`` that a detection may answer with; each ``b_k``
is a vector field with a name, on the plane ``(u_k(x, y), v_k(x, y))``. Bases compose:
``affine() + field_basis({...})``. The polynomial ones know their monomials, so that flows have a closed form (affine)
or a fast evaluation (Horner), and brackets are exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.errors import InputError
from liescope.geometry.domain import axis_names

__all__ = ["Basis", "CallableBasis", "Field", "PolynomialBasis", "SumBasis", "monomial_exponents"]


def monomial_exponents(degree: int, ndim: int = 2) -> list[tuple[int, ...]]:
    """Exponents (p, q, ...) of the monomials x^p y^q ... up to ``degree``: 1, x, y, x^2, xy, y^2, ...

    Those of a lower degree come first, and among those of one degree the ones with more of the first coordinates.
    """
    factors = (c for total in range(degree + 1) for c in combinations_with_replacement(range(ndim), total))
    return [tuple(chosen.count(axis) for axis in range(ndim)) for chosen in factors]


class Basis(ABC):
    """An ordered set of m named vector fields. ``name`` identifies it in files, ``terms`` name its fields.

    ``ndim`` is the number of coordinates d that the fields have, ``dimension`` the number of fields m.
    """

    name: str
    terms: tuple[str, ...]
    ndim: int = 2

    @property
    def dimension(self) -> int:
        """Number of fields m."""
        return len(self.terms)

    @abstractmethod
    def fields(self, points: Float[Tensor, "*b d"]) -> Float[Tensor, "*b m d"]:
        """Every basis field at the points."""

    def jacobians(self, points: Float[Tensor, "n d"]) -> Float[Tensor, "n m d d"]:
        """Derivatives of every field: entry [..., k, i, j] is d(component i of b_k) / d(coordinate j)."""
        with torch.enable_grad():
            variable = points.detach().requires_grad_()
            values = self.fields(variable).reshape(len(points), -1)
            # Points do not mix, so the gradient of a sum over points holds every point's own derivative.
            rows = [
                torch.autograd.grad(column.sum(), variable, retain_graph=True, allow_unused=True)[0]
                if column.requires_grad
                else None
                for column in values.unbind(1)
            ]
        filled = [torch.zeros_like(points) if row is None else row for row in rows]
        return torch.stack(filled, dim=1).reshape(len(points), self.dimension, self.ndim, self.ndim)

    def velocity(
        self, points: Float[Tensor, "*#b n d"], coefficients: Float[Tensor, "*#b m"]
    ) -> Float[Tensor, "*r n d"]:
        """The field ``sum_k a_k b_k`` at the points; leading dimensions broadcast."""
        return torch.einsum("...nmc,...m->...nc", self.fields(points), coefficients)

    def __add__(self, other: Basis) -> Basis:
        """The basis with the fields of both (repeated terms and other coordinates are refused)."""
        _check_ndim((self, other))
        if isinstance(self, PolynomialBasis) and isinstance(other, PolynomialBasis):
            degree = max(self.degree, other.degree)
            tables = (b.embedded(degree) for b in (self, other))
            return PolynomialBasis(
                f"{self.name}+{other.name}", self.terms + other.terms, torch.cat(list(tables)), degree
            )
        return SumBasis((self, other))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, terms={list(self.terms)})"


def _check_terms(terms: Sequence[str]) -> None:
    repeated = sorted({t for t in terms if list(terms).count(t) > 1})
    if repeated:
        raise InputError(f"expected distinct basis terms, got {', '.join(repeated)} more than once")


def _check_ndim(parts: Sequence[Basis]) -> None:
    if len({p.ndim for p in parts}) > 1:
        given = ", ".join(f"{p.name!r} in {p.ndim}" for p in parts)
        raise InputError(f"expected bases in the same number of coordinates, got {given}, try ndim=")


class PolynomialBasis(Basis):
    """A basis whose fields are polynomials of bounded degree.

    Parameters
    ----------
    name : str
        Its name in files.
    terms : sequence of str
        The names of the m fields.
    table : tensor, shape (m, d, k)
        Coefficients of the d components of every field on the k monomials of :func:`monomial_exponents`.
    degree : int
        Highest total degree; on the plane k = (degree + 1)(degree + 2) / 2.
    """

    def __init__(self, name: str, terms: Sequence[str], table: Tensor, degree: int) -> None:
        _check_terms(terms)
        self.name = name
        self.terms = tuple(terms)
        self.table: Float[Tensor, "m d k"] = table.to(torch.float64)
        self.degree = degree
        self.ndim = table.shape[1]

    @cached_property
    def exponents(self) -> list[tuple[int, ...]]:
        """Exponents of the k monomials."""
        return monomial_exponents(self.degree, self.ndim)

    @cached_property
    def _horner_order(self) -> list[int]:
        """The monomials as Horner's rule meets them: the highest power of the last coordinate first."""
        return sorted(range(len(self.exponents)), key=lambda i: self.exponents[i][::-1], reverse=True)

    def embedded(self, degree: int) -> Float[Tensor, "m d k"]:
        """The table on the monomials of a degree at least this basis's own."""
        extra = len(monomial_exponents(degree, self.ndim)) - self.table.shape[-1]
        return torch.nn.functional.pad(self.table, (0, extra))

    def monomials(self, points: Float[Tensor, "*b d"]) -> Float[Tensor, "*b k"]:
        """1, x, y, x^2, ... at the points."""
        coordinates = points.unbind(-1)
        powers = {self.exponents[0]: torch.ones_like(coordinates[0])}
        for exponent in self.exponents[1:]:
            axis = next(c for c, p in enumerate(exponent) if p)
            powers[exponent] = powers[_lowered(exponent, axis)] * coordinates[axis]
        return torch.stack([powers[e] for e in self.exponents], dim=-1)

    def fields(self, points: Float[Tensor, "*b d"]) -> Float[Tensor, "*b m d"]:
        table = self.table.to(points)
        return torch.einsum("...k,mck->...mc", self.monomials(points), table)

    @cached_property
    def _derivatives(self) -> Float[Tensor, "d m d k"]:
        """Tables of the derivatives of the fields by every coordinate, on the same monomials."""
        place = {exponent: i for i, exponent in enumerate(self.exponents)}
        tables = torch.zeros(self.ndim, *self.table.shape, dtype=torch.float64)
        for exponent, i in place.items():
            for axis, power in enumerate(exponent):
                if power:
                    tables[axis, :, :, place[_lowered(exponent, axis)]] += power * self.table[:, :, i]
        return tables

    def jacobians(self, points: Float[Tensor, "n d"]) -> Float[Tensor, "n m d d"]:
        return torch.einsum("nk,jmck->nmcj", self.monomials(points), self._derivatives.to(points))

    def polynomial(self, coefficients: Float[Tensor, "*b m"]) -> Float[Tensor, "*b d k"]:
        """Monomial coefficients of the components of ``sum_k a_k b_k``."""
        return torch.einsum("...m,mck->...ck", coefficients, self.table.to(coefficients))

    def velocity(
        self, points: Float[Tensor, "*#b n d"], coefficients: Float[Tensor, "*#b m"]
    ) -> Float[Tensor, "*r n d"]:
        # Horner's rule: a few fused element-wise passes instead of an (n, m, d) array.
        polynomial = self.polynomial(coefficients)
        shape = np.broadcast_shapes(points.shape[:-1], (*polynomial.shape[:-2], 1))
        coordinates = [c.expand(shape) for c in points.unbind(-1)]
        components = []
        for component in polynomial.unbind(-2):
            rows = component[..., None].unbind(-2)
            components.append(_horner(map(rows.__getitem__, self._horner_order), coordinates, self.degree))
        # Each component lies in one piece: what follows reads them one by one.
        return torch.stack(components).movedim(0, -1)


def _lowered(exponent: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The exponent with one power of a coordinate less."""
    return (*exponent[:axis], exponent[axis] - 1, *exponent[axis + 1 :])


def _horner(rows: Iterator[Tensor], coordinates: Sequence[Tensor], degree: int) -> Tensor:
    """A polynomial at points: Horner's rule in the last coordinate, whose coefficients are polynomials in the others.

    ``rows`` are the coefficients of its monomials, highest powers of the last coordinate first.
    """
    *inner, last = coordinates
    if not inner:
        row = next(rows).expand_as(last)
        for _ in range(degree):
            row = torch.addcmul(next(rows).expand_as(last), row, last)
        return row
    total = _horner(rows, inner, 0)
    for q in range(1, degree + 1):
        total = torch.addcmul(_horner(rows, inner, q), total, last)
    return total


Field = Callable[..., Any]
"""A function of the coordinates (x, y, ...) that returns as many components there; constants may be plain numbers."""


class CallableBasis(Basis):
    """User-given fields: a mapping from the term's name to a function of (x, y, ...) returning (u, v, ...).

    On a line the function may return its one component as it is.

    Parameters
    ----------
    fields : mapping
    name : str
    ndim : int
        Number of coordinates.
    """

    def __init__(self, fields: Mapping[str, Field], name: str, ndim: int = 2) -> None:
        if not fields:
            raise InputError("expected at least one vector field for a basis, got none")
        self.name = name
        self.terms = tuple(fields)
        self.ndim = ndim
        self._functions = dict(fields)

    def fields(self, points: Float[Tensor, "*b d"]) -> Float[Tensor, "*b m d"]:
        coordinates = points.unbind(-1)
        columns = []
        for term, function in self._functions.items():
            value = function(*coordinates)
            parts = (value,) if self.ndim == 1 and not isinstance(value, (tuple, list)) else tuple(value)
            if len(parts) != self.ndim:
                arguments = ", ".join(axis_names(self.ndim))
                raise InputError(f"expected {self.ndim} components of {term!r} at ({arguments}), got {len(parts)}")
            parts = tuple(torch.as_tensor(c, dtype=points.dtype, device=points.device) for c in parts)
            columns.append(torch.stack([c + 0 * coordinates[0] for c in parts], dim=-1))
        return torch.stack(columns, dim=-2)


class SumBasis(Basis):
    """The fields of several bases, one after the other."""

    def __init__(self, parts: Sequence[Basis]) -> None:
        self.parts: tuple[Basis, ...] = tuple(q for p in parts for q in (p.parts if isinstance(p, SumBasis) else (p,)))
        self.terms = tuple(t for p in self.parts for t in p.terms)
        _check_terms(self.terms)
        _check_ndim(self.parts)
        self.ndim = self.parts[0].ndim
        self.name = "+".join(p.name for p in self.parts)

    def fields(self, points: Float[Tensor, "*b d"]) -> Float[Tensor, "*b m d"]:
        return torch.cat([p.fields(points) for p in self.parts], dim=-2)

    def jacobians(self, points: Float[Tensor, "n d"]) -> Float[Tensor, "n m d d"]:
        return torch.cat([p.jacobians(points) for p in self.parts], dim=1)

    def velocity(
        self, points: Float[Tensor, "*#b n d"], coefficients: Float[Tensor, "*#b m"]
    ) -> Float[Tensor, "*r n d"]:
        shares = torch.split(coefficients, [p.dimension for p in self.parts], dim=-1)
        total = self.parts[0].velocity(points, shares[0])
        for part, share in zip(self.parts[1:], shares[1:], strict=True):
            total = total + part.velocity(points, share)
        return total
