"""Which weight-sharing scheme labelled images want: evidence, prior, posterior and weights that show ties."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import nn

from liescope.algebra import Generator
from liescope.errors import InputError
from liescope.result import SymmetryResult
from liescope.type2.evidence import Evidence, PooledProcess
from liescope.type2.labelled import Labelled, indicators, labelled, stratified
from liescope.type2.network import OrbitNetwork
from liescope.type2.scheme import LEAST_GAIN, NONE, REACHES, Scheme, as_scheme, log_priors

__all__ = ["CANDIDATES", "SchemeChoice", "Weighed", "select_scheme"]

CANDIDATES = ("none", "translation", "rotation", "scale", "shear", "hyperbolic", "translation-x", "rotation+scale")
"""Schemes that are compared where none are named."""

_MOST_IMAGES = 1000
_DRAWS = 2000
_MOST_EXAMPLES = 10

SCHEMA = "liescope.choice/1"
"""Of ``choice.json``."""


@dataclass(frozen=True)
class Weighed:
    """A scheme, weighed.

    Attributes
    ----------
    scheme : Scheme
        At the reach with the most evidence.
    nats : float
        Its log evidence above that of no sharing.
    interval : (float, float)
        95 % of what the gain in leave-one-out score is over the Bayesian bootstrap, in nats.
    log_prior, posterior : float
        log p(S), and p(S | labels). The labels are classes and no Gaussian values: the posterior is too sure.
    weight : float
        Share of the bootstrap's draws, weighted by the prior, that prefer it: this shows ties.
    reaches : tuple of (float, float)
        Nats above no sharing by reach, as multiples of the one asked for.
    """

    scheme: Scheme
    nats: float
    interval: tuple[float, float]
    log_prior: float
    posterior: float
    weight: float
    reaches: tuple[tuple[float, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "scheme": self.scheme.as_dict(),
            "told": self.scheme.told(),
            "nats": self.nats,
            "interval": list(self.interval),
            "log_prior": self.log_prior,
            "posterior": self.posterior,
            "weight": self.weight,
            "reaches": [{"factor": factor, "nats": nats} for factor, nats in self.reaches],
        }


@dataclass(frozen=True, eq=False)
class SchemeChoice:
    """Schemes compared on labelled images; the table's first row has the most weight.

    Attributes
    ----------
    table : tuple of Weighed
    verdict : str
        ``a scheme`` or ``no scheme stands out``.
    images : int
        Whose labels were explained.
    shape : (int, int)
        Of the images.
    channels, outputs : int
    examples : array, shape (classes, C, H, W)
        An image of every class, as many as there are room for.
    labels : tuple of str
        What these are labelled.
    seconds : float
    scores : mapping of str to float, optional
        By scheme, of networks trained and tested (:func:`try_schemes`): the share that is right, or R squared.
    tested : int
        Images that they were tested on.
    """

    table: tuple[Weighed, ...]
    verdict: str
    images: int
    shape: tuple[int, int]
    channels: int
    outputs: int
    examples: Float[np.ndarray, "k c h w"]
    labels: tuple[str, ...]
    seconds: float
    scores: Mapping[str, float] | None = None
    tested: int = 0

    @property
    def best(self) -> Scheme:
        """The scheme with the most evidence and prior; no sharing where no scheme stands out."""
        if self.verdict != "a scheme":
            return Scheme.none()
        return max(self.table, key=lambda row: row.nats + row.log_prior).scheme

    @property
    def weights(self) -> dict[str, float]:
        """Weight of every scheme by name; they sum to 1."""
        return {row.scheme.name: row.weight for row in self.table}

    def network(
        self, classes: int | None = None, trunk: str | nn.Module | None = None, **settings: Any
    ) -> OrbitNetwork:
        """A network, not trained, that shares its weights along the best scheme.

        Parameters
        ----------
        classes : int, optional
            Outputs; by default as many as the labels had.
        trunk : {"dense", "cnn"} or nn.Module, optional
        settings
            Of :class:`OrbitNetwork`.
        """
        outputs = self.outputs if classes is None else classes
        return OrbitNetwork(self.best, self.shape, outputs, channels=self.channels, trunk=trunk or "dense", **settings)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: what ``choice.json`` holds."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "best": self.best.as_dict(),
            "told": str(self).splitlines()[0],
            "images": self.images,
            "outputs": self.outputs,
            "seconds": self.seconds,
            "table": [row.to_dict() for row in self.table],
            "scores": None if self.scores is None else dict(self.scores),
            "tested": self.tested,
        }

    def __str__(self) -> str:
        best = next((row for row in self.table if row.scheme.name == self.best.name), self.table[0])
        lead = "no scheme stands out" if self.best.name == NONE else f"{best.scheme.told()}, {_nats(best.nats)}"
        rows = [
            f"  {row.scheme.name:<16} {row.nats:+8.1f} nats, weight {row.weight:.2f}"
            + (f", {row.scheme.told()}" if row.scheme.generators else "")
            + (f", tested {self.scores[row.scheme.name]:.3f}" if self.scores else "")
            for row in self.table
        ]
        return "\n".join([f"{lead} ({self.images} labels)", *rows])


def _nats(gain: float) -> str:
    return f"{gain:+.0f} nats over none"


def select_scheme(
    images: Any,
    labels: Any,
    schemes: Sequence[str | Scheme | SymmetryResult | Generator] = CANDIDATES,
    *,
    prior: Mapping[str, float] | None = None,
    reach: str = "evidence",
    most: int = _MOST_IMAGES,
    random_state: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> SchemeChoice:
    """Choose the scheme along which a network for labelled images should share its weights.

    Nothing is trained: schemes are compared by the evidence of a Gaussian process that pools over them
    (:mod:`liescope.type2.evidence`). No sharing is always among the candidates.

    Parameters
    ----------
    images : array or tensor, shape (n, H, W) or (n, C, H, W)
        30 at least, of 8 pixels a side at least.
    labels : array, shape (n,)
        Classes, each with two images or more; floating-point values are a regression.
    schemes : sequence
        Names (:data:`liescope.type2.FAMILIES`, products with ``+``), schemes, generators, results of detections.
    prior : mapping, optional
        Log prior by name, any constant added; default 3 nats less for every generator.
    reach : {"evidence", "given"}
        Half, once and twice the reach (at most the circle) are tried, or the reach is taken as it is.
    most : int
        Images that are used; more are sampled, class by class.
    random_state : int
    progress : callable, optional
        Told what is being done and the share that is done.

    Returns
    -------
    SchemeChoice

    Raises
    ------
    InputError
        Lengths differ, too few labels or classes, missing values, images too small, an unknown or foreign scheme.
    """
    begin = time.perf_counter()
    if reach not in ("evidence", "given"):
        raise InputError(f"expected reach 'evidence' or 'given', got {reach!r}")
    data = labelled(images, labels)
    candidates = _candidates(schemes, data.shape)
    data = stratified(data, most, random_state)
    process = PooledProcess(data.images, indicators(data), random_state)
    found: list[tuple[Scheme, Evidence, list[tuple[float, float]]]] = []
    for number, scheme in enumerate(candidates):
        if progress is not None:
            progress(scheme.name, number / len(candidates))
        found.append(_at_best_reach(process, scheme, REACHES if reach == "evidence" else (1.0,)))
    if progress is not None:
        progress("done", 1.0)
    table, verdict = _weighed(found, _prior(candidates, prior), random_state)
    examples, names = _examples(data)
    channels, seconds = data.images.shape[1], time.perf_counter() - begin
    return SchemeChoice(table, verdict, len(data), data.shape, channels, data.outputs, examples, names, seconds)


def _examples(data: Labelled) -> tuple[np.ndarray, tuple[str, ...]]:
    """The first image of every class, or of the values from the least to the largest."""
    if data.classes is None:
        rows = np.argsort(data.labels)[np.linspace(0, len(data) - 1, _MOST_EXAMPLES).round().astype(int)]
        names = tuple(f"{data.labels[row]:.3g}" for row in rows)
    else:
        rows = np.unique(data.labels, return_index=True)[1][:_MOST_EXAMPLES]
        names = tuple(str(data.classes[data.labels[row]]) for row in rows)
    return data.images.numpy()[rows], names


def _candidates(asked: Sequence[str | Scheme | SymmetryResult | Generator], shape: tuple[int, int]) -> list[Scheme]:
    """No sharing, and what was asked for: what was found beside a scheme of that name gets another name."""
    words = [one for one in asked if isinstance(one, str)]
    repeated = sorted({word for word in words if words.count(word) > 1})
    if repeated:
        raise InputError(f"expected every scheme once, got {', '.join(repeated)} several times")
    kept = {NONE: Scheme.none()}
    # Names that are written come first: they stay as they are.
    for one in sorted(asked, key=lambda one: not isinstance(one, str)):
        scheme = as_scheme(one, shape)
        if scheme.generators:
            name = next(name for name in _names(scheme.name) if name not in kept)
            kept[name] = replace(scheme, name=name)
    return list(kept.values())


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} ({number})" for number in count(2))


def _at_best_reach(
    process: PooledProcess, scheme: Scheme, factors: Sequence[float]
) -> tuple[Scheme, Evidence, list[tuple[float, float]]]:
    if not scheme.generators:
        return scheme, process.of(scheme), []
    tried: dict[tuple[float, ...], tuple[Scheme, Evidence]] = {}
    curve = []
    for factor in factors:
        other = scheme.reaching(factor) if factor != 1 else scheme
        # Twice the circle is the circle.
        if other.reach not in tried:
            tried[other.reach] = (other, process.of(other))
            curve.append((factor, tried[other.reach][1].nats))
    best = max(tried.values(), key=lambda pair: pair[1].nats)
    return *best, curve


def _prior(schemes: Sequence[Scheme], given: Mapping[str, float] | None) -> Float[np.ndarray, " s"]:
    if given is None:
        return log_priors(schemes)
    names = [scheme.name for scheme in schemes]
    missing = sorted(set(names) - set(given))
    if missing:
        raise InputError(f"expected a prior for every scheme, got none for {', '.join(missing)}")
    prior = np.array([float(given[name]) for name in names])
    return np.asarray(prior - np.logaddexp.reduce(prior))


def _weighed(
    found: Sequence[tuple[Scheme, Evidence, list[tuple[float, float]]]], prior: Float[np.ndarray, " s"], seed: int
) -> tuple[tuple[Weighed, ...], str]:
    none = found[0][1]
    nats = np.array([evidence.nats - none.nats for _, evidence, _ in found])
    scores = np.stack([evidence.scores - none.scores for _, evidence, _ in found])
    # The Bayesian bootstrap of leave-one-out scores (Yao et al., Bayesian Analysis 13, 2018).
    shares = np.random.default_rng(seed).dirichlet(np.ones(scores.shape[1]), _DRAWS)
    gains = scores.shape[1] * shares @ scores.T
    posterior, drawn = _normalised(nats + prior), _normalised(gains + prior)
    low, high = np.quantile(gains, (0.025, 0.975), axis=0)
    rows = [
        Weighed(
            scheme,
            float(nats[i]),
            (float(low[i]), float(high[i])),
            float(prior[i]),
            float(posterior[i]),
            float(drawn[:, i].mean()),
            tuple((factor, value - none.nats) for factor, value in curve),
        )
        for i, (scheme, _, curve) in enumerate(found)
    ]
    verdict = "a scheme" if nats.max() >= LEAST_GAIN else "no scheme stands out"
    return tuple(sorted(rows, key=lambda row: (-round(row.weight, 3), -row.nats - row.log_prior))), verdict


def _normalised(logs: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(logs - np.logaddexp.reduce(logs, axis=-1, keepdims=True)))
