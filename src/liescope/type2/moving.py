"""What a scheme is good for beside sharing: random copies for training, and images brought into one pose."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import BaseEstimator, TransformerMixin
from torch import Tensor, nn

from liescope.errors import InputError
from liescope.geometry import transport_images
from liescope.type2.copies import orbit_copies
from liescope.type2.labelled import images_of
from liescope.type2.scheme import Scheme

__all__ = ["Canonicaliser", "SymmetryAugment"]

_ROUNDS = 4
_CHUNK = 1 << 25  # values of copies at a time


def _moved(images: Float[Tensor, "n c h w"], scheme: Scheme, t: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
    if not scheme.generators:
        return images
    vectors = t.to(images) @ torch.as_tensor(scheme.directions).to(images)
    return transport_images(images, scheme.generators[0].basis, vectors)


class SymmetryAugment(nn.Module):
    """Images moved by random magnitudes within the reach of a scheme, each by its own.

    Parameters
    ----------
    scheme : Scheme
    seed : int, optional
        Of the magnitudes; without one they follow torch's generator, as dropout does.
    """

    def __init__(self, scheme: Scheme, seed: int | None = None) -> None:
        super().__init__()
        self.scheme = scheme
        self._generator = None if seed is None else torch.Generator().manual_seed(seed)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        reach = torch.tensor(self.scheme.reach)
        t = (2 * torch.rand(len(images), len(reach), generator=self._generator) - 1) * reach
        return _moved(images, self.scheme, t)


class Canonicaliser(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Brings images into the pose on their orbit that is most like a class of the training images.

    For networks that are there already: it costs them one pass. Poses are those of congealed class means (Learned-
    Miller, PAMI 28, 2006): every image is moved to where it is most like the mean of its class, and the means are
    taken again.

    Parameters
    ----------
    scheme : Scheme

    Attributes
    ----------
    templates_ : tensor, shape (classes, C, H, W)
    """

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme

    def fit(self, X: Any, y: Any = None) -> Canonicaliser:
        """Class means of images (n, H, W) or (n, C, H, W); without classes one mean."""
        images = images_of(X)
        numbers = np.zeros(len(images), dtype=int) if y is None else np.unique(np.asarray(y), return_inverse=True)[1]
        if len(numbers) != len(images):
            raise InputError(f"expected a class for each of {len(images)} images, got {len(numbers)}")
        own = torch.as_tensor(numbers)
        copies = orbit_copies(images, self.scheme)
        where = torch.zeros(len(images), dtype=torch.long)
        templates = images
        for _ in range(_ROUNDS):
            posed = copies[torch.arange(len(images)), where]
            templates = torch.stack([posed[own == number].mean(dim=0) for number in range(int(own.max()) + 1)])
            where = _likeness(copies, templates)[torch.arange(len(images)), :, own].argmax(dim=1)
        self.templates_ = templates
        return self

    def magnitudes(self, X: Any) -> Float[Tensor, "n k"]:
        """Magnitudes that bring images into their pose."""
        images = images_of(X)
        t = torch.as_tensor(self.scheme.t, dtype=torch.float32)
        size = max(1, _CHUNK // (self.scheme.size * images[0].numel()))
        best = [
            _likeness(orbit_copies(part, self.scheme), self.templates_).amax(dim=2).argmax(dim=1)
            for part in torch.split(images, size)
        ]
        return t[torch.cat(best)]

    def canonicalize(self, X: Any) -> Float[Tensor, "n c h w"]:
        """Images in their pose."""
        return _moved(images_of(X), self.scheme, self.magnitudes(X))

    def invert_canonicalization(self, images: Float[Tensor, "n c h w"], X: Any) -> Float[Tensor, "n c h w"]:
        """What was computed in the pose of X, moved back to where X is."""
        return _moved(images, self.scheme, -self.magnitudes(X))

    def transform(self, X: Any) -> np.ndarray:
        """Images in their pose, as they came: (n, H, W) or (n, C, H, W)."""
        posed = self.canonicalize(X).numpy()
        return posed[:, 0] if np.ndim(X) == 3 else posed


def _likeness(copies: Float[Tensor, "n j c h w"], templates: Float[Tensor, "k c h w"]) -> Float[Tensor, "n j k"]:
    """Cosines of copies with templates."""
    flat, fixed = copies.flatten(2), templates.flatten(1)
    fixed = fixed / fixed.norm(dim=1, keepdim=True).clamp_min(1e-6)
    cosines: Tensor = (flat @ fixed.mT) / flat.norm(dim=2, keepdim=True).clamp_min(1e-6)
    return cosines
