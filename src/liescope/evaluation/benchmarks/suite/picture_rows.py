"""The rows of the tables of real pictures, from the runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from liescope.evaluation.benchmarks.methods.peers import PEERS
from liescope.evaluation.benchmarks.pictures.judging import HONEST, RIGHT
from liescope.evaluation.benchmarks.pictures.kinds import KINDS
from liescope.evaluation.benchmarks.pictures.negatives import NEGATIVES
from liescope.evaluation.benchmarks.pictures.running import METHODS, OWN, Run, versions_of
from liescope.evaluation.benchmarks.record import spread

__all__ = ["LEAST_ERROR", "LEAST_RIGHT", "MOST_ALARMS", "alarm_rows", "error_rows", "verdict_rows", "way_rows"]

LEAST_RIGHT = 0.95
MOST_ALARMS = 0.05

LEAST_ERROR = 0.001
"""Pixels; smaller errors count as this one in ratios: a turn by 180 degrees has a peer that is exact to rounding."""


def _by_method(runs: Sequence[Run], kind: str) -> dict[str, list[Run]]:
    own = [one for one in runs if one.task.kind == kind]
    return {name: [one for one in own if one.task.method == name] for name in METHODS}


def verdict_rows(runs: Sequence[Run], kinds: Sequence[str]) -> list[dict[str, Any]]:
    """A row for every kind: how often liescope is right, honest, wrong, untrue, and how often every peer is right."""
    rows = []
    for kind in kinds:
        found = _by_method(runs, kind)
        own = found[OWN]
        if not any(found.values()):
            continue
        row: dict[str, Any] = {
            "kind": kind,
            "about": KINDS[kind].about,
            "runs": max(map(len, found.values())),
            **_outcomes(own),
            "peers": {name: _share_right(found[name]) for name in PEERS},
            "angle": _median([one.found.angle for one in own]),
            "told": sorted({one.found.told for one in own if one.found.outcome not in (RIGHT, HONEST)}),
            **spread([one.seconds for one in own or _timed(found)]),
        }
        beside = max((share for share in row["peers"].values() if np.isfinite(share)), default=0.0)
        fine = {"right": _fine(row) >= LEAST_RIGHT, "untrue": row["untrue"] == 0, "peers": _fine(row) >= beside}
        reached = fine if own else {}
        missed = [name for name, fine in reached.items() if not fine]
        rows.append({**row, "passed": None if not own else not missed, "missed": missed})
    return rows


def _outcomes(own: Sequence[Run]) -> dict[str, float]:
    """Shares of liescope's runs; nan where it did not take part."""
    right, honest = (_mean([one.found.outcome == name for one in own]) for name in (RIGHT, HONEST))
    untrue = _mean([one.found.confident for one in own])
    return {"right": right, "honest": honest, "wrong": 1 - right - honest, "untrue": untrue}


def _fine(row: dict[str, Any]) -> float:
    # Shares of whole runs: what rounding takes off is no run.
    return float(row["right"] + row["honest"] + 1e-9)


def error_rows(runs: Sequence[Run], kinds: Sequence[str]) -> list[dict[str, Any]]:
    """A row for every kind with a motion: the errors of pairs, and liescope's beside that of the best peer."""
    rows: list[dict[str, Any]] = []
    for kind in kinds:
        found = _by_method(runs, kind)
        if not KINDS[kind].moved or not any(found.values()):
            continue
        errors = {name: _median([one.found.error for one in own]) for name, own in found.items()}
        within = {name: _mean([one.found.within for one in own]) for name, own in found.items()}
        peers = {name: errors[name] for name in PEERS if np.isfinite(errors[name])}
        best = min(peers, key=lambda name: peers[name], default=None)
        ratio = _ratio(errors[OWN], peers[best]) if best is not None else np.nan
        rows.append(
            {
                "kind": kind,
                "errors": errors,
                "within": within,
                "best": best,
                "ratio": ratio,
                **spread([one.seconds for one in found[OWN] or _timed(found)]),
                "passed": None,
                "missed": [],
            }
        )
    return rows


def _ratio(own: float, other: float) -> float:
    return max(own, LEAST_ERROR) / max(other, LEAST_ERROR)


def way_rows(runs: Sequence[Run], methods: Sequence[str], missing: dict[str, str]) -> list[dict[str, Any]]:
    """A row for every method over all kinds with a motion; one whose package is missing says so."""
    beside = {_where(one): one for one in runs if one.task.method == OWN}
    versions = versions_of(tuple(methods))
    rows = []
    for name in methods:
        about = PEERS[name].about if name in PEERS else "detect"
        row: dict[str, Any] = {"method": name, "about": about, "reason": missing.get(name, "")}
        mine = [one for one in runs if one.task.method == name and KINDS[one.task.kind].moved]
        if not mine:
            if name in missing:
                rows.append({**row, "runs": 0, "passed": None, "missed": []})
            continue
        both = [(one, beside[_where(one)]) for one in mine if _where(one) in beside]
        rows.append(
            {
                **row,
                "version": versions.get(name),
                "runs": len(mine),
                "right": _share_right(mine),
                "within": _mean([one.found.within for one in mine]),
                "error": _median([one.found.error for one in mine]),
                "ratio": _median([_ratio(other.found.error, one.found.error) for one, other in both]),
                "time": _median([one.seconds / other.seconds for one, other in both]),
                **spread([one.seconds / one.found.pairs for one in mine]),
                "passed": None,
                "missed": [],
            }
        )
    return rows


def _where(one: Run) -> tuple[str, str, int]:
    return one.task.kind, one.task.image, one.task.seed


def alarm_rows(runs: Sequence[Run], negatives: Sequence[str], forms: Sequence[str]) -> list[dict[str, Any]]:
    """A row for every kind of pairs without a symmetry in every form."""
    rows = []
    for kind in negatives:
        for form in forms:
            own = [one for one in runs if (one.task.kind, one.task.form) == (kind, form)]
            if not own:
                continue
            verdicts = [one.found.verdict for one in own]
            row: dict[str, Any] = {
                "kind": kind,
                "about": NEGATIVES[kind].about,
                "form": form,
                "runs": len(own),
                "claimed": _mean([verdict == "symmetry" for verdict in verdicts]),
                "undecided": _mean([verdict == "undecided" for verdict in verdicts]),
                "none": _mean([verdict == "no symmetry" for verdict in verdicts]),
                "raised": _mean([not verdict for verdict in verdicts]),
                "told": sorted({one.found.told for one in own if one.found.outcome not in (RIGHT, HONEST)}),
                **spread([one.seconds for one in own]),
            }
            reached = {"alarms": row["claimed"] <= MOST_ALARMS, "verdict": row["raised"] == 0}
            missed = [name for name, fine in reached.items() if not fine]
            rows.append({**row, "passed": not missed, "missed": missed})
    return rows


def _timed(found: dict[str, list[Run]]) -> list[Run]:
    return [one for own in found.values() for one in own]


def _share_right(runs: Sequence[Run]) -> float:
    return _mean([one.found.outcome == RIGHT for one in runs])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else np.nan


def _median(values: Sequence[float]) -> float:
    """Of what is a number: inf is one."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.median(known)) if known else np.nan
