"""Coordinates, bases of vector fields, flows, transport of images."""

from liescope.geometry.bases import BASES, affine, conformal, field_basis, get_basis, polynomial, quadratic
from liescope.geometry.expaction import exponential_action
from liescope.geometry.fields import Basis, CallableBasis, PolynomialBasis
from liescope.geometry.flow import flow, flow_error, sct_flow
from liescope.geometry.grid import Grid
from liescope.geometry.operators import KERNELS, FieldOperators, derivative_matrix
from liescope.geometry.orbit import Orbit
from liescope.geometry.transport import sample, transport_images

__all__ = [
    "BASES",
    "KERNELS",
    "Basis",
    "CallableBasis",
    "FieldOperators",
    "Grid",
    "Orbit",
    "PolynomialBasis",
    "affine",
    "conformal",
    "derivative_matrix",
    "exponential_action",
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
