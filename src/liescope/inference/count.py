"""How many generators: each further one must buy, on held-out pairs, what it does not buy on permuted ones.

A further direction always lowers the error a little, on any images: it is one more way to deform. What tells a
symmetry from that is what the same direction buys when the targets are those of other pairs. A singular-value
threshold knows nothing of this and certifies falsely.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from scipy.stats import mannwhitneyu

__all__ = ["Count", "Evidence", "GainTest", "SpanStudy", "count_generators", "gain_test"]

LEVEL = 0.05
MATERIAL = 0.05
"""A further generator must also remove this share of the identity's error: less has no practical meaning, and
resampling artefacts alone can be that regular."""

_IDENTITY = 1e-5
_LEAST_ERROR = 1e-6


@runtime_checkable
class SpanStudy(Protocol):
    """What counting needs of an engine: spans of any number of generators and errors on held-out pairs."""

    def fit(self, generators: int) -> Any:
        """The best span of that many generators."""

    def held_out_errors(self, search: Any, permute: int = 0) -> Any:
        """Relative errors (B,) of held-out pairs under a span (None: the identity), targets shifted if asked."""


class Evidence(NamedTuple):
    """Mean relative errors on held-out pairs at the accepted count, and the p-value of there being a symmetry at all.

    ``null_errors`` are the permuted pairs' own relative errors: what unrelated images can be deformed to.
    """

    heldout_error: float
    identity_error: float
    permuted_error: float
    p_value: float
    null_errors: np.ndarray


class Count(NamedTuple):
    """Number of generators, their span (None for 0), the evidence, and the steps taken (one dict a tested number)."""

    generators: int
    span: Any
    evidence: Evidence
    reason: str
    steps: list[dict[str, float]]


class GainTest(NamedTuple):
    """What a step from one explanation to the next buys on pairs, against the same on permuted pairs.

    ``bought`` is the share of the identity's error that it removes, ``median_gain`` the median relative gain,
    ``p_value`` that of pairs gaining more than permuted ones do (Mann-Whitney).
    """

    bought: float
    median_gain: float
    p_value: float

    @property
    def convincing(self) -> bool:
        """Whether it is significant and material."""
        return self.p_value <= LEVEL and self.bought >= MATERIAL


def gain_test(
    before: np.ndarray, after: np.ndarray, null_before: np.ndarray, null_after: np.ndarray, identity: float
) -> GainTest:
    """Compare relative errors (B,) of pairs and of permuted pairs before and after a step.

    ``identity`` is the mean error of the pairs if nothing is moved.
    """
    gain, null_gain = (_gain(*errors) for errors in ((before, after), (null_before, null_after)))
    p = float(mannwhitneyu(gain, null_gain, alternative="greater").pvalue)
    bought = float(before.mean() - after.mean()) / max(identity, _LEAST_ERROR)
    return GainTest(bought, float(np.median(gain)), p)


def _gain(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    gain: np.ndarray = (before - after) / np.maximum(before, _LEAST_ERROR)
    return gain


def count_generators(
    study: SpanStudy,
    most: int,
    exactly: int | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Count:
    """Add generators one by one until one does not pay.

    Parameters
    ----------
    study : SpanStudy
    most : int
        Largest number tried.
    exactly : int, optional
        Fit this many without asking; the first one is still tested, so "no symmetry" remains an answer.
    seed : int
        Chooses how targets are permuted.
    """
    identity = np.asarray(study.held_out_errors(None))
    count = len(identity)
    shift = int(np.random.default_rng(seed).integers(1, max(2, count - 1))) if count > 1 else 1
    if float(np.quantile(identity, 0.95)) < _IDENTITY:
        null = np.asarray(study.held_out_errors(None, shift))
        evidence = Evidence(float(identity.mean()), float(identity.mean()), float(null.mean()), 1.0, null)
        return Count(0, None, evidence, "source and target are the same image in every pair: t is 0 for all", [])
    errors, null = identity, np.asarray(study.held_out_errors(None, shift))
    accepted, span, p_value = 0, None, 1.0
    steps: list[dict[str, float]] = []
    for number in range(1, (exactly or most) + 1):
        trial = study.fit(number)
        trial_errors = np.asarray(study.held_out_errors(trial))
        trial_null = np.asarray(study.held_out_errors(trial, shift))
        test = gain_test(errors, trial_errors, null, trial_null, float(identity.mean()))
        steps.append({"generators": number, **test._asdict()})
        if number == 1:
            p_value = test.p_value
        if not test.convincing and (exactly is None or number == 1):
            break
        accepted, span, errors, null = number, trial, trial_errors, trial_null
        if progress is not None:
            progress(number / (exactly or most))
    paid = sum(1 for step in steps if step["p_value"] <= LEVEL and step["bought"] >= MATERIAL)
    if accepted > paid:
        reason = f"{accepted} generators were asked for, but held-out pairs speak for {paid} only"
    elif accepted == 0:
        reason = "no generator explains held-out pairs better than it explains pairs with permuted targets"
    else:
        reason = "held-out pairs are explained far better than pairs with permuted targets"
    evidence = Evidence(float(errors.mean()), float(identity.mean()), float(null.mean()), p_value, null)
    return Count(accepted, span, evidence, reason, steps)
