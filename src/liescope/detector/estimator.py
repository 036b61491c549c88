"""The estimator of scikit-learn's kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from liescope.data import ImageStack, validate_images
from liescope.detector.branch import followed, on_branch
from liescope.detector.fitting import fitted_pairs
from liescope.detector.inputs import given, plain_images
from liescope.detector.parameters import Parameters
from liescope.engines import Fitted, Progress
from liescope.engines.latent import LatentConfig, TrainedLatent
from liescope.errors import InputError
from liescope.geometry import Basis
from liescope.result import SymmetryResult

__all__ = ["SymmetryDetector"]


class SymmetryDetector(BaseEstimator):  # type: ignore[misc]
    """Finds the continuous symmetry that relates pairs of images.

    Parameters
    ----------
    engine : {"auto", "registration", "distribution", "latent"}
        ``registration``: seconds, no network. ``latent``: the paper's encoder, t-network and decoder, about a minute;
        it also reconstructs. ``auto`` is registration.
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
    config : str, path, mapping, LatentConfig or None
        Settings of the latent engine: a preset (``default``, ``paper``), a TOML or JSON file, or values.
    work_dir : path, optional
        Where the latent engine keeps checkpoint, history and log while it trains; nothing is kept without it.
    resume : bool
        Go on from the checkpoint in ``work_dir``, if there is one.
    border : {"auto", "unknown", "zero"}
        What lies outside of images: unknown, so that the overlap alone counts, or background. ``auto`` takes it for
        background where the borders of most images are.

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

    Raises
    ------
    InputError
        By :meth:`fit`, never by the constructor: bad parameters, all of them at once, or bad data.

    Examples
    --------
    >>> from liescope.data import make_pairs
    >>> pairs = make_pairs(transform="translation-x", range=3, order=3, pairs=80)
    >>> detector = SymmetryDetector(basis="translations", n_generators=1)
    >>> detector.fit(pairs.source[:60], pairs.target[:60]).generators_[0].name
    'translation-x'
    >>> t = detector.predict_magnitude(pairs.source[60:], pairs.target[60:])  # of pairs that it has not seen
    >>> pixels = t[:, 0] * detector.generators_[0].unit_per_t
    >>> bool(abs(pixels - pairs.natural_magnitude[60:, 0]).max() < 0.2)
    True

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
        config: str | Path | Mapping[str, Any] | LatentConfig | None = None,
        work_dir: str | Path | None = None,
        resume: bool = False,
        border: str = "auto",
    ) -> None:
        self.engine = engine
        self.basis = basis
        self.n_generators = n_generators
        self.random_state = random_state
        self.device = device
        self.progress = progress
        self.config = config
        self.work_dir = work_dir
        self.resume = resume
        self.border = border

    def fit(
        self,
        X: Any = None,
        Y: Any = None,
        image_shape: int | Sequence[int] | None = None,
        *,
        frames: Any = None,
        lags: int | Sequence[int] | None = None,
        source_mask: Any = None,
        target_mask: Any = None,
        nodata: float | None = None,
    ) -> SymmetryDetector:
        """Find the symmetry.

        Parameters
        ----------
        X, Y : arrays, tensors or lazy stacks, shape (N, H, W), (N, C, H, W), or flattened (N, H*W) with ``image_shape``
            Sources and targets, any real dtype; H and W >= 5. NaN is a missing pixel. Also two paths (folders or
            stacks), or X alone: a :class:`liescope.data.Pairs`, a path, ``(X, Y)``, a TensorDataset, a DataLoader or an
            iterator of pairs, all of which are read into memory.
        image_shape : int, (H, W) or (C, H, W), optional
            Of flattened rows; one number is the side of a square.
        frames : array, tensor, lazy stack, shape (T, H, W) or (T, C, H, W), or path, optional
            A film in place of pairs (:func:`liescope.data.read_film` reads one).
        lags : int or sequence of int, optional
            Frames from the first to the second of its pairs; default 1.
        source_mask, target_mask : array, shape (N, H, W) or (H, W), optional
            True where a pixel is valid.
        nodata : float, optional
            The value of pixels that were not measured.

        Raises
        ------
        InputError
            Bad parameters (all of them at once) or bad data.
        """
        fitted = fitted_pairs(
            Parameters.of(self),
            X,
            Y,
            image_shape,
            frames=frames,
            lags=lags,
            source_mask=source_mask,
            target_mask=target_mask,
            nodata=nodata,
        )
        self._fitted_engine: Fitted | None = fitted.engine
        self.result_ = fitted.result
        self.generators_ = [g.generator for g in self.result_.generators]
        self.n_generators_ = len(self.generators_)
        self.magnitudes_ = self.result_.t
        return self

    def predict_magnitude(self, X: Any, Y: Any = None, image_shape: int | Sequence[int] | None = None) -> np.ndarray:
        """Magnitudes of new pairs along the found generators.

        Parameters
        ----------
        X, Y : arrays, tensors or lazy stacks, (M, H, W), (M, C, H, W) or flattened (M, C*H*W)
            Of the fitted image size; M >= 1. Or whatever else :meth:`fit` takes.

        Returns
        -------
        array, shape (M, K)
            In units of the unit-norm generators; angles on the same branch of the circle as the fitted ones.
        """
        source, target = self._like_fitted(X, Y, image_shape)
        if self._fitted_engine is None or not self.generators_:
            return np.zeros((len(source), 0))
        result, t = self._fitted(), self._fitted_engine.measure(source, target).t
        return on_branch(self.generators_, t, followed(result.t, result.accepted))

    def flow(self, X: Any, t: Any) -> Any:
        """Images moved along the found generators: exp(sum_k t_k X_k) applied to each; tensor in, tensor out.

        Parameters
        ----------
        X : array or tensor, shape (N, H, W) or (N, C, H, W)
            Of any size. What comes in from outside looks like the background of the fitted images.
        t : float, or array of shape (K,), (N, K), or (N,) where K is 1
        """
        return self._fitted().transform(X, t)

    def score(self, X: Any, Y: Any = None, image_shape: int | Sequence[int] | None = None) -> float:
        """1 - transported error / identity error over pairs; 1 is perfect, 0 no better than not moving at all."""
        source, target = self._like_fitted(X, Y, image_shape)
        if self._fitted_engine is None or not self.generators_:
            return 0.0
        residual = self._fitted_engine.measure(source, target).residual
        still = self._fitted_engine.still(source, target)
        return 1.0 - float(residual.mean() / still.mean()) if still.mean() > 0 else 0.0

    def encode(self, X: Any) -> np.ndarray:
        """Latents (N, channels, d) of images; latent engine only."""
        return self._latent().encode(plain_images(X, "images"))

    def decode(self, z: Any, t: float | Sequence[float] | np.ndarray = 0.0) -> np.ndarray:
        """Images (N, C, H, W) of latents moved by t; latent engine only."""
        return self._latent().decode(z, t)

    def reconstruct(self, X: Any, t: float | Sequence[float] | np.ndarray = 0.0) -> np.ndarray:
        """Images (N, C, H, W) through encoder, exp(tG) and decoder; latent engine only."""
        return self._latent().reconstruct(plain_images(X, "images"), t)

    def traverse(self, X: Any, ts: Sequence[float] | np.ndarray) -> np.ndarray:
        """Every image at every magnitude, decoded: (N, S, C, H, W); latent engine only.

        Parameters
        ----------
        ts : array, shape (S,), or (S, K) for several generators
        """
        return self._latent().traverse(plain_images(X, "images"), ts)

    def _latent(self) -> TrainedLatent:
        self._fitted()
        if not isinstance(self._fitted_engine, TrainedLatent):
            raise InputError('expected a detector with engine="latent", got one without a latent model')
        return self._fitted_engine

    def _like_fitted(self, X: Any, Y: Any, image_shape: int | Sequence[int] | None) -> tuple[ImageStack, ImageStack]:
        """Checked pairs of the fitted image size; flattened ones are taken for images of that size."""
        shape = self._fitted().shape
        data = given(X, Y)
        if data.frames is not None:
            raise InputError("expected pairs to measure, got a film, try X and Y, or fit(frames=...)")
        sides = data.source, data.target
        if image_shape is None and np.ndim(sides[0]) == np.ndim(sides[1]) == 2:
            image_shape = shape
        source, target = validate_images(*sides, image_shape, min_pairs=1, nan=True)
        if tuple(source.shape[1:]) != shape:
            fitted = shape[shape[0] == 1 :]
            raise InputError(f"expected images of shape {fitted} as fitted, got X of shape {np.shape(sides[0])}")
        return source, target

    def _html_repr(self) -> str:
        """What notebooks show: scikit-learn's diagram, below the answer where there is one."""
        diagram: str = super()._html_repr()
        return f"{self.result_._repr_html_()}{diagram}" if hasattr(self, "result_") else diagram

    def _fitted(self) -> SymmetryResult:
        if not hasattr(self, "result_"):
            raise NotFittedError("this SymmetryDetector is not fitted yet: call fit(X, Y) first")
        result: SymmetryResult = self.result_
        return result
