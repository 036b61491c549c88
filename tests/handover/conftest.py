"""Results of several fields on images that are not square, in three channels with a background of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from liescope.result import SymmetryResult

SHAPE = (3, 24, 18)
BACKGROUND = np.array([0.1, 0.2, 0.3])
FIELDS: dict[str, tuple[str, list[list[float]]]] = {
    "off-centre": ("affine", [[0.25, 0, -1, -0.25, 1, 0]]),
    "scale": ("affine", [[0, 1, 0, 0, 0, 1]]),
    "shear": ("affine", [[0, 0, 1, 0, 0, 0]]),
    "affine": ("affine", [[0.1, 1, 0.3, -0.7, -0.2, 0.4]]),
    "two": ("affine", [[0, 0, -1, 0, 1, 0], [0.4, 1, 0, 0.2, 0, 1]]),  # they do not commute
    "quadratic": ("quadratic", [[0, 0, 0, 1, 0, -1, 0.2, 0, 0, 0, 2, 0]]),
}


class Case(NamedTuple):
    """A result, and the same again from its definition: points by an integrator of scipy."""

    result: SymmetryResult

    def points(self, pixels: np.ndarray, t: np.ndarray, size: tuple[int, int] = SHAPE[1:]) -> np.ndarray:
        """Where (column, row) goes, shape (n, 2)."""
        (height, width), half = size, max(size) / 2
        x = (pixels[:, 0] - (width - 1) / 2) / half
        y = ((height - 1) / 2 - pixels[:, 1]) / half
        rows = np.stack([g.generator.coefficients for g in self.result.generators])
        for field in t[:, None] * rows if self.result.product else [t @ rows]:
            x, y = self._flow(field, x, y)
        return np.stack((x * half + (width - 1) / 2, (height - 1) / 2 - y * half), axis=1)

    def _flow(self, field: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, second = np.split(field, 2)

        def velocity(_: float, state: np.ndarray) -> np.ndarray:
            x, y = np.split(state, 2)
            monomials = np.stack((np.ones_like(x), x, y, x * x, x * y, y * y))[: len(first)]
            return np.concatenate((first @ monomials, second @ monomials))

        end = solve_ivp(velocity, (0, 1), np.concatenate((x, y)), rtol=1e-10, atol=1e-12).y[:, -1]
        half = len(x)
        return end[:half], end[half:]


def build_case(make_result: Callable[..., SymmetryResult], name: str, **changes: Any) -> Case:
    basis, fields = FIELDS[name]
    t = np.random.default_rng(1).uniform(-0.6, 0.6, (60, len(fields)))
    settings = {"basis": basis, "shape": SHAPE, "background": BACKGROUND, "t": t, "samples": False}
    return Case(make_result(*fields, **(settings | changes)))


@pytest.fixture(params=[*FIELDS, "product"])
def case(request: pytest.FixtureRequest, make_result: Callable[..., SymmetryResult]) -> Case:
    if request.param == "product":
        return build_case(make_result, "two", product=True)
    return build_case(make_result, request.param)


@pytest.fixture
def images() -> np.ndarray:
    """Four of them, float32."""
    return np.random.default_rng(2).random((4, *SHAPE), dtype=np.float32)


@pytest.fixture
def curved(make_result: Callable[..., SymmetryResult]) -> Case:
    """The quadratic one."""
    return build_case(make_result, "quadratic")
