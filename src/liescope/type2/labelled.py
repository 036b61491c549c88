"""Labelled images, checked: what schemes are chosen and networks trained with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.errors import InputError

__all__ = ["LEAST_LABELS", "LEAST_SIDE", "Labelled", "images_of", "indicators", "labelled", "stratified"]

LEAST_LABELS = 30
LEAST_SIDE = 8


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images with classes or values.

    Attributes
    ----------
    images : tensor, float32, shape (n, C, H, W)
    labels : array, shape (n,)
        Numbers of classes, or values.
    classes : array or None
        What the numbers stand for; None of values.
    """

    images: Tensor
    labels: np.ndarray
    classes: np.ndarray | None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the images."""
        height, width = self.images.shape[2:]
        return height, width

    @property
    def outputs(self) -> int:
        """Classes, or one value."""
        return 1 if self.classes is None else len(self.classes)


def images_of(images: Any) -> Float[Tensor, "n c h w"]:
    """Images as float32 tensors with channels; (n, H, W) has one.

    Raises
    ------
    InputError
        Another number of axes, fewer than 8 pixels a side, missing values.
    """
    tensor = torch.as_tensor(np.asarray(images) if not isinstance(images, Tensor) else images.detach()).cpu()
    if tensor.ndim not in (3, 4):
        raise InputError(f"expected images of shape (n, H, W) or (n, C, H, W), got {tuple(tensor.shape)}")
    if min(tensor.shape[-2:]) < LEAST_SIDE:
        raise InputError(f"expected images of at least {LEAST_SIDE} pixels a side, got {tuple(tensor.shape[-2:])}")
    tensor = tensor.float()
    if not bool(torch.isfinite(tensor).all()):
        raise InputError("expected images without missing values, got NaN or infinite ones")
    return tensor if tensor.ndim == 4 else tensor[:, None]


def labelled(images: Any, labels: Any, least: int = LEAST_LABELS, of_classes: int = 2) -> Labelled:
    """Check images and their labels.

    Raises
    ------
    InputError
        Lengths differ, fewer than ``least`` labels, one class or classes with fewer than two images (``of_classes`` of
        1: whatever there are), missing values.
    """
    checked = images_of(images)
    values = np.asarray(labels)
    if values.ndim != 1 or len(values) != len(checked):
        raise InputError(f"expected a label for each of {len(checked)} images, got labels of shape {values.shape}")
    if len(values) < least:
        raise InputError(f"expected at least {least} labelled images, got {len(values)}")
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise InputError("expected labels without missing values, got NaN or infinite ones")
        if np.ptp(values) == 0:
            raise InputError("expected labels that vary, got one value for all images")
        return Labelled(checked, values.astype(np.float64), None)
    classes, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(classes) < of_classes:
        raise InputError(f"expected at least two classes, got only {classes[0]!r}")
    if counts.min() < of_classes:
        raise InputError(f"expected two images or more of every class, got one of {classes[counts.argmin()]!r}")
    return Labelled(checked, numbers, classes)


def indicators(data: Labelled) -> Float[np.ndarray, "n o"]:
    """Values in units of their spread, or a column of 0 and 1 for every class."""
    if data.classes is None:
        return np.asarray((data.labels - data.labels.mean()) / data.labels.std())[:, None]
    return np.asarray(np.eye(len(data.classes))[data.labels])


def stratified(data: Labelled, most: int, seed: int) -> Labelled:
    """At most so many images, of every class its share."""
    if len(data) <= most:
        return data
    order = np.random.default_rng(seed).permutation(len(data))
    if data.classes is not None:
        # Class by class, then every so many: shares are kept to within one image.
        order = order[np.argsort(data.labels[order], kind="stable")]
    chosen = np.sort(order[np.linspace(0, len(order) - 1, most).round().astype(int)])
    return Labelled(data.images[torch.from_numpy(chosen)], data.labels[chosen], data.classes)
