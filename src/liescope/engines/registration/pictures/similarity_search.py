"""Where to start from: for every pair the turn, zoom and shift that correlate best, found over all of them.

For each turn and zoom the normalised correlation over the overlap is known at all shifts at once from a few Fourier
transforms, masks included (Padfield, IEEE Trans. Image Processing 21, 2012).
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.registration.pictures.views import View
from liescope.engines.registration.pictures.weighted import LEAST_OVERLAP
from liescope.engines.workers import map_chunks
from liescope.geometry.transport import sample

__all__ = ["Similarities", "best_similarities", "turns_and_zooms"]

_TURNS = 24
_ZOOMS = 2  # steps on either side of 1
_ZOOM_STEP = 0.2  # of its logarithm
_KEPT = 4


class Similarities(NamedTuple):
    """Starts of every pair, the best first: content is turned and zoomed about the centre, then shifted.

    Attributes
    ----------
    angle, log_zoom, dx, dy : tensors, shape (B, S)
        Radians anticlockwise; shifts in normalised units.
    score : tensor, shape (B, S)
        Gain in log-likelihood per pixel of the whole picture, -overlap log(1 - correlation^2).
    """

    angle: Tensor
    log_zoom: Tensor
    dx: Tensor
    dy: Tensor
    score: Tensor


def turns_and_zooms() -> Float[Tensor, "s 2"]:
    """All turns and zooms that are looked at, the identity first."""
    angles = torch.arange(_TURNS) * (2 * math.pi / _TURNS)
    zooms = torch.tensor([0.0, *(s * _ZOOM_STEP * k for k in range(1, _ZOOMS + 1) for s in (1, -1))])
    pairs: Tensor = torch.cartesian_prod(zooms, angles).flip(1)
    return pairs


def best_similarities(view: View, tried: Float[Tensor, "s 2"]) -> Similarities:
    """The best shift at each turn and zoom, and the best of those."""
    slices = [slice(k, k + 8) for k in range(0, len(view), 8)]
    parts = list(map_chunks(partial(_searched, view, tried), slices))
    return Similarities(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _searched(view: View, tried: Tensor, part: slice) -> Similarities:
    view = view.take(part)
    grid = view.grid
    height, width = grid.shape
    size = (2 * height, 2 * width)
    points = grid.points(device=view.source.device)
    reference = _Transforms.of(view.target, view.target_valid, size)
    least = LEAST_OVERLAP * torch.minimum(view.source_valid.sum((1, 2, 3)), view.target_valid.sum((1, 2, 3)))
    scores, places = [], []
    for angle, log_zoom in tried.tolist():
        cos, sin, zoom = math.cos(angle), math.sin(angle), math.exp(-log_zoom)
        back = points.new_tensor([[cos, sin], [-sin, cos]]) * zoom
        origins = (points @ back.T)[None]
        moved = sample(view.source, origins, grid).reshape(view.source.shape)
        valid = sample(view.source_valid, origins, grid).reshape(view.source_valid.shape)
        valid = (valid > 0.999).to(moved)
        score = _correlation(_Transforms.of(moved, valid, size), reference, size, least)
        best = score.flatten(1).max(dim=1)
        scores.append(best.values)
        places.append(best.indices)
    score, place = torch.stack(scores, 1), torch.stack(places, 1)
    kept = score.topk(min(_KEPT, score.shape[1]), dim=1)
    place = place.gather(1, kept.indices)
    rows, columns = place // size[1], place % size[1]
    rows = torch.where(rows > height, rows - size[0], rows)
    columns = torch.where(columns > width, columns - size[1], columns)
    chosen = tried.to(score)[kept.indices]
    pitch = grid.pitch
    return Similarities(chosen[..., 0], chosen[..., 1], columns * pitch[0], -rows * pitch[1], kept.values)


class _Transforms(NamedTuple):
    """Fourier transforms of the valid pixels' values, their squares and of what is valid."""

    values: Tensor
    squares: Tensor
    valid: Tensor

    @classmethod
    def of(cls, images: Tensor, valid: Tensor, size: tuple[int, int]) -> _Transforms:
        masked = images * valid
        parts = (masked, masked.square(), valid.expand_as(masked))
        return cls(*(torch.fft.rfft2(part, s=size) for part in parts))


def _correlation(moved: _Transforms, reference: _Transforms, size: tuple[int, int], least: Tensor) -> Tensor:
    """Score (B, 2h, 2w) of every shift of the moved sources."""

    def summed(a: Tensor, b: Tensor) -> Tensor:
        products = a.conj() * b
        shifted: Tensor = torch.fft.irfft2(products[:, 0] if products.shape[1] == 1 else products.sum(dim=1), s=size)
        return shifted

    overlap = summed(moved.valid, reference.valid).round().clamp_min(1.0)
    one, two = summed(moved.values, reference.valid) / overlap, summed(moved.valid, reference.values) / overlap
    var_one = (summed(moved.squares, reference.valid) / overlap - one.square()).clamp_min(1e-3)
    var_two = (summed(moved.valid, reference.squares) / overlap - two.square()).clamp_min(1e-3)
    covariance = summed(moved.values, reference.values) / overlap - one * two
    correlation = (covariance / (var_one * var_two).sqrt()).clamp(0, 0.999)
    pixels = least / LEAST_OVERLAP
    share = overlap / (pixels * moved.valid.shape[1])[:, None, None]
    score = -share.clamp(max=1) * torch.log1p(-correlation.square())
    return torch.where(share < LEAST_OVERLAP, -torch.inf, score)
