"""What an answer keeps of a film: which frames its pairs are, magnitudes per frame, a small copy to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from liescope.answer.stored import check_arrays
from liescope.data.guard import quoted
from liescope.errors import InputError

__all__ = ["FILM_ARRAYS", "FILM_SAMPLES", "Film", "FilmImages", "stored_film"]

FILM_ARRAYS = ("first", "second", "frame_t", "frame_t_error", "frame_piece")
"""Names in ``magnitudes.npz``."""
FILM_SAMPLES = ("film_index", "film_images", "film_range")
"""Names in ``samples.npz``."""


@dataclass(frozen=True, eq=False)
class FilmImages:
    """Some of a film's frames, made small: their numbers (S,), images (S, C, h, w) as uint8.

    ``low`` and ``high`` are the grey values of the film that became 0 and 255.
    """

    index: np.ndarray
    images: np.ndarray
    low: float
    high: float

    def arrays(self) -> dict[str, np.ndarray]:
        """What ``samples.npz`` has of it."""
        return {"film_index": self.index, "film_images": self.images, "film_range": np.array([self.low, self.high])}


@dataclass(frozen=True, eq=False)
class Film:
    """A film that pairs were taken from.

    Parameters
    ----------
    frames : int
        T.
    lags : tuple of int
    first, second : int arrays, shape (N,)
        The two frames of every pair.
    t, t_error : arrays, shape (T, K), optional
        Magnitudes of the frames and their standard errors: frame j is exp(sum_k (t[j, k] - t[i, k]) X_k) of frame i
        within a piece. NaN where no accepted pair connects a frame; None where magnitudes do not add up, or there is
        no symmetry.
    piece : int array, shape (T,), optional
        Frames that accepted pairs connect have one number; t counts from the first frame of each. -1 where none does.
    shown : FilmImages, optional
        For the page.
    """

    frames: int
    lags: tuple[int, ...]
    first: np.ndarray
    second: np.ndarray
    t: np.ndarray | None = None
    t_error: np.ndarray | None = None
    piece: np.ndarray | None = None
    shown: FilmImages | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """What ``magnitudes.npz`` has of it."""
        named = {"frame_t": self.t, "frame_t_error": self.t_error, "frame_piece": self.piece}
        known = {name: array for name, array in named.items() if array is not None}
        return {"first": self.first, "second": self.second} | known


def stored_film(data: Mapping[str, Any], arrays: Mapping[str, np.ndarray], generators: int) -> Film | None:
    """The film of a result folder, or None: its numbers in ``result.json``, ``magnitudes.npz`` and ``samples.npz``.

    Raises
    ------
    InputError
        They do not fit together.
    """
    if "frames" not in data or "first" not in arrays or "second" not in arrays:
        return None
    frames, pairs = int(data["frames"]), int(data["pairs"])
    expected: dict[str, tuple[int, ...]] = {"first": (pairs,), "second": (pairs,), "frame_piece": (frames,)}
    expected |= dict.fromkeys(("frame_t", "frame_t_error"), (frames, generators))
    check_arrays(arrays, expected)
    for name in ("first", "second"):
        if len(arrays[name]) and not 0 <= int(arrays[name].min()) <= int(arrays[name].max()) < frames:
            raise InputError(f"expected numbers of {frames} frames as {name} in magnitudes.npz, got others")
    shown = None
    if all(name in arrays for name in FILM_SAMPLES):
        index, images, (low, high) = (arrays[name] for name in FILM_SAMPLES)
        fits = images.ndim == 4 and images.dtype == np.uint8 and index.shape == images.shape[:1]
        if not fits or index.dtype.kind not in "iu":
            got = f"{quoted(images.shape)} and film_index {index.dtype} {quoted(index.shape)}"
            raise InputError(f"expected film_images of shape (S, C, h, w) in samples.npz, got {got}")
        shown = FilmImages(index, images, float(low), float(high))
    return Film(
        frames,
        tuple(int(lag) for lag in data["lags"]),
        arrays["first"],
        arrays["second"],
        arrays.get("frame_t"),
        arrays.get("frame_t_error"),
        arrays.get("frame_piece"),
        shown,
    )
