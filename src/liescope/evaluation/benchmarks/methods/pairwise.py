"""Registering one pair at a time with kornia, and one generator out of the logarithms of the matrices.

What a good practitioner would do with the tools at hand: an image registration for every pair, ``scipy.linalg.logm`` of
what it returns, and the direction that the logarithms have in common.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from liescope.data import Pairs
from liescope.evaluation.benchmarks.options import require
from liescope.evaluation.benchmarks.problems import Problem
from liescope.evaluation.benchmarks.scores import Answer
from liescope.geometry import get_basis

__all__ = ["KORNIA_SETTINGS", "affine_logarithm", "common_direction", "kornia_pairs"]

KORNIA_SETTINGS = {"lr": 0.03, "pyramid_levels": 3, "tolerance": 1e-5, "num_iterations": 200}
"""Learning rate, levels and stop that were the most accurate of five that were tried; as shipped it hardly moves."""


_LEAST_PAIRS = 2


def kornia_pairs(problem: Problem, pairs: Pairs) -> Answer:
    """One registration a pair; pairs whose matrix has no real logarithm are left out."""
    require("kornia")
    from kornia.geometry.transform import ImageRegistrator

    shape = (pairs.source.shape[-2], pairs.source.shape[-1])
    began = time.perf_counter()
    logs, rows = [], []
    for row, images in enumerate(zip(pairs.source, pairs.target, strict=True)):
        source, target = (
            torch.as_tensor(np.asarray(image, dtype=np.float32)).reshape(1, -1, *shape) for image in images
        )
        settings: dict[str, Any] = dict(KORNIA_SETTINGS)
        found = ImageRegistrator("homography", **settings).register(source, target)
        homography = found if isinstance(found, torch.Tensor) else found[0]
        log = affine_logarithm(homography.detach()[0].double().numpy(), shape)
        if log is not None:
            logs.append(log)
            rows.append(row)
    fields = get_basis(problem.basis)
    if len(logs) < _LEAST_PAIRS:
        nothing = np.zeros((0, fields.dimension))
        return Answer(nothing, np.zeros((len(pairs), 0)), np.arange(len(pairs)), 0, time.perf_counter() - began)
    embedded = np.zeros((len(logs), 2, fields.dimension // 2))
    embedded[:, :, :3] = np.reshape(logs, (-1, 2, 3))
    coordinates = embedded.reshape(len(logs), fields.dimension)
    coefficients = common_direction(coordinates)
    seconds = time.perf_counter() - began
    return Answer(coefficients[None], (coordinates @ coefficients)[:, None], np.array(rows), 1, seconds)


def affine_logarithm(homography: np.ndarray, shape: tuple[int, int]) -> np.ndarray | None:
    """Coefficients t a in the affine basis, shape (6,), of the flow that a homography of kornia ends.

    Parameters
    ----------
    homography : array, shape (3, 3)
        From target to source: x right, y down, -1 and 1 at the centres of the outermost pixels.
    shape : (int, int)
        Height and width of the images.

    Returns
    -------
    array or None
        The affine part of the logarithm; None where it is not real.
    """
    from scipy.linalg import logm

    height, width = shape
    side = max(height, width)
    # Normalised coordinates: y up, and the longest side ends at 1, half a pixel beyond the outermost centres.
    units = np.diag([(width - 1) / side, -(height - 1) / side, 1.0])
    matrix = units @ homography @ np.linalg.inv(units)
    if not np.isfinite(matrix).all() or np.linalg.det(matrix) <= 0:
        return None
    log = logm(matrix)
    if np.abs(np.imag(log)).max() > 1e-6 or not np.isfinite(log).all():
        return None
    field = -np.real(log)
    field = field - field[2, 2] * np.eye(3)
    return np.column_stack((field[:2, 2], field[:2, :2])).ravel()


def common_direction(coordinates: np.ndarray) -> np.ndarray:
    """The unit vector that most of the logarithms (n, m) point along, whatever their sign.

    Their leading singular vector with weights that fall off with the distance from it: a mean would follow the few
    registrations that went wrong.
    """
    weights = np.ones(len(coordinates))
    direction = np.zeros(coordinates.shape[1])
    for _ in range(20):
        direction = np.linalg.svd(weights[:, None] * coordinates, full_matrices=False)[2][0]
        outside = np.linalg.norm(coordinates - np.outer(coordinates @ direction, direction), axis=1)
        weights = 1 / (1 + (outside / max(float(np.median(outside)), 1e-9)) ** 2)
    return direction
