"""Magnitudes of frames from those of pairs: exact where pairs add up, honest where they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from liescope.inference import bracket_share, frame_magnitudes


def pairs_of(frames: int, lags: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Every frame with those some lags later, written out."""
    both = [(i, i + lag) for lag in lags for i in range(frames - lag)]
    first, second = np.array(both, dtype=np.int64).T
    return first, second


def walk(frames: int, count: int, seed: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).standard_normal((frames, count)), axis=0)


@settings(deadline=None, max_examples=40)
@given(
    frames=st.integers(3, 40),
    count=st.integers(1, 3),
    lags=st.sets(st.integers(1, 5), min_size=1),
    seed=st.integers(0, 10**6),
    share=st.floats(0.3, 1.0),
    errors=st.booleans(),
)
def test_true_magnitudes_add_up_exactly(
    frames: int, count: int, lags: set[int], seed: int, share: float, errors: bool
) -> None:
    rng = np.random.default_rng(seed)
    first, second = pairs_of(frames, [lag for lag in sorted(lags) if lag < frames] or [1])
    swapped = rng.random(len(first)) < 0.3
    first, second = np.where(swapped, second, first), np.where(swapped, first, second)
    truth = walk(frames, count, seed)
    t = truth[second] - truth[first]
    accepted = rng.random(len(first)) < share
    t[~accepted] = 1e3
    t_error = rng.uniform(0.1, 1.0, t.shape) if errors else None
    found = frame_magnitudes(first, second, t, t_error, accepted, frames)
    for number in range(found.piece.max(initial=-1) + 1):
        members = np.flatnonzero(found.piece == number)
        np.testing.assert_allclose(found.t[members], truth[members] - truth[members[0]], atol=1e-7)
    touched = np.zeros(frames, dtype=bool)
    touched[first[accepted]] = touched[second[accepted]] = True
    np.testing.assert_array_equal(np.isfinite(found.t).all(axis=1), touched)
    np.testing.assert_array_equal(found.piece >= 0, touched)
    assert found.against == 0
    # Two accepted pairs' ends are of one piece, by walking from frame to frame.
    for i, j in zip(first[accepted], second[accepted], strict=True):
        assert found.piece[i] == found.piece[j]
    # The order of the pairs says nothing.
    order = rng.permutation(len(first))
    again = frame_magnitudes(
        first[order], second[order], t[order], None if t_error is None else t_error[order], accepted[order], frames
    )
    np.testing.assert_allclose(again.t, found.t, atol=1e-7)
    np.testing.assert_array_equal(again.piece, found.piece)


def test_along_a_chain_it_is_the_sum_and_errors_add_in_squares() -> None:
    first, second = pairs_of(30, [1])
    rng = np.random.default_rng(0)
    t, error = rng.standard_normal((29, 2)), rng.uniform(0.1, 0.3, (29, 2))
    found = frame_magnitudes(first, second, t, error, np.ones(29, bool), 30)
    np.testing.assert_allclose(found.t[1:], np.cumsum(t, axis=0), atol=1e-12)
    np.testing.assert_allclose(found.error[1:], np.sqrt(np.cumsum(error**2, axis=0)), rtol=1e-9)
    np.testing.assert_array_equal(found.error[0], 0)
    assert found.redundant == 0
    assert np.isnan(found.misfit).all()
    assert np.isnan(frame_magnitudes(first, second, t, None, np.ones(29, bool), 30).error).all()


@pytest.mark.parametrize("lags", [[1], [1, 2, 4], [3, 7], [2]])
def test_errors_are_those_of_the_dense_inverse(lags: list[int]) -> None:
    frames = 30
    first, second = pairs_of(frames, lags)
    rng = np.random.default_rng(2)
    truth, sigma = walk(frames, 2, 2), rng.uniform(0.5, 2, (len(first), 2))
    accepted = rng.random(len(first)) < 0.8
    t = truth[second] - truth[first]
    noisy = t + 0.3 * sigma * rng.uniform(-1, 1, t.shape)
    found = frame_magnitudes(first, second, noisy, sigma, accepted, frames)
    for k in range(2):
        design = np.zeros((len(first), frames))
        design[np.arange(len(first)), second] = 1
        design[np.arange(len(first)), first] = -1
        design = design[accepted] / sigma[accepted, k, None]
        starts = [np.flatnonzero(found.piece == p)[0] for p in range(found.piece.max() + 1)]
        free = [f for f in range(frames) if found.piece[f] >= 0 and f not in starts]
        dense = np.sqrt(np.diag(np.linalg.inv(design[:, free].T @ design[:, free])))
        ratio = found.error[free, k] / dense
        if found.redundant >= 8:
            # One factor for all: the scatter of the pairs; robust weights move it by little.
            np.testing.assert_allclose(ratio / np.median(ratio), 1, atol=0.35)
        else:
            np.testing.assert_allclose(ratio, 1, rtol=1e-6)
        assert (found.error[starts, k] == 0).all()


def test_with_little_noise_it_is_least_squares() -> None:
    """Against a dense solution without robust weights, to a small part of the errors."""
    frames = 25
    first, second = pairs_of(frames, [1, 2, 4])
    rng = np.random.default_rng(1)
    truth = walk(frames, 1, 1)
    t = truth[second] - truth[first] + rng.uniform(-0.05, 0.05, (len(first), 1))
    design = np.zeros((len(first), frames))
    design[np.arange(len(first)), second] = 1
    design[np.arange(len(first)), first] = -1
    dense = np.linalg.lstsq(design[:, 1:], t[:, 0], rcond=None)[0]
    found = frame_magnitudes(first, second, t, np.full_like(t, 0.03), np.ones(len(t), bool), frames)
    assert np.abs(found.t[1:, 0] - dense).max() < 0.5 * np.nanmedian(found.error)


@pytest.mark.parametrize("known", [True, False])
def test_errors_are_the_scatter_of_many_films(known: bool) -> None:
    frames = 40
    first, second = pairs_of(frames, [1, 2, 3])
    deviations, scatter = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = walk(frames, 1, seed)
        sigma = np.full((len(first), 1), 0.2)
        t = truth[second] - truth[first] + sigma * rng.standard_normal(sigma.shape)
        found = frame_magnitudes(first, second, t, sigma if known else None, np.ones(len(first), bool), frames)
        deviations.append((found.t - truth + truth[0])[1:] / found.error[1:])
        scatter.append(found.misfit[0])
    assert 0.85 < np.sqrt(np.mean(np.square(deviations))) < 1.25
    assert 0.17 < np.median(scatter) < 0.23


@pytest.mark.parametrize("seed", range(4))
def test_pairs_that_contradict_the_others_do_not_count(seed: int) -> None:
    frames = 60
    first, second = pairs_of(frames, [1, 2, 3, 5])
    rng = np.random.default_rng(seed)
    truth = walk(frames, 2, seed)
    t = truth[second] - truth[first] + 0.01 * rng.standard_normal((len(first), 2))
    wrong = rng.random(len(first)) < 0.1
    t[wrong] += rng.choice([-1, 1], (wrong.sum(), 2)) * rng.uniform(1, 5, (wrong.sum(), 2))
    found = frame_magnitudes(first, second, t, np.full_like(t, 0.01), np.ones(len(first), bool), frames)
    assert np.abs(found.t - truth + truth[0]).max() < 0.08
    assert wrong.sum() <= found.against <= wrong.sum() + 0.05 * len(first)
    assert 0.5 < found.in_errors.max() < 2


def test_scenes_are_pieces_of_their_own() -> None:
    frames = 12
    first, second = pairs_of(frames, [1, 2])
    truth = walk(frames, 1, 0)
    within = (first < 5) == (second < 5)
    alone = (first == 11) | (second == 11)
    found = frame_magnitudes(first, second, truth[second] - truth[first], None, within & ~alone, frames)
    np.testing.assert_array_equal(found.piece, [0] * 5 + [1] * 6 + [-1])
    assert found.t[5, 0] == 0
    assert np.isnan(found.t[11, 0])
    # Lags that never meet: frames of odd and of even number know nothing of each other.
    first, second = pairs_of(6, [2])
    found = frame_magnitudes(first, second, np.ones((4, 1)), None, np.ones(4, bool), 6)
    np.testing.assert_array_equal(found.piece, [0, 1, 0, 1, 0, 1])
    nothing = frame_magnitudes(first, second, np.ones((4, 1)), None, np.zeros(4, bool), 6)
    assert np.isnan(nothing.t).all()
    assert nothing.t.shape == nothing.error.shape == (6, 1)


def test_full_turns_are_put_back() -> None:
    frames, turn = 50, 2.5
    first, second = pairs_of(frames, [1, 3, 5])
    truth = np.arange(frames)[:, None] * 0.9
    measured = truth[second] - truth[first]
    wrapped = (measured + turn / 2) % turn - turn / 2
    assert (np.abs(wrapped - measured) > 1).any()
    found = frame_magnitudes(first, second, wrapped, None, np.ones(len(first), bool), frames, np.array([turn]))
    np.testing.assert_allclose(found.t, truth, atol=1e-9)


def motion(a: Any) -> np.ndarray:
    """Shift along x, along y, and turn, as a matrix: se(2)."""
    return np.array([[0, -a[2], a[0]], [a[2], 0, a[1]], [0, 0, 0]], dtype=float)


def test_what_brackets_leave_out_is_that_of_matrices() -> None:
    """Against logarithms of products of matrix exponentials, for steps so small that second order is all of it."""
    basis = np.eye(3)
    fields = [motion(row) for row in basis]
    brackets = np.zeros((3, 3, 3))
    for a in range(3):
        for b in range(3):
            # Content moves along the fields: products of flows are products of matrices in the same order.
            product = fields[a] @ fields[b] - fields[b] @ fields[a]
            brackets[a, b] = product[0, 2], product[1, 2], product[1, 0]
    first, step = np.array([0.02, 0.01, 0.03]), np.array([-0.01, 0.02, 0.02])
    t = np.stack([np.zeros(3), first, first + step])
    together = scipy.linalg.logm(scipy.linalg.expm(motion(step)) @ scipy.linalg.expm(motion(first)))
    left_out = np.array([together[0, 2], together[1, 2], together[1, 0]]) - first - step
    error = np.full((3, 3), 1e-4)
    size = bracket_share(t, error, brackets) * np.sqrt(3) * 1e-4
    assert size == pytest.approx(np.linalg.norm(left_out), rel=0.05)
    assert bracket_share(t, error, np.zeros((3, 3, 3))) == 0
    assert bracket_share(t, error, brackets, 1.0) == pytest.approx(np.linalg.norm(left_out), rel=0.05)
