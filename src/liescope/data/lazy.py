"""Images that are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["LazyImages"]


class LazyImages:
    """Images read on request: ``stack[slice]``, ``stack[indices]`` or ``stack[i]`` gives an array.

    Parameters
    ----------
    shape : tuple of int
        (N, H, W) or (N, C, H, W).
    dtype : dtype
    read : callable
        ``read(indices)`` with a non-empty sorted array of distinct indices gives those images.
    """

    def __init__(
        self,
        shape: Sequence[int],
        dtype: Any,
        read: Callable[[np.ndarray], np.ndarray],
        channels: bool = False,
    ) -> None:
        self._stored_shape = tuple(int(n) for n in shape)
        self._read = read
        self._channels = channels
        self.dtype = np.dtype(dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, H, W) or (N, C, H, W)."""
        stored = self._stored_shape
        return (stored[0], 1, *stored[1:]) if self._channels and len(stored) == 3 else stored

    @property
    def ndim(self) -> int:
        """3 or 4."""
        return len(self.shape)

    def __len__(self) -> int:
        return self._stored_shape[0]

    def with_channels(self) -> LazyImages:
        """The same stack as (N, C, H, W)."""
        return LazyImages(self._stored_shape, self.dtype, self._read, channels=True)

    def subset(self, rows: np.ndarray) -> LazyImages:
        """The stack of the images at those rows, in any order and as often as they are named, still lazy."""
        shape = (len(rows), *self._stored_shape[1:])
        sorted_rows = bool((np.diff(rows) > 0).all())

        def read(indices: np.ndarray) -> np.ndarray:
            if sorted_rows:
                return self._read(rows[indices])
            distinct, place = np.unique(rows[indices], return_inverse=True)
            return self._read(distinct)[place]

        return LazyImages(shape, self.dtype, read, self._channels)

    def __getitem__(self, index: Any, /) -> np.ndarray:
        if isinstance(index, tuple):
            first, rest = index[0], index[1:]
            taken = self[first]
            inner: np.ndarray = (
                taken[rest] if np.ndim(np.arange(len(self))[first]) == 0 else taken[(slice(None), *rest)]
            )
            return inner
        # Any numpy index along the first axis, by what it picks from 0 .. N-1.
        picked = np.arange(len(self))[index]
        flat, inverse = np.unique(np.ravel(picked), return_inverse=True)
        shape = self.shape[1:]
        images = self._read(flat) if len(flat) else np.empty((0, *shape), self.dtype)
        chosen: np.ndarray = images.reshape(len(flat), *shape)[inverse]
        return chosen.reshape(*np.shape(picked), *shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)
