"""What a detection answers, as plain data, and its folder."""

from liescope.answer.answer import SCHEMA, Answer, DetectedGenerator, Samples
from liescope.answer.folder import OWN_FILES, RESULT_FILES, WORK_FOLDER, atomic_folder, check_folder
from liescope.answer.reading import read_answer
from liescope.answer.writing import write_files

__all__ = [
    "OWN_FILES",
    "RESULT_FILES",
    "SCHEMA",
    "WORK_FOLDER",
    "Answer",
    "DetectedGenerator",
    "Samples",
    "atomic_folder",
    "check_folder",
    "read_answer",
    "write_files",
]
