"""Bases that are ready to use, by name: affine, quadratic, conformal, polynomials of any degree, fields of your own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import torch

from liescope.errors import InputError, quoted, suggest
from liescope.geometry.domain import axis_names
from liescope.geometry.fields import Basis, CallableBasis, Field, PolynomialBasis, monomial_exponents

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


def _monomial_name(exponent: tuple[int, ...]) -> str:
    powers = ((symbol, p) for symbol, p in zip(axis_names(len(exponent)), exponent, strict=True) if p)
    return "".join(symbol if p == 1 else f"{symbol}^{p}" for symbol, p in powers)


def polynomial(degree: int, ndim: int = 2) -> PolynomialBasis:
    """All polynomial fields up to ``degree``: terms [f d/dx for every monomial f, then f d/dy, ...]."""
    if degree < 0:
        raise InputError(f"expected a polynomial degree of at least 0, got {degree}")
    _check_ndim(ndim)
    exponents = monomial_exponents(degree, ndim)
    k = len(exponents)
    table = torch.zeros(ndim * k, ndim, k, dtype=torch.float64)
    terms = []
    for component, symbol in enumerate(axis_names(ndim)):
        for i, exponent in enumerate(exponents):
            table[component * k + i, component, i] = 1.0
            terms.append(f"{_monomial_name(exponent)} d/d{symbol}".strip())
    name = {0: "translations", 1: "affine", 2: "quadratic"}.get(degree, f"polynomial-{degree}")
    return PolynomialBasis(name, terms, table, degree)


def _check_ndim(ndim: int) -> None:
    if ndim < 1:
        raise InputError(f"expected at least 1 coordinate, got ndim={ndim}, try 1 (signals), 2 (images), 3 (volumes)")


def affine(ndim: int = 2) -> PolynomialBasis:
    """The d(d + 1) affine fields; on the plane d/dx, x d/dx, y d/dx, d/dy, x d/dy, y d/dy."""
    return polynomial(1, ndim)


def quadratic(ndim: int = 2) -> PolynomialBasis:
    """The fields of degree at most two; on the plane twelve (the paper's equation 7)."""
    return polynomial(2, ndim)


def conformal(ndim: int = 2) -> PolynomialBasis:
    """The (d + 1)(d + 2)/2 conformal fields: translations, rotations, scale, special conformal ones.

    On the plane they are the canonical fields of these names. In other dimensions ``rotation-xy`` turns x towards y,
    and ``sct-x`` is ``2 x (x d/dx + y d/dy + ...) - (x^2 + y^2 + ...) d/dx``; by Liouville's theorem there are no
    other conformal fields from three dimensions on.
    """
    rows: dict[str, tuple[dict[int, float], ...]]
    if ndim == 2:
        rows = {  # monomials: 1 x y x^2 xy y^2
            "translation-x": ({0: 1}, {}),
            "translation-y": ({}, {0: 1}),
            "rotation": ({2: -1}, {1: 1}),
            "scale": ({1: 1}, {2: 1}),
            "sct-x": ({3: 1, 5: -1}, {4: 2}),
            "sct-y": ({4: 2}, {5: 1, 3: -1}),
        }
    else:
        rows = _conformal_fields(ndim)
    table = torch.zeros(len(rows), ndim, len(monomial_exponents(2, ndim)), dtype=torch.float64)
    for k, components in enumerate(rows.values()):
        for c, entries in enumerate(components):
            for i, value in entries.items():
                table[k, c, i] = value
    return PolynomialBasis("conformal", tuple(rows), table, 2)


def _conformal_fields(ndim: int) -> dict[str, tuple[dict[int, float], ...]]:
    """Names and components, on the places of the monomials of degree at most two."""
    _check_ndim(ndim)
    axes = range(ndim)
    names = axis_names(ndim)
    place = {exponent: i for i, exponent in enumerate(monomial_exponents(2, ndim))}

    def at(*factors: int) -> int:
        return place[tuple(factors.count(c) for c in axes)]

    def field(*entries: tuple[int, int, float]) -> tuple[dict[int, float], ...]:
        return tuple({i: value for component, i, value in entries if component == c} for c in axes)

    rows = {f"translation-{names[c]}": field((c, at(), 1)) for c in axes}
    for a, b in combinations(axes, 2):
        rows[f"rotation-{names[a]}{names[b]}"] = field((a, at(b), -1), (b, at(a), 1))
    rows["scale"] = field(*((c, at(c), 1) for c in axes))
    for a in axes:
        others = [c for c in axes if c != a]
        along = [(a, at(a, a), 1.0), *((a, at(c, c), -1.0) for c in others)]
        rows[f"sct-{names[a]}"] = field(*along, *((c, at(a, c), 2.0) for c in others))
    return rows


def field_basis(fields: Mapping[str, Field], name: str = "custom", ndim: int = 2) -> CallableBasis:
    """A basis of your own fields, functions of ``ndim`` coordinates.

    Examples
    --------
    >>> swirl = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))})
    >>> (affine() + swirl).dimension
    7
    >>> stretch = field_basis({"stretch": lambda x, y, z: (x * z, y * z, 0 * z)}, ndim=3)
    >>> (affine(3) + stretch).dimension
    13
    """
    return CallableBasis(fields, name, ndim)


BASES: Mapping[str, Callable[[int], Basis]] = {
    "translations": lambda ndim: polynomial(0, ndim),
    "affine": affine,
    "quadratic": quadratic,
    "conformal": conformal,
}
"""Bases by name, made for a number of coordinates; ``polynomial-N`` is known beside them."""


def get_basis(basis: str | Basis, ndim: int = 2) -> Basis:
    """The basis of that name (``affine``, ``quadratic``, ``conformal``, ``polynomial-3``, ...), or the one given.

    Parameters
    ----------
    basis : str or Basis
    ndim : int
        Number of coordinates; of a name only, a basis has its own.
    """
    if isinstance(basis, Basis):
        return basis
    if not isinstance(basis, str):
        raise InputError(f"expected a basis or its name, got {type(basis).__name__}")
    if basis in BASES:
        return BASES[basis](ndim)
    prefix, _, degree = basis.partition("-")
    if prefix == "polynomial" and degree in "012345678" and len(degree) == 1:
        return polynomial(int(degree), ndim)
    raise InputError(f"unknown basis {quoted(basis)}.{suggest(basis, [*BASES, 'polynomial-3'])}")


def stored_basis(name: str, terms: Sequence[str], basis: Basis | None = None, ndim: int = 2) -> Basis:
    """The basis that a file names, sums of known ones included.

    Parameters
    ----------
    name, terms
        As the file has them.
    basis : Basis, optional
        Needed only for fields of your own: files keep their names, not their functions.
    ndim : int
        Number of coordinates.

    Raises
    ------
    InputError
        Fields of your own and no basis, or a basis with other terms.
    """
    if basis is None:
        try:
            first, *others = (get_basis(part, ndim) for part in name.split("+"))
        except InputError as error:
            own = f"expected the fields of basis {quoted(name)}, which are your own, try loading with basis=..."
            raise InputError(f"{own} ({error})") from None
        basis = sum(others, start=first)
    if list(basis.terms) != list(terms):
        raise InputError(
            f"expected a basis with the terms {quoted(list(terms), 100)}, got {quoted(list(basis.terms), 100)}"
        )
    return basis
