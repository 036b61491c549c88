"""Domains and their coordinates, bases of vector fields, flows, transport of images, signals and volumes."""

import liescope.geometry.forking  # noqa: F401 (what forked children need is set as it is imported)
from liescope.geometry.bases import BASES, affine, conformal, field_basis, get_basis, polynomial, quadratic
from liescope.geometry.domain import Box, Cloud, Domain
from liescope.geometry.expaction import exponential_action
from liescope.geometry.fields import Basis, CallableBasis, PolynomialBasis
from liescope.geometry.flow import flow, flow_error
from liescope.geometry.grid import Grid, as_domain
from liescope.geometry.operators import KERNELS, FieldOperators, derivative_matrix
from liescope.geometry.orbit import Orbit
from liescope.geometry.transport import sample, transport_images

__all__ = [
    "BASES",
    "KERNELS",
    "Basis",
    "Box",
    "CallableBasis",
    "Cloud",
    "Domain",
    "FieldOperators",
    "Grid",
    "Orbit",
    "PolynomialBasis",
    "affine",
    "as_domain",
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
    "transport_images",
]
