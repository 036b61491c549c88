"""One method on one set of pairs, judged: what the benchmark of pictures makes tables of."""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np

from liescope.detector import detect
from liescope.evaluation.benchmarks.methods.peers import PEERS, Peer
from liescope.evaluation.benchmarks.options import UnavailableError, require
from liescope.evaluation.benchmarks.pictures.judging import Judgement, judge_answer, judge_motions, said_by
from liescope.evaluation.benchmarks.pictures.kinds import make_pictures
from liescope.evaluation.benchmarks.pictures.negatives import make_negative
from liescope.evaluation.benchmarks.pictures.pairs import Pictures, validity
from liescope.evaluation.benchmarks.pictures.windows import pixel_matrix

__all__ = ["METHODS", "OWN", "Run", "Task", "answered", "asked", "missing_methods", "versions_of"]

OWN = "liescope"
METHODS = (OWN, *PEERS)
"""The package, and those that register pair by pair."""

_LONGEST = 200  # letters of what was raised


@dataclass(frozen=True)
class Task:
    """A method on pairs.

    Parameters
    ----------
    kind : str
        One of the kinds, or of the negatives.
    form : str
        Empty for a kind; ``set``, ``film`` or ``single`` for a negative.
    image : str
    seed : int
        Of the pairs and of the detector.
    method : str
        One of :data:`METHODS`.
    tiny : bool
        Few pairs.
    """

    kind: str
    form: str
    image: str
    seed: int
    method: str
    tiny: bool = False


@dataclass(frozen=True)
class Run:
    """A judgement, and the seconds that the method took for all pairs."""

    task: Task
    found: Judgement
    seconds: float

    def named(self) -> dict[str, Any]:
        """The run as results keep it; of a peer, what it has an answer to."""
        task, found = self.task, self.found
        own = {"form": task.form} if task.form else {}
        told = {"kind": task.kind, **own, "image": task.image, "seed": task.seed, "method": task.method}
        told |= {"outcome": found.outcome, "told": found.told, "error": found.error, "within": found.within}
        if task.method == OWN:
            names = ("confident", "verdict", "generators", "expected", "angle", "r2")
            told |= {name: getattr(found, name) for name in names}
        return told | {"accepted": found.accepted, "pairs": found.pairs, "seconds": self.seconds}


def missing_methods(names: tuple[str, ...]) -> dict[str, str]:
    """Of those the ones whose package is not installed, with the reason."""
    missing = {}
    for name in names:
        if name in PEERS:
            try:
                require(PEERS[name].package)
            except UnavailableError as reason:
                missing[name] = str(reason)
    return missing


def versions_of(names: tuple[str, ...]) -> dict[str, str]:
    """The versions of the peers' distributions that are installed."""
    found = {}
    for name in names:
        if name in PEERS and importlib.util.find_spec(PEERS[name].package) is not None:
            # Another build of the same package has another name.
            owners = metadata.packages_distributions().get(PEERS[name].package, [PEERS[name].distribution])
            found[name] = metadata.version(owners[0])
    return found


def answered(task: Task) -> Run:
    """Make the pairs, ask the method, judge."""
    if task.form:
        pictures = make_negative(task.kind, task.form, task.image, task.seed, task.tiny)
    else:
        pictures = make_pictures(task.kind, task.image, task.seed, task.tiny)
    if task.method == OWN:
        found, seconds = _detected(pictures, task.seed)
    else:
        found, seconds = _registered(pictures, PEERS[task.method])
    return Run(task, found, seconds)


@cache
def _warm_up() -> None:
    """A detection that nobody times: later ones find everything loaded."""
    pictures = make_pictures("photo-shift", "camera", 0, tiny=True)
    detect(pictures.source, pictures.target)


def _detected(pictures: Pictures, seed: int) -> tuple[Judgement, float]:
    _warm_up()
    began = time.perf_counter()
    try:
        result = detect(pictures.source, pictures.target, random_state=seed, **pictures.options)
    except Exception as error:
        # Whatever is raised is the answer that a user would get.
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return Judgement.failed(pictures, told[:_LONGEST]), time.perf_counter() - began
    seconds = time.perf_counter() - began
    return judge_answer(pictures, said_by(result)), seconds


def _registered(pictures: Pictures, peer: Peer) -> tuple[Judgement, float]:
    valid = validity(pictures)
    # The nearest that it has: a peer without affine motions is asked for a similarity.
    model = pictures.model if pictures.model in peer.models else peer.models[-1]
    pairs = list(zip(pictures.source, pictures.target, *valid, strict=True))
    asked(peer, model, pairs[0])
    began = time.perf_counter()
    found = [asked(peer, model, pair) for pair in pairs]
    seconds = time.perf_counter() - began
    to_pixels = pixel_matrix(pictures.shape)
    from_pixels = np.linalg.inv(to_pixels)
    motions = [None if one is None else from_pixels @ one @ to_pixels for one in found]
    return judge_motions(pictures, motions, peer.models), seconds


def asked(peer: Peer, model: str, pair: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray | None:
    """The matrix that a peer has for source, target and their valid pixels; one that raises an error has none."""
    source, target, source_valid, target_valid = pair
    try:
        return peer.register(source, target, model, source_valid, target_valid)
    except Exception:
        # Of a picture without content, for instance: the next pair is another one.
        return None
