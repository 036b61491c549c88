"""What is known of a generator by its field: a name, its parts, where it is centred, in which unit it is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from liescope.geometry.domain import Domain
from liescope.geometry.grid import Grid

__all__ = ["Recognition", "pixel_place"]


@dataclass(frozen=True)
class Recognition:
    """What is known of a generator by its field.

    Attributes
    ----------
    name : str
        On the plane a canonical name, ``translation``, ``spiral``, ``sct`` or ``general``; elsewhere a kind of motion
        (:func:`liescope.algebra.names_of_motions.recognise_motion`).
    agreement : float
        Cosine in L2 over the domain between the field and the nearest field of that name (1 for ``general``).
    drift, linear, quadratic : arrays, shapes (d,), (d, d), (d, d(d + 1)/2)
        Its parts: constant, coefficients on (x, y, ...) and on (x^2, xy, y^2, ...), of the unit-norm generator; a field
        of another form is projected on them.
    eigenvalues : complex array, shape (d,)
        Of the linear part: imaginary for a centre, real and equal for a node, opposite for a saddle.
    centre_px : tuple of float, length d, or None
        Pixel (column, row, ...) of the fixed point of drift and linear part, where the name implies one.
    unit : str
        ``degree``, ``log-factor``, ``pixel``, ``length`` (a domain that is no grid) or ``plain``.
    unit_per_t : float
        Units in one unit of t; negative where the gauge fixed the sign by another part of the field (a spiral that
        grows while it turns clockwise).
    centre : tuple of float, length d, or None
        The fixed point in normalised units; of a rotation about an axis, the point of the axis nearest to the origin.
    axis : tuple of float, length 3, or None
        Unit vector along the axis of a rotation or screw in three dimensions: positive turns follow the right hand.
    """

    name: str
    agreement: float
    drift: np.ndarray
    linear: np.ndarray
    quadratic: np.ndarray
    eigenvalues: np.ndarray
    centre_px: tuple[float, ...] | None
    unit: str
    unit_per_t: float
    centre: tuple[float, ...] | None = None
    axis: tuple[float, ...] | None = None


def pixel_place(point: np.ndarray | tuple[float, ...] | None, domain: Domain) -> tuple[float, ...] | None:
    """Pixel (column, row, ...) of a point in normalised units; None without a point, or where there are no pixels."""
    if point is None or not isinstance(domain, Grid):
        return None
    return tuple(domain.to_pixels(torch.as_tensor(point, dtype=torch.float64)).tolist())
