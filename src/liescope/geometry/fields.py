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

from liescope.errors import InputError, suggest

__all__ = [
    "BASES",
    "Basis",
    "CallableBasis",
    "PolynomialBasis",
    "SumBasis",
    "affine",
    "conformal",
    "field_basis",
    "get_basis",
    "monomial_exponents",
    "polynomial",
    "quadratic",
    "stored_basis",
]


def monomial_exponents(degree: int) -> list[tuple[int, int]]:
    """Exponents (p, q) of the monomials x^p y^q up to ``degree``: 1, x, y, x^2, xy, y^2, ..."""
    return [(total - q, q) for total in range(degree + 1) for q in range(total + 1)]


def _monomial_name(p: int, q: int) -> str:
    powers = ((symbol, exponent) for symbol, exponent in (("x", p), ("y", q)) if exponent)
    return "".join(symbol if exponent == 1 else f"{symbol}^{exponent}" for symbol, exponent in powers)


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

    def velocity(
        self, points: Float[Tensor, "*#b n 2"], coefficients: Float[Tensor, "*#b m"]
    ) -> Float[Tensor, "*r n 2"]:
        shares = torch.split(coefficients, [p.dimension for p in self.parts], dim=-1)
        total = self.parts[0].velocity(points, shares[0])
        for part, share in zip(self.parts[1:], shares[1:], strict=True):
            total = total + part.velocity(points, share)
        return total


def polynomial(degree: int) -> PolynomialBasis:
    """All polynomial fields up to ``degree``: terms [f d/dx for every monomial f, then f d/dy]."""
    if degree < 0:
        raise InputError(f"expected a polynomial degree of at least 0, got {degree}")
    exponents = monomial_exponents(degree)
    k = len(exponents)
    table = torch.zeros(2 * k, 2, k, dtype=torch.float64)
    terms = []
    for component, symbol in enumerate(("d/dx", "d/dy")):
        for i, (p, q) in enumerate(exponents):
            table[component * k + i, component, i] = 1.0
            terms.append(f"{_monomial_name(p, q)} {symbol}".strip())
    name = {0: "translations", 1: "affine", 2: "quadratic"}.get(degree, f"polynomial-{degree}")
    return PolynomialBasis(name, terms, table, degree)


def affine() -> PolynomialBasis:
    """The six affine fields: d/dx, x d/dx, y d/dx, d/dy, x d/dy, y d/dy."""
    return polynomial(1)


def quadratic() -> PolynomialBasis:
    """The twelve fields of degree at most two (the paper's equation 7)."""
    return polynomial(2)


def conformal() -> PolynomialBasis:
    """The six conformal fields: two translations, rotation, scale, two special conformal ones."""
    rows: dict[str, tuple[dict[int, float], dict[int, float]]] = {  # monomials: 1 x y x^2 xy y^2
        "translation-x": ({0: 1}, {}),
        "translation-y": ({}, {0: 1}),
        "rotation": ({2: -1}, {1: 1}),
        "scale": ({1: 1}, {2: 1}),
        "sct-x": ({3: 1, 5: -1}, {4: 2}),
        "sct-y": ({4: 2}, {5: 1, 3: -1}),
    }
    table = torch.zeros(6, 2, 6, dtype=torch.float64)
    for k, components in enumerate(rows.values()):
        for c, entries in enumerate(components):
            for i, value in entries.items():
                table[k, c, i] = value
    return PolynomialBasis("conformal", tuple(rows), table, 2)


def field_basis(fields: Mapping[str, PlaneField], name: str = "custom") -> CallableBasis:
    """A basis of your own fields.

    Examples
    --------
    >>> swirl = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))})
    >>> (affine() + swirl).dimension
    7
    """
    return CallableBasis(fields, name)


BASES: Mapping[str, Callable[[], Basis]] = {
    "translations": lambda: polynomial(0),
    "affine": affine,
    "quadratic": quadratic,
    "conformal": conformal,
}
"""Bases by name; ``polynomial-N`` is known beside them."""


def get_basis(basis: str | Basis) -> Basis:
    """The basis of that name (``affine``, ``quadratic``, ``conformal``, ``polynomial-3``, ...), or the one given."""
    if isinstance(basis, Basis):
        return basis
    if not isinstance(basis, str):
        raise InputError(f"expected a basis or its name, got {type(basis).__name__}")
    if basis in BASES:
        return BASES[basis]()
    prefix, _, degree = basis.partition("-")
    if prefix == "polynomial" and degree.isdigit() and int(degree) <= 8:
        return polynomial(int(degree))
    raise InputError(f"unknown basis {basis!r}.{suggest(basis, [*BASES, 'polynomial-3'])}")


def stored_basis(name: str, terms: Sequence[str], basis: Basis | None = None) -> Basis:
    """The basis that a file names, sums of known ones included.

    Parameters
    ----------
    name, terms
        As the file has them.
    basis : Basis, optional
        Needed only for fields of your own: files keep their names, not their functions.

    Raises
    ------
    InputError
        Fields of your own and no basis, or a basis with other terms.
    """
    if basis is None:
        try:
            first, *others = (get_basis(part) for part in name.split("+"))
        except InputError as error:
            own = f"expected the fields of basis {name!r}, which are your own, try loading with basis=..."
            raise InputError(f"{own} ({error})") from None
        basis = sum(others, start=first)
    if list(basis.terms) != list(terms):
        raise InputError(f"expected a basis with the terms {list(terms)}, got {list(basis.terms)}")
    return basis
