"""Generators as vector fields on a domain: the inner product that angles, brackets and ranks are measured in."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.errors import InputError
from liescope.geometry.domain import Domain
from liescope.geometry.fields import Basis
from liescope.geometry.grid import DomainLike, Grid, as_domain

__all__ = [
    "domain_of",
    "field_columns",
    "orthonormal_generators",
    "relative_weights",
    "sampling_domain",
    "weighted",
]

# Means over a smooth field change by less than a thousandth on finer grids than this many points along the side of a
# picture; signals and volumes are given about as many points in all.
_LONGEST_SIDE = 48
_DEPENDENT = 1e-12  # share of the largest eigenvalue of the Gram matrix


def domain_of(domain: DomainLike, basis: Basis) -> Domain:
    """The domain, checked to have as many coordinates as the basis.

    Raises
    ------
    InputError
        Where it has others.
    """
    found = as_domain(domain)
    if found.ndim != basis.ndim:
        raise InputError(
            f"expected a domain of {basis.ndim} coordinates for basis {basis.name!r}, got {found.ndim}, "
            f"try ndim={found.ndim} for the basis"
        )
    return found


def sampling_domain(domain: DomainLike, basis: Basis) -> Domain:
    """What stands for the domain in means of smooth fields: itself, or fewer points over it where a grid is fine."""
    found = domain_of(domain, basis)
    if isinstance(found, Grid):
        longest = _LONGEST_SIDE if found.ndim == 2 else round(_LONGEST_SIDE ** (2 / found.ndim))
        return found.resampled(longest) if max(found.shape) > longest else found
    return found


def relative_weights(domain: Domain) -> Float[Tensor, " n"]:
    """Weights of the points in units of their mean: ones on a grid."""
    if isinstance(domain, Grid):
        return torch.ones(domain.size, dtype=torch.float64)
    weights = domain.weights(dtype=torch.float64)
    return weights * len(weights)


def weighted(values: Float[Tensor, "n *c"], domain: Domain) -> Float[Tensor, "n *c"]:
    """Values at the points such that sums of their products are n times means over the domain.

    On a grid, where all points weigh alike, they are as they were.
    """
    if isinstance(domain, Grid):
        return values
    roots = relative_weights(domain).sqrt()
    return values * roots.reshape(-1, *(1,) * (values.ndim - 1))


def field_columns(generators: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike) -> Float[np.ndarray, "n k"]:
    """The fields at the sampling points, one column each, so that column products are L2 products over the domain."""
    sampled = sampling_domain(domain, basis)
    points = sampled.points(dtype=torch.float64)
    fields = torch.einsum("nmc,mk->nck", basis.fields(points), torch.as_tensor(generators, dtype=torch.float64))
    columns: np.ndarray = (weighted(fields, sampled).flatten(0, 1) / len(points) ** 0.5).numpy()
    return columns


def orthonormal_generators(
    generators: Float[np.ndarray, "m k"], basis: Basis, domain: DomainLike
) -> Float[np.ndarray, "m l"]:
    """Generators of the same span that are orthonormal in L2 over the domain; fewer where columns depend on others."""
    columns = field_columns(generators, basis, domain)
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > _DEPENDENT * max(float(values.max(initial=0.0)), 1e-300)
    orthonormal: np.ndarray = generators @ (vectors[:, kept] / np.sqrt(values[kept]))
    return orthonormal
