"""How many generators, how sure, and what the law of the magnitudes looks like."""

from liescope.inference.count import Count, Evidence, SpanStudy, count_generators
from liescope.inference.modes import find_modes
from liescope.inference.uncertainty import CoefficientUncertainty, coefficient_uncertainty

__all__ = [
    "CoefficientUncertainty",
    "Count",
    "Evidence",
    "SpanStudy",
    "coefficient_uncertainty",
    "count_generators",
    "find_modes",
]
