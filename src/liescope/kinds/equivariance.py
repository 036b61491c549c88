"""Equivariance of a network: what moves its inputs moves its outputs, ``J_F X = Y o F``."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from liescope.errors import InputError, suggest
from liescope.geometry import Basis, polynomial
from liescope.kinds.finding import Problem, found
from liescope.kinds.function import check_count, sampled_points, scales_of
from liescope.kinds.gradients import Derivatives, derivatives
from liescope.kinds.inputs import Request, checked_points
from liescope.kinds.space import Space, space_at
from liescope.nullspace import IRRELEVANT, Frame, frame_of, resampled_forms
from liescope.result import FieldResult

__all__ = ["equivariances"]

_FLOOR = 1e-6
_ACTIONS = ("same", "free")


class _Rows(NamedTuple):
    rows: np.ndarray
    terms: np.ndarray
    outputs: Space
    action: slice | None


def equivariances(
    net: Any,
    X: Any,
    action: str | Basis,
    request: Request,
) -> FieldResult:
    """Pairs of fields, X on inputs and Y on outputs, with J_F X = Y o F at the points."""
    start = time.perf_counter()
    points = checked_points(X)
    wanted = request.checked(points.shape[1])
    if not isinstance(action, Basis) and action not in _ACTIONS:
        raise InputError(f"unknown action {action!r}.{suggest(str(action), _ACTIONS)} Or a basis for the outputs.")
    points = sampled_points(points, wanted)
    space = space_at(points, wanted.basis)
    frame = space.frame
    check_count(points, space)
    wanted.tell("derivatives", 0.0)
    slopes = derivatives(net, points, scales_of(points, frame))
    wanted.tell("null space", 0.5)
    made = _same(points, space, slopes) if action == "same" else _free(points, space, slopes, action)
    problem = Problem(
        kind="equivariance",
        points=points,
        space=space,
        forms=resampled_forms(made.rows, made.terms, wanted.draws, wanted.seed),
        floor=max(_FLOOR, 10 * slopes.error),
        fit={
            "model": slopes.model,
            "outputs": slopes.values.shape[1],
            "action": action if isinstance(action, str) else action.name,
        },
        what="the relation of inputs and outputs",
        extra={} if made.action is None else {"action": made.action},
        outputs=made.outputs,
    )
    return found(problem, wanted, time.perf_counter() - start)


def _same(points: np.ndarray, space: Space, slopes: Derivatives) -> _Rows:
    """Outputs move as inputs do."""
    q, d = slopes.values.shape[1], points.shape[1]
    if q != d:
        raise InputError(f"expected as many outputs as inputs for action='same', got {q} and {d}, try action='free'")
    if space.frame.rank < d:
        raise InputError(f"expected points that spread in all {d} directions for action='same', got {space.frame.rank}")
    inner = space.frame.inward(points)
    jacobians = space.frame.vectors(space.frame.gradients(slopes.jacobians).swapaxes(1, 2)).swapaxes(1, 2)
    inputs, outputs = space.fields(inner), space.fields(space.frame.inward(slopes.values))
    return _Rows(*_rows(jacobians, inputs, outputs, shared=True), space, None)


def _free(points: np.ndarray, space: Space, slopes: Derivatives, action: str | Basis) -> _Rows:
    """Outputs move along fields of their own, which are found too."""
    q, m = slopes.values.shape[1], space.dimension
    frame: Frame = frame_of(slopes.values)
    basis = action if isinstance(action, Basis) else polynomial(1, q)
    if basis.ndim != q:
        raise InputError(f"expected a basis of {q} coordinates for the outputs, got {basis.ndim}")
    outside = Space(basis, frame)
    least = 3 * (m + outside.dimension)
    if len(points) < least:
        raise InputError(f"expected at least {least} points for {m + outside.dimension} fields, got {len(points)}")
    jacobians = frame.vectors(space.frame.gradients(slopes.jacobians).swapaxes(1, 2)).swapaxes(1, 2)
    inputs, outputs = space.fields(space.frame.inward(points)), outside.fields(frame.inward(slopes.values))
    return _Rows(*_rows(jacobians, inputs, outputs, shared=False), outside, slice(m, m + outside.dimension))


def _rows(
    jacobians: np.ndarray, inputs: np.ndarray, outputs: np.ndarray, *, shared: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Rows J X - Y o F (n, q, unknowns), and the terms in them, with a share of what moves nothing."""
    n, q, r = jacobians.shape
    products = np.einsum("nqc,nmc->nqcm", jacobians, inputs)
    answered = outputs.transpose(0, 2, 1)
    sizes = np.linalg.norm(jacobians, axis=(1, 2))[:, None, None] / np.sqrt(q)
    spare = IRRELEVANT * sizes * inputs.transpose(0, 2, 1)
    parts = [products.reshape(n, q * r, -1), spare]
    if shared:
        return products.sum(axis=2) - answered, np.concatenate((*parts, answered), axis=1)
    left = np.concatenate(parts, axis=1)
    rows = np.concatenate((products.sum(axis=2), -answered), axis=2)
    terms = np.zeros((n, left.shape[1] + q, rows.shape[2]))
    terms[:, : left.shape[1], : left.shape[2]] = left
    terms[:, left.shape[1] :, left.shape[2] :] = answered
    return rows, terms
