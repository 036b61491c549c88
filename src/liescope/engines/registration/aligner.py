"""Magnitudes of pairs along known directions: coarse to fine, from a global search to full resolution."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.algebra import structure_tensor
from liescope.engines.pair_set import PairSet, chunk_slices, relative
from liescope.engines.registration.coordinates import equations_on_basis, register, rms_displacement
from liescope.engines.registration.levels import Level, make_level
from liescope.engines.registration.linearise import NormalEquations
from liescope.engines.registration.motion import TOLERANCE, Motion, motion_along
from liescope.engines.registration.orbit_search import orbit_search, shared_flow_errors
from liescope.engines.workers import map_chunks
from liescope.geometry.fields import Basis
from liescope.geometry.grid import Grid

__all__ = ["Aligner", "Magnitudes", "PairPyramid", "Search"]

COARSE_SIDE = 14
WORKING_SIDE = 64
_RIVAL = 3.0  # times the lowest error at the coarse level, plus this share of the target's energy: still a candidate
_RIVAL_FLOOR = 0.05
_AMBIGUOUS = 1.5  # times the lowest error at full resolution, plus this share of the energy: it may as well be that one
_AMBIGUOUS_FLOOR = 0.01
_APART = 0.1  # normalised units, root mean square: magnitudes that move the image this differently are two answers


class PairPyramid(NamedTuple):
    """Pairs on the coarse and on the fine level."""

    coarse_source: Tensor
    coarse_target: Tensor
    fine_source: Tensor
    fine_target: Tensor

    def permuted(self, shift: int) -> PairPyramid:
        """The same images with the targets of other pairs."""
        return PairPyramid(
            self.coarse_source,
            self.coarse_target.roll(shift, 0),
            self.fine_source,
            self.fine_target.roll(shift, 0),
        )

    def mirrored(self, axis: int) -> PairPyramid:
        """The same images with targets turned over: columns (axis -1) or rows (-2) in reverse order."""
        return self._replace(coarse_target=self.coarse_target.flip(axis), fine_target=self.fine_target.flip(axis))


class Search(NamedTuple):
    """Where magnitudes along a span are looked for: shared flows ``starts`` (S, K) and how far they reach."""

    span: Tensor
    starts: Tensor
    reach: float


class Magnitudes(NamedTuple):
    """Magnitudes of pairs along a span.

    Attributes
    ----------
    t : tensor, shape (B, K)
    equations : NormalEquations
        Over the whole basis, at t.
    ambiguous : bool tensor, shape (B,)
        Pairs that another magnitude fits as well at full resolution, such as a "0" after half a turn.
    """

    t: Tensor
    equations: NormalEquations
    ambiguous: Tensor


def _longest_side(grid: Grid, side: int) -> int:
    """Longest side of a level with about side x side pixels, its shortest side no less than a half of that."""
    height, width = grid.shape
    scale = max(side / (height * width) ** 0.5, side / 2 / min(height, width))
    return round(float(max(height, width) * min(1.0, scale)))


class Aligner:
    """Finds magnitudes for images of one grid: the levels, the flows on them and the search.

    Parameters
    ----------
    basis : Basis
    grid : Grid
        Of the full-size images. Work is done on about 64 x 64 pixels at most (more for very long images): the
        generators and magnitudes of larger images are determined to a small part of a pixel all the same.
    device : torch.device
    tolerance : float
        Of flows that have no closed form, normalised units.
    """

    def __init__(self, basis: Basis, grid: Grid, device: torch.device, tolerance: float = TOLERANCE) -> None:
        self.basis = basis
        self.grid = grid
        self.device = device
        self.tolerance = tolerance
        self._motions: list[tuple[Tensor, Level, Motion]] = []
        self.structure = torch.as_tensor(structure_tensor(basis)[0], dtype=torch.float32, device=device)
        coarse, fine = _longest_side(grid, COARSE_SIDE), _longest_side(grid, WORKING_SIDE)
        self.first = make_level(grid, coarse, blur_before=1.5, device=device)
        self.coarse = make_level(grid, coarse, blur_before=1.0, device=device)
        self.fine = make_level(grid, fine, blur_after=0.7, device=device)

    def pyramid(self, pairs: PairSet, index: slice | np.ndarray) -> PairPyramid:
        """Bring pairs onto the levels."""
        source, target = pairs.take(index)
        return PairPyramid(*(level.apply(images) for level in (self.coarse, self.fine) for images in (source, target)))

    def share(self, pyramid: PairPyramid, error: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
        """Squared errors at the fine level as shares of the energy of the targets they are compared with.

        A flow that left all bounds (fields of degree 3 and more can) is as good as not moving.
        """
        share = relative(error, self.fine.smooth(pyramid.fine_target))
        finite = torch.isfinite(error)
        return share if bool(finite.all()) else torch.where(finite, share, self.unmoved_share(pyramid))

    def unmoved_share(self, pyramid: PairPyramid) -> Float[Tensor, " b"]:
        """The same for sources that stay as they are."""
        difference = self.fine.smooth(pyramid.fine_source) - self.fine.smooth(pyramid.fine_target)
        return self.share(pyramid, difference.square().sum(dim=(1, 2, 3)))

    def chunks(self, pairs: PairSet) -> Iterator[slice]:
        """Slices that cover all pairs, each small enough for the full-resolution level and for the full images."""
        channels = pairs.source.shape[1]
        return chunk_slices(len(pairs), max(self.fine.grid.size, self.grid.size // 4) * channels)

    def coarse_magnitudes(self, pyramid: PairPyramid, search: Search) -> tuple[Float[Tensor, "b k"], Tensor, Tensor]:
        """Coarse magnitudes of pairs: the best shared flow of each.

        Returns
        -------
        t : tensor, shape (B, K)
        rivals : tensor, shape (R,)
            Indices of pairs that another magnitude fits almost as well.
        rival_t : tensor, shape (R, K)
            Those magnitudes.
        """
        x, y = pyramid.coarse_source, pyramid.coarse_target
        if search.span.shape[1] == 1:
            match = orbit_search(x, y, self.basis, search.span[:, 0], self.coarse, search.starts[:, 0])
            limit = _RIVAL * match.error + _RIVAL_FLOOR * y.square().sum(dim=(1, 2, 3))
            rivals = (match.second_error < limit).nonzero()[:, 0]
            return match.t[:, None], rivals, match.second_t[rivals, None]
        errors = shared_flow_errors(x, y, self.basis, search.starts @ search.span.T, self.coarse)
        t = self.refine(x, y, search, self.coarse, search.starts[errors.argmin(dim=1)], 6)[0]
        return t, torch.empty(0, dtype=torch.long, device=t.device), t[:0]

    def motion(self, search: Search, level: Level) -> Motion:
        """Flows along a span on a level; the last ones are kept, since many chunks ask for the same."""
        for span, known_level, motion in self._motions:
            if span is search.span and known_level is level:
                return motion
        points = level.grid.points(device=self.device)
        motion = motion_along(self.basis, search.span, points, search.reach, self.tolerance)
        self._motions = [*self._motions[-3:], (search.span, level, motion)]
        return motion

    def refine(
        self, source: Tensor, target: Tensor, search: Search, level: Level, t: Tensor, iterations: int
    ) -> tuple[Float[Tensor, "b k"], NormalEquations]:
        """Refined magnitudes and the normal equations over the whole basis there, pairs in bounded chunks."""
        motion = self.motion(search, level)
        chunk = partial(_refined_chunk, source, target, motion, level, self.structure, t, iterations)
        parts = map_chunks(chunk, chunk_slices(len(source), level.grid.size * source.shape[1]))
        refined, *sums = (torch.cat(column) for column in zip(*parts, strict=True))
        return refined, NormalEquations(*sums)

    def magnitudes(self, pyramid: PairPyramid, search: Search, iterations: int = 4) -> Magnitudes:
        """Magnitudes of any pairs along a span, from nothing: global search, then refinement at full resolution."""
        x, y = pyramid.fine_source, pyramid.fine_target
        start, rivals, rival_start = self.coarse_magnitudes(pyramid, search)
        t, equations = self.refine(x, y, search, self.fine, start, iterations)
        ambiguous = torch.zeros(len(x), dtype=torch.bool, device=t.device)
        if not len(rivals):
            return Magnitudes(t, equations, ambiguous)
        # Blurred images of a "0" or an "8" hardly tell half a turn from none; at full resolution they do.
        other_t, others = self.refine(x[rivals], y[rivals], search, self.fine, rival_start, iterations)
        better = others.error < equations.error[rivals]
        lowest, second = (pick(others.error, equations.error[rivals]) for pick in (torch.minimum, torch.maximum))
        energy = self.fine.smooth(y[rivals]).square().sum(dim=(1, 2, 3))
        speed = rms_displacement(
            self.basis,
            search.span[:, 0],
            x.new_ones(self.fine.grid.size) / self.fine.grid.size,
            self.fine.grid.points(device=x.device),
        )
        apart = (other_t - t[rivals]).abs()[:, 0] * speed > _APART
        ambiguous[rivals] = apart & (second <= _AMBIGUOUS * lowest + _AMBIGUOUS_FLOOR * energy)
        winners = rivals[better]
        t[winners] = other_t[better]
        for whole, part in zip(equations, others, strict=True):
            whole[winners] = part[better]
        return Magnitudes(t, equations, ambiguous)

    def scatter(self, equations: NormalEquations, span: Float[Tensor, "m k"], channels: int) -> Float[Tensor, "b k k"]:
        """Sampling covariance of magnitudes along a span, from what is left of each pair and its curvature.

        What is left is taken for noise, correlated as smoothing correlates it; a bias that all pairs share, such as
        that of their resampling, is not in it.
        """
        inner = span.T @ equations.hessian @ span
        ridge = 1e-6 * inner.diagonal(dim1=-2, dim2=-1).amax(-1).clamp_min(1e-12)
        regular = inner + ridge[:, None, None] * torch.eye(span.shape[1], device=span.device)
        noise = equations.error * self.fine.correlation_area / (self.fine.grid.size * channels)
        covariance: Tensor = torch.linalg.inv(regular) * noise[:, None, None]
        return covariance


def _refined_chunk(
    source: Tensor,
    target: Tensor,
    motion: Motion,
    level: Level,
    structure: Tensor,
    t: Tensor,
    iterations: int,
    part: slice,
) -> tuple[Tensor, ...]:
    """Magnitudes and, over the whole basis, hessian, gradient and error of the pairs in a slice."""
    x, y = source[part], target[part]
    refined, equations = register(x, y, motion, level, structure, t[part], iterations)
    if motion.directions.shape[1] == 1:
        equations = equations_on_basis(x, y, motion, level, refined)
    return (refined, *equations)
