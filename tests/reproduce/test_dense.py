"""The published formulation is the loss that the latent engine computes without its matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from liescope.data import make_pairs
from liescope.engines.latent import LatentModel, PixelAction, get_config, loss_terms
from liescope.evaluation.benchmarks.methods.dense import DenseFormulation
from liescope.geometry import Grid, get_basis


def rotated(seed: int, angle: float, size: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    pairs = make_pairs(transform="rotation", range=angle, pairs=6, size=size, seed=seed)
    source, target = (torch.as_tensor(np.asarray(x))[:, None] for x in (pairs.source, pairs.target))
    return source, target


@pytest.mark.parametrize("order", [1, 2, 3])
def test_it_is_the_same_loss(order):
    loss = {"alpha_form": "taylor", "taylor_order": order, "lasso": 0.1, "lasso_of": "raw", "latent": 1.0}
    config = get_config({"loss": loss})
    model = LatentModel(config.model, get_basis("affine"), (1, 20, 20), seed=order)
    source, target = rotated(order, 40)
    pixels = PixelAction(model.basis, Grid.of(20, 20), order, config.model.kernel, False, torch.device("cpu"))
    ours = torch.stack(list(loss_terms(model, model(source, target), source, target, pixels, config.loss).values()))
    dense = DenseFormulation(model, config.loss).loss(source, target)
    assert float(dense.detach()) == pytest.approx(float(ours.detach().sum()), rel=1e-4)
    gradients = [torch.autograd.grad(loss, list(model.parameters()), retain_graph=True) for loss in (ours.sum(), dense)]
    for found, expected in zip(*gradients, strict=True):
        assert float((found - expected).norm()) <= 1e-3 * float(expected.norm()) + 1e-7


@pytest.mark.parametrize("seed", [0, 1])
def test_brute_force_is_the_series_that_polynomials_approach(seed):
    config = get_config({"loss": {"alpha_form": "taylor", "taylor_order": 20}})
    model = LatentModel(config.model, get_basis("affine"), (1, 12, 12), seed=seed)
    source, _ = rotated(seed, 40, size=12)
    # Matrices of norm about 20 times t: the series has converged at order 20.
    t = torch.linspace(-0.2, 0.2, len(source))
    polynomial = DenseFormulation(model, config.loss).moved(source, t).detach()
    whole = DenseFormulation(model, get_config(None).loss).moved(source, t).detach()
    assert float((polynomial - whole).norm()) <= 1e-4 * float(whole.norm())
    assert float((whole - source).norm()) >= 0.1 * float(source.norm())
