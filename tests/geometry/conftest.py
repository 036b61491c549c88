"""Closed forms that flows are held against."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

SctFlow = Callable[..., Tensor]


@pytest.fixture(scope="session")
def sct_flow() -> SctFlow:
    """Exact flow of the special conformal fields: z -> z / (1 - t z) for x, z / (1 + i t z) for y; z = x + iy."""

    def exact(points: Tensor, t: float, direction: str = "x") -> Tensor:
        z = torch.view_as_complex(points.contiguous())
        factor = {"x": -t, "y": 1j * t}[direction]
        return torch.view_as_real(z / (1 + factor * z))

    return exact
