"""What a detection answers, as plain data, and its files. What people hold is in :mod:`liescope.result`."""

from liescope.answer.answer import Answer
from liescope.answer.folder import OWN_FILES
from liescope.answer.reading import read_answer
from liescope.answer.writing import write_files

__all__ = ["OWN_FILES", "Answer", "read_answer", "write_files"]
