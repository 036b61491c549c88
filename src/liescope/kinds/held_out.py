"""How well found symmetries hold at points that they were not found at."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from liescope.kinds.gradients import derivatives
from liescope.nullspace import IRRELEVANT
from liescope.result import FieldResult

__all__ = ["held_out_defects"]


def held_out_defects(result: FieldResult, f: Any, points: np.ndarray) -> np.ndarray:
    """Defect of every generator of a function or a network at other points, shape (K,)."""
    scales = np.maximum(result.domain.points(dtype=torch.float64).numpy().std(axis=0), 1e-300)
    slopes = derivatives(f, points, scales)
    jacobians = slopes.jacobians * scales
    sizes = np.linalg.norm(jacobians, axis=(1, 2))
    defects = []
    for k, generator in enumerate(result.generators):
        moved = generator.field(points) / scales
        products = jacobians * moved[:, None, :]
        rows, terms = products.sum(axis=2), [products.reshape(len(points), -1), IRRELEVANT * sizes[:, None] * moved]
        if result.actions:
            answer = result.actions["basis"].velocity(
                torch.as_tensor(slopes.values), torch.as_tensor(result.actions["coefficients"][k])
            )
            rows = rows - answer.numpy()
            terms.append(answer.numpy())
        below = sum(float(np.square(part).sum()) for part in terms)
        defects.append(float(np.sqrt(np.square(rows).sum() / max(below, 1e-300))))
    return np.array(defects)
