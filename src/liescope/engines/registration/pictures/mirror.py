"""The axis of a mirror: what turns sources over into their targets."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.geometry import Basis, flow

__all__ = ["mirror_axis"]

_NEAR_DEG = 10.0


def mirror_axis(coordinates: Float[Tensor, "b m"], basis: Basis) -> str:
    """In words: which axis the pictures are turned over at.

    Parameters
    ----------
    coordinates : tensor, shape (B, m)
        Motions of the sources onto their targets after these were flipped left for right.
    """
    if not len(coordinates):
        return "the axis differs from pair to pair"
    ends = flow(basis, coordinates, torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    columns = (ends[:, 1:] - ends[:, :1]).mT
    flipped = torch.tensor([[-1.0], [1.0]]) * columns
    double = torch.atan2(flipped[:, 1, 0] + flipped[:, 0, 1], flipped[:, 0, 0] - flipped[:, 1, 1])
    mean = math.atan2(float(double.sin().mean()), float(double.cos().mean())) / 2
    if math.hypot(float(double.sin().mean()), float(double.cos().mean())) < 0.5:
        return "the axis differs from pair to pair"
    angle = math.degrees(mean) % 180
    if abs(angle - 90) < _NEAR_DEG:
        return "left and right are swapped"
    if min(angle, 180 - angle) < _NEAR_DEG:
        return "top and bottom are swapped"
    return f"about an axis at {angle:.0f} degrees"
