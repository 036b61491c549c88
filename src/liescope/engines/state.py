"""Plain arrays, numbers and words as one file: what an engine without a format of its own keeps of a fit."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from liescope.data.archives import arrays_of
from liescope.errors import InputError

__all__ = ["STATE_FILE", "pack_arrays", "unpack_arrays"]

STATE_FILE = "fitted.npz"


def pack_arrays(**values: object) -> dict[str, bytes]:
    """The file with these values; never pickled."""
    file = io.BytesIO()
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in values.items()}
    np.savez(file, **arrays)
    return {STATE_FILE: file.getvalue()}


def unpack_arrays(state: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """Its values again; InputError for a file that is missing, truncated or no such file."""
    if STATE_FILE not in state:
        raise InputError(f"expected {STATE_FILE} among the files of a result, got {sorted(state)}")
    return arrays_of(state[STATE_FILE], STATE_FILE)
