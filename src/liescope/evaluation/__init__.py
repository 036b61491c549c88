"""Numbers instead of judgement by eye."""

from liescope.evaluation.metrics import field_cosine, magnitude_error, principal_angles, wasserstein

__all__ = ["field_cosine", "magnitude_error", "principal_angles", "wasserstein"]
