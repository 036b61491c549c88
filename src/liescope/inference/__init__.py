"""How many generators, how sure, and what the law of the magnitudes looks like."""

from liescope.inference.adding_up import FrameMagnitudes, bracket_share, frame_magnitudes
from liescope.inference.circular import unwrapped
from liescope.inference.count import (
    DIFFERENT_ROOTS,
    LEVEL,
    Count,
    Evidence,
    GainTest,
    SpanTrials,
    count_generators,
    gain_test,
)
from liescope.inference.modes import find_modes
from liescope.inference.two_sample import TwoSampleTest, energy_distance, two_sample_test
from liescope.inference.uncertainty import CoefficientUncertainty, coefficient_uncertainty, identifiable

__all__ = [
    "DIFFERENT_ROOTS",
    "LEVEL",
    "CoefficientUncertainty",
    "Count",
    "Evidence",
    "FrameMagnitudes",
    "GainTest",
    "SpanTrials",
    "TwoSampleTest",
    "bracket_share",
    "coefficient_uncertainty",
    "count_generators",
    "energy_distance",
    "find_modes",
    "frame_magnitudes",
    "gain_test",
    "identifiable",
    "two_sample_test",
    "unwrapped",
]
