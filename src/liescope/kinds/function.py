"""Invariance of a function, a trained network, a fitted model, an oracle: X(f) = 0."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from liescope.errors import InputError
from liescope.kinds.finding import Problem, found
from liescope.kinds.gradients import derivatives
from liescope.kinds.inputs import Asked, Request, checked_points, some_of
from liescope.kinds.space import Space, space_at
from liescope.nullspace import Frame, gradient_terms, resampled_forms
from liescope.result import FieldResult

__all__ = ["check_count", "function_symmetries", "sampled_points", "scales_of"]

_MOST_POINTS = 2000
_MOST_ENTRIES = 30_000_000
_FLOOR = 1e-6


def function_symmetries(
    f: Any,
    X: Any,
    request: Request,
) -> FieldResult:
    """Fields X with X(f) = 0 at the points."""
    start = time.perf_counter()
    points = checked_points(X)
    wanted = request.checked(points.shape[1])
    points = sampled_points(points, wanted)
    space = space_at(points, wanted.basis)
    frame = space.frame
    check_count(points, space)
    wanted.tell("derivatives", 0.0)
    slopes = derivatives(f, points, scales_of(points, frame))
    wanted.tell("null space", 0.5)
    inner = frame.inward(points)
    rows, terms = gradient_terms(frame.gradients(slopes.jacobians), space.fields(inner))
    forms = resampled_forms(rows, terms, wanted.draws, wanted.seed)
    problem = Problem(
        kind="function",
        points=points,
        space=space,
        forms=forms,
        floor=max(_FLOOR, 10 * slopes.error),
        fit={"model": slopes.model, "outputs": slopes.values.shape[1]},
        what="the function",
    )
    return found(problem, wanted, time.perf_counter() - start)


def sampled_points(points: np.ndarray, wanted: Asked) -> np.ndarray:
    """At most as many points as are of use, drawn without replacement."""
    n, d = points.shape
    most = int(np.clip(_MOST_ENTRIES / (d * wanted.basis.dimension), 3 * wanted.basis.dimension, _MOST_POINTS))
    return points[some_of(n, most, np.random.default_rng(wanted.seed))]


def check_count(points: np.ndarray, space: Space) -> None:
    """InputError for fewer points than would tell the fields apart: three a field."""
    least = 3 * space.dimension
    if len(points) < least:
        raise InputError(
            f"expected at least {least} points for {space.dimension} fields, got {len(points)}, "
            "try more points or a smaller basis"
        )


def scales_of(points: np.ndarray, frame: Frame) -> np.ndarray:
    """How far the points spread along every coordinate; never zero."""
    spread = points.std(axis=0)
    largest: np.ndarray = np.where(spread > 0, spread, float(frame.scales.max()))
    return largest
