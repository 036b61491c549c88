"""What an engine is: data and a basis in, generators with their evidence out, and something that measures new data.

An engine is a folder beside the others and one line in :mod:`liescope.engines.registry`. It says what it can take
(:meth:`Engine.accepts`), fits (:meth:`Engine.fit`), and hands back a :class:`Fit`: plain numbers on the data it saw,
and a :class:`Fitted` that measures other data. What engines share stands beside this file; none imports another. An
engine that goes on from what another found gets that :class:`Fit` handed in (:class:`Start`).
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from liescope.data import ImageStack
from liescope.engines.pair_set import PairSet
from liescope.geometry import Basis

__all__ = ["BORDERS", "Engine", "Fit", "Fitted", "Measured", "Progress", "Settings", "SpanEstimate", "Start"]

BORDERS = ("auto", "unknown", "zero")
"""What may be said of what lies outside of images (:class:`Settings`)."""

Progress = Callable[[str, float], None]
"""Called with the name of the stage and how much of it is done, 0 to 1."""


@dataclass(frozen=True)
class Settings:
    """What is asked of an engine.

    Parameters
    ----------
    generators : int or None
        How many; None: as many as the data speak for.
    seed : int
        Of everything random; the same seed gives the same bits on a CPU.
    device : str
        Torch device to compute on.
    options : Any
        The engine's own settings, as its :meth:`Engine.configured` returned them.
    folder : path, optional
        Where long work keeps its state.
    resume : bool
        Go on from the state in the folder.
    border : str
        What lies outside of images: ``zero``: their background; ``unknown``: nothing that is known; ``auto``:
        background where their borders are, else unknown.
    """

    generators: int | None = None
    seed: int = 0
    device: str = "cpu"
    options: Any = None
    folder: Path | None = None
    resume: bool = False
    border: str = "auto"


class Measured(NamedTuple):
    """What an engine reads off M pairs along K generators.

    Attributes
    ----------
    t : array, shape (M, K)
        Magnitudes.
    residual : array, shape (M,)
        Relative errors of the pairs, moved by their magnitudes.
    t_error : array, shape (M, K), or None
        Standard errors of the magnitudes, where the engine knows them.
    ambiguous : bool array, shape (M,), or None
        Pairs that quite another magnitude fits as well, where the engine can tell.
    gain, offset : arrays, shape (M,), or None
        target = gain * moved source + offset in grey values, where the engine measures brightness.
    """

    t: np.ndarray
    residual: np.ndarray
    t_error: np.ndarray | None = None
    ambiguous: np.ndarray | None = None
    gain: np.ndarray | None = None
    offset: np.ndarray | None = None


class SpanEstimate(NamedTuple):
    """The span of the generators as it was estimated, for whoever looks for simpler generators of it.

    Attributes
    ----------
    columns : array, shape (m, K)
        Orthonormal.
    covariance : array, shape (K m, K m)
        Sampling covariance of the columns, K-major.
    systematic_deg : float
        Standard deviation, in degrees, of what all pairs share and the covariance therefore does not know.
    """

    columns: np.ndarray
    covariance: np.ndarray
    systematic_deg: float


class Fitted(ABC):
    """Generators as an engine found them, with all that measuring other data takes.

    A result keeps :meth:`state`, files by their names, and never the object; :meth:`Engine.restore` makes it again.
    """

    rough: bool = False
    """Whether magnitudes of single pairs say little, so that no pair is left out for its residual."""

    product: bool = False
    """Whether generators act one after the other, exp(t_K X_K) ... exp(t_1 X_1), and not as exp(sum_k t_k X_k)."""

    history: Sequence[Mapping[str, float]] = ()
    """One row an epoch, where something was trained."""

    means: np.ndarray | None = None
    """Mean images (3, H, W) of sources, targets and moved sources, where distributions were compared."""

    background: np.ndarray
    """Grey value (C, 1, 1) outside images."""

    @abstractmethod
    def measure(self, source: ImageStack, target: ImageStack) -> Measured:
        """Magnitudes and errors of other pairs of the fitted image size."""

    @abstractmethod
    def still(self, source: ImageStack, target: ImageStack) -> np.ndarray:
        """Relative errors (M,) of pairs as they are, comparable with the residuals of :meth:`measure`."""

    @abstractmethod
    def state(self) -> dict[str, bytes]:
        """Everything as files by their names; nothing in them is ever executed."""

    def decoded(self, images: Any, t: Any) -> np.ndarray | None:
        """Images (N, C, H, W) through a decoder, moved by t; None where the engine has none."""
        return None


@dataclass(frozen=True, eq=False)
class Fit:
    """What an engine found in N pairs.

    Parameters
    ----------
    verdict : str
        ``symmetry``, ``no symmetry`` or ``undecided``.
    reason : str
        In a sentence.
    coefficients : array, shape (K, m)
        Generators, unit norm in the gauge (:func:`liescope.algebra.fix_gauge`): those of a symmetry; what fits best
        where nothing is decided or where K were asked for.
    covariances : array, shape (K, m, m), or None
        Sampling covariance of every generator's coefficients, where the engine knows it.
    evidence : mapping
        As ``result.json`` keeps it.
    measured : Measured
        Of the pairs themselves; t has the K columns of the generators.
    accepted : bool array, shape (N,)
        Pairs that follow the symmetry.
    fitted : Fitted or None
        What measures other pairs; None where there is nothing to measure with.
    span : SpanEstimate or None
        Where simpler generators of the span can be looked for.
    """

    verdict: str
    reason: str
    coefficients: np.ndarray
    covariances: np.ndarray | None
    evidence: Mapping[str, Any]
    measured: Measured
    accepted: np.ndarray
    fitted: Fitted | None = None
    span: SpanEstimate | None = None

    def with_evidence(self, evidence: Mapping[str, Any]) -> Fit:
        """The same with other evidence."""
        return dataclasses.replace(self, evidence=evidence)


class Start(NamedTuple):
    """What another engine found in some of the pairs: ``chosen`` (sorted) of them, and its ``fit`` on those."""

    chosen: np.ndarray
    fit: Fit


class Engine(ABC):
    """A way to find generators in data."""

    name: ClassVar[str]
    """As ``engine=``, ``--engine`` and ``result.json`` have it."""

    parameters: ClassVar[frozenset[str]] = frozenset()
    """Which of the estimator's parameters ``config``, ``work_dir`` and ``resume`` it has a use for."""

    trains: ClassVar[bool] = False
    """Whether its fits have a training's history and a decoder to show."""

    starts_from: ClassVar[str | None] = None
    """The engine whose fit it can go on from, and that knows how sure a span is which it has itself found."""

    @abstractmethod
    def accepts(self, data: PairSet) -> str | None:
        """None for data that it can take, else a reason in a few words: "signals, where images are needed"."""

    @abstractmethod
    def fit(self, data: PairSet, basis: Basis, settings: Settings, report: Progress, start: Start | None = None) -> Fit:
        """Find generators, measure all pairs with them, and say what speaks for them.

        Raises
        ------
        InputError
            Data or settings that it cannot work with.
        ComputationError
            Work that could not be finished.
        """

    @abstractmethod
    def restore(self, state: Mapping[str, bytes], basis: Basis, device: str = "cpu") -> Fitted:
        """The :class:`Fitted` whose ``state()`` this is.

        Raises
        ------
        InputError
            Files that are missing, truncated, foreign, or of another version.
        """

    def configured(self, config: Any) -> Any:
        """Its own settings from what the user gave (None: its defaults), or InputError."""
        return config

    def check(self, data: PairSet, basis: Basis, settings: Settings) -> None:  # noqa: B027
        """Refuse, before any work, what the engine could not finish: too little memory, files that are broken.

        Raises
        ------
        InputError
            One line that says why.
        """

    def start_pairs(self, count: int, basis: Basis, settings: Settings) -> np.ndarray | None:
        """Sorted indices of the pairs that a start is wanted from; None where none is wanted.

        Raises
        ------
        InputError
            What follows could not even begin.
        """
        return None

    def goes_on_from(self, fit: Fit) -> bool:
        """Whether ``auto`` is to hand it what :attr:`starts_from` found, because it may say more."""
        return False

    def weighed(self, first: Fit, own: Fit) -> tuple[str, Fit]:
        """Of what :attr:`starts_from` found and of its own fit, the one to be told, with the name of its engine."""
        return self.name, own

    def span_covariance(
        self, data: PairSet, basis: Basis, columns: np.ndarray, settings: Settings
    ) -> np.ndarray | None:
        """How sure the data make a span (m, K) that another engine found: covariance (K m, K m), or None."""
        return None
