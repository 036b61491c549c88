"""What a transformation does to latents: exp(t G), with G made of basis operators on a patch, or free."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from liescope.algebra import structure_tensor
from liescope.engines.latent.config import ModelConfig
from liescope.errors import InputError
from liescope.geometry import Basis, Grid
from liescope.geometry.expaction import exponential_action
from liescope.geometry.operators import FieldOperators

__all__ = [
    "PatchAction",
    "VectorAction",
    "closed_structure",
    "factor_count",
    "factor_fields",
    "make_action",
    "unit_rows",
]

_CLOSED = 1e-9


def factor_count(generators: int, closure: bool) -> int:
    """Number of magnitudes: one a generator, and with closure factors one for each two of them."""
    return generators + (generators * (generators - 1) // 2 if closure else 0)


def unit_rows(rows: Float[Tensor, "k m"]) -> Float[Tensor, "k m"]:
    """Rows of norm 1: the scale of a generator and that of its t cannot be told apart."""
    unit: Tensor = rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return unit


def closed_structure(basis: Basis) -> Float[np.ndarray, "m m m"]:
    """Brackets of the basis fields in the basis; InputError where they leave it."""
    structure, residual = structure_tensor(basis)
    if residual.max() > _CLOSED:
        raise InputError(
            f"model.closure needs a basis that is closed under the bracket, got {basis.name!r}, try affine"
        )
    return structure


def factor_fields(coefficients: Float[Tensor, "k m"], structure: Float[Tensor, "m m m"] | None) -> list[Tensor]:
    """Coefficients (m,) of all factors, in the order in which they act.

    With ``G = -X``, ``exp(s [G_i, G_j]) = exp(s [X_i, X_j])`` as operators moves images along ``-[X_i, X_j]``: closure
    factors, where ``structure`` is given, have that field.
    """
    own = list(coefficients.unbind(0))
    if structure is None:
        return own
    return own + [-torch.einsum("i,j,ijk->k", a, b, structure) for a, b in combinations(own, 2)]


class PatchAction(nn.Module):
    """``z -> exp(t_K G_K) ... exp(t_1 G_1) z`` on patches, ``G_k = sum_i a_ki D_i`` (the paper's equations 7-10).

    Parameters
    ----------
    basis : Basis
        m vector fields; D_i are their operators on the patch.
    side, channels : int
        Latents are ``channels`` patches of side x side pixels.
    kernel : str
        Derivative kernel.
    closure : bool
        After the generators, a factor ``exp(t_ij [G_i, G_j])`` for i < j, with the operator of the bracket's field.
        On a patch the commutator of the two matrices is another one, and far larger where waves at the limit of
        the grid are concerned: that of rotation and scale, which commute, would be anything but small.

    Raises
    ------
    InputError
        Closure factors in a basis that brackets leave.
    """

    operators: Tensor
    structure: Tensor | None

    def __init__(self, basis: Basis, side: int, channels: int, kernel: str, closure: bool) -> None:
        super().__init__()
        self.channels = channels
        structure = torch.as_tensor(closed_structure(basis), dtype=torch.float32) if closure else None
        self.register_buffer("structure", structure, persistent=False)
        matrices = FieldOperators(basis, Grid.of(side, side), kernel).matrices()
        self.register_buffer("operators", matrices, persistent=False)

    def generators(self, coefficients: Float[Tensor, "k m"]) -> list[Tensor]:
        """Matrices (n, n) of all factors, n pixels of a patch, in the order in which they act."""
        fields = torch.stack(factor_fields(coefficients, self.structure))
        return list(torch.einsum("km,mij->kij", fields, self.operators).unbind(0))

    def forward(
        self, latents: Float[Tensor, "b d"], t: Float[Tensor, "b f"], coefficients: Float[Tensor, "k m"]
    ) -> Float[Tensor, "b d"]:
        """Moved latents."""
        patches = latents.reshape(len(latents) * self.channels, -1)
        for matrix, magnitude in zip(self.generators(coefficients), t.unbind(1), strict=True):
            patches = exponential_action(matrix, patches, magnitude.repeat_interleave(self.channels))
        return patches.reshape(latents.shape)


class VectorAction(nn.Module):
    """``z -> exp(t_K G_K) ... exp(t_1 G_1) z`` on vectors of any small size, with free matrices of norm 1.

    Parameters
    ----------
    size : int
        Entries of a latent.
    generators : int
        K.
    """

    def __init__(self, size: int, generators: int, seed: int) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        self.matrices = nn.Parameter(torch.randn(generators, size * size, generator=random))
        self.size = size

    def forward(
        self, latents: Float[Tensor, "b d"], t: Float[Tensor, "b f"], coefficients: Float[Tensor, "k m"]
    ) -> Float[Tensor, "b d"]:
        """Moved latents; the coefficients concern pixels alone."""
        for matrix, magnitude in zip(unit_rows(self.matrices), t.unbind(1), strict=True):
            latents = exponential_action(matrix.reshape(self.size, self.size), latents, magnitude)
        return latents


def make_action(config: ModelConfig, basis: Basis, generators: int, seed: int) -> nn.Module:
    """The action that the settings ask for."""
    if config.latent == "vector":
        return VectorAction(config.latent_size, generators, seed)
    return PatchAction(basis, config.side, config.channels, config.kernel, config.closure)
