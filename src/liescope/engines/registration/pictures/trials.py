"""What a sample of pairs of pictures says: how each moves when it is free to, and which span does as well.

The null is the mirror image: a mirrored target has the same statistics and shows the same scene, but no flow reaches
it. It needs no other pairs, so it holds for one scene, for one pair, and in any order of rows. What is fitted on some
blocks of pixels is judged on the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.pair_set import PairSet
from liescope.engines.registration.consensus import Votes, consensus_span
from liescope.engines.registration.coordinates import exponential_derivative
from liescope.engines.registration.joint import JointEquations, orthonormal
from liescope.engines.registration.linearise import NormalEquations
from liescope.engines.registration.pictures.along import Along
from liescope.engines.registration.pictures.blocks import block_numbers, by_blocks
from liescope.engines.registration.pictures.measuring import RELATED, Measurer
from liescope.engines.registration.pictures.starts import Family, families_of
from liescope.engines.registration.pictures.views import View
from liescope.engines.registration.pictures.weighted import noise_share
from liescope.engines.registration.span_trials import robust_weight
from liescope.engines.registration.systematic import systematic_of

__all__ = ["FLOOR", "SAMPLE", "Candidate", "Free", "PictureTrials", "Refined"]

SAMPLE = 48
"""Pairs that the span is found from."""

MIRRORED = 24
"""Of them, that the mirror images are made of."""

FLOOR = 0.003
"""Error that two resampled copies of a picture have anyway, in units of the variance."""

_AT_STAKE = 0.03
"""Of what not moving leaves: where little is at stake, copies must be told apart by less than ``FLOOR``."""

_AS_WELL = 1.3
"""A span explains a typical pair as well as free motions do if no more than this times their error is left..."""

_MOST_AS_WELL, _FAR_WORSE = 0.75, 2.0
"""... and so many of the pairs have no more than that times it."""

_KERNELS = ("linear", "spline")

_SHARED = 0.25
"""Of the change from one interpolation to the other: what the better of them may be wrong by."""

_LEAST_MOVED = 1.0
"""Pixels of the middle level, root mean square."""


class Free(NamedTuple):
    """Pairs that may move along the whole basis.

    Attributes
    ----------
    along : Along
        On the middle level.
    held_out : tensor, shape (B,)
        Errors on blocks that were not fitted to.
    """

    along: Along
    held_out: Tensor
    by_block: Tensor


class Candidate(NamedTuple):
    """A span, what it leaves on held-out blocks, and how that compares with free motions.

    ``v`` (B, m) is what moves each pair. ``unmoved`` is what not moving leaves, as a whole and by block. ``ratio`` (B,)
    are errors of pairs in units of those of free motions; ``enough`` tells whether it explains as much.
    """

    family: Family
    span: Tensor
    v: Tensor
    held_out: Tensor
    by_block: Tensor
    unmoved: tuple[Tensor, Tensor]
    ratio: Tensor
    enough: bool


class Refined(NamedTuple):
    """A span at its best.

    Attributes
    ----------
    span : tensor, shape (m, K)
        Orthonormal columns.
    covariance : tensor, shape (K m, K m)
        Of the columns, K-major.
    t : tensor, shape (B, K)
        Coordinates of the sample.
    kernel : str
        How sources are interpolated.
    shared : tensor, shape (K, K)
        Variances (diagonal) of what interpolation leaves open of their coordinates.
    """

    span: Tensor
    covariance: Tensor
    t: Tensor
    kernel: str
    shared: Tensor


class PictureTrials:
    """A sample of the pairs, free motions of them and of their mirror images, and trials of spans.

    Parameters
    ----------
    pairs : PairSet
    measurer : Measurer
    index : array of int
        The sample.
    seed : int
        Of the choice of blocks.
    """

    def __init__(self, pairs: PairSet, measurer: Measurer, index: np.ndarray, seed: int) -> None:
        self.index = index
        self.measurer = measurer
        self.registrar = measurer.registrar
        self.basis = measurer.basis
        self.everything = torch.eye(self.basis.dimension, device=pairs.device)
        self.views = measurer.views(pairs, index)
        middle = self.views[1]
        self.fitted_blocks, self.held_blocks = _blocks(middle, seed)
        self.still = self._judged(middle, middle.source.new_zeros(len(middle.source), self.basis.dimension))
        self.free = self._free(self.views)
        self.mirrored = self._free([view.take(slice(0, MIRRORED)).mirrored() for view in self.views])

    def _free(self, views: list[View]) -> Free:
        """Every pair moved along the whole basis, from the best turns, zooms and shifts."""
        along, middle = self.measurer.freely(views), views[1]
        on_blocks = self.registrar.refine(middle.within(self.fitted_blocks), self.everything, along.t, 4)
        return Free(along, *self._judged(middle, on_blocks.t))

    def _judged(self, view: View, v: Float[Tensor, "b m"]) -> tuple[Tensor, Tensor]:
        """Errors on the held-out blocks under coordinates, as a whole and block by block (NaN where none count)."""
        found = self.registrar.at(view.within(self.held_blocks), self.everything, v)
        return found.error.clamp_max(10.0), by_blocks(found)

    @property
    def related(self) -> bool:
        """Whether free motions leave typical pairs clearly less than they leave mirror images."""
        own, mirrored = (float(one.held_out.median()) + self.floor for one in (self.free, self.mirrored))
        return own < RELATED * mirrored

    @property
    def floor(self) -> float:
        """Error that counts for nothing: what copies have anyway, and never much of what moving could explain."""
        return min(FLOOR, _AT_STAKE * float(self.still[0].median()))

    @property
    def good(self) -> Tensor:
        """Pairs that free motions explain: what they leave is far from what they leave of mirror images."""
        limit = RELATED * self.mirrored.held_out.median()
        good: Tensor = self.free.held_out < limit
        return good

    def noise(self, v: Float[Tensor, "b m"]) -> float:
        """Share of noise in the slopes of a typical pair that is moved by v (:func:`noise_share`)."""
        fine = self.views[2]
        return float(noise_share(fine, self.registrar.at(fine, self.everything, v)).median())

    @cached_property
    def everyone(self) -> Votes:
        """Free coordinates of all pairs, with the Hessians of their errors in those coordinates."""
        along = self.free.along
        frame = exponential_derivative(self.registrar.structure, along.t)
        return Votes(along.t, frame.mT @ along.equations.hessian @ frame, along.error + FLOOR)

    @cached_property
    def votes(self) -> Votes:
        """The same of the pairs that registered; of all where none did."""
        good = self.good if bool(self.good.any()) else torch.ones_like(self.good)
        return Votes(*(part[good] for part in self.everyone))

    def candidates(self, generators: int) -> Iterator[Candidate]:
        """Spans of that many generators, the simplest family of motions first."""
        votes = self.votes
        for family in families_of(self.basis):
            columns = family.columns.to(votes.v)
            if columns.shape[1] < generators:
                continue
            if columns.shape[1] == generators:
                span = columns
            else:
                within = _restricted(votes, columns)
                span = columns @ consensus_span(within, generators)[0].to(columns)
            yield self.tried(family, span)

    def tried(self, family: Family, span: Float[Tensor, "m k"]) -> Candidate:
        """A span, judged on held-out blocks of the pairs that free motions explain."""
        along = self.registrar.refine(self.views[1], span, self._coordinates(span), 4)
        found = self._on_blocks(family, span, along)
        if found.enough or span.shape[1] > 1:
            return found
        # Where free motions went astray, a search along the one generator may not.
        again = self.measurer.start(self.views[0], span)
        other = self.registrar.refine(self.views[1], span, again.t, 4)
        return self._on_blocks(family, span, along.where(other.error < along.error, other))

    def _on_blocks(self, family: Family, span: Float[Tensor, "m k"], along: Along) -> Candidate:
        """Fitted to some blocks from there, judged on the others."""
        middle = self.views[1]
        on_blocks = self.registrar.refine(middle.within(self.fitted_blocks), span, along.t, 3)
        v = on_blocks.t @ span.T
        held_out, by_block = self._judged(middle, v)
        ratio = (held_out + FLOOR) / (self.free.held_out + FLOOR)
        judged = ratio[self.good] if bool(self.good.any()) else ratio
        most = float((judged <= _FAR_WORSE).float().mean()) >= _MOST_AS_WELL
        enough = float(judged.median()) <= _AS_WELL and most
        return Candidate(family, span, v, held_out, by_block, self._unmoved(v), ratio, enough)

    def _unmoved(self, v: Float[Tensor, "b m"]) -> tuple[Tensor, Tensor]:
        """What is left of pairs as they are; of the least motions, what moving the other way leaves if that is less.

        Moving by a part of a pixel averages a picture's noise, and so lowers the error, whichever way it goes.
        """
        view = self.views[1]
        table = self.registrar.table(view)
        metric = table.linear.T @ table.linear / view.grid.size
        moved = torch.einsum("bi,ij,bj->b", v, metric, v).clamp_min(0).sqrt() / min(view.grid.pitch)
        back = self._judged(view, -v)
        other = (moved < _LEAST_MOVED) & (back[0] < self.still[0])
        return torch.where(other, back[0], self.still[0]), torch.where(other[:, None], back[1], self.still[1])

    def _coordinates(self, span: Float[Tensor, "m k"]) -> Float[Tensor, "b k"]:
        """Where free coordinates are nearest to the span, by what a pair's pixels can tell."""
        return _restricted(self.everyone, span, 1e-4).v

    def refined(self, family: Family, span: Float[Tensor, "m k"]) -> Refined:
        """The span after joint steps with all magnitudes eliminated.

        Steps stay in the family, in whose own coordinates they are made. On the finest level sources are interpolated
        by what explains the targets better; how far the other ends from there tells what interpolation leaves open.
        """
        columns = family.columns.to(span)
        inside = columns.T @ span
        t = self._coordinates(span)
        inside, t = self._joint(self.views[1], columns, inside, t)
        ends = []
        for kernel in _KERNELS:
            view = self.views[2].interpolated(kernel)
            own, coordinates = self._joint(view, columns, inside, t)
            ends.append((kernel, own, self.registrar.refine(view, columns @ own, coordinates, 3)))
        ends.sort(key=lambda end: float(end[2].error.median()))
        (kernel, inside, along), (_, other, beside) = ends
        within = self._sums(along, inside, columns).covariance(inside).numpy()
        span = columns @ inside
        good = self.good if bool(self.good.any()) else torch.ones_like(self.good)
        ours, theirs = (span, along.t[good]), (columns @ other, beside.t[good])
        shared = systematic_of(ours, theirs, (_SHARED, _SHARED), self.basis, self.measurer.grid)
        lift = np.kron(np.eye(span.shape[1]), columns.double().cpu().numpy())
        covariance = lift @ within @ lift.T + shared.span
        return Refined(span, torch.as_tensor(covariance), along.t, kernel, torch.as_tensor(shared.t).to(span))

    def _joint(self, view: View, columns: Tensor, inside: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """A span in the coordinates of a family, and those of the pairs along it, after some steps on a level."""
        for _ in range(3):
            along = self.registrar.refine(view, columns @ inside, t, 3)
            inside, triangle = orthonormal(inside + self._sums(along, inside, columns).step(inside))
            t = along.t @ triangle.T
        return inside, t

    def _sums(self, along: Along, inside: Float[Tensor, "f k"], columns: Float[Tensor, "m f"]) -> JointEquations:
        """Normal equations of the pairs that registered, in the coordinates of a family."""
        good = torch.isfinite(along.error) & self.good
        good = good if bool(good.any()) else torch.isfinite(along.error)
        scale = float(along.error[good].median()) + FLOOR if bool(good.any()) else FLOOR
        equations = NormalEquations(
            columns.T @ along.equations.hessian[good] @ columns,
            along.equations.gradient[good] @ columns,
            along.error[good],
        )
        structure = torch.einsum("ia,jb,ijk,kc->abc", columns, columns, self.registrar.structure, columns)
        return JointEquations.of(equations, along.t[good], inside, structure, robust_weight(along.error[good], scale))


def _restricted(votes: Votes, columns: Float[Tensor, "m f"], ridge: float = 1e-6) -> Votes:
    """Votes for coordinates along columns: the nearest in what the pairs' pixels can tell.

    ``ridge`` is the share of the largest curvature from which on a direction counts as told.
    """
    hessian = columns.T @ votes.hessian @ columns
    least = ridge * hessian.diagonal(dim1=-2, dim2=-1).amax(-1).clamp_min(1e-9)
    regular = hessian + least[:, None, None] * torch.eye(columns.shape[1], device=columns.device)
    v = torch.linalg.solve(regular, columns.T @ votes.hessian @ votes.v[..., None])[..., 0]
    return Votes(v, hessian, votes.scale)


def _blocks(view: View, seed: int) -> tuple[Tensor, Tensor]:
    """Pixels (h, w) of blocks to fit to, and of blocks held out: half of them each, by chance."""
    numbers = block_numbers(view.grid.shape)
    count = int(numbers.max()) + 1
    chosen = np.zeros(count, dtype=np.float32)
    chosen[np.random.default_rng(seed).permutation(count)[: (count + 1) // 2]] = 1
    fitted = torch.as_tensor(chosen)[numbers].reshape(view.grid.shape).to(view.source)
    return fitted, 1 - fitted
