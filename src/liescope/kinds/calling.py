"""The functions that people call, one for each kind of data."""

from __future__ import annotations

from typing import Any, Literal

from liescope.errors import InputError
from liescope.geometry import Basis
from liescope.kinds.cloud import cloud_symmetries
from liescope.kinds.dynamics import law_symmetries
from liescope.kinds.equivariance import equivariances
from liescope.kinds.function import function_symmetries
from liescope.kinds.inputs import Progress, Request
from liescope.kinds.values import value_symmetries
from liescope.result import FieldResult

__all__ = ["detect_dynamics", "detect_equivariance", "detect_invariance", "detect_points"]


def detect_invariance(
    f: Any = None,
    X: Any = None,
    y: Any = None,
    *,
    model: str = "auto",
    basis: str | Basis = "affine",
    n_generators: Literal["auto"] | int = "auto",
    tolerance: float = 0.05,
    confidence: float = 0.95,
    random_state: int = 0,
    progress: Progress | None = None,
) -> FieldResult:
    """Find the vector fields along which a function does not change: X(f) = sum_c X_c df/dx_c = 0.

    The function is given as f, or by noisy values or labels y at X: then it is learnt, and ``undecided`` is said where
    what was learnt does not suffice.

    Parameters
    ----------
    f : torch.nn.Module, fitted scikit-learn model, or callable
        Of points (N, d), with values (N,) or (N, q); all q outputs must be left alone. A module is differentiated by
        torch; a classifier of scikit-learn is looked at by its decision values; an oracle by differences.
    X : array, shape (N, d)
        Points at which it is looked at, in units of their own; N of at least three times the number of fields. What is
        found holds where they lie.
    y : array, shape (N,), optional
        In place of f: values with noise, or labels of two classes.
    model : {"auto", "polynomial", "gp"}
        What y is learnt with; ``auto`` is what predicts better. Labels take polynomials.
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
    >>> import numpy as np
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(300, 3))
    >>> result = detect_invariance(lambda p: (p**2).sum(axis=1), X)
    >>> result.verdict, len(result.generators), result.algebra["name"]
    ('symmetry', 3, 'so(3)')
    """
    request = Request(basis, n_generators, tolerance, confidence, random_state, progress)
    if X is None:
        raise InputError("expected points X at which the function is looked at, got none")
    if y is not None:
        if f is not None:
            raise InputError("expected a function f or values y, got both")
        return value_symmetries(
            X, y, model, Request(basis, n_generators, tolerance, confidence, random_state, progress)
        )
    if f is None:
        raise InputError("expected a function f, or values y at the points X, got neither")
    return function_symmetries(f, X, request)


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
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> result = detect_equivariance(lambda p: p * (p**2).sum(axis=1, keepdims=True), X)
    >>> result.algebra["name"]
    'so(3)'
    """
    return equivariances(net, X, action, Request(basis, n_generators, tolerance, confidence, random_state, progress))


def detect_dynamics(
    runs: Any = None,
    t: Any = None,
    *,
    rhs: Any = None,
    x: Any = None,
    derivatives: Any = None,
    time_scaling: bool = False,
    basis: str | Basis = "affine",
    n_generators: Literal["auto"] | int = "auto",
    tolerance: float = 0.05,
    confidence: float = 0.95,
    random_state: int = 0,
    progress: Progress | None = None,
) -> FieldResult:
    """Find the fields X that move solutions of x' = F(x) onto solutions: [X, F] = 0, or = c F.

    Parameters
    ----------
    runs : sequence of arrays, shapes (T_i, d), or array (runs, T, d) or (T, d), optional
        Noisy trajectories; 8 and more of them make bounds that hold. F is learnt as a polynomial.
    t : array, shape (T,), or one for each run
        Times of the samples, increasing.
    rhs : callable, torch module or fitted pysindy model, optional
        F itself, of states (N, d), in place of runs; with states ``x``.
    x, derivatives : arrays, shape (N, d), optional
        States and their measured derivatives, in place of runs; F is learnt from them.
    time_scaling : bool
        Let time run faster or slower: [X, F] = c F with an unknown number c.
    basis, n_generators, tolerance, confidence, random_state, progress
        As of :func:`detect_invariance`.

    Returns
    -------
    SymmetryResult
        ``fit`` says what was learnt. ``undecided`` where that explains too little of what was held out.

    Raises
    ------
    InputError
        Times that do not increase, runs that are too short, data or parameters that cannot be worked with.

    Notes
    -----
    The motion itself, [F, F] = 0, is a symmetry of every law; it is among the answers where the basis holds it.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> def hopf(p):
    ...     growth = 1 - (p**2).sum(axis=1, keepdims=True)
    ...     return growth * p + p[:, ::-1] * [-1, 1]
    >>> detect_dynamics(rhs=hopf, x=X).generators[0].name
    'rotation'
    """
    return law_symmetries(
        runs,
        t,
        rhs,
        x,
        derivatives,
        time_scaling,
        Request(basis, n_generators, tolerance, confidence, random_state, progress),
    )


def detect_points(
    X: Any,
    *,
    groups: Any = None,
    basis: str | Basis = "affine",
    n_generators: Literal["auto"] | int = "auto",
    tolerance: float = 0.05,
    confidence: float = 0.95,
    random_state: int = 0,
    progress: Progress | None = None,
) -> FieldResult:
    """Find the fields whose flows leave the distribution of a cloud of points as it is.

    Parameters
    ----------
    X : array, shape (N, d)
        Independent points; some thousands.
    groups : array, shape (N,), optional
        What points belong together, such as those of a trajectory; at least 8 groups.
    basis, n_generators, tolerance, confidence, random_state, progress
        As of :func:`detect_invariance`; a defect of N points is not seen below about 1 / sqrt(N).

    Returns
    -------
    SymmetryResult

    Raises
    ------
    InputError
        Points, groups or parameters that cannot be worked with.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> angle = rng.uniform(0, 2 * np.pi, size=3000)
    >>> ring = np.stack((np.cos(angle), np.sin(angle)), axis=1) + 0.1 * rng.normal(size=(3000, 2))
    >>> detect_points(ring).generators[0].name
    'rotation'
    """
    return cloud_symmetries(X, groups, Request(basis, n_generators, tolerance, confidence, random_state, progress))
