"""The loss (the paper's equations 11-14, and two terms of ours)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import mse_loss

from liescope.engines.latent.alpha import PixelAction
from liescope.engines.latent.config import LossConfig
from liescope.engines.latent.model import LatentModel, LatentOutput

__all__ = ["TERMS", "consistency_pairs", "loss_terms", "penalised"]

TERMS = ("moved", "reconstruction", "latent", "alpha", "lasso", "distillation", "consistency")
"""Names of the terms, as in the history and in messages."""


def loss_terms(
    model: LatentModel,
    output: LatentOutput,
    source: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h w"],
    pixels: PixelAction,
    weights: LossConfig,
) -> dict[str, Tensor]:
    """Weighted terms of the loss on a batch, without those of weight 0.

    ``moved``: the decoded moved latent against the target (equation 11). ``reconstruction``: both images against
    themselves. ``latent``: the target's latent against the moved one (equation 12). ``alpha``: the source moved in
    pixels against the target (equation 13). ``lasso``: the coefficients' absolute values (equation 14), at unit norm
    or, as in the paper's code, before they are normalised: then it shrinks them all, and weighs ever less beside the
    other terms. All squares are means over pixels, channels and pairs.
    """
    terms = {"moved": mse_loss(output.moved, target)}
    if weights.reconstruction:
        both = mse_loss(output.source, source) + mse_loss(output.target, target)
        terms["reconstruction"] = weights.reconstruction * both
    if weights.latent:
        terms["latent"] = weights.latent * mse_loss(output.latent_moved, output.latent_target)
    if weights.alpha:
        moved = pixels(source, output.t, model.coefficients)
        terms["alpha"] = weights.alpha * mse_loss(moved, target)
    if weights.lasso:
        terms["lasso"] = weights.lasso * penalised(model, weights).abs().sum(dim=1).mean()
    return terms


def penalised(model: LatentModel, weights: LossConfig) -> Float[Tensor, "k m"]:
    """The coefficients whose absolute values LASSO adds up."""
    return model.coefficients if weights.lasso_of == "unit" else model.raw_coefficients


def distillation(t: Float[Tensor, "b f"], known: Float[Tensor, "b k"]) -> Tensor:
    """Squared difference of t and the known magnitudes; NaN where nothing is known."""
    difference = t[:, : known.shape[1]] - known
    finite = torch.isfinite(known)
    return torch.where(finite, difference, 0.0).square().sum() / finite.sum().clamp_min(1)


def consistency_pairs(
    model: LatentModel,
    pixels: PixelAction,
    source: Float[Tensor, "b c h w"],
    t: Float[Tensor, "b f"],
    known: Float[Tensor, "b k"],
) -> tuple[Tensor, Tensor]:
    """Sources, moved in pixels by the magnitudes of other pairs, and those magnitudes.

    A pair of a source and its own transport has a known t, so the generator found so far makes as many labelled
    pairs as there are sources times magnitudes; the t-network has far too few real ones to learn from. Answers that
    nothing is known of count up to where an image has left the frame, or made half a turn: taught its own excesses,
    the network would exceed them.
    """
    with torch.no_grad():
        farthest = pixels.farthest(model.coefficients)
        law = t.detach().clamp(-farthest, farthest)
        law[:, : known.shape[1]] = torch.where(torch.isfinite(known), known, law[:, : known.shape[1]])
        law = law.roll(1, dims=0)
        return pixels(source, law, model.coefficients), law
