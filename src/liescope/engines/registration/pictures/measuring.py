"""Magnitudes of any pairs of pictures along a known span: a global search, then refinement level by level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as nnf
from jaxtyping import Bool, Float, Int
from torch import Tensor

from liescope.engines.overlap import LEAST_PIXELS
from liescope.engines.pair_set import PairSet, chunk_slices
from liescope.engines.registration.levels import make_level
from liescope.engines.registration.orbit_search import orbit_grid, spread
from liescope.engines.registration.pictures.along import Along, Registrar
from liescope.engines.registration.pictures.blocks import by_blocks
from liescope.engines.registration.pictures.similarity_search import best_similarities, turns_and_zooms
from liescope.engines.registration.pictures.starts import in_basis, searched_for
from liescope.engines.registration.pictures.views import Level, View, levels_of, view_of
from liescope.engines.registration.pictures.weighted import Compared, noise_share
from liescope.geometry import Basis, Grid

__all__ = ["NOISY", "RELATED", "Measurer", "PictureMagnitudes"]

SEARCH_SIDE = 24
MIDDLE_SIDE = 64
FINE_SIDE = 128
_STARTS = 3

NOISY = 0.25
"""Share of noise in the slopes of a pair above which the pair is smoothed: single pixels say less than their means."""

_SMOOTH, _MOST_SMOOTH = 2.5, 0.026
"""Standard deviation, in pixels of the finest level, and at most so much of its longest side: blocks stay apart."""

RELATED = 0.6
"""Of what free motions leave of mirror images: pairs that are related keep less than this."""

_CERTAIN = 3.0
"""Standard errors over blocks by which a pair fits better than its mirror image."""

_FEW_BLOCKS = 5
_NO_OVERLAP = 10.0
"""Error that stands for a pair of which too little overlaps."""


class PictureMagnitudes(NamedTuple):
    """Of M pairs: magnitudes (M, K) along a span's columns, their covariances (M, K, K), and errors (M,).

    ``gain``, ``offset`` (M,): target = gain * moved source + offset on the scale of the pairs.
    """

    t: np.ndarray
    covariance: np.ndarray
    error: np.ndarray
    gain: np.ndarray
    offset: np.ndarray


class Measurer:
    """The levels of pictures of one grid, and searches and refinements on them.

    Parameters
    ----------
    basis : Basis
    grid : Grid
        Of the full-size pictures.
    device : torch.device
    outside : bool
        What lies outside of pictures is known, and counts.
    smooth : bool
        Pictures are full of noise: all levels are smoothed. Where they are not, single pairs may be.
    """

    def __init__(
        self, basis: Basis, grid: Grid, device: torch.device, outside: bool = False, smooth: bool = False
    ) -> None:
        self.basis = basis
        self.grid = grid
        self.smooth = smooth
        self.registrar = Registrar(basis, device, outside)
        further = min(_SMOOTH, _MOST_SMOOTH * min(max(grid.shape), FINE_SIDE)) if smooth else 0.0
        self.levels: list[Level] = levels_of(grid, (SEARCH_SIDE, MIDDLE_SIDE, FINE_SIDE), device, further)

    @cached_property
    def other(self) -> Measurer:
        """The same on smooth levels, or on sharp ones if these are smooth."""
        registrar = self.registrar
        return Measurer(self.basis, self.grid, registrar.device, registrar.outside, not self.smooth)

    def views(self, pairs: PairSet, index: slice | np.ndarray) -> list[View]:
        """Some of the pairs on all levels, the coarsest first; few at a time are held in full size."""
        index = np.arange(len(pairs))[index]
        parts = [index[part] for part in chunk_slices(len(index), self.grid.size * pairs.shape[0])]
        levels = zip(*(self._views(pairs, part) for part in parts), strict=True)
        return [View.joined(level) for level in levels]

    def _views(self, pairs: PairSet, index: np.ndarray) -> list[View]:
        images, valid = pairs.take(index), pairs.take_valid(index)
        return [view_of(level, images, valid) for level in self.levels]

    def orbit_times(self, direction: Float[Tensor, " m"]) -> Tensor:
        """Magnitudes along one generator to start from."""
        coarse = make_level(self.grid, SEARCH_SIDE, device=direction.device)
        even = torch.full((coarse.grid.size,), 1.0 / coarse.grid.size, device=direction.device)
        return orbit_grid(self.basis, direction, coarse, even)

    def freely(self, views: list[View]) -> Along:
        """Every pair moved along the whole basis, on the middle level, from the best turns, zooms and shifts."""
        coarse, middle = views[:2]
        everything = torch.eye(self.basis.dimension, device=coarse.source.device)
        starts = in_basis(best_similarities(coarse, turns_and_zooms()), self.basis, coarse.grid)
        tried = [starts.new_zeros(len(starts), starts.shape[2]), *starts[:, :_STARTS].unbind(1)]
        return self.registrar.refine(middle, everything, self._best(coarse, everything, tried, 8).t, 6)

    def beat_mirrored(
        self, pairs: PairSet, index: Int[np.ndarray, " b"], span: Float[Tensor, "m k"], t: Float[np.ndarray, "b k"]
    ) -> Bool[np.ndarray, " b"]:
        """Whether pairs at ``index``, moved by t, fit far better than their own mirror images do, moved freely.

        Block by block: where a picture is smooth or noisy its error says little, and the difference does.
        """
        everything = torch.eye(self.basis.dimension, device=span.device)
        told = np.zeros(len(index), dtype=bool)
        for part in chunk_slices(len(index), self.levels[1].grid.size * pairs.shape[0] * self.basis.dimension):
            views = self.views(pairs, index[part])
            turned = [view.mirrored() for view in views]
            own = self.registrar.at(views[1], span, torch.as_tensor(t[part]).to(span))
            other = self.registrar.at(turned[1], everything, self.freely(turned).t)
            back = other._replace(residual=other.residual.flip(-1), weight=other.weight.flip(-1))
            more = by_blocks(back) - by_blocks(own)
            count = torch.isfinite(more).sum(dim=1)
            mean = more.nanmean(dim=1)
            error = ((more - mean[:, None]).square().nanmean(dim=1) / (count - 1).clamp_min(1)).sqrt()
            better = (mean > _CERTAIN * error) & (own.error < RELATED * other.error) & (count > _FEW_BLOCKS)
            told[part] = better.cpu().numpy()
        return told

    def start(self, view: View, span: Float[Tensor, "m k"], known: Tensor | None = None) -> Along:
        """The best coordinates of every pair along a span on the coarsest level, from nothing."""
        return self._best(view, span, self._starts(view, span, known), 6)

    def _best(self, view: View, span: Tensor, starts: Iterable[Tensor], iterations: int) -> Along:
        """Of every pair the best of what several starts lead to."""
        best: Along | None = None
        for t in starts:
            found = self.registrar.refine(view, span, t, iterations)
            best = found if best is None else best.where(found.error < best.error, found)
        assert best is not None
        return best

    def _starts(self, view: View, span: Tensor, known: Tensor | None) -> Iterator[Tensor]:
        k = span.shape[1]
        yield view.source.new_zeros(len(view.source), k)
        if k == 1:
            times = self.orbit_times(span[:, 0])
            if known is not None and len(known):
                # Where the sample's magnitudes lie, and as far again on either side.
                low, high = known.min(), known.max()
                pad = (high - low) + 4 * (times[1] - times[0])
                times = times[(times >= low - pad) & (times <= high + pad)]
            yield from self._lowest(view, span, times[:, None])
            return
        if known is not None and len(known):
            yield from self._lowest(view, span, spread(known, 48))
        found = best_similarities(view, searched_for(span, self.basis))
        v = in_basis(found, self.basis, view.grid)
        for number in range(min(_STARTS, v.shape[1])):
            yield v[:, number] @ torch.linalg.pinv(span).T

    def _lowest(self, view: View, span: Tensor, tried: Float[Tensor, "s k"]) -> list[Tensor]:
        """The best of some shared coordinates for every pair, and the next best that is no neighbour of it."""
        motion = self.registrar.motion(view, span, float(tried.abs().max()) + 0.1)
        table = torch.stack([self.registrar.error_at(view, motion.origins(t[None])) for t in tried], dim=1)
        first = table.argmin(dim=1)
        apart = (tried[None] - tried[first][:, None]).norm(dim=2)
        near = apart < 3 * (tried[1] - tried[0]).norm()
        second = torch.where(near, torch.inf, table).argmin(dim=1)
        return [tried[first], tried[second]]

    def measure(
        self,
        pairs: PairSet,
        span: Float[Tensor, "m k"],
        known: Tensor | None = None,
        kernel: str = "linear",
        progress: Callable[[float], None] | None = None,
    ) -> PictureMagnitudes:
        """All pairs along a span, in chunks of bounded memory; ``kernel`` interpolates sources on the finest level."""
        rows = []
        for part in self._chunks(pairs):
            views = self.views(pairs, part)
            fine, t = self._fine(pairs, part, views, span, known)
            fine = fine.interpolated(kernel)
            found = self.registrar.refine(fine, span, t, 4)
            covariance = self.registrar.covariance(fine, span, found.t)
            # Judged where mirror images are: on the middle level, where noise of single pixels says little.
            judged = self.registrar.at(views[1], span, found.t)
            # A handful of pixels fits somewhere, and exactly: that says nothing of the pair.
            error = torch.where(_too_few(views[1], judged.weight), torch.inf, judged.error)
            # Interpolation of another kind than the targets have takes contrast away, which would count as gain.
            grey = _brightness(views[1], self.registrar.at(views[1].interpolated(kernel), span, found.t))
            rows.append([a.cpu().numpy() for a in (found.t, covariance, error, *grey)])
            if progress is not None:
                progress(part.stop / len(pairs))
        columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
        # A pair of too little overlap has an infinite error.
        return PictureMagnitudes(*(np.nan_to_num(c.astype(np.float64), posinf=_NO_OVERLAP) for c in columns))

    def _fine(
        self, pairs: PairSet, part: slice, views: list[View], span: Tensor, known: Tensor | None
    ) -> tuple[View, Tensor]:
        """Pairs on the finest level, sharp or, where noise hides them, smooth, and coordinates to start there from."""
        t = self._searched(views, span, known)
        sharp = self.other.views(pairs, part)[2] if self.smooth else views[2]
        noisy = torch.nonzero(noise_share(sharp, self.registrar.at(sharp, span, t)) > NOISY)[:, 0]
        if not len(noisy):
            return sharp, t
        if self.smooth:
            return sharp.replaced(noisy, views[2].take(noisy)), t
        smooth = self.other.views(pairs, np.arange(part.start, part.stop)[noisy.cpu().numpy()])
        t = t.index_copy(0, noisy, self._searched(smooth, span, known))
        return sharp.replaced(noisy, smooth[2]), t

    def _searched(self, views: list[View], span: Tensor, known: Tensor | None) -> Tensor:
        """Coordinates on the middle level, from nothing."""
        start = self.start(views[0], span, known)
        return self.registrar.refine(views[1], span, start.t, 4).t

    def still(self, pairs: PairSet) -> Float[np.ndarray, " n"]:
        """Errors of all pairs as they are, brightness apart."""
        shares = []
        for part in self._chunks(pairs):
            view = self.views(pairs, part)[1]
            origins = view.grid.points(device=view.source.device)[None]
            shares.append(self.registrar.error_at(view, origins).cpu().numpy().astype(np.float64))
        return np.nan_to_num(np.concatenate(shares), posinf=_NO_OVERLAP)

    def _chunks(self, pairs: PairSet) -> Iterator[slice]:
        """Slices whose working levels stay small."""
        return chunk_slices(len(pairs), self.levels[-1].grid.size * pairs.shape[0] // 2)


def _brightness(view: View, found: Compared) -> tuple[Tensor, Tensor]:
    """Gain and offset (B,) between pictures as they were before each got mean 0 and variance 1."""
    (source_mean, source_spread), (target_mean, target_spread) = view.source_grey.T, view.target_grey.T
    gain = found.gain * target_spread / source_spread
    return gain, target_mean + target_spread * found.offset - gain * source_mean


def _too_few(view: View, weight: Float[Tensor, "b c h w"]) -> Bool[Tensor, " b"]:
    """Whether so much is missing of a pair that a handful of pixels is compared, their neighbours counted as well."""
    compared = nnf.max_pool2d((weight[:, :1] > 0).to(weight), 3, stride=1, padding=1).sum(dim=(1, 2, 3))
    known = torch.minimum(view.source_valid.sum(dim=(1, 2, 3)), view.target_valid.sum(dim=(1, 2, 3)))
    # Without the frame, where no derivative is known.
    whole = (view.grid.height - 2) * (view.grid.width - 2)
    return (known < whole) & (compared < LEAST_PIXELS)
