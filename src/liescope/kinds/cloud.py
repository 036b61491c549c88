"""Invariance of the distribution of a cloud of points, in the weak form.

A flow leaves a distribution alone exactly if ``E[grad phi . X] = 0`` for all functions phi. A fixed set of them is
looked at, "waves-1": cosines and sines along 24 directions at three wavelengths, in coordinates in which the cloud has
unit covariance. No density is estimated. What the set does not see is not seen: it is part of the definition.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from liescope.errors import InputError
from liescope.kinds.finding import Problem, found
from liescope.kinds.inputs import Request, checked_points, some_of
from liescope.kinds.space import Space, space_at
from liescope.nullspace import Forms
from liescope.result import FieldResult

__all__ = ["TEST_FUNCTIONS", "cloud_symmetries"]

TEST_FUNCTIONS = "waves-1"
_WAVES = (0.8, 1.6, 2.4)
"""Radians per standard deviation."""
_DIRECTIONS = 24
_SEED_OF_DIRECTIONS = 20261127
_MOST_POINTS = 20_000
_BLOCKS = 200
_LEAST_POINTS = 50
_PIECE = 1000


def cloud_symmetries(
    X: Any,
    groups: Any,
    request: Request,
) -> FieldResult:
    """Fields whose flows leave the distribution of the points as it is."""
    start = time.perf_counter()
    points = checked_points(X, _LEAST_POINTS)
    wanted = request.checked(points.shape[1])
    blocks = _blocks(groups, len(points), wanted.seed)
    kept = some_of(len(points), _MOST_POINTS, np.random.default_rng(wanted.seed))
    points, blocks = points[kept], np.unique(blocks[kept], return_inverse=True)[1]
    space = space_at(points, wanted.basis)
    frame = space.frame
    wanted.tell("null space", 0.0)
    remarks = [f"The distribution is looked at through the test functions {TEST_FUNCTIONS}."]
    problem = Problem(
        kind="cloud",
        points=points,
        space=space,
        forms=_forms(frame.inward(points), space, blocks, wanted.draws, wanted.seed),
        floor=1e-6,
        fit={"model": TEST_FUNCTIONS},
        what="the distribution",
        notes={"remarks": remarks},
    )
    return found(problem, wanted, time.perf_counter() - start)


def _blocks(groups: Any, count: int, seed: int) -> np.ndarray:
    """What is drawn together: groups, or points at random."""
    if groups is None:
        blocks: np.ndarray = np.random.default_rng(seed).permutation(count) % min(_BLOCKS, count)
        return blocks
    labels = np.asarray(groups)
    if labels.shape != (count,):
        raise InputError(f"expected a group for each of {count} points, got shape {labels.shape}")
    named, member = np.unique(labels, return_inverse=True)
    if len(named) < 8:
        raise InputError(f"expected at least 8 groups, which are drawn anew together, got {len(named)}")
    return member


def _waves(inner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wave vectors in u (w, r) and phases (w,), in coordinates of unit covariance."""
    r = inner.shape[1]
    rng = np.random.default_rng(_SEED_OF_DIRECTIONS)
    directions = rng.normal(size=(_DIRECTIONS, r))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    covariance = np.cov(inner.T).reshape(r, r)
    values, vectors = np.linalg.eigh(covariance)
    whitening = vectors / np.sqrt(np.maximum(values, 1e-12)) @ vectors.T
    waves = np.concatenate([k * directions for k in _WAVES]) @ whitening
    return np.concatenate((waves, waves)), np.repeat([0.0, np.pi / 2], len(waves))


def _forms(inner: np.ndarray, space: Space, blocks: np.ndarray, draws: int, seed: int) -> Forms:
    waves, phases = _waves(inner)
    count, m = int(blocks.max()) + 1, space.dimension
    sums, squares = np.zeros((count, len(waves), m)), np.zeros((count, m, m))
    sizes = np.bincount(blocks, minlength=count).astype(np.float64)
    order = np.argsort(blocks, kind="stable")
    for piece in np.split(order, np.arange(_PIECE, len(order), _PIECE)):
        along = np.einsum("wr,nmr->nwm", waves, space.fields(inner[piece]), optimize=True)
        values = -np.sin(inner[piece] @ waves.T + phases)[:, :, None] * along
        np.add.at(sums, blocks[piece], values)
        np.add.at(squares, blocks[piece], np.einsum("nwk,nwl->nkl", values, values, optimize=True))
    n = float(len(inner))
    mean, terms = sums.sum(axis=0) / n, squares.sum(axis=0) / n
    counts = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    totals = (counts @ sizes)[:, None, None]
    drawn = np.tensordot(counts, sums, 1) / totals
    away = drawn - mean
    return Forms(
        mean.T @ mean,
        terms,
        np.einsum("swk,swl->skl", drawn, drawn, optimize=True),
        np.tensordot(counts, squares, 1) / totals,
        np.einsum("swk,swl->skl", away, away, optimize=True),
    )
