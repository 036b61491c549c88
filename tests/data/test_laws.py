"""Laws of t: their moments, their bounds, their text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from liescope.data import LAWS, parse_law
from liescope.data.laws import parse_laws
from liescope.data.magnitudes import Categorical, Fixed, Law, Mixture, Normal, Samples, Uniform, VonMises
from liescope.errors import InputError

COUNT = 20_000


def draw(law: Law, seed: int = 0) -> np.ndarray:
    return law.sample(np.random.default_rng(seed), COUNT)


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        ("uniform", stats.uniform(-30, 60)),
        ("uniform:-10,50", stats.uniform(-10, 60)),
        ("normal", stats.truncnorm(-2, 2, 0, 15)),
        ("normal:5,2", stats.truncnorm(-2, 2, 5, 2)),
        ("normal:5,2,3", stats.truncnorm(-3, 3, 5, 2)),
        ("von-mises:3,40,180", stats.vonmises(3, np.radians(40), 180 / np.pi)),
    ],
)
def test_continuous_laws_follow_their_distribution(text: str, distribution: Any) -> None:
    values = draw(parse_law(text, 30.0))
    if text.startswith("von-mises"):
        distribution = stats.vonmises(3, loc=np.radians(40))
        values = np.radians(values)
        values = np.where(values < np.radians(40) - np.pi, values + 2 * np.pi, values)
    assert stats.kstest(values, distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("text", ["uniform", "normal", "categorical", "two-modal", "mixture", "fixed"])
def test_half_width_bounds_the_law(text: str) -> None:
    values = draw(parse_law(text, 30.0))
    assert np.abs(values).max() <= 30.0 * (1 + 1e-12)


@pytest.mark.parametrize(
    ("text", "modes"),
    [
        ("categorical", [-30, -15, 0, 15, 30]),
        ("five-modal", [-30, -15, 0, 15, 30]),
        ("four-modal", [-30, -10, 10, 30]),
        ("two-modal", [-30, 30]),
        ("3-modal", [-30, 0, 30]),
        ("categorical:-90,-45,0,45,90", [-90, -45, 0, 45, 90]),
    ],
)
def test_modes(text: str, modes: list[float]) -> None:
    values, counts = np.unique(draw(parse_law(text, 30.0)), return_counts=True)
    np.testing.assert_allclose(values, modes, atol=1e-12)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_weights() -> None:
    _, counts = np.unique(draw(parse_law("categorical:-1@1,0@2,1@5", 1.0)), return_counts=True)
    assert stats.chisquare(counts, COUNT * np.array([1, 2, 5]) / 8).pvalue > 1e-3
    values = draw(parse_law("mixture:normal:-30,2@3|fixed:30@1", 1.0))
    assert (values == 30).mean() == pytest.approx(0.25, abs=0.02)
    assert values[values < 0].mean() == pytest.approx(-30, abs=0.1)


def test_samples(tmp_path: Path) -> None:
    assert set(draw(parse_law("samples:1,2,5", 1.0))) == {1.0, 2.0, 5.0}
    np.save(tmp_path / "t.npy", np.array([3.0, 4.0]))
    assert set(draw(parse_law(f"samples:{tmp_path}/t.npy", 1.0))) == {3.0, 4.0}
    (tmp_path / "t.csv").write_text("1.5,2.5\n3.5,4.5\n")
    assert set(draw(parse_law(f"samples:{tmp_path}/t.csv", 1.0))) == {1.5, 2.5, 3.5, 4.5}
    assert set(draw(parse_law(np.array([7.0, 8.0]), 1.0))) == {7.0, 8.0}
    assert len(Samples(tuple(range(1000))).text) < 100


@pytest.mark.parametrize("name", [name for name in LAWS if name != "samples"])
def test_text_reads_back_as_the_same_law(name: str) -> None:
    law = parse_law(name, 0.7)
    again = parse_law(law.text, 99.0)
    np.testing.assert_array_equal(draw(law), draw(again))


def test_one_law_for_all_or_one_each() -> None:
    assert [type(law) for law in parse_laws("uniform+5-modal", [1.0, 2.0])] == [Uniform, Categorical]
    assert [law.text for law in parse_laws("uniform", [1.0, 2.0])] == ["uniform:-1,1", "uniform:-2,2"]
    assert [law.text for law in parse_laws(["normal", 3.0], [1.0, 2.0])] == ["normal:0,0.5", "fixed:3"]
    assert [law.text for law in parse_laws("uniform:-1e+1,2", [1.0])] == ["uniform:-10,2"]
    with pytest.raises(InputError, match="one for each of the 3 transforms, got 2"):
        parse_laws("uniform+normal", [1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unifrom", "Did you mean 'uniform'"),
        ("vonmises", "Did you mean 'von-mises'"),
        ("uniform:1", "expected 2 numbers"),
        ("uniform:3,1", "expected low <= high"),
        ("uniform:a,b", "expected numbers in law 'uniform:a,b'"),
        ("normal:0,-1", "standard deviation >= 0"),
        ("normal:0,nan", "expected finite numbers"),
        ("categorical:1@-1,2@3", "expected weights >= 0"),
        ("categorical:1@0,2@0", "expected weights >= 0 with a positive sum"),
        ("mixture:uniform@1|nrmal@1", "Did you mean 'normal'"),
        ("von-mises:-1", "concentration >= 0"),
        ("samples:", "expected values or a file"),
        ("samples:no-such-file", "expected numbers in law"),
        ("0-modal", "expected at least one mode"),
    ],
)
def test_bad_laws_are_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_law(text, 1.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("half_width", [-1.0, float("nan"), float("inf")])
def test_bad_half_widths_are_named(half_width: float) -> None:
    with pytest.raises(InputError, match="finite range >= 0"):
        parse_law("uniform", half_width)


def test_bad_arguments_are_named() -> None:
    with pytest.raises(InputError, match="one weight for each"):
        Mixture((Fixed(1.0), Fixed(2.0)), (1.0,))
    with pytest.raises(InputError, match="at least one law"):
        Mixture(())
    with pytest.raises(InputError, match="positive cut"):
        Normal(0.0, 1.0, 0.0)
    with pytest.raises(InputError, match="positive half-turn"):
        VonMises(1.0, 0.0, 0.0)
