"""What a corpus is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Corpus"]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Images with their labels.

    Parameters
    ----------
    images : array or lazy stack, shape (N, H, W) or (N, C, H, W)
        uint8, or float.
    labels : array of int, shape (N,), or None
    label_names : tuple of str
        Name of every label 0, 1, ...; empty where they have none.
    name : str
    credit : str
        Where the data come from, in one line.
    """

    images: Any
    labels: np.ndarray | None
    label_names: tuple[str, ...]
    name: str
    credit: str

    def __len__(self) -> int:
        return int(self.images.shape[0])
