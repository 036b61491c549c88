"""Invariance of a function that is known by noisy values or labels only: it is learnt, with draws of what it may be."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from liescope.errors import InputError, quoted, suggest
from liescope.kinds.finding import Problem, found
from liescope.kinds.function import check_count
from liescope.kinds.inputs import Request, checked_array, checked_points, some_of
from liescope.kinds.regressors import MODELS, Learnt, learn_labels, learn_values
from liescope.kinds.space import space_at
from liescope.nullspace import Forms, drawn_forms, gradient_terms, mean_squares
from liescope.result import FieldResult

__all__ = ["value_symmetries"]

_FLOOR = 1e-5
_POINTS = 400
_MOST_VALUES = 20_000
_POOR = 0.5
_POOR_LABELS = 0.05
_LABEL_TOLERANCE = 0.1


def value_symmetries(
    X: Any,
    y: Any,
    model: str,
    request: Request,
) -> FieldResult:
    """Fields along which the function behind values does not change."""
    start = time.perf_counter()
    points = checked_points(X)
    wanted = request.checked(points.shape[1])
    if model not in MODELS:
        raise InputError(f"unknown model {model!r}.{suggest(str(model), MODELS)}")
    values, labels = _values(y, len(points))
    if labels and wanted.tolerance > _LABEL_TOLERANCE:
        raise InputError(f"expected a tolerance of at most {_LABEL_TOLERANCE} for labels, got {wanted.tolerance}")
    if labels and model == "gp":
        raise InputError("expected model 'auto' or 'polynomial' for labels, got 'gp'")
    rng = np.random.default_rng(wanted.seed)
    kept = some_of(len(points), _MOST_VALUES, rng)
    points, values = points[kept], values[kept]
    space = space_at(points, wanted.basis)
    frame = space.frame
    check_count(points, space)
    inner = frame.inward(points)
    at = inner[some_of(len(inner), _POINTS, rng)]
    wanted.tell("the function", 0.0)
    if labels:
        learnt = learn_labels(inner, values, at, wanted.draws, wanted.seed)
    else:
        learnt = learn_values(inner, values, at, model, wanted.draws, wanted.seed)
    wanted.tell("null space", 0.6)
    problem = Problem(
        kind="function",
        points=points,
        space=space,
        forms=_forms(learnt, space.fields(at), wanted.seed),
        floor=_FLOOR,
        fit={"model": learnt.model, "r2": learnt.r2, "misfit": learnt.misfit, "labels": labels},
        what="the function",
        doubt=_doubt(learnt, wanted.tolerance, labels),
    )
    return found(problem, wanted, time.perf_counter() - start)


def _values(y: Any, count: int) -> tuple[np.ndarray, bool]:
    """Values as numbers, and whether they are labels of two classes."""
    raw = np.asarray(y.detach().cpu() if hasattr(y, "detach") else y)
    raw = raw[:, 0] if raw.ndim == 2 and raw.shape[1] == 1 else raw
    if raw.shape != (count,):
        raise InputError(f"expected a value y for each of {count} points, got shape {raw.shape}")
    if raw.dtype.kind == "f":
        raw = checked_array(raw, "values y", 1)
    classes = np.unique(raw)
    if len(classes) < 2:
        raise InputError("expected values y that differ, got a constant: every motion leaves it alone")
    if len(classes) == 2:
        return (raw == classes[1]).astype(np.float64), True
    if raw.dtype.kind not in "fiu":
        raise InputError(
            f"expected values y or labels of two classes, got {len(classes)} classes such as {quoted(classes[0])}, "
            "try y == one of them, or a classifier in place of labels"
        )
    return checked_array(raw, "values y", 1), False


def _forms(learnt: Learnt, fields: np.ndarray, seed: int) -> Forms:
    """Forms of what was learnt and of its draws, each at points drawn anew; noise is what draws differ by."""

    def forms(gradients: np.ndarray, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        rows, terms = gradient_terms(gradients[:, None, :], fields)
        return mean_squares(rows, weights), mean_squares(terms, weights)

    return drawn_forms(forms, learnt.gradients, learnt.drawn, len(fields), seed)


def _doubt(learnt: Learnt, tolerance: float, labels: bool) -> str:
    if learnt.r2 < (_POOR_LABELS if labels else _POOR):
        return (
            f"What was learnt ({learnt.model}) explains {100 * max(learnt.r2, 0):.0f} % of what was held out, too "
            "little to decide anything: more or cleaner values would."
        )
    if learnt.misfit > tolerance / 2:
        return (
            f"What was learnt ({learnt.model}) misses about {100 * learnt.misfit:.2g} % of the values in the same "
            "way at neighbouring points, which may break or make symmetries: more values, or the function itself, "
            "would decide."
        )
    return ""
