"""Magnitudes of a closed orbit on the branch of the circle that the pairs lie on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liescope.algebra import Generator
from liescope.inference import unwrapped

__all__ = ["followed", "on_branch"]


def followed(t: np.ndarray, accepted: np.ndarray) -> np.ndarray:
    """Magnitudes (n, K) of the pairs that are accepted; of all where none is."""
    return t[accepted] if accepted.any() else t


def on_branch(generators: Sequence[Generator], t: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Magnitudes (N, K), those of a single rotation by whole turns more or less; else as they are.

    The magnitudes of several generators are coordinates of a group, none of which need be periodic.

    Parameters
    ----------
    told : array, shape (n, K)
        Magnitudes that say where the circle is cut (:func:`liescope.inference.unwrapped`).
    """
    period = generators[0].period if len(generators) == 1 else None
    if period is None or not len(t):
        return t
    return unwrapped(t[:, 0], period, told[:, 0])[:, None]
