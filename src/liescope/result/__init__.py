"""One result type for every engine, and its folder."""

from liescope.answer.answer import SCHEMA
from liescope.answer.folder import RESULT_FILES, WORK_FOLDER, atomic_folder, check_folder
from liescope.answer.parts import DetectedGenerator, Samples
from liescope.result.symmetry import FieldResult, SymmetryResult, load_result

__all__ = [
    "RESULT_FILES",
    "SCHEMA",
    "WORK_FOLDER",
    "DetectedGenerator",
    "FieldResult",
    "Samples",
    "SymmetryResult",
    "atomic_folder",
    "check_folder",
    "load_result",
]
