"""Counting with a study whose errors are made up: the rule itself, apart from any engine."""

import numpy as np
import pytest

from liescope.inference import coefficient_uncertainty, count_generators


class FakeStudy:
    """Held-out errors that fall by known factors with every generator, for true and for permuted pairs."""

    def __init__(self, true: list[float], null: list[float], identity: float = 1.0, seed: int = 0) -> None:
        self.true, self.null, self.identity = true, null, identity
        rng = np.random.default_rng(seed)
        self.noise = rng.uniform(0.9, 1.1, (2, 200))

    def fit(self, generators: int) -> int:
        return generators

    def held_out_errors(self, search: int | None, permute: int = 0) -> np.ndarray:
        factors = self.null if permute else self.true
        level = 1.0 if search is None else factors[search - 1]
        errors: np.ndarray = level * self.identity * self.noise[int(bool(permute))]
        return errors


def test_stops_where_a_further_generator_buys_nothing() -> None:
    count = count_generators(FakeStudy([0.5, 0.01, 0.0099], [0.9, 0.8, 0.7]), 3)
    assert count.generators == 2
    assert count.evidence.p_value < 1e-6
    assert [s["generators"] for s in count.steps] == [1, 2, 3]


def test_no_symmetry_where_permuted_pairs_gain_as_much() -> None:
    count = count_generators(FakeStudy([0.7, 0.6], [0.7, 0.6]), 2)
    assert (count.generators, count.span) == (0, None)


def test_an_immaterial_generator_is_not_counted() -> None:
    assert count_generators(FakeStudy([0.02, 0.001], [0.99, 0.98]), 2).generators == 1


def test_asked_for_number_is_fitted_but_the_first_is_tested() -> None:
    assert count_generators(FakeStudy([0.1, 0.0999], [0.9, 0.8]), 6, exactly=2).generators == 2
    assert count_generators(FakeStudy([0.9, 0.8], [0.9, 0.8]), 6, exactly=2).generators == 0


def test_identical_pairs_are_the_identity() -> None:
    count = count_generators(FakeStudy([1.0], [1.0], identity=0.0), 1)
    assert count.generators == 0
    assert "same image" in count.reason


def test_false_alarms_stay_at_the_level() -> None:
    """Errors without any difference between true and permuted pairs: claimed in about 5 % of the draws."""
    rng = np.random.default_rng(0)

    class Null(FakeStudy):
        def held_out_errors(self, search: int | None, permute: int = 0) -> np.ndarray:
            return np.ones(100) if search is None else rng.uniform(0.5, 1.0, 100)

    claims = sum(count_generators(Null([], []), 1).generators for _ in range(400))
    assert claims / 400 == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_intervals_and_angle_cover(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=6)
    truth /= np.linalg.norm(truth)
    across = np.eye(6) - np.outer(truth, truth)
    covariance = 1e-4 * across @ np.diag([1, 2, 0.5, 3, 1, 1]) @ across
    inside, angles, bounds = [], [], []
    for _ in range(300):
        drawn = truth + rng.multivariate_normal(np.zeros(6), covariance)
        drawn /= np.linalg.norm(drawn)
        found = coefficient_uncertainty(drawn, covariance, seed)
        inside.append((found.interval[:, 0] <= truth) & (truth <= found.interval[:, 1]))
        angles.append(np.degrees(np.arccos(min(1.0, float(drawn @ truth)))))
        bounds.append(found.direction_error_deg)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)
    assert np.mean(np.array(angles) <= np.array(bounds)) == pytest.approx(0.95, abs=0.03)
