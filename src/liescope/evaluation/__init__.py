"""Numbers instead of judgement by eye, each with the level that an answer without knowledge reaches."""

from liescope.evaluation.coefficients import CoefficientErrors, classify_linear_part, coefficient_errors
from liescope.evaluation.laws import (
    MagnitudeCorrelation,
    ReconstructionError,
    magnitude_correlation,
    mode_count,
    reconstruction_error,
    wasserstein_standardised,
)
from liescope.evaluation.metrics import (
    field_cosine,
    grassmann_distance,
    image_support,
    magnitude_error,
    principal_angles,
    wasserstein,
)
from liescope.evaluation.nulls import NullLevel, NullLevels, null_levels

__all__ = [
    "CoefficientErrors",
    "MagnitudeCorrelation",
    "NullLevel",
    "NullLevels",
    "ReconstructionError",
    "classify_linear_part",
    "coefficient_errors",
    "field_cosine",
    "grassmann_distance",
    "image_support",
    "magnitude_correlation",
    "magnitude_error",
    "mode_count",
    "null_levels",
    "principal_angles",
    "reconstruction_error",
    "wasserstein",
    "wasserstein_standardised",
]
