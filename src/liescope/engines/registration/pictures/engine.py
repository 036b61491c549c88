"""Pictures with content up to their border: which motion relates them, judged against their own mirror images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import mannwhitneyu, wilcoxon
from torch import Tensor

from liescope.data import ImageStack
from liescope.engines.contract import Fit, Fitted, Measured, Progress, Settings, SpanEstimate
from liescope.engines.overlap import LEAST_PIXELS, enough_overlap
from liescope.engines.pair_set import PairSet
from liescope.engines.registration.nothing import nothing_found
from liescope.engines.registration.pictures.camera import Camera
from liescope.engines.registration.pictures.fixed_pixels import fixed_pixels, without_pixels
from liescope.engines.registration.pictures.illumination import Illumination, fixed_illumination
from liescope.engines.registration.pictures.measuring import Measurer, PictureMagnitudes
from liescope.engines.registration.pictures.mirror import mirror_axis
from liescope.engines.registration.pictures.trials import FLOOR, RELATED, SAMPLE, Candidate, PictureTrials, Refined
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
_BEGUN = 0.1
_REFINED = ("span", "covariance", "t", "shared")

_OPEN = 0.5
"""p-value up to which a difference of the size of a symmetry's may be one; above it speaks for none at all."""

_ALIKE = 0.2
"""Of the error of pairs as they are: what is left where a picture reaches its target, mirrored or not."""

_EVENED = 0.8
"""Of the error: dividing by an illumination must leave less than this."""


class PictureSpan(Fitted):
    """Measures pairs of pictures along a span.

    Parameters
    ----------
    measurer : Measurer
    refined : Refined
    change : array, shape (K, K)
        From coordinates in the span to magnitudes.
    camera : Camera
    """

    def __init__(self, measurer: Measurer, refined: Refined, change: np.ndarray, camera: Camera) -> None:
        self.measurer, self.refined, self.change, self.camera = measurer, refined, change, camera
        self.background = camera.scale.background
        self.device = refined.span.device

    def measure(self, source: ImageStack, target: ImageStack) -> Measured:
        pairs = self.camera.pairs(source, target, self.device)
        refined = self.refined
        with worker_pool(self.device):
            found = self.measurer.measure(pairs, refined.span, refined.t, refined.kernel)
        return _measured(found, pairs, self.change, refined.shared.cpu().numpy())

    def still(self, source: ImageStack, target: ImageStack) -> np.ndarray:
        with worker_pool(self.device):
            return self.measurer.still(self.camera.pairs(source, target, self.device))

    def state(self) -> dict[str, bytes]:
        return pack_arrays(
            kind="pictures",
            shape=self.measurer.grid.shape,
            change=self.change,
            outside=self.measurer.registrar.outside,
            kernel=self.refined.kernel,
            **{name: getattr(self.refined, name).cpu().numpy() for name in _REFINED},
            **self.camera.arrays(),
        )

    @classmethod
    def of(cls, held: Mapping[str, np.ndarray], basis: Basis, device: torch.device) -> PictureSpan:
        """The same from the arrays of :meth:`state`."""
        grid = Grid.of(*(int(n) for n in held["shape"]))
        measurer = Measurer(basis, grid, device, bool(held["outside"]))
        parts = {name: torch.as_tensor(held[name], device=device) for name in _REFINED}
        refined = Refined(kernel=str(held["kernel"]), **parts)
        if refined.span.shape[0] != basis.dimension or not bool(torch.isfinite(refined.span).all()):
            raise ValueError(f"expected a span of {basis.dimension} fields, got shape {tuple(refined.span.shape)}")
        return cls(measurer, refined, held["change"], Camera.of(held, grid))


class _Tests(NamedTuple):
    """Of a candidate: whether pairs fit far better than their mirror images, and than unmoved, on held-out blocks.

    ``maybe`` tells whether they do as far as sizes go, where the p-value leaves it open.
    """

    related: bool
    moved: bool
    mirror_image: bool
    maybe: bool
    p_value: float


class _Found(NamedTuple):
    """The sample of the pairs, the span that explains it, and what speaks for that."""

    trials: PictureTrials
    chosen: Candidate
    steps: list[dict[str, float]]
    tests: _Tests

    @classmethod
    def of(cls, data: PairSet, measurer: Measurer, settings: Settings, overlapping: np.ndarray) -> _Found:
        order = data.shuffled(settings.seed)
        order = order[overlapping[order]] if overlapping.any() else order
        trials = PictureTrials(data, measurer, order[:SAMPLE], settings.seed)
        chosen, steps = _chosen(trials, settings.generators)
        return cls(trials, chosen, steps, _tests(trials, chosen))

    @property
    def same(self) -> bool:
        """Whether source and target are one image."""
        return float(self.trials.still[0].quantile(0.95)) < _SAME

    @property
    def alike(self) -> bool:
        """Whether targets and their mirror images are both reached, from where not moving does not."""
        trials, well = self.trials, _ALIKE * self.trials.still[0].median()
        return bool(trials.free.held_out.median() < well) and bool(trials.mirrored.held_out.median() < well)

    def better_than(self, other: _Found) -> bool:
        """Whether it leaves clearly less of the same pairs on blocks of pixels held out."""
        own, before = self.chosen.held_out + FLOOR, other.chosen.held_out + FLOOR
        return float((own / before).median()) < _EVENED and _less(own - before) <= _LEVEL


def fit_pictures(data: PairSet, basis: Basis, settings: Settings, report: Progress, outside: bool = False) -> Fit:
    """Find the generators of pairs of pictures and measure all pairs."""
    measurer = Measurer(basis, data.grid, data.device, outside)
    # Where most of an image is background, few pixels tell what is usual.
    fixed = np.zeros(data.grid.shape, dtype=bool) if outside else fixed_pixels(data)
    data = without_pixels(data, fixed) if fixed.any() else data
    finding = partial(report, "finding the generators")
    finding(_BEGUN)
    overlapping = enough_overlap(data.source, data.target, data.missing)
    found = _Found.of(data, measurer, settings, overlapping)
    light: Illumination | None = None
    if found.tests.related and found.tests.moved and not outside and not found.same:
        data, found, light = _evened(data, found, measurer, settings, overlapping)
    verdict, reason = _verdict(found, len(data), settings.generators)
    if fixed.any() and not found.same:
        reason += f"; {int(fixed.sum())} pixels that never change are left out"
    if data.illumination is not None:
        reason += f"; illumination that stays with the camera, {_told(data.illumination)}, is divided out"
    reason += _left_out(int((~overlapping).sum()))
    answered = verdict != "no symmetry" or settings.generators is not None
    evidence: dict[str, Any] = {
        "heldout_error": _mean_error(found.chosen.held_out if answered else found.trials.still[0]),
        "identity_error": _mean_error(found.trials.still[0]),
        "permuted_error": _mean_error(found.trials.mirrored.held_out),
        "p_value": found.tests.p_value,
        "null": "mirrored",
        "border": "zero" if outside else "unknown",
        "mirror_image": found.tests.mirror_image and not found.same,
        "fixed_pixels": [[int(row), int(column)] for row, column in np.argwhere(fixed)],
        "illumination": None if light is None else light.coefficients.tolist(),
        "steps": found.steps,
    }
    measuring = partial(report, "measuring all pairs")
    measuring(0.0)
    if not answered:
        return nothing_found(basis, reason, evidence, measurer.still(data))
    camera = Camera(data.scale, data.missing.nodata, fixed, light)
    fit = _measured_fit(data, found, measurer, camera, (verdict, reason), evidence, measuring)
    return dataclasses.replace(fit, accepted=fit.accepted & overlapping)


def _evened(
    data: PairSet, found: _Found, measurer: Measurer, settings: Settings, overlapping: np.ndarray
) -> tuple[PairSet, _Found, Illumination | None]:
    """The pairs without what illumination they share, where dividing by it helps."""
    trials, chosen = found.trials, found.chosen
    light = fixed_illumination(data, trials.index, measurer, chosen.v, trials.good)
    if light is None:
        return data, found, None
    evened = dataclasses.replace(data, illumination=light.over(data.grid))
    again = _Found.of(evened, measurer, settings, overlapping)
    return (evened, again, light) if again.better_than(found) else (data, found, None)


def _told(illumination: np.ndarray) -> str:
    return f"down to {100 * float(illumination.min() / illumination.max()):.0f} % of its maximum"


def _measured_fit(
    data: PairSet,
    found: _Found,
    measurer: Measurer,
    camera: Camera,
    told: tuple[str, str],
    evidence: dict[str, Any],
    progress: Callable[[float], None],
) -> Fit:
    """All pairs, measured along the generators."""
    refined = found.trials.refined(found.chosen.family, found.chosen.span)
    measured = measurer.measure(data, refined.span, refined.t, refined.kernel, progress)
    directions, covariance = refined.span.double().cpu().numpy(), refined.covariance.numpy()
    columns, own, change = readable_span(directions, covariance, measurer.basis, data.grid)
    threshold = _accept_below(found.trials.mirrored.held_out.cpu().numpy(), measured.error)
    verdict, reason = told
    return Fit(
        verdict=verdict,
        reason=reason,
        coefficients=columns,
        covariances=own,
        evidence=evidence | {"accept_below": threshold},
        measured=_measured(measured, data, change, refined.shared.cpu().numpy()),
        accepted=(measured.error <= threshold) & (verdict != "no symmetry"),
        fitted=PictureSpan(measurer, refined, change, camera),
        span=SpanEstimate(directions, covariance, _SYSTEMATIC_DEG),
    )


def _measured(found: PictureMagnitudes, pairs: PairSet, change: np.ndarray, shared: np.ndarray) -> Measured:
    """Magnitudes along the readable generators, brightness in grey values."""
    background = float(pairs.scale.background.mean())
    return Measured(
        found.t @ change.T,
        found.error,
        standard_errors(found.covariance + shared, change),
        np.zeros(len(found.t), dtype=bool),
        found.gain,
        found.offset * pairs.scale.amplitude + background * (1 - found.gain),
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
    related, moved = typical <= RELATED * mirrored, typical <= _MOVED * unmoved
    p_value = max(p_related, p_moved)
    return _Tests(
        related=p_related <= _LEVEL and related,
        moved=p_moved <= _LEVEL and moved,
        mirror_image=p_mirror <= _LEVEL and mirrored <= RELATED * free,
        maybe=related and moved and _LEVEL < p_value <= _OPEN,
        p_value=p_value,
    )


def _less(difference: Tensor) -> float:
    """p-value of differences that are 0 or above by chance (Wilcoxon), of pairs or of blocks of few pairs."""
    difference = difference[torch.isfinite(difference)]
    if len(difference) < _FEW or not bool((difference != 0).any()):
        return 1.0
    return float(wilcoxon(difference.double().numpy(), alternative="less").pvalue)


def _verdict(found: _Found, pairs: int, exactly: int | None) -> tuple[str, str]:
    trials, tests = found.trials, found.tests
    if found.same:
        return "no symmetry", "source and target are the same image in every pair: t is 0 for all"
    if tests.mirror_image:
        count = len(trials.mirrored.held_out)
        better = trials.mirrored.held_out < trials.free.held_out[:count]
        axis = mirror_axis(trials.mirrored.along.t[better], trials.basis)
        return "no symmetry", f"each target is a mirror image of its source: {axis}"
    if tests.maybe:
        chance = f"but that may be chance (p = {tests.p_value:.2g}); more pairs, or larger pictures, would tell"
        return "undecided", f"moved pairs fit better than their own mirror images do, {chance}"
    if not tests.related and found.alike:
        symmetric = "pairs fit well, but so do their own mirror images: pictures that are symmetric themselves"
        return "undecided", f"{symmetric} cannot tell a motion from a mirror; pictures that are not would"
    if not tests.related:
        return "no symmetry", "pairs fit no better, however they are moved, than their own mirror images do"
    if not tests.moved:
        return "no symmetry", "the images of a pair belong together, but nothing is moved: what differs is no motion"
    few = "" if pairs >= _FEW + 2 else f"; {pairs} pair{'s' * (pairs > 1)} cannot show a law of the magnitudes"
    if exactly is not None and not found.chosen.enough:
        return "symmetry", f"{exactly} generators were asked for; they explain less than free motions do{few}"
    return "symmetry", f"moved pairs fit held-out pixels far better than their own mirror images do{few}"


def _left_out(pairs: int) -> str:
    """What a reason says of pairs that were not looked at."""
    if not pairs:
        return ""
    which = f"1 pair has fewer than {LEAST_PIXELS} pixels that are valid in both images, and is"
    several = f"{pairs} pairs have fewer than {LEAST_PIXELS} pixels that are valid in both images, and are"
    return f"; {which if pairs == 1 else several} left out"


def _accept_below(mirrored: np.ndarray, error: np.ndarray) -> float:
    """Largest error of a pair that follows the symmetry: between a typical pair's and what mirror images keep."""
    unrelated = float(np.quantile(mirrored, 0.25))
    typical = max(float(np.median(error)), FLOOR)
    return float(unrelated * min(1.0, typical / max(unrelated, 1e-12)) ** _CLEARLY)
