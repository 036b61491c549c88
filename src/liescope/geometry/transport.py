"""Transport of images along flows: ``(exp(X) I)(p) = I(phi_{-1}(p))``; content moves along the arrows of X."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from liescope.geometry.fields import Basis
from liescope.geometry.flow import flow
from liescope.geometry.grid import Grid

__all__ = ["Border", "Interpolation", "sample", "transport_images"]

Interpolation = Literal["nearest", "linear", "cubic"]
Border = Literal["zero", "edge", "periodic"]

_MODES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}
_WRAP = 2  # pixels copied to the far side for periodic borders: a cubic kernel's reach


def sample(
    images: Float[Tensor, "b c h w"],
    points: Float[Tensor, "#b n 2"],
    grid: Grid,
    *,
    interpolation: Interpolation = "linear",
    border: Border = "zero",
) -> Float[Tensor, "b c n"]:
    """Image values at points.

    Parameters
    ----------
    images : tensor, shape (B, C, H, W)
        Images on ``grid``.
    points : tensor, shape (B, n, 2) or (1, n, 2)
        (x, y) in normalised units; with a leading 1 the same points for every image, at a fraction of the cost.
    interpolation : {"nearest", "linear", "cubic"}
        Nearest pixel (no gradient in the points), bilinear, or Keys' bicubic kernel (a = -0.75).
    border : {"zero", "edge", "periodic"}
        What lies outside: zeros, the nearest pixel, or the image again.

    Returns
    -------
    tensor, shape (B, C, n)
        Differentiable in images and points.
    """
    count, channels = images.shape[:2]
    half_width, half_height = grid.half_width, grid.half_height
    if border == "periodic":
        images = nnf.pad(images, (_WRAP,) * 4, mode="circular")
        half = points.new_tensor((half_width, half_height))
        points = (points + half) % (2 * half) - half
        dx, dy = grid.pitch
        half_width, half_height = half_width + _WRAP * dx, half_height + _WRAP * dy
    scale = points.new_tensor((1 / half_width, -1 / half_height))
    # align_corners=False: -1 and 1 are pixel edges, which is this project's convention.
    located = (points * scale)[:, None]
    shared = points.shape[0] == 1 and count > 1
    stack = images.reshape(1, count * channels, *images.shape[-2:]) if shared else images
    values = nnf.grid_sample(
        stack,
        located,
        mode=_MODES[interpolation],
        padding_mode="border" if border == "edge" else "zeros",
        align_corners=False,
    )
    return values.reshape(count, channels, -1)


def transport_images(
    images: Float[Tensor, "b c h w"],
    basis: Basis,
    coefficients: Float[Tensor, "*k m"],
    *,
    interpolation: Interpolation = "linear",
    border: Border = "zero",
    grid: Grid | None = None,
    steps: int | None = None,
) -> Float[Tensor, "b c h w"]:
    """Images moved along the time-one flow of ``sum_k v_k b_k``.

    Parameters
    ----------
    images : tensor, shape (B, C, H, W)
    basis : Basis
    coefficients : tensor, shape (m,) or (B, m)
        v = t a; a single vector moves all images along one flow.
    grid : Grid, optional
        Where the pixels lie; by default the convention's grid of the images' shape.

    Returns
    -------
    tensor, shape (B, C, H, W)
        Differentiable in images and coefficients.

    Notes
    -----
    Transport by v and then by -v returns the image up to the interpolation error: for digits of 28 pixels blurred by
    0.7 pixels, below 9 % (linear) and 3 % (cubic) of the image's norm.
    """
    grid = grid or Grid.of(*images.shape[-2:])
    vectors = coefficients if coefficients.ndim == 2 else coefficients[None]
    points = grid.points(dtype=images.dtype, device=images.device)
    origins = flow(basis, -vectors.to(images), points, steps=steps)
    values = sample(images, origins, grid, interpolation=interpolation, border=border)
    return values.reshape(images.shape)
