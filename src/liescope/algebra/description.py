"""The Lie algebra that generators span: is it closed under the bracket, what is it, and what is it called."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from liescope.algebra.closure import generated_algebra
from liescope.algebra.inner_product import domain_of, orthonormal_generators
from liescope.algebra.invariants import Invariants, algebra_invariants
from liescope.algebra.names_in_any_dimension import name_by_invariants, name_by_linear_parts
from liescope.algebra.names_of_algebras import Naming, name_by_brackets, name_by_fields
from liescope.algebra.recognition import pixel_place
from liescope.algebra.structure_constants import (
    StructureConstants,
    error_degrees,
    jacobi_residual,
    structure_constants,
)
from liescope.algebra.wording import algebra_sentence
from liescope.geometry.bases import get_basis, quadratic
from liescope.geometry.domain import Domain
from liescope.geometry.fields import Basis
from liescope.geometry.grid import DomainLike, as_domain

__all__ = ["AlgebraDescription", "describe_algebra"]

_CLOSED = 0.05
_DIGITS = 12  # of the structure constants: what comes after is rounding


class AlgebraDescription(NamedTuple):
    """What is known of the span of K generators.

    Attributes
    ----------
    dimension : int
    name : str
        ``t(1)``, ``so(2)``, ``se(2)``, ... (docs/algebra.md), ``solvable`` or ``general`` (closed, without a name of
        its own) or ``not closed``.
    closed : bool
        Whether brackets stay in the span.
    closure_residual : float
        Largest norm, in L2 over the domain, of the part of a bracket outside the span, in units of the largest
        generator's norm.
    structure_constants : nested tuple, shape (K, K, K)
        ``[X_i, X_j] = sum_k c[i][j][k] X_k`` for the generators as given, by least squares in L2 over the domain.
    jacobi_residual : float
        Largest coefficient of the cyclic sum of ``[X_i, [X_j, X_l]]`` for generators that are orthonormal in L2.
    killing_signature : (int, int, int) or None
        Numbers of positive, negative and zero eigenvalues of the Killing form.
    derived_dimension, centre_dimension : int or None
        Dimensions of [g, g] and of the centre.
    abelian, nilpotent, solvable, semisimple : bool or None
        From ``killing_signature`` on: those of the exact algebra where the span is within five degrees of one that
        is known, else with zeros up to what errors in the generators explain (docs/algebra.md). None for a span that
        is no algebra.
    smallest_closed_dimension : int or None
        Of the smallest algebra that contains the generators; None where it leaves the basis.
    smallest_closed_name : str or None
    position : str or None
        How the name was found: ``canonical`` fields; the same ``moved``, turned or about another centre;
        ``stretched``, in another linear frame (rotations along ellipses); ``abstract``, by the brackets alone. None
        where there is no name.
    centre_px : tuple of float, length d, or None
        Column, row, ... of the one point that the whole algebra leaves where it is, if there is one.
    description : str
        One sentence in plain words.
    """

    dimension: int
    name: str
    closed: bool
    closure_residual: float
    structure_constants: tuple[tuple[tuple[float, ...], ...], ...]
    jacobi_residual: float
    killing_signature: tuple[int, int, int] | None
    derived_dimension: int | None
    centre_dimension: int | None
    abelian: bool | None
    nilpotent: bool | None
    solvable: bool | None
    semisimple: bool | None
    smallest_closed_dimension: int | None
    smallest_closed_name: str | None
    position: str | None
    centre_px: tuple[float, ...] | None
    description: str


def describe_algebra(
    generators: Float[np.ndarray, "m k"], basis: str | Basis, domain: DomainLike
) -> AlgebraDescription:
    """Describe the span of generators.

    Parameters
    ----------
    generators : array, shape (m, K)
        Columns of any norm. The answer, but for ``structure_constants`` and ``closure_residual``, is that of their
        span.
    basis : str or Basis
    domain : Domain or tuple of int
        Where the fields live; a shape stands for the grid of images of that shape.
    """
    basis = get_basis(basis, as_domain(domain).ndim)
    domain = domain_of(domain, basis)
    k = generators.shape[1]
    if not k:
        return _trivial()
    found = structure_constants(generators, basis, domain)
    orthonormal = orthonormal_generators(generators, basis, domain)
    brackets = structure_constants(orthonormal, basis, domain)
    residual = found.closure_residual if k > 1 else 0.0
    closed = residual <= _CLOSED
    naming = _by_fields(orthonormal, basis, domain)
    name, position = _name(naming, brackets, closed, basis)
    smallest = (k, name) if naming or closed else _smallest(orthonormal, basis, domain)
    centre_px = pixel_place(naming.centre if naming else None, domain)
    return AlgebraDescription(
        dimension=k,
        name=name,
        closed=closed,
        closure_residual=residual,
        structure_constants=_nested(found.constants),
        jacobi_residual=jacobi_residual(brackets.constants),
        **_facts(_invariants(naming, brackets, domain) if naming or closed else None),
        smallest_closed_dimension=smallest[0],
        smallest_closed_name=smallest[1],
        position=position,
        centre_px=centre_px,
        description=algebra_sentence(k, name, position, centre_px, smallest, basis.ndim),
    )


def _trivial() -> AlgebraDescription:
    return AlgebraDescription(
        dimension=0,
        name="trivial",
        closed=True,
        closure_residual=0.0,
        structure_constants=(),
        jacobi_residual=0.0,
        **_facts(algebra_invariants(np.zeros((0, 0, 0)))),
        smallest_closed_dimension=0,
        smallest_closed_name="trivial",
        position=None,
        centre_px=None,
        description=algebra_sentence(0, "trivial", None, None, (0, "trivial")),
    )


def _by_fields(orthonormal: np.ndarray, basis: Basis, domain: Domain) -> Naming | None:
    """The plane has a table of its fields; elsewhere the linear parts tell."""
    return (name_by_fields if basis.ndim == 2 else name_by_linear_parts)(orthonormal, basis, domain)


def _by_brackets(brackets: StructureConstants, basis: Basis) -> str:
    return (name_by_brackets if basis.ndim == 2 else name_by_invariants)(brackets)


def _name(naming: Naming | None, brackets: StructureConstants, closed: bool, basis: Basis) -> tuple[str, str | None]:
    """Name, and how it was found."""
    if naming:
        return naming.name, naming.position
    if not closed:
        return "not closed", None
    name = _by_brackets(brackets, basis)
    return name, None if name in ("general", "one-parameter") else "abstract"


def _smallest(generators: np.ndarray, basis: Basis, domain: Domain) -> tuple[int | None, str | None]:
    """Dimension and name of the algebra that generators which are not closed lie in."""
    span, leaves_basis = generated_algebra(generators, basis, domain)
    if leaves_basis:
        return None, None
    orthonormal = orthonormal_generators(span, basis, domain)
    naming = _by_fields(span if basis.ndim == 2 else orthonormal, basis, domain)
    if naming:
        return span.shape[1], naming.name
    brackets = structure_constants(orthonormal, basis, domain)
    return span.shape[1], _by_brackets(brackets, basis)


def _invariants(naming: Naming | None, brackets: StructureConstants, domain: Domain) -> Invariants:
    """Of the exact fields where they are known: noise in the found ones then cannot make a zero look like none."""
    if naming:
        fields = quadratic(domain.ndim)
        exact = orthonormal_generators(naming.fields, fields, domain)
        return algebra_invariants(structure_constants(exact, fields, domain).constants, error_deg=0.0)
    return algebra_invariants(brackets.constants, error_degrees(brackets))


def _facts(invariants: Invariants | None) -> dict[str, Any]:
    names = (
        "killing_signature",
        "derived_dimension",
        "centre_dimension",
        "abelian",
        "nilpotent",
        "solvable",
        "semisimple",
    )
    return {name: None if invariants is None else getattr(invariants, name) for name in names}


def _nested(constants: np.ndarray) -> tuple[tuple[tuple[float, ...], ...], ...]:
    rounded = np.round(constants, _DIGITS) + 0.0  # no -0.0 in files
    return tuple(tuple(tuple(row) for row in matrix) for matrix in rounded.tolist())
