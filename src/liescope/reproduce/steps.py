"""Optimisation steps that are timed: ours, the networks alone, and the published formulation with all its matrices."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from liescope.engines.latent import LatentModel
from liescope.evaluation.benchmarks.methods.steps import (
    ANGLE,
    Step,
    bare_loss,
    dense_loss,
    engine_loss,
    new_model,
    rotated_digits,
    step_of,
    step_settings,
)
from liescope.geometry import affine

__all__ = ["ANGLE", "MOST_BYTES", "MOST_WORK", "WAYS", "Way", "timed_steps"]


class Way(NamedTuple):
    """A way to compute the step: order of the alpha matching (None: no polynomial), and whether with all matrices."""

    order: int | None
    dense: bool


WAYS: Mapping[str, Way] = {
    "networks": Way(None, False),
    "exact": Way(None, False),
    "order 1": Way(1, False),
    "order 2": Way(2, False),
    "dense order 1": Way(1, True),
    "dense order 2": Way(2, True),
    "brute force": Way(None, True),
}
"""Names in the table: the networks without a generator, ours, and with all matrices written out."""
_COUNTERPART = {"dense order 1": "order 1", "dense order 2": "order 2", "brute force": "exact"}

MOST_BYTES = 2e9
_WORK, MOST_WORK = 8e10, 2.5e11
# A dense step is measured with as many pairs as fit into 2 GB and into 80 billion multiplications and additions, a few
# seconds of one core; with a single pair where that takes up to three times as many; beyond, it is left out.
_TYPICAL_T = 0.5


def timed_steps(
    side: int, latent: int, ways: Sequence[str], batch: int, repeats: int, seed: int
) -> list[dict[str, Any]]:
    """Time steps of several ways for images of one side and latent patches of one side; all take turns.

    Returns
    -------
    list of dict
        One row a way: medians of the steps as measured (``measured_seconds`` with ``measured_batch`` pairs, 0 and None
        where a single pair is too much) and brought to ``batch`` pairs (``seconds``), and how many times longer than
        its counterpart among ours with as many pairs (``times_ours``).
    """
    counts = {way: _pairs_that_fit(way, side, latent, batch) for way in ways}
    steps: dict[tuple[str, int], Step] = {}
    for way, count in counts.items():
        if count:
            steps[way, count] = _step(way, side, latent, count, seed)
        # Compared at equal batch: a small batch of ours beside a small dense one.
        for beside in ("networks", _COUNTERPART[way]) if count and way in _COUNTERPART else ():
            if (beside, count) not in steps:
                steps[beside, count] = _step(beside, side, latent, count, seed)
    seconds: dict[tuple[str, int], list[float]] = {key: [] for key in steps}
    few = -(-repeats // 3)
    for turn in range(repeats + 1):
        for key, step in steps.items():
            if WAYS[key[0]].dense and turn > few:
                continue
            began = time.perf_counter()
            step()
            # The first step of each only warms up.
            if turn:
                seconds[key].append(time.perf_counter() - began)
    medians = {key: float(np.median(values)) for key, values in seconds.items()}
    return [_row(side, latent, way, batch, count, medians) for way, count in counts.items()]


def _row(
    side: int, latent: int, way: str, batch: int, count: int, medians: Mapping[tuple[str, int], float]
) -> dict[str, Any]:
    measured = medians[way, count] if count else None
    ours = medians[_COUNTERPART[way], count] if count and way in _COUNTERPART else None
    seconds = measured
    if measured is not None and count != batch:
        # What matrices add to the networks grows with the pairs; the networks are measured at either batch.
        seconds = medians["networks", batch] + (measured - medians["networks", count]) * batch / count
    return {
        "image_side": side,
        "latent_side": latent,
        "way": way,
        "batch": batch,
        "measured_batch": count,
        "measured_seconds": measured,
        "seconds": seconds,
        "ours_at_measured_batch": ours,
        "times_ours": measured / ours if measured and ours else None,
        "matrix_bytes": 4 * side**4 * batch if WAYS[way].dense else None,
    }


def _pairs_that_fit(way: str, side: int, latent: int, batch: int) -> int:
    """How many pairs a step is measured with; 0 where a single one is too much."""
    if not WAYS[way].dense:
        return batch
    pixels, patch = side**2, latent**2
    # Seven products of an exponential and, for its gradient, of a matrix of twice the side.
    exponential = 9 * 7 * 2
    work = (
        exponential * patch**3 + {"dense order 1": 0, "dense order 2": 6, "brute force": exponential}[way] * pixels**3
    )
    copies = 40 if way == "brute force" else 8
    room = int((MOST_BYTES / (4 * pixels**2) - affine().dimension) / copies)
    if work > MOST_WORK or room < 1:
        return 0
    return min(batch, room, max(1, int(_WORK / work)))


def _step(way: str, side: int, latent: int, count: int, seed: int) -> Step:
    """One optimisation step on that many pairs."""
    config = step_settings(latent, WAYS[way].order)
    source, target = rotated_digits(side, count, seed)
    model = new_model(config, side, seed)
    _spread_magnitudes(model, source, target)
    if way == "networks":
        return step_of(model, bare_loss(model, source, target))
    loss = dense_loss if WAYS[way].dense else engine_loss
    return step_of(model, loss(model, config, source, target))


@torch.no_grad()
def _spread_magnitudes(model: LatentModel, source: Tensor, target: Tensor) -> None:
    """An untrained t-network answers with nearly 0, which makes exponentials cheaper than they are in a training."""
    last = [layer for layer in model.magnitude.modules() if isinstance(layer, nn.Linear)][-1]
    last.weight.mul_(_TYPICAL_T / model.magnitudes(source, target).square().mean().sqrt())
