"""Generators: gauge, names, equations, brackets."""

from liescope.algebra.bracket import bracket_coefficients, structure_tensor
from liescope.algebra.gauge import fix_gauge
from liescope.algebra.generator import Generator, equation
from liescope.algebra.recognition import CANONICAL_FIELDS, Recognition, canonical_coefficients, recognise

__all__ = [
    "CANONICAL_FIELDS",
    "Generator",
    "Recognition",
    "bracket_coefficients",
    "canonical_coefficients",
    "equation",
    "fix_gauge",
    "recognise",
    "structure_tensor",
]
