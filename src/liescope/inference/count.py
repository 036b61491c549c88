"""How many generators: each further one must buy, on held-out pairs, what it does not buy on permuted ones.

A further direction always lowers the error a little, on any images: it is one more way to deform. What tells a
symmetry from that is what the same direction buys when the targets are those of other pairs. A singular-value
threshold knows nothing of this and certifies falsely.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from liescope.inference.ranks import p_less

__all__ = [
    "DIFFERENT_ROOTS",
    "LEVEL",
    "Count",
    "Evidence",
    "GainTest",
    "SpanTrials",
    "count_generators",
    "gain_test",
    "left_of_permuted",
]

LEVEL = 0.05
"""Family-wise: the chance of one generator too many, over all steps."""

EXCESS = 0.15
"""A further generator must leave a typical pair this much less of its error than it leaves a permuted pair of its."""

MATERIAL = 0.05
"""It must also remove this share of the identity's error: resampling artefacts alone can be that regular."""

DECISIVE = 0.5
"""Or leave half of what it leaves permuted pairs: then what little was left has an explanation."""

DIFFERENT_ROOTS = 1 / 3
"""Of what is left of permuted pairs' errors: copies of one image fit far better than that (0.2 with noise of a fifth of
the grey range), images of one class with different roots fit worse (0.37 where each pair moves along a whole basis)."""

_UNEXPLAINED = 0.05  # of a target's energy: while less is left, nobody looks beyond a generator that does not pay
_RELATED = 0.8  # of the permuted pairs' error: pairs that differ less than this belong together
_RESAMPLING = 2e-3  # of a target's energy: what moving an image and resampling it leaves
_RESAMPLING_SHARE = 0.1  # of the identity's error, where that is less: small moves leave little
_OPEN = 5.0  # times that floor: a pair of which less is left has nothing to say about a further generator
_LEAST_OPEN = 0.2  # of the pairs; fewer may be registrations that failed, not pairs that a generator is missing for
_IDENTITY, _UNTOLD = 1e-5, 1e-4  # of a target's energy: the same image, and what a hundredth of a pixel changes
_MOST_OF_A_GROUP = 3  # generators: fewer that do not close may be one that is badly known
_FEW = 32  # held-out pairs: of more, a difference that counts does not look like chance
_OPEN_UP_TO = 0.2
_LEAST_PERMUTED = 32
_LEAST_ERROR = 1e-6


@runtime_checkable
class SpanTrials(Protocol):
    """What counting needs of an engine: spans of any number of generators and errors on held-out pairs."""

    def fit(self, generators: int) -> Any:
        """The best span of that many generators."""

    def held_out_errors(self, search: Any, permute: int = 0) -> Any:
        """Relative errors (B,) of held-out pairs under a span (None: the identity), targets shifted if asked."""

    def free_errors(self, permute: int = 0) -> Any:
        """The same where every pair may move along all fields of the basis at once, from the identity."""

    def noise_share(self) -> float:
        """What pixel noise leaves of held-out pairs whatever moves them, as a relative error."""

    def is_closed(self, search: Any) -> bool:
        """Whether brackets of the span's generators stay in it."""


class Evidence(NamedTuple):
    """Mean relative errors on held-out pairs at the accepted count, and the p-value of there being a symmetry at all.

    ``null_errors`` are the permuted pairs' own relative errors: what unrelated images can be deformed to. As they are,
    their mean is ``permuted_identity_error``.
    """

    heldout_error: float
    identity_error: float
    permuted_error: float
    permuted_identity_error: float
    p_value: float
    null_errors: np.ndarray


class Count(NamedTuple):
    """Number of generators and what it rests on.

    Attributes
    ----------
    generators : int
    span
        Their span, None for 0.
    evidence : Evidence
    reason : str
        In a sentence.
    steps : list of dict
        One a test: ``generators`` (0 for the test of the whole basis), ``bought``, ``excess``,
        ``p_value``, and whether it ``pays``.
    related : bool
        Whether images of a pair belong together: they are more alike than those of permuted pairs as they are, or where
        every pair may move along the whole basis.
    left : float
        Median error of held-out pairs in units of that of permuted pairs, both moved as well as the span allows and
        without what noise leaves of either.
    open : bool
        Whether what a generator bought is of the size that counts, but may be chance because pairs are few.
    """

    generators: int
    span: Any
    evidence: Evidence
    reason: str
    steps: list[dict[str, float]]
    related: bool
    left: float
    open: bool = False


class GainTest(NamedTuple):
    """What a step from one explanation to the next buys on pairs, against the same on permuted pairs.

    ``bought`` is the share of the identity's error that it removes. ``excess`` compares the median shares of a pair's
    error that are left, 1 - pairs / permuted pairs: 0 where both are explained alike, 1 where only pairs are; pairs of
    which nothing was left to explain do not count, as long as there are others.
    ``p_value``: of less being left of pairs than of permuted ones (Mann-Whitney).
    """

    bought: float
    excess: float
    p_value: float

    def convincing(self, level: float = LEVEL, expected: bool = False) -> bool:
        """Whether it is significant and material; what is ``expected`` for other reasons need not be large."""
        material = expected or self.bought >= MATERIAL or self.excess >= DECISIVE
        return self.p_value <= level and self.excess >= EXCESS and material


def gain_test(
    before: np.ndarray, after: np.ndarray, null_before: np.ndarray, null_after: np.ndarray, identity: float
) -> GainTest:
    """Compare relative errors (B,) of pairs and of permuted pairs before and after a step.

    ``identity`` is the mean error of the pairs if nothing is moved.
    """
    floor = min(_RESAMPLING, _RESAMPLING_SHARE * identity)
    left, null_left = _left(before, after, floor), _left(null_before, null_after, floor)
    unexplained = before > _OPEN * floor
    if unexplained.mean() >= _LEAST_OPEN:
        # Not every pair needs every generator: of shears and shifts by chance, some are not sheared at all.
        left = left[unexplained]
    p = p_less(left, null_left)
    bought = float(before.mean() - after.mean()) / max(identity, _LEAST_ERROR)
    return GainTest(bought, 1.0 - float(np.median(left) / max(np.median(null_left), _LEAST_ERROR)), p)


def _left(before: np.ndarray, after: np.ndarray, floor: float) -> np.ndarray:
    """Shares of the errors that are left; errors of the size that resampling leaves anyway do not count."""
    left: np.ndarray = (after + floor) / (before + floor)
    return left


class _Errors(NamedTuple):
    """Relative errors (B,) of held-out pairs and of the same with permuted targets."""

    pairs: np.ndarray
    permuted: np.ndarray


class _Whole(NamedTuple):
    """What it buys to let every pair move along the whole basis: whether that pays, and what is left of permuted's."""

    pays: bool
    left: float


def count_generators(
    trials: SpanTrials,
    most: int,
    exactly: int | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Count:
    """Add generators one by one until one does not pay.

    The order of the tests is fixed and the first failure ends it, so the level of each is the level of all. In a
    large algebra a single generator may buy little more on pairs than on permuted ones: where one does not pay, but
    letting every pair move along the whole basis would, more generators are tried, unless even that leaves as much as
    it does of images with different roots. Both tests of a step share the level. Products of generators fill the
    algebra that their brackets generate: while the span is not closed, a further generator is expected, and may be a
    weak one.

    Parameters
    ----------
    trials : SpanTrials
    most : int
        Largest number tried.
    exactly : int, optional
        Fit this many without asking for each; that there is a symmetry at all is still tested.
    seed : int
        Chooses how targets are permuted.
    """
    count = len(np.asarray(trials.held_out_errors(None)))
    noise = trials.noise_share()
    shifts = _shifts(count, seed)

    def errors_of(held_out_errors: Callable[[int], Any]) -> _Errors:
        permuted = [np.asarray(held_out_errors(shift)) for shift in shifts]
        return _Errors(np.asarray(held_out_errors(0)), np.concatenate(permuted))

    identity = errors_of(partial(trials.held_out_errors, None))
    related = _related(identity)
    if float(np.quantile(identity.pairs, 0.95)) < _IDENTITY:
        reason = "source and target are the same image in every pair: t is 0 for all"
        return Count(0, None, _evidence(identity, identity, 1.0), reason, [], related, 0.0)
    level = float(identity.pairs.mean())
    if level < _UNTOLD:
        reason = "source and target differ by less than interpolation alone may change an image: nothing is to be told"
        return Count(0, None, _evidence(identity, identity, 1.0), reason, [], related, 0.0)
    accepted, span, errors = 0, None, identity
    steps: list[dict[str, float]] = []
    whole: _Whole | None = None
    for number in range(1, (exactly or most) + 1):
        trial = trials.fit(number)
        tried = errors_of(partial(trials.held_out_errors, trial))
        test = gain_test(errors.pairs, tried.pairs, errors.permuted, tried.permuted, level)
        unfinished = accepted > 1 and not trials.is_closed(span)
        pays = test.convincing(LEVEL / 2, expected=unfinished)
        if unfinished and not pays and accepted >= _MOST_OF_A_GROUP:
            # Of a large group the last generator buys little, but without it there is no group.
            pays = test.p_value <= LEVEL / 2 and test.excess > 0 and trials.is_closed(trial)
        steps.append({"generators": number, **test._asdict(), "pays": float(pays)})
        if pays or (exactly is not None and accepted):
            accepted, span, errors, whole = number, trial, tried, None
        elif number == most or (accepted and float(errors.pairs.mean()) < _UNEXPLAINED):
            break
        else:
            if whole is None:
                free = errors_of(trials.free_errors)
                test = gain_test(errors.pairs, free.pairs, errors.permuted, free.permuted, level)
                whole = _Whole(test.convincing(LEVEL / 2), left_of_permuted(*free, noise))
                steps.append({"generators": 0, **test._asdict(), "pays": float(whole.pays)})
            if not whole.pays or (exactly is None and whole.left > DIFFERENT_ROOTS):
                break
            if number == exactly:
                accepted, span, errors = number, trial, tried
        if progress is not None:
            progress(number / (exactly or most))
    looked = steps[: 1 + next((i for i, step in enumerate(steps) if step["pays"]), len(steps))]
    p_value = min(1.0, len(looked) * min(step["p_value"] for step in looked))
    paid = max((int(step["generators"]) for step in steps if step["pays"]), default=0)
    related = related or (whole is not None and whole.pays)
    few = not accepted and count < _FEW and any(_may_count(step) for step in steps)
    reason = _reason(accepted, paid, related, count if few else None)
    left = left_of_permuted(*errors, noise)
    return Count(accepted, span, _evidence(errors, identity, p_value), reason, steps, related, left, few)


def left_of_permuted(pairs: np.ndarray, permuted: np.ndarray, noise: float) -> float:
    """Median error of pairs in units of that of permuted pairs, without the ``noise`` that is in both."""
    own, other = (float(np.median(errors)) - noise for errors in (pairs, permuted))
    return max(own, 0.0) / max(other, _LEAST_ERROR)


def _shifts(count: int, seed: int) -> list[int]:
    """By how many places targets are permuted: once, and more often where a handful of pairs could prove nothing."""
    most = max(1, count - 1)
    wanted = min(most, -(-_LEAST_PERMUTED // max(1, count)))
    chosen = np.random.default_rng(seed).permutation(most)[:wanted] + 1
    return [int(shift) for shift in chosen]


def _related(identity: _Errors) -> bool:
    """Whether pairs differ less than permuted ones do, significantly and by a fifth."""
    p = p_less(identity.pairs, identity.permuted)
    return p <= LEVEL and float(identity.pairs.mean()) < _RELATED * float(identity.permuted.mean())


def _evidence(errors: _Errors, identity: _Errors, p_value: float) -> Evidence:
    return Evidence(
        float(errors.pairs.mean()),
        float(identity.pairs.mean()),
        float(errors.permuted.mean()),
        float(identity.permuted.mean()),
        p_value,
        errors.permuted,
    )


def _may_count(step: dict[str, float]) -> bool:
    """Whether a step is large enough to count, and only its p-value leaves it open."""
    return step["excess"] >= EXCESS and step["bought"] >= MATERIAL and LEVEL / 2 < step["p_value"] <= _OPEN_UP_TO


def _reason(accepted: int, paid: int, related: bool, few: int | None) -> str:
    if accepted > paid == 0:
        return f"the number of generators was given ({accepted}); held-out pairs speak for the basis only as a whole"
    if accepted > paid:
        return f"{accepted} generators were asked for, but held-out pairs speak for {paid} only"
    if accepted:
        return "held-out pairs are explained far better than pairs with permuted targets"
    if few is not None:
        return (
            f"moving explains a typical pair better than it explains pairs with permuted targets, but with {few} pairs "
            "held out that may be chance; more pairs would tell"
        )
    if related:
        return "the images of a pair belong together, but no generator explains how they differ"
    return "no generator explains held-out pairs better than it explains pairs with permuted targets"
