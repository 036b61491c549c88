"""Numbers as people read them."""

from __future__ import annotations

import numpy as np
import pytest

from liescope.answer.numbers import angle_bound, error_size, number, number_fixed, p_value_words, percent
from liescope.report.numbers import amount, histogram, precision, span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-31.234, "-31.2"), (0.012345, "0.0123"), (1234.5, "1234"),
        (120000.0, "120000"), (1.5e-7, "1.50e-7"), (2e9, "2.00e9"), (None, "unknown"),
        (float("nan"), "unknown"),         (99.999, "100"), (-0.00001, "-1.00e-5"), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.98, "98 %"), (1.0, "100 %"), (0.0, "0 %"), (0.9999, "99.99 %"), (0.99999999, "over 99.99 %"),
     (0.004, "0.4 %"), (0.00001, "under 0.01 %"), (None, "unknown"), (float("nan"), "unknown")],
)  # fmt: skip
def test_percent_never_rounds_to_all_or_none(share, text):
    assert percent(share) == text


def test_coefficients_without_a_signed_zero():
    assert number_fixed(-0.00001, 4) == "0.0000"
    assert number_fixed(-0.7071, 2) == "-0.71"


def test_a_bound_on_an_angle_is_never_nothing():
    assert [angle_bound(a) for a in (0.0, 1.8e-5, 0.0123, 12.34)] == ["less than 0.01"] * 2 + ["0.012", "12"]
    assert angle_bound(float("nan")) == "unknown"


def test_errors_far_below_what_shows():
    assert [error_size(e) for e in (0.0, 3e-14, 0.0123)] == ["below 0.000001"] * 2 + ["0.0123"]
    assert error_size(None) == error_size(float("nan")) == "unknown"


def test_amounts_carry_their_unit(make_result):
    by_name = {
        name: make_result(name).generators[0].generator for name in ("rotation", "scale", "translation-x", "shear-x")
    }
    assert amount(by_name["rotation"], -31.24, step=1.0) == "-31 degrees"
    assert amount(by_name["scale"], np.log(1.25)) == "factor 1.25"
    assert amount(by_name["translation-x"], 3.14) == "3.14 pixels"
    assert amount(by_name["shear-x"], 0.3127, step=0.01) == "0.31"


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [(-60.0, 60.0, 1), (-0.4, 0.4, 0.01), (5.0, 5.0, 1e-3), (29.98, 30.02, 0.01), (0.0, 0.0, 1e-9)],
)
def test_precision_is_about_a_hundredth_of_the_range(low, high, step):
    assert precision(low, high) == pytest.approx(step)


def test_histogram_counts_every_accepted_pair_and_wild_ones_do_not_flatten_it(make_result):
    t = np.linspace(-1, 1, 4000)[:, None]
    t[5] = 1e6
    result = make_result("rotation", pairs=4000, t=t)
    bars = histogram(result)
    assert bars.counts.sum() + bars.outside == result.accepted.sum()
    assert 1 <= bars.outside <= 8
    turn = np.degrees(1 / np.sqrt(2))
    assert bars.edges[[0, -1]] == pytest.approx([-turn, turn], rel=0.05)
    assert span(result, 0) == pytest.approx((-turn, turn), rel=0.01)


def test_histogram_of_one_single_magnitude(make_result):
    bars = histogram(make_result("rotation", t=np.full((60, 1), 0.5)))
    assert bars.counts.sum() == 54
    assert np.diff(bars.edges).min() > 0


@pytest.mark.parametrize(("p", "text"), [(0.0312, "p = 0.031"), (1e-60, "p < 0.0001"), (1.0, "p = 1")])
def test_p_values(p, text):
    assert p_value_words(p) == text
