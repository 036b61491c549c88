"""Generators as vector fields on the image: the inner product that angles, brackets and ranks are measured in."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.geometry.fields import Basis
from liescope.geometry.grid import Grid

__all__ = ["field_columns", "orthonormal_generators", "sampling_points"]

# Means over a smooth field change by less than a thousandth on finer grids than this many points along a side.
_LONGEST_SIDE = 48
_DEPENDENT = 1e-12  # share of the largest eigenvalue of the Gram matrix


def sampling_points(shape: tuple[int, int]) -> Float[Tensor, "n 2"]:
    """Points (x, y) that stand for an H x W image: its pixels, or fewer over the same domain where it is large."""
    grid = Grid.of(*shape)
    grid = grid.resampled(_LONGEST_SIDE) if max(shape) > _LONGEST_SIDE else grid
    return grid.points(dtype=torch.float64)


def field_columns(
    generators: Float[np.ndarray, "m k"], basis: Basis, shape: tuple[int, int]
) -> Float[np.ndarray, "n k"]:
    """The fields at the sampling points, one column each, so that column products are L2 products over the image."""
    points = sampling_points(shape)
    fields = torch.einsum("nmc,mk->nck", basis.fields(points), torch.as_tensor(generators, dtype=torch.float64))
    columns: np.ndarray = (fields.flatten(0, 1) / len(points) ** 0.5).numpy()
    return columns


def orthonormal_generators(
    generators: Float[np.ndarray, "m k"], basis: Basis, shape: tuple[int, int]
) -> Float[np.ndarray, "m l"]:
    """Generators of the same span that are orthonormal in L2 over the image; fewer where columns depend on others."""
    columns = field_columns(generators, basis, shape)
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > _DEPENDENT * max(float(values.max(initial=0.0)), 1e-300)
    orthonormal: np.ndarray = generators @ (vectors[:, kept] / np.sqrt(values[kept]))
    return orthonormal
