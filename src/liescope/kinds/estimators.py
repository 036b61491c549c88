"""Estimators of scikit-learn's kind: parameters at first, data in ``fit``."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from liescope.errors import InputError
from liescope.kinds.equivariance import equivariances
from liescope.kinds.function import function_symmetries
from liescope.kinds.held_out import held_out_defects
from liescope.kinds.inputs import Request, checked_points
from liescope.kinds.values import value_symmetries

__all__ = ["EquivarianceDetector", "InvarianceDetector"]


class _FieldDetector(BaseEstimator):  # type: ignore[misc]
    """What detectors without pairs share: what is found, and what is done with it."""

    result_: Any

    def _request(self) -> Request:
        names = ("basis", "n_generators", "tolerance", "confidence", "random_state", "progress")
        return Request(*(getattr(self, name) for name in names))

    def _keep(self, result: Any) -> Any:
        self.result_ = result
        self.generators_ = [g.generator for g in result.generators]
        self.n_generators_ = len(self.generators_)
        self.n_features_in_ = result.domain.ndim
        return self

    def flow(self, X: Any, t: Any) -> np.ndarray:
        """Points moved along the found generators, as :meth:`liescope.answer.FieldAnswer.transform`."""
        check_is_fitted(self, "result_")
        moved: np.ndarray = self.result_.transform(X, t)
        return moved

    def augment(self, X: Any, y: Any = None, *, copies: int = 1, reach: float = 0.5) -> Any:
        """More data of the same kind, as :meth:`liescope.answer.FieldAnswer.augment`."""
        check_is_fitted(self, "result_")
        return self.result_.augment(X, y, copies=copies, reach=reach, random_state=self.random_state)

    def _score(self, f: Any, X: Any) -> float:
        check_is_fitted(self, "result_")
        defects = held_out_defects(self.result_, f, checked_points(X))
        return 1.0 - float(defects.max()) if len(defects) else 0.0


class InvarianceDetector(_FieldDetector):
    """Finds the vector fields that leave a function alone; see :func:`liescope.detect_invariance`.

    Parameters
    ----------
    function : torch.nn.Module, fitted scikit-learn model, or callable, optional
        Without one it is learnt from the y of :meth:`fit`.
    basis : str or Basis
    n_generators : "auto" or int
    tolerance, confidence : float
    random_state : int
    progress : callable, optional
    model : {"auto", "polynomial", "gp"}
        What values are learnt with.

    Attributes
    ----------
    result_ : SymmetryResult
    generators_ : list of Generator
    n_generators_ : int

    Raises
    ------
    InputError
        By :meth:`fit`: bad parameters or points.

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(200, 2))
    >>> InvarianceDetector(lambda x: (x**2).sum(axis=1)).fit(points).generators_[0].name
    'rotation'
    """

    def __init__(
        self,
        function: Any = None,
        basis: Any = "affine",
        n_generators: Any = "auto",
        tolerance: Any = 0.05,
        confidence: Any = 0.95,
        random_state: Any = 0,
        progress: Any = None,
        model: Any = "auto",
    ) -> None:
        self.model = model
        self.function = function
        self.basis = basis
        self.n_generators = n_generators
        self.tolerance = tolerance
        self.confidence = confidence
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None) -> InvarianceDetector:
        """Look at the function at points X (N, d); without a function at values or labels y (N,)."""
        if self.function is None:
            if y is None:
                raise InputError("expected a function or values y, got neither, try InvarianceDetector(function)")
            learnt: InvarianceDetector = self._keep(
                value_symmetries(
                    X,
                    y,
                    self.model,
                    self._request(),
                )
            )
            return learnt
        found: InvarianceDetector = self._keep(
            function_symmetries(
                self.function,
                X,
                self._request(),
            )
        )
        return found

    def score(self, X: Any, y: Any = None) -> float:
        """1 - the largest defect of the generators at other points; 0 without a generator.

        Without a function, 1 - the largest defect of what was found on X and y, which is learnt anew there.
        """
        if self.function is not None:
            return self._score(self.function, X)
        check_is_fitted(self, "result_")
        if not self.generators_:
            return 0.0
        again = value_symmetries(
            X,
            y,
            self.model,
            self._request()._replace(n_generators=len(self.generators_), progress=None),
        )
        return 1.0 - float(max(g.defect or 0.0 for g in again.generators))


class EquivarianceDetector(_FieldDetector):
    """Finds what moves a network's outputs as it moves its inputs; see :func:`liescope.detect_equivariance`.

    Parameters
    ----------
    network : torch.nn.Module, fitted scikit-learn model, or callable
    action : {"same", "free"} or Basis
    basis : str or Basis
    n_generators : "auto" or int
    tolerance, confidence : float
    random_state : int
    progress : callable, optional

    Attributes
    ----------
    result_ : SymmetryResult
    generators_ : list of Generator
    n_generators_ : int

    Raises
    ------
    InputError
        By :meth:`fit`: bad parameters or points.
    """

    def __init__(
        self,
        network: Any = None,
        action: Any = "same",
        basis: Any = "affine",
        n_generators: Any = "auto",
        tolerance: Any = 0.05,
        confidence: Any = 0.95,
        random_state: Any = 0,
        progress: Any = None,
    ) -> None:
        self.network = network
        self.action = action
        self.basis = basis
        self.n_generators = n_generators
        self.tolerance = tolerance
        self.confidence = confidence
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None) -> EquivarianceDetector:
        """Look at the network at points X (N, d); y is ignored."""
        if self.network is None:
            raise InputError("expected a network, got none, try EquivarianceDetector(network)")
        found: EquivarianceDetector = self._keep(
            equivariances(
                self.network,
                X,
                self.action,
                self._request(),
            )
        )
        return found

    def score(self, X: Any, y: Any = None) -> float:
        """1 - the largest defect of the generators at other points; 0 without a generator."""
        return self._score(self.network, X)
