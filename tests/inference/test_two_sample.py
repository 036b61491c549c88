"""The energy distance, and the test of one distribution by permutation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from liescope.inference import energy_distance, two_sample_test


@pytest.mark.parametrize("seed", range(3))
def test_the_distance_is_that_of_scipy_without_its_bias(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=40), random.normal(0.5, 2, size=60)
    with_zeros = float(stats.energy_distance(x, y)) ** 2
    within = [np.abs(own[:, None] - own).mean() for own in (x, y)]
    # scipy counts the distance of every point from itself.
    expected = with_zeros - within[0] / 39 - within[1] / 59
    assert energy_distance(x[:, None], y[:, None]) == pytest.approx(expected)
    assert two_sample_test(x[:, None], y[:, None], permutations=9).distance == pytest.approx(expected)


def test_one_distribution_is_rejected_as_often_as_it_may_be() -> None:
    chances = []
    for seed in range(100):
        random = np.random.default_rng(seed)
        x, y = random.normal(size=(40, 3)), random.normal(size=(30, 3))
        chances.append(two_sample_test(x, y, seed, permutations=99).p_value)
    # Five of a hundred; eleven or more have a chance of 1 in 90.
    assert np.mean(np.array(chances) <= 0.05) <= 0.1
    assert 0.35 < np.mean(chances) < 0.75


def test_a_spread_alone_is_seen() -> None:
    random = np.random.default_rng(0)
    test = two_sample_test(random.normal(size=(150, 4)), 1.6 * random.normal(size=(150, 4)))
    assert test.p_value == 1 / 500
    assert test.distance > 5 * test.noise


def test_the_order_of_rows_has_no_part_in_the_distance() -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(50, 2)), random.normal(0.3, size=(70, 2))
    one, other = two_sample_test(x, y), two_sample_test(x[::-1], y[::-1])
    assert one.distance == pytest.approx(other.distance)


def test_groups_that_are_mixed_differently_are_no_difference_within_them() -> None:
    random = np.random.default_rng(2)
    groups = np.repeat([0, 1], [150, 50]), np.repeat([0, 1], [50, 150])
    x, y = (own[:, None] * 5.0 + random.normal(size=(200, 1)) for own in groups)
    assert two_sample_test(x, y).p_value < 0.01
    assert two_sample_test(x, y, groups=groups).p_value > 0.05
