"""A generator from labels alone: ascent of the evidence of labels in the coefficients of a scheme."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from liescope import __version__
from liescope.algebra import Generator, describe_algebra
from liescope.answer import LABELS
from liescope.errors import InputError
from liescope.geometry import Basis, Grid, get_basis
from liescope.result import DetectedGenerator, Samples, SymmetryResult
from liescope.type2.ascent import Climb, Slope, of_side
from liescope.type2.evidence import PooledProcess, evidence_of
from liescope.type2.labelled import Labelled, indicators, labelled, stratified
from liescope.type2.scheme import LEAST_GAIN, NATS_PER_GENERATOR, REACHES, Scheme
from liescope.type2.starts import Start, one_generator, simpler, two_generators

__all__ = ["learn_scheme"]

logger = logging.getLogger(__name__)

_COARSE, _FINE = 14, 28  # pixels of the longest side: of the search, and of what it finds
_MOST_IMAGES = 400
_TRIED, _KEPT = 3, 2  # named starts that are climbed from beside the random ones; those that are climbed to the end
_SHORT, _LONG, _LAST = 20, 40, 15  # steps for one generator
_PAIR, _PAIR_LAST = 25, 6  # for two, whose copies are three times as many
_RATE, _LAST_RATE = 0.05, 0.02
_PAIR_SHARE = 0.75  # of the gain of one generator: two that begin below it are not climbed from
_MOST_SAMPLES = 40

Report = Callable[[str, float], None]


class Candidate(NamedTuple):
    """A scheme beside no sharing: nats gained, and these less what its free numbers and generators cost."""

    start: str
    scheme: Scheme
    nats: float
    score: float
    reaches: tuple[tuple[float, float], ...]


def learn_scheme(
    images: Any,
    labels: Any,
    *,
    basis: str | Basis = "affine",
    n_generators: str | int = "auto",
    most: int = _MOST_IMAGES,
    random_state: int = 0,
    progress: Report | None = None,
) -> SymmetryResult:
    """Learn from labels alone along which flow labels stay as they are; no pairs, no candidates, no network.

    The evidence of a Gaussian process that pools over copies (:mod:`liescope.type2.evidence`) is climbed in the
    coefficients, from the canonical fields that have most of it and a few random ones.

    Parameters
    ----------
    images : array or tensor, shape (n, H, W) or (n, C, H, W)
        30 at least, of 8 pixels a side at least.
    labels : array, shape (n,)
        Classes, each with two images or more; floating-point values are a regression.
    basis : str or Basis
        Fields that generators are made of.
    n_generators : {"auto", 1, 2}
        Two where they gain 3 nats more than one and what the prior takes for another.
    most : int
        Images that are used; more are sampled, class by class.
    random_state : int
    progress : callable, optional
        Told what is being done and the share that is done.

    Returns
    -------
    SymmetryResult
        Of the engine ``labels``: without pairs, its ``reach`` says how far labels stay as they are along every
        generator. A scheme is made of it (:meth:`Scheme.from_result`), classifiers and ``select_scheme`` take it,
        it is saved, loaded and handed over as any other. The verdict is ``no symmetry`` below 3 nats over no sharing,
        ``undecided`` where images do not explain labels at all, or where the gain is less than what the prior takes.

    Raises
    ------
    InputError
        Lengths differ, too few labels or classes, missing values, images too small, another number of generators.
    """
    begin = time.perf_counter()
    if n_generators not in ("auto", 1, 2):
        raise InputError(f"expected n_generators 'auto', 1 or 2, got {n_generators!r}")
    fields = get_basis(basis)
    if fields.ndim != 2:
        raise InputError(f"expected a basis in 2 coordinates, got {fields.name!r} in {fields.ndim}")
    data = stratified(labelled(images, labels), most, random_state)
    search = _Search(data, fields, random_state, progress or _silent)
    found = search.run(n_generators)
    return _result(search, found, n_generators, time.perf_counter() - begin)


def _silent(stage: str, done: float) -> None:
    """Nobody wants to know."""


class _Search:
    """Ascents on small images, then on larger ones; what they find is judged by another random layer."""

    def __init__(self, data: Labelled, basis: Basis, seed: int, report: Report) -> None:
        self.data, self.basis, self.seed, self.report = data, basis, seed, report
        self.grid = Grid.of(*data.shape)
        targets = indicators(data)
        small, large = (of_side(data.images, side) for side in (_COARSE, _FINE))
        self._coarse, self._fine = (Slope(part, targets, basis, seed) for part in (small, large))
        self._judge = PooledProcess(large, targets, seed + 1)
        self.none = self._judge.of(Scheme.none()).nats
        constant = np.zeros((len(data), 1))
        self.explained = self.none - evidence_of(constant, self._judge.targets).nats

    def run(self, asked: str | int) -> list[Candidate]:
        """What was found, best first."""
        empty = torch.zeros(0, self.basis.dimension)
        nothing = self._coarse.at(empty)
        found: list[Candidate] = []
        best = -math.inf
        if asked != 2:
            climb = self._one()
            best = climb.nats - nothing
            logger.info("one generator, from %s: %.1f nats over none", climb.name, best)
            found += self._judged(climb)
        if asked != 1:
            pair = self._two(nothing + (_PAIR_SHARE * best if asked == "auto" else -math.inf))
            if pair is not None:
                logger.info("two generators, from %s: %.1f nats over none", pair.name, pair.nats - nothing)
                found += self._judged(pair)
        self.report("done", 1.0)
        # Another generator has to pay for more than its prior.
        return sorted(found, key=lambda one: -(one.score - LEAST_GAIN * (len(one.scheme.generators) - 1)))

    def _one(self) -> Climb:
        starts = one_generator(self.basis, self.grid, np.random.default_rng(self.seed))
        tried = _best_of_each(self._looked_at(starts, 0.0, 0.1))
        random = [one for one in tried if one.name.startswith("random")]
        named = [one for one in tried if not one.name.startswith("random")][:_TRIED]
        climbs = []
        for number, one in enumerate([*named, *random]):
            self.report(f"climbing from {one.name}", 0.1 + 0.3 * number / (len(named) + len(random)))
            climbs.append(self._coarse.climbed(one, _SHORT, _RATE))
        climbs.sort(key=lambda one: -one.nats)
        ends = []
        for number, one in enumerate(climbs[:_KEPT]):
            self.report(f"climbing from {one.name}", 0.4 + 0.2 * number / _KEPT)
            ends.append(self._coarse.climbed(one, _LONG, _RATE))
        best = max(ends, key=lambda one: one.nats)
        return best._replace(place=self._fine.climbed(best, _LAST, _LAST_RATE).place)

    def _two(self, least: float) -> Climb | None:
        starts = self._looked_at(two_generators(self.basis, self.grid), 0.65, 0.7)
        best = max(starts, key=lambda one: one.nats, default=None)
        if best is None or best.nats < least:
            return None
        self.report(f"climbing from {best.name}", 0.7)
        end = self._coarse.climbed(best, _PAIR, _RATE)
        return end._replace(place=self._fine.climbed(end, _PAIR_LAST, _LAST_RATE).place)

    def _looked_at(self, starts: Sequence[Start], begin: float, end: float) -> list[Climb]:
        found = []
        for number, start in enumerate(starts):
            self.report("looking at starts", begin + (end - begin) * number / len(starts))
            found.append(Climb(start.name, start.place, start.place, self._coarse.at(start.place)))
        return found

    def _judged(self, climb: Climb) -> list[Candidate]:
        """Where it ended, where it began, and simple schemes near the end, each at its best reach."""
        self.report("judging what was found", 0.62 if len(climb.place) == 1 else 0.9)
        places = [(climb.place, climb.place.numel()), (climb.start, len(climb.place))]
        if len(climb.place) == 1:
            places += simpler(climb.place, self.basis)
        found = [self._at_best_reach(climb.name, place, free) for place, free in places]
        return sorted(found, key=lambda one: -one.score)

    def _at_best_reach(self, start: str, place: Tensor, free: int) -> Candidate:
        generators = [Generator(row, self.basis, self.grid) for row in place.double().numpy()]
        lengths = place.norm(dim=1).tolist()
        scheme = Scheme.of(generators, [_at_most_around(*pair) for pair in zip(lengths, generators, strict=True)])
        tried: dict[tuple[float, ...], tuple[Scheme, float, float]] = {}
        turns = [math.inf] if any(one.period is not None for one in generators) else []
        for factor in (*REACHES, *turns):
            other = scheme.reaching(factor) if math.isfinite(factor) else _around(scheme)
            if other.reach not in tried:
                tried[other.reach] = (other, self._judge.of(other).nats - self.none, other.reach[0] / scheme.reach[0])
        best, nats, _ = max(tried.values(), key=lambda one: one[1])
        # Schwarz's criterion for the directions (Annals of Statistics 6, 1978), and the prior for the generators.
        cost = 0.5 * math.log(len(self.data)) * (free - len(generators)) + NATS_PER_GENERATOR * len(generators)
        curve = tuple((share, gain) for _, gain, share in tried.values())
        return Candidate(start, best, nats, nats - cost, curve)


def _best_of_each(climbs: Sequence[Climb]) -> list[Climb]:
    """The best of every name, best first."""
    best: dict[str, Climb] = {}
    for one in sorted(climbs, key=lambda one: -one.nats):
        best.setdefault(one.name, one)
    return list(best.values())


def _at_most_around(reach: float, generator: Generator) -> float:
    return reach if generator.period is None else min(reach, generator.period / 2)


def _around(scheme: Scheme) -> Scheme:
    """All closed orbits once around."""
    reach = [
        _at_most_around(math.inf if one.period else far, one)
        for far, one in zip(scheme.reach, scheme.generators, strict=True)
    ]
    return Scheme.of(scheme.generators, reach)


def _result(search: _Search, found: Sequence[Candidate], asked: str | int, seconds: float) -> SymmetryResult:
    data, basis = search.data, search.basis
    best = found[0]
    verdict, reason = _verdict(best, search.explained)
    kept = best.scheme.generators if best.nats >= LEAST_GAIN else ()
    unknown = np.full((basis.dimension, 2), np.nan)
    columns = np.stack([one.coefficients for one in kept], axis=1) if kept else np.zeros((basis.dimension, 0))
    count = data.outputs
    evidence = {
        "null": "none",
        "labels": len(data),
        "classes": None if data.classes is None else count,
        "nats": best.nats,
        "reach": list(best.scheme.reach) if kept else None,
        "reaches": [{"factor": factor, "nats": nats} for factor, nats in best.reaches],
        "explained": search.explained,
        "start": best.start,
        "tried": [{"scheme": one.scheme.as_dict(), "nats": one.nats, "score": one.score} for one in found],
    }
    images = data.images.numpy()
    chosen = np.linspace(0, len(data) - 1, min(len(data), _MOST_SAMPLES)).round().astype(int)
    return SymmetryResult(
        engine=LABELS,
        verdict=verdict,
        reason=reason,
        pairs=0,
        shape=(images.shape[1], *data.shape),
        basis=basis,
        generators=tuple(DetectedGenerator(one, np.nan, unknown) for one in kept),
        algebra=describe_algebra(columns, basis, search.grid)._asdict() if kept else {},
        evidence=evidence,
        t=np.zeros((0, len(kept))),
        residual=np.zeros(0),
        accepted=np.zeros(0, dtype=bool),
        seconds=seconds,
        seed=search.seed,
        settings={"basis": basis.name, "n_generators": asked, "random_state": search.seed},
        version=__version__,
        samples=Samples(chosen, images[chosen], images[chosen], images[chosen]),
    )


def _verdict(best: Candidate, explained: float) -> tuple[str, str]:
    size = len(best.scheme.generators)
    needed = LEAST_GAIN + NATS_PER_GENERATOR * size
    gain = f"sharing weights along {best.scheme.told()} explains the labels by {best.nats:.1f} nats better than not"
    if best.nats >= needed:
        return "symmetry", gain
    if best.nats >= LEAST_GAIN:
        return "undecided", f"{gain}, where {needed:g} are asked for; more labels would decide it"
    if explained < LEAST_GAIN:
        return "undecided", "the images do not explain the labels at all; more labels, or other ones, would decide it"
    return "no symmetry", f"no flow that was tried explains the labels by {LEAST_GAIN:g} nats better than no sharing"
