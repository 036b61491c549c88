"""Detections over many settings and seeds, compared with the truth and with targets."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.cases import Case, Setting, Target
from liescope import SymmetryResult, detect
from liescope.data import Pairs
from liescope.evaluation import field_cosine, magnitude_error, wasserstein
from liescope.evaluation.bench.problems import true_coefficients
from liescope.evaluation.bench.record import spread
from liescope.inference import find_modes

__all__ = [
    "Comparison",
    "Run",
    "compare",
    "found_magnitude",
    "sweep",
    "timed_detection",
    "warm_up",
]

_UNITS = {"degree": "°", "pixel": " px"}
_WARM_UP_PAIRS = {False: 600, True: 32}


@dataclass(frozen=True)
class Comparison:
    """A detection beside the truth; shares are of the range of the true t.

    Parameters
    ----------
    cosine : float
        Of the found and the true vector field in L2 over the image; 0 where nothing was found.
    t_error_median, t_error_p90 : float
        Of |t found - t true| over all pairs; nan where nothing was found.
    t_error_held : float or None
        The same median against the magnitudes that the images hold: see :func:`held_magnitude`.
    w1 : float
        Wasserstein distance between the laws of t.
    accepted_fraction : float
    generators : int
        How many were found.
    modes : int
        How many modes the found magnitudes have.
    """

    cosine: float
    t_error_median: float
    t_error_p90: float
    t_error_held: float | None
    w1: float
    accepted_fraction: float
    generators: int
    modes: int


@dataclass(frozen=True)
class Run:
    """One timed detection."""

    setting: Setting
    seed: int
    unit: str
    found: Comparison
    seconds: float


def found_magnitude(pairs: Pairs, result: SymmetryResult) -> tuple[float, np.ndarray | None]:
    """|cos| between the true field and the nearest found one, and its t with the sign of the truth, shape (N,).

    (0, None) where nothing was found.
    """
    if not result.generators:
        return 0.0, None
    truth = true_coefficients(pairs, result.basis.dimension)
    found = [one.generator.coefficients for one in result.generators]
    shape = (result.shape[-2], result.shape[-1])
    cosines = [field_cosine(truth, coefficients, result.basis, shape) for coefficients in found]
    nearest = int(np.argmax(cosines))
    sign = -1.0 if truth @ found[nearest] < 0 else 1.0
    return cosines[nearest], sign * result.t[:, nearest]


def held_magnitude(pairs: Pairs) -> np.ndarray | None:
    """The t that the images hold where that is not the t that was asked for; None elsewhere.

    A translation by d pixels with nearest-neighbour resampling is exactly the one by d rounded to whole pixels.
    """
    translates = pairs.meta["unit"][0] == "pixel"
    if not (translates and pairs.meta["interpolation"] == "nearest") or pairs.natural_magnitude is None:
        return None
    held: np.ndarray = np.round(pairs.natural_magnitude[:, 0]) / pairs.meta["unit_per_t"][0]
    return held


def compare(pairs: Pairs, result: SymmetryResult) -> Comparison:
    """A detection beside the truth that came with the pairs."""
    cosine, t = found_magnitude(pairs, result)
    accepted = float(np.mean(result.accepted))
    if t is None or pairs.magnitude is None:
        return Comparison(cosine, np.nan, np.nan, np.nan, np.nan, accepted, 0, 0)
    truth, held = pairs.magnitude[:, 0], held_magnitude(pairs)
    error = magnitude_error(t, truth)
    return Comparison(
        cosine=cosine,
        t_error_median=float(np.median(error)),
        t_error_p90=float(np.quantile(error, 0.9)),
        t_error_held=None if held is None else float(np.median(magnitude_error(t, held))),
        w1=wasserstein(t, truth),
        accepted_fraction=accepted,
        generators=len(result.generators),
        modes=len(find_modes(t)),
    )


def timed_detection(pairs: Pairs, basis: str = "affine", seed: int = 0) -> tuple[SymmetryResult, float]:
    """A detection and its wall-clock seconds."""
    began = time.perf_counter()
    result = detect(pairs.source, pairs.target, basis=basis, random_state=seed)
    return result, time.perf_counter() - began


def warm_up(basis: str = "affine", tiny: bool = False) -> None:
    """One detection that nobody times: later ones find everything loaded."""
    timed_detection(Setting(Case("rotation", "rotation", 60.0)).pairs(_WARM_UP_PAIRS[tiny], seed=0), basis)


def sweep(plan: Mapping[Setting, Target], seeds: Sequence[int], count: int) -> tuple[list[dict[str, Any]], list[Run]]:
    """Detect in every setting with every seed.

    Parameters
    ----------
    plan : mapping from Setting to Target
    seeds : sequence of int
        Each seeds the data and the detector.
    count : int
        Number of pairs.

    Returns
    -------
    rows : list of dict
        One a setting: the worst over the seeds, and whether it meets its target.
    runs : list of Run
    """
    rows, runs = [], []
    for number, (setting, target) in enumerate(plan.items(), start=1):
        print(f"{number}/{len(plan)} {setting.case.name}", file=sys.stderr, flush=True)
        own = [_run(setting, seed, count) for seed in seeds]
        rows.append(_row(setting, target, own))
        runs += own
    return rows, runs


def _run(setting: Setting, seed: int, count: int) -> Run:
    pairs = setting.pairs(count, seed)
    result, seconds = timed_detection(pairs, setting.basis, seed)
    return Run(setting, seed, pairs.meta["unit"][0], compare(pairs, result), seconds)


def _row(setting: Setting, target: Target, runs: Sequence[Run]) -> dict[str, Any]:
    found = [run.found for run in runs]
    held = [one.t_error_held for one in found if one.t_error_held is not None]
    row: dict[str, Any] = {
        "case": setting.case.name,
        "range": f"±{setting.case.range:g}{_UNITS.get(runs[0].unit, '')}",
        "order": setting.order,
        "law": setting.law,
        "noise": setting.noise,
        "basis": setting.basis,
        "seeds": [run.seed for run in runs],
        "cosine": float(np.min([one.cosine for one in found])),
        "t_error_median": float(np.max([one.t_error_median for one in found])),
        "t_error_p90": float(np.max([one.t_error_p90 for one in found])),
        "t_error_held": float(np.max(held)) if held else None,
        "w1": float(np.max([one.w1 for one in found])),
        "accepted_fraction": float(np.min([one.accepted_fraction for one in found])),
        "generators": [one.generators for one in found],
        "modes": [one.modes for one in found],
        **spread([run.seconds for run in runs]),
        "target": target,
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
