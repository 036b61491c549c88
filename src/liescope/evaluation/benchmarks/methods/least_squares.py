"""Plain least squares on the linearised model, in the manner of Rao and Ruderman (1999).

The difference of a pair is taken for a small step along one field, ``y - x = t G(a) x + noise``, with the derivative
of Shannon and Whittaker's interpolation. In place of their gradient descent on a free matrix, ``a`` is looked for
among the fields of a basis, by alternating least squares in ``t`` and ``a`` until nothing changes: the same model,
given every advantage. Nothing is warped, so that it holds for small steps alone.

References
----------
R. P. N. Rao and D. L. Ruderman, "Learning Lie groups for invariant visual perception", NIPS 11 (1999).
"""

from __future__ import annotations

import time

import numpy as np
import torch

from liescope.data import Pairs
from liescope.evaluation.benchmarks.problems import Problem
from liescope.evaluation.benchmarks.scores import Answer
from liescope.geometry import FieldOperators, Grid, get_basis

__all__ = ["alternate", "least_squares", "moments"]

_STARTS = 8
_ROUNDS = 200
_SETTLED = 1e-10
_BATCH = 256
_BLUR = 1.0  # pixels: the best for this method of 0, 0.5, 1 and 2


def least_squares(problem: Problem, pairs: Pairs) -> Answer:
    """One generator for all pairs, and the step of every pair along it."""
    began = time.perf_counter()
    hessians, slopes, energy = moments(pairs, problem.basis)
    coefficients, t = alternate(hessians, slopes, energy, problem.seed)
    seconds = time.perf_counter() - began
    return Answer(coefficients[None], t[:, None], np.arange(len(pairs)), 1, seconds)


def moments(pairs: Pairs, basis: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per pair: inner products of the images ``G_k x`` (N, m, m), of those with y - x (N, m), and |y - x|^2 (N,)."""
    from scipy.ndimage import gaussian_filter

    shape = (pairs.source.shape[-2], pairs.source.shape[-1])
    fields = get_basis(basis)
    operators = FieldOperators(fields, Grid.of(*shape))
    sums = []
    for start in range(0, len(pairs), _BATCH):
        images = [np.asarray(stack[start : start + _BATCH], dtype=np.float32) for stack in (pairs.source, pairs.target)]
        blurred = [gaussian_filter(x.reshape(-1, 1, *shape), (0, 0, _BLUR, _BLUR)) for x in images]
        x, y = (torch.from_numpy(stack) for stack in blurred)
        steps = torch.stack([operators.apply(x, unit) for unit in torch.eye(fields.dimension)], dim=1).flatten(2)
        difference = (y - x).flatten(1)
        sums.append((steps @ steps.mT, (steps @ difference[..., None])[..., 0], difference.square().sum(dim=1)))
    hessians, slopes, energy = (torch.cat(parts).double().numpy() for parts in zip(*sums, strict=True))
    return hessians, slopes, energy


def alternate(
    hessians: np.ndarray, slopes: np.ndarray, energy: np.ndarray, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Unit-norm coefficients (m,) and steps (N,) of least ``sum_i |y_i - x_i - t_i G(a) x_i|^2``.

    From the pairs' common least-squares fit and several random starts; the best end is kept.
    """
    m = slopes.shape[1]
    random = np.random.default_rng(seed)
    ridge = 1e-9 * np.trace(hessians, axis1=1, axis2=2).mean() / m
    best, answer = np.inf, (np.zeros(m), np.zeros(len(slopes)))
    for a in (np.linalg.svd(slopes, full_matrices=False)[2][0], *random.standard_normal((_STARTS, m))):
        before = np.inf
        for _ in range(_ROUNDS):
            a = a / np.linalg.norm(a)
            bends = np.einsum("i,nij,j->n", a, hessians, a) + ridge
            t = slopes @ a / bends
            left = float((energy - t * (slopes @ a)).sum())
            if before - left <= _SETTLED * float(energy.sum()):
                break
            before = left
            normal = np.einsum("n,nij->ij", t**2, hessians) + ridge * np.eye(m)
            a = np.linalg.solve(normal, t @ slopes)
        if left < best:
            best, answer = left, (a, t)
    return answer
