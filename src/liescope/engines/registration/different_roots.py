"""Pairs whose images have different roots: a generator by contrast with the classes, or a soft variation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from liescope.algebra import Generator
from liescope.data import ImageStack
from liescope.engines.contract import Fit, Fitted, Measured, SpanEstimate
from liescope.engines.pair_set import GreyScale, PairSet, among_all
from liescope.engines.registration.aligner import Aligner, Search
from liescope.engines.registration.beyond_basis import Leftovers, left_in_larger_basis
from liescope.engines.registration.contrast import Contrast, contrast_generator
from liescope.engines.registration.nothing import identity_residual, nothing_found
from liescope.engines.registration.span_trials import SpanTrials, free_coordinates
from liescope.engines.state import pack_arrays
from liescope.engines.workers import map_chunks, worker_pool
from liescope.geometry import Basis, Grid
from liescope.inference import DIFFERENT_ROOTS, LEVEL, Count, gain_test

__all__ = [
    "DifferentRoots",
    "have_different_roots",
    "lacks_generator",
    "look_across_roots",
    "soft_variation",
]

_LEFT_OF_MANY = 0.2
"""What is left of permuted pairs' errors where more than half of the basis was needed: so many fields bend images of
one class towards one another, to 0.29 of what they do for others with the twelve fields of the quadratic basis."""

_LEAST_BOUGHT = 0.02
"""What a generator must remove of pairs' errors, significantly more than of permuted pairs'. It can be little: what
different digits differ in is far more than what a special conformal transform moves (0.05)."""

_MUCH_LEFT, _EXPLAINED = 0.1, 0.2
"""Of what is left of permuted pairs, what images that do not move are below; of that, what a motion leaves of it."""

_FEWEST_HELD_OUT = 32
"""Of a handful of pairs, twelve fields explain more than they do of permuted ones by chance."""

_SYSTEMATIC_DEG = 5.0
"""What images of different roots share turns the direction by about this much in each of the basis' fields."""

_MOST_PAIRS = 5000

_LEAST_FIELDS = 3
"""Contrasts compare directions; with fewer than three there is nothing to compare one with."""


class DifferentRoots(Fitted):
    """Measures pairs along a direction that was found by contrast.

    Parameters
    ----------
    aligner : Aligner
    direction : array, shape (m,)
    reading : array, shape (m,)
        Takes coordinates of any pair to its magnitude.
    bounds : (float, float)
        Where wild magnitudes are held.
    scale : GreyScale
    """

    rough = True

    def __init__(
        self,
        aligner: Aligner,
        direction: np.ndarray,
        reading: np.ndarray,
        bounds: tuple[float, float],
        scale: GreyScale,
    ) -> None:
        self.aligner = aligner
        self.direction = direction
        self.reading = reading
        self.bounds = bounds
        self.scale = scale
        self.background = scale.background

    def measure(self, source: ImageStack, target: ImageStack) -> Measured:
        pairs = PairSet(source, target, self.scale, self.aligner.device)
        with worker_pool(pairs.device):
            t, residual, _ = self.errors(pairs)
        return Measured(t, residual)

    def still(self, source: ImageStack, target: ImageStack) -> np.ndarray:
        return identity_residual(PairSet(source, target, self.scale, self.aligner.device), self.aligner)

    def errors(self, pairs: PairSet, t: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Magnitudes (M, 1) and relative errors (M,), moved and as they are, of pairs that are on the scale already.

        Parameters
        ----------
        t : array, shape (M,), optional
            Magnitudes, where these are known.
        """
        aligner = self.aligner
        if t is None:
            v = free_coordinates(pairs, aligner).v.double().cpu().numpy()
            t = np.clip(v @ self.reading, *self.bounds)
        t = t[:, None]
        span = torch.as_tensor(self.direction[:, None], dtype=torch.float32, device=aligner.device)
        search = Search(span, span.new_zeros(1, 1), max(map(abs, self.bounds)) + 1e-6)

        def of_chunk(part: slice) -> tuple[np.ndarray, np.ndarray]:
            pyramid = aligner.pyramid(pairs, part)
            start = torch.as_tensor(t[part], dtype=torch.float32, device=aligner.device)
            moved = aligner.refine(pyramid.fine_source, pyramid.fine_target, search, aligner.fine, start, 0)[1].error
            return aligner.share(pyramid, moved).cpu().numpy(), aligner.unmoved_share(pyramid).cpu().numpy()

        parts = list(map_chunks(of_chunk, aligner.chunks(pairs)))
        residual, still = (np.concatenate(column).astype(np.float64) for column in zip(*parts, strict=True))
        return t, residual, still

    def state(self) -> dict[str, bytes]:
        return pack_arrays(
            kind="different roots",
            shape=self.aligner.grid.shape,
            direction=self.direction,
            reading=self.reading,
            bounds=self.bounds,
            background=self.scale.background,
            amplitude=self.scale.amplitude,
        )


def have_different_roots(count: Count, basis: Basis) -> bool:
    """Whether pairs belong together, but moving one image does not give the other."""
    most = _LEFT_OF_MANY if 2 * count.generators > basis.dimension else DIFFERENT_ROOTS
    return (count.generators > 0 or count.related) and count.left > most


def lacks_generator(
    pairs: PairSet, trials: SpanTrials, parts: tuple[np.ndarray, np.ndarray], count: Count
) -> Fit | None:
    """Of pairs that belong together though nothing in the basis moves them: whether a larger basis has what does."""
    if not count.related or count.left < _MUCH_LEFT or len(parts[1]) < _FEWEST_HELD_OUT:
        return None
    beyond = left_in_larger_basis(pairs, trials.aligner.basis, *parts)
    if beyond is None or beyond > _EXPLAINED * count.left:
        return None
    return _lacking(pairs, trials.aligner, {"left_in_larger_basis": beyond})


def _lacking(pairs: PairSet, aligner: Aligner, told: dict[str, Any]) -> Fit:
    reason = (
        f"the images of a pair are copies of one image, but basis '{aligner.basis.name}' lacks what moves them; "
        "try basis='quadratic'"
    )
    return nothing_found(aligner.basis, reason, told, identity_residual(pairs, aligner))


def look_across_roots(
    pairs: PairSet,
    trials: SpanTrials,
    parts: tuple[np.ndarray, np.ndarray],
    exactly: int | None,
    seed: int,
    report: Callable[[str, float], None],
) -> Fit | None:
    """Look for what pairs vary in beyond their classes, once it is clear that they are not copies of one image.

    Parameters
    ----------
    parts : two integer arrays
        Pairs that ``trials`` fits to and those it holds out.
    exactly : int or None
        How many generators were asked for.

    Returns
    -------
    Fit or None
        None where the images are copies after all, of which the generators that were asked for leave much.
    """
    basis, aligner = trials.aligner.basis, trials.aligner
    comparable = basis.dimension >= _LEAST_FIELDS and exactly in (None, 1)
    report("looking beyond the basis", 0.0)
    beyond = left_in_larger_basis(pairs, basis, *parts)
    told: dict[str, Any] = {"left_in_larger_basis": beyond}
    if beyond is None and not comparable:
        beyond = Leftovers.of(trials, trials.free_errors).left()
    if beyond is not None and beyond <= DIFFERENT_ROOTS:
        if not comparable:
            return None
        return _lacking(pairs, aligner, told)
    if not comparable:
        why = (
            f"basis '{basis.name}' is too small to tell what moves them from how they differ anyway"
            if basis.dimension < _LEAST_FIELDS
            else f"{exactly} generators were asked for, but there only one can be found"
        )
        reason = f"the images of a pair have different roots, or are very noisy; {why}"
        still = identity_residual(pairs, aligner)
        return nothing_found(basis, reason, told | {"p_value": 1.0}, still, "undecided")
    fit = _contrast(pairs, aligner, parts[1], seed, report)
    return fit.with_evidence(told | dict(fit.evidence))


def _contrast(
    pairs: PairSet, aligner: Aligner, held_out: np.ndarray, seed: int, report: Callable[[str, float], None]
) -> Fit:
    """The direction in which pairs vary beyond their classes.

    It counts only if moving along it brings sources nearer to their own targets than it brings them to others', those
    of the held-out pairs permuted.
    """
    basis = aligner.basis
    report("comparing with the variation within classes", 0.0)
    index = pairs.shuffled(seed)[:_MOST_PAIRS]
    contrast = contrast_generator(pairs.subset(index), basis, seed)
    if not contrast.measured:
        reason = (
            f"the images of a pair have different roots, and {len(index):,} pairs are too few, or too unlike one "
            "another, to learn how images of one class differ anyway; a thousand of few classes are enough"
        )
        return nothing_found(basis, reason, {"p_value": 1.0}, identity_residual(pairs, aligner), "undecided")
    fitted = DifferentRoots(aligner, contrast.direction, contrast.reading, contrast.bounds, pairs.scale)
    soft = soft_variation(contrast, basis, pairs.grid)
    report("measuring all pairs", 0.0)
    known = among_all(contrast.t[:, None], index, len(pairs))[:, 0] if len(index) == len(pairs) else None
    t, residual, still = fitted.errors(pairs, known)
    swapped = pairs.permuted(held_out, 1 + seed % max(1, len(held_out) - 1))
    _, null_residual, null_still = fitted.errors(swapped)
    # All pairs count as held out: the direction is no fit to their residuals.
    gain = gain_test(still, residual, null_still, null_residual, float(still.mean()))
    explains = gain.bought >= _LEAST_BOUGHT and gain.excess > 0 and gain.p_value <= LEVEL
    told = {
        "p_value": contrast.p_value,
        "contrast": {
            "ratio": contrast.ratio,
            "runner_up": contrast.runner_up,
            "p_value": contrast.p_value,
            "bought": gain.bought,
            "excess": gain.excess,
            "gain_p_value": gain.p_value,
            "direction_found": contrast.reliable,
            "explains": explains,
            "soft": soft,
        },
    }
    if not contrast.reliable:
        reason = (
            "the images of a pair have different roots, and no direction stands out from what images of one class "
            f"differ in anyway: a soft variation of about {soft['extent_px']:.2g} pixels, not shown to be a group"
        )
        return nothing_found(basis, reason, told, identity_residual(pairs, aligner))
    if not explains:
        reason = (
            "the images of a pair are related, but neither by a generator of this basis nor as images of one class: "
            "what they vary in most does not bring them closer to each other; try a larger basis"
        )
        return nothing_found(basis, reason, told, identity_residual(pairs, aligner))
    errors = {
        "heldout_error": float(residual.mean()),
        "identity_error": float(still.mean()),
        "permuted_error": float(null_residual.mean()),
    }
    ambiguous = ((t <= contrast.bounds[0]) | (t >= contrast.bounds[1]))[:, 0]
    return Fit(
        verdict="symmetry",
        reason=(
            "the images of a pair have different roots; along this generator they vary "
            f"{contrast.ratio:.1f} times as much as their classes do"
        ),
        coefficients=contrast.direction[None],
        covariances=_with_systematic(contrast.covariance)[None],
        evidence=errors | told,
        measured=Measured(t, residual, np.full_like(t, contrast.t_error), ambiguous),
        accepted=~ambiguous,  # no residual tells different roots from strangers; a wild magnitude does
        fitted=fitted,
        span=SpanEstimate(contrast.direction[:, None], contrast.covariance, _SYSTEMATIC_DEG),
    )


def _with_systematic(covariance: np.ndarray) -> np.ndarray:
    """The direction's covariance (m, m), with what such directions are off by beyond the scatter of their pairs."""
    widened: np.ndarray = covariance + np.radians(_SYSTEMATIC_DEG) ** 2 * np.eye(len(covariance))
    return widened


def soft_variation(contrast: Contrast, basis: Basis, grid: Grid) -> dict[str, Any]:
    """What images of one class vary in most, and its extent: a standard deviation, root mean square over the image."""
    generator = Generator(contrast.class_direction, basis, grid)
    return {
        "name": generator.name,
        "equation": generator.equation,
        "coefficients": generator.coefficients.tolist(),
        "extent_px": contrast.class_spread * grid.pixels_per_unit,
    }
