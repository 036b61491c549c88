"""liescope: find the continuous (Lie group) symmetries that relate data, from the data alone.

>>> from liescope import detect
>>> result = detect(X, Y)  # doctest: +SKIP

``help(detect)`` and ``help(SymmetryDetector)`` say all of it; ``liescope.data`` reads and makes pairs.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liescope.algebra import Generator
    from liescope.detector import SymmetryDetector, detect, detect_sets
    from liescope.errors import InputError
    from liescope.kinds import detect_dynamics, detect_equivariance, detect_invariance, detect_points
    from liescope.result import SymmetryResult, load_result

__version__ = "0.1.0"

__all__ = [
    "Generator",
    "InputError",
    "SymmetryDetector",
    "SymmetryResult",
    "__version__",
    "detect",
    "detect_dynamics",
    "detect_equivariance",
    "detect_invariance",
    "detect_points",
    "detect_sets",
    "load_result",
]

# What is done and why, for whoever wants to hear it: logging.getLogger("liescope").setLevel(logging.INFO).
logging.getLogger(__name__).addHandler(logging.NullHandler())

# Imported on first use (PEP 562): the command line answers --help without loading torch.
_HOMES = {
    "Generator": "liescope.algebra",
    "InputError": "liescope.errors",
    "SymmetryDetector": "liescope.detector",
    "SymmetryResult": "liescope.result",
    "detect": "liescope.detector",
    "detect_dynamics": "liescope.kinds",
    "detect_equivariance": "liescope.kinds",
    "detect_invariance": "liescope.kinds",
    "detect_points": "liescope.kinds",
    "detect_sets": "liescope.detector",
    "load_result": "liescope.result",
}
_ROOMS: tuple[str, ...] = ("algebra", "data", "engines", "errors", "evaluation", "geometry", "inference", "kinds")
_ROOMS += ("nullspace", "report", "reproduce", "type2")
"""Sub-packages that ``import liescope`` alone makes reachable: ``liescope.data.load_pairs``."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
