"""The latent model: encoder, t-network, exponential, decoder (the paper's figure 2 and equations 7-12)."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from liescope.engines.devices import kept_random_state, seed_random_state
from liescope.engines.latent.action import VectorAction, factor_count, make_action, unit_rows
from liescope.engines.latent.config import ModelConfig
from liescope.engines.latent.networks import magnitude_network, make_decoder, make_encoder, weight_count
from liescope.errors import require_memory
from liescope.geometry import Basis

__all__ = ["LatentModel", "LatentOutput"]


class LatentOutput(NamedTuple):
    """What a forward pass gives.

    Attributes
    ----------
    t : tensor, shape (B, F)
        Magnitudes: of K generators, then of the closure factors.
    latent_source, latent_target, latent_moved : tensors, shape (B, D)
        E(x), E(y) and z_t = exp(t_K G_K) ... exp(t_1 G_1) E(x).
    source, target, moved : tensors, shape (B, C, H, W)
        Their decoded images.
    """

    t: Tensor
    latent_source: Tensor
    latent_target: Tensor
    latent_moved: Tensor
    source: Tensor
    target: Tensor
    moved: Tensor


class LatentModel(nn.Module):
    """Encoder, decoder, t-network and K generators.

    Parameters
    ----------
    config : ModelConfig
    basis : Basis
        Of the generators' coefficients.
    shape : (C, H, W)
        Of the images.
    generators : int
        K, at least 1.
    seed : int
        Of the first weights and coefficients; nothing else is random.
    """

    def __init__(
        self, config: ModelConfig, basis: Basis, shape: tuple[int, int, int], generators: int = 1, seed: int = 0
    ) -> None:
        super().__init__()
        self.config = config
        self.basis = basis
        self.shape = shape
        cpu = torch.device("cpu")
        with kept_random_state(cpu):
            self.magnitude_count = factor_count(generators, config.closure)
            needed = 4 * weight_count(config, shape, self.magnitude_count)
            require_memory(needed, "a model of these settings", "fewer or smaller layers, or smaller images")
            seed_random_state(seed, cpu)
            self.encoder = make_encoder(config, shape)
            self.decoder = make_decoder(config, shape)
            self.magnitude = magnitude_network(config, shape, self.magnitude_count)
            self.raw_coefficients = nn.Parameter(torch.randn(generators, basis.dimension))
        self.action = make_action(config, basis, generators, seed)

    @property
    def coefficients(self) -> Float[Tensor, "k m"]:
        """The generators, of norm 1 by construction."""
        return unit_rows(self.raw_coefficients)

    def set_coefficients(self, coefficients: Float[Tensor, "k m"]) -> None:
        """Start from these generators."""
        with torch.no_grad():
            self.raw_coefficients.copy_(unit_rows(coefficients.to(self.raw_coefficients)))

    def flip(self, sign: Float[Tensor, " k"]) -> None:
        """Turn generators round, with their magnitudes: (a, t) and (-a, -t) are the same transformation.

        Parameters
        ----------
        sign : tensor of +1 and -1, shape (K,)
        """
        sign = sign.to(self.raw_coefficients)
        factors = list(sign)
        if self.config.closure:
            factors += [first * second for first, second in combinations(factors, 2)]
        last = [layer for layer in self.magnitude.modules() if isinstance(layer, nn.Linear)][-1]
        with torch.no_grad():
            turned = torch.stack(factors)
            last.weight.mul_(turned[:, None])
            last.bias.mul_(turned)
            self.raw_coefficients.mul_(sign[:, None])
            if isinstance(self.action, VectorAction):
                self.action.matrices.mul_(sign[:, None])

    def magnitudes(self, source: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h w"]) -> Float[Tensor, "b f"]:
        """The t-network's answer for pairs."""
        t: Tensor = self.magnitude(torch.cat((source, target), dim=1))
        return t

    def move(self, latents: Float[Tensor, "b d"], t: Float[Tensor, "b f"]) -> Float[Tensor, "b d"]:
        """``exp(t_K G_K) ... exp(t_1 G_1) z``."""
        moved: Tensor = self.action(latents, t, self.coefficients)
        return moved

    def forward(self, source: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h w"]) -> LatentOutput:
        """Everything that the losses compare; each network runs once over all the images that it sees."""
        t = self.magnitudes(source, target)
        latent_source, latent_target = self.encoder(torch.cat((source, target))).chunk(2)
        latent_moved = self.move(latent_source, t)
        decoded = self.decoder(torch.cat((latent_source, latent_target, latent_moved)))
        return LatentOutput(t, latent_source, latent_target, latent_moved, *decoded.chunk(3))
