"""Modes of laws of t, drawn many times."""

import numpy as np
import pytest

from liescope.inference import find_modes


@pytest.mark.parametrize("count", [300, 1000, 5000, 60000])
@pytest.mark.parametrize("seed", range(8))
def test_uniform_and_normal_laws_have_one_mode(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert len(find_modes(rng.uniform(-1, 1, count))) == 1
    assert len(find_modes(rng.normal(size=count))) == 1


@pytest.mark.parametrize(("modes", "count"), [(2, 300), (3, 300), (5, 300), (2, 5000), (4, 5000), (5, 5000), (8, 5000)])
@pytest.mark.parametrize("blur", [0.0, 0.01])
def test_categorical_laws(modes: int, count: int, blur: float) -> None:
    rng = np.random.default_rng(modes)
    centres = np.linspace(-2, 2, modes)
    t = rng.choice(centres, count) + blur * rng.normal(size=count)
    found = find_modes(t)
    assert len(found) == modes
    np.testing.assert_allclose(found, centres, atol=0.05)


def test_a_few_wild_values_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    t = np.r_[rng.choice([-1.0, 1.0], 2000) + 0.01 * rng.normal(size=2000), [300.0, -200.0, np.nan]]
    np.testing.assert_allclose(find_modes(t), [-1, 1], atol=0.05)


def test_positions_are_not_biased_and_symmetric_samples_have_one_mode() -> None:
    np.testing.assert_allclose(find_modes(np.repeat([-1.0, 1.0], 1000)), [-1, 1], atol=0.003)
    assert len(find_modes(np.linspace(-60, 60, 1000))) == 1


def test_degenerate_samples() -> None:
    assert find_modes(np.array([])).size == 0
    assert find_modes(np.full(50, 0.3)).tolist() == [0.3]
    assert find_modes(np.array([0.1, 0.2])).size == 1
