"""The rows of the tables of networks that share weights, from the runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from liescope.evaluation.benchmarks.record import spread
from liescope.evaluation.benchmarks.sharing.networks import METHODS
from liescope.evaluation.benchmarks.sharing.running import Run

__all__ = [
    "CHOICE",
    "FEW",
    "FULL",
    "INVARIANCE",
    "LEARNT",
    "MOST_REGRET",
    "PAIRS",
    "ROWS",
    "SHUFFLED",
    "TARGETS",
]

FEW = "Few labels"
CHOICE = "The choice among eight schemes"
SHUFFLED = "Shuffled labels"
LEARNT = "Learnt from labels alone"
PAIRS = "Found in pairs, then shared along"
INVARIANCE = "Invariance and equivariance"
FULL = "All labels"

TARGETS: Mapping[tuple[str, int], Mapping[str, float]] = {
    ("rotated", 100): {"lift": 0.73},
    ("rotated", 300): {"lift": 0.84, "cnn-lift": 0.88},
    ("rotated", 1000): {"lift": 0.90},
    ("shifted", 300): {"cnn-lift": 0.91},
    ("scaled", 300): {"cnn-lift": 0.89},
    ("as-they-are", 300): {"lift": 0.72},
}
"""Least accuracies by motion and labels; ``lift`` is the better of those with and without a series."""

_LEAST_OVER_DENSE = 0.30  # of rotated images with 300 labels at most
MOST_REGRET, _MEAN_REGRET, _WITHIN = 0.02, 0.005, 0.95
_MOST_SECONDS = 10.0
_MOST_GAIN = 3.0
_LEAST_GAINED, _LEAST_COSINE, _LEARN_SECONDS = 0.08, 0.98, 60.0
_MOST_APART = 0.01
_MOST_CHANGE, _MOST_BROKEN = 0.03, 1e-5
_MOST_ERROR = 0.025


def _groups(runs: Sequence[Run]) -> dict[tuple[str, int], list[Run]]:
    """Runs by motion and labels, in their order."""
    found: dict[tuple[str, int], list[Run]] = {}
    for one in runs:
        found.setdefault((one.task.motion, one.task.labels), []).append(one)
    return found


def _row(key: tuple[str, int], own: Sequence[Run], reached: Mapping[str, bool], **further: Any) -> dict[str, Any]:
    missed = [name for name, fine in reached.items() if not fine]
    seeds = len({one.task.seed for one in own})
    judged = {"passed": not missed if reached else None, "missed": missed}
    return {"motion": key[0], "labels": key[1], "runs": seeds, **further, **_seconds(own), **judged}


def _seconds(own: Sequence[Run]) -> dict[str, float]:
    return spread([one.seconds for one in own])


def _values(own: Sequence[Run], name: str) -> np.ndarray:
    return np.array([one.numbers[name] for one in own])


def few_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row for every motion and number of labels: the mean accuracy of every method over the seeds."""
    rows = []
    for key, own in _groups(runs).items():
        found = {
            name: float(_values(mine, "accuracy").mean()) if mine else np.nan
            for name in METHODS
            for mine in [[one for one in own if one.task.method == name]]
        }
        best = {"lift": np.nanmax([found["lift"], found["lift-conv"], -1]), "cnn-lift": found["cnn-lift"]}
        reached = {
            name: bool(best[name] >= least)
            for name, least in TARGETS.get(key, {}).items()
            if best[name] >= 0  # measured
        }
        if key[0] == "rotated" and key[1] <= 300 and "lift" in reached and not np.isnan(found["dense"]):
            reached["over dense"] = bool(best["lift"] - found["dense"] >= _LEAST_OVER_DENSE)
        test = int(max(_values(own, "test")))
        rows.append(_row(key, own, reached, test=test, accuracy=found))
    return rows


def choice_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row for every motion, and one for all with the targets."""
    rows = [_row(key, own, {}, **_regrets(own)) for key, own in _groups(runs).items()]
    for labels in dict.fromkeys(one.task.labels for one in runs):
        own = [one for one in runs if one.task.labels == labels]
        told = _regrets(own)
        reached = {
            "within": told["within"] >= _WITHIN,
            "mean": told["regret"] <= _MEAN_REGRET,
            "seconds": labels > 300 or float(np.median([one.seconds for one in own])) <= _MOST_SECONDS,
        }
        rows.append(_row(("all", labels), own, reached, **told))
    return rows


def _regrets(own: Sequence[Run]) -> dict[str, Any]:
    regrets = _values(own, "regret")
    chosen = [one.told for one in own]
    return {
        "regret": float(regrets.mean()),
        "worst": float(regrets.max()),
        "within": float((regrets <= MOST_REGRET + 1e-9).mean()),
        "weight": float(_values(own, "weight").mean()),
        "dense": float(_values(own, "dense").mean()),
        "accuracy": float(_values(own, "accuracy").mean()),
        "chosen": {name: chosen.count(name) for name in dict.fromkeys(chosen)},
    }


def shuffled_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """How often no scheme stands out where labels say nothing."""
    rows = []
    for key, own in _groups(runs).items():
        none = [one.told == "none" for one in own]
        # One in 200 may be wrong.
        reached = {"none": none.count(False) <= max(1, len(own) // 200)}
        rows.append(_row(key, own, reached, none=float(np.mean(none)), gain=float(_values(own, "gain").max())))
    return rows


def learnt_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row for every motion, and one for all motions of one generator with the targets."""
    rows = []
    one_field = [one for one in runs if one.task.motion != "shifted"]
    for key, own in _groups(runs).items():
        gained = _values(own, "found") - _values(own, "none")
        enough = float((gained >= 0.10).mean())
        reached = {"gained": enough >= 0.8} if key[0] == "shifted" else {}
        rows.append(_row(key, own, reached, **_learnt(own)))
    if one_field:
        gained = _values(one_field, "found") - _values(one_field, "none")
        near = _values(one_field, "cosine") >= _LEAST_COSINE
        reached = {
            "gained": float((gained >= _LEAST_GAINED).mean()) >= 0.9,
            "cosine": float(near.mean()) >= 0.8,
            "seconds": max(one.seconds for one in one_field) <= _LEARN_SECONDS,
        }
        rows.append(_row(("one generator", one_field[0].task.labels), one_field, reached, **_learnt(one_field)))
    return rows


def _learnt(own: Sequence[Run]) -> dict[str, Any]:
    gained = _values(own, "found") - _values(own, "none")
    return {
        "tasks": len(own),
        "none": float(_values(own, "none").mean()),
        "found": float(_values(own, "found").mean()),
        "least": float(gained.min()),
        "gained": float((gained >= _LEAST_GAINED).mean()),
        "cosine": float(_values(own, "cosine").min()),
        "near": float((_values(own, "cosine") >= _LEAST_COSINE).mean()),
    }


def pair_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row for every motion: the generator that was found beside the true one."""
    rows = []
    for key, own in _groups(runs).items():
        found, true, none = (float(_values(own, name).mean()) for name in ("found", "true", "none"))
        cosine = float(_values(own, "cosine").min())
        reached = {"apart": true - found <= _MOST_APART}
        rows.append(_row(key, own, reached, found=found, true=true, none=none, cosine=cosine))
    return rows


def invariance_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """What is left of a turn by 10 degrees in the pooled features, and of whole steps in OrbitConv."""
    rows = []
    for key, own in _groups(runs).items():
        names = ("lift_trained", "dense_trained", "lift_smooth", "dense_smooth")
        told = {name: float(_values(own, name).mean()) for name in names}
        broken = float(_values(own, "equivariance").max())
        reached = {"invariance": told["lift_smooth"] <= _MOST_CHANGE, "equivariance": broken <= _MOST_BROKEN}
        rows.append(_row(key, own, reached, **told, equivariance=broken))
    return rows


def full_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The error with all labels of the field's split."""
    rows = []
    for key, own in _groups(runs).items():
        error = float(_values(own, "error").mean())
        rows.append(_row(key, own, {"error": error <= _MOST_ERROR}, error=error, test=int(_values(own, "test").max())))
    return rows


ROWS: Mapping[str, tuple[str, Callable[[Sequence[Run]], list[dict[str, Any]]]]] = {
    FEW: ("few", few_rows),
    CHOICE: ("choice", choice_rows),
    SHUFFLED: ("shuffled", shuffled_rows),
    LEARNT: ("learn", learnt_rows),
    PAIRS: ("pairs", pair_rows),
    INVARIANCE: ("invariance", invariance_rows),
    FULL: ("full", full_rows),
}
"""Tables by title: the part that they are made from, and how."""
