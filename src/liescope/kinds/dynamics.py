"""Symmetries of a law of motion x' = F(x): fields X with [X, F] = c F, which move solutions onto solutions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from liescope.errors import InputError
from liescope.kinds.finding import Problem, found
from liescope.kinds.function import check_count, sampled_points, scales_of
from liescope.kinds.gradients import derivatives as slopes_of
from liescope.kinds.inputs import Asked, Request, checked_array, checked_points, some_of
from liescope.kinds.learned import LawOfMotion, Regression, learn_law, polynomial_values, weak_regression
from liescope.kinds.space import Space
from liescope.nullspace import IRRELEVANT, Forms, Frame, drawn_forms, frame_of, mean_squares, resampled_forms
from liescope.result import FieldResult

__all__ = ["law_symmetries"]

_FLOOR = 1e-6
_DISCRETE = 1e-3
"""Defect that samples at steps of time may give a law that is learnt from them."""
_LEAST_STEPS = 15
_FEW_RUNS = 8
_STRETCHES = 24
_POINTS = 300
_BLOCKS = 64
_POOR = 0.5


def law_symmetries(
    runs: Any,
    t: Any,
    rhs: Any,
    x: Any,
    derivatives: Any,
    time_scaling: bool,
    request: Request,
) -> FieldResult:
    """Fields X with [X, F] = 0, or = c F where time may be rescaled."""
    start = time.perf_counter()
    given = [name for name, value in (("runs", runs), ("rhs", rhs), ("derivatives", derivatives)) if value is not None]
    if len(given) != 1:
        raise InputError(f"expected one of runs, rhs= and derivatives=, got {', '.join(given) or 'none'}")
    if runs is None and x is None:
        raise InputError(f"expected states x beside {given[0]}=, got none, try detect_dynamics({given[0]}=..., x=X)")
    stretches = None if runs is None else _runs(runs, t)
    points = checked_points(x, what="states x") if stretches is None else np.concatenate([run for run, _ in stretches])
    wanted = request.checked(points.shape[1])
    frame = frame_of(points)
    if frame.rank < points.shape[1]:
        raise InputError(f"expected states that spread in all {points.shape[1]} directions, got {frame.rank}")
    space = Space(wanted.basis, frame)
    wanted.tell("the law of motion", 0.0)
    remarks: list[str] = []
    doubt = ""
    if stretches is None and rhs is not None:
        points = sampled_points(points, wanted)
        check_count(points, space)
        forms, fit, floor = _known(rhs, points, space, wanted, time_scaling)
    else:
        data, fit, remarks = (
            _given_derivatives(points, derivatives, frame, wanted)
            if stretches is None
            else _from_runs(stretches, frame)
        )
        law = learn_law(data, wanted.draws, wanted.seed)
        floor = _FLOOR if stretches is None else _DISCRETE
        points = points[some_of(len(points), _POINTS, np.random.default_rng(wanted.seed))]
        wanted.tell("null space", 0.5)
        forms = _learnt(law, points, space, time_scaling, wanted.seed)
        fit |= {"degree": law.degree, "r2": law.r2, "misfit": law.misfit}
        doubt = _doubt(law, wanted.tolerance)
    problem = Problem(
        kind="dynamics",
        points=points,
        space=space,
        forms=forms,
        floor=floor,
        fit=fit,
        what="the law of motion",
        doubt=doubt,
        extra={"time": slice(space.dimension, space.dimension + 1)} if time_scaling else {},
        notes={"remarks": remarks, "time_scaling": time_scaling},
    )
    return found(problem, wanted, time.perf_counter() - start)


def _doubt(law: LawOfMotion, tolerance: float) -> str:
    if law.r2 < _POOR:
        return (
            f"What was learnt explains {100 * max(law.r2, 0):.0f} % of what was held out, too little to decide "
            "anything: more or cleaner data would."
        )
    if law.misfit > tolerance / 2 or (law.ceiling and law.r2 < 1 - tolerance**2):
        share = max(law.misfit, np.sqrt(max(1 - law.r2, 0)) if law.ceiling else 0.0)
        return (
            f"A polynomial of degree {law.degree} misses about {100 * share:.2g} % of the velocities, which may break "
            "or make symmetries: the right-hand side itself (rhs=) would decide."
        )
    return ""


def _runs(runs: Any, t: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Runs (T, d) with their times (T,), checked."""
    many = list(runs) if isinstance(runs, Sequence) or np.ndim(runs) == 3 else [runs]
    states = [checked_array(run, f"run {i}", 2) for i, run in enumerate(many)]
    if not states:
        raise InputError("expected runs, got an empty list")
    if len({run.shape[1] for run in states}) > 1:
        raise InputError(f"expected runs of one number of coordinates, got {sorted({run.shape[1] for run in states})}")
    if t is None:
        raise InputError("expected times t of the samples, got none, try t=dt * numpy.arange(T)")
    each = isinstance(t, list | tuple) and len(t) == len(states) and all(np.ndim(one) == 1 for one in t)
    times = [checked_array(one, "times t", 1) for one in (t if each else [t] * len(states))]
    for i, (run, at) in enumerate(zip(states, times, strict=True)):
        if len(run) != len(at):
            raise InputError(f"expected a time for each of {len(run)} samples of run {i}, got {len(at)}")
        if len(run) < _LEAST_STEPS:
            raise InputError(f"expected at least {_LEAST_STEPS} samples a run, got {len(run)} in run {i}")
        if not (np.diff(at) > 0).all():
            first = int(np.argmin(np.diff(at) > 0)) + 1
            raise InputError(f"expected times that increase, got {at[first]:g} after {at[first - 1]:g} in run {i}")
    return list(zip(states, times, strict=True))


def _from_runs(
    stretches: list[tuple[np.ndarray, np.ndarray]], frame: Frame
) -> tuple[Regression, dict[str, Any], list[str]]:
    remarks = []
    runs = len(stretches)
    if runs < _FEW_RUNS:
        remarks.append(
            f"With {runs} run{'s' * (runs > 1)} bounds come from stretches of them, which are not independent."
        )
        stretches = _cut(stretches)
    states = [frame.inward(run) for run, _ in stretches]
    data, _, window = weak_regression(states, [at for _, at in stretches])
    return data, {"model": "polynomial, weak form", "runs": runs, "smoothing": window}, remarks


def _cut(stretches: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """A few long runs as many short ones."""
    total = sum(len(run) for run, _ in stretches)
    length = max(_LEAST_STEPS, total // _STRETCHES)
    parts = []
    for run, at in stretches:
        count = max(1, len(run) // length)
        edges = np.linspace(0, len(run), count + 1).astype(int)
        parts += [(run[a:b], at[a:b]) for a, b in pairwise(edges.tolist())]
    return parts


def _given_derivatives(
    points: np.ndarray, derivatives: Any, frame: Frame, wanted: Asked
) -> tuple[Regression, dict[str, Any], list[str]]:
    slopes = checked_points(derivatives, what="derivatives")
    if slopes.shape != points.shape:
        raise InputError(f"expected derivatives of shape {points.shape}, as the states have, got {slopes.shape}")
    inner, velocities = frame.inward(points), frame.vectors(slopes)
    member = np.random.default_rng(wanted.seed).permutation(len(points)) % min(_BLOCKS, len(points))
    parts = [np.flatnonzero(member == b) for b in range(int(member.max()) + 1)]
    data = Regression([inner[p] for p in parts], [velocities[p] for p in parts], [None] * len(parts))
    return data, {"model": "polynomial"}, []


def _known(
    rhs: Any, points: np.ndarray, space: Space, wanted: Asked, time_scaling: bool
) -> tuple[Forms, dict[str, Any], float]:
    frame = space.frame
    function = rhs if isinstance(rhs, torch.nn.Module) or hasattr(rhs, "predict") or callable(rhs) else None
    if function is None:
        raise InputError(f"expected rhs as a function of states (N, d), got {type(rhs).__name__}")
    slopes = slopes_of(rhs, points, scales_of(points, frame))
    if slopes.values.shape != points.shape:
        raise InputError(f"expected rhs with values of shape {points.shape}, got {slopes.values.shape}")
    inner = frame.inward(points)
    values = frame.vectors(slopes.values)
    jacobians = frame.vectors(frame.gradients(slopes.jacobians).swapaxes(1, 2)).swapaxes(1, 2)
    rows, terms = _bracket_rows(values, jacobians, space.fields(inner), space.jacobians(inner), time_scaling)
    forms = resampled_forms(rows, terms, wanted.draws, wanted.seed)
    return forms, {"model": slopes.model}, max(_FLOOR, 10 * slopes.error)


def _learnt(law: LawOfMotion, points: np.ndarray, space: Space, time_scaling: bool, seed: int) -> Forms:
    """Forms of the learnt law and of its refits, each at points drawn anew; noise is what refits differ by."""
    inner = space.frame.inward(points)
    monomials, slopes = polynomial_values(inner, law.degree)
    fields, inside = space.fields(inner), space.jacobians(inner)

    def forms(coefficients: np.ndarray, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        jacobians = np.einsum("nkj,kc->ncj", slopes, coefficients)
        rows, terms = _bracket_rows(monomials @ coefficients, jacobians, fields, inside, time_scaling)
        return mean_squares(rows, weights), mean_squares(terms, weights)

    return drawn_forms(forms, law.coefficients, law.drawn, len(points), seed)


def _bracket_rows(
    values: np.ndarray, jacobians: np.ndarray, fields: np.ndarray, inside: np.ndarray, time_scaling: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of [X, F] - c F: (n, d, m or m + 1), and their terms X_j dF_c/dx_j, F_j dX_c/dx_j and F_c."""
    n, d = values.shape
    along = np.einsum("ncj,nmj->ncjm", jacobians, fields)
    back = np.einsum("nj,nmcj->ncjm", values, inside)
    rows = (along - back).sum(axis=2)
    sizes = np.linalg.norm(jacobians, axis=(1, 2))[:, None, None] / np.sqrt(d)
    spare = IRRELEVANT * sizes * fields.transpose(0, 2, 1)
    terms = np.concatenate((along.reshape(n, d * d, -1), back.reshape(n, d * d, -1), spare), axis=1)
    if not time_scaling:
        return rows, terms
    rows = np.concatenate((rows, -values[:, :, None]), axis=2)
    wider = np.zeros((n, terms.shape[1] + d, terms.shape[2] + 1))
    wider[:, : terms.shape[1], :-1] = terms
    wider[:, terms.shape[1] :, -1] = values
    return rows, wider
