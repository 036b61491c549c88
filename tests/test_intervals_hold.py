"""Intervals hold the truth, and magnitudes are within their errors of it, where data come from cubic splines of scipy.

The engine interpolates in its own way; what that does to all pairs alike is part of the uncertainty.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from moved import windows

from liescope import detect
from liescope.data import make_pairs

skimage = pytest.importorskip("skimage", reason="scikit-image has the pictures")

SEEDS = range(6)
TURN = np.array([0, 0, -1, 0, 1, 0]) / np.sqrt(2)


def digits(seed: int) -> tuple[Any, Any, np.ndarray]:
    pairs = make_pairs(transform="rotation", range=40, pairs=60, order=3, seed=seed)
    return pairs.source, pairs.target, np.asarray(pairs.magnitude).ravel()


def photos(seed: int) -> tuple[Any, Any, np.ndarray]:
    t = np.random.default_rng(seed + 50).uniform(-0.55, 0.55, 10)
    return *windows("astronaut", np.outer(t, TURN), (40, 44), seed), t


@pytest.mark.parametrize("made", [digits, photos])
def test_the_truth_lies_within_what_is_told(made):
    inside, close, sizes = [], [], []
    for seed in SEEDS:
        source, target, t = made(seed)
        result = detect(source, target)
        (found,) = result.generators
        assert result.t_error is not None
        sign = np.sign(found.generator.coefficients @ TURN)
        low, high = found.interval.T
        inside.append((low <= sign * TURN) & (sign * TURN <= high))
        close.append(np.abs(sign * result.t[:, 0] - t) <= 2 * result.t_error[:, 0])
        sizes.append((high - low).max())
    # Of 95 %: one seed in six may miss, but no coefficient may more often.
    assert np.mean(inside, axis=0).min() >= 5 / 6
    assert np.mean(inside) > 0.9
    assert np.mean(np.concatenate(close)) >= 0.85
    # An interval that holds everything tells nothing.
    assert max(sizes) < 0.02
