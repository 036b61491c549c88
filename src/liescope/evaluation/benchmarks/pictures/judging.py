"""What an answer to pairs of pictures is worth: right, honest, wrong, and wrong with confidence.

Of an engine's answer everything counts: the number of generators, the angle between the spans over the image,
magnitudes, and how many pairs it accepts. Of the answers of packages that register one pair at a time the motion of
every pair counts. Errors in pixels are those of the motion, so that they mean the same for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from liescope.evaluation.benchmarks.pictures.pairs import Pictures, validity
from liescope.evaluation.benchmarks.pictures.windows import flow_matrices, grid_points, half_side
from liescope.evaluation.metrics import principal_angles
from liescope.result import SymmetryResult

__all__ = [
    "HONEST",
    "LEAST_ACCEPTED",
    "LEAST_R2",
    "LEAST_WITHIN",
    "MOST_DEGREES",
    "PIXEL",
    "RIGHT",
    "WRONG",
    "Judgement",
    "Said",
    "endpoint_errors",
    "explained",
    "judge_answer",
    "judge_motions",
    "said_by",
]

RIGHT, HONEST, WRONG = "right", "honest", "wrong"
MOST_DEGREES = 3.0
LEAST_R2 = 0.98
LEAST_ACCEPTED = 0.8
PIXEL = 1.0
"""Root mean square of the endpoint error over the overlap of a pair that is registered."""
LEAST_WITHIN = 0.8
"""Share of registered pairs of a peer that is right, and of an engine where magnitudes do not vary."""
NATURAL_TOLERANCE = 0.02
_FEW = 3  # pairs: through fewer a line always goes


class Said(NamedTuple):
    """What an engine says of pairs.

    Attributes
    ----------
    verdict : str
        ``symmetry``, ``no symmetry`` or ``undecided``.
    generators : array, shape (K, 6)
    t : array, shape (N, K)
        ``target = exp(sum_k t_k X_k) source``.
    accepted : array of bool, shape (N,)
    names : tuple of str
    natural : array, shape (N, K)
        Magnitudes in natural units.
    reason : str
    """

    verdict: str
    generators: np.ndarray
    t: np.ndarray
    accepted: np.ndarray
    names: tuple[str, ...] = ()
    natural: np.ndarray | None = None
    reason: str = ""


@dataclass(frozen=True)
class Judgement:
    """An answer beside the truth.

    Parameters
    ----------
    outcome : str
        ``right``, ``honest`` or ``wrong``.
    confident : bool
        Whether a symmetry is claimed that is not there: any at all, or a generator outside of the true span.
    told : str
        The verdict and the names, or what was raised.
    verdict : str
        Empty where there is none.
    generators, expected : int
    angle : float
        Largest principal angle to the true span, in degrees; nan where the numbers differ.
    r2 : float
        Of the true magnitudes as a linear function of those found; nan where they do not vary.
    accepted : float
        Share of the pairs.
    error : float
        Median over the pairs of the endpoint error in pixels; inf where most have no motion.
    within : float
        Share of the pairs whose error is at most :data:`PIXEL`.
    pairs : int
    """

    outcome: str
    confident: bool
    told: str
    verdict: str
    generators: int
    expected: int
    angle: float
    r2: float
    accepted: float
    error: float
    within: float
    pairs: int

    @classmethod
    def failed(cls, pictures: Pictures, message: str) -> Judgement:
        """That of a method which raised an error, or has no answer at all."""
        nan, expected = np.nan, len(pictures.generators)
        return cls(WRONG, False, message, "", 0, expected, nan, nan, 0.0, np.inf, 0.0, len(pictures.source))


def said_by(result: SymmetryResult) -> Said:
    """What a result says."""
    return Said(
        verdict=result.verdict,
        generators=np.reshape([one.generator.coefficients for one in result.generators], (-1, 6)),
        t=np.reshape(result.t, (len(result.accepted), -1)),
        accepted=np.asarray(result.accepted),
        names=tuple(one.generator.name for one in result.generators),
        natural=np.reshape(result.natural, (len(result.accepted), -1)),
        reason=result.reason,
    )


def judge_answer(pictures: Pictures, said: Said) -> Judgement:
    """An engine's answer.

    *Right*: the verdict; the number of generators; their span within :data:`MOST_DEGREES`; magnitudes that explain the
    true ones to :data:`LEAST_R2` (where those do not vary: :data:`LEAST_WITHIN` of the pairs within a pixel);
    :data:`LEAST_ACCEPTED` of the pairs accepted; names and natural size where the kind asks for them. *Honest*:
    "undecided" where the kind allows it. All else is *wrong*.
    """
    claimed = said.verdict == "symmetry"
    truth, found = pictures.generators, said.generators
    angle = _angle(truth, found, pictures.shape)
    errors = _errors_of(pictures, said)
    fit = explained(pictures.t, said.t)
    within = float(np.mean(errors <= PIXEL)) if errors is not None else np.nan
    accepted = float(np.mean(said.accepted))
    if said.verdict == "undecided":
        outcome = HONEST if pictures.undecided else WRONG
    elif not len(truth):
        outcome = WRONG if claimed else RIGHT
    else:
        compared = pictures.t is not None and len(pictures.t) >= _FEW
        measured = fit >= LEAST_R2 if compared else within >= LEAST_WITHIN
        same = len(found) == len(truth) and angle <= MOST_DEGREES
        fine = claimed and same and measured and accepted >= LEAST_ACCEPTED and _named(pictures, said)
        outcome = RIGHT if fine else WRONG
    words = ", ".join(said.names) if said.names else said.reason
    return Judgement(
        outcome=outcome,
        confident=claimed and not _inside(truth, found, pictures.shape),
        told=f"{said.verdict}: {words}" if words else said.verdict,
        verdict=said.verdict,
        generators=len(found),
        expected=len(truth),
        angle=angle,
        r2=fit,
        accepted=accepted,
        error=float(np.median(errors)) if errors is not None else np.nan,
        within=within,
        pairs=len(pictures.source),
    )


def judge_motions(pictures: Pictures, motions: Sequence[np.ndarray | None], models: Sequence[str]) -> Judgement:
    """The motions (3, 3) on (x, y, 1) that a package finds pair by pair, None where it gives up.

    *Right*: the package has a model that holds the true motion, and :data:`LEAST_WITHIN` of the pairs are registered
    to within :data:`PIXEL`. It says nothing of symmetries, so that it is never wrong with confidence.
    """
    if pictures.motion is None:
        raise ValueError("expected pairs with a motion, got pairs that no motion relates")
    lost = np.full((3, 3), np.nan)
    found = np.stack([lost if one is None else one for one in motions])
    errors = endpoint_errors(pictures, found)
    within = float(np.mean(errors <= PIXEL))
    right = pictures.model in models and within >= LEAST_WITHIN
    missing = sum(one is None for one in motions)
    return Judgement(
        outcome=RIGHT if right else WRONG,
        confident=False,
        told=f"no answer to {missing} of {len(motions)} pairs" if missing else "",
        verdict="",
        generators=0,
        expected=len(pictures.generators),
        angle=np.nan,
        r2=np.nan,
        accepted=1 - missing / len(motions),
        error=float(np.median(errors)),
        within=within,
        pairs=len(motions),
    )


def endpoint_errors(pictures: Pictures, motions: np.ndarray) -> np.ndarray:
    """How far motions are from the true ones, in pixels, shape (N,); inf where a motion is nan.

    The root mean square, over the valid pixels of the source that stay in the frame and arrive at valid pixels, of the
    distance between where they go and where the motion says they go.

    Parameters
    ----------
    pictures : Pictures
    motions : array, shape (N, 3, 3)
        On (x, y, 1).
    """
    if pictures.motion is None:
        raise ValueError("expected pairs with a motion, got pairs that no motion relates")
    points = grid_points(pictures.shape).reshape(-1, 2)
    scale = half_side(pictures.shape)
    height, width = pictures.shape
    valid, arrived = validity(pictures)
    errors = np.full(len(motions), np.inf)
    for n, (true, found) in enumerate(zip(pictures.motion, motions, strict=True)):
        if not np.isfinite(found).all():
            continue
        ends = points @ true[:2, :2].T + true[:2, 2]
        row = np.rint((height - 1) / 2 - scale * ends[:, 1]).astype(int)
        column = np.rint((width - 1) / 2 + scale * ends[:, 0]).astype(int)
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width) & valid[n].ravel()
        inside[inside] = arrived[n][row[inside], column[inside]]
        apart = points[inside] @ (found - true)[:2, :2].T + (found - true)[:2, 2]
        errors[n] = scale * float(np.sqrt(np.square(apart).sum(axis=1).mean())) if inside.any() else np.inf
    return errors


def explained(truth: np.ndarray | None, found: np.ndarray) -> float:
    """R2 of the true magnitudes (N, K) as linear functions of those found (N, L); nan where there are none, or few."""
    if truth is None or len(truth) < _FEW or found.shape[1] == 0 or not np.isfinite(found).all():
        return np.nan
    known = np.column_stack([found, np.ones(len(found))])
    left = truth - known @ np.linalg.lstsq(known, truth, rcond=None)[0]
    return float(1 - np.square(left).sum() / np.square(truth - truth.mean(axis=0)).sum())


def _angle(truth: np.ndarray, found: np.ndarray, shape: tuple[int, int]) -> float:
    if len(truth) != len(found) or not len(found):
        return np.nan
    return float(principal_angles(truth, found, "affine", shape)[-1])


def _inside(truth: np.ndarray, found: np.ndarray, shape: tuple[int, int]) -> bool:
    """Whether all that was found is in the true span; fewer generators are too few, but none is untrue."""
    if not len(found) or len(found) > len(truth):
        return not len(found)
    return float(principal_angles(truth, found, "affine", shape)[-1]) <= MOST_DEGREES


def _errors_of(pictures: Pictures, said: Said) -> np.ndarray | None:
    """Endpoint errors of an answer; None where there is no true motion."""
    if pictures.motion is None:
        return None
    motions = np.full((len(pictures.source), 3, 3), np.nan)
    if len(said.generators):
        told = np.isfinite(said.t).all(axis=1)
        motions[told] = flow_matrices(said.generators, said.t[told])
    return endpoint_errors(pictures, motions)


def _named(pictures: Pictures, said: Said) -> bool:
    if pictures.names and said.names != pictures.names:
        return False
    if pictures.natural is None:
        return True
    if said.natural is None or not said.natural.size:
        return False
    # Half of them at -180 and half at 180 degrees are no answer: their median is 0.
    middle = abs(float(np.median(said.natural[:, 0])))
    return abs(middle - pictures.natural) <= NATURAL_TOLERANCE * pictures.natural
