"""What was found, handed to other libraries: their own objects, with no trace of a result folder."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liescope.handover.libraries import LIBRARIES, albumentations, emlp, escnn, kornia, sklearn, torchvision
    from liescope.handover.matrices import lie_algebra
    from liescope.handover.transformation import Transformation

__all__ = [
    "LIBRARIES",
    "Transformation",
    "albumentations",
    "emlp",
    "escnn",
    "kornia",
    "lie_algebra",
    "sklearn",
    "torchvision",
]

# Imported on first use: the command line looks at words and files (liescope.handover.targets) before it loads torch.
_HOMES = {"Transformation": "transformation", "lie_algebra": "matrices"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'libraries')}"), name)
