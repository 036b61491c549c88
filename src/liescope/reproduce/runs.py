"""Trainings behind the figures: an engine fitted to the pairs of a case, its answers on held-out pairs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from liescope.data import Pairs
from liescope.data.archives import read_npz
from liescope.data.pairs import atomic_path
from liescope.detector import SymmetryDetector
from liescope.engines.latent import get_config, held_out_split
from liescope.errors import ComputationError
from liescope.geometry import get_basis
from liescope.reproduce.cases import ORDER, Case, digit_corpus, pair_count, true_orbit
from liescope.reproduce.outcome import Run, best_null
from liescope.reproduce.study import Request
from liescope.result import SymmetryResult, load_result

__all__ = [
    "ORDER",
    "SETUPS",
    "Case",
    "Run",
    "Setup",
    "best_null",
    "digit_corpus",
    "pair_count",
    "run_case",
    "settings_of",
    "true_orbit",
]

Setup = Literal["default", "cold", "paper", "linear", "registration"]
SETUPS: Mapping[str, str] = {
    "default": "latent engine, default settings, warm start",
    "cold": "latent engine, default settings, no warm start",
    "paper": "latent engine, the published settings",
    "linear": "latent engine, default settings, encoder and decoder of one linear layer",
    "registration": "registration, no network",
}

HELD_OUT = 0.2
"""Share of the pairs that is never trained on; everything is measured on it."""

_PAPER_STEPS = (5, 2400, 4700)
# Of the published set-up at each scale. The paper gives no number; its code has 100 epochs, of 48,000 pairs in batches
# of 1,024 (full scale). At quick scale half as many, five times what our own settings take.


_MEASURED, _USED = "held_out.npz", "used.json"

_ATTEMPTS = 3
"""Seeds that a training may diverge with: a figure of hours is not to be lost to one of them."""


def settings_of(setup: str, request: Request, count: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the latent engine for a set-up and a scale.

    Parameters
    ----------
    count : int
        Of the pairs.
    changes : mapping
        Sections with keys of :class:`liescope.engines.latent.LatentConfig` that replace those of the set-up.
    """
    config = get_config("paper" if setup == "paper" else None).model_dump(exclude_none=True)
    training = config["training"] | {"held_out": HELD_OUT}
    if setup == "paper":
        # A few thousand pairs would be two batches of 1,024: smaller ones, so that there are steps enough.
        training["batch_size"] = request.size(64, 128, 1024)
        an_epoch = max(1, round((1 - HELD_OUT) * count / training["batch_size"]))
        training["epochs"] = -(-request.size(*_PAPER_STEPS) // an_epoch)
    else:
        training["epochs"] = request.size(1, 30, 40)
        training["batch_size"] = request.size(64, 128, 256)
        training["distil_epochs"] = training["epochs"] // 2
        if request.tiny:
            training["search_steps"] = 4
    if setup == "cold":
        training["warm_start"] = False
    if setup == "linear":
        config["model"] |= {"encoder": "linear"}
    config["training"] = training
    return {section: keys | dict(changes.get(section, {})) for section, keys in config.items()}


def run_case(
    case: Case,
    setup: Setup,
    request: Request,
    *,
    pairs: Pairs | None = None,
    generators: int | Literal["auto"] = "auto",
    seed: int | None = None,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
) -> Run:
    """Make the pairs of a case, fit an engine to 80 % of them, and measure the rest.

    A training that diverges is begun again with another seed, on the same pairs; ``used`` tells which did.

    Parameters
    ----------
    pairs : Pairs, optional
        Of the case; default digits, as many as the scale says.
    generators : int or "auto"
        How many are looked for. Without a warm start ``auto`` is as many as there are.
    seed : int, optional
        Default the request's.
    changes : mapping, optional
        Settings of the latent engine in place of the set-up's: ``{"loss": {"alpha": 0.1}}``.

    Raises
    ------
    ComputationError
        Trainings with three seeds diverged.
    """
    seed = request.seed if seed is None else seed
    if pairs is None:
        pairs = case.pairs(pair_count(request), seed, digit_corpus(request))
    made = f"{pairs.meta}, {_digest(pairs.source, pairs.target)}"
    task = _Training(case, setup, request, generators, seed, {**(changes or {})}, made, pairs)
    fitted = request.kept(_trained)(task)
    return Run(case, setup, pairs, *fitted)


def _digest(*stacks: np.ndarray) -> str:
    """What tells images from any others."""
    digest = hashlib.sha256()
    for stack in stacks:
        digest.update(np.ascontiguousarray(stack).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Training:
    """What is asked of a training; ``made`` says what the pairs are."""

    case: Case
    setup: Setup
    request: Request
    generators: int | Literal["auto"]
    seed: int
    changes: Mapping[str, Mapping[str, Any]]
    made: str
    pairs: Pairs = field(repr=False, compare=False)


class _Fitted(NamedTuple):
    """A :class:`Run` but for what was asked, in the order of its fields."""

    held: np.ndarray
    result: SymmetryResult
    raw: np.ndarray
    used: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Keep it in a folder, the numbers last: without them there is nothing to read."""
        self.result.save(folder)
        with atomic_path(folder / _USED) as temporary:
            temporary.write_text(json.dumps(self.used), encoding="utf-8")
        with atomic_path(folder / _MEASURED) as temporary:
            np.savez(temporary, held=self.held, raw=self.raw)

    @classmethod
    def read(cls, folder: Path) -> _Fitted:
        """What :meth:`write` has kept."""
        measured = read_npz(folder / _MEASURED, ("held", "raw"))
        used = json.loads((folder / _USED).read_text(encoding="utf-8"))
        return cls(measured["held"], load_result(folder), measured["raw"], used)


def _trained(task: _Training) -> _Fitted:
    diverged: list[int] = []
    while len(diverged) < _ATTEMPTS - 1:
        own = task.seed + 1000 * len(diverged)
        try:
            return _fitted(task, own, diverged)
        except ComputationError:
            diverged.append(own)
    return _fitted(task, task.seed + 1000 * len(diverged), diverged)


def _fitted(task: _Training, seed: int, diverged: list[int]) -> _Fitted:
    case, setup, request, pairs, generators = task.case, task.setup, task.request, task.pairs, task.generators
    train_on, held = held_out_split(len(pairs), HELD_OUT, seed)
    source, target = np.asarray(pairs.source), np.asarray(pairs.target)
    if setup in ("cold", "paper") and generators == "auto":
        generators = len(pairs.meta["generators"])
    common: dict[str, Any] = {"basis": get_basis(case.basis), "n_generators": generators, "random_state": seed}
    used: dict[str, Any] = {"case": case.label, "setup": setup, "seed": seed, "pairs": len(pairs)}
    used |= {"diverged": diverged} if diverged else {}
    used |= {key: pairs.meta[key] for key in ("task", "corpus", "transform", "law", "size")} | {"basis": case.basis}
    if setup == "registration":
        # Held-out pairs are kept from it as well: the engines see the same.
        detector = SymmetryDetector(engine="registration", **common).fit(source[train_on], target[train_on])
        return _Fitted(held, detector.result_, detector.predict_magnitude(source[held], target[held]), used)
    config = settings_of(setup, request, len(pairs), task.changes)
    # The engine holds out the same pairs by itself.
    detector = SymmetryDetector(engine="latent", config=config, **common).fit(source, target)
    latent = detector.result_.latent
    if latent is None:
        raise RuntimeError("expected a latent model of the latent engine, got none")
    magnitudes = latent.magnitudes(source[held], target[held])
    return _Fitted(held, detector.result_, magnitudes, used | {"latent": config})
