"""Pairs whose images have different roots: a generator by contrast with the classes, or a soft variation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from liescope.algebra import Generator
from liescope.data import ImageStack
from liescope.geometry import Basis, Grid
from liescope.inference import Count, coefficient_uncertainty
from liescope.registration import (
    Alignment,
    Contrast,
    GreyScale,
    PairSet,
    Search,
    contrast_generator,
    free_coordinates,
    worker_pool,
)
from liescope.registration.workers import map_chunks
from liescope.result import DetectedGenerator

__all__ = ["ContrastModel", "Contrasted", "contrast_pairs", "have_different_roots", "soft_variation"]

_LEFT = 1 / 3
"""Of what is left of permuted pairs' errors: copies of one image fit far better than that (0.2 with noise of a fifth of
the grey range), images of one class with different roots fit worse (0.45 at their best)."""

_LEFT_OF_MANY = 0.2
"""The same where more than half of the basis was needed: so many fields bend images of one class towards one another,
to 0.29 of what they do for others with the twelve fields of the quadratic basis."""

_MOST_PAIRS = 5000
_LEAST_FIELDS = 3


class ContrastModel(NamedTuple):
    """What measuring new pairs needs."""

    alignment: Alignment
    contrast: Contrast
    scale: GreyScale

    @property
    def background(self) -> np.ndarray:
        """Grey value (C, 1, 1) outside images."""
        return self.scale.background

    def measured(self, source: ImageStack, target: ImageStack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Magnitudes (M, 1) and relative errors (M,) of pairs, moved by them and as they are."""
        pairs = PairSet(source, target, self.scale, self.alignment.device)
        with worker_pool(pairs.device):
            return self.measured_pairs(pairs)

    def measured_pairs(self, pairs: PairSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same for pairs that are on the scale already."""
        align, contrast = self.alignment, self.contrast
        v = free_coordinates(pairs, align).v.double().cpu().numpy()
        t = np.clip(v @ contrast.reading, *contrast.bounds)[:, None]
        span = torch.as_tensor(contrast.direction[:, None], dtype=torch.float32, device=align.device)
        search = Search(span, span.new_zeros(1, 1), max(map(abs, contrast.bounds)) + 1e-6)

        def errors(part: slice) -> tuple[np.ndarray, np.ndarray]:
            sample = align.sample(pairs, part)
            start = torch.as_tensor(t[part], dtype=torch.float32, device=align.device)
            moved = align.refine(sample.fine_source, sample.fine_target, search, align.fine, start, 0)[1].error
            return align.share(sample, moved).cpu().numpy(), align.unmoved_share(sample).cpu().numpy()

        parts = list(map_chunks(errors, align.chunks(pairs)))
        residual, still = (np.concatenate(column).astype(np.float64) for column in zip(*parts, strict=True))
        return t, residual, still


class Contrasted(NamedTuple):
    """What was found: ``generator`` None where pairs vary as their classes do."""

    model: ContrastModel
    generator: DetectedGenerator | None
    evidence: dict[str, Any]
    reason: str


def have_different_roots(count: Count, basis: Basis) -> bool:
    """Whether pairs belong together, but moving one image does not give the other.

    Contrasts compare directions; with fewer than three there is nothing to compare one with.
    """
    if basis.dimension < _LEAST_FIELDS:
        return False
    most = _LEFT_OF_MANY if 2 * count.generators > basis.dimension else _LEFT
    return (count.generators > 0 or count.related) and count.left > most


def contrast_pairs(pairs: PairSet, alignment: Alignment, seed: int, report: Callable[[str, float], None]) -> Contrasted:
    """Look for what pairs vary in beyond their classes."""
    report("comparing with the variation within classes", 0.0)
    basis = alignment.basis
    index = np.sort(np.random.default_rng(seed).permutation(len(pairs))[:_MOST_PAIRS])
    contrast = contrast_generator(pairs.subset(index), basis, seed)
    model = ContrastModel(alignment, contrast, pairs.scale)
    soft = soft_variation(contrast, basis, pairs.grid.shape)
    evidence = {
        "ratio": contrast.ratio,
        "runner_up": contrast.runner_up,
        "p_value": contrast.p_value,
        "soft": soft,
    }
    if not contrast.reliable:
        reason = (
            "the images of a pair have different roots and differ as images of one class do anyway: "
            f"a soft variation of about {soft['extent_px']:.2g} pixels, not a group"
        )
        return Contrasted(model, None, evidence, reason)
    uncertainty = coefficient_uncertainty(contrast.direction, contrast.covariance, seed)
    generator = DetectedGenerator(
        Generator(contrast.direction, basis, pairs.grid.shape), uncertainty.direction_error_deg, uncertainty.interval
    )
    reason = (
        "the images of a pair have different roots; along this generator they vary "
        f"{contrast.ratio:.1f} times as much as their classes do"
    )
    return Contrasted(model, generator, evidence, reason)


def soft_variation(contrast: Contrast, basis: Basis, shape: tuple[int, int]) -> dict[str, Any]:
    """What images of one class vary in most, and its extent: a standard deviation, root mean square over the image."""
    generator = Generator(contrast.class_direction, basis, shape)
    return {
        "name": generator.name,
        "equation": generator.equation,
        "coefficients": generator.coefficients.tolist(),
        "extent_px": contrast.class_spread * Grid.of(*shape).pixels_per_unit,
    }
