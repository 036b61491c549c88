"""One estimator and one function over all engines; what they need is imported when they are used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from liescope.detector.calling import detect, detect_sets

if TYPE_CHECKING:
    from liescope.detector.estimator import SymmetryDetector
    from liescope.engines import Progress

__all__ = ["Progress", "SymmetryDetector", "detect", "detect_sets"]

_HOMES = {"Progress": "liescope.engines", "SymmetryDetector": "liescope.detector.estimator"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
