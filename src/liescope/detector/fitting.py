"""From parameters and data to a result: what the estimator and the function share."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from liescope.algebra import check_basis
from liescope.data import validate_images
from liescope.detector.description import described
from liescope.detector.filming import pairs_of_film, with_frames
from liescope.detector.inputs import given
from liescope.detector.missing import missing_pixels
from liescope.detector.parameters import Parameters, checked_parameters
from liescope.detector.samples import samples_of
from liescope.detector.scales import with_scales
from liescope.detector.starting import gone_on, start_of, with_covariances
from liescope.engines import AUTO, Fitted, PairSet, Progress, Settings, choose_engine
from liescope.engines.workers import worker_pool
from liescope.geometry import Basis
from liescope.result import SymmetryResult

__all__ = ["FittedPairs", "fitted_pairs"]

logger = logging.getLogger(__name__)


class FittedPairs(NamedTuple):
    """The answer, and what measures other pairs with it."""

    result: SymmetryResult
    engine: Fitted | None


def fitted_pairs(
    parameters: Parameters,
    X: Any,
    Y: Any,
    image_shape: int | Sequence[int] | None = None,
    *,
    frames: Any = None,
    lags: int | Sequence[int] | None = None,
    source_mask: Any = None,
    target_mask: Any = None,
    nodata: float | None = None,
) -> FittedPairs:
    """Check everything, choose the engine, fit, describe. Data as of :meth:`liescope.SymmetryDetector.fit`."""
    basis, options = checked_parameters(parameters)
    data = given(X, Y, frames, source_mask, target_mask)
    film = pairs_of_film(data.source, data.target, data.frames, lags)
    if film is None:
        source, target = validate_images(data.source, data.target, image_shape, min_pairs=1, nan=True)
    else:
        source, target = validate_images(film.source, film.target, min_pairs=1, nan=True)
    missing = missing_pixels(source, target, data.source_mask, data.target_mask, nodata)
    check_basis(basis, (int(source.shape[-2]), int(source.shape[-1])))
    stages = _Stages(parameters.progress)
    report: Progress = stages
    began = time.perf_counter()
    report("finding the generators", 0.0)
    logger.info("%d pairs of images of shape %s", len(source), "x".join(map(str, source.shape[1:])))
    pairs = PairSet.of(source, target, int(parameters.random_state), parameters.device or "cpu", missing)
    engine = choose_engine(parameters.engine, pairs)
    settings = _settings(parameters, options)
    why = "the first that takes these data" if parameters.engine == AUTO else "as asked"
    logger.info("engine %s, %s; basis %s, seed %d, %s", engine.name, why, basis.name, settings.seed, settings.device)
    if engine.starts_from is not None:
        logger.info("it may start from what %s finds in some of the pairs", engine.starts_from)
    start = start_of(engine, pairs, basis, settings, report)
    # Chunks of pairs go to workers of one thread each; a training keeps torch's own threads.
    with nullcontext() if engine.trains else worker_pool(pairs.device):
        fit = engine.fit(pairs, basis, settings, report, start)
        if parameters.engine == AUTO:
            engine, fit = gone_on(engine, fit, pairs, basis, settings, report)
    fit = with_covariances(fit, engine, pairs, basis, settings)
    result = described(fit, engine.name, pairs, basis, settings.seed, _told(parameters, basis, options))
    files = data.names
    if film is None:
        result = with_scales(result, pairs)
    else:
        result = with_frames(result, film)
        files = None if files is None else np.stack([files[film.first], files[film.second]], axis=1)
    result = dataclasses.replace(result, seconds=time.perf_counter() - began, names=files)
    stages.end()
    names = " and ".join(one.name for one in result.generators)
    logger.info("%s%s: %s", result.verdict, names and f", {names}", result.reason)
    logger.info("%d of %d pairs accepted, %.1f s in all", result.accepted.sum(), len(pairs), result.seconds)
    return FittedPairs(dataclasses.replace(result, samples=samples_of(result, pairs, fit.fitted)), fit.fitted)


class _Stages:
    """Hands progress on to whoever listens, and logs how long every stage took."""

    def __init__(self, listener: Progress | None) -> None:
        self._listener = listener
        self._stage, self._began = "", 0.0

    def __call__(self, stage: str, done: float) -> None:
        if stage != self._stage:
            self.end()
            self._stage, self._began = stage, time.perf_counter()
        if self._listener is not None:
            self._listener(stage, done)

    def end(self) -> None:
        """Log the stage that is over."""
        if self._stage:
            logger.info("%s: %.2f s", self._stage, time.perf_counter() - self._began)
        self._stage = ""


def _settings(parameters: Parameters, options: Any) -> Settings:
    return Settings(
        generators=None if parameters.n_generators == "auto" else int(parameters.n_generators),
        seed=int(parameters.random_state),
        device=parameters.device or "cpu",
        options=options,
        folder=None if parameters.work_dir is None else Path(parameters.work_dir),
        resume=parameters.resume,
        border=parameters.border,
    )


def _told(parameters: Parameters, basis: Basis, options: Any) -> dict[str, Any]:
    """The parameters as a result keeps them."""
    told = {
        "engine": parameters.engine,
        "basis": basis.name,
        "n_generators": parameters.n_generators,
        "random_state": parameters.random_state,
        "device": parameters.device or "cpu",
        "border": parameters.border,
    }
    return told if options is None else told | {"config": options.model_dump()}
