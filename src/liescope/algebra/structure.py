"""The Lie algebra that generators span: is it closed under the bracket, and what is it called."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from liescope.algebra.recognition import canonical_coefficients, recognise
from liescope.algebra.span import field_gram, span_angles
from liescope.geometry.fields import Basis
from liescope.geometry.grid import Grid

__all__ = ["AlgebraDescription", "describe_algebra"]

_NAMED: dict[str, tuple[str, ...]] = {
    "t(2)": ("translation-x", "translation-y"),
    "so(2)+gl(1)": ("rotation", "scale"),
    "se(2)": ("translation-x", "translation-y", "rotation"),
    "t(2)+gl(1)": ("translation-x", "translation-y", "scale"),
    "sl(2)": ("rotation", "hyperbolic", "hyperbolic-diagonal"),
    "sim(2)": ("translation-x", "translation-y", "rotation", "scale"),
    "gl(2)": ("rotation", "scale", "hyperbolic", "hyperbolic-diagonal"),
    "aff(2)": ("translation-x", "translation-y", "rotation", "scale", "hyperbolic", "hyperbolic-diagonal"),
    "conformal": ("translation-x", "translation-y", "rotation", "scale", "sct-x", "sct-y"),
}
_ONE_PARAMETER = {"rotation": "so(2)", "scale": "gl(1)", "translation-x": "t(1)", "translation-y": "t(1)"}
_ONE_PARAMETER |= {"translation": "t(1)", "hyperbolic": "so(1,1)", "hyperbolic-diagonal": "so(1,1)"}
_SAME_DEG = 5.0
_CLOSED = 0.05


class AlgebraDescription(NamedTuple):
    """What is known of the span of K generators.

    Attributes
    ----------
    dimension : int
    name : str
        ``t(1)``, ``so(2)``, ``se(2)``, ..., ``general`` (closed, without a name) or ``not closed``.
    closed : bool
        Whether brackets stay in the span.
    closure_residual : float
        Largest norm, in L2 over the image, of the part of a bracket outside the span, in units of the largest
        generator's norm.
    """

    dimension: int
    name: str
    closed: bool
    closure_residual: float


def describe_algebra(generators: Float[np.ndarray, "m k"], basis: Basis, shape: tuple[int, int]) -> AlgebraDescription:
    """Describe the span of generators (columns)."""
    k = generators.shape[1]
    if k == 0:
        return AlgebraDescription(0, "trivial", True, 0.0)
    if k == 1:
        name = recognise(generators[:, 0], basis, shape).name
        return AlgebraDescription(1, _ONE_PARAMETER.get(name, "one-parameter"), True, 0.0)
    gram = field_gram(basis, shape)
    residual = _closure_residual(generators, basis, shape)
    closed = residual <= _CLOSED
    for name, members in _NAMED.items():
        fields = [canonical_coefficients(member, basis) for member in members]
        if len(members) == k and all(f is not None for f in fields):
            angles = span_angles(generators, np.stack([f for f in fields if f is not None], axis=1), gram)
            if angles.max() <= _SAME_DEG:
                return AlgebraDescription(k, name, closed, residual)
    return AlgebraDescription(k, "general" if closed else "not closed", closed, residual)


def _closure_residual(generators: np.ndarray, basis: Basis, shape: tuple[int, int]) -> float:
    k = generators.shape[1]
    points = Grid.of(*shape).points(dtype=torch.float64)
    columns = torch.as_tensor(generators)
    fields = torch.einsum("nmc,mk->nkc", basis.fields(points), columns)
    jacobians = torch.einsum("nmcd,mk->nkcd", basis.jacobians(points), columns)
    along = torch.einsum("njcd,nid->njic", jacobians, fields)  # [n, j, i]: (X_i . grad) X_j
    design = fields.permute(0, 2, 1).reshape(-1, k)
    outside = 0.0
    for i in range(k):
        for j in range(i + 1, k):
            # (X . grad) Y - (Y . grad) X at the pixels: a bracket may leave the basis, not only the span.
            bracket = along[:, j, i] - along[:, i, j]
            weights = torch.linalg.lstsq(design, bracket.reshape(-1, 1)).solution
            rest = bracket.reshape(-1, 1) - design @ weights
            outside = max(outside, float(rest.square().sum() / len(points)) ** 0.5)
    # Compared with the fields themselves, so that two commuting generators are closed in spite of rounding.
    size = float(fields.square().sum(dim=(0, 2)).div(len(points)).sqrt().max())
    return outside / size
