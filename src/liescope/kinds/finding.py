"""From quadratic forms to the answer: count, generators, their uncertainty, the algebra, words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from liescope import __version__
from liescope.algebra import Generator, describe_algebra
from liescope.answer.field_answer import nothing_measured
from liescope.answer.numbers import number
from liescope.engines.state import pack_arrays
from liescope.geometry import Cloud
from liescope.kinds.inputs import Asked, some_of
from liescope.kinds.space import Space
from liescope.nullspace import (
    Decision,
    Forms,
    decide,
    defect_intervals,
    minimal_generators,
    noise_defects,
    pointwise_rank,
    sparse_generators,
    uncertainty,
)
from liescope.result import DetectedGenerator, FieldResult

__all__ = ["Problem", "found"]

_KEPT = 300
"""Points that a result keeps, as where its fields live."""
_LARGEST_ALGEBRA = 60
_FEW_POINTS = 48
_LARGEST_TABLE = 12
"""Generators up to which their brackets are kept one by one."""
_SHOWN = 60
_REDUNDANT = 1e-6


@dataclass(frozen=True, eq=False)
class Problem:
    """A null-space problem and what is to be told of it.

    Parameters
    ----------
    kind : str
    points : array, shape (n, d)
        Where the data lie, in their own units.
    space : Space
    forms : Forms
        On the space's fields, perhaps followed by further unknowns (actions on outputs, time scaling).
    floor : float
        Defect that rounding alone gives.
    fit : mapping
        What was learnt or taken for known.
    doubt : str
        Why nothing is to be decided; empty where nothing speaks against it.
    what : str
        What the symmetry leaves alone, as it stands in a sentence: "the function".
    extra : mapping
        Slices of further unknowns by name.
    outputs : Space, optional
        Fields of the outputs; where ``extra`` has no ``action`` they move as the points do.
    notes : mapping
        Further entries of ``evidence``.
    """

    kind: str
    points: np.ndarray
    space: Space
    forms: Forms
    floor: float
    fit: Mapping[str, Any]
    what: str
    doubt: str = ""
    extra: Mapping[str, slice] = field(default_factory=dict)
    outputs: Space | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


def found(problem: Problem, asked: Asked, seconds: float) -> FieldResult:
    """Decide and describe."""
    space = problem.space
    decision = decide(problem.forms, asked.tolerance, asked.confidence, problem.floor)
    shown = _shown(decision, asked.count)
    verdict = decision.verdict
    if problem.doubt and verdict != "undecided":
        verdict = "undecided"
    domain = Cloud(_sample(problem.points, asked.seed))
    inner = space.frame.inward(problem.points)
    gram = _gram(problem, inner)
    columns, notes = _readable(problem, decision.vectors[:, :shown], domain, inner)
    outward = _outward(problem)
    sure = uncertainty(problem.forms, columns, gram, outward, asked.confidence)
    generators = tuple(
        _generator(problem, decision, columns[:, k], outward, sure.intervals[k], float(sure.degrees[k]), domain, asked)
        for k in range(shown)
    )
    if verdict == "no symmetry" and asked.count is None:
        generators = ()
    coefficients = np.array([g.coefficients for g in generators]).reshape(-1, space.basis.dimension)
    algebra: dict[str, Any] = {}
    if len(generators) <= _LARGEST_ALGEBRA:
        algebra = _algebra(coefficients, space, domain)
    return FieldResult(
        engine="null space",
        verdict=verdict,
        reason=problem.doubt or _reason(decision, asked, problem),
        pairs=len(problem.points),
        basis=space.basis,
        generators=generators,
        algebra=algebra,
        evidence=_evidence(problem, decision, asked, shown, inner, outward) | notes,
        seconds=seconds,
        seed=asked.seed,
        settings=asked.settings(),
        version=__version__,
        kind=problem.kind,
        state=pack_arrays(points=domain.points(dtype=torch.float64).numpy()),
        domain=domain,
        fit=dict(problem.fit),
        actions=_actions(problem, columns, generators, outward),
        **nothing_measured(len(generators)),
    )


def _algebra(coefficients: np.ndarray, space: Space, domain: Cloud) -> dict[str, Any]:
    """The algebra; fewer points than are kept tell all of it."""
    points = domain.points(dtype=torch.float64)
    least = max(_FEW_POINTS, -(-4 * space.basis.dimension // space.basis.ndim))
    described = describe_algebra(coefficients.T, space.basis, Cloud(points[:: max(1, len(points) // least)]))._asdict()
    if len(coefficients) > _LARGEST_TABLE:
        described["structure_constants"] = None
    return described


def _sample(points: np.ndarray, seed: int) -> np.ndarray:
    """Points that stand for all, in their order, single precision as files keep it."""
    return points[some_of(len(points), _KEPT, np.random.default_rng(seed))].astype(np.float64)


def _shown(decision: Decision, count: int | None) -> int:
    """How many generators are reported: those asked for; else the exact ones; else all that are certified."""
    if count is not None:
        return min(count, decision.moves)
    if decision.count:
        return decision.exact or decision.count
    return 0 if decision.verdict == "no symmetry" else _likely(decision)


def _likely(decision: Decision) -> int:
    """Where nothing is certified: the directions below the largest jump of the spectrum, a guess and told as one."""
    defects = np.maximum(decision.defects[: max(2, len(decision.defects) // 2 + 1)], 1e-12)
    if len(defects) < 2:
        return 1
    return int(np.argmax(defects[1:] / defects[:-1])) + 1


def _outward(problem: Problem) -> np.ndarray:
    """From all unknowns to coefficients in the basis: the further unknowns play no part in these."""
    total, inner = len(problem.forms.misses), problem.space.to_basis
    outward = np.zeros((len(inner), total))
    outward[:, : inner.shape[1]] = inner
    return outward


def _gram(problem: Problem, inner: np.ndarray) -> np.ndarray:
    """Inner products of the fields; further unknowns count for their terms."""
    gram, size = problem.space.gram(inner), len(problem.forms.misses)
    if size == len(gram):
        return gram
    whole = problem.forms.terms / max(float(np.trace(problem.forms.terms)), 1e-300)
    whole[: len(gram), : len(gram)] += gram
    return whole


def _readable(
    problem: Problem, span: np.ndarray, domain: Cloud, inner: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """Generators of the span that can be read, in the coordinates of the forms; rank at a point and module."""
    if not span.shape[1]:
        return span, {"rank": 0, "minimal": 0}
    space, m = problem.space, problem.space.dimension
    fields = np.einsum("nmc,mk->nck", space.fields(inner[:_KEPT]), span[:m])
    rank = pointwise_rank(fields)
    count, minimal = span.shape[1], span.shape[1]
    outward = _outward(problem) @ span
    independent = np.linalg.matrix_rank(outward / np.maximum(np.linalg.norm(outward, axis=0), 1e-300), tol=_REDUNDANT)
    if independent < count:  # actions on outputs alone: nothing to be made simpler
        return span, {"rank": rank, "minimal": minimal}
    blocks = [outward]
    if space.degree is not None and count > rank and problem.kind == "function":
        ordered, minimal = minimal_generators(outward, space.degree, space.frame.ndim)
        blocks = [ordered[:, :minimal], ordered[:, minimal:]]
    readable = np.column_stack([sparse_generators(block, space.basis, domain) for block in blocks])
    weights = np.linalg.lstsq(outward, readable, rcond=None)[0]
    return span @ weights, {"rank": rank, "minimal": minimal}


def _generator(
    problem: Problem,
    decision: Decision,
    column: np.ndarray,
    outward: np.ndarray,
    interval: np.ndarray,
    degrees: float,
    domain: Cloud,
    asked: Asked,
) -> DetectedGenerator:
    generator = Generator(outward @ column, problem.space.basis, domain)
    sign = 1.0 if generator.coefficients @ (outward @ column) >= 0 else -1.0
    forms = problem.forms
    defect = float(np.sqrt(max(column @ forms.misses @ column, 0) / max(float(column @ forms.terms @ column), 1e-300)))
    low, high = defect_intervals(forms, column[:, None], asked.confidence)[0]
    noise = float(noise_defects(forms, column[:, None], problem.floor)[0])
    bounds = np.sort(interval * sign, axis=1)
    tier = (
        "exact"
        if defect <= 1.0001 * max(noise, float(decision.noise[: max(decision.exact, 1)].max()))
        else "approximate"
    )
    return DetectedGenerator(generator, degrees, bounds, defect, (float(low), float(high)), tier)


def _evidence(
    problem: Problem, decision: Decision, asked: Asked, shown: int, inner: np.ndarray, outward: np.ndarray
) -> dict[str, Any]:
    further = []
    for k in range(shown, decision.count):
        further.append(
            {
                "coefficients": outward @ decision.vectors[:, k] / np.linalg.norm(outward @ decision.vectors[:, k]),
                "defect": decision.defects[k],
                "defect_interval": decision.intervals[k],
            }
        )
    return {
        "null": "certificate",
        "tolerance": asked.tolerance,
        "certified": decision.count,
        "exact": decision.exact,
        "spectrum": decision.defects[:_SHOWN],
        "noise": decision.noise[:_SHOWN],
        "defect_intervals": decision.intervals[:_SHOWN],
        "upper_bounds": decision.upper,
        "lower_bound": decision.lower,
        "approximate": further,
        "support": {"rank": problem.space.frame.rank, "ndim": problem.space.frame.ndim},
        "coverage": _coverage(problem.space.gram(inner)),
        "fields": {"basis": problem.space.basis.dimension, "moving": decision.moves},
        "doubt": problem.doubt or None,
        **problem.notes,
    }


def _coverage(gram: np.ndarray) -> float:
    """How well the points tell the fields apart: least over largest singular value of fields of unit size."""
    scale = 1 / np.sqrt(np.maximum(np.diag(gram), 1e-300))
    values = np.linalg.eigvalsh(gram * scale[:, None] * scale)
    return float(np.sqrt(max(float(values[0]), 0.0) / max(float(values[-1]), 1e-300)))


def _reason(decision: Decision, asked: Asked, problem: Problem) -> str:
    delta, smallest = number(asked.tolerance), number(float(decision.defects[0]), 2)
    sure = f"{100 * asked.confidence:g} %"
    if decision.count:
        upper = number(float(decision.upper[decision.count - 1]), 2)
        fields = "field leaves" if decision.count == 1 else "fields leave"
        return (
            f"{decision.count} {fields} {problem.what} alone up to a defect of at most {upper} ({sure} bound), within "
            f"the tolerance of {delta}."
        )
    if decision.verdict == "no symmetry":
        return (
            f"The smallest defect of any field is {smallest}, at least {number(decision.lower, 2)} ({sure} bound), "
            f"above the tolerance of {delta}."
        )
    least = f"The smallest defect is {smallest}; it may be as low as {number(decision.lower, 2)}"
    most = f" and as high as {number(float(np.nanmin(decision.upper)), 2)}" if len(decision.upper) else ""
    return f"{least}{most}, on both sides of the tolerance of {delta}: more data, or less noise, would decide."


def _actions(
    problem: Problem, columns: np.ndarray, generators: tuple[DetectedGenerator, ...], outward: np.ndarray
) -> dict[str, Any]:
    """What the generators do to outputs, in the scale and sign of their coefficients."""
    if problem.outputs is None or not generators:
        return {}
    basis = problem.outputs.basis
    if "action" not in problem.extra:
        return {"basis": basis, "coefficients": np.array([g.coefficients for g in generators])}
    rows = []
    for g, column in zip(generators, columns.T, strict=True):
        raw = outward @ column
        scale = float(g.coefficients @ raw) / float(raw @ raw)
        rows.append(problem.outputs.to_basis @ column[problem.extra["action"]] * scale)
    return {"basis": basis, "coefficients": np.array(rows)}
