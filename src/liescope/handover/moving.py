"""Images, labels and points moved by a transformation, on any device: what all libraries are handed.

Positions in pixels are (column, row), (0, 0) at the centre of the top left pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from liescope.errors import InputError, suggest
from liescope.geometry import Grid, PolynomialBasis, flow, sample, transport_images
from liescope.geometry.flow import affine_matrix, is_affine
from liescope.geometry.transport import Border, Interpolation
from liescope.handover.transformation import Transformation

__all__ = [
    "Sampling",
    "as_t",
    "move_boxes",
    "move_images",
    "move_labels",
    "move_points",
    "pixel_matrix",
]

INTERPOLATIONS = ("linear", "cubic")
BORDERS = ("zero", "edge", "periodic")
EXACT = 1e-8
"""Aimed-for error of positions, in normalised units: far below what a float32 of a thousand pixels holds."""
HALF = 0.5
_WHOLE = (torch.int32, torch.int64, torch.float64)


@dataclass(frozen=True)
class Sampling:
    """How pixels are read.

    Parameters
    ----------
    interpolation : {"linear", "cubic"}
        Of images; labels are never mixed.
    border : {"zero", "edge", "periodic"}
        What comes in from outside: ``fill``, the nearest pixel, or the image again.
    fill : float or sequence of C floats, optional
        Grey values that lie outside; by default the background of the images that were learnt from.
    mask_fill : float
        The label that lies outside.
    """

    interpolation: str = "linear"
    border: str = "zero"
    fill: float | Sequence[float] | None = None
    mask_fill: float = 0

    def __post_init__(self) -> None:
        if self.interpolation not in INTERPOLATIONS:
            known = suggest(str(self.interpolation), INTERPOLATIONS)
            raise InputError(f"unknown interpolation {self.interpolation!r}.{known}")
        if self.border not in BORDERS:
            raise InputError(f"unknown border {self.border!r}.{suggest(str(self.border), BORDERS)}")
        for values in (self.fill, self.mask_fill):
            if values is not None and not np.isfinite(np.asarray(values, dtype=np.float64)).all():
                raise InputError(f"expected finite values outside of images, got {values}")


def as_t(transformation: Transformation, t: float | Sequence[float] | np.ndarray | Tensor, count: int) -> Tensor:
    """Magnitudes as a tensor, shape (K,) for all or (count, K) for each of ``count`` images."""
    values: Tensor = torch.as_tensor(t, dtype=torch.float64)
    values = values[None] if values.ndim == 0 else values
    size = transformation.size
    if tuple(values.shape) not in ((size,), (count, size)):
        raise InputError(f"expected {size} magnitude{'s' * (size > 1)} t, got shape {tuple(values.shape)}")
    if not torch.isfinite(values).all():
        raise InputError(f"expected finite magnitudes t, got {values.ravel().tolist()[:4]}")
    return values


def _factors(transformation: Transformation, t: Float[Tensor, "*b k"]) -> list[Float[Tensor, "*b m"]]:
    """Fields whose flows act one after the other."""
    coefficients = torch.as_tensor(transformation.coefficients, device=t.device)
    t = t.to(coefficients.dtype)
    if not transformation.product:
        return [t @ coefficients]
    return [t[..., k : k + 1] * row for k, row in enumerate(coefficients)]


def move_images(
    transformation: Transformation,
    images: Shaped[Tensor, "b c h w"],
    t: Float[Tensor, "*n k"],
    sampling: Sampling = Sampling(),
) -> Shaped[Tensor, "b c h w"]:
    """Images moved by t, as :meth:`liescope.SymmetryResult.transform` moves them.

    Parameters
    ----------
    images : tensor
        Of any type. Half precision is computed in single; whole numbers are rounded and kept in their range.
    t : tensor, shape (K,) or (B, K)

    Returns
    -------
    tensor
        Type and device of the images; differentiable where they are floats.
    """
    if not images.numel():
        return images
    outside = _outside(transformation, images, sampling)
    work = images.dtype if images.dtype == torch.float64 else torch.float32
    moved = images.to(work) - outside
    for vectors in _factors(transformation, t.to(images.device)):
        moved = transport_images(
            moved,
            transformation.basis,
            vectors.to(work),
            interpolation=cast(Interpolation, sampling.interpolation),
            border=cast(Border, sampling.border),
        )
    return _as_type(moved + outside, images.dtype)


def _outside(transformation: Transformation, images: Tensor, sampling: Sampling) -> Tensor:
    """Grey values outside, shape (C or 1, 1, 1): given ones, else those of every channel that was learnt from."""
    work = torch.float64 if images.dtype == torch.float64 else torch.float32
    channels = images.shape[1]
    if sampling.fill is not None:
        values = np.atleast_1d(np.asarray(sampling.fill, dtype=np.float64))
        if values.shape not in ((1,), (channels,)):
            raise InputError(f"expected one fill, or one for each of the {channels} channels, got {values.tolist()}")
    elif transformation.background is None:
        values = np.zeros(1)
    else:
        values = transformation.background
        values = values if len(values) == channels else values.mean(keepdims=True)
    return torch.as_tensor(values, dtype=work, device=images.device)[:, None, None]


def _as_type(moved: Tensor, dtype: torch.dtype) -> Tensor:
    if dtype.is_floating_point:
        return moved.to(dtype)
    low, high = (0, 1) if dtype == torch.bool else (torch.iinfo(dtype).min, torch.iinfo(dtype).max)
    return moved.round().clamp(low, high).to(dtype)


def move_labels(
    transformation: Transformation,
    labels: Shaped[Tensor, "b c h w"],
    t: Float[Tensor, "*n k"],
    sampling: Sampling = Sampling(),
) -> Shaped[Tensor, "b c h w"]:
    """Labels moved by t: every pixel has the label that is nearest to where it came from, and no new ones arise."""
    if not labels.numel():
        return labels
    work = torch.float64 if labels.dtype in _WHOLE else torch.float32
    grid = Grid.of(*labels.shape[2:])
    origins = grid.points(dtype=torch.float64, device=labels.device)
    # exp(t_2 X_2) exp(t_1 X_1) reads where the second flow came from, and then where the first one did.
    for vectors in reversed(_factors(transformation, t.to(labels.device))):
        origins = flow(transformation.basis, -vectors, origins)
    origins = (origins if origins.ndim == 3 else origins[None]).to(work)
    values = sample(
        labels.to(work) - sampling.mask_fill,
        origins,
        grid,
        interpolation="nearest",
        border=cast(Border, sampling.border),
    )
    return _as_type(values.reshape(labels.shape) + sampling.mask_fill, labels.dtype)


def move_points(
    transformation: Transformation,
    points: Shaped[Tensor, "*b n 2"],
    t: Float[Tensor, "*k"],
    size: tuple[int, int],
) -> Shaped[Tensor, "*b n 2"]:
    """Positions in pixels after the flow by t.

    Parameters
    ----------
    points : tensor
        (column, row). Whole numbers are rounded.
    t : tensor, shape (K,), or (B, K) for points (B, n, 2)
    size : (height, width)
        Of the image that they lie in.
    """
    grid = Grid.of(*size)
    places = grid.from_pixels(points.to(torch.float64))
    for vectors in _factors(transformation, t.to(points.device)):
        places = flow(transformation.basis, vectors, places, tolerance=EXACT)
    moved = grid.to_pixels(places)
    return moved.to(points.dtype) if points.is_floating_point() else moved.round().to(points.dtype)


def move_boxes(
    transformation: Transformation,
    corners: Float[Tensor, "*b n 4 2"],
    t: Float[Tensor, "*k"],
    size: tuple[int, int],
) -> Float[Tensor, "*b n 4 2"]:
    """Corners of boxes after the flow, where positions count from the pixels' edges: the image is [0, W] x [0, H]."""
    flat = corners.flatten(-3, -2) - HALF
    return (move_points(transformation, flat, t, size) + HALF).reshape(corners.shape)


def pixel_matrix(
    transformation: Transformation, t: Float[Tensor, "*b k"], size: tuple[int, int]
) -> Float[Tensor, "*b 3 3"]:
    """The matrix that takes (column, row, 1) of content to where it is moved.

    Raises
    ------
    InputError
        Fields that are no affine ones: their flows are no matrices.
    """
    basis = transformation.basis
    if not (isinstance(basis, PolynomialBasis) and is_affine(basis)):
        raise InputError(f"expected an affine basis for a matrix of 3 x 3, got {basis.name!r}, try moving the points")
    total = torch.eye(3, dtype=torch.float64, device=t.device)
    for vectors in _factors(transformation, t):
        factor = torch.nn.functional.pad(affine_matrix(basis, vectors), (0, 0, 0, 1))
        factor[..., 2, 2] = 1
        total = factor @ total
    (dx, dy), (height, width) = Grid.of(*size).pitch, size
    to_pixels = total.new_tensor([[1 / dx, 0, (width - 1) / 2], [0, -1 / dy, (height - 1) / 2], [0, 0, 1]])
    matrix: Tensor = to_pixels @ total @ torch.linalg.inv(to_pixels)
    return matrix
