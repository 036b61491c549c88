"""Counting with a trials whose errors are made up: the rule itself, apart from any engine."""

import numpy as np
import pytest

from liescope.inference import coefficient_uncertainty, count, count_generators, identifiable


class FakeStudy:
    """Held-out errors that fall by known factors with every generator, for true and for permuted pairs."""

    def __init__(
        self,
        true: list[float],
        null: list[float],
        identity: float = 1.0,
        seed: int = 0,
        free: tuple[float, float] = (1.0, 1.0),
        closed: bool = True,
    ) -> None:
        self.pixel_noise = 0.0
        self.true, self.null, self.identity, self.free, self.closed = true, null, identity, free, closed
        rng = np.random.default_rng(seed)
        # Each explanation leaves a pair an error with some scatter of its own.
        self.noise = rng.uniform(0.9, 1.1, (len(true) + 2, 2, 200))

    def fit(self, generators: int) -> int:
        return generators

    def held_out_errors(self, search: int | None, permute: int = 0) -> np.ndarray:
        factors = self.null if permute else self.true
        level = 1.0 if search is None else factors[search - 1]
        errors: np.ndarray = level * self.identity * self.noise[search or 0, int(bool(permute))]
        return errors

    def free_errors(self, permute: int = 0) -> np.ndarray:
        errors: np.ndarray = self.free[int(bool(permute))] * self.identity * self.noise[-1, int(bool(permute))]
        return errors

    def noise_share(self) -> float:
        return self.pixel_noise

    def is_closed(self, search: int | None) -> bool:
        return self.closed


def test_stops_where_a_further_generator_buys_nothing() -> None:
    count = count_generators(FakeStudy([0.5, 0.01, 0.0099], [0.9, 0.8, 0.7]), 3)
    assert count.generators == 2
    assert count.evidence.p_value < 1e-6
    assert [(s["generators"], s["pays"]) for s in count.steps] == [(1, 1.0), (2, 1.0), (3, 0.0)]


def test_no_symmetry_where_permuted_pairs_gain_as_much() -> None:
    count = count_generators(FakeStudy([0.7, 0.6], [0.7, 0.6]), 2)
    assert (count.generators, count.span) == (0, None)


@pytest.mark.parametrize("identity", [1.0, 1e-2, 1e-3, 1e-4])
def test_small_moves_count_as_large_ones_do(identity: float) -> None:
    # Half a pixel at most changes a thousandth of the energy: less than resampling leaves of large moves.
    count = count_generators(FakeStudy([0.1, 0.095], [0.9, 0.8], identity), 2)
    assert count.generators == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_gain_hardly_larger_than_that_of_permuted_pairs_is_no_symmetry(seed: int) -> None:
    # Significant with 200 pairs, but a tenth less than what is left of permuted pairs proves nothing.
    count = count_generators(FakeStudy([0.63], [0.7], seed=seed), 1)
    assert count.steps[0]["p_value"] < 1e-6
    assert count.generators == 0


def test_an_immaterial_generator_is_not_counted() -> None:
    # A third less of the two hundredths that are left: resampling can be that regular.
    assert count_generators(FakeStudy([0.02, 0.014], [0.99, 0.98]), 2).generators == 1


def test_a_weak_generator_that_explains_what_is_left_is_counted() -> None:
    assert count_generators(FakeStudy([0.02, 0.001], [0.99, 0.98]), 2).generators == 2


def test_a_span_that_is_not_closed_expects_a_weak_generator() -> None:
    errors = [0.5, 0.1, 0.07], [0.9, 0.8, 0.75]
    assert count_generators(FakeStudy(*errors, closed=True), 3).generators == 2
    assert count_generators(FakeStudy(*errors, closed=False), 3).generators == 3


def test_generators_that_pay_only_together_are_found_by_the_whole_basis() -> None:
    alone = FakeStudy([0.8, 0.4, 0.01], [0.82, 0.7, 0.6], free=(0.01, 0.5))
    count = count_generators(alone, 3)
    assert count.generators == 3
    assert [s["generators"] for s in count.steps] == [1, 0, 2, 3]
    # Two tests were looked at until one was convincing.
    assert count.evidence.p_value == 2 * min(s["p_value"] for s in count.steps[:2])
    assert count_generators(FakeStudy([0.8, 0.4], [0.82, 0.7], free=(0.5, 0.5)), 2).generators == 0


def test_asked_for_number_is_fitted_but_that_there_is_a_symmetry_is_tested() -> None:
    count = count_generators(FakeStudy([0.1, 0.0999], [0.9, 0.8]), 6, exactly=2)
    assert count.generators == 2
    assert "speak for 1 only" in count.reason
    assert count_generators(FakeStudy([0.9, 0.8], [0.9, 0.8]), 6, exactly=2).generators == 0
    together = FakeStudy([0.8, 0.4], [0.82, 0.7], free=(0.01, 0.5))
    assert count_generators(together, 6, exactly=2).generators == 2
    one = count_generators(together, 6, exactly=1)
    assert one.generators == 1
    assert "only as a whole" in one.reason


def test_the_whole_basis_is_asked_of_small_moves_too() -> None:
    small = FakeStudy([0.8, 0.4, 0.01], [0.82, 0.7, 0.6], identity=0.03, free=(0.01, 0.5))
    assert count_generators(small, 3).generators == 3


def test_identical_pairs_are_the_identity() -> None:
    count = count_generators(FakeStudy([1.0], [1.0], identity=0.0), 1)
    assert count.generators == 0
    assert "t is 0 for all" in count.reason


def test_pairs_that_belong_together_are_told_from_strangers() -> None:
    class Alike(FakeStudy):
        def held_out_errors(self, search: int | None, permute: int = 0) -> np.ndarray:
            return super().held_out_errors(None, permute) * (1.0 if permute else 0.5)

    alike, strangers = (count_generators(trials([1.0], [1.0]), 1) for trials in (Alike, FakeStudy))
    assert (alike.related, strangers.related) == (True, False)
    assert alike.left == pytest.approx(0.5, abs=0.05)


def test_noise_is_not_taken_for_another_root() -> None:
    trials = FakeStudy([0.42], [0.9])
    assert count_generators(trials, 1).left == pytest.approx(0.42 / 0.9, abs=0.05)
    trials.pixel_noise = 0.4
    assert count_generators(trials, 1).left == pytest.approx(0.02 / 0.5, abs=0.03)


@pytest.mark.parametrize("scatter", [0.02, 0.5])
def test_false_alarms_stay_below_the_level(scatter: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors without any difference between true and permuted pairs, and nothing but the p-values to tell."""
    for name in ("EXCESS", "MATERIAL"):
        monkeypatch.setattr(count, name, -np.inf)
    rng = np.random.default_rng(0)

    class Null(FakeStudy):
        def held_out_errors(self, search: int | None, permute: int = 0) -> np.ndarray:
            return np.ones(100) if search is None else rng.uniform(1 - scatter, 1.0, 100)

        def free_errors(self, permute: int = 0) -> np.ndarray:
            return rng.uniform(1 - 2 * scatter, 1.0, 100)

    counts = [count_generators(Null([], []), 3) for _ in range(400)]
    # Three binomial standard deviations above the level, over all steps.
    assert np.mean([one.generators > 0 for one in counts]) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    # The test alone keeps its level: were it blind, nothing would ever be significant.
    assert np.mean([one.steps[0]["p_value"] <= 0.05 for one in counts]) == pytest.approx(0.05, abs=0.03)


def test_identifiable_pairs_are_accepted_unambiguous_and_precise() -> None:
    t = np.array([[-1.0], [1.0], [-1.0], [1.0], [0.5]])
    error = np.array([[0.1], [0.1], [0.1], [0.5], [0.1]])
    accepted = np.array([True, True, True, True, False])
    ambiguous = np.array([False, True, False, False, False])
    assert identifiable(t, error, accepted, ambiguous).tolist() == [True, False, True, False, False]
    assert not identifiable(t, error, np.zeros(5, bool), ambiguous).any()


def test_one_magnitude_that_all_pairs_share_is_identifiable() -> None:
    rng = np.random.default_rng(0)
    t, error, every = 0.74 + rng.normal(0, 0.01, (500, 1)), np.full((500, 1), 0.01), np.ones(500, bool)
    assert identifiable(t, error, every, ~every).all()


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
