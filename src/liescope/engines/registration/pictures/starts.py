"""From turns, zooms and shifts to coordinates in a basis, and the families of motions that people have names for."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.algebra import canonical_coefficients
from liescope.engines.registration.pictures.similarity_search import Similarities, turns_and_zooms
from liescope.geometry import Basis, Grid, get_basis

__all__ = ["Family", "families_of", "in_basis", "searched_for"]

_FAMILIES = {
    "shifts": ("translation-x", "translation-y"),
    "turns": ("translation-x", "translation-y", "rotation"),
    "zooms": ("translation-x", "translation-y", "scale"),
    "similarities": ("translation-x", "translation-y", "rotation", "scale"),
}
_OUTSIDE = 1e-3  # of a field's norm: what may be left of it off a span that holds it


class Family(NamedTuple):
    """A space of fields that is closed under brackets: its name and orthonormal columns (m, f)."""

    name: str
    columns: Tensor


def families_of(basis: Basis) -> list[Family]:
    """Shifts, turns about any point, zooms about any point, all similarities, and last the basis itself."""
    found = []
    for name, members in _FAMILIES.items():
        fields = [canonical_coefficients(member, basis) for member in members]
        known = [field for field in fields if field is not None]
        if len(known) == len(fields) < basis.dimension:
            columns = np.linalg.qr(np.stack(known, axis=1))[0]
            found.append(Family(name, torch.as_tensor(columns, dtype=torch.float32)))
    return [*found, Family("basis", torch.eye(basis.dimension))]


def in_basis(found: Similarities, basis: Basis, grid: Grid) -> Float[Tensor, "b s m"]:
    """Coordinates in the basis whose flow is nearest to each turn, zoom and shift.

    The logarithm of the similarity, as a field; in a basis that lacks it, its projection over the grid.
    """
    angle = torch.remainder(found.angle + math.pi, 2 * math.pi) - math.pi
    rate = torch.complex(found.log_zoom, angle)
    # p -> exp(rate) p + d has the logarithm p -> rate p + rate / (exp(rate) - 1) d
    ratio = torch.where(rate.abs() < 1e-4, torch.ones_like(rate), rate / (torch.exp(rate) - 1 + 1e-12))
    drift = torch.complex(found.dx, found.dy) * ratio
    affine = torch.stack((drift.real, found.log_zoom, -angle, drift.imag, angle, found.log_zoom), dim=-1)
    points = grid.points(device=affine.device)
    known = get_basis("affine").fields(points)
    wanted = basis.fields(points)
    columns = wanted.permute(0, 2, 1).reshape(-1, basis.dimension)
    change = torch.linalg.lstsq(columns.double(), known.permute(0, 2, 1).reshape(-1, 6).double()).solution
    nearest: Tensor = affine @ change.T.to(affine)
    return nearest


def searched_for(span: Float[Tensor, "m k"], basis: Basis) -> Float[Tensor, "s 2"]:
    """Turns and zooms that a search along a span has a use for."""
    every = turns_and_zooms()
    keep = torch.ones(len(every), dtype=torch.bool)
    families = {family.name: family.columns for family in families_of(basis)}
    if _within(span, families.get("shifts")):
        keep = (every[:, 0] == 0) & (every[:, 1] == 0)
    elif _within(span, families.get("turns")):
        keep = every[:, 1] == 0
    elif _within(span, families.get("zooms")):
        keep = every[:, 0] == 0
    return every[keep]


def _within(span: Tensor, columns: Tensor | None) -> bool:
    if columns is None:
        return False
    columns = columns.to(span)
    off = span - columns @ (columns.T @ span)
    return float(off.norm()) <= _OUTSIDE
