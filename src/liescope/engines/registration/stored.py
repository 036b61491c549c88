"""What the engine found, made again from its files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from liescope.data.guard import reason
from liescope.engines.contract import Fitted
from liescope.engines.pair_set import GreyScale
from liescope.engines.registration.aligner import Aligner, Search
from liescope.engines.registration.different_roots import DifferentRoots
from liescope.engines.registration.pictures import PictureSpan
from liescope.engines.registration.same_root import SameRoot
from liescope.engines.state import unpack_arrays
from liescope.errors import InputError
from liescope.geometry import Basis, Grid

__all__ = ["fitted_of"]


def fitted_of(state: Mapping[str, bytes], basis: Basis, device: torch.device) -> Fitted:
    """The :class:`Fitted` whose ``state()`` this is.

    Raises
    ------
    InputError
        Missing, truncated or foreign files, or those of another basis.
    """
    held = unpack_arrays(state)
    try:
        return _made(held, basis, device)
    except InputError:
        raise
    except Exception as error:
        told = f"a wrong or missing entry: {reason(error)}"
        raise InputError(f"expected what a registration kept, got {told}") from error


def _made(held: Mapping[str, np.ndarray], basis: Basis, device: torch.device) -> Fitted:
    if str(held["kind"]) == "pictures":
        return PictureSpan.of(held, basis, device)
    aligner = Aligner(basis, Grid.of(*(int(side) for side in held["shape"])), device)
    scale = GreyScale(held["background"], float(held["amplitude"]))
    if str(held["kind"]) == "different roots":
        low, high = (float(bound) for bound in held["bounds"])
        direction, reading = (_checked(held[name], (basis.dimension,)) for name in ("direction", "reading"))
        return DifferentRoots(aligner, direction, reading, (low, high), scale)
    change = held["change"]
    span = _checked(held["span"], (basis.dimension, len(change)))
    starts = _checked(held["starts"], (len(held["starts"]), len(change)))
    along, tried = (torch.as_tensor(array, device=device) for array in (span, starts))
    search = Search(along, tried, float(held["reach"]))
    # Results of earlier versions have no such entry.
    backwards = bool(held.get("backwards", False))
    return SameRoot(aligner, search, change, scale, str(held["interpolation"]), backwards)


def _checked(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"expected finite numbers of shape {shape}, got {array.shape}")
    return array
