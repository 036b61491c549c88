"""Encoders, decoders and the t-network: shapes for every kind of image, and layers against plain NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from liescope.engines.latent.config import ModelConfig
from liescope.engines.latent.networks import magnitude_network, make_decoder, make_encoder, mlp

SHAPES = [(1, 28, 28), (3, 7, 12), (2, 5, 5)]


@pytest.mark.parametrize("encoder", ["mlp", "linear", "conv"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("channels", "size"), [(1, 25), (4, 25), (1, 81), (4, 81)])
def test_every_encoder_and_decoder_fit_every_image(
    encoder: str, shape: tuple[int, int, int], channels: int, size: int
) -> None:
    config = ModelConfig.model_validate(
        {"encoder": encoder, "channels": channels, "latent_size": size, "hidden": [12, 8], "magnitude_hidden": [8]}
    )
    images = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
    for count in (1, 3):
        latents = make_encoder(config, shape)(images[:count])
        assert latents.shape == (count, channels * size)
        assert make_decoder(config, shape)(latents).shape == (count, *shape)
    t = magnitude_network(config, shape, 3)(torch.cat((images, images), dim=1))
    assert t.shape == (3, 3)


@pytest.mark.parametrize("encoder", ["mlp", "linear", "conv"])
def test_every_weight_takes_part(encoder: str) -> None:
    config = ModelConfig.model_validate({"encoder": encoder, "latent_size": 9, "hidden": [7, 6], "layer_norm": False})
    shape = (2, 9, 6)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        networks = nn.ModuleList([make_encoder(config, shape), make_decoder(config, shape)])
    random = torch.Generator().manual_seed(1)
    images = torch.randn(8, *shape, generator=random)
    decoded = networks[1](networks[0](images))
    (decoded * torch.randn(decoded.shape, generator=random)).sum().backward()
    for name, parameter in networks.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.any()), name


@pytest.mark.parametrize("slope", [0.2, 0.01])
def test_layers_against_numpy(slope: float) -> None:
    network = mlp((5, 7, 6, 3), negative_slope=slope)
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    expected = x
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    for number, layer in enumerate(layers):
        expected = expected @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        if number < 2:  # none after the last layer: t and pixels may be negative
            expected = np.where(expected > 0, expected, slope * expected)
    np.testing.assert_allclose(network(torch.from_numpy(x)).detach(), expected, atol=1e-5)


def test_norms_and_dropout_stand_between_hidden_layers_only() -> None:
    kinds = [type(layer) for layer in mlp((5, 7, 6, 3), layer_norm=True, dropout=0.1)]
    block = [nn.Linear, nn.LayerNorm, nn.LeakyReLU, nn.Dropout]
    assert kinds == [*block, *block, nn.Linear]
    assert [type(layer) for layer in mlp((5, 3), layer_norm=True, dropout=0.1)] == [nn.Linear]


def test_the_decoder_mirrors_the_encoder() -> None:
    config = ModelConfig(hidden=[30, 20, 10], latent_size=9)
    networks = make_encoder(config, (1, 8, 8)), make_decoder(config, (1, 8, 8))
    widths = [[m.out_features for m in n.modules() if isinstance(m, nn.Linear)] for n in networks]
    assert widths == [[30, 20, 10, 9], [10, 20, 30, 64]]


def test_the_linear_encoder_is_one_matrix() -> None:
    config = ModelConfig(encoder="linear", latent_size=9)
    shape = (2, 6, 5)
    encoder = make_encoder(config, shape)
    zero, one, two = (encoder(v * torch.ones(1, *shape)) for v in (0.0, 1.0, 2.0))
    torch.testing.assert_close(two - one, one - zero, rtol=1e-5, atol=1e-6)
    assert sum(p.numel() for p in encoder.parameters()) == (math.prod(shape) + 1) * 9


def test_the_t_network_of_no_hidden_layers_is_linear() -> None:
    network = magnitude_network(ModelConfig(magnitude_hidden=[]), (1, 6, 5), 2)
    assert sum(p.numel() for p in network.parameters()) == (2 * 30 + 1) * 2
