"""A latent model fitted to pairs: from a warm start, or cold from the best of several searches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.latent.action import closed_structure
from liescope.engines.latent.batches import PairTensors
from liescope.engines.latent.checkpoint import check_checkpoint, checkpoint_path, describe_training
from liescope.engines.latent.config import LatentConfig
from liescope.engines.latent.history import History
from liescope.engines.latent.model import LatentModel
from liescope.errors import ComputationError, InputError, require_packages
from liescope.geometry import Basis

__all__ = ["LatentFit", "WarmStart", "check_training", "fit_latent", "held_out_split"]

_LEAST_TRAINING_PAIRS = 2
_LOOKED_AT = 1024


class WarmStart(NamedTuple):
    """Generators and magnitudes known before the training.

    Attributes
    ----------
    coefficients : array, shape (K, m)
    t : array, shape (N, K)
        Of the pairs, in the order in which the generators are applied one after the other; NaN where not known.
    hold : bool
        Keep the coefficients: alpha matching would pull them away, as it does where the pairs have different roots
        and differ by more than the transformation.
    """

    coefficients: np.ndarray
    t: np.ndarray
    hold: bool = False


@dataclass(frozen=True, eq=False)
class LatentFit:
    """A fitted model and how it came about.

    Attributes
    ----------
    model : LatentModel
    history : list of dict
    held_out : array of int
        Pairs that were not trained on.
    notices : tuple of str
        What the user should know: a smaller batch, the choice among cold starts.
    """

    model: LatentModel
    history: History
    held_out: np.ndarray
    notices: tuple[str, ...]


def held_out_split(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices of the pairs to train on and of those held out.

    Raises
    ------
    InputError
        Too few pairs for both.
    """
    held = max(1, round(share * count))
    if count - held < _LEAST_TRAINING_PAIRS:
        raise InputError(
            f"expected at least {_LEAST_TRAINING_PAIRS} pairs to train on and one held out, got {count} pairs "
            f"with training.held_out = {share:g}, try more pairs"
        )
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[held:]), np.sort(order[:held])


def check_training(config: LatentConfig, basis: Basis) -> None:
    """Raise InputError where a training cannot even begin: no Lightning, closure factors in a basis that is open."""
    require_packages("lightning")
    if config.model.closure:
        closed_structure(basis)


def fit_latent(
    source: Float[Tensor, "n c h w"],
    target: Float[Tensor, "n c h w"],
    basis: Basis,
    generators: int,
    config: LatentConfig,
    *,
    seed: int = 0,
    start: WarmStart | None = None,
    device: str | None = None,
    folder: Path | None = None,
    resume: bool = False,
    report: Callable[[str, float], None] | None = None,
) -> LatentFit:
    """Train a latent model on pairs.

    Parameters
    ----------
    source, target : tensors, shape (N, C, H, W), float32
        On the model's scale: background 0, grey values about 1.
    basis : Basis
    generators : int
        K.
    config : LatentConfig
    seed : int
        Of everything random; a rerun on a CPU gives the same bits.
    start : WarmStart, optional
        Without it the training is cold: where the best of ``training.restarts`` searches arrived is trained on.
    folder : path, optional
        For checkpoint, history and log.
    resume : bool
        Go on from the folder's checkpoint; from the beginning where there is none.

    Raises
    ------
    InputError
        Too few pairs, no Lightning, closure in a basis that is not closed, a checkpoint of other data, settings,
        shape or version.
    ComputationError
        The training failed; the last good checkpoint is kept.
    """
    check_training(config, basis)
    from liescope.engines.latent.search import search
    from liescope.engines.latent.training import train

    settings = config.training
    train_on, held = held_out_split(len(source), settings.held_out, seed)
    notices = []
    if settings.batch_size > len(train_on):
        notices.append(f"batches of {len(train_on)}, not {settings.batch_size}: there are no more pairs to train on")
    known = source.new_full((len(source), generators), torch.nan)
    if start is not None:
        known = torch.as_tensor(start.t, dtype=source.dtype)
    shape = (int(source.shape[1]), int(source.shape[2]), int(source.shape[3]))
    pairs, held_out = (PairTensors(source[i], target[i], known[i]) for i in (train_on, held))
    about = describe_training(config, basis, shape, generators, seed, source, target)
    make = partial(LatentModel, config.model, basis, shape, generators)
    model = make(seed)
    again = False
    if resume and folder is not None and checkpoint_path(folder).exists():
        check_checkpoint(checkpoint_path(folder), about, model)
        again = True
    if start is not None:
        model.set_coefficients(torch.as_tensor(start.coefficients))
    elif settings.search_steps and not again:
        go = partial(search, config=config, pairs=pairs, held_out=held_out, seed=seed, device=device)
        model, notice = _best_start(make, go, settings.restarts, seed, report)
        notices.append(notice)
        if not _can_be_trained(model, pairs):
            model = make(seed)
            notices.append("the magnitudes that it found are too large to train from: a random start instead")
    history = train(
        model,
        config,
        pairs,
        held_out,
        seed=seed,
        hold=bool(start and start.hold),
        device=device,
        folder=folder,
        resume=again,
        about=about,
        report=report,
    )
    return LatentFit(model, history, held, tuple(notices))


@torch.no_grad()
def _can_be_trained(model: LatentModel, pairs: PairTensors) -> bool:
    """Whether losses of the model are numbers: on noise, searches can end at magnitudes that latents explode under."""
    output = model.eval()(pairs.source[:_LOOKED_AT], pairs.target[:_LOOKED_AT])
    return all(bool(torch.isfinite(part.square().sum())) for part in output)


def _best_start(
    make: Callable[[int], LatentModel],
    go: Callable[..., float],
    restarts: int,
    seed: int,
    report: Callable[[str, float], None] | None,
) -> tuple[LatentModel, str]:
    """Where the searches from several random starts arrive: the one that moves held-out sources best."""
    trials: list[tuple[float, int, LatentModel]] = []
    for number in range(restarts):
        model = make(seed + 1000 * number)
        tell = partial(report, f"cold start {number + 1} of {restarts}") if report else None
        try:
            trials.append((go(model, report=tell), number, model))
        except ComputationError:
            continue  # a start that diverges is no candidate
    if not trials:
        raise ComputationError("every cold start diverged, try a lower learning rate")
    error, number, model = min(trials, key=lambda trial: trial[:2])
    return model, f"a cold start: number {number + 1} of {restarts} was best (held-out error in pixels {error:.3g})"
