"""From two sets of images to a result."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import torch

from liescope.algebra import check_basis
from liescope.data import ImageStack, Sets, validate_sets
from liescope.data.checks import chunks
from liescope.detector.description import described
from liescope.detector.inputs import plain_images
from liescope.detector.parameters import Parameters, checked_parameters
from liescope.engines import Progress, Settings
from liescope.engines.distribution import DistributionEngine
from liescope.engines.pair_set import GreyScale, Missing, PairSet
from liescope.result import Samples, SymmetryResult

__all__ = ["fitted_of_sets"]

_SAMPLES, _COMPARED = 24, 1500


def fitted_of_sets(parameters: Parameters, before: Any, after: Any, labels: Any) -> SymmetryResult:
    """Check everything, fit, describe."""
    basis, _ = checked_parameters(parameters)
    sets = validate_sets(plain_images(before, "before"), plain_images(after, "after"), labels)
    check_basis(basis, (int(sets.after.shape[-2]), int(sets.after.shape[-1])))
    began = time.perf_counter()
    report: Progress = parameters.progress or _silent
    chosen = parameters.n_generators
    seed = int(parameters.random_state)
    settings = Settings(generators=None if chosen == "auto" else int(chosen), seed=seed)
    engine = DistributionEngine()
    fit = engine.fit_sets(sets.before, sets.after, basis, settings, report, _groups(sets))
    scale = GreyScale(np.zeros((1, 1, 1)), 1.0) if fit.fitted is None else fit.fitted.scale  # type: ignore[attr-defined]
    images = PairSet(sets.after, sets.after, scale, torch.device("cpu"), Missing())
    told = {"basis": basis.name, "n_generators": chosen, "random_state": seed, "labels": sets.labels is not None}
    result = described(fit, engine.name, images, basis, seed, told)
    result = dataclasses.replace(result, kind="sets")
    nearest, residual = _nearest(result, sets, seed)
    result = dataclasses.replace(result, residual=residual, seconds=time.perf_counter() - began)
    return dataclasses.replace(result, samples=_samples(result, sets, nearest, seed))


def _silent(stage: str, done: float) -> None:
    """Nobody listens."""


def _groups(sets: Sets) -> tuple[np.ndarray, np.ndarray] | None:
    """Labels as whole numbers from 0 on."""
    if sets.labels is None:
        return None
    _, numbers = np.unique(np.concatenate(sets.labels), return_inverse=True)
    count = len(sets.labels[0])
    return numbers[:count], numbers[count:]


def _nearest(result: SymmetryResult, sets: Sets, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of every image of the second set the one of the first that comes nearest to it, and the error left, (M,) each."""
    chosen = np.random.default_rng(seed).permutation(len(sets.before))[:_COMPARED]
    candidates = np.sort(chosen)
    flat = _floats(sets.before, candidates).reshape(len(candidates), -1)
    size = np.square(flat).sum(axis=1)
    background = 0.0 if result.background is None else result.background[:, None, None]
    nearest, residual = np.empty(len(sets.after), dtype=int), np.empty(len(sets.after))
    for part in chunks(sets.after):
        target = _floats(sets.after, part)
        back = result.transform(target, -result.t[part]) if result.generators else target
        found = (size - 2 * back.reshape(len(back), -1) @ flat.T).argmin(axis=1)
        source = flat[found].reshape(target.shape)
        moved = result.transform(source, result.t[part]) if result.generators else source
        energy = np.square(target - background).sum(axis=(1, 2, 3))
        left = np.square(moved - target).sum(axis=(1, 2, 3))
        residual[part] = np.divide(left, energy, out=np.ones(len(left)), where=energy > 0)
        nearest[part] = candidates[found]
    return nearest, residual


def _samples(result: SymmetryResult, sets: Sets, nearest: np.ndarray, seed: int) -> Samples:
    """Images of the second set, each beside its nearest of the first."""
    index = np.sort(np.random.default_rng(seed).permutation(len(sets.after))[:_SAMPLES])
    source, target = (_floats(images, rows) for images, rows in ((sets.before, nearest[index]), (sets.after, index)))
    moved = result.transform(source, result.t[index]) if result.generators else source
    return Samples(index, source, target, moved)


def _floats(images: ImageStack, index: np.ndarray | slice) -> np.ndarray:
    return np.asarray(images[index], dtype=np.float32)
