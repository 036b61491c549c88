"""One answer beside the truth, by every metric, and beside what knowing nothing would score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from liescope.data import Pairs
from liescope.evaluation.benchmarks.problems import LAW_MODES, Problem, true_coefficients
from liescope.evaluation.benchmarks.record import spread
from liescope.evaluation.benchmarks.table import Column, Row, number, value
from liescope.evaluation.coefficients import classify_linear_part, coefficient_errors
from liescope.evaluation.laws import magnitude_correlation, mode_count, wasserstein_standardised
from liescope.evaluation.metrics import field_cosine, principal_angles, wasserstein
from liescope.evaluation.nulls import NullLevels, null_levels
from liescope.geometry import Basis, get_basis
from liescope.result import SymmetryResult

__all__ = [
    "NULL_NOTE",
    "SCORE_COLUMNS",
    "Answer",
    "Nearest",
    "Run",
    "Score",
    "answer_of",
    "nearest_field",
    "score",
    "scored",
    "summary",
    "true_field",
]

_NULL_TRIALS = 400

NULL_NOTE = (
    "Worst over the seeds, except seconds (median). In brackets what knowing nothing would score: a random generator's "
    "mean cosine, the correlation that one in twenty shuffles of t exceeds, a normal law with the true mean and "
    "variance. W1: Wasserstein distance between found and true magnitudes as a share of the range of t; standardised: "
    "after both are brought to mean 0 and variance 1, in standard deviations."
)


class Answer(NamedTuple):
    """What a method says about pairs.

    Attributes
    ----------
    generators : array, shape (K, m)
        Coefficients of unit norm; none where it found nothing.
    t : array, shape (n, K)
        Magnitudes of some of the pairs.
    rows : array of int, shape (n,)
        Which pairs those are.
    claimed : int
        How many generators its verdict claims.
    seconds : float
    error : float
        Mean squared error of the targets as it draws them, grey values from 0 to 1; nan for a method that draws none.
    """

    generators: np.ndarray
    t: np.ndarray
    rows: np.ndarray
    claimed: int
    seconds: float
    error: float = np.nan


def true_field(pairs: Pairs, basis: str | Basis) -> np.ndarray:
    """Coefficients (m,) of the pairs' (first) true generator in a polynomial basis that holds it."""
    return true_coefficients(pairs, get_basis(basis).dimension)


class Nearest(NamedTuple):
    """The found generator whose field is nearest to the true one.

    Attributes
    ----------
    which : int
        Its row.
    cosine : float
        |cos| of the two fields in L2 over the image.
    sign : float
        1 or -1: what its t are to be multiplied by, to be compared with the true ones.
    """

    which: int
    cosine: float
    sign: float


def nearest_field(
    truth: np.ndarray, found: Sequence[np.ndarray] | np.ndarray, basis: str | Basis, shape: tuple[int, int]
) -> Nearest:
    """Which of at least one found generators (K, m) is the true one (m,), on images (H, W) of that shape."""
    cosines = [field_cosine(truth, one, basis, shape) for one in found]
    which = int(np.argmax(cosines))
    return Nearest(which, cosines[which], -1.0 if truth @ found[which] < 0 else 1.0)


def answer_of(result: SymmetryResult, seconds: float) -> Answer:
    """A result as the answer of a method: its verdict's generators, magnitudes of all pairs."""
    found = np.array([one.generator.coefficients for one in result.generators])
    found = found.reshape(-1, result.basis.dimension)
    return Answer(found, result.t, np.arange(len(result.t)), len(found), seconds)


@dataclass(frozen=True)
class Score:
    """An answer beside the truth.

    Attributes
    ----------
    cosine, angle : float
        Of the nearest found field with the true one in L2 over the image; degrees. 0 and 90 where there is none.
    drift, linear, quadratic : float
        Errors of the coefficients by degree.
    linear_part : str
        Class of the found linear part.
    pearson, spearman : float
        Absolute correlations of t.
    w1, w1_standardised : float
        Distances of the law of t: share of the range, standard deviations.
    modes : int
        Of the found law.
    generators : int
        How many the verdict claims.
    error : float
        Mean squared error of the drawn targets.
    """

    cosine: float
    angle: float
    drift: float
    linear: float
    quadratic: float
    linear_part: str
    pearson: float
    spearman: float
    w1: float
    w1_standardised: float
    modes: int
    generators: int
    error: float


@dataclass(frozen=True)
class Run:
    """One answer of one method to one problem."""

    method: str
    problem: Mapping[str, Any]
    score: Score
    null: NullLevels
    seconds: float
    range_text: str
    pairs_used: int


def score(pairs: Pairs, answer: Answer, basis: str | Basis) -> Score:
    """An answer beside the truth that came with the pairs."""
    if not len(answer.generators) or pairs.magnitude is None:
        unknown = ("drift", "linear", "quadratic", "pearson", "spearman", "w1", "w1_standardised")
        nothing: dict[str, Any] = dict.fromkeys(unknown, np.nan)
        nothing |= {"modes": 0, "generators": answer.claimed, "error": answer.error}
        return Score(cosine=0.0, angle=90.0, linear_part="none", **nothing)
    fields = get_basis(basis)
    truth = true_field(pairs, fields)
    shape = (pairs.source.shape[-2], pairs.source.shape[-1])
    nearest = nearest_field(truth, answer.generators, fields, shape)
    found, t = answer.generators[nearest.which], answer.t[:, nearest.which]
    true_t = pairs.magnitude[answer.rows, 0]
    # A fit that ran away on some pairs still has a law: its distance is just very large.
    t = np.nan_to_num(t, nan=0.0, posinf=1e6, neginf=-1e6)
    return Score(
        cosine=nearest.cosine,
        angle=float(principal_angles(truth[None], found[None], fields, shape)[0]),
        **coefficient_errors(found, truth, fields)._asdict(),
        linear_part=classify_linear_part(found, fields),
        **magnitude_correlation(t, true_t)._asdict(),
        w1=wasserstein(t, true_t, sign=nearest.sign),
        w1_standardised=wasserstein_standardised(t, true_t),
        modes=mode_count(t),
        generators=answer.claimed,
        error=answer.error,
    )


def scored(method: str, problem: Problem, pairs: Pairs, answer: Answer) -> Run:
    """A run with its score and the null levels of its problem."""
    shape = (pairs.source.shape[-2], pairs.source.shape[-1])
    t = None if pairs.magnitude is None else pairs.magnitude[answer.rows, 0]
    null = null_levels(
        true_field(pairs, problem.basis),
        problem.basis,
        shape,
        magnitudes=t,
        source=pairs.source[answer.rows],
        target=pairs.target[answer.rows],
        trials=_NULL_TRIALS,
        seed=problem.seed,
    )
    result = score(pairs, answer, problem.basis)
    return Run(method, problem.named(), result, null, answer.seconds, problem.range_text, len(answer.rows))


def summary(runs: Sequence[Run], least: float | None) -> dict[str, Any]:
    """A row: the worst of runs that differ in their seed, beside the mean null levels.

    Parameters
    ----------
    least : float, optional
        Cosine that every run must reach; None where nothing is asked.
    """
    scores, nulls, problem = [run.score for run in runs], [run.null for run in runs], runs[0].problem
    expected = LAW_MODES[str(problem["law"])]
    cosines = [one.cosine for one in scores]
    missed = []
    if least is not None:
        # Written so that nan falls short: numpy's least of numbers with nan is nan.
        missed += [] if np.min(cosines) >= least else ["cosine"]
        missed += [] if {one.generators for one in scores} == {1} else ["count"]
    return {
        "method": runs[0].method,
        "transform": problem["transform"],
        "range": runs[0].range_text,
        "law": problem["law"],
        "basis": problem["basis"],
        "pairs": runs[0].pairs_used,
        "seeds": [run.problem["seed"] for run in runs],
        "cosine": float(np.min(cosines)),
        "cosines": cosines,
        "target": least,
        "null_cosine": float(np.mean([null.cosine.mean for null in nulls])),
        "angle": float(np.max([one.angle for one in scores])),
        **{name: _worst(getattr(one, name) for one in scores) for name in ("drift", "linear", "quadratic")},
        **{f"null_{name}": _mean_level(nulls, name) for name in ("drift", "linear", "quadratic")},
        "linear_parts": sorted({one.linear_part for one in scores}),
        "null_linear_part": float(np.mean([null.linear_part for null in nulls if null.linear_part is not None])),
        "pearson": float(np.min([one.pearson for one in scores])),
        "null_pearson": float(np.mean([null.pearson.tail for null in nulls if null.pearson])),
        "w1": float(np.max([one.w1 for one in scores])),
        "null_w1": float(np.mean([null.w1 for null in nulls if null.w1 is not None])),
        "w1_standardised": float(np.max([one.w1_standardised for one in scores])),
        "null_w1_standardised": float(np.mean([n.w1_standardised for n in nulls if n.w1_standardised is not None])),
        "modes": [one.modes for one in scores],
        "expected_modes": expected,
        "modes_right": sum(one.modes == expected for one in scores),
        "generators": [one.generators for one in scores],
        "error": _worst(one.error for one in scores),
        "null_error": float(np.mean([null.identity.mean_squared for null in nulls if null.identity])),
        **spread([run.seconds for run in runs]),
        "passed": None if least is None else not missed,
        "missed": missed,
    }


def _worst(values: Iterable[float]) -> float | None:
    known = [float(one) for one in values if np.isfinite(one)]
    return max(known) if known else None


def _mean_level(nulls: Sequence[NullLevels], name: str) -> float | None:
    """Mean over the seeds of what random generators score on average."""
    known = [level.mean for level in (getattr(null, name) for null in nulls) if level is not None]
    return float(np.mean(known)) if known else None


def _beside(key: str, digits: int, scale: float = 1.0, unit: str = "") -> Callable[[Row], str]:
    """A cell with a value and, in brackets, its null level."""
    return lambda row: f"{number(row[key], digits, scale, unit)} ({number(row[f'null_{key}'], digits, scale, unit)})"


def _error(row: Row) -> str:
    return "" if row["error"] is None else f"{number(row['error'], 4)} ({number(row['null_error'], 4)})"


def _cosine(row: Row) -> str:
    return f"{number(row['cosine'], 6)} ({number(row['null_cosine'], 2)})"


SCORE_COLUMNS = (
    Column("worst cosine (random)", _cosine),
    Column("corr. of t (shuffled)", _beside("pearson", 3)),
    Column("W1 of t (normal law)", _beside("w1", 2, 100, " %")),
    Column("W1 standardised (normal law)", _beside("w1_standardised", 3)),
    Column("modes right", lambda row: f"{row['modes_right']}/{len(row['seeds'])}"),
    Column("error (not moved)", _error, needs="error"),
    Column("pairs", value("pairs", 0)),
    Column("seconds", value("seconds_median", 2)),
)
