"""The published formulation written densely: what the latent engine's shortcuts are compared with.

A batch of n x n matrix exponentials on the latent patch, and Taylor polynomials of exp(tG) as a batch of N x N
matrices in pixel space (the paper's equations 7-13 taken literally).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from liescope.geometry import FieldOperators, Grid
from liescope.latent import LatentModel, LatentOutput, LossConfig

__all__ = ["DenseFormulation"]


class DenseFormulation:
    """One training step's loss of a patch model with one generator, with every matrix written out.

    Parameters
    ----------
    model : LatentModel
    weights : LossConfig
        With ``alpha_form = "taylor"``.
    """

    def __init__(self, model: LatentModel, weights: LossConfig) -> None:
        self.model = model
        self.weights = weights
        kernel = model.config.kernel
        side = model.config.side
        self._latent = FieldOperators(model.basis, Grid.of(side, side), kernel).matrices()
        self._pixels = FieldOperators(model.basis, Grid.of(*model.shape[1:]), kernel).matrices()

    def loss(self, source: Tensor, target: Tensor) -> Tensor:
        """The whole loss of a batch (B, 1, H, W)."""
        model, weights = self.model, self.weights
        t = model.magnitudes(source, target)
        z, z_target = model.encoder(torch.cat((source, target))).chunk(2)
        generator = torch.einsum("m,mij->ij", model.coefficients[0], self._latent)
        exponentials = torch.linalg.matrix_exp(t[:, :, None] * generator)
        z_moved = torch.einsum("bij,bj->bi", exponentials, z)
        decoded = model.decoder(torch.cat((z, z_target, z_moved))).chunk(3)
        output = LatentOutput(t, z, z_target, z_moved, *decoded)
        loss = mse_loss(output.moved, target) + weights.latent * mse_loss(z_moved, z_target)
        loss = loss + weights.reconstruction * (mse_loss(output.source, source) + mse_loss(output.target, target))
        moved = self.taylor(source, t.detach()[:, 0])
        lasso = weights.lasso * model.coefficients.abs().sum(dim=1).mean()
        return loss + weights.alpha * mse_loss(moved, target) + lasso

    def taylor(self, images: Tensor, t: Tensor) -> Tensor:
        """Images times ``I + tG + (tG)^2 / 2 + ...``, one matrix a pair."""
        generator = torch.einsum("m,mij->ij", self.model.coefficients[0], self._pixels)
        scaled = t[:, None, None] * generator
        total = torch.eye(len(generator)) + scaled
        term = scaled
        for order in range(2, (self.weights.taylor_order or 1) + 1):
            term = term @ scaled / order
            total = total + term
        flat = images.flatten(1)
        return torch.einsum("bij,bj->bi", total, flat).reshape(images.shape)
