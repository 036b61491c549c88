"""One result type for every engine, and its folder."""

from liescope.result.folder import RESULT_FILES, WORK_FOLDER, atomic_folder, check_folder
from liescope.result.loading import load_result
from liescope.result.symmetry import SCHEMA, DetectedGenerator, Samples, SymmetryResult

__all__ = [
    "RESULT_FILES",
    "SCHEMA",
    "WORK_FOLDER",
    "DetectedGenerator",
    "Samples",
    "SymmetryResult",
    "atomic_folder",
    "check_folder",
    "load_result",
]
