"""Encoders, decoders and the t-network (the paper's figure 2 and appendix)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from liescope.engines.latent.config import ModelConfig

__all__ = ["magnitude_network", "make_decoder", "make_encoder", "mlp", "weight_count"]

_CONV_WIDTHS = (32, 64)


def mlp(
    sizes: Sequence[int], *, negative_slope: float = 0.2, layer_norm: bool = False, dropout: float = 0.0
) -> nn.Sequential:
    """Fully connected layers with LeakyReLU between them.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden widths, outputs; two entries make a single linear layer.
    """
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(before, after))
        if number < len(sizes) - 2:
            layers += [nn.LayerNorm(after)] if layer_norm else []
            layers.append(nn.LeakyReLU(negative_slope))
            layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers)


def _mlp(config: ModelConfig, inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    return mlp(
        (inputs, *hidden, outputs),
        negative_slope=config.negative_slope,
        layer_norm=config.layer_norm,
        dropout=config.dropout,
    )


def make_encoder(config: ModelConfig, shape: tuple[int, int, int]) -> nn.Module:
    """From images (B, C, H, W) to latents (B, channels * latent_size)."""
    latent = config.channels * config.latent_size
    if config.encoder == "conv":
        channels, height, width = shape
        first, second = _CONV_WIDTHS
        flat = second * _halved(_halved(height)) * _halved(_halved(width))
        return nn.Sequential(
            nn.Conv2d(channels, first, 3, stride=2, padding=1),
            nn.LeakyReLU(config.negative_slope),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            nn.LeakyReLU(config.negative_slope),
            nn.Flatten(),
            _mlp(config, flat, config.hidden[-1:], latent),
        )
    hidden = () if config.encoder == "linear" else config.hidden
    return nn.Sequential(nn.Flatten(), _mlp(config, math.prod(shape), hidden, latent))


def make_decoder(config: ModelConfig, shape: tuple[int, int, int]) -> nn.Module:
    """From latents (B, channels * latent_size) to images (B, C, H, W)."""
    latent = config.channels * config.latent_size
    channels, height, width = shape
    if config.encoder == "conv":
        first, second = _CONV_WIDTHS
        middle = (_halved(height), _halved(width))
        small = (_halved(middle[0]), _halved(middle[1]))
        # Upsampling and a plain convolution: no checkerboards, and any size of image comes out exactly.
        return nn.Sequential(
            _mlp(config, latent, config.hidden[-1:], second * small[0] * small[1]),
            nn.LeakyReLU(config.negative_slope),
            nn.Unflatten(1, (second, *small)),
            nn.Upsample(middle),
            nn.Conv2d(second, first, 3, padding=1),
            nn.LeakyReLU(config.negative_slope),
            nn.Upsample((height, width)),
            nn.Conv2d(first, channels, 3, padding=1),
        )
    hidden = () if config.encoder == "linear" else tuple(reversed(config.hidden))
    return nn.Sequential(_mlp(config, latent, hidden, math.prod(shape)), nn.Unflatten(1, shape))


def magnitude_network(config: ModelConfig, shape: tuple[int, int, int], magnitudes: int) -> nn.Module:
    """The t-network: from pairs (B, 2 C, H, W) to their magnitudes (B, magnitudes)."""
    return nn.Sequential(nn.Flatten(), _mlp(config, 2 * math.prod(shape), config.magnitude_hidden, magnitudes))


def weight_count(config: ModelConfig, shape: tuple[int, int, int], magnitudes: int) -> int:
    """How many weights the networks have; none of them is made."""
    with torch.device("meta"):
        networks = (
            make_encoder(config, shape),
            make_decoder(config, shape),
            magnitude_network(config, shape, magnitudes),
        )
    return sum(weights.numel() for network in networks for weights in network.parameters())


def _halved(side: int) -> int:
    return (side + 1) // 2
