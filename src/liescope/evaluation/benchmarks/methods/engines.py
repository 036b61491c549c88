"""The package's own engines as methods of the comparison."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from liescope.data import Pairs
from liescope.detector import detect
from liescope.errors import ComputationError
from liescope.evaluation.benchmarks.problems import Problem
from liescope.evaluation.benchmarks.scores import Answer, answer_of
from liescope.geometry import get_basis

__all__ = ["LATENT_SETTINGS", "latent", "registration"]

LATENT_SETTINGS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "latent": ("default", {}),
    "latent-cold": ("default", {"warm_start": False}),
    "latent-paper": ("paper", {"batch_size": 128, "epochs": 75}),
}
"""Methods of the latent engine: a preset, and what is changed in its training.

The published batch of 1,024 is meant for 60,000 pairs: of a few thousand it would make a handful of steps.
"""


def registration(problem: Problem, pairs: Pairs) -> Answer:
    """The default engine, magnitudes of all pairs."""
    began = time.perf_counter()
    result = detect(pairs.source, pairs.target, basis=problem.basis, random_state=problem.seed)
    seconds = time.perf_counter() - began
    return answer_of(result, seconds)


def latent(method: str, problem: Problem, pairs: Pairs, epochs: int | None = None) -> Answer:
    """The latent engine with one of :data:`LATENT_SETTINGS`, magnitudes of the held-out pairs.

    The generators and magnitudes are the trained model's own, whatever the verdict on them is: a cold start may not
    convince. It is told that there is one generator; the default looks for the number itself. A training that diverges
    has found nothing.
    """
    from liescope.engines.latent import get_config, held_out_split

    preset, changed = LATENT_SETTINGS[method]
    config = get_config(preset).model_dump(exclude_none=True)
    training = config["training"] = {**config["training"], **changed}
    if epochs is not None:
        training["epochs"] = min(epochs, training["epochs"])
        training["distil_epochs"] = min(epochs, training["distil_epochs"])
        training["search_steps"] = min(20 * epochs, training["search_steps"])
    rows = np.asarray(held_out_split(len(pairs), training["held_out"], problem.seed)[1])
    began = time.perf_counter()
    try:
        result = detect(
            pairs.source,
            pairs.target,
            engine="latent",
            basis=problem.basis,
            config=config,
            n_generators="auto" if method == "latent" else 1,
            random_state=problem.seed,
        )
    except ComputationError:
        nothing = np.zeros((0, get_basis(problem.basis).dimension))
        return Answer(nothing, np.zeros((len(rows), 0)), rows, 0, time.perf_counter() - began)
    seconds = time.perf_counter() - began
    if result.latent is None:
        raise RuntimeError("expected a latent model of the latent engine, got none")
    generators = np.asarray(result.latent.generators, dtype=np.float64)
    t = result.latent.magnitudes(pairs.source[rows], pairs.target[rows])[:, : len(generators)]
    decoded = result.latent.reconstruct(pairs.source[rows], t)[:, 0]
    error = float(np.square(decoded - pairs.target[rows]).mean())
    return Answer(generators, np.asarray(t, dtype=np.float64), rows, len(result.generators), seconds, error)
