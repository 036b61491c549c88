"""Laws, correlations and reconstructions against quadrature and scipy."""

import numpy as np
import pytest
from scipy import integrate, stats

from liescope.errors import InputError
from liescope.evaluation import (
    magnitude_correlation,
    mode_count,
    reconstruction_error,
    wasserstein,
    wasserstein_standardised,
)


def quadrature(a: np.ndarray, b: np.ndarray) -> float:
    """The area between two distribution functions on a dense grid."""
    grid = np.linspace(min(a.min(), b.min()), max(a.max(), b.max()), 200_001)
    steps = [np.searchsorted(np.sort(x), grid, side="right") / len(x) for x in (a, b)]
    return float(integrate.trapezoid(np.abs(steps[0] - steps[1]), grid))


def test_standardised_distance_is_the_area_between_distribution_functions() -> None:
    random = np.random.default_rng(0)
    found, truth = random.gamma(2.0, size=400), random.uniform(-1, 1, 300)
    z = [(x - x.mean()) / x.std() for x in (found, truth)]
    expected = min(quadrature(z[0], z[1]), quadrature(-z[0], z[1]))
    assert wasserstein_standardised(found, truth) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_standardised_distance_is_free_of_sign_scale_shift_and_order(seed) -> None:
    random = np.random.default_rng(seed)
    found, truth = random.gamma(2.0, size=200), random.uniform(-1, 1, 200)
    expected = wasserstein_standardised(found, truth)
    assert wasserstein_standardised(-found, truth) == pytest.approx(expected)
    assert wasserstein_standardised(3 * found + 7, truth) == pytest.approx(expected)
    assert wasserstein_standardised(found, -0.1 * truth) == pytest.approx(expected)
    assert wasserstein_standardised(random.permutation(found), truth) == pytest.approx(expected)
    assert wasserstein_standardised(-5 * truth + 1, truth) == pytest.approx(0, abs=1e-12)
    assert wasserstein(2 * truth, truth) > 0.1  # what standardising hides


def test_standardised_distance_of_uniform_and_normal_laws() -> None:
    # Closed form by quadrature of the quantile functions: integral of |sqrt(3) (2u - 1) - probit(u)| over u.
    expected = integrate.quad(
        lambda u: abs(np.sqrt(3) * (2 * u - 1) - stats.norm.ppf(u)), 0, 1, points=[0.5], limit=500
    )[0]
    u = (np.arange(20_000) + 0.5) / 20_000
    assert wasserstein_standardised(stats.norm.ppf(u), 4 * u - 1) == pytest.approx(expected, abs=1e-3)


def test_a_single_value_is_a_law_of_one_point() -> None:
    truth = np.array([-1.0, 1.0])
    assert wasserstein_standardised(np.zeros(5), truth) == pytest.approx(1.0)
    assert magnitude_correlation(np.ones(2), truth) == (0.0, 0.0)
    with pytest.raises(InputError, match="differ"):
        wasserstein_standardised(truth, np.ones(3))
    with pytest.raises(InputError, match="differ"):
        magnitude_correlation(truth, np.ones(2))


def test_correlations_are_those_of_the_definition() -> None:
    random = np.random.default_rng(1)
    truth = random.uniform(-1, 1, 300)
    found = truth**3 + 0.1 * random.standard_normal(300)
    result = magnitude_correlation(found, truth)
    assert result.pearson == pytest.approx(np.corrcoef(found, truth)[0, 1])
    ranks = [np.argsort(np.argsort(x)) for x in (found, truth)]
    assert result.spearman == pytest.approx(np.corrcoef(ranks[0], ranks[1])[0, 1])
    assert magnitude_correlation(-2 * found + 3, truth) == pytest.approx(result)
    # A monotonic map keeps ranks and not lengths.
    cubed = magnitude_correlation(-(truth**3), truth)
    assert cubed.spearman == pytest.approx(1)
    assert cubed.pearson < 0.95


@pytest.mark.parametrize("modes", [2, 3, 5])
def test_modes_are_counted(modes) -> None:
    random = np.random.default_rng(modes)
    t = random.choice(np.linspace(-1, 1, modes), 2000) + 0.02 * random.standard_normal(2000)
    assert mode_count(t) == mode_count(-4 * t) == modes
    assert mode_count(random.uniform(-1, 1, 2000)) == 1


def test_reconstruction_error_by_hand() -> None:
    images = np.zeros((2, 2, 2))
    images[0, 0, 0] = 1.0
    # 1 of 8 pixels is 1: energy 1/8. A grey of 0.5 everywhere is off by 0.5 everywhere.
    assert reconstruction_error(images, np.full((2, 2, 2), 0.5)) == pytest.approx((0.25, 2.0))
    assert reconstruction_error(images, images) == (0, 0)
    bytes_ = (255 * images).astype(np.uint8)
    assert reconstruction_error(bytes_, np.full((2, 2, 2), 0.5)) == pytest.approx((0.25, 2.0))
    with pytest.raises(InputError, match="all zero"):
        reconstruction_error(np.zeros((2, 2)), np.ones((2, 2)))
