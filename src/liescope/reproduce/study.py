"""What is asked of a reproduction, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from matplotlib.figure import Figure

from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.unfinished import Kept, code_digest

__all__ = ["SCALES", "Finding", "Reproduction", "Request", "Verdict"]

SCALES = ("quick", "full")

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

Verdict = Literal["confirmed", "not confirmed", "improved"]
"""``improved``: what the paper reports as failing or open, and what does work here."""


def _silent(stage: str, fraction: float) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class Request:
    """How much is to be done, on what.

    Parameters
    ----------
    scale : {"quick", "full"}
        A few minutes on two cores, or the paper's own sizes.
    seed : int
        Of the data and of everything that is fitted.
    galaxies : str, optional
        Corpus for the GalaxSym figures (a name, an ``.npz`` with images or a folder); default one that needs no
        download.
    tiny : bool
        Seconds of work, to see that everything runs: its numbers mean nothing.
    progress : callable, optional
        Called with (stage, fraction done between 0 and 1).
    folder : Path, optional
        Where figures are going to be written: until then it holds their trainings, so that a figure that was stopped
        goes on where it ended. Nothing is kept of what is only tried out.

    Raises
    ------
    InputError
        An unknown scale or a negative seed.
    """

    scale: str = "quick"
    seed: int = 0
    galaxies: str | None = None
    tiny: bool = False
    progress: Callable[[str, float], None] = field(default=_silent, compare=False, repr=False)
    folder: Path | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise InputError(f"unknown scale {self.scale!r}.{suggest(self.scale, SCALES)}")
        if self.seed < 0:
            raise InputError(f"expected a seed that is a whole number >= 0, got {self.seed}")

    def kept(self, function: Callable[[Task], Outcome]) -> Callable[[Task], Outcome]:
        """A function from a task to an outcome, whose outcomes are read from the folder when they are there.

        The task's ``repr`` says everything of it.
        """
        if self.folder is None or self.tiny:
            return function
        return Kept(function, self.folder, code_digest(function))

    def size(self, tiny: int, quick: int, full: int) -> int:
        """The number that goes with the scale: of pairs, epochs, seeds, ..."""
        if self.tiny:
            return tiny
        return quick if self.scale == "quick" else full


class Finding(NamedTuple):
    """A claim of the paper, put to the test.

    Attributes
    ----------
    claim : str
        What the paper says, in its own or in few words.
    place : str
        Where it says so: ``Fig. 4``, ``Results, alpha-matching``, ...
    measured : str
        What was measured here, with the numbers and the level that no knowledge at all would score.
    verdict : Verdict
    """

    claim: str
    place: str
    measured: str
    verdict: Verdict


@dataclass(frozen=True)
class Reproduction:
    """A figure or table of the paper, made again.

    Parameters
    ----------
    name : str
        As on the command line: ``fig4``.
    title : str
    caption : str
        What is seen, with the sizes used; one paragraph.
    figures : mapping of str to Figure
        From the end of the file's name (``""`` for the only one) to what is drawn.
    rows : sequence of mappings
        The numbers behind the figure, one mapping a row with the same keys each; written as CSV.
    findings : sequence of Finding
    settings : mapping
        Everything that decided the result: sizes, seeds, laws, loss weights, ...
    """

    name: str
    title: str
    caption: str
    figures: Mapping[str, Figure]
    rows: Sequence[Mapping[str, Any]]
    findings: Sequence[Finding]
    settings: Mapping[str, Any]
