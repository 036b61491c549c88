"""The functions that people call, one for each kind of data."""

from __future__ import annotations

from typing import Any, Literal

from liescope.errors import InputError
from liescope.geometry import Basis
from liescope.kinds.equivariance import equivariances
from liescope.kinds.function import function_symmetries
from liescope.kinds.inputs import Progress
from liescope.result import FieldResult

__all__ = ["detect_equivariance", "detect_invariance"]


def detect_invariance(
    f: Any = None,
    X: Any = None,
    *,
    basis: str | Basis = "affine",
    n_generators: Literal["auto"] | int = "auto",
    tolerance: float = 0.05,
    confidence: float = 0.95,
    random_state: int = 0,
    progress: Progress | None = None,
) -> FieldResult:
    """Find the vector fields along which a function does not change: X(f) = sum_c X_c df/dx_c = 0.

    Parameters
    ----------
    f : torch.nn.Module, fitted scikit-learn model, or callable
        Of points (N, d), with values (N,) or (N, q); all q outputs must be left alone. A module is differentiated by
        torch; a classifier of scikit-learn is looked at by its decision values; an oracle by differences.
    X : array, shape (N, d)
        Points at which it is looked at, in units of their own; N of at least three times the number of fields. What is
        found holds where they lie.
    basis : str or Basis
        ``affine``, ``quadratic``, ``polynomial-3``, ... in the coordinates of X, or fields of your own.
    n_generators : "auto" or int
        ``auto``: those whose defect noise alone explains; where there are none, those that are certified.
    tolerance : float
        Largest defect of a symmetry: the root of the mean square of X(f), in units of that of its terms.
    confidence : float
        Of all bounds.
    random_state : int
    progress : callable, optional
        ``progress(stage, fraction)``.

    Returns
    -------
    SymmetryResult
        ``evidence`` has the spectrum of defects and the bounds of the certificate.

    Raises
    ------
    InputError
        Points or parameters that cannot be worked with; a function that is constant or piecewise constant.

    Examples
    --------
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(300, 3))
    >>> result = detect_invariance(lambda p: (p**2).sum(axis=1), X)
    >>> result.verdict, len(result.generators), result.algebra["name"]
    ('symmetry', 3, 'so(3)')
    """
    if X is None:
        raise InputError("expected points X at which the function is looked at, got none")
    return function_symmetries(f, X, basis, n_generators, tolerance, confidence, random_state, progress)


def detect_equivariance(
    net: Any,
    X: Any,
    *,
    action: str | Basis = "same",
    basis: str | Basis = "affine",
    n_generators: Literal["auto"] | int = "auto",
    tolerance: float = 0.05,
    confidence: float = 0.95,
    random_state: int = 0,
    progress: Progress | None = None,
) -> FieldResult:
    """Find what moves a network's outputs when it moves its inputs: fields X, Y with J_F X = Y o F.

    Parameters
    ----------
    net : torch.nn.Module, fitted scikit-learn model, or callable
        Of points (N, d), with outputs (N, q).
    X : array, shape (N, d)
    action : {"same", "free"} or Basis
        How outputs move: ``same``: as inputs do (q = d); ``free``: along affine fields that are found too (where
        they do nothing, the network is invariant); a basis: along its fields, of q coordinates.
    basis, n_generators, tolerance, confidence, random_state, progress
        As of :func:`detect_invariance`.

    Returns
    -------
    SymmetryResult
        ``actions["coefficients"]`` (K, p) are those of Y in ``actions["basis"]``, in the scale of the generators.

    Raises
    ------
    InputError
        Points, actions or parameters that cannot be worked with.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> result = detect_equivariance(lambda p: p * (p**2).sum(axis=1, keepdims=True), X)
    >>> result.algebra["name"]
    'so(3)'
    """
    return equivariances(net, X, action, basis, n_generators, tolerance, confidence, random_state, progress)
