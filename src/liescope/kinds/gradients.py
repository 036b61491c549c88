"""Functions of all kinds and their derivatives at points: torch modules, fitted scikit-learn models, oracles."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from liescope.errors import InputError, quoted

__all__ = ["Derivatives", "as_function", "derivatives"]

_STEPS = (2e-3, 4e-4, 8e-5)
"""Steps of the differences, in standard deviations of the data; shorter ones where a function is rough."""
_GOOD = 1e-8
_ROUNDING = 1e-9
_FLAT = 1e-9
_STEPPED = ("Tree", "Forest", "Boosting", "Neighbors", "Bagging")
"""Parts of the names of models that are piecewise constant."""

Function = Callable[[np.ndarray], np.ndarray]


class Derivatives(NamedTuple):
    """Of q functions at n points.

    Attributes
    ----------
    values : array, shape (n, q)
    jacobians : array, shape (n, q, d)
    error : float
        Share of the derivatives that rounding and differences leave wrong.
    model : str
        What was looked at.
    """

    values: np.ndarray
    jacobians: np.ndarray
    error: float
    model: str


def derivatives(f: Any, points: Float[np.ndarray, "n d"], scales: Float[np.ndarray, " d"]) -> Derivatives:
    """Values and derivatives of a function.

    Parameters
    ----------
    f : torch.nn.Module, fitted scikit-learn estimator, or callable
        Of arrays (n, d), returning (n,) or (n, q). Modules are differentiated by torch, multi-layer perceptrons of
        scikit-learn as well; anything else by differences of order 4.
    points : array, shape (n, d)
    scales : array, shape (d,)
        Of the data, for the steps of differences.

    Raises
    ------
    InputError
        What is no function of points, or piecewise constant, or not finite at a point, or constant.
    """
    if isinstance(f, torch.nn.Module):
        found = _by_torch(f, points)
    elif (network := _perceptron(f)) is not None:
        found = _by_torch(network, points)._replace(model=type(f).__name__)
    else:
        function, model = as_function(f)
        found = _by_differences(function, points, scales)._replace(model=model)
    if not (np.isfinite(found.values).all() and np.isfinite(found.jacobians).all()):
        bad = ~(np.isfinite(found.values).all(axis=1) & np.isfinite(found.jacobians).all(axis=(1, 2)))
        raise InputError(
            f"expected a function that is finite near the points, got NaN or infinity at point {int(np.argmax(bad))}"
        )
    _check_slopes(found, scales)
    return found


def _check_slopes(found: Derivatives, scales: np.ndarray) -> None:
    slopes = np.linalg.norm(found.jacobians * scales, axis=(1, 2))
    size = float(np.abs(found.values).max())
    if slopes.max() <= _FLAT * max(size, 1e-300):
        raise InputError("expected a function that varies, got a constant one: every motion leaves it alone")
    if np.mean(slopes <= _FLAT * max(float(slopes.max()), 1e-300)) > 0.5 and np.ptp(found.values) > 0:
        raise InputError(
            "expected a smooth function, got one that is constant near most points (trees, forests, votes are), "
            "try detect_invariance(X=X, y=y), or its decision values"
        )


def _by_torch(module: torch.nn.Module, points: np.ndarray) -> Derivatives:
    """In double precision on a copy; batch norms and dropout as in prediction."""
    double = copy.deepcopy(module).to("cpu", torch.float64).eval()
    for parameter in double.parameters():
        parameter.requires_grad_(False)
    inputs = torch.as_tensor(points).requires_grad_()
    try:
        with torch.enable_grad():
            outputs = double(inputs)
    except Exception as error:
        told = str(error).split("\n")[0]
        raise InputError(
            f"expected a module that takes points of shape {points.shape} in float64, got {told}"
        ) from error
    if not isinstance(outputs, torch.Tensor) or len(outputs) != len(points):
        raise InputError(
            f"expected a module with one output row for each of {len(points)} points, got {_shape(outputs)}"
        )
    flat = outputs.reshape(len(points), -1)
    rows = []
    for column in flat.unbind(1):
        if not column.requires_grad:
            rows.append(torch.zeros_like(inputs))
            continue
        # Points do not mix in prediction: the gradient of a sum holds every point's own.
        rows.append(torch.autograd.grad(column.sum(), inputs, retain_graph=True)[0])
    return Derivatives(
        flat.detach().numpy(), torch.stack(rows, dim=1).detach().numpy(), _ROUNDING, type(module).__name__
    )


def _shape(value: Any) -> str:
    return str(tuple(value.shape)) if hasattr(value, "shape") else type(value).__name__


def _perceptron(f: Any) -> torch.nn.Module | None:
    """A multi-layer perceptron of scikit-learn as a module; of a classifier its scores before the last function."""
    weights = getattr(f, "coefs_", None)
    activation = getattr(f, "activation", None)
    kinds = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "logistic": torch.nn.Sigmoid, "identity": torch.nn.Identity}
    if not isinstance(weights, list) or activation not in kinds:
        return None
    layers: list[torch.nn.Module] = []
    for weight, bias in zip(weights, f.intercepts_, strict=True):
        layer = torch.nn.Linear(*weight.shape).double()
        layer.weight.data = torch.as_tensor(weight.T, dtype=torch.float64)
        layer.bias.data = torch.as_tensor(bias, dtype=torch.float64)
        layers += [layer, kinds[activation]()]
    return torch.nn.Sequential(*layers[:-1])


def as_function(f: Any) -> tuple[Function, str]:
    """A function of arrays and its name: scores of classifiers, predictions of regressors, or a callable.

    Raises
    ------
    InputError
        Neither, not fitted, or a model that is piecewise constant.
    """
    name = type(f).__name__ if not hasattr(f, "__name__") else str(f.__name__)
    last = f.steps[-1][1] if hasattr(f, "steps") else f
    if any(part in type(last).__name__ for part in _STEPPED):
        raise InputError(
            f"expected a smooth model, got {type(last).__name__}, which is piecewise constant, try X=X, y=y"
        )
    methods = (getattr(f, m, None) for m in ("decision_function", "predict_log_proba", "predict_proba", "predict"))
    bound = next((method for method in methods if method is not None), None)
    if bound is not None:
        return lambda points: np.asarray(bound(points)), name
    if callable(f):
        return lambda points: _called(f, points), name
    raise InputError(f"expected a torch module, a fitted model or a callable, got {quoted(f)}")


def _called(f: Callable[..., Any], points: np.ndarray) -> np.ndarray:
    value = f(points)
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)


def _evaluated(function: Function, points: np.ndarray) -> np.ndarray:
    try:
        values = np.asarray(function(points), dtype=np.float64)
    except InputError:
        raise
    except Exception as error:
        told = str(error).split("\n")[0]
        raise InputError(
            f"expected a function of points of shape {points.shape}, got {type(error).__name__}: {told}"
        ) from error
    if values.ndim == 0 or len(values) != len(points):
        raise InputError(f"expected one value for each of {len(points)} points, got shape {values.shape}")
    return values.reshape(len(points), -1)


def _by_differences(function: Function, points: np.ndarray, scales: np.ndarray) -> Derivatives:
    """Differences of order 4; what differs between two steps is what is wrong, and the best step is kept."""
    values = _evaluated(function, points)
    best, least = np.zeros((len(points), values.shape[1], points.shape[1])), np.inf
    for step in _STEPS:
        fine, coarse = (_differences(function, points, factor * step * scales) for factor in (1.0, 2.0))
        size = max(float(np.mean((fine * scales) ** 2)), 1e-300)
        error = float(np.sqrt(np.mean(((fine - coarse) * scales) ** 2) / size))
        if not error >= least:
            best, least = fine, error
        if not least > _GOOD:
            break
    return Derivatives(values, best, max(least, _ROUNDING), "function")


def _differences(function: Function, points: np.ndarray, steps: np.ndarray) -> np.ndarray:
    columns = []
    for axis, h in enumerate(steps):
        move = np.zeros(points.shape[1])
        move[axis] = h
        around = np.concatenate([points + k * move for k in (-2, -1, 1, 2)])
        near = _evaluated(function, around).reshape(4, len(points), -1)
        columns.append((near[0] - 8 * near[1] + 8 * near[2] - near[3]) / (12 * h))
    return np.stack(columns, axis=2)
