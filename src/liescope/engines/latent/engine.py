"""The engine: warm or cold start, training, evidence on held-out pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from liescope.algebra import fix_gauge
from liescope.data import ImageStack
from liescope.engines.contract import Engine, Fit, Fitted, Measured, Progress, Settings, Start
from liescope.engines.latent.action import factor_count
from liescope.engines.latent.checkpoint import checkpoint_path, read_checkpoint
from liescope.engines.latent.config import get_config
from liescope.engines.latent.fitting import check_training, fit_latent, held_out_split
from liescope.engines.latent.networks import weight_count
from liescope.engines.latent.trained import TrainedLatent
from liescope.engines.latent.warm import warmth_of
from liescope.engines.pair_set import FEWEST_PAIRS, PairSet
from liescope.errors import require_memory
from liescope.geometry import Basis
from liescope.inference import gain_test

__all__ = ["LatentEngine"]

_ACCEPT_QUANTILE = 0.02
_PEAK_QUANTILE = 0.999
_PROBE = 1000
_WEIGHT_BYTES = 16
"""Of a weight that is trained: itself, its gradient and two averages."""
_PIXEL_BYTES = 16
"""Of a pixel of both images of a pair: as they are scaled, and as they are dealt out."""
_KEPT = ("p_value", "steps", "contrast")
"""What registration knows of a generator that the training started from."""


class LatentEngine(Engine):
    """The paper's encoder, t-network, exponential and decoder, trained end to end; about a minute."""

    name = "latent"
    parameters = frozenset({"config", "work_dir", "resume"})
    trains = True
    starts_from = "registration"

    def accepts(self, data: PairSet) -> str | None:
        if data.missing.any:
            return "pixels are missing, where whole images are needed"
        return f"{len(data)} pairs, where at least {FEWEST_PAIRS} are needed" if len(data) < FEWEST_PAIRS else None

    def configured(self, config: Any) -> Any:
        return get_config(config)

    def check(self, data: PairSet, basis: Basis, settings: Settings) -> None:
        config = settings.options
        check_training(config, basis)
        shape = (int(data.source.shape[1]), int(data.source.shape[2]), int(data.source.shape[3]))
        weights = weight_count(config.model, shape, factor_count(settings.generators or 1, config.model.closure))
        needed = _WEIGHT_BYTES * weights + _PIXEL_BYTES * len(data) * math.prod(shape)
        told = f"training on {len(data)} pairs of {'x'.join(map(str, shape))} images with these settings"
        require_memory(needed, told, "smaller layers, fewer pairs or smaller images")
        if settings.resume and settings.folder is not None and checkpoint_path(settings.folder).exists():
            read_checkpoint(checkpoint_path(settings.folder))

    def start_pairs(self, count: int, basis: Basis, settings: Settings) -> np.ndarray | None:
        check_training(settings.options, basis)
        training = settings.options.training
        if not training.warm_start:
            return None
        train_on, _ = held_out_split(count, training.held_out, settings.seed)
        most = np.random.default_rng(settings.seed).permutation(train_on)[: training.warm_pairs]
        return np.sort(most)

    def fit(self, data: PairSet, basis: Basis, settings: Settings, report: Progress, start: Start | None = None) -> Fit:
        config, seed = settings.options, settings.seed
        warmth = warmth_of(start, data, basis)
        # Only registration on held-out pairs could tell more than the one generator of a cold start.
        generators = len(warmth.start.coefficients) if warmth.start else settings.generators or 1
        background, amplitude = _scale(data)
        source, target = (_tensor(stack, background, amplitude) for stack in (data.source, data.target))
        fit = fit_latent(
            source,
            target,
            basis,
            generators,
            config,
            seed=seed,
            start=warmth.start,
            device=settings.device,
            folder=settings.folder,
            resume=settings.resume,
            report=report,
        )
        rows = fit.model.coefficients.detach().double().cpu().numpy()
        coefficients = np.stack([fix_gauge(row, basis) for row in rows])
        # The model's own generators are brought into the gauge, so that its t is everybody's t.
        sign = np.sign((coefficients * rows).sum(axis=1))
        fit.model.flip(torch.as_tensor(sign))
        latent = TrainedLatent(fit.model, config, background, amplitude, _turned(fit.history, sign))
        report("measuring all pairs with the trained model", 0.0)
        t, residual, still = _errors(latent, data.source, data.target)
        held = held_out_split(len(data), config.training.held_out, seed)[1]
        evidence, null = _evidence(latent, data, held, residual, still, seed)
        reasons = [warmth.notice, *fit.notices]
        shown = evidence.pop("convincing")
        # Registration's verdict stands on held-out pairs of its own: a decoder trained too briefly does not undo it.
        found = bool(shown or warmth.start is not None)
        if found:
            threshold = float(np.quantile(null, _ACCEPT_QUANTILE))
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
            threshold = 0.0
            t, residual, coefficients = t[:, :0], still, coefficients[:0]
            reasons.insert(
                0, "the trained generator explains held-out pairs no better than pairs with permuted targets"
            )
        return Fit(
            verdict="symmetry" if found else "no symmetry",
            reason="; ".join(reasons),
            coefficients=coefficients,
            covariances=warmth.covariances,
            evidence={"steps": []} | evidence | {"accept_below": threshold, "null": "permuted"},
            measured=Measured(t, residual),
            accepted=residual <= threshold if found else np.zeros(len(data), dtype=bool),
            fitted=latent,
        )

    def restore(self, state: Mapping[str, bytes], basis: Basis, device: str = "cpu") -> Fitted:
        return TrainedLatent.from_files(state, basis, device)


def _errors(latent: TrainedLatent, source: ImageStack, target: ImageStack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Magnitudes (M, K) of pairs and relative errors (M,) of decoded images, moved and not moved."""
    t, moved, still = latent.errors(np.asarray(source[:]), np.asarray(target[:]))
    return t[:, : len(latent.generators)], moved, still


def _turned(history: list[dict[str, float]], sign: np.ndarray) -> list[dict[str, float]]:
    """The history with the coefficients (``a0_3``: of generator 0, term 3) of generators in the gauge."""
    factors = {f"a{k}_": float(factor) for k, factor in enumerate(sign)}
    return [
        {name: value * factors.get(name[: name.find("_") + 1], 1) for name, value in row.items()} for row in history
    ]


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
    latent: TrainedLatent, pairs: PairSet, held: np.ndarray, residual: np.ndarray, still: np.ndarray, seed: int
) -> tuple[dict[str, Any], np.ndarray]:
    """Errors of the held-out pairs, and the same with their targets permuted."""
    shift = int(np.random.default_rng(seed).integers(1, max(2, len(held) - 1)))
    permuted = np.asarray(pairs.source[held]), np.asarray(pairs.target[held])[np.roll(np.arange(len(held)), shift)]
    _, null, null_still = _errors(latent, *permuted)
    test = gain_test(still[held], residual[held], null_still, null, float(still[held].mean()))
    evidence = {
        "heldout_error": float(residual[held].mean()),
        "identity_error": float(still[held].mean()),
        "permuted_error": float(null.mean()),
        "p_value": test.p_value,
        "convincing": test.convincing(),
    }
    return evidence, null
