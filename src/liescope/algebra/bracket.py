"""Lie brackets of vector fields in a basis."""

from __future__ import annotations

import numpy as np
import torch

from liescope.geometry.domain import lattice
from liescope.geometry.fields import Basis

__all__ = ["bracket_coefficients", "structure_tensor"]

# Probe points a side on [-1, 1]^d: more than enough to determine fields of the plane, and brackets of fields up to
# degree 4 in three coordinates, up to degree 2 in more.
_PROBES = {1: 16, 2: 16, 3: 8}
_PROBES_BEYOND = 4


def structure_tensor(basis: Basis) -> tuple[np.ndarray, np.ndarray]:
    """Brackets of all basis fields, expressed in the basis.

    Returns
    -------
    c : array, shape (m, m, m)
        ``[b_i, b_j] = sum_k c[i, j, k] b_k`` with ``[X, Y] = (X . grad) Y - (Y . grad) X``; exact where the basis is
        closed under the bracket, else its projection in L2 over [-1, 1]^d.
    residual : array, shape (m, m)
        The share of each bracket's L2 norm that lies outside the basis (0 where closed).
    """
    points = lattice(basis.ndim, _PROBES.get(basis.ndim, _PROBES_BEYOND))
    fields = basis.fields(points)
    jacobians = basis.jacobians(points)
    along = torch.einsum("njab,nib->nija", jacobians, fields)  # (b_i . grad) b_j
    brackets = along - along.transpose(1, 2)
    m = basis.dimension
    design = fields.permute(0, 2, 1).reshape(-1, m)
    values = brackets.permute(0, 3, 1, 2).reshape(-1, m * m)
    solution = torch.linalg.lstsq(design, values, driver="gelsd").solution
    missed = (values - design @ solution).norm(dim=0)
    share = missed / values.norm(dim=0).clamp_min(1e-300)
    residual = torch.where(values.norm(dim=0) > 1e-9, share, torch.zeros_like(share))
    return solution.T.reshape(m, m, m).numpy(), residual.reshape(m, m).numpy()


def bracket_coefficients(a: np.ndarray, b: np.ndarray, basis: Basis) -> np.ndarray:
    """Coefficients of [X, Y] for X = sum a_i b_i, Y = sum b_j b_j (projected on the basis if it is not closed)."""
    c, _ = structure_tensor(basis)
    bracket: np.ndarray = np.einsum("i,j,ijk->k", a, b, c)
    return bracket
