"""Errors in generators, as detections make them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from liescope.geometry import Grid
from liescope.geometry.fields import Basis

Noisy = Callable[[np.ndarray, Basis, tuple[int, ...], float, int], np.ndarray]


@pytest.fixture(scope="session")
def noisy() -> Noisy:
    """Every generator turned by an angle in degrees, in L2 over the domain, in a random direction."""

    def turned(columns: np.ndarray, basis: Basis, shape: tuple[int, ...], degrees: float, seed: int) -> np.ndarray:
        fields = basis.fields(Grid.of(*shape).points().double()).permute(0, 2, 1).reshape(-1, basis.dimension).numpy()
        triangle = np.linalg.qr(fields)[1]
        coordinates = triangle @ columns
        coordinates /= np.linalg.norm(coordinates, axis=0)
        noise = np.random.default_rng(seed).normal(size=coordinates.shape)
        noise -= coordinates * (coordinates * noise).sum(axis=0)
        noise /= np.linalg.norm(noise, axis=0)
        angle = np.radians(degrees)
        result: np.ndarray = np.linalg.solve(triangle, np.cos(angle) * coordinates + np.sin(angle) * noise)
        return result

    return turned
