"""Bases of vector fields on the plane.

A basis of dimension m spans the generators ``X = sum_k a_k b_k`` that a detection may answer with; each ``b_k``
is a vector field ``(u_k(x, y), v_k(x, y))`` with a name. Bases compose: ``affine() + field_basis({...})``.
The polynomial ones know their monomials, so that flows have a closed form (affine) or a fast evaluation
(Horner), and brackets are exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.errors import InputError

__all__ = ["Basis", "CallableBasis", "PlaneField", "PolynomialBasis", "SumBasis", "monomial_exponents"]


def monomial_exponents(degree: int) -> list[tuple[int, int]]:
    """Exponents (p, q) of the monomials x^p y^q up to ``degree``: 1, x, y, x^2, xy, y^2, ..."""
    return [(total - q, q) for total in range(degree + 1) for q in range(total + 1)]


class Basis(ABC):
    """An ordered set of m named vector fields. ``name`` identifies it in files, ``terms`` name its fields."""

    name: str
    terms: tuple[str, ...]

    @property
    def dimension(self) -> int:
        """Number of fields m."""
        return len(self.terms)

    @abstractmethod
    def fields(self, points: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b m 2"]:
        """Every basis field at the points."""

    def jacobians(self, points: Float[Tensor, "n 2"]) -> Float[Tensor, "n m 2 2"]:
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
        return torch.stack(filled, dim=1).reshape(len(points), self.dimension, 2, 2)

    def velocity(
        self, points: Float[Tensor, "*#b n 2"], coefficients: Float[Tensor, "*#b m"]
    ) -> Float[Tensor, "*r n 2"]:
        """The field ``sum_k a_k b_k`` at the points; leading dimensions broadcast."""
        return torch.einsum("...nmc,...m->...nc", self.fields(points), coefficients)

    def __add__(self, other: Basis) -> Basis:
        """The basis with the fields of both (repeated terms are refused)."""
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


class PolynomialBasis(Basis):
    """A basis whose fields are polynomials of bounded degree.

    Parameters
    ----------
    name : str
        Its name in files.
    terms : sequence of str
        The names of the m fields.
    table : tensor, shape (m, 2, k)
        Coefficients of the two components of every field on the k monomials of :func:`monomial_exponents`.
    degree : int
        Highest total degree; k = (degree + 1)(degree + 2) / 2.
    """

    def __init__(self, name: str, terms: Sequence[str], table: Tensor, degree: int) -> None:
        _check_terms(terms)
        self.name = name
        self.terms = tuple(terms)
        self.table: Float[Tensor, "m 2 k"] = table.to(torch.float64)
        self.degree = degree

    @cached_property
    def exponents(self) -> list[tuple[int, int]]:
        """Exponents of the k monomials."""
        return monomial_exponents(self.degree)

    def embedded(self, degree: int) -> Float[Tensor, "m 2 k"]:
        """The table on the monomials of a degree at least this basis's own."""
        extra = len(monomial_exponents(degree)) - self.table.shape[-1]
        return torch.nn.functional.pad(self.table, (0, extra))

    def monomials(self, points: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b k"]:
        """1, x, y, x^2, ... at the points."""
        x, y = points.unbind(-1)
        powers: dict[tuple[int, int], Tensor] = {(0, 0): torch.ones_like(x)}
        for p, q in self.exponents[1:]:
            powers[p, q] = powers[p - 1, q] * x if p else powers[p, q - 1] * y
        return torch.stack([powers[e] for e in self.exponents], dim=-1)

    def fields(self, points: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b m 2"]:
        table = self.table.to(points)
        return torch.einsum("...k,mck->...mc", self.monomials(points), table)

    @cached_property
    def _derivatives(self) -> Float[Tensor, "2 m 2 k"]:
        """Tables of the derivatives of the fields by x and by y, on the same monomials."""
        place = {exponent: i for i, exponent in enumerate(self.exponents)}
        tables = torch.zeros(2, *self.table.shape, dtype=torch.float64)
        for (p, q), i in place.items():
            if p:
                tables[0, :, :, place[p - 1, q]] += p * self.table[:, :, i]
            if q:
                tables[1, :, :, place[p, q - 1]] += q * self.table[:, :, i]
        return tables

    def jacobians(self, points: Float[Tensor, "n 2"]) -> Float[Tensor, "n m 2 2"]:
        return torch.einsum("nk,jmck->nmcj", self.monomials(points), self._derivatives.to(points))

    def polynomial(self, coefficients: Float[Tensor, "*b m"]) -> Float[Tensor, "*b 2 k"]:
        """Monomial coefficients of the two components of ``sum_k a_k b_k``."""
        return torch.einsum("...m,mck->...ck", coefficients, self.table.to(coefficients))

    def velocity(
        self, points: Float[Tensor, "*#b n 2"], coefficients: Float[Tensor, "*#b m"]
    ) -> Float[Tensor, "*r n 2"]:
        # Horner in x for every power of y: a few fused element-wise passes instead of an (n, m, 2) array.
        polynomial = self.polynomial(coefficients)
        shape = np.broadcast_shapes(points.shape[:-1], (*polynomial.shape[:-2], 1))
        x, y = (c.expand(shape) for c in points.unbind(-1))
        components = []
        for component in polynomial.unbind(-2):
            table = dict(zip(self.exponents, component[..., None].unbind(-2), strict=True))
            total = torch.zeros_like(x)
            for q in range(self.degree, -1, -1):
                row = table[self.degree - q, q].expand_as(x)
                for p in range(self.degree - q - 1, -1, -1):
                    row = torch.addcmul(table[p, q].expand_as(x), row, x)
                total = torch.addcmul(row, total, y)
            components.append(total)
        return torch.stack(components, dim=-1)


PlaneField = Callable[[Tensor, Tensor], tuple[Tensor | float, Tensor | float]]
"""A function of (x, y) that returns the components (u, v) there; constants may be plain numbers."""


class CallableBasis(Basis):
    """User-given fields: a mapping from the term's name to a function of (x, y) returning (u, v)."""

    def __init__(self, fields: Mapping[str, PlaneField], name: str) -> None:
        if not fields:
            raise InputError("expected at least one vector field for a basis, got none")
        self.name = name
        self.terms = tuple(fields)
        self._functions = dict(fields)

    def fields(self, points: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b m 2"]:
        x, y = points.unbind(-1)
        columns = []
        for function in self._functions.values():
            u, v = function(x, y)
            u, v = (torch.as_tensor(c, dtype=points.dtype, device=points.device) for c in (u, v))
            columns.append(torch.stack((u + 0 * x, v + 0 * x), dim=-1))
        return torch.stack(columns, dim=-2)


class SumBasis(Basis):
    """The fields of several bases, one after the other."""

    def __init__(self, parts: Sequence[Basis]) -> None:
        self.parts: tuple[Basis, ...] = tuple(q for p in parts for q in (p.parts if isinstance(p, SumBasis) else (p,)))
        self.terms = tuple(t for p in self.parts for t in p.terms)
        _check_terms(self.terms)
        self.name = "+".join(p.name for p in self.parts)

    def fields(self, points: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b m 2"]:
        return torch.cat([p.fields(points) for p in self.parts], dim=-2)

    def jacobians(self, points: Float[Tensor, "n 2"]) -> Float[Tensor, "n m 2 2"]:
        return torch.cat([p.jacobians(points) for p in self.parts], dim=1)

    def velocity(
        self, points: Float[Tensor, "*#b n 2"], coefficients: Float[Tensor, "*#b m"]
    ) -> Float[Tensor, "*r n 2"]:
        shares = torch.split(coefficients, [p.dimension for p in self.parts], dim=-1)
        total = self.parts[0].velocity(points, shares[0])
        for part, share in zip(self.parts[1:], shares[1:], strict=True):
            total = total + part.velocity(points, share)
        return total
