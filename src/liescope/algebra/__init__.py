"""Generators: gauge, names, equations, brackets."""

from liescope.algebra.bracket import bracket_coefficients, structure_tensor
from liescope.algebra.gauge import fix_gauge
from liescope.algebra.generator import Generator, equation
from liescope.algebra.recognition import CANONICAL_FIELDS, Recognition, canonical_coefficients, recognise
from liescope.algebra.span import check_basis, field_gram, readable_generators, span_angles
from liescope.algebra.structure import AlgebraDescription, describe_algebra

__all__ = [
    "CANONICAL_FIELDS",
    "AlgebraDescription",
    "Generator",
    "Recognition",
    "bracket_coefficients",
    "canonical_coefficients",
    "check_basis",
    "describe_algebra",
    "equation",
    "field_gram",
    "fix_gauge",
    "readable_generators",
    "recognise",
    "span_angles",
    "structure_tensor",
]
