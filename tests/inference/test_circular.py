"""Laws on a circle: told as on the line that they were drawn on, up to whole periods."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import circmean, circstd

from liescope.inference import unwrapped

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
SEEDS = range(6)


def wrapped(t: np.ndarray, period: float = 360.0) -> np.ndarray:
    """As measured: within half a period of 0."""
    return (t + period / 2) % period - period / 2


def normal(seed: int, middle: float, spread: float, count: int = 60) -> np.ndarray:
    return middle + spread * np.random.default_rng(seed).normal(size=count)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("period", [360.0, 2 * np.pi * np.sqrt(2)])
@pytest.mark.parametrize("count", [5, 60, 2000])
def test_half_a_turn_is_no_two_humps(seed: int, period: float, count: int) -> None:
    t = normal(seed, period / 2, period / 720, count)
    told = unwrapped(wrapped(t, period), period)
    np.testing.assert_allclose(told, t, rtol=1e-12)
    # Its mean and deviation on the circle, of angles in [0, period).
    assert told.mean() == pytest.approx(circmean(t, high=period), rel=1e-6)
    assert told.std() == pytest.approx(circstd(t, high=period), rel=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("middle", "spread"), [(178.0, 4.0), (150.0, 25.0), (180.0, 20.0)])
def test_quantiles_across_half_a_period_are_those_of_the_line(seed: int, middle: float, spread: float) -> None:
    t = normal(seed, middle, spread, 300)
    told = unwrapped(wrapped(t), 360.0)
    whole = np.round((np.median(t) - np.median(told)) / 360) * 360
    np.testing.assert_allclose(np.quantile(told, QUANTILES), np.quantile(t, QUANTILES) - whole, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_further_turn_shifts_every_quantile_by_it(seed: int) -> None:
    t = 80 * np.random.default_rng(seed).beta(2.0, 4.0, 200)
    first = np.quantile(unwrapped(wrapped(t), 360.0), QUANTILES)
    for turn in np.linspace(-350, 350, 29):
        shift = np.quantile(unwrapped(wrapped(t + turn), 360.0), QUANTILES) - first
        np.testing.assert_allclose(shift, shift[0], atol=1e-9)
        assert (shift[0] - turn + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    t = wrapped(normal(seed, 175, 15))
    order = np.random.default_rng(seed).permutation(len(t))
    np.testing.assert_array_equal(unwrapped(t, 360.0)[order], unwrapped(t[order], 360.0))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_law_that_leaves_half_a_turn_free_is_not_touched(seed: int) -> None:
    rng = np.random.default_rng(seed)
    laws = [
        rng.uniform(-150, 150, 300),
        rng.uniform(0, 175, 300),
        rng.normal(0, 40, 300),
        rng.choice([-60.0, 0.0, 60.0], 300) + rng.normal(0, 0.1, 300),
        rng.choice([-170.0, 170.0], 300) + rng.normal(0, 0.1, 300),
        np.full(60, 30.0),
        np.array([-100.0, 100.0]),
        np.array([178.0]),
        np.empty(0),
    ]
    for t in laws:
        assert unwrapped(t, 360.0) is t


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [2, 10, 60, 300, 5000])
def test_a_law_over_the_whole_circle_stays(seed: int, count: int) -> None:
    t = np.random.default_rng(seed).uniform(-180, 180, count)
    np.testing.assert_array_equal(unwrapped(t, 360.0), t)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_few_wild_values_do_not_move_the_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = np.r_[rng.normal(0, 20, 990), rng.uniform(-180, 180, 10)]
    np.testing.assert_array_equal(unwrapped(t, 360.0), t)
    about_half = wrapped(np.r_[rng.normal(180, 0.5, 990), rng.uniform(-180, 180, 10)])
    assert np.quantile(unwrapped(about_half, 360.0), (0.05, 0.95)) == pytest.approx([180, 180], abs=1.2)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_humps_one_of_them_at_half_a_turn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    told = unwrapped(wrapped(rng.choice([0.0, 180.0], 300) + rng.normal(0, 0.2, 300)), 360.0)
    assert np.unique(np.round(told / 180)).tolist() == [0, 1]


def test_values_on_the_cut_itself_have_one_sign() -> None:
    assert unwrapped(np.array([-180.0, 180.0, -180.0]), 360.0).tolist() == [180, 180, 180]
    assert unwrapped(np.array([-180.0, 0.0, 0.0, 180.0] * 10), 360.0).tolist() == [180, 0, 0, 180] * 10


def test_those_that_do_not_decide_follow() -> None:
    measured = wrapped(normal(0, 180, 0.5))
    t = np.r_[measured, -10.0, np.nan]
    told = unwrapped(t, 360.0, measured)
    np.testing.assert_allclose(told[:-2], measured % 360)
    assert told[-2] in (-10.0, 350.0)
    assert np.isnan(told[-1])


def test_a_median_clearly_beyond_half_a_turn_is_told_as_measured() -> None:
    told = unwrapped(wrapped(normal(1, -170, 6, 300)), 360.0)
    assert np.median(told) == pytest.approx(-170, abs=1.5)
    assert told.min() < -180
