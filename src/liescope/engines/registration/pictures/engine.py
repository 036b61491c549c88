"""Pictures with content up to their border: which motion relates them, judged against their own mirror images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool
from torch import Tensor

from liescope.engines.contract import Fit, Progress, Settings, SpanEstimate
from liescope.engines.overlap import LEAST_PIXELS, enough_overlap
from liescope.engines.pair_set import PairSet
from liescope.engines.registration.nothing import nothing_found
from liescope.engines.registration.pictures.camera import Camera
from liescope.engines.registration.pictures.fixed_pixels import without_pixels
from liescope.engines.registration.pictures.found import Found
from liescope.engines.registration.pictures.illumination import Illumination, fixed_illumination
from liescope.engines.registration.pictures.measuring import Measurer
from liescope.engines.registration.pictures.span import PictureSpan, measured_along
from liescope.engines.registration.pictures.trials import FLOOR
from liescope.engines.registration.readable import readable_span
from liescope.geometry import Basis

__all__ = ["fit_pictures"]

_CLEARLY = 1 / 6
_SYSTEMATIC_DEG = 0.1
_BEGUN = 0.1


def fit_pictures(
    data: PairSet,
    basis: Basis,
    settings: Settings,
    report: Progress,
    outside: bool = False,
    fixed: Bool[np.ndarray, "h w"] | None = None,
) -> Fit:
    """Find the generators of pairs of pictures and measure all pairs.

    Parameters
    ----------
    outside : bool
        What lies outside of pictures is known (background).
    fixed : bool array, shape (H, W), optional
        Pixels that never change, and are left out.
    """
    measurer = Measurer(basis, data.grid, data.device, outside)
    fixed = np.zeros(data.grid.shape, dtype=bool) if fixed is None else fixed
    data = without_pixels(data, fixed) if fixed.any() else data
    finding = partial(report, "finding the generators")
    finding(_BEGUN)
    overlapping = enough_overlap(data.source, data.target, data.missing)
    found = Found.of(data, measurer, settings, overlapping)
    if found.noisy and not found.same:
        # Whatever was found: of pictures full of noise only what smooth ones say counts.
        measurer = measurer.other
        found = Found.of(data, measurer, settings, overlapping)
    light: Illumination | None = None
    if found.tests.related and found.tests.moved and not outside and not found.same:
        data, found, light = _evened(data, found, measurer, settings, overlapping)
    verdict, reason = found.verdict(len(data), settings.generators)
    if fixed.any() and not found.same:
        count = int(fixed.sum())
        several = "1 pixel that never changes is" if count == 1 else f"{count} pixels that never change are"
        reason += f"; {several} left out"
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
    data: PairSet, found: Found, measurer: Measurer, settings: Settings, overlapping: np.ndarray
) -> tuple[PairSet, Found, Illumination | None]:
    """The pairs without what illumination they share, where dividing by it helps."""
    trials, chosen = found.trials, found.chosen
    light = fixed_illumination(data, trials.index, measurer, chosen.v, trials.good)
    if light is None:
        return data, found, None
    evened = dataclasses.replace(data, illumination=light.over(data.grid))
    again = Found.of(evened, measurer, settings, overlapping)
    return (evened, again, light) if again.better_than(found) else (data, found, None)


def _told(illumination: np.ndarray) -> str:
    return f"down to {100 * float(illumination.min() / illumination.max()):.0f} % of its maximum"


def _measured_fit(
    data: PairSet,
    found: Found,
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
    accepted = (measured.error <= threshold) & (verdict != "no symmetry")
    if verdict != "no symmetry":
        open_ = np.flatnonzero(~accepted)
        accepted[open_] = measurer.beat_mirrored(data, open_, refined.span, measured.t[open_])
    return Fit(
        verdict=verdict,
        reason=reason,
        coefficients=columns,
        covariances=own,
        evidence=evidence | {"accept_below": threshold},
        measured=measured_along(measured, data, change, refined.shared.cpu().numpy()),
        accepted=accepted,
        fitted=PictureSpan(measurer, refined, change, camera),
        span=SpanEstimate(directions, covariance, _SYSTEMATIC_DEG),
    )


def _mean_error(errors: Tensor) -> float:
    """Mean over pairs; images with nothing in common count 1, however little of them overlaps."""
    return float(errors.clamp(max=1).mean())


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
