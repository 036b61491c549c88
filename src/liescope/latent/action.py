"""What a transformation does to latents: exp(t G), with G made of basis operators on a patch, or free."""

from __future__ import annotations

from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from liescope.geometry import Basis, Grid
from liescope.geometry.expaction import exponential_action
from liescope.geometry.operators import FieldOperators
from liescope.latent.config import ModelConfig

__all__ = ["PatchAction", "VectorAction", "factor_count", "make_action", "unit_rows"]


def factor_count(generators: int, closure: bool) -> int:
    """Number of magnitudes: one a generator, and with closure factors one for each two of them."""
    return generators + (generators * (generators - 1) // 2 if closure else 0)


def unit_rows(rows: Float[Tensor, "k m"]) -> Float[Tensor, "k m"]:
    """Rows of norm 1: the scale of a generator and that of its t cannot be told apart."""
    unit: Tensor = rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return unit


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
        After the generators, a factor ``exp(t_ij [G_i, G_j])`` for each i < j.
    """

    operators: Tensor

    def __init__(self, basis: Basis, side: int, channels: int, kernel: str, closure: bool) -> None:
        super().__init__()
        self.channels = channels
        self.closure = closure
        matrices = FieldOperators(basis, Grid.of(side, side), kernel).matrices()
        self.register_buffer("operators", matrices, persistent=False)

    def generators(self, coefficients: Float[Tensor, "k m"]) -> list[Tensor]:
        """Matrices (n, n) of all factors, n pixels of a patch, in the order in which they act."""
        own = list(torch.einsum("km,mij->kij", coefficients, self.operators).unbind(0))
        if not self.closure:
            return own
        return own + [first @ second - second @ first for first, second in combinations(own, 2)]

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
