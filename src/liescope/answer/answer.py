"""What a detection answers, as plain data: generators, magnitudes, evidence. It knows no engine and no page."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch

from liescope.algebra import flow_matrix
from liescope.answer.film import Film
from liescope.answer.folder import SCHEMA_NAME, TABLES
from liescope.answer.moving import SymmetryTransform
from liescope.answer.parts import DetectedGenerator, Samples
from liescope.answer.values import plain_values
from liescope.errors import InputError
from liescope.geometry import Basis, Grid
from liescope.geometry.transport import Border, Interpolation
from liescope.inference.modes import find_modes

__all__ = ["FURTHER_ARRAYS", "LABELS", "SCHEMA", "Answer"]

SCHEMA = f"{SCHEMA_NAME}2"
"""Name of the format of ``result.json``; a change of a key gets a new number."""
FURTHER_ARRAYS = ("t_error", "identifiable", "factor_t", "gain", "offset", "names")
"""What ``magnitudes.npz`` has where it is known."""

LABELS = "labels"
"""The engine of results that come from labelled images, without pairs."""

_DRAWN = 2000
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def _law(t: np.ndarray) -> dict[str, Any]:
    """Mean, quantiles and modes of magnitudes (n, K)."""
    if not t.size:
        return {"mean": [], "quantiles": {}, "modes": []}
    quantiles = {f"{q:g}": np.quantile(t, q, axis=0).tolist() for q in QUANTILES}
    modes = [np.asarray(find_modes(column)).tolist() for column in t.T]
    return {"mean": t.mean(axis=0).tolist(), "quantiles": quantiles, "modes": modes}


def _package_versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
    return versions | {"scipy": importlib.metadata.version("scipy")}


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """The answer of a detection.

    Parameters
    ----------
    engine : str
        Its name, ``registration`` or ``latent``.
    verdict : str
        ``symmetry``, ``no symmetry`` or ``undecided``.
    reason : str
        One plain sentence that says why.
    pairs : int
    shape : (C, H, W)
    basis : Basis
        What the coefficients refer to.
    generators : tuple of DetectedGenerator
        K of them, in the order of the canonical fields that they are named after. Where the verdict is no symmetry,
        only those that were asked for; where it is undecided, what fits best.
    algebra, evidence : dict
        As in ``result.json``.
    t : array, shape (N, K)
        Magnitudes in units of the unit-norm generators: target = exp(sum_k t_k X_k) source. Those of a single rotation
        are on the branch of the circle that the accepted pairs lie on: 179 to 181 degrees.
    residual : array, shape (N,)
        Squared difference of transported source and target, as a share of the target's sum of squares.
    accepted : array of bool, shape (N,)
        Which pairs follow the symmetry.
    seconds : float
    seed : int
    settings : dict
    version : str
        Of liescope.
    t_error : array, shape (N, K), optional
        Standard errors of t: the scatter that each pair's own residual implies.
    identifiable : array of bool, shape (N,), optional
        Pairs that determine their magnitudes (:func:`liescope.inference.identifiable`).
    factor_t : array, shape (N, J), optional
        Where pairs are products of fewer factors than K (``algebra["factors"]``): the factors' magnitudes, NaN for
        pairs that do not follow.
    gain, offset : arrays of float, shape (N,), optional
        target = gain * moved source + offset in grey values.
    samples : Samples, optional
    versions : dict
        Of Python and the packages that computed the result.
    kind : str
        What was looked at: ``images``, or ``labels`` of images, where there are no pairs: see :attr:`reach`.
    product : bool
        Whether generators act one after the other, target = exp(t_K X_K) ... exp(t_1 X_1) source, as those of the
        latent engine do, and not as one exponential.
    background : array, shape (C,), optional
        Grey values outside the images; 0 where not known.
    state : mapping
        What the engine keeps for measuring other data: files by their names (:meth:`liescope.engines.Fitted.state`).
    film : Film, optional
        Where the pairs are frames of a film.
    names : array of str, shape (N, 2), optional
        Files that every pair's source and target came from.
    """

    engine: str
    verdict: str
    reason: str
    pairs: int
    shape: tuple[int, int, int]
    basis: Basis
    generators: tuple[DetectedGenerator, ...]
    algebra: Mapping[str, Any]
    evidence: Mapping[str, Any]
    t: np.ndarray
    residual: np.ndarray
    accepted: np.ndarray
    seconds: float
    seed: int
    settings: Mapping[str, Any]
    version: str
    t_error: np.ndarray | None = None
    identifiable: np.ndarray | None = None
    factor_t: np.ndarray | None = None
    gain: np.ndarray | None = None
    offset: np.ndarray | None = None
    samples: Samples | None = None
    versions: Mapping[str, str] = field(default_factory=_package_versions)
    kind: str = "images"
    product: bool = False
    background: np.ndarray | None = None
    state: Mapping[str, bytes] = field(default_factory=dict)
    film: Film | None = None
    names: np.ndarray | None = None

    @property
    def first(self) -> np.ndarray | None:
        """Number of every pair's first frame, shape (N,); None without a film."""
        return None if self.film is None else self.film.first

    @property
    def second(self) -> np.ndarray | None:
        """Number of every pair's second frame, shape (N,); None without a film."""
        return None if self.film is None else self.film.second

    @property
    def frame_t(self) -> np.ndarray | None:
        """Magnitudes of a film's frames from the first one on, shape (T, K); see :class:`liescope.answer.film.Film`."""
        return None if self.film is None else self.film.t

    @property
    def frame_t_error(self) -> np.ndarray | None:
        """Standard errors of :attr:`frame_t`, shape (T, K)."""
        return None if self.film is None else self.film.t_error

    @property
    def reach(self) -> np.ndarray | None:
        """How far labels stay as they are along every generator, either way, shape (K,); None of results of pairs."""
        reach = self.evidence.get("reach")
        return None if reach is None else np.asarray(reach, dtype=np.float64)

    @property
    def grid(self) -> Grid:
        """Where the images' pixels lie."""
        return Grid.of(*self.shape[1:])

    @property
    def natural(self) -> np.ndarray:
        """Magnitudes in the generators' natural units (degrees, pixels, ...), shape (N, K)."""
        return self.t * np.array([g.generator.unit_per_t for g in self.generators], dtype=np.float64)

    @property
    def accepted_fraction(self) -> float:
        """Share of the pairs that follow the symmetry."""
        return float(np.mean(self.accepted)) if len(self.accepted) else 0.0

    @cached_property
    def law_t(self) -> np.ndarray | None:
        """Magnitudes (n, K) distributed by the law, where it is known better than from those of single images."""
        law = (self.evidence.get("sets") or {}).get("law")
        if not law or len(law) != len(self.generators):
            return None
        u = (np.arange(_DRAWN) + 0.5) / _DRAWN
        return np.stack([np.interp(u, one["u"], one["t"]) for one in law], axis=1)

    @cached_property
    def magnitudes_summary(self) -> dict[str, Any]:
        """Mean, quantiles and modes of t over the accepted pairs, one entry per generator.

        Where it is known which pairs determine their magnitudes, ``identifiable`` has the same over those alone.
        """
        summary = _law(self.law_t if self.law_t is not None else self.t[self.accepted])
        if self.identifiable is not None and self.identifiable.any():
            alone = {"pairs": int(self.identifiable.sum()), **_law(self.t[self.identifiable])}
            return summary | {"identifiable": alone}
        return summary

    def transform(
        self,
        images: Any,
        t: Any,
        *,
        interpolation: Interpolation = "linear",
        border: Border = "zero",
    ) -> Any:
        """Images moved by exp(t_1 X_1 + ... + t_K X_K); by exp(t_K X_K) ... exp(t_1 X_1) where :attr:`product` says so.

        Parameters
        ----------
        images : array or tensor, shape (H, W), (N, H, W) or (N, C, H, W)
            Of any size: coefficients mean the same field on every grid.
        t : float, or array or tensor of shape (K,) or (N, K), or (N,) where K is 1
            In units of the unit-norm generators, for all images or for each: ``degrees / generator.unit_per_t``.
        interpolation : {"linear", "cubic"}
            Between pixels.
        border : {"zero", "edge", "periodic"}
            What comes in from outside: the background of the images that were learnt from, the nearest pixel, or the
            image again.

        Returns
        -------
        array, float32, the shape of ``images``
            Of a tensor a tensor, of its type and on its device, differentiable in images and t.

        Raises
        ------
        InputError
            No symmetry to apply, wrong ranks or counts, values that are not finite.

        Examples
        --------
        >>> from liescope import detect
        >>> from liescope.data import make_pairs
        >>> pairs = make_pairs(transform="translation-x", range=3, pairs=60)
        >>> result = detect(pairs.source, pairs.target, basis="translations", n_generators=1)
        >>> right = result.generators[0]  # t in pixels: divided by pixels per t
        >>> image = np.zeros((28, 28))
        >>> image[14, 10] = 1
        >>> moved = result.transform(image, 5 / right.unit_per_t)
        >>> [int(place) for place in np.unravel_index(moved.argmax(), moved.shape)]
        [14, 15]
        """
        module = self.module(interpolation=interpolation, border=border)
        if isinstance(images, torch.Tensor):
            moved: torch.Tensor = module(images, t)
            return moved
        return module.arrays(images, t)

    def module(self, *, interpolation: Interpolation = "linear", border: Border = "zero") -> SymmetryTransform:
        """What :meth:`transform` does, as a module for networks of torch: ``module(images, t)``.

        Raises
        ------
        InputError
            No symmetry to apply.
        """
        self._check_generators()
        coefficients = np.stack([g.coefficients for g in self.generators])
        return SymmetryTransform(
            coefficients,
            self.basis,
            self.background,
            product=self.product,
            interpolation=interpolation,
            border=border,
        )

    def matrix(
        self, t: float | Sequence[float] | np.ndarray, convention: str = "field", shape: Sequence[int] | None = None
    ) -> np.ndarray:
        """What :meth:`transform` does to points, as a matrix: :func:`liescope.algebra.flow_matrix`.

        Parameters
        ----------
        t : float, or array of shape (K,)
        convention : {"field", "pixels", "skimage", "opencv", "torch"}
        shape : (H, W), optional
            Of the images at hand; default that of the images that were learnt from.
        """
        self._check_generators()
        values = np.atleast_1d(np.asarray(t, dtype=np.float64))
        size = len(self.generators)
        if values.shape != (size,):
            raise InputError(f"expected {size} magnitude{'s' * (size > 1)} t, got shape {values.shape}")
        coefficients = np.stack([g.coefficients for g in self.generators])
        vectors = values[:, None] * coefficients
        vectors = vectors if self.product else vectors.sum(axis=0, keepdims=True)
        return flow_matrix(vectors, self.basis, self.grid, convention, shape)

    def _check_generators(self) -> None:
        if not self.generators:
            raise InputError(f"expected a result with a symmetry to apply, got none: {self.reason}")

    def to_dict(self) -> dict[str, Any]:
        """The content of ``result.json``: plain values, numbers that are not finite as None."""
        algebra = {"dimension": len(self.generators), "name": None, "closed": None, "closure_residual": None}
        evidence = dict.fromkeys(("heldout_error", "identity_error", "permuted_error", "p_value", "null"))
        content = {
            "schema": SCHEMA,
            "version": self.version,
            "engine": self.engine,
            "verdict": self.verdict,
            "reason": self.reason,
            "kind": self.kind,
            "data": {"pairs": self.pairs, "shape": self.shape, "background": self.background} | self._film_data(),
            "domain": {"ndim": self.grid.ndim, "axes": self.grid.axes, "shape": self.grid.shape},
            "basis": self.basis.name,
            "terms": self.basis.terms,
            "generators": [g.to_dict() for g in self.generators],
            "algebra": algebra | dict(self.algebra),
            "evidence": evidence | dict(self.evidence),
            "magnitudes": self.magnitudes_summary,
            "accepted_fraction": self.accepted_fraction,
            "seconds": self.seconds,
            "seed": self.seed,
            "settings": self.settings,
            "versions": self.versions,
            "product": self.product,
            "files": sorted(self.state),
            "tables": TABLES,
        }
        plain: dict[str, Any] = plain_values(content)
        return plain

    def _film_data(self) -> dict[str, Any]:
        return {} if self.film is None else {"frames": self.film.frames, "lags": self.film.lags}

    def __repr__(self) -> str:
        found = "; ".join(f"{g.generator.name}: {g.generator.equation}" for g in self.generators)
        return f"{type(self).__name__}({found or self.verdict}, pairs={self.pairs}, engine={self.engine!r})"
