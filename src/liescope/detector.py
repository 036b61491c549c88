"""One estimator and one function over all engines."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from liescope import __version__
from liescope.algebra import Generator, check_basis, describe_algebra, readable_generators
from liescope.data import ImageStack, validate_images
from liescope.errors import InputError, suggest
from liescope.geometry import Basis, get_basis
from liescope.inference import Count, coefficient_uncertainty, count_generators
from liescope.registration import (
    Alignment,
    GreyScale,
    PairSet,
    Registration,
    Search,
    Study,
    magnitudes_along,
    register_all,
    worker_pool,
)
from liescope.registration.preparation import relative
from liescope.registration.study import FIT_PAIRS, HELD_OUT_PAIRS
from liescope.result import DetectedGenerator, Samples, SymmetryResult

__all__ = ["ENGINES", "Progress", "SymmetryDetector", "detect"]

ENGINES = ("auto", "registration")
"""What ``engine=`` and ``--engine`` accept."""

Progress = Callable[[str, float], None]
"""Called with the name of the stage and how much of it is done, 0 to 1."""

_ACCEPT_QUANTILE = 0.02
"""A pair is accepted where it fits better than all but this share of unrelated pairs would."""

_SAMPLE_QUANTILES = np.linspace(0, 1, 10)
_REJECTED_SAMPLES = 4
_LEAST_GREY = 1e-18


class SymmetryDetector(BaseEstimator):  # type: ignore[misc]
    """Finds the continuous symmetry that relates pairs of images.

    Parameters
    ----------
    engine : {"auto", "registration"}
        ``auto`` chooses for the data.
    basis : str or Basis
        Vector fields the generators are made of: ``affine``, ``quadratic``, ``conformal``, ``polynomial-3``, ... or a
        basis of your own (:func:`liescope.geometry.field_basis`).
    n_generators : "auto" or int
        How many generators; ``auto`` adds them as long as held-out pairs say that one more pays.
    random_state : int
        Seed of the choice of pairs; the same seed gives the same bits on a CPU.
    device : str or None
        Torch device to compute on; the CPU by default.
    progress : callable, optional
        ``progress(stage, fraction)``.

    Attributes
    ----------
    generators_ : list of Generator
        Found generators, unit norm in the documented gauge; empty where there is no symmetry.
    magnitudes_ : array, shape (N, K)
        t of every pair in units of the unit-norm generators: target = exp(sum_k t_k X_k) source.
    result_ : SymmetryResult
        Everything: evidence, intervals, residuals, files and page.
    n_generators_ : int
        K.

    Examples
    --------
    >>> detector = SymmetryDetector(basis="affine")
    >>> detector.fit(X, Y).generators_[0].name  # doctest: +SKIP
    'rotation'

    References
    ----------
    Gabel, Quax, Gavves: Type-II Neural Symmetry Detection with Lie Theory, Scientific Reports 15, 33500 (2025).
    """

    def __init__(
        self,
        engine: str = "auto",
        basis: str | Basis = "affine",
        n_generators: str | int = "auto",
        random_state: int = 0,
        device: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.engine = engine
        self.basis = basis
        self.n_generators = n_generators
        self.random_state = random_state
        self.device = device
        self.progress = progress

    def fit(self, X: Any, Y: Any, image_shape: Sequence[int] | None = None) -> SymmetryDetector:
        """Find the symmetry.

        Parameters
        ----------
        X, Y : arrays or lazy stacks, shape (N, H, W), (N, C, H, W), or flattened (N, H*W) with ``image_shape``
            Sources and targets, any real dtype; N >= 8, H and W >= 5.
        image_shape : (H, W) or (C, H, W), optional

        Raises
        ------
        InputError
            Bad parameters (all of them at once) or bad data.
        """
        basis = self._checked_parameters()
        source, target = validate_images(X, Y, image_shape)
        check_basis(basis, (int(source.shape[-2]), int(source.shape[-1])))
        began = time.perf_counter()
        self._report("finding the generators", 0.0)
        fit, held_out = _split(len(source), self.random_state)
        pairs = PairSet(source, target, GreyScale.of(target, fit), torch.device(self.device or "cpu"))
        with worker_pool(pairs.device):
            result = self._fitted_to(pairs, basis, fit, held_out)
        result = dataclasses.replace(result, seconds=time.perf_counter() - began)
        self.result_ = dataclasses.replace(result, samples=_samples(result, pairs))
        self.generators_ = [g.generator for g in result.generators]
        self.n_generators_ = len(result.generators)
        self.magnitudes_ = result.t
        return self

    def _fitted_to(self, pairs: PairSet, basis: Basis, fit: np.ndarray, held_out: np.ndarray) -> SymmetryResult:
        """Count, register, describe; keeps what measuring new pairs needs."""
        study = Study(pairs, basis, fit, held_out)
        count = self._count(study, basis)
        generators: tuple[DetectedGenerator, ...] = ()
        self._model: _Model | None = None
        if count.generators:
            registration = register_all(
                pairs, study, count.span, lambda done: self._report("measuring all pairs", done)
            )
            generators, change = _generators(registration, basis, pairs, self.random_state)
            self._model = _Model(study.alignment, registration.search, change, pairs.scale, registration.interpolation)
            t, residual = registration.t @ change.T, registration.residual.astype(np.float64)
            threshold = float(np.quantile(count.evidence.null_errors, _ACCEPT_QUANTILE))
            accepted = residual <= threshold
        else:
            t, residual = np.zeros((len(pairs), 0)), _identity_residual(pairs, study.alignment)
            accepted, threshold = np.zeros(len(pairs), dtype=bool), 0.0
        columns = np.array([g.generator.coefficients for g in generators]).reshape(-1, basis.dimension).T
        return SymmetryResult(
            engine="registration",
            verdict="symmetry" if generators else "no symmetry",
            reason=count.reason,
            pairs=len(pairs),
            shape=(int(pairs.source.shape[1]), *pairs.grid.shape),
            basis=basis,
            generators=generators,
            algebra=describe_algebra(columns, basis, pairs.grid.shape)._asdict(),
            evidence=_evidence(count, threshold),
            t=t,
            residual=residual,
            accepted=accepted,
            seconds=0.0,
            seed=self.random_state,
            settings=self._settings(basis),
            version=__version__,
        )

    def predict_magnitude(self, X: Any, Y: Any, image_shape: Sequence[int] | None = None) -> np.ndarray:
        """Magnitudes of new pairs along the found generators.

        Parameters
        ----------
        X, Y : arrays or lazy stacks, (M, H, W) or (M, C, H, W) of the fitted image size; M >= 1

        Returns
        -------
        array, shape (M, K)
            In units of the unit-norm generators.
        """
        return self._measured(*self._like_fitted(X, Y, image_shape))[0]

    def flow(self, X: Any, t: float | Sequence[float] | np.ndarray) -> np.ndarray:
        """Images moved along the found generators: exp(sum_k t_k X_k) applied to each.

        Parameters
        ----------
        X : array, shape (N, H, W) or (N, C, H, W)
            Of any size. What comes in from outside looks like the background of the fitted images.
        t : float, or array of shape (K,), (N, K), or (N,) where K is 1
        """
        result, images = self._fitted(), np.asarray(X)
        magnitudes = np.asarray(t, dtype=np.float64)
        if len(result.generators) == 1 and magnitudes.ndim == 1 and len(magnitudes) > 1:
            magnitudes = magnitudes[:, None]
        background = self._model.scale.background if self._model is not None and images.ndim == 4 else 0.0
        if self._model is not None and images.ndim < 4:
            background = float(self._model.scale.background.mean())
        return _moved(result, images, magnitudes, background)

    def score(self, X: Any, Y: Any, image_shape: Sequence[int] | None = None) -> float:
        """1 - transported error / identity error over pairs; 1 is perfect, 0 no better than not moving at all."""
        source, target = self._like_fitted(X, Y, image_shape)
        if self._model is None:
            return 0.0
        pairs = PairSet(source, target, self._model.scale, self._model.alignment.device)
        residual = self._measured(source, target)[1]
        still = _identity_residual(pairs, self._model.alignment)
        return 1.0 - float(residual.mean() / still.mean()) if still.mean() > 0 else 0.0

    def _like_fitted(self, X: Any, Y: Any, image_shape: Sequence[int] | None) -> tuple[ImageStack, ImageStack]:
        """Checked pairs of the fitted image size."""
        shape = self._fitted().shape
        source, target = validate_images(X, Y, image_shape, min_pairs=1)
        if tuple(source.shape[1:]) != shape:
            raise InputError(f"expected images of shape {shape} as fitted, got {tuple(source.shape[1:])}")
        return source, target

    def _measured(self, source: ImageStack, target: ImageStack) -> tuple[np.ndarray, np.ndarray]:
        """Magnitudes (M, K) and relative residuals (M,) of pairs."""
        if self._model is None:
            return np.zeros((len(source), 0)), np.ones(len(source))
        model = self._model
        pairs = PairSet(source, target, model.scale, model.alignment.device)
        with worker_pool(pairs.device):
            t, residual = magnitudes_along(pairs, model.alignment, model.search, model.interpolation)
        return t @ model.change.T, residual

    def _fitted(self) -> SymmetryResult:
        if not hasattr(self, "result_"):
            raise NotFittedError("this SymmetryDetector is not fitted yet: call fit(X, Y) first")
        result: SymmetryResult = self.result_
        return result

    def _count(self, study: Study, basis: Basis) -> Count:
        exactly = None if self.n_generators == "auto" else int(self.n_generators)
        return count_generators(
            study,
            basis.dimension,
            exactly,
            seed=self.random_state,
            progress=lambda done: self._report("finding the generators", done),
        )

    def _report(self, stage: str, done: float) -> None:
        if self.progress is not None:
            self.progress(stage, done)

    def _settings(self, basis: Basis) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "basis": basis.name,
            "n_generators": self.n_generators,
            "random_state": self.random_state,
            "device": self.device or "cpu",
        }

    def _checked_parameters(self) -> Basis:
        """The basis, after all parameters were looked at; every fault is in the one message."""
        faults = []
        if self.engine not in ENGINES:
            faults.append(f"unknown engine {self.engine!r}.{suggest(str(self.engine), ENGINES)}")
        basis: Basis | None = None
        try:
            basis = get_basis(self.basis)
        except InputError as error:
            faults.append(str(error))
        k = self.n_generators
        if k != "auto" and not (isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 1):
            faults.append(f"expected n_generators 'auto' or an integer of at least 1, got {k!r}")
        elif basis is not None and k != "auto" and int(k) > basis.dimension:
            faults.append(f"expected at most {basis.dimension} generators in basis {basis.name!r}, got {k}")
        try:
            torch.device(self.device or "cpu")
        except RuntimeError:
            faults.append(f"expected a torch device such as 'cpu' or 'cuda', got {self.device!r}")
        if not isinstance(self.random_state, int | np.integer) or self.random_state < 0:
            faults.append(f"expected random_state to be an integer of at least 0, got {self.random_state!r}")
        if faults or basis is None:
            raise InputError("; ".join(faults))
        return basis


class _Model(NamedTuple):
    """What measuring new pairs needs: ``change`` (K, K) takes coordinates in the span to magnitudes."""

    alignment: Alignment
    search: Search
    change: np.ndarray
    scale: GreyScale
    interpolation: str


def detect(
    X: Any,
    Y: Any,
    *,
    image_shape: Sequence[int] | None = None,
    engine: str = "auto",
    basis: str | Basis = "affine",
    n_generators: str | int = "auto",
    random_state: int = 0,
    device: str | None = None,
    progress: Progress | None = None,
) -> SymmetryResult:
    """Find the continuous symmetry that relates pairs of images: :class:`SymmetryDetector` in one call.

    Examples
    --------
    >>> from liescope.data import make_pairs
    >>> pairs = make_pairs(transform="rotation", range=60, pairs=500)
    >>> result = detect(pairs.source, pairs.target)
    >>> result.generators[0].generator.name
    'rotation'
    """
    detector = SymmetryDetector(engine, basis, n_generators, random_state, device, progress)
    return detector.fit(X, Y, image_shape).result_


def _split(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices of the pairs that are fitted to and of those held out, two thirds to one third."""
    order = np.random.default_rng(seed).permutation(count)
    fit = min(FIT_PAIRS, (2 * count) // 3)
    return np.sort(order[:fit]), np.sort(order[fit : fit + HELD_OUT_PAIRS])


def _generators(
    registration: Registration, basis: Basis, pairs: PairSet, seed: int
) -> tuple[tuple[DetectedGenerator, ...], np.ndarray]:
    """Readable generators of the found span, and the (K, K) matrix from coordinates in the span to magnitudes."""
    span = registration.search.span.double().cpu().numpy()
    m, k = span.shape
    shape = pairs.grid.shape
    columns = readable_generators(span, basis, shape)
    generators = [Generator(column, basis, shape) for column in columns.T]
    columns = np.stack([g.coefficients for g in generators], axis=1)
    mixing = span.T @ columns
    covariance = registration.covariance.reshape(k, m, k, m)
    detected = []
    for generator, weights in zip(generators, mixing.T, strict=True):
        own = np.einsum("k,kmln,l->mn", weights, covariance, weights)
        uncertainty = coefficient_uncertainty(generator.coefficients, own, seed)
        detected.append(DetectedGenerator(generator, uncertainty.direction_error_deg, uncertainty.interval))
    return tuple(detected), np.linalg.inv(mixing)


def _evidence(count: Count, threshold: float) -> dict[str, Any]:
    evidence = count.evidence
    return {
        "heldout_error": evidence.heldout_error,
        "identity_error": evidence.identity_error,
        "permuted_error": evidence.permuted_error,
        "p_value": evidence.p_value,
        "accept_below": threshold,
        "steps": count.steps,
    }


def _identity_residual(pairs: PairSet, align: Alignment) -> np.ndarray:
    """Relative error of every pair if nothing is moved."""
    errors = []
    for part in align.chunks(pairs):
        sample = align.sample(pairs, part)
        goal = align.fine.smooth(sample.fine_target)
        still = (align.fine.smooth(sample.fine_source) - goal).square().sum(dim=(1, 2, 3))
        errors.append(relative(still, goal).cpu().numpy())
    return np.concatenate(errors).astype(np.float64)


def _moved(result: SymmetryResult, images: np.ndarray, t: np.ndarray, background: np.ndarray | float) -> np.ndarray:
    """Images moved over a background that stays."""
    moved = result.transform(images - background, t) + background
    return np.asarray(moved, dtype=np.float32)


def _samples(result: SymmetryResult, pairs: PairSet) -> Samples:
    """Pairs for the page: accepted ones from the best to the worst, and some of the rejected."""
    order = np.argsort(result.residual, kind="stable")
    accepted, rejected = order[result.accepted[order]], order[~result.accepted[order]]
    if not result.generators:
        accepted, rejected = order, order[:0]
    picked: list[int] = []
    if len(accepted):
        picked += [int(accepted[int(q * (len(accepted) - 1))]) for q in _SAMPLE_QUANTILES]
    picked += [int(i) for i in rejected[-_REJECTED_SAMPLES:]]
    index = np.array(sorted(set(picked)), dtype=np.int64)
    # Grey values that single precision cannot hold are kept in units of a typical target.
    unit = 1.0 if _LEAST_GREY < pairs.scale.amplitude < 1 / _LEAST_GREY else pairs.scale.amplitude
    x, y = (np.asarray(stack[index] / unit, dtype=np.float32) for stack in (pairs.source, pairs.target))
    moved = _moved(result, x, result.t[index], pairs.scale.background / unit) if result.generators else x
    return Samples(index, x, y, moved)
