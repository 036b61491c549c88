"""How probable labels are under a weight-sharing scheme: a Gaussian process whose features are pooled over it.

One random layer of rectified units sees every copy of an image, each unit keeps the largest of its answers (as the
network pools), and a Gaussian process with a radial kernel of these features explains the labels (van der Wilk et
al., NeurIPS 2018, for mean pooling). Training data alone; no network is trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.type2.copies import orbit_origins, warped
from liescope.type2.scheme import Scheme

__all__ = ["Evidence", "PooledProcess", "differentiable_nats", "evidence_of"]

_UNITS = 600
_CHUNK = 1 << 24  # values of features at a time
_WIDTHS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0)  # of the median distance
_NOISES = np.logspace(-3, 1, 13)


@dataclass(frozen=True)
class Evidence:
    """What the labels say of a scheme.

    Attributes
    ----------
    nats : float
        log p(labels | images, S), at the best width of the kernel and the best noise.
    scores : array, shape (n,)
        Log density of every label given all the others (leave one out).
    width, noise : float
        Those best ones: the width in units of the median distance, the noise in units of the signal.
    """

    nats: float
    scores: np.ndarray
    width: float
    noise: float


class PooledProcess:
    """The process, with the same random layer for all schemes, so that these alone differ.

    Parameters
    ----------
    images : tensor, shape (n, C, H, W)
    targets : array, shape (n, o)
        Values, or classes as indicators.
    seed : int
        Of the random layer.
    """

    def __init__(self, images: Float[Tensor, "n c h w"], targets: Float[np.ndarray, "n o"], seed: int = 0) -> None:
        self.images = images.float()
        self.targets = targets - targets.mean(axis=0)
        generator = torch.Generator().manual_seed(seed)
        inputs = images[0].numel()
        self._weights = torch.randn(inputs, _UNITS, generator=generator)
        self._biases = 0.3 * torch.randn(_UNITS, generator=generator)

    def of(self, scheme: Scheme) -> Evidence:
        """The evidence of a scheme."""
        return evidence_of(self.features(scheme).double().numpy(), self.targets)

    def features(self, scheme: Scheme) -> Float[Tensor, "n f"]:
        """Largest answers of the random units over the copies; every copy has norm 1."""
        return self.pooled(orbit_origins(scheme, self.images.shape[2:]))

    def pooled(self, origins: Float[Tensor, "j p 2"]) -> Float[Tensor, "n f"]:
        """The same of copies that are given by where their pixels come from; differentiable in that."""
        size = max(1, _CHUNK // (len(origins) * max(_UNITS, self.images[0].numel())))
        return torch.cat([self._pooled(part, origins) for part in torch.split(self.images, size)])

    def _pooled(self, images: Tensor, origins: Tensor) -> Tensor:
        copies = warped(images, origins).flatten(2)
        # Copies whose content leaves the frame would be dark, and tell what they are by that.
        copies = copies / copies.norm(dim=2, keepdim=True).clamp_min(1e-6)
        answers: Tensor = copies @ self._weights + self._biases
        return answers.relu_().amax(dim=1)


def evidence_of(features: Float[np.ndarray, "n f"], targets: Float[np.ndarray, "n o"]) -> Evidence:
    """Evidence and leave-one-out scores of targets under a radial kernel of features, plus a constant.

    The signal's variance has a closed form; width and noise are the best of a grid, one eigendecomposition a width
    (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, eqs. 5.8 and 5.12).
    """
    square = (features**2).sum(axis=1)
    distance = np.maximum(square[:, None] + square - 2 * features @ features.T, 0)
    median = np.median(distance[np.triu_indices(len(features), 1)]) + 1e-12
    best = Evidence(-np.inf, np.zeros(len(features)), np.nan, np.nan)
    for width in _WIDTHS:
        kernel = np.exp(-distance / (2 * median * width**2)) + 1.0
        values, vectors = (part.numpy() for part in torch.linalg.eigh(torch.from_numpy(kernel)))
        found = _best_noise(np.maximum(values, 0), vectors, targets, width)
        best = found if found.nats > best.nats else best
    return best


def _best_noise(values: np.ndarray, vectors: np.ndarray, targets: np.ndarray, width: float) -> Evidence:
    n, outputs = targets.shape
    rotated = vectors.T @ targets
    energy = (rotated**2).sum(axis=1)
    regular = values + _NOISES[:, None]
    signal = (energy / regular).sum(axis=1) / (n * outputs)
    nats = -0.5 * n * outputs * (np.log(2 * np.pi * signal) + 1) - 0.5 * outputs * np.log(regular).sum(axis=1)
    k = int(np.argmax(nats))
    inverse = (vectors**2 / regular[k]).sum(axis=1)
    residual = (vectors @ (rotated / regular[k][:, None])) / inverse[:, None]
    variance = signal[k] / inverse[:, None]
    scores = -0.5 * (np.log(2 * np.pi * variance) + residual**2 / variance)
    return Evidence(float(nats[k]), scores.sum(axis=1), width, float(_NOISES[k]))


def differentiable_nats(
    features: Float[Tensor, "n f"], targets: Float[Tensor, "n o"], width: float, noise: float
) -> Float[Tensor, ""]:
    """The same log evidence at a width and a noise that are given, for gradients with respect to the features.

    At the best width and noise, where it is flat in both, its gradient is that of the best evidence.
    """
    square = features.square().sum(dim=1)
    distance = (square[:, None] + square - 2 * features @ features.mT).clamp_min(0)
    n, outputs = targets.shape
    median = distance[tuple(torch.triu_indices(n, n, 1))].median() + 1e-12
    kernel = torch.exp(-distance / (2 * median * width**2)) + 1.0
    factor = torch.linalg.cholesky(kernel + noise * torch.eye(n, dtype=kernel.dtype))
    signal = torch.linalg.solve_triangular(factor, targets, upper=False).square().mean()
    scale = 0.5 * n * outputs * (torch.log(2 * torch.pi * signal) + 1)
    nats: Tensor = -scale - outputs * factor.diagonal().log().sum()
    return nats
