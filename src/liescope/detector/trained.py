"""A detection with the latent engine, put together: warm start, training, evidence on held-out pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from liescope import __version__
from liescope.algebra import Generator, describe_algebra
from liescope.data import ImageStack
from liescope.detector.registered import split
from liescope.detector.warm import Warmth, find_warm_start
from liescope.engines.latent import LatentConfig, TrainedLatent, fit_latent, held_out_split
from liescope.engines.latent.engine import check_training
from liescope.engines.pair_set import PairSet
from liescope.engines.registration import SpanTrials
from liescope.geometry import Basis
from liescope.inference import coefficient_uncertainty, gain_test
from liescope.result import DetectedGenerator, SymmetryResult

__all__ = ["LatentMeasure", "fit_trained"]

_ACCEPT_QUANTILE = 0.02
_PEAK_QUANTILE = 0.999
_PROBE = 1000
_KEPT = ("p_value", "steps", "contrast")
"""What registration knows of a generator that the training started from."""


class LatentMeasure(NamedTuple):
    """Measures pairs with a trained model."""

    latent: TrainedLatent

    @property
    def background(self) -> np.ndarray:
        """Grey value (C, 1, 1) outside images."""
        return self.latent.background

    def measured(self, source: ImageStack, target: ImageStack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Magnitudes (M, K) and relative errors (M,) of decoded images, moved and not moved."""
        t, moved, still = self.latent.errors(np.asarray(source[:]), np.asarray(target[:]))
        return t[:, : len(self.latent.generators)], moved, still


def fit_trained(
    pairs: PairSet,
    basis: Basis,
    config: LatentConfig,
    settings: Mapping[str, Any],
    report: Callable[[str, float], None],
    folder: Path | None = None,
    resume: bool = False,
) -> tuple[SymmetryResult, LatentMeasure]:
    """Train a latent model on pairs, and describe what it found.

    Parameters
    ----------
    settings : mapping
        The estimator's parameters; ``n_generators``, ``random_state`` and ``device`` are read here.
    folder, resume
        As in :func:`liescope.engines.latent.fit_latent`.
    """
    check_training(config, basis)
    seed = int(settings["random_state"])
    train_on, held = held_out_split(len(pairs), config.training.held_out, seed)
    warmth = Warmth(None, None, "a cold start was asked for")
    if config.training.warm_start:
        most = np.random.default_rng(seed).permutation(train_on)[: config.training.warm_pairs]
        warmth = find_warm_start(pairs, basis, np.sort(most), settings, report)
    generators = len(warmth.start.coefficients) if warmth.start else _asked(settings["n_generators"])
    background, amplitude = _scale(pairs)
    source, target = (_tensor(stack, background, amplitude) for stack in (pairs.source, pairs.target))
    fit = fit_latent(
        source,
        target,
        basis,
        generators,
        config,
        seed=seed,
        start=warmth.start,
        device=settings["device"],
        folder=folder,
        resume=resume,
        report=report,
    )
    shape = pairs.grid.shape
    rows = fit.model.coefficients.detach().double().cpu().numpy()
    found = [Generator(row, basis, shape) for row in rows]
    # The model's own generators are brought into the gauge, so that its t is everybody's t.
    sign = np.sign([g.coefficients @ row for g, row in zip(found, rows, strict=True)])
    fit.model.flip(torch.as_tensor(sign))
    latent = TrainedLatent(fit.model, config, background, amplitude, _turned(fit.history, sign))
    measure = LatentMeasure(latent)
    report("measuring all pairs with the trained model", 0.0)
    t, residual, still = measure.measured(pairs.source, pairs.target)
    evidence, null = _evidence(measure, pairs, held, residual, still, seed)
    reasons = [warmth.notice, *fit.notices]
    shown = evidence.pop("convincing")
    # Registration's verdict stands on held-out pairs of its own: a decoder trained too briefly does not undo it.
    if shown or warmth.start is not None:
        threshold = float(np.quantile(null, _ACCEPT_QUANTILE))
        accepted = residual <= threshold
        detected = _with_uncertainty(found, warmth, pairs, basis, seed)
        if warmth.start is not None:
            evidence["decoder_p_value"] = evidence["p_value"]
            evidence |= {name: warmth.evidence[name] for name in _KEPT if name in warmth.evidence}
        reasons.insert(
            0,
            "held-out targets are decoded far better with their t than those of permuted pairs"
            if shown
            else "registration found it in held-out pairs; the trained decoder does not show it",
        )
    else:
        t, accepted, threshold, detected = t[:, :0], np.zeros(len(pairs), dtype=bool), 0.0, ()
        reasons.insert(0, "the trained generator explains held-out pairs no better than pairs with permuted targets")
    columns = np.array([g.generator.coefficients for g in detected]).reshape(-1, basis.dimension).T
    result = SymmetryResult(
        engine="latent",
        verdict="symmetry" if detected else "no symmetry",
        reason="; ".join(reasons),
        pairs=len(pairs),
        shape=latent.shape,
        basis=basis,
        generators=detected,
        algebra=describe_algebra(columns, basis, shape)._asdict(),
        evidence={"steps": []} | evidence | {"accept_below": threshold},
        t=t,
        residual=residual if detected else still,
        accepted=accepted,
        seconds=0.0,
        seed=seed,
        settings={**settings, "config": config.model_dump()},
        version=__version__,
        latent=latent,
    )
    return result, measure


def _turned(history: list[dict[str, float]], sign: np.ndarray) -> list[dict[str, float]]:
    """The history with the coefficients (``a0_3``: of generator 0, term 3) of generators in the gauge."""
    factors = {f"a{k}_": float(factor) for k, factor in enumerate(sign)}
    return [
        {name: value * factors.get(name[: name.find("_") + 1], 1) for name, value in row.items()} for row in history
    ]


def _asked(generators: str | int) -> int:
    """K of a cold start: one where it is left to us, for only held-out registration could tell more."""
    return 1 if generators == "auto" else int(generators)


def _scale(pairs: PairSet) -> tuple[np.ndarray, float]:
    """Background (C, 1, 1), and the grey value that counts as 1: nearly the brightest of the targets."""
    probe = np.linspace(0, len(pairs) - 1, min(_PROBE, len(pairs))).astype(int)
    targets = np.asarray(pairs.target[np.unique(probe)], dtype=np.float64)
    background = pairs.scale.background
    amplitude = float(np.quantile(np.abs(targets - background), _PEAK_QUANTILE))
    return background, amplitude or float(np.abs(targets - background).max()) or 1.0


def _tensor(stack: ImageStack, background: np.ndarray, amplitude: float) -> torch.Tensor:
    return torch.from_numpy(((np.asarray(stack[:]) - background) / amplitude).astype(np.float32))


def _evidence(
    measure: LatentMeasure, pairs: PairSet, held: np.ndarray, residual: np.ndarray, still: np.ndarray, seed: int
) -> tuple[dict[str, Any], np.ndarray]:
    """Errors of the held-out pairs, and the same with their targets permuted."""
    shift = int(np.random.default_rng(seed).integers(1, max(2, len(held) - 1)))
    permuted = np.asarray(pairs.source[held]), np.asarray(pairs.target[held])[np.roll(np.arange(len(held)), shift)]
    _, null, null_still = measure.measured(*permuted)
    test = gain_test(still[held], residual[held], null_still, null, float(still[held].mean()))
    evidence = {
        "heldout_error": float(residual[held].mean()),
        "identity_error": float(still[held].mean()),
        "permuted_error": float(null.mean()),
        "p_value": test.p_value,
        "convincing": test.convincing(),
    }
    return evidence, null


def _with_uncertainty(
    found: list[Generator], warmth: Warmth, pairs: PairSet, basis: Basis, seed: int
) -> tuple[DetectedGenerator, ...]:
    """The generators with the uncertainty that the pairs leave in pixels."""
    covariance = warmth.covariance
    m, k = basis.dimension, len(found)
    if covariance is None:
        columns = np.stack([g.coefficients for g in found], axis=1)
        span, triangle = np.linalg.qr(columns)
        whole = _span_covariance(span, pairs, basis, seed).reshape(k, m, k, m)
        own = [np.einsum("k,kmln,l->mn", weights, whole, weights) for weights in triangle.T]
    else:
        own = [covariance]
    detected = []
    for generator, part in zip(found, own, strict=True):
        uncertainty = coefficient_uncertainty(generator.coefficients, part, seed)
        detected.append(DetectedGenerator(generator, uncertainty.direction_error_deg, uncertainty.interval))
    return tuple(detected)


def _span_covariance(span: np.ndarray, pairs: PairSet, basis: Basis, seed: int) -> np.ndarray:
    """Sampling covariance (K m, K m) of a span's orthonormal columns, from registering pairs along it."""
    trials = SpanTrials(pairs, basis, *split(len(pairs), seed))
    search = trials.search_along(torch.as_tensor(span, dtype=torch.float32, device=pairs.device))
    pyramid = trials.fit_pyramid
    t, equations, _ = trials.aligner.magnitudes(pyramid, search)
    sums = trials.joint_equations(equations, pyramid.fine_target, search.span, t)
    covariance: np.ndarray = sums.covariance(search.span).numpy()
    return covariance
