"""What one generator is called in any number of coordinates, by what does not depend on a table of fields.

A field is compared with the families of a geometry: shifts, growth about a point, rigid motions, similarities, and so
on, from the most to the least special; the nearest field of the family, in L2 over the domain, then says the rest by
its skew part: axis, pitch, rate of turning, fixed point.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float

from liescope.algebra.inner_product import domain_of, sampling_domain, weighted
from liescope.algebra.recognition import Recognition, pixel_place
from liescope.geometry.bases import conformal, quadratic
from liescope.geometry.fields import Basis
from liescope.geometry.grid import DomainLike, Grid

__all__ = ["recognise_motion"]

_AGREEMENT = 0.99  # cosine to the family, about 8 degrees, as on the plane
_PITCH = float(np.sqrt(1 - _AGREEMENT**2))  # share of a field's norm below which a drift along the axis is an error
_TURNING = 0.1  # planes that turn slower than this share of the fastest do not turn
_SINGULAR = 1e6


def recognise_motion(coefficients: np.ndarray, basis: Basis, domain: DomainLike) -> Recognition:
    """Name the generator, find its centre, axis and natural unit.

    Parameters
    ----------
    coefficients : array, shape (m,)
        In the gauge (unit norm, sign fixed).
    basis : Basis
        In d coordinates.
    domain : Domain or tuple of int
        Where the fields live; a shape stands for the grid of arrays of that shape.

    Returns
    -------
    Recognition
        With the name ``translation``; ``dilation`` (growth about a point); ``rotation`` (of one plane; in three
        dimensions about an axis), ``multiple-rotation`` (of several planes), ``screw`` (with a shift along what does
        not turn); ``spiral`` (rotation and dilation locked together); ``sct``; ``stretch`` (along perpendicular lines);
        ``shear``; ``linear`` (about a point) or ``affine``; ``conformal`` (on the line ``projective``); or ``general``.
    """
    over = domain_of(domain, basis)
    sampled = sampling_domain(over, basis)
    points = sampled.points(dtype=torch.float64)
    root = len(points) ** 0.5
    d = basis.ndim
    found = weighted(basis.velocity(points, torch.as_tensor(coefficients)), sampled) / root
    monomials = (weighted(quadratic(d).monomials(points), sampled) / root).numpy()
    # The parts of degree up to two of any field: exact where it has no others, least squares over the domain else.
    parts = np.linalg.lstsq(monomials, found.numpy(), rcond=None)[0].T
    size = max(float(found.norm()), 1e-300)
    name, agreement, nearest = "general", 1.0, parts
    for family, members in _families(d):
        design = np.einsum("nk,jck->ncj", monomials, members).reshape(-1, len(members))
        weights = np.linalg.lstsq(design, found.numpy().ravel(), rcond=None)[0]
        cosine = float(np.linalg.norm(design @ weights)) / size
        if cosine >= _AGREEMENT:
            name, agreement, nearest = family, cosine, np.einsum("j,jck->ck", weights, members)
            break
    drift, linear = nearest[:, 0], nearest[:, 1 : d + 1]
    name, centre, axis = _refined(name, drift, linear, size)
    unit, per_t = _unit(name, nearest)
    if unit == "pixel":
        per_t *= over.unit
        unit = "pixel" if isinstance(over, Grid) else "length"
    return Recognition(
        name,
        agreement,
        parts[:, 0],
        parts[:, 1 : d + 1],
        parts[:, d + 1 :],
        np.linalg.eigvals(parts[:, 1 : d + 1]),
        pixel_place(centre, over),
        unit,
        per_t,
        None if centre is None else tuple(centre.tolist()),
        None if axis is None else tuple(axis.tolist()),
    )


def _families(d: int) -> Iterator[tuple[str, Float[np.ndarray, "j d k"]]]:
    """Names and members (tables on monomials of degree at most two), from the most to the least special family."""
    k = (d + 1) * (d + 2) // 2
    conformal_fields = conformal(d).table.numpy()
    shifts, sct = conformal_fields[:d], conformal_fields[-d:]
    turns, growth = conformal_fields[d : -d - 1], conformal_fields[-d - 1 : -d]
    linear = np.zeros((d, d, d, k))
    for a in range(d):
        for b in range(d):
            linear[a, b, a, 1 + b] = 1
    along = linear[range(d), range(d)]
    across = [linear[a, b] + linear[b, a] for a, b in combinations(range(d), 2)]
    stretches = np.concatenate((along, np.array(across).reshape(-1, d, k)))
    yield "translation", shifts
    yield "sct", sct
    yield "dilation", np.concatenate((shifts, growth))
    yield "rigid", np.concatenate((shifts, turns))
    yield "spiral", np.concatenate((shifts, turns, growth))
    yield "stretch", np.concatenate((shifts, stretches))
    yield "affine", np.concatenate((shifts, linear.reshape(-1, d, k)))
    yield "projective" if d == 1 else "conformal", conformal_fields


def _refined(
    family: str, drift: np.ndarray, linear: np.ndarray, size: float
) -> tuple[str, np.ndarray | None, np.ndarray | None]:
    """Name, fixed point and axis of the nearest field of a family; ``size`` is the field's norm."""
    if family == "rigid":
        return _rigid(drift, linear, size)
    if family == "affine":
        if np.linalg.norm(linear @ linear) <= _PITCH * np.linalg.norm(linear) ** 2:
            return "shear", None, None
        family = "linear" if np.linalg.cond(linear) < _SINGULAR else "affine"
    fixed = family in ("dilation", "spiral", "stretch", "linear") and np.linalg.cond(linear) < _SINGULAR
    centre = np.linalg.solve(linear, -drift) if fixed else None
    axis = _axis(linear) if family == "spiral" else None
    return family, centre, axis


def _rigid(drift: np.ndarray, turn: np.ndarray, size: float) -> tuple[str, np.ndarray, np.ndarray | None]:
    rates = np.linalg.svd(turn, compute_uv=False)
    turning = int((rates > _TURNING * rates[0]).sum())
    # Of the points that go along the axis only, the nearest to the origin.
    centre = -np.linalg.pinv(turn, rcond=_TURNING) @ drift
    pitch = drift + turn @ centre
    name = "rotation" if turning == 2 else "multiple-rotation"
    if np.linalg.norm(pitch) > _PITCH * size:
        name = "screw"
    return name, centre, _axis(turn)


def _axis(linear: np.ndarray) -> np.ndarray | None:
    """Unit vector that a turn in three dimensions leaves where it is, by the right-hand rule."""
    if len(linear) != 3:
        return None
    turn = (linear - linear.T) / 2
    vector = np.array([turn[2, 1], turn[0, 2], turn[1, 0]])
    unit: np.ndarray = vector / np.linalg.norm(vector)
    return unit


def _unit(name: str, parts: np.ndarray) -> tuple[str, float]:
    d = len(parts)
    linear = parts[:, 1 : d + 1]
    if name in ("rotation", "multiple-rotation", "screw", "spiral"):
        fastest = np.linalg.svd((linear - linear.T) / 2, compute_uv=False)[0]
        return "degree", float(np.degrees(fastest))
    if name == "dilation":
        return "log-factor", float(np.trace(linear) / d)
    if name == "translation":
        return "pixel", float(np.linalg.norm(parts[:, 0]))
    if name == "sct":
        # 2 x_a x_c on every component: the squares hold each of its coefficients once.
        squares = [parts[a, _square_place(a, d)] for a in range(d)]
        return "plain", float(np.linalg.norm(squares))
    return "plain", 1.0


def _square_place(axis: int, d: int) -> int:
    """Where the square of a coordinate stands among the monomials of degree at most two."""
    exponents = quadratic(d).exponents
    return exponents.index(tuple(2 if c == axis else 0 for c in range(d)))
