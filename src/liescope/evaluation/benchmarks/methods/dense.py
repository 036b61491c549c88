"""The published formulation written densely: what the latent engine's shortcuts are compared with.

A batch of d x d matrix exponentials on the latent patch, and in pixel space a batch of n x n matrices: Taylor
polynomials of exp(tG), or brute force, exp(tG) itself (the paper's equations 7-13 taken literally).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from liescope.engines.latent import LatentModel, LatentOutput, LossConfig
from liescope.engines.latent.losses import penalised
from liescope.geometry import FieldOperators, Grid

__all__ = ["DenseFormulation"]


class DenseFormulation:
    """One training step's loss of a patch model with one generator, with every matrix written out.

    Parameters
    ----------
    model : LatentModel
    weights : LossConfig
        ``alpha_form = "exact"`` is brute force.
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
        lasso = weights.lasso * penalised(model, weights).abs().sum(dim=1).mean()
        return loss + weights.alpha * mse_loss(self.moved(source, t[:, 0]), target) + lasso

    def moved(self, images: Tensor, t: Tensor) -> Tensor:
        """Images (B, 1, H, W) times one matrix a pair; t (B,) is not differentiated in Taylor polynomials."""
        generator = torch.einsum("m,mij->ij", self.model.coefficients[0], self._pixels)
        if self.weights.alpha_form == "exact":
            matrices = torch.linalg.matrix_exp(t[:, None, None] * generator)
        else:
            matrices = _polynomials(t.detach()[:, None, None] * generator, self.weights.taylor_order or 1)
        return torch.einsum("bij,bj->bi", matrices, images.flatten(1)).reshape(images.shape)


def _polynomials(scaled: Tensor, order: int) -> Tensor:
    """``I + M + M^2 / 2 + ...`` of every matrix of a batch."""
    total = torch.eye(scaled.shape[-1]) + scaled
    term = scaled
    for number in range(2, order + 1):
        term = term @ scaled / number
        total = total + term
    return total
