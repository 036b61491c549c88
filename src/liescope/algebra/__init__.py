"""Generators: gauge, names, equations, brackets; the algebras they span; clean generators of a span."""

from liescope.algebra.bracket import bracket_coefficients, structure_tensor
from liescope.algebra.clean import CleanGenerators, Snapping, clean_generators
from liescope.algebra.closure import GeneratedAlgebra, generated_algebra
from liescope.algebra.description import AlgebraDescription, describe_algebra
from liescope.algebra.factors import Factors, find_factors, product_magnitudes
from liescope.algebra.gauge import fix_gauge
from liescope.algebra.generator import Generator, equation
from liescope.algebra.inner_product import orthonormal_generators
from liescope.algebra.invariants import Invariants, algebra_invariants
from liescope.algebra.matrices import CONVENTIONS, flow_matrix
from liescope.algebra.names_of_algebras import NAMED_ALGEBRAS
from liescope.algebra.names_of_generators import CANONICAL_FIELDS, canonical_coefficients, recognise
from liescope.algebra.recognition import Recognition
from liescope.algebra.span import basis_contains, check_basis, field_gram, readable_generators, span_angles
from liescope.algebra.structure_constants import (
    StructureConstants,
    jacobi_residual,
    killing_form,
    structure_constants,
)
from liescope.algebra.wording import ALGEBRA_WORDS

__all__ = [
    "ALGEBRA_WORDS",
    "CANONICAL_FIELDS",
    "CONVENTIONS",
    "NAMED_ALGEBRAS",
    "AlgebraDescription",
    "CleanGenerators",
    "Factors",
    "GeneratedAlgebra",
    "Generator",
    "Invariants",
    "Recognition",
    "Snapping",
    "StructureConstants",
    "algebra_invariants",
    "basis_contains",
    "bracket_coefficients",
    "canonical_coefficients",
    "check_basis",
    "clean_generators",
    "describe_algebra",
    "equation",
    "field_gram",
    "find_factors",
    "fix_gauge",
    "flow_matrix",
    "generated_algebra",
    "jacobi_residual",
    "killing_form",
    "orthonormal_generators",
    "product_magnitudes",
    "readable_generators",
    "recognise",
    "span_angles",
    "structure_constants",
    "structure_tensor",
]
