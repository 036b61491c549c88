"""Which benchmarks there are, and running one."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from liescope.evaluation.benchmarks.options import Options
from liescope.evaluation.benchmarks.record import Record, read_record

__all__ = ["BENCHMARKS", "DEFAULTS", "SHOWN", "Benchmark"]


@dataclass(frozen=True)
class Benchmark:
    """A benchmark by its name; its module is imported when it is asked for.

    Parameters
    ----------
    name : str
        Of the module in ``liescope.evaluation.benchmarks.suite``, and of the record.
    about : str
        What it measures, in a few words.
    choices : tuple of str
        Which of the options that narrow a benchmark down it has a use for.
    """

    name: str
    about: str
    choices: tuple[str, ...] = ()

    @property
    def module(self) -> ModuleType:
        """Has ``run(options)`` and ``layout(title)``, the columns of the table of that title."""
        return importlib.import_module(f"liescope.evaluation.benchmarks.suite.{self.name}")

    def __call__(self, options: Options) -> Record:
        """Run it.

        Raises
        ------
        UnavailableError
            What it compares with is not installed.
        """
        record: Record = self.module.run(options)
        return record

    def read(self, folder: Path) -> Record:
        """What it has written to a folder, with tables that can be shown again."""
        return read_record(folder / f"{self.name}.json", self.module.layout)


BENCHMARKS: Mapping[str, Benchmark] = {
    one.name: one
    for one in (
        Benchmark("headline", "8 transforms x 3 laws x 5 seeds", ("transforms", "corpus")),
        Benchmark(
            "methods",
            "engines, least squares, pair by pair",
            ("methods", "transforms", "laws", "epochs", "corpus"),
        ),
        Benchmark("lconv", "rotated noise"),
        Benchmark("symnist2023", "one transform, one law", ("transforms", "corpus")),
        Benchmark("accuracy", "9 affine transforms x 3 interpolations"),
        Benchmark("laws", "5 laws of t"),
        Benchmark("noise", "noisy images"),
        Benchmark("quadratic", "the quadratic basis"),
        Benchmark("corpora", "13 transforms on every corpus", ("corpus",)),
        Benchmark("scaling", "time and memory against pairs and pixels"),
        Benchmark("decisions", "how many, which, or none", ("corpus",)),
        Benchmark("pictures", "real pictures, beside registration pair by pair", ("methods", "kinds", "images")),
        Benchmark(
            "type2",
            "networks that take their weight sharing from the data",
            ("methods", "transforms", "kinds", "epochs", "corpus"),
        ),
        Benchmark("latent", "the latent engine on two generators and on different digits"),
        Benchmark("latent_step", "one optimisation step"),
        Benchmark("kornia_registrator", "kornia's ImageRegistrator"),
    )
}
"""Benchmarks by name."""

DEFAULTS = ("headline", "methods", "lconv", "symnist2023")
"""Those that stand for the package: what ``liescope bench`` runs unless it is told a name."""

SHOWN = (*DEFAULTS, "pictures", "type2")
"""Those whose tables the page of the documentation has."""
