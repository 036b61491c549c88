"""Transport of images along flows: ``(exp(X) I)(p) = I(phi_{-1}(p))``; content moves along the arrows of X."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as nnf
from jaxtyping import Float
from torch import Tensor

from liescope.errors import InputError
from liescope.geometry.fields import Basis
from liescope.geometry.flow import flow
from liescope.geometry.grid import Grid

__all__ = ["Border", "Interpolation", "sample", "transport_images"]

Interpolation = Literal["nearest", "linear", "cubic"]
Border = Literal["zero", "edge", "periodic"]

_MODES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}
_WRAP = 2  # samples copied to the far side for periodic borders: a cubic kernel's reach
_MOST_AXES = 3  # of what torch interpolates in; signals are pictures of one row


def sample(
    images: Float[Tensor, "b c *s"],
    points: Float[Tensor, "#b n d"],
    grid: Grid,
    *,
    interpolation: Interpolation = "linear",
    border: Border = "zero",
) -> Float[Tensor, "b c n"]:
    """Values of images, signals or volumes at points.

    Parameters
    ----------
    images : tensor, shape (B, C, L), (B, C, H, W) or (B, C, D, H, W)
        Arrays on ``grid``.
    points : tensor, shape (B, n, d) or (1, n, d)
        (x, y, ...) in normalised units; with a leading 1 the same points for every image, at a fraction of the cost.
    interpolation : {"nearest", "linear", "cubic"}
        Nearest sample (no gradient in the points), linear along every axis, or Keys' cubic kernel (a = -0.75), which
        is there for one and two axes.
    border : {"zero", "edge", "periodic"}
        What lies outside: zeros, the nearest sample, or the image again.

    Returns
    -------
    tensor, shape (B, C, n)
        Differentiable in images and points.

    Raises
    ------
    InputError
        More than three axes, or cubic interpolation of a volume.
    """
    count, channels = images.shape[:2]
    _check_axes(grid.ndim, interpolation)
    half = grid.half
    if border == "periodic":
        images = nnf.pad(images, (_WRAP,) * (2 * grid.ndim), mode="circular")
        whole = points.new_tensor(half)
        points = (points + whole) % (2 * whole) - whole
        half = tuple(h + _WRAP * spacing for h, spacing in zip(half, grid.spacing, strict=True))
    scale = points.new_tensor([sign / h for sign, h in zip(grid.signs, half, strict=True)])
    # align_corners=False: -1 and 1 are edges of samples, which is this project's convention.
    located = points * scale
    if grid.ndim == 1:
        images, located = images[..., None, :], nnf.pad(located, (0, 1))
    located = located.reshape(len(located), *(1,) * (located.shape[-1] - 1), *located.shape[1:])
    shared = points.shape[0] == 1 and count > 1
    stack = images.reshape(1, count * channels, *images.shape[2:]) if shared else images
    values = nnf.grid_sample(
        stack,
        located,
        mode=_MODES[interpolation],
        padding_mode="border" if border == "edge" else "zeros",
        align_corners=False,
    )
    return values.reshape(count, channels, -1)


def _check_axes(ndim: int, interpolation: Interpolation) -> None:
    if ndim > _MOST_AXES:
        raise InputError(f"expected arrays of at most {_MOST_AXES} axes to sample, got {ndim}, try a slice of them")
    if ndim == _MOST_AXES and interpolation == "cubic":
        raise InputError("expected linear or nearest interpolation of volumes, got cubic, try linear")


def transport_images(
    images: Float[Tensor, "b c *s"],
    basis: Basis,
    coefficients: Float[Tensor, "*k m"],
    *,
    interpolation: Interpolation = "linear",
    border: Border = "zero",
    grid: Grid | None = None,
    steps: int | None = None,
) -> Float[Tensor, "b c *s"]:
    """Images moved along the time-one flow of ``sum_k v_k b_k``.

    Parameters
    ----------
    images : tensor, shape (B, C, H, W); or (B, C, L), (B, C, D, H, W)
    basis : Basis
        In as many coordinates as the images have axes.
    coefficients : tensor, shape (m,) or (B, m)
        v = t a; a single vector moves all images along one flow.
    grid : Grid, optional
        Where the pixels lie; by default the convention's grid of the images' shape.

    Returns
    -------
    tensor, the shape of the images
        Differentiable in images and coefficients.

    Notes
    -----
    Transport by v and then by -v returns the image up to the interpolation error: for digits of 28 pixels blurred by
    0.7 pixels, below 9 % (linear) and 3 % (cubic) of the image's norm.
    """
    grid = grid or Grid.of(*images.shape[2:])
    vectors = coefficients if coefficients.ndim == 2 else coefficients[None]
    points = grid.points(dtype=images.dtype, device=images.device)
    origins = flow(basis, -vectors.to(images), points, steps=steps)
    values = sample(images, origins, grid, interpolation=interpolation, border=border)
    return values.reshape(images.shape)
