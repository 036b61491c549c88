"""Symmetries of what is no pair of images: functions and trained networks, clouds, laws of motion."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liescope.kinds.calling import detect_dynamics, detect_equivariance, detect_invariance, detect_points
    from liescope.kinds.estimators import EquivarianceDetector, InvarianceDetector

__all__ = [
    "EquivarianceDetector",
    "InvarianceDetector",
    "detect_dynamics",
    "detect_equivariance",
    "detect_invariance",
    "detect_points",
]

# Imported on first use: the functions need no scikit-learn.
_HOMES = {
    "EquivarianceDetector": "estimators",
    "InvarianceDetector": "estimators",
    "detect_dynamics": "calling",
    "detect_equivariance": "calling",
    "detect_invariance": "calling",
    "detect_points": "calling",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
