"""What a generator of the plane is called, where its centre is, and in which unit people read its magnitude."""

from __future__ import annotations

import math

import numpy as np
import torch

from liescope.algebra.inner_product import domain_of, sampling_domain, weighted
from liescope.algebra.names_of_motions import recognise_motion
from liescope.algebra.recognition import Recognition, pixel_place
from liescope.geometry.bases import get_basis, quadratic
from liescope.geometry.domain import Domain
from liescope.geometry.fields import Basis, PolynomialBasis
from liescope.geometry.grid import DomainLike, Grid

__all__ = ["CANONICAL_FIELDS", "canonical_coefficients", "recognise"]

CANONICAL_FIELDS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "translation-x": ((1, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0)),
    "translation-y": ((0, 0, 0, 0, 0, 0), (1, 0, 0, 0, 0, 0)),
    "rotation": ((0, 0, -1, 0, 0, 0), (0, 1, 0, 0, 0, 0)),
    "scale": ((0, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0)),
    "scale-x": ((0, 1, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0)),
    "scale-y": ((0, 0, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0)),
    "shear-x": ((0, 0, 1, 0, 0, 0), (0, 0, 0, 0, 0, 0)),
    "shear-y": ((0, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0)),
    "hyperbolic": ((0, 1, 0, 0, 0, 0), (0, 0, -1, 0, 0, 0)),
    "hyperbolic-diagonal": ((0, 0, 1, 0, 0, 0), (0, 1, 0, 0, 0, 0)),
    "sct-x": ((0, 0, 0, 1, 0, -1), (0, 0, 0, 0, 2, 0)),
    "sct-y": ((0, 0, 0, 0, 2, 0), (0, 0, 0, -1, 0, 1)),
}
"""Monomial coefficients (1, x, y, x^2, xy, y^2) of the two components of every canonical field."""

# A family is recognised where the found field and the nearest field of the family agree this well (cosine in L2
# over the domain: about 8 degrees). Families are tried from the most to the least special.
_AGREEMENT = 0.99
_SINGULAR = 1e6  # condition of the linear part beyond which its fixed point means nothing
_CLOSED = 0.02  # real parts of eigenvalues, in units of the imaginary ones, of an orbit that counts as closed
_ROUND = 0.1  # imaginary part in units of the largest singular value: the shorter axis of an ellipse in the longer one
_DRIFT = ("translation-x", "translation-y")
_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((name, (name,)) for name in CANONICAL_FIELDS),
    ("translation", _DRIFT),
    ("sct", ("sct-x", "sct-y")),
    ("rotation", ("rotation", *_DRIFT)),
    ("scale", ("scale", *_DRIFT)),
    ("spiral", ("rotation", "scale", *_DRIFT)),
)
_CENTRED = {"rotation", "scale", "spiral", "hyperbolic", "hyperbolic-diagonal"}


def canonical_coefficients(name: str, basis: str | Basis) -> np.ndarray | None:
    """Coefficients of a canonical field in a polynomial basis (any norm), or None where it is not in its span.

    Canonical fields are those of the plane: in other dimensions there are none.
    """
    basis = get_basis(basis)
    if not isinstance(basis, PolynomialBasis) or basis.ndim != 2:
        return None
    degree = max(basis.degree, 2)
    field = np.zeros((2, basis.embedded(degree).shape[-1]))
    field[:, :6] = CANONICAL_FIELDS[name]
    design = basis.embedded(degree).reshape(basis.dimension, -1).numpy().T
    solution, *_ = np.linalg.lstsq(design, field.ravel(), rcond=None)
    inside = np.linalg.norm(design @ solution - field.ravel()) < 1e-9
    return solution if inside else None


def _unit(name: str, parts: np.ndarray, domain: Domain) -> tuple[str, float]:
    drift, linear, second = parts[:, 0], parts[:, 1:3], parts[:, 3:6]
    if name in ("rotation", "spiral"):
        return "degree", float(np.degrees(linear[1, 0] - linear[0, 1]) / 2)
    log_factor = {"scale": np.trace(linear) / 2, "scale-x": linear[0, 0], "scale-y": linear[1, 1]}
    if name in log_factor:
        return "log-factor", float(log_factor[name])
    if name.startswith("translation"):
        return "pixel" if isinstance(domain, Grid) else "length", float(np.linalg.norm(drift) * domain.unit)
    plain = {
        "shear-x": linear[0, 1],
        "shear-y": linear[1, 0],
        "hyperbolic": (linear[0, 0] - linear[1, 1]) / 2,
        "hyperbolic-diagonal": (linear[0, 1] + linear[1, 0]) / 2,
    }
    if name in plain:
        return "plain", float(plain[name])
    if name.startswith("sct"):
        along_x = (second[0, 0] - second[0, 2] + 2 * second[1, 1]) / 6
        along_y = (second[1, 2] - second[1, 0] + 2 * second[0, 1]) / 6
        return "plain", float(np.hypot(along_x, along_y))
    return "plain", 1.0


def _nearest_family(found: np.ndarray, canonical: dict[str, np.ndarray]) -> tuple[str, float]:
    """Name and cosine of the most special family that agrees; among equally special ones, of the nearest."""
    agreeing: list[tuple[int, float, str]] = []
    for family, members in _FAMILIES:
        design = np.stack([canonical[m] for m in members], axis=1)
        nearest = design @ np.linalg.lstsq(design, found, rcond=None)[0]
        cosine = float(np.linalg.norm(nearest)) / max(float(np.linalg.norm(found)), 1e-300)
        if cosine >= _AGREEMENT:
            agreeing.append((len(members), -cosine, family))
    if not agreeing:
        return "general", 1.0
    _, cosine, name = min(agreeing)
    return name, -cosine


def _turns(linear: np.ndarray, eigenvalues: np.ndarray) -> float:
    """Radians per unit of time of a linear part whose orbits are closed; 0 for any other.

    A shear, rounded or estimated, has tiny eigenvalues, which are as often imaginary as not.
    """
    speed = float(np.abs(eigenvalues.imag).max())
    turns = speed > _ROUND * float(np.linalg.norm(linear, 2))
    return speed if turns and float(np.abs(eigenvalues.real).max()) <= _CLOSED * speed else 0.0


def _is_affine(field: np.ndarray, parts: np.ndarray, points: torch.Tensor) -> bool:
    """Whether the part of degree one is all there is of a field, as nearly as names are given."""
    affine = parts[:, 0] + points.numpy() @ parts[:, 1:3].T
    return float(np.linalg.norm(field - affine)) <= math.sqrt(1 - _AGREEMENT**2) * float(np.linalg.norm(field))


def recognise(coefficients: np.ndarray, basis: Basis, domain: DomainLike) -> Recognition:
    """Name the generator, find its centre and its natural unit.

    Parameters
    ----------
    coefficients : array, shape (m,)
        In the gauge (unit norm, sign fixed).
    basis : Basis
    domain : Domain or tuple of int
        Where the fields live; a shape stands for the grid of images of that shape. Off the plane names are those of
        :func:`liescope.algebra.names_of_motions.recognise_motion`.
    """
    if basis.ndim != 2:
        return recognise_motion(coefficients, basis, domain)
    over = domain_of(domain, basis)
    sampled = sampling_domain(domain, basis)
    points = sampled.points(dtype=torch.float64)
    field = weighted(basis.velocity(points, torch.as_tensor(coefficients)), sampled).numpy()
    monomials = weighted(quadratic().monomials(points), sampled).numpy()
    # The parts of degree up to two of any field: exact where it has no others, least squares over the image else.
    parts = np.linalg.lstsq(monomials, field, rcond=None)[0].T
    found = field.ravel()
    canonical = {n: np.einsum("nk,ck->nc", monomials, np.array(f)).ravel() for n, f in CANONICAL_FIELDS.items()}
    name, agreement = _nearest_family(found, canonical)
    drift, linear = parts[:, 0], parts[:, 1:3]
    centre = None
    if name in _CENTRED and np.linalg.cond(linear) < _SINGULAR:
        centre = tuple(np.linalg.solve(linear, -drift).tolist())
    place = pixel_place(centre, over)
    eigenvalues = np.linalg.eigvals(linear)
    unit, per_t = _unit(name, parts, over)
    turns = _turns(linear, eigenvalues)
    if name == "general" and turns and _is_affine(field, parts, points):
        # Closed orbits that are ellipses: a rotation, seen with pixels that are not square.
        sense = float(np.sign(linear[1, 0] - linear[0, 1]))
        name, unit, per_t = "rotation", "degree", float(np.degrees(sense * turns))
        centre = tuple(np.linalg.solve(linear, -drift).tolist())
        place = pixel_place(centre, over)
    return Recognition(name, agreement, drift, linear, parts[:, 3:6], eigenvalues, place, unit, per_t, centre)
