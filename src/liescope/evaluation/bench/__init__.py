"""The public benchmark: what ``liescope bench`` runs."""

from __future__ import annotations

from collections.abc import Mapping

from liescope.evaluation.bench import headline, lconv, methods, symnist2023
from liescope.evaluation.bench.methods import METHODS, QUICK_METHODS
from liescope.evaluation.bench.options import Benchmark, Options, UnavailableError
from liescope.evaluation.bench.record import Record

__all__ = [
    "BENCHMARKS",
    "CHOICES",
    "METHODS",
    "QUICK_METHODS",
    "Benchmark",
    "Options",
    "Record",
    "UnavailableError",
]

BENCHMARKS: Mapping[str, Benchmark] = {
    "headline": headline.run,
    "methods": methods.run,
    "lconv": lconv.run,
    "symnist2023": symnist2023.run,
}
"""Benchmarks by name."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "headline": ("transforms", "corpus"),
    "methods": ("methods", "transforms", "laws", "epochs", "corpus"),
    "lconv": (),
    "symnist2023": ("transforms", "corpus"),
}
"""Which of the options that narrow a benchmark down each has a use for."""
