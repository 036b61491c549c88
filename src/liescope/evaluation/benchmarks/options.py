"""How a benchmark is asked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from liescope.data import Corpus
from liescope.errors import install_hint
from liescope.evaluation.benchmarks.parallel import processes, side_by_side
from liescope.evaluation.benchmarks.unfinished import Kept, code_digest, kept_folder

__all__ = ["Options", "UnavailableError", "corpus_name", "require"]

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


class UnavailableError(Exception):
    """Something that a benchmark compares with is not installed."""


_EXTRAS = {
    "cv2": "bench",
    "kornia": "bench",
    "lightning": "latent",
    "pystackreg": "bench",
    "skimage": "data",
    "sklearn": "data",
}


def require(package: str) -> None:
    """Raise UnavailableError where a package that a benchmark compares with is not installed."""
    if importlib.util.find_spec(package) is None:
        raise UnavailableError(f"{package} is not installed, try {install_hint(package, _EXTRAS[package])}")


def _silent(stage: str, fraction: float) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class Options:
    """How a benchmark is run.

    Parameters
    ----------
    tiny : bool
        A few seconds of work, to see that it runs; its numbers mean little.
    seeds : tuple of int, optional
        Seeds of the data and of the detector, for every row; each benchmark has its own choice.
    corpora : tuple of str
        Other corpora (names, ``.npz`` files, folders) than the benchmark's own; most benchmarks take the first.
    methods, transforms, laws : tuple of str, optional
        Which of them are run, where a benchmark has a choice.
    kinds, images : tuple of str, optional
        Kinds of pictures, and photographs or sets of them: of the benchmark of real pictures.
    epochs : int, optional
        At most so many epochs of a training.
    processes : int, optional
        Runs side by side, one thread each; default as many as cores. One: in this process, with all threads.
    progress : callable
        Told what is going on: a stage, and the share that is done, from 0 to 1.
    folder : Path, optional
        Where records are going to be written: until then it holds what has been run, so that a benchmark that was
        stopped goes on where it ended. Nothing is kept of what is only tried out.
    """

    tiny: bool = False
    seeds: tuple[int, ...] | None = None
    corpora: tuple[str, ...] = ()
    methods: tuple[str, ...] | None = None
    transforms: tuple[str, ...] | None = None
    laws: tuple[str, ...] | None = None
    epochs: int | None = None
    processes: int | None = None
    progress: Callable[[str, float], None] = _silent
    folder: Path | None = None
    kinds: tuple[str, ...] | None = None
    images: tuple[str, ...] | None = None

    @property
    def corpus(self) -> str | None:
        """The corpus, or None for the benchmark's own."""
        return self.corpora[0] if self.corpora else None

    @property
    def process_count(self) -> int:
        """How many runs go side by side: to start processes takes longer than what is only tried out."""
        return self.processes or (1 if self.tiny else processes())

    def chosen_seeds(self, count: int) -> tuple[int, ...]:
        """The seeds that were asked for, or the first ``count``; one where it is only tried out."""
        return self.seeds or tuple(range(1 if self.tiny else count))

    def run(
        self,
        name: str,
        function: Callable[[Task], Outcome],
        tasks: Sequence[Task],
        *,
        keep: bool = True,
        alone: bool = False,
    ) -> list[Outcome]:
        """Outcomes of the tasks, in their order, with progress told.

        Parameters
        ----------
        name : str
            Of the benchmark, and of its record.
        function, tasks
            What processes can send to each other.
        keep : bool
            Whether outcomes are kept until the record is written. Not where the time of all of them counts.
        alone : bool
            One after the other in this process, with all of its threads: where the time of each counts.
        """
        count = 1 if alone else self.process_count
        if keep and self.folder is not None and not self.tiny:
            function = Kept(function, kept_folder(self.folder, name), code_digest(function, count, *self.corpora))
        return list(self._told(name, side_by_side(function, tasks, count), len(tasks)))

    def _told(self, name: str, outcomes: Iterable[Outcome], total: int) -> Iterator[Outcome]:
        self.progress(name, 0.0)
        for done, outcome in enumerate(outcomes, start=1):
            self.progress(name, done / total)
            yield outcome


def corpus_name(corpus: str | Corpus | None) -> str:
    """How results call a corpus: never by the machine's folders."""
    if isinstance(corpus, Corpus):
        return corpus.name
    return "mnist-5k" if corpus is None else Path(corpus).stem
