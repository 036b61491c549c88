"""Whether a larger basis explains what the chosen one leaves: then images are copies, and fields are missing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from liescope.algebra import basis_contains
from liescope.engines.pair_set import PairSet
from liescope.engines.registration.aligner import Search
from liescope.engines.registration.span_trials import SpanTrials
from liescope.geometry import Basis, quadratic
from liescope.inference import DIFFERENT_ROOTS
from liescope.inference.count import left_of_permuted

__all__ = ["Leftovers", "left_in_larger_basis"]

_PROBED_FITTED = 128
"""Pairs that the larger basis is fitted to: a dozen coefficients need no more."""

_PROBED_HELD_OUT = 64
"""Held-out pairs in a block: moving each along twelve fields is what takes the time."""

_PROBE_TOLERANCE = 0.05
"""Of flows while looking beyond a basis: at most 0.7 of a pixel at 28 pixels, a bound that is seldom used up. What is
left moved by 0.0015 with 0.03 and by 0.0028 with 0.1, where it moved at all, and the time is halved."""

_PROBE_RESAMPLES = 200
_PROBE_DOUBT = 0.02
"""Share of the resamples that may lie on the other side of the limit where no more pairs are looked at."""


def left_in_larger_basis(pairs: PairSet, basis: Basis, fitted: np.ndarray, held_out: np.ndarray) -> float | None:
    """What the quadratic basis leaves of held-out pairs, by its best generator or by all its fields at once.

    Where a basis lacks the generator of pairs with one root, what is left looks like different roots. A contrast would
    find a direction in it, the nearest to the missing generator. But the larger basis leaves next to nothing of copies
    of one image, 0.01 at most, and of different digits of one class about 0.35 and more (0.332 was seen once).

    Only on which side of :data:`~liescope.inference.DIFFERENT_ROOTS` it lies matters, so pairs are looked at in blocks
    until bootstrap resamples of them lie on one side.

    Parameters
    ----------
    pairs : PairSet
    basis : Basis
    fitted, held_out : integer arrays
        Sorted, disjoint indices of pairs.

    Returns
    -------
    float or None
        Median error in units of that of permuted pairs; None where the basis has all those fields itself.
    """
    larger = quadratic()
    if basis_contains(basis, larger, pairs.grid):
        return None
    # Strides, not runs: files are often in the order of the classes.
    few = fitted[:: -(-len(fitted) // _PROBED_FITTED)]
    blocks = max(1, len(held_out) // _PROBED_HELD_OUT)
    search: Search | None = None
    looked: list[Leftovers] = []
    for block in (held_out[first::blocks] for first in range(blocks)):
        trials = SpanTrials(pairs, larger, few, block, _PROBE_TOLERANCE)
        search = search or trials.fit(1)
        looked.append(Leftovers.of(trials, partial(trials.held_out_errors, search), trials.free_errors))
        whole = Leftovers(*(np.concatenate(part, axis=-1) for part in zip(*looked, strict=True)))
        if whole.is_clear():
            break
    return whole.left()


class Leftovers(NamedTuple):
    """Errors of held-out pairs and of permuted ones, (explanations, B) both, and their noise (B,)."""

    pairs: np.ndarray
    permuted: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(cls, trials: SpanTrials, *explanations: Callable[[int], Any]) -> Leftovers:
        """By each of several explanations."""
        shift = max(1, len(trials.held_out_pyramid.fine_source) // 2)
        pairs, permuted = (np.stack([np.asarray(errors(by)) for errors in explanations]) for by in (0, shift))
        return cls(pairs, permuted, np.full(pairs.shape[1], trials.noise_share()))

    def left(self) -> float:
        """What the best explanation leaves of pairs, in units of what it leaves of permuted ones."""
        noise = float(self.noise.mean())
        return min(left_of_permuted(own, other, noise) for own, other in zip(self.pairs, self.permuted, strict=True))

    def is_clear(self) -> bool:
        """Whether that is on the same side of the limit whichever of such pairs are drawn."""
        count = len(self.noise)
        draws = np.random.default_rng(0).integers(count, size=(_PROBE_RESAMPLES, count))
        left = [Leftovers(self.pairs[:, draw], self.permuted[:, draw], self.noise).left() for draw in draws]
        lowest, highest = np.quantile(left, (_PROBE_DOUBT, 1 - _PROBE_DOUBT))
        return bool(lowest > DIFFERENT_ROOTS or highest <= DIFFERENT_ROOTS)
