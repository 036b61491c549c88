"""Flows of affine fields as matrices, in the conventions of the packages that warp images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from liescope.errors import InputError, suggest
from liescope.geometry.domain import Domain
from liescope.geometry.fields import Basis, PolynomialBasis
from liescope.geometry.flow import affine_matrix
from liescope.geometry.grid import Grid

__all__ = ["CONVENTIONS", "flow_matrix"]

CONVENTIONS = ("field", "pixels", "skimage", "opencv", "torch")
"""What :func:`flow_matrix` writes a flow for."""


def flow_matrix(
    vectors: np.ndarray,
    basis: Basis,
    domain: Domain,
    convention: str = "field",
    shape: Sequence[int] | None = None,
) -> np.ndarray:
    """The time-one flow of an affine field as a matrix.

    Parameters
    ----------
    vectors : array, shape (m,) or (K, m)
        v = t a; of several the flows act one after the other, the first one first.
    basis : Basis
    domain : Domain
        Where the field was found.
    convention : {"field", "pixels", "skimage", "opencv", "torch"}
        ``field``: (d+1, d+1), from (x, y, ..., 1) to where that point goes, in normalised units.
        ``pixels``: the same from and to (column, row, ..., 1), with (0, 0) at the centre of the first pixel.
        ``skimage``: (3, 3), the inverse of that: ``warp(image, AffineTransform(matrix=...))`` of ``skimage.transform``.
        ``opencv``: (2, 3), the first two rows of ``pixels``, which ``cv2.warpAffine`` takes without WARP_INVERSE_MAP.
        ``torch``: (d, d+1), the theta of ``affine_grid(theta[None], size, align_corners=False)``.
    shape : (H, W) or longer, optional
        Of the images at hand; default those of the domain. A field means the same on every grid.

    Raises
    ------
    InputError
        A field that is not affine, an unknown convention, a shape of another number of axes.
    """
    if convention not in CONVENTIONS:
        raise InputError(f"unknown convention {convention!r}.{suggest(str(convention), CONVENTIONS)}")
    matrix = np.eye(basis.ndim + 1)
    for vector in np.atleast_2d(vectors):
        matrix = _homogeneous(vector, basis) @ matrix
    if convention == "field":
        return matrix
    grid = _grid(domain, basis, shape)
    if convention in ("skimage", "opencv") and grid.ndim != 2:
        raise InputError(f"expected pictures for the convention {convention!r}, got {grid.ndim} axes, try 'pixels'")
    to_pixels = _to_pixels(grid)
    forward = to_pixels @ matrix @ np.linalg.inv(to_pixels)
    if convention == "torch":
        to_cube = _pixels_to_cube(grid)
        theta: np.ndarray = (to_cube @ np.linalg.inv(forward) @ np.linalg.inv(to_cube))[:-1]
        return theta
    if convention == "skimage":
        inverse: np.ndarray = np.linalg.inv(forward)
        return inverse
    return forward[:-1] if convention == "opencv" else forward


def _homogeneous(vector: np.ndarray, basis: Basis) -> np.ndarray:
    if not np.isfinite(vector).all():
        raise InputError("expected a finite magnitude t, got one that is not")
    if not isinstance(basis, PolynomialBasis) or basis.degree > 1:
        raise InputError(
            f"expected a generator in the affine basis, whose flow is a matrix, got one in {basis.name!r}, "
            "try flow(points, t), or transform of the result"
        )
    affine = affine_matrix(basis, torch.as_tensor(vector, dtype=torch.float64)).numpy()
    return np.vstack([affine, np.eye(basis.ndim + 1)[-1:]])


def _grid(domain: Domain, basis: Basis, shape: Sequence[int] | None) -> Grid:
    if shape is None:
        if not isinstance(domain, Grid):
            raise InputError(f"expected the shape of images for pixels, got none and a generator on {domain}")
        return domain
    sides = tuple(int(n) for n in shape)
    if len(sides) != basis.ndim:
        raise InputError(f"expected a shape of {basis.ndim} axes, such as (height, width), got {sides}")
    return Grid.of(*sides)


def _to_pixels(grid: Grid) -> np.ndarray:
    """From (x, y, ..., 1) to (column, row, ..., 1)."""
    matrix = np.eye(grid.ndim + 1)
    for c, (count, spacing, sign) in enumerate(zip(reversed(grid.shape), grid.spacing, grid.signs, strict=True)):
        matrix[c, c], matrix[c, -1] = sign / spacing, (count - 1) / 2
    return matrix


def _pixels_to_cube(grid: Grid) -> np.ndarray:
    """From (column, row, ..., 1) to torch's coordinates, -1 and 1 at the outer edges of the pixels."""
    matrix = np.eye(grid.ndim + 1)
    for c, count in enumerate(reversed(grid.shape)):
        matrix[c, c], matrix[c, -1] = 2 / count, 1 / count - 1
    return matrix
