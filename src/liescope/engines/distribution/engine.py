"""The engine: two sets of images, the generator and its law from their distributions alone."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from liescope.algebra import fix_gauge
from liescope.data import ImageStack
from liescope.data.sets import FEWEST_IMAGES
from liescope.engines.contract import Engine, Fit, Fitted, Measured, Progress, Settings, SpanEstimate, Start
from liescope.engines.distribution.contrasting import weighed
from liescope.engines.distribution.deciding import decide, evidence_of, one_distribution
from liescope.engines.distribution.law import KNOTS, drawn_from
from liescope.engines.distribution.posterior import library_of
from liescope.engines.distribution.searching import Found, TwoSets, search, test_of
from liescope.engines.distribution.solving import Solution
from liescope.engines.distribution.stored import MovedSets, fitted_of
from liescope.engines.distribution.views import Views, working_grid
from liescope.engines.pair_set import GreyScale, PairSet, canonical_order
from liescope.errors import InputError
from liescope.geometry import Basis, Grid
from liescope.inference import LEVEL

__all__ = ["DistributionEngine"]

logger = logging.getLogger(__name__)

_MOST_GENERATORS = 2
_SYSTEMATIC_DEG = 1.0
"""What the images share turns the direction by about this much in each of the fields of a basis."""
_DIFFERENT = "the images of a pair have different roots"
_Z95 = 1.959963984540054


class DistributionEngine(Engine):
    """Generator and law from two distributions: sources, moved, are distributed as targets are; no pair is compared."""

    name = "distribution"
    starts_from = "registration"

    def accepts(self, data: PairSet) -> str | None:
        if data.missing.any:
            return "images with missing pixels"
        if len(data) < FEWEST_IMAGES:
            return f"{len(data)} pairs, where at least {FEWEST_IMAGES} are needed to compare distributions"
        return None

    def fit(self, data: PairSet, basis: Basis, settings: Settings, report: Progress, start: Start | None = None) -> Fit:
        grid = working_grid(data.grid)
        index = data.shuffled(settings.seed)
        sources, targets = (Views(images, data.scale, grid) for images in (data.source, data.target))
        sets = TwoSets(sources, targets, index, index, None, True)
        others = [] if start is None else list(start.fit.coefficients)
        fit = fitted_sets(sets, basis, settings, report, others)
        return fit if start is None else dataclasses.replace(fit, reason=f"{_DIFFERENT}; {fit.reason}")

    def goes_on_from(self, fit: Fit) -> bool:
        return "contrast" in fit.evidence

    def weighed(self, first: Fit, own: Fit) -> tuple[str, Fit]:
        return weighed(first, own)

    def fit_sets(
        self,
        before: ImageStack,
        after: ImageStack,
        basis: Basis,
        settings: Settings,
        report: Progress,
        groups: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Fit:
        """The same of two sets without pairs; what is measured are the images of ``after``.

        Parameters
        ----------
        before, after : ImageStack, shape (N, C, H, W), (M, C, H, W)
            Validated.
        groups : two integer arrays, shape (N,), (M,), optional
            Labels: images are compared with those of the same.
        """
        orders = [canonical_order(images, images) for images in (before, after)]
        x, y = (order[np.random.default_rng(settings.seed).permutation(len(order))] for order in orders)
        scale = GreyScale.of(after, y[:512])
        grid = working_grid(Grid.of(*before.shape[-2:]))
        sets = TwoSets(Views(before, scale, grid), Views(after, scale, grid), x, y, groups)
        return fitted_sets(sets, basis, settings, report)

    def restore(self, state: Mapping[str, bytes], basis: Basis, device: str = "cpu") -> Fitted:
        return fitted_of(state, basis)


def fitted_sets(
    sets: TwoSets, basis: Basis, settings: Settings, report: Progress, others: list[np.ndarray] | None = None
) -> Fit:
    """Test, search, decide, measure.

    Raises
    ------
    InputError
        More generators than it looks for.
    """
    if settings.generators is not None and settings.generators > _MOST_GENERATORS:
        raise InputError(
            f"expected at most {_MOST_GENERATORS} generators between two sets, got {settings.generators}, try auto"
        )
    report("comparing the two sets", 0.0)
    counts = len(sets.x), len(sets.y)
    test = test_of(sets, settings.seed)
    logger.info("energy distance %.3g, p %.3g", test.distance, test.p_value)
    if test.p_value > LEVEL and settings.generators is None:
        return _nothing(basis, "no symmetry", one_distribution(test), evidence_of(test, None, counts), counts[1])
    found = search(sets, basis, settings.generators, settings.seed, report, others or ())
    decision = decide(found)
    evidence = evidence_of(test, found, counts)
    if test.p_value > LEVEL:
        decision = decision._replace(verdict="no symmetry", reason=one_distribution(test), told=True)
    if not decision.told and settings.generators is None:
        return _nothing(basis, decision.verdict, decision.reason, evidence, counts[1])
    solution, covariance = _in_gauge(found, basis)
    evidence["sets"]["law"] = _law(solution, covariance)
    report("measuring all images", 0.0)
    groups = np.zeros(counts[0], dtype=int) if sets.groups is None else sets.groups[0][sets.x]
    reader = library_of(
        found.motion,
        solution.coefficients,
        solution.quantiles,
        sets.sources,
        sets.x,
        groups,
        settings.seed,
        sets.targets if sets.paired else None,
    )
    shape = tuple(int(side) for side in sets.sources.images.shape[-2:])
    fitted = MovedSets(reader, shape, sets.sources.scale, sets.paired, _means(sets, found, solution))
    if sets.paired:
        measured = fitted.measure(sets.sources.images, sets.targets.images)
    else:
        measured = fitted.measure_images(sets.targets.images, None if sets.groups is None else sets.groups[1])
    k, m = solution.coefficients.shape
    # What resampling did to all targets alike is in no scatter.
    shared = np.radians(_SYSTEMATIC_DEG) ** 2 * np.eye(m)
    own = [covariance[i * m : (i + 1) * m, i * m : (i + 1) * m] + shared for i in range(k)]
    symmetric = decision.verdict == "symmetry"
    return Fit(
        verdict=decision.verdict,
        reason=decision.reason,
        coefficients=solution.coefficients,
        covariances=np.stack(own),
        evidence=evidence,
        measured=measured,
        accepted=np.full(counts[1], symmetric),
        fitted=fitted,
        span=SpanEstimate(solution.coefficients.T, covariance[:m, :m], _SYSTEMATIC_DEG) if k == 1 else None,
    )


def _nothing(basis: Basis, verdict: str, reason: str, evidence: dict[str, Any], count: int) -> Fit:
    none, no_image = np.zeros((count, 0)), np.zeros(count, dtype=bool)
    measured = Measured(none, np.ones(count), none, no_image)
    return Fit(verdict, reason, np.zeros((0, basis.dimension)), None, evidence, measured, no_image)


def _in_gauge(found: Found, basis: Basis) -> tuple[Solution, np.ndarray]:
    """With the documented signs; a law whose generator turns round is read from the other end."""
    coefficients, quantiles = found.solution.coefficients.copy(), found.solution.quantiles.copy()
    k, m = coefficients.shape
    change = np.eye(len(found.covariance))
    for row in range(k):
        fixed = fix_gauge(coefficients[row], basis)
        if fixed @ coefficients[row] < 0:
            own = slice(row * m, (row + 1) * m)
            law = slice(k * m + row * KNOTS, k * m + (row + 1) * KNOTS)
            change[own, own] *= -1
            change[law, law] = -np.eye(KNOTS)[::-1]
            quantiles[row] = -quantiles[row, ::-1]
        coefficients[row] = fixed
    covariance: np.ndarray = change @ found.covariance @ change.T
    return Solution(coefficients, quantiles, found.solution.misfit), covariance


def _law(solution: Solution, covariance: np.ndarray) -> list[dict[str, Any]]:
    """Quantiles of every generator's magnitudes with their band (95 %)."""
    k, m = solution.coefficients.shape
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0))[k * m :].reshape(k, KNOTS)
    u = np.linspace(0, 1, KNOTS)
    return [
        {
            "u": u.tolist(),
            "t": own.tolist(),
            "low": (own - _Z95 * spread).tolist(),
            "high": (own + _Z95 * spread).tolist(),
        }
        for own, spread in zip(solution.quantiles, deviation, strict=True)
    ]


def _means(sets: TwoSets, found: Found, solution: Solution) -> np.ndarray:
    """Mean images of sources, targets and moved sources."""
    some = 500
    x, y = sets.sources.rows(np.sort(sets.x[:some])), sets.targets.rows(np.sort(sets.y[:some]))
    t = drawn_from(solution.quantiles, len(x), np.random.default_rng(0))
    moved = found.motion.moved(x, t @ solution.coefficients)
    stacked: np.ndarray = np.stack([rows.mean(dim=0).numpy() for rows in (x, y, moved)])
    return stacked.reshape(3, *found.motion.grid.shape)
