"""Coordinates in which data have unit spread, and the way back for polynomial fields.

``x = centre + directions (scales * u)``: along the axes of the data where points fill the space, along their principal
directions where they fill a subspace of r < d dimensions only. Off that subspace everything would be a symmetry.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from liescope.geometry.fields import PolynomialBasis, monomial_exponents

__all__ = ["Dictionary", "Frame", "frame_of", "full_degree"]

_FLAT = 1e-7
"""Share of the largest standard deviation below which points do not spread in a direction."""


class Frame(NamedTuple):
    """Where the data lie.

    Attributes
    ----------
    centre : array, shape (d,)
    directions : array, shape (d, r)
        Orthonormal columns; the unit matrix where r = d.
    scales : array, shape (r,)
        Standard deviations along them.
    """

    centre: np.ndarray
    directions: np.ndarray
    scales: np.ndarray

    @property
    def ndim(self) -> int:
        """Number of coordinates d."""
        return len(self.centre)

    @property
    def rank(self) -> int:
        """Number of dimensions r that the points fill."""
        return len(self.scales)

    def inward(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n r"]:
        """From x to u."""
        inner: np.ndarray = (points - self.centre) @ self.directions / self.scales
        return inner

    def outward(self, inner: Float[np.ndarray, "n r"]) -> Float[np.ndarray, "n d"]:
        """From u to x."""
        points: np.ndarray = self.centre + (inner * self.scales) @ self.directions.T
        return points

    def gradients(self, gradients: Float[np.ndarray, "*b d"]) -> Float[np.ndarray, "*b r"]:
        """From derivatives by x to derivatives by u."""
        inner: np.ndarray = gradients @ self.directions * self.scales
        return inner

    def vectors(self, vectors: Float[np.ndarray, "*b d"]) -> Float[np.ndarray, "*b r"]:
        """From velocities of x to velocities of u."""
        inner: np.ndarray = vectors @ self.directions / self.scales
        return inner


def frame_of(points: Float[np.ndarray, "n d"]) -> Frame:
    """The frame of a cloud of points."""
    centre = points.mean(axis=0)
    spread = points.std(axis=0)
    largest = max(float(spread.max()), 1e-300)
    flat = spread <= _FLAT * np.maximum(np.abs(centre) * 1e-3, 1e-300)
    unit = np.where(flat, 1.0, spread)
    _, sizes, axes = np.linalg.svd((points - centre) / unit, full_matrices=False)
    if not flat.any() and len(sizes) == points.shape[1] and sizes[-1] > _FLAT * sizes[0]:
        return Frame(centre, np.eye(points.shape[1]), spread)
    _, sizes, axes = np.linalg.svd(points - centre, full_matrices=False)
    deviations = sizes / np.sqrt(len(points))
    kept = deviations > _FLAT * largest
    return Frame(centre, axes[kept].T, deviations[kept])


def full_degree(basis: object) -> int | None:
    """The degree of a basis of all polynomial fields up to it, whose span no change of linear frame alters."""
    if not isinstance(basis, PolynomialBasis):
        return None
    count = basis.ndim * len(monomial_exponents(basis.degree, basis.ndim))
    table = basis.table.reshape(basis.dimension, -1).numpy()
    if basis.dimension != count or bool((table != np.eye(count)).any()):
        return None
    return basis.degree


class Dictionary:
    """All polynomial fields of a degree in the coordinates u of a frame, and what they are in x.

    Parameters
    ----------
    degree : int
    frame : Frame
    """

    def __init__(self, degree: int, frame: Frame) -> None:
        self.degree, self.frame = degree, frame
        self.exponents = monomial_exponents(degree, frame.rank)

    @property
    def dimension(self) -> int:
        """Number of fields m: component by component, all monomials."""
        return self.frame.rank * len(self.exponents)

    def monomials(self, inner: Float[np.ndarray, "n r"]) -> Float[np.ndarray, "n k"]:
        """1, u1, u2, ... at points u."""
        return np.stack([np.prod(inner**e, axis=1) for e in np.array(self.exponents).reshape(-1, self.frame.rank)], 1)

    @cached_property
    def outward(self) -> Float[np.ndarray, "l m"]:
        """From coefficients in u to those of the same fields in x, in the basis of all polynomials of the degree."""
        d, r = self.frame.ndim, self.frame.rank
        linear = np.zeros((r, d + 1))
        linear[:, 1:] = self.frame.directions.T / self.frame.scales[:, None]
        linear[:, 0] = -linear[:, 1:] @ self.frame.centre
        substituted = _substituted(self.exponents, linear, self.degree, d)  # (k_u, k_x)
        lifted = self.frame.directions * self.frame.scales  # (d, r)
        table = np.einsum("cj,ab->cbja", lifted, substituted)
        matrix: np.ndarray = table.reshape(d * substituted.shape[1], r * substituted.shape[0])
        return matrix


def _substituted(exponents: list[tuple[int, ...]], linear: np.ndarray, degree: int, d: int) -> np.ndarray:
    """Monomials of linear forms (r, d + 1: constant first) as polynomials in d coordinates: (k_u, k_x)."""
    outer = monomial_exponents(degree, d)
    place = {exponent: i for i, exponent in enumerate(outer)}
    rows: dict[tuple[int, ...], np.ndarray] = {}
    for exponent in exponents:
        row = np.zeros(len(outer))
        axis = next((c for c, p in enumerate(exponent) if p), None)
        if axis is None:
            row[0] = 1.0
        else:
            lower = rows[(*exponent[:axis], exponent[axis] - 1, *exponent[axis + 1 :])]
            for i in np.flatnonzero(lower):
                row[i] += lower[i] * linear[axis, 0]
                for c in range(d):
                    raised = (*outer[i][:c], outer[i][c] + 1, *outer[i][c + 1 :])
                    row[place[raised]] += lower[i] * linear[axis, 1 + c]
        rows[exponent] = row
    return np.array([rows[e] for e in exponents])
