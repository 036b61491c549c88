"""Coordinates, bases of vector fields, flows, transport of images."""

from liescope.geometry.fields import (
    BASES,
    Basis,
    CallableBasis,
    PolynomialBasis,
    affine,
    conformal,
    field_basis,
    get_basis,
    polynomial,
    quadratic,
)
from liescope.geometry.flow import flow, flow_error, sct_flow
from liescope.geometry.grid import Grid
from liescope.geometry.transport import sample, transport_images

__all__ = [
    "BASES",
    "Basis",
    "CallableBasis",
    "Grid",
    "PolynomialBasis",
    "affine",
    "conformal",
    "field_basis",
    "flow",
    "flow_error",
    "get_basis",
    "polynomial",
    "quadratic",
    "sample",
    "sct_flow",
    "transport_images",
]
