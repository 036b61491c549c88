"""One detection whose answer is known, or of pairs without a symmetry: what ``decisions`` makes tables of."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from liescope.data import Pairs, load_corpus
from liescope.detector import detect
from liescope.evaluation.benchmarks.problems import Problem
from liescope.evaluation.benchmarks.scores import nearest_field
from liescope.evaluation.metrics import principal_angles
from liescope.geometry import Basis, PolynomialBasis, affine
from liescope.result import SymmetryResult

TIMED = 3
"""The first seeds are also timed with the number of generators told."""

INTRUDERS = 0.3
"""Share of the pairs of ``mixed`` that get another pair's target."""

ALARMS = ("unrelated", "noise", "identical", "shuffled", "unmoved")
OUTSIDE: Mapping[str, tuple[str, float, tuple[tuple[int, ...], ...]]] = {
    "translations, scale": ("rotation", 60.0, ((1, 0, 0, 0, 0, 0), (0, 0, 0, 1, 0, 0), (0, 1, 0, 0, 0, 1))),
    "translations, rotation": ("scale", 0.4, ((1, 0, 0, 0, 0, 0), (0, 0, 0, 1, 0, 0), (0, 0, -1, 0, 1, 0))),
    "linear fields": (
        "translation-x",
        6.0,
        ((0, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0), (0, 0, 0, 0, 1, 0), (0, 0, 0, 0, 0, 1)),
    ),
}
"""Bases that lack the generator of the pairs: name, transform, half-width, fields in terms of the affine basis."""


@dataclass(frozen=True)
class Task:
    """One detection: a table, what the pairs are, their number, and where is looked.

    Parameters
    ----------
    table : str
        ``alarm``, ``right``, ``mixed``, ``super`` or ``coverage``.
    kind : str
        For ``alarm`` what the pairs are, else the transforms joined by ``+``.
    range : tuple of float
        Half-widths in natural units.
    pairs : int
    basis : str
    seed : int
    corpus : str, optional
    """

    table: str
    kind: str
    range: tuple[float, ...]
    pairs: int
    basis: str
    seed: int
    corpus: str | None = None


@dataclass(frozen=True)
class Run:
    """A verdict beside the truth; angles in degrees, shares from 0 to 1."""

    task: Task
    generators: int
    expected: int
    angle: float
    cosine: float
    intruders_found: float
    kept: float
    algebra: str
    seconds: float
    seconds_known: float
    covered: float
    direction_covered: bool


def detect_task(task: Task) -> Run:
    """Make the pairs, detect, compare."""
    source, target, truth, intruder = make_task(task)
    began = time.perf_counter()
    result = detect(source, target, basis=_basis(task.basis), random_state=task.seed)
    seconds = time.perf_counter() - began
    seconds_known = np.nan
    if result.generators and task.table == "right" and task.seed < TIMED:
        began = time.perf_counter()
        detect(source, target, basis=task.basis, random_state=task.seed, n_generators=len(result.generators))
        seconds_known = time.perf_counter() - began
    angle, cosine = _angles(result, truth)
    rejected = ~result.accepted
    covered, direction_covered = _covered(result, truth)
    return Run(
        task=task,
        generators=len(result.generators),
        expected=0 if truth is None else len(truth),
        angle=angle,
        cosine=cosine,
        intruders_found=float(rejected[intruder].mean()) if intruder.any() else np.nan,
        kept=float((~rejected[~intruder]).mean()),
        algebra=str(result.algebra["name"]),
        seconds=seconds,
        seconds_known=seconds_known,
        covered=covered,
        direction_covered=direction_covered,
    )


def _basis(name: str) -> str | Basis:
    """The basis of a task: one of liescope's own by its name, or one of :data:`OUTSIDE`."""
    if name not in OUTSIDE:
        return name
    rows = torch.tensor(OUTSIDE[name][2], dtype=torch.float64)
    table = torch.einsum("bm,mck->bck", rows, affine().table)
    return PolynomialBasis(name, [f"field {i}" for i in range(len(rows))], table, 1)


def _covered(result: SymmetryResult, truth: np.ndarray | None) -> tuple[float, bool]:
    """Share of the true coefficients inside their intervals, and whether the direction is within its error."""
    if truth is None or len(result.generators) != 1 or len(truth) != 1:
        return np.nan, False
    found = result.generators[0]
    coefficients = found.generator.coefficients
    true = truth[0] * np.sign(truth[0] @ coefficients)
    inside = (found.interval[:, 0] <= true) & (true <= found.interval[:, 1])
    angle = float(np.degrees(np.arccos(min(1.0, float(true @ coefficients)))))
    return float(inside.mean()), angle <= found.direction_error_deg


def make_task(task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """Sources, targets, true coefficients (K, m) or None, and which pairs are intruders."""
    random = np.random.default_rng(task.seed)
    clean = np.zeros(task.pairs, dtype=bool)
    if task.table == "alarm" and task.kind in ALARMS:
        source, target = _without_symmetry(task, random)
        return source, target, None, clean
    pairs = _problem(task).make()
    target = np.array(pairs.target)
    if task.table == "mixed":
        clean[random.permutation(task.pairs)[: int(INTRUDERS * task.pairs)]] = True
        target[clean] = np.roll(target[clean], 1, axis=0)
    # A basis without the generator has no coefficients for it.
    truth = None if task.table == "alarm" else _truth(pairs)
    return np.asarray(pairs.source), target, truth, clean


def _problem(task: Task) -> Problem:
    """The moved pairs of a task."""
    noisy = task.table == "coverage"
    return Problem(
        task.kind,
        task.range,
        pairs=task.pairs,
        seed=task.seed,
        order=1 if noisy else 3,
        noise=0.1 if noisy else 0.0,
        corpus=task.corpus,
        task=("supersymnist" if task.table == "super" else "symnist") if task.corpus is None else "galaxsym",
    )


def _without_symmetry(task: Task, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    n = task.pairs
    if task.kind == "noise":
        noise = gaussian_filter(random.standard_normal((2 * n, 28, 28)), (0, 1.0, 1.0)).astype(np.float32)
        return noise[:n], noise[n:]
    if task.kind == "shuffled":
        pairs = _problem(replace(task, kind="rotation", range=(60.0,))).make()
        return np.asarray(pairs.source), np.asarray(pairs.target)[random.permutation(n)]
    if task.kind == "unmoved":
        pairs = Problem("rotation", 0.0, pairs=n, seed=task.seed, order=1, task="supersymnist").make()
        return np.asarray(pairs.source), np.asarray(pairs.target)
    corpus = load_corpus(task.corpus or "mnist-5k")
    images = corpus.images
    chosen = random.permutation(len(images))
    first = np.asarray(images[np.resize(chosen, n)], dtype=np.float32)
    if task.kind == "identical":
        return first, first.copy()
    # Every source with the image half the corpus further on: no image is met twice in 2,500 pairs.
    return first, np.asarray(images[np.resize(np.roll(chosen, len(images) // 2), n)], dtype=np.float32)


def _truth(pairs: Pairs) -> np.ndarray:
    return np.asarray(pairs.meta["generators"], dtype=np.float64)


def _angles(result: SymmetryResult, truth: np.ndarray | None) -> tuple[float, float]:
    """Largest principal angle where the number is right, and the cosine of the best single field."""
    if truth is None or not result.generators:
        return np.nan, np.nan
    found = np.array([g.generator.coefficients for g in result.generators])
    shape = (result.shape[-2], result.shape[-1])
    best = nearest_field(truth[0], found, result.basis, shape).cosine
    if len(found) != len(truth):
        return np.nan, best
    return float(principal_angles(truth, found, result.basis, shape)[-1]), best
