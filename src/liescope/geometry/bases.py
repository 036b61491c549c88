"""Bases that are ready to use, by name: affine, quadratic, conformal, polynomials of any degree, fields of your own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from liescope.errors import InputError, suggest
from liescope.geometry.fields import Basis, CallableBasis, PlaneField, PolynomialBasis, monomial_exponents

__all__ = [
    "BASES",
    "affine",
    "conformal",
    "field_basis",
    "get_basis",
    "polynomial",
    "quadratic",
    "stored_basis",
]


def _monomial_name(p: int, q: int) -> str:
    powers = ((symbol, exponent) for symbol, exponent in (("x", p), ("y", q)) if exponent)
    return "".join(symbol if exponent == 1 else f"{symbol}^{exponent}" for symbol, exponent in powers)


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
