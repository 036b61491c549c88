"""The engine: count generators on a part of the pairs, then measure all of them."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from liescope.engines.contract import Engine, Fit, Fitted, Progress, Settings, Start
from liescope.engines.pair_set import FEWEST_PAIRS, PairSet
from liescope.engines.registration.border import background_outside
from liescope.engines.registration.different_roots import (
    have_different_roots,
    lacks_generator,
    look_across_roots,
)
from liescope.engines.registration.nothing import identity_residual, nothing_found
from liescope.engines.registration.pictures import fit_pictures, fixed_pixels, without_pixels
from liescope.engines.registration.same_root import SameRoot, register_copies
from liescope.engines.registration.span_trials import SpanTrials
from liescope.engines.registration.stored import fitted_of
from liescope.geometry import Basis
from liescope.inference import LEVEL, Count, count_generators

__all__ = ["RegistrationEngine"]

logger = logging.getLogger(__name__)

_MIRRORED_BETTER = 0.8
"""Of the pairs' own error: where mirrored targets leave less than this, images may be turned over."""

_SAME = 1e-5
_SOME, _RESAMPLING = 0.02, 2e-3
_BRIGHTER = 0.1
"""Logarithm of the factor between the brightest parts of sources and targets: more is no matter of interpolation."""

_LEFT = 0.02
"""Of a target's energy: where moving leaves less, brightness has no part in it."""

_COPIES = 0.2
"""Of a target's variance: copies of one image leave less than this whatever their brightness."""


class RegistrationEngine(Engine):
    """Every pair in Lie-algebra coordinates; seconds, no network.

    Pairs whose images are copies of one image are registered. Where they are two images of one class, the generator is
    what pairs vary in beyond their classes.
    """

    name = "registration"

    def accepts(self, data: PairSet) -> str | None:
        return None

    def fit(self, data: PairSet, basis: Basis, settings: Settings, report: Progress, start: Start | None = None) -> Fit:
        fixed, broken = fixed_pixels(data)
        if broken.any():
            logger.info("%d pixels that never change are left out", int(broken.sum()))
            data = without_pixels(data, broken).rescaled(settings.seed)
        outside = background_outside(data, settings.border)
        if not outside or data.missing.any or len(data) < FEWEST_PAIRS:
            # Where most of an image is background, few pixels tell what is usual.
            logger.info("overlaps of images are compared: %s", _why_pictures(data, outside))
            return fit_pictures(data, basis, settings, report, outside, broken if outside else fixed | broken)
        parts = data.split(settings.seed)
        trials, count = _counted(data, parts, basis, settings, report)
        different = have_different_roots(count, basis)
        logger.info("of a sample of the pairs, generators: %d; %s", count.generators, count.reason)
        if _doubtful(trials, count, found=count.generators > 0 and not different):
            logger.info("permuted targets may mislead here: mirror images are asked as well")
            second = _second_opinion(data, basis, settings, report)
            if second is not None:
                return second
        fit: Fit | None = None
        if not count.generators and count.related and not different:
            logger.info("no generator moves sources onto targets: targets are moved onto sources")
            fit = _backwards(data, basis, settings, report)
            if fit is not None:
                return fit
        if different:
            logger.info("the two images of a pair seem to have different roots")
            fit = look_across_roots(data, trials, parts, settings.generators, settings.seed, report)
        if fit is None and count.generators:
            fit = register_copies(data, trials, count, report)
        if fit is None and not count.open:
            fit = lacks_generator(data, trials, parts, count)
        if fit is None:
            still = identity_residual(data, trials.aligner)
            fit = nothing_found(basis, count.reason, {}, still, "undecided" if count.open else "no symmetry")
        if not len(fit.coefficients) and settings.generators is not None:
            fit = _as_asked(fit, data, trials, count, settings.generators, report)
        return _with_evidence(fit, count)

    def restore(self, state: Mapping[str, bytes], basis: Basis, device: str = "cpu") -> Fitted:
        return fitted_of(state, basis, torch.device(device))

    def span_covariance(self, data: PairSet, basis: Basis, columns: np.ndarray, settings: Settings) -> np.ndarray:
        """From registering pairs along the span: what they leave open in pixels."""
        trials = SpanTrials(data, basis, *data.split(settings.seed))
        search = trials.search_along(torch.as_tensor(columns, dtype=torch.float32, device=data.device))
        pyramid = trials.fit_pyramid
        t, equations, _ = trials.aligner.magnitudes(pyramid, search)
        sums = trials.joint_equations(equations, pyramid.fine_target, search.span, t)
        covariance: np.ndarray = sums.covariance(search.span).numpy()
        return covariance


def _counted(
    data: PairSet, parts: tuple[np.ndarray, np.ndarray], basis: Basis, settings: Settings, report: Progress
) -> tuple[SpanTrials, Count]:
    """A sample of the pairs, and how many generators it shows."""
    trials = SpanTrials(data, basis, *parts)
    counting = partial(report, "finding the generators")
    return trials, count_generators(trials, basis.dimension, settings.generators, settings.seed, counting)


def _why_pictures(data: PairSet, outside: bool) -> str:
    if not outside:
        return "what lies outside of them is not background"
    return "pixels are missing" if data.missing.any else "there are few pairs"


def _doubtful(trials: SpanTrials, count: Count, found: bool) -> bool:
    """Whether permuted targets may have misled: images turned over, one scene in all pairs, other brightness.

    Permuted targets are no null for one scene, nor for images that are turned over; and a change of brightness looks
    like different images.
    """
    errors = partial(trials.held_out_errors, count.span) if found else trials.free_errors
    # Free motions start from the identity: of images turned over they reach those along the axis that was tried.
    own, *mirrored = (errors(mirrored=axis) for axis in (None, -1, -2))
    if min(float(one.median()) for one in mirrored) < _MIRRORED_BETTER * float(own.median()):
        return True
    if count.evidence.identity_error < _SAME:
        return False
    if found:
        if float(own.median()) > _LEFT and trials.brightness_change() > _BRIGHTER:
            return True
        # Of few scenes, some pairs with other pairs' targets fit as well as the pairs themselves.
        return float(np.quantile(count.evidence.null_errors, _SOME)) < float(own.median()) + _RESAMPLING
    one_scene = float(trials.free_errors(permute=1).median()) < _COPIES
    return one_scene or trials.brightness_change() > _BRIGHTER


def _second_opinion(data: PairSet, basis: Basis, settings: Settings, report: Progress) -> Fit | None:
    """What mirror images and free brightness say, where that is clear."""
    fit = fit_pictures(data, basis, settings, report, outside=True)
    if fit.verdict == "symmetry":
        return fit if float(np.median(fit.measured.residual)) < _COPIES else None
    return fit if fit.evidence.get("mirror_image") else None


def _backwards(data: PairSet, basis: Basis, settings: Settings, report: Progress) -> Fit | None:
    """What moves targets onto sources: where these are the sharper ones, only that explains the pairs."""
    turned = data.swapped(settings.seed)
    trials, count = _counted(turned, turned.split(settings.seed), basis, settings, report)
    # Two directions were tried.
    p_value = min(1.0, 2 * count.evidence.p_value)
    if not count.generators or p_value > LEVEL or have_different_roots(count, basis):
        return None
    evidence = count.evidence._replace(p_value=p_value)
    count = count._replace(
        evidence=evidence, reason=f"{count.reason}; targets were moved onto sources, which lack less"
    )
    fit = _with_evidence(register_copies(turned, trials, count, report), count)
    measured = fit.measured._replace(t=-fit.measured.t)
    fitted = fit.fitted.turned_round() if isinstance(fit.fitted, SameRoot) else fit.fitted
    return dataclasses.replace(fit, measured=measured, fitted=fitted)


def _as_asked(fit: Fit, data: PairSet, trials: SpanTrials, count: Count, number: int, report: Progress) -> Fit:
    """What that many generators do best, under the verdict and the reason that stand."""
    asked = register_copies(data, trials, count._replace(span=trials.fit(number)), report)
    evidence = dict(asked.evidence) | dict(fit.evidence)
    none = np.zeros(len(data), dtype=bool)
    return dataclasses.replace(asked, verdict=fit.verdict, reason=fit.reason, evidence=evidence, accepted=none)


def _with_evidence(fit: Fit, count: Count) -> Fit:
    """With what counting knows. Without generators nothing is moved, whatever was tried: that is in the steps."""
    evidence, found = count.evidence, count.generators > 0 and len(fit.coefficients) > 0
    counted: dict[str, Any] = {
        "heldout_error": evidence.heldout_error if found else evidence.identity_error,
        "identity_error": evidence.identity_error,
        "permuted_error": evidence.permuted_error if found else evidence.permuted_identity_error,
        "p_value": evidence.p_value,
        "null": "permuted",
        "steps": count.steps,
    }
    return fit.with_evidence(counted | dict(fit.evidence))
