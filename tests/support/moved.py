"""Windows of photographs, and the same moved along the flow of an affine field: by scipy, not by what is tested."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy import ndimage as nd
from scipy.linalg import expm

MARGIN = 60
"""Pixels from the middle of a window to the edge of its scene, at least."""


@cache
def scene(name: str) -> np.ndarray:
    """A picture of scikit-image, grey from 0 to 255."""
    from skimage import data

    image = np.asarray(getattr(data, name)(), dtype=np.float64)
    return image.mean(-1) if image.ndim == 3 else image


def window(name: str, centre: Any, shape: tuple[int, int], field: Any) -> np.ndarray:
    """What the window at ``centre`` (row, column) shows once the scene has flowed along a field for unit time.

    The six coefficients are those of d/dx, x d/dx, y d/dx, d/dy, x d/dy, y d/dy; y points up, and the longer side of
    the window goes from -1 to 1.
    """
    height, width = shape
    a0, a1, a2, b0, b1, b2 = field
    half = max(shape) / 2
    matrix = np.array([[a1, a2, a0 * half], [b1, b2, b0 * half], [0, 0, 0]])
    rows, columns = np.mgrid[:height, :width]
    points = np.stack([columns - (width - 1) / 2, (height - 1) / 2 - rows, np.ones(shape)]).reshape(3, -1)
    x, y, _ = expm(-matrix) @ points
    values: np.ndarray = nd.map_coordinates(scene(name), [centre[0] - y, centre[1] + x], order=3)
    return values.reshape(shape)


def windows(
    name: str, fields: np.ndarray, shape: tuple[int, int] = (44, 48), seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Windows with something in them, and the same moved along a field each, (N, 6)."""
    rng = np.random.default_rng(seed)
    source: list[np.ndarray] = []
    target: list[np.ndarray] = []
    while len(source) < len(fields):
        centre = [int(rng.integers(MARGIN, side - MARGIN)) for side in scene(name).shape]
        still = window(name, centre, shape, np.zeros(6))
        if still.std() > 12:
            target.append(window(name, centre, shape, fields[len(source)]))
            source.append(still)
    return np.stack(source), np.stack(target)
