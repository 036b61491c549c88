"""Gaussian smoothing along an axis as a matrix, with or without resampling."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["smoothing_operator"]


def smoothing_operator(count_in: int, count_out: int, blur: float) -> Float[Tensor, "o i"]:
    """Weights (out, in) of a Gaussian of ``blur`` output pixels, integrated over every input pixel.

    Both rows of pixels cover the same length; outside it counts as zero.
    """
    step = count_in / count_out
    if blur == 0 and count_in == count_out:
        return torch.eye(count_in)
    centres = (torch.arange(count_out, dtype=torch.float64) + 0.5) * step
    edges = torch.arange(count_in + 1, dtype=torch.float64)
    cumulative: Tensor = torch.special.ndtr((edges - centres[:, None]) / (blur * step))
    return cumulative.diff(dim=1).float()
