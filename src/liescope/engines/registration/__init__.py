"""Registration engine: every pair in Lie-algebra coordinates, the generators they share, all magnitudes."""

from liescope.engines.registration.aligner import Aligner, Search
from liescope.engines.registration.all_pairs import Registration, magnitudes_along, register_all
from liescope.engines.registration.contrast import Contrast, contrast_generator
from liescope.engines.registration.engine import RegistrationEngine
from liescope.engines.registration.span_trials import SpanTrials, free_coordinates

__all__ = [
    "Aligner",
    "Contrast",
    "Registration",
    "RegistrationEngine",
    "Search",
    "SpanTrials",
    "contrast_generator",
    "free_coordinates",
    "magnitudes_along",
    "register_all",
]
