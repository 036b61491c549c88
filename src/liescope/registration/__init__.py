"""Registration engine: every pair in Lie-algebra coordinates, the generators they share, all magnitudes."""

from liescope.registration.alignment import Alignment, Search
from liescope.registration.contrast import Contrast, contrast_generator
from liescope.registration.engine import Registration, magnitudes_along, register_all
from liescope.registration.preparation import GreyScale, PairSet
from liescope.registration.study import Study, free_coordinates
from liescope.registration.workers import worker_pool

__all__ = [
    "Alignment",
    "Contrast",
    "GreyScale",
    "PairSet",
    "Registration",
    "Search",
    "Study",
    "contrast_generator",
    "free_coordinates",
    "magnitudes_along",
    "register_all",
    "worker_pool",
]
