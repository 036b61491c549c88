"""Detections over many problems and seeds, compared with the truth and with targets."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from liescope.data import Pairs
from liescope.detector import detect
from liescope.evaluation.benchmarks.options import Options, corpus_name
from liescope.evaluation.benchmarks.problems import AFFINE, Problem, Target
from liescope.evaluation.benchmarks.record import spread
from liescope.evaluation.benchmarks.scores import Score, answer_of, nearest_field, score, true_field
from liescope.evaluation.metrics import magnitude_error
from liescope.result import SymmetryResult

__all__ = [
    "Detected",
    "answer_of",
    "compare",
    "found_magnitude",
    "held_magnitude",
    "sweep",
    "timed_detection",
    "warm_up",
]

_WARM_UP_PAIRS = {False: 600, True: 32}


@dataclass(frozen=True)
class Detected:
    """One timed detection beside the truth; shares are of the range of the true t.

    Parameters
    ----------
    problem : Problem
    unit : str
        Natural unit of the magnitudes.
    score : Score
    t_error_median, t_error_p90 : float
        Of |t found - t true| over all pairs; nan where nothing was found.
    t_error_held : float or None
        The same median against the magnitudes that the images hold: see :func:`held_magnitude`.
    accepted_fraction : float
    seconds : float
    """

    problem: Problem
    unit: str
    score: Score
    t_error_median: float
    t_error_p90: float
    t_error_held: float | None
    accepted_fraction: float
    seconds: float

    def named(self) -> dict[str, Any]:
        """The detection as results keep it."""
        problem = self.problem
        case = {
            "name": problem.name,
            "transform": problem.transform,
            "range": problem.range,
            "centre": problem.centre,
        }
        setting = {name: getattr(problem, name) for name in ("order", "law", "noise", "basis")}
        # The results name a file, not the machine's folders.
        corpus = None if problem.corpus is None else corpus_name(problem.corpus)
        return {
            "setting": {"case": case, **setting, "corpus": corpus, "task": problem.task},
            "seed": problem.seed,
            "unit": self.unit,
            "found": self.measures(),
            "seconds": self.seconds,
        }

    def measures(self) -> dict[str, Any]:
        """What a row shows the worst of, by name."""
        return {
            "cosine": self.score.cosine,
            "t_error_median": self.t_error_median,
            "t_error_p90": self.t_error_p90,
            "t_error_held": self.t_error_held,
            "w1": self.score.w1,
            "accepted_fraction": self.accepted_fraction,
            "generators": self.score.generators,
            "modes": self.score.modes,
        }


def found_magnitude(pairs: Pairs, result: SymmetryResult) -> np.ndarray | None:
    """The t of the found generator nearest to the true one, with the sign of the truth, shape (N,).

    None where nothing was found.
    """
    if not result.generators:
        return None
    shape = (result.shape[-2], result.shape[-1])
    found = [one.generator.coefficients for one in result.generators]
    nearest = nearest_field(true_field(pairs, result.basis), found, result.basis, shape)
    return nearest.sign * result.t[:, nearest.which]


def held_magnitude(pairs: Pairs) -> np.ndarray | None:
    """The t that the images hold where that is not the t that was asked for; None elsewhere.

    A translation by d pixels with nearest-neighbour resampling is exactly the one by d rounded to whole pixels.
    """
    translates = pairs.meta["unit"][0] == "pixel"
    if not (translates and pairs.meta["interpolation"] == "nearest") or pairs.natural_magnitude is None:
        return None
    held: np.ndarray = np.round(pairs.natural_magnitude[:, 0]) / pairs.meta["unit_per_t"][0]
    return held


def compare(problem: Problem, pairs: Pairs, result: SymmetryResult, seconds: float) -> Detected:
    """A detection beside the truth that came with the pairs."""
    t = found_magnitude(pairs, result)
    error = held_error = None
    if t is not None and pairs.magnitude is not None:
        held = held_magnitude(pairs)
        error = magnitude_error(t, pairs.magnitude[:, 0])
        held_error = None if held is None else float(np.median(magnitude_error(t, held)))
    return Detected(
        problem=problem,
        unit=str(pairs.meta["unit"][0]),
        score=score(pairs, answer_of(result, seconds), result.basis),
        t_error_median=np.nan if error is None else float(np.median(error)),
        t_error_p90=np.nan if error is None else float(np.quantile(error, 0.9)),
        t_error_held=np.nan if error is None else held_error,
        accepted_fraction=float(np.mean(result.accepted)),
        seconds=seconds,
    )


def timed_detection(pairs: Pairs, basis: str = "affine", seed: int = 0) -> tuple[SymmetryResult, float]:
    """A detection and its wall-clock seconds."""
    began = time.perf_counter()
    result = detect(pairs.source, pairs.target, basis=basis, random_state=seed)
    return result, time.perf_counter() - began


def warm_up(basis: str = "affine", tiny: bool = False) -> None:
    """One detection that nobody times: later ones find everything loaded."""
    timed_detection(replace(AFFINE["rotation"], range=60.0, pairs=_WARM_UP_PAIRS[tiny]).make(), basis)


def sweep(
    name: str, plan: Mapping[Problem, Target], seeds: Sequence[int], options: Options
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Detect in every problem with every seed, one after the other: the time of each counts.

    Parameters
    ----------
    name : str
        Of the benchmark.
    plan : mapping from Problem to Target
    seeds : sequence of int
        Each seeds the data and the detector.
    options : Options

    Returns
    -------
    rows : list of dict
        One a problem: the worst over the seeds, and whether it meets its target.
    runs : list of dict
        One a detection, as results keep it.
    """
    tasks = [replace(problem, seed=seed) for problem in plan for seed in seeds]
    found = options.run(name, _detected, tasks, alone=True)
    parts = [found[start : start + len(seeds)] for start in range(0, len(found), len(seeds))]
    rows = [_row(target, own) for target, own in zip(plan.values(), parts, strict=True)]
    return rows, [one.named() for one in found]


def _detected(problem: Problem) -> Detected:
    pairs = problem.make()
    result, seconds = timed_detection(pairs, problem.basis, problem.seed)
    return compare(problem, pairs, result, seconds)


def _row(target: Target, runs: Sequence[Detected]) -> dict[str, Any]:
    problem = runs[0].problem
    found = [run.measures() for run in runs]
    held = [one["t_error_held"] for one in found if one["t_error_held"] is not None]
    row: dict[str, Any] = {
        "case": problem.name,
        "range": problem.range_text,
        "order": problem.order,
        "law": problem.law,
        "noise": problem.noise,
        "basis": problem.basis,
        "seeds": [run.problem.seed for run in runs],
        "cosine": float(np.min([one["cosine"] for one in found])),
        "t_error_median": float(np.max([one["t_error_median"] for one in found])),
        "t_error_p90": float(np.max([one["t_error_p90"] for one in found])),
        "t_error_held": float(np.max(held)) if held else None,
        "w1": float(np.max([one["w1"] for one in found])),
        "accepted_fraction": float(np.min([one["accepted_fraction"] for one in found])),
        "generators": [one["generators"] for one in found],
        "modes": [one["modes"] for one in found],
        **spread([run.seconds for run in runs]),
        "target": asdict(target),
    }
    missed = _missed(row, target)
    return {**row, "passed": not missed, "missed": missed}


def _missed(row: Mapping[str, Any], target: Target) -> list[str]:
    """What falls short. Comparisons are written so that nan falls short."""
    t_error = row["t_error_median"] if row["t_error_held"] is None else row["t_error_held"]
    reached = {
        "cosine": row["cosine"] >= target.cosine,
        "t error": target.t_error is None or t_error <= target.t_error,
        "W1": target.w1 is None or row["w1"] <= target.w1,
        "modes": target.modes is None or set(row["modes"]) == {target.modes},
        "count": set(row["generators"]) == {1},
        "seconds": row["seconds_max"] <= target.seconds,
    }
    return [name for name, fine in reached.items() if not fine]
