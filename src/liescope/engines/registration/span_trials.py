"""Generators from a sample of the pairs, and what they are worth on pairs that were held out.

Finding the generators needs far fewer pairs than there are: a few hundred determine the handful of coefficients,
and a few hundred more, never fitted to, tell what each further generator buys.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.algebra import CANONICAL_FIELDS, canonical_coefficients, describe_algebra
from liescope.engines.pair_set import PairSet, relative
from liescope.engines.registration.aligner import Aligner, PairPyramid, Search
from liescope.engines.registration.consensus import Votes, consensus_span
from liescope.engines.registration.joint import JointEquations, orthonormal
from liescope.engines.registration.linearise import NormalEquations
from liescope.engines.registration.motion import TOLERANCE
from liescope.engines.registration.orbit_search import orbit_grid, orbit_search, spread
from liescope.engines.workers import map_chunks
from liescope.geometry.fields import Basis

__all__ = ["SpanTrials", "free_coordinates"]

_CANDIDATE_PAIRS = 128
_SHARED_FLOWS = 96
_HALF_BAD = 0.1  # a relative error that counts half
_MOVED = 0.5  # of its variance: what interpolation leaves of an image's noise
_VOTE_FLOOR = 0.02  # of a target's energy: error that two resampled copies of an image have anyway


def robust_weight(share: Float[Tensor, " b"], scale: float) -> Float[Tensor, " b"]:
    """Geman-McClure weights for errors given as shares of the target's energy: 1 for good pairs, 0 for wild ones."""
    return (scale / (scale + share)).square()


class SpanTrials:
    """A sample of the pairs, their free coordinates, and the fits and tests made on them.

    Parameters
    ----------
    pairs : PairSet
    basis : Basis
    fit, held_out : integer arrays
        Sorted, disjoint indices of pairs.
    tolerance : float
        Of flows that have no closed form, normalised units.
    """

    def __init__(
        self, pairs: PairSet, basis: Basis, fit: np.ndarray, held_out: np.ndarray, tolerance: float = TOLERANCE
    ) -> None:
        self.basis = basis
        self.aligner = Aligner(basis, pairs.grid, pairs.device, tolerance)
        self._first_images = tuple(self.aligner.first.apply(images) for images in pairs.take(fit))
        self._first_held_out = tuple(self.aligner.first.apply(images) for images in pairs.take(held_out))
        self.fit_pyramid = self.aligner.pyramid(pairs, fit)
        self.held_out_pyramid = self.aligner.pyramid(pairs, held_out)
        energy = self.fit_pyramid.coarse_target.square().sum(dim=(0, 1)).flatten() + 1e-12
        self.support = energy / energy.sum()
        self._votes: Votes | None = None

    @property
    def votes(self) -> Votes:
        """Free coordinates of the pairs that are fitted to, with their Hessians and error scales."""
        if self._votes is None:
            self._votes = _coordinates(self.aligner, self._first_images, self.fit_pyramid)
        return self._votes

    def fit(self, generators: int) -> Search:
        """The best span of that many generators, refined on full-resolution images.

        One generator is tried from the consensus of the free coordinates and from every canonical field, so that
        it is found even where no single pair registers from the identity.
        """
        span = consensus_span(self.votes, generators)[0].to(self.votes.v)
        if generators == 1:
            span = self._best_candidate(span)
        search = self.search_along(span)
        pyramid, aligner = self.fit_pyramid, self.aligner
        t = aligner.coarse_magnitudes(pyramid, search)[0]
        for level, source, target, rounds in (
            (aligner.coarse, pyramid.coarse_source, pyramid.coarse_target, 2),
            (aligner.fine, pyramid.fine_source, pyramid.fine_target, 3),
        ):
            for _ in range(rounds):
                t, equations = aligner.refine(source, target, search, level, t, 3)
                sums = self.joint_equations(equations, target, search.span, t)
                search, t = self.moved_span(search, sums, t)
        return search

    def _best_candidate(self, consensus: Tensor) -> Tensor:
        few = slice(0, _CANDIDATE_PAIRS)
        source, target = self.fit_pyramid.coarse_source[few], self.fit_pyramid.coarse_target[few]
        candidates = [consensus]
        for name in CANONICAL_FIELDS:
            coefficients = canonical_coefficients(name, self.basis)
            if coefficients is not None:
                unit = torch.as_tensor(coefficients / np.linalg.norm(coefficients)).to(consensus)
                candidates.append(unit[:, None])
        scores = list(map_chunks(partial(self._orbit_score, source, target), candidates))
        return candidates[int(np.argmin(scores))]

    def _orbit_score(self, source: Tensor, target: Tensor, candidate: Float[Tensor, "m 1"]) -> float:
        """How badly the orbit of one generator explains pairs: 0 for all perfectly, 1 for none at all."""
        coarse = self.aligner.coarse
        times = orbit_grid(self.basis, candidate[:, 0], coarse, self.support)
        match = orbit_search(source, target, self.basis, candidate[:, 0], coarse, times)
        share = relative(match.error, target)
        return float((share / (share + _HALF_BAD)).mean())

    def search_along(self, span: Float[Tensor, "m k"]) -> Search:
        """Where to look for magnitudes: an even grid for one generator, the sample's own coordinates for more."""
        if span.shape[1] == 1:
            times = orbit_grid(self.basis, span[:, 0], self.aligner.coarse, self.support)
            return Search(span, times[:, None], float(times.abs().max()) * 1.1)
        seen = self.votes.v @ torch.linalg.pinv(span).T
        share = relative(self.votes.scale, self.fit_pyramid.coarse_target)
        starts = spread(seen[share <= share.quantile(0.8)], _SHARED_FLOWS)
        return Search(span, starts, float(starts.norm(dim=1).max()) * 1.5 + 0.5)

    def joint_equations(
        self, equations: NormalEquations, target: Tensor, span: Tensor, t: Tensor, scale: float | None = None
    ) -> JointEquations:
        """The pairs' contribution to the generators' normal equations, wild pairs weighted down."""
        share = relative(equations.error, target)
        scale = float(share.median()) + 0.01 if scale is None else scale
        energy = target.square().sum(dim=(1, 2, 3)).clamp_min(1e-6)
        finite = torch.isfinite(equations.hessian).all(dim=(1, 2)) & torch.isfinite(share)
        equations, t = NormalEquations(*(part[finite] for part in equations)), t[finite]
        share, energy = share[finite], energy[finite]
        return JointEquations.of(equations, t, span, self.aligner.structure, robust_weight(share, scale) / energy)

    def moved_span(self, search: Search, sums: JointEquations, t: Tensor) -> tuple[Search, Tensor]:
        """The span after a joint Gauss-Newton step, orthonormal again, and the magnitudes in it."""
        span, triangle = orthonormal(search.span + sums.step(search.span))
        reach = search.reach * max(1.0, float(torch.linalg.matrix_norm(triangle, 2)))
        return Search(span, search.starts @ triangle.T, reach), t @ triangle.T

    def held_out_errors(
        self, search: Search | None, permute: int = 0, mirrored: int | None = None
    ) -> Float[Tensor, " b"]:
        """Errors of the held-out pairs as shares of their targets' energy.

        Parameters
        ----------
        search : Search or None
            A fitted span; None for the identity.
        permute : int
            If not 0, every source is paired with the target this many pairs further on.
        mirrored : int, optional
            Axis along which the targets are turned over.
        """
        pyramid = self.held_out_pyramid.permuted(permute) if permute else self.held_out_pyramid
        pyramid = pyramid if mirrored is None else pyramid.mirrored(mirrored)
        if search is None:
            return self.aligner.unmoved_share(pyramid)
        return self.aligner.share(pyramid, self.aligner.magnitudes(pyramid, search).equations.error)

    def free_errors(self, permute: int = 0, mirrored: int | None = None) -> Float[Tensor, " b"]:
        """The same where every pair may move along all fields of the basis at once, from the identity."""
        aligner, pyramid = self.aligner, self.held_out_pyramid
        source, target = self._first_held_out
        if permute:
            pyramid, target = pyramid.permuted(permute), target.roll(permute, 0)
        if mirrored is not None:
            pyramid, target = pyramid.mirrored(mirrored), target.flip(mirrored)
        v = _coordinates(aligner, (source, target), pyramid).v
        everything = _everything(aligner, source)
        equations = aligner.refine(pyramid.fine_source, pyramid.fine_target, everything, aligner.fine, v, 2)[1]
        return aligner.share(pyramid, equations.error)

    def noise_share(self) -> float:
        """What no motion can explain of held-out pairs: the noise of their pixels, as :meth:`held_out_errors` has it.

        The noise is read off second differences along the diagonals, whose typical size no edge changes. Grey values
        that are alike over half of an image, as a background is, show none.
        """
        pyramid, level = self.held_out_pyramid, self.aligner.fine
        variance = _MOVED * _noise_variance(pyramid.fine_source) + _noise_variance(pyramid.fine_target)
        # A pixel of the smoothed noise has the energy of the smoothing kernel.
        spot = torch.zeros_like(pyramid.fine_target[:1, :1])
        spot[..., spot.shape[-2] // 2, spot.shape[-1] // 2] = 1.0
        pixels = pyramid.fine_target[0].numel()
        noise = variance * float(level.smooth(spot).square().sum()) * pixels
        return float(relative(noise, level.smooth(pyramid.fine_target)).clamp(max=1).median())

    def brightness_change(self) -> float:
        """Typical size of the logarithm of the factor between the brightest parts of a held-out source and target."""
        peaks = [
            images.abs().flatten(1).quantile(0.99, dim=1)
            for images in (self.held_out_pyramid.fine_source, self.held_out_pyramid.fine_target)
        ]
        source, target = (peak.clamp_min(1e-6) for peak in peaks)
        return float((target / source).log().abs().median())

    def is_closed(self, search: Search) -> bool:
        """Whether brackets of the span's generators stay in it."""
        span = search.span.double().cpu().numpy()
        return bool(describe_algebra(span, self.basis, self.aligner.grid).closed)


def _noise_variance(images: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Variance of independent noise of the pixels of each image (Donoho's robust estimate at the finest scale)."""
    height, width = (size - size % 2 for size in images.shape[-2:])
    x = images[..., :height, :width]
    diagonal = (x[..., ::2, ::2] - x[..., 1::2, ::2] - x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 2
    return (diagonal.abs().flatten(1).median(dim=1).values / 0.6745).square()


def free_coordinates(pairs: PairSet, aligner: Aligner) -> Votes:
    """Log-coordinates of all pairs over the whole basis, coarse to fine from the identity, with their Hessians."""
    parts = []
    for part in aligner.chunks(pairs):
        first = tuple(aligner.first.apply(images) for images in pairs.take(part))
        parts.append(_coordinates(aligner, first, aligner.pyramid(pairs, part)))
    return Votes(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _coordinates(aligner: Aligner, first_images: tuple[Tensor, ...], pyramid: PairPyramid) -> Votes:
    source, target = first_images
    v = source.new_zeros(len(source), aligner.basis.dimension)
    stages = (
        (aligner.first, source, target, 10),
        (aligner.coarse, pyramid.coarse_source, pyramid.coarse_target, 8),
    )
    everything = _everything(aligner, source)
    for level, x, y, iterations in stages:
        v, equations = aligner.refine(x, y, everything, level, v, iterations)
    energy = pyramid.coarse_target.square().sum(dim=(1, 2, 3))
    return Votes(v, equations.hessian, equations.error + _VOTE_FLOOR * energy + 1e-9)


def _everything(aligner: Aligner, like: Tensor) -> Search:
    """A search along all fields of the basis, from the identity."""
    m = aligner.basis.dimension
    return Search(torch.eye(m, device=like.device), like.new_zeros(1, m), reach=1.0)
