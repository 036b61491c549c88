"""Pictures with content up to their border: which motion relates them, judged against their own mirror images."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import mannwhitneyu, wilcoxon
from torch import Tensor

from liescope.data import ImageStack
from liescope.engines.contract import Fit, Fitted, Measured, Progress, Settings, SpanEstimate
from liescope.engines.pair_set import GreyScale, Missing, PairSet
from liescope.engines.registration.pictures.fixed_pixels import fixed_pixels, without_pixels
from liescope.engines.registration.pictures.measuring import Measurer
from liescope.engines.registration.pictures.mirror import mirror_axis
from liescope.engines.registration.pictures.trials import FLOOR, RELATED, SAMPLE, Candidate, PictureTrials
from liescope.engines.registration.readable import readable_span, standard_errors
from liescope.engines.state import pack_arrays
from liescope.engines.workers import worker_pool
from liescope.geometry import Basis, Grid

__all__ = ["PictureSpan", "fit_pictures"]

_LEVEL = 0.05
_MOVED = 0.9
"""Of the error of pairs as they are: where moving leaves more than this, nothing was moved."""

_FEW = 6
_CLEARLY = 1 / 6
_SAME = 1e-5
_SYSTEMATIC_DEG = 0.1
_MEASURE_FIRST = 0.5


class PictureSpan(Fitted):
    """Measures pairs of pictures along a span."""

    def __init__(
        self, measurer: Measurer, span: Tensor, change: np.ndarray, scale: GreyScale, missing: Missing, known: Tensor
    ) -> None:
        self.measurer, self.span, self.change = measurer, span, change
        self.scale, self.missing, self.known = scale, missing, known
        self.background = scale.background

    def _pairs(self, source: ImageStack, target: ImageStack) -> PairSet:
        missing = Missing(nodata=self.missing.nodata, nan=True)
        return PairSet(source, target, self.scale, self.span.device, missing)

    def measure(self, source: ImageStack, target: ImageStack) -> Measured:
        with worker_pool(self.span.device):
            found = self.measurer.measure(self._pairs(source, target), self.span, self.known)
        return Measured(found.t @ self.change.T, found.error)

    def still(self, source: ImageStack, target: ImageStack) -> np.ndarray:
        with worker_pool(self.span.device):
            return self.measurer.still(self._pairs(source, target))

    def state(self) -> dict[str, bytes]:
        nodata = np.nan if self.missing.nodata is None else self.missing.nodata
        return pack_arrays(
            kind="pictures",
            shape=self.measurer.grid.shape,
            span=self.span.cpu().numpy(),
            change=self.change,
            known=self.known.cpu().numpy(),
            outside=self.measurer.registrar.outside,
            background=self.scale.background,
            amplitude=self.scale.amplitude,
            nodata=nodata,
        )

    @classmethod
    def of(cls, held: Mapping[str, np.ndarray], basis: Basis, device: torch.device) -> PictureSpan:
        """The same from the arrays of :meth:`state`."""
        measurer = Measurer(basis, Grid.of(*(int(n) for n in held["shape"])), device, bool(held["outside"]))
        span, known = (torch.as_tensor(held[name], device=device) for name in ("span", "known"))
        if span.shape[0] != basis.dimension or not bool(torch.isfinite(span).all()):
            raise ValueError(f"expected a span of {basis.dimension} fields, got shape {tuple(span.shape)}")
        nodata = float(held["nodata"])
        missing = Missing(nodata=None if np.isnan(nodata) else nodata)
        scale = GreyScale(held["background"], float(held["amplitude"]))
        return cls(measurer, span, held["change"], scale, missing, known)


class _Tests(NamedTuple):
    """Of a candidate: whether pairs fit far better than their mirror images, and than unmoved, on held-out blocks."""

    related: bool
    moved: bool
    mirror_image: bool
    p_value: float


def fit_pictures(data: PairSet, basis: Basis, settings: Settings, report: Progress, outside: bool = False) -> Fit:
    """Find the generators of pairs of pictures and measure all pairs."""
    measurer = Measurer(basis, data.grid, data.device, outside)
    # Where most of an image is background, few pixels tell what is usual.
    fixed = np.zeros(data.grid.shape, dtype=bool) if outside else fixed_pixels(data)
    data = without_pixels(data, fixed) if fixed.any() else data
    finding = partial(report, "finding the generators")
    trials = PictureTrials(data, measurer, data.shuffled(settings.seed)[:SAMPLE], settings.seed)
    finding(_MEASURE_FIRST)
    chosen, steps = _chosen(trials, settings.generators)
    tests = _tests(trials, chosen)
    same = float(trials.still[0].quantile(0.95)) < _SAME
    verdict, reason = _verdict(trials, tests, same, len(data), settings.generators, chosen)
    evidence: dict[str, Any] = {
        "heldout_error": _mean_error(chosen.held_out if verdict == "symmetry" else trials.still[0]),
        "identity_error": _mean_error(trials.still[0]),
        "permuted_error": _mean_error(trials.mirrored.held_out),
        "p_value": tests.p_value,
        "null": "mirrored",
        "border": "zero" if outside else "unknown",
        "mirror_image": tests.mirror_image and not same,
        "fixed_pixels": [[int(row), int(column)] for row, column in np.argwhere(fixed)],
        "steps": steps,
    }
    if fixed.any() and not same:
        reason += f"; {int(fixed.sum())} pixels that never change are left out"
    measuring = partial(report, "measuring all pairs")
    measuring(0.0)
    none_ambiguous = np.zeros(len(data), dtype=bool)
    if verdict != "symmetry":
        none = np.zeros((len(data), 0))
        return Fit(
            verdict=verdict,
            reason=reason,
            coefficients=np.zeros((0, basis.dimension)),
            covariances=None,
            evidence=evidence,
            measured=Measured(none, measurer.still(data), none, none_ambiguous),
            accepted=np.zeros(len(data), dtype=bool),
        )
    span, covariance, known = trials.refined(chosen.family, chosen.span)
    found = measurer.measure(data, span, known, measuring)
    directions = span.double().cpu().numpy()
    columns, own, change = readable_span(directions, covariance.numpy(), basis, data.grid)
    threshold = _accept_below(trials.mirrored.held_out.cpu().numpy(), found.error)
    return Fit(
        verdict=verdict,
        reason=reason,
        coefficients=columns,
        covariances=own,
        evidence=evidence | {"accept_below": threshold},
        measured=Measured(found.t @ change.T, found.error, standard_errors(found.covariance, change), none_ambiguous),
        accepted=found.error <= threshold,
        fitted=PictureSpan(measurer, span, change, data.scale, data.missing, known),
        span=SpanEstimate(directions, covariance.numpy(), _SYSTEMATIC_DEG),
    )


def _mean_error(errors: Tensor) -> float:
    """Mean over pairs; images with nothing in common count 1, however little of them overlaps."""
    return float(errors.clamp(max=1).mean())


def _chosen(trials: PictureTrials, exactly: int | None) -> tuple[Candidate, list[dict[str, float]]]:
    """The smallest span, of the simplest family, that explains held-out blocks as well as free motions do."""
    steps: list[dict[str, float]] = []
    best: Candidate | None = None
    # Where nothing in the basis relates the pairs, there is nothing to count.
    limit = 1 if not trials.related and exactly is None else trials.basis.dimension
    for number in range(1, limit + 1):
        if exactly is not None and number != exactly:
            continue
        tried: list[Candidate] = []
        # The simplest family that does as well as free motions counts, and the rest need not be looked at.
        for candidate in trials.candidates(number):
            tried.append(candidate)
            if candidate.enough:
                break
        typical = [float(one.ratio[trials.good].median()) if bool(trials.good.any()) else 1.0 for one in tried]
        best = tried[-1] if tried[-1].enough else tried[int(np.argmin(typical))]
        steps.append({"generators": number, "excess": 1.0 - min(typical), "pays": float(best.enough)})
        if best.enough:
            break
    assert best is not None
    return best, steps


def _tests(trials: PictureTrials, chosen: Candidate) -> _Tests:
    own, null, still = chosen.held_out, trials.mirrored.held_out, chosen.unmoved[0]
    if len(own) >= _FEW:
        p_related = float(mannwhitneyu(own.numpy(), null.numpy(), alternative="less").pvalue)
        p_moved = _less(own - still)
        p_mirror = float(mannwhitneyu(null.numpy(), trials.free.held_out.numpy(), alternative="less").pvalue)
    else:
        p_related = _less(chosen.by_block - trials.mirrored.by_block)
        p_moved = _less(chosen.by_block - chosen.unmoved[1])
        p_mirror = _less(trials.mirrored.by_block - trials.free.by_block)
    typical, mirrored = float(own.median()) + FLOOR, float(null.median()) + FLOOR
    unmoved, free = float(still.median()) + FLOOR, float(trials.free.held_out.median()) + FLOOR
    return _Tests(
        related=p_related <= _LEVEL and typical <= RELATED * mirrored,
        moved=p_moved <= _LEVEL and typical <= _MOVED * unmoved,
        mirror_image=p_mirror <= _LEVEL and mirrored <= RELATED * free,
        p_value=max(p_related, p_moved),
    )


def _less(difference: Tensor) -> float:
    """p-value of differences that are 0 or above by chance (Wilcoxon), of pairs or of blocks of few pairs."""
    difference = difference[torch.isfinite(difference)]
    if len(difference) < _FEW or not bool((difference != 0).any()):
        return 1.0
    return float(wilcoxon(difference.double().numpy(), alternative="less").pvalue)


def _verdict(
    trials: PictureTrials, tests: _Tests, same: bool, pairs: int, exactly: int | None, chosen: Candidate
) -> tuple[str, str]:
    if same:
        return "no symmetry", "source and target are the same image in every pair: t is 0 for all"
    if tests.mirror_image:
        count = len(trials.mirrored.held_out)
        better = trials.mirrored.held_out < trials.free.held_out[:count]
        axis = mirror_axis(trials.mirrored.along.t[better], trials.basis)
        return "no symmetry", f"each target is a mirror image of its source: {axis}"
    if not tests.related:
        return "no symmetry", "pairs fit no better, however they are moved, than their own mirror images do"
    if not tests.moved:
        return "no symmetry", "the images of a pair belong together, but nothing is moved: what differs is no motion"
    few = "" if pairs >= _FEW + 2 else f"; {pairs} pair{'s' * (pairs > 1)} cannot show a law of the magnitudes"
    if exactly is not None and not chosen.enough:
        return "symmetry", f"{exactly} generators were asked for; they explain less than free motions do{few}"
    return "symmetry", f"moved pairs fit held-out pixels far better than their own mirror images do{few}"


def _accept_below(mirrored: np.ndarray, error: np.ndarray) -> float:
    """Largest error of a pair that follows the symmetry: between a typical pair's and what mirror images keep."""
    unrelated = float(np.quantile(mirrored, 0.25))
    typical = max(float(np.median(error)), FLOOR)
    return float(unrelated * min(1.0, typical / max(unrelated, 1e-12)) ** _CLEARLY)
