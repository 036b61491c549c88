"""Symmetries as null vectors: rows that a symmetry annihilates, against the terms that should cancel in them."""

from liescope.nullspace.decide import Decision, Spectrum, decide, defect_intervals, noise_defects, spectrum
from liescope.nullspace.forms import IRRELEVANT, Forms, drawn_forms, gradient_terms, mean_squares, resampled_forms
from liescope.nullspace.frame import Dictionary, Frame, frame_of, full_degree
from liescope.nullspace.modules import minimal_generators, pointwise_rank
from liescope.nullspace.spans import Uncertainty, sparse_generators, uncertainty

__all__ = [
    "IRRELEVANT",
    "Decision",
    "Dictionary",
    "Forms",
    "Frame",
    "Spectrum",
    "Uncertainty",
    "decide",
    "defect_intervals",
    "drawn_forms",
    "frame_of",
    "full_degree",
    "gradient_terms",
    "mean_squares",
    "minimal_generators",
    "noise_defects",
    "pointwise_rank",
    "resampled_forms",
    "sparse_generators",
    "spectrum",
    "uncertainty",
]
