"""Functions known by noisy values or labels: found where data suffice, undecided where not, never claimed falsely."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from liescope import InputError, detect_invariance, load_result
from liescope.kinds import InvarianceDetector

Function = Callable[[np.ndarray], np.ndarray]


def quartic(x: np.ndarray) -> np.ndarray:
    squares = np.square(x).sum(axis=1)
    value: np.ndarray = squares**2 / 4 - squares
    return value


def random_function(seed: int, d: int) -> Function:
    rng = np.random.default_rng(seed)
    waves, phases, sizes = 1.3 * rng.normal(size=(8, d)), rng.normal(size=8), rng.normal(size=8)
    bend = (np.tanh, np.cos)[seed % 2]

    def function(x: np.ndarray) -> np.ndarray:
        value: np.ndarray = bend(x @ waves.T + phases) @ sizes
        return value

    return function


def noisy(f: Function, n: int, d: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1000 + seed)
    points = rng.normal(size=(n, d))
    values = f(points)
    return points, values + noise * values.std() * rng.normal(size=n)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("d", "name", "noise"), [(2, "so(2)", 0.05), (3, "so(3)", 0.02)])
def test_a_radial_function_from_noisy_values(d: int, name: str, noise: float, seed: int) -> None:
    points, values = noisy(quartic, 1000, d, noise, seed)
    result = detect_invariance(X=points, y=values)
    assert (result.verdict, result.algebra["name"]) == ("symmetry", name)
    assert all(g.tier == "exact" for g in result.generators)
    assert all(g.direction_error_deg < 5 for g in result.generators)


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize(("n", "d", "noise"), [(200, 2, 0.1), (1000, 2, 0.05), (600, 3, 0.02)])
def test_random_functions_are_not_claimed(n: int, d: int, noise: float, seed: int) -> None:
    f = random_function(seed, d)
    points, values = noisy(f, n, d, noise, seed)
    result = detect_invariance(X=points, y=values, tolerance=0.1)
    if result.verdict == "symmetry":
        truth = detect_invariance(f, points, tolerance=0.1)
        assert truth.evidence["spectrum"][result.evidence["certified"] - 1] <= 0.1


@pytest.mark.parametrize("model", ["polynomial", "gp"])
def test_both_models_say_no_where_nothing_is_symmetric(model: str) -> None:
    points, values = noisy(random_function(1, 2), 1500, 2, 0.02, 0)
    result = detect_invariance(X=points, y=values, model=model)
    assert result.verdict in ("no symmetry", "undecided")
    assert result.fit["model"].startswith({"polynomial": "polynomial", "gp": "Gaussian process"}[model])


def test_a_polynomial_that_does_not_fit_is_undecided() -> None:
    points, values = noisy(lambda x: np.sin(6 * np.linalg.norm(x, axis=1)), 1500, 2, 0.02, 0)
    result = detect_invariance(X=points, y=values, model="polynomial")
    assert result.verdict == "undecided"
    assert "too little" in result.reason or "misses" in result.reason


def test_what_is_not_certified_though_it_may_be_one_is_told() -> None:
    points, values = noisy(quartic, 1000, 3, 0.05, 5)
    result = detect_invariance(X=points, y=values)
    open_ones = len(result.evidence["upper_bounds"]) - result.evidence["certified"]
    assert open_ones > 0
    assert f"{open_ones} more field" in result.summary()


def test_noise_is_undecided() -> None:
    rng = np.random.default_rng(0)
    assert detect_invariance(X=rng.normal(size=(500, 2)), y=rng.normal(size=500)).verdict == "undecided"


@pytest.mark.parametrize("seed", range(3))
def test_few_labels_are_undecided_and_say_what_is_likely(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(3000, 3))
    labels = np.linalg.norm(points, axis=1) + 0.2 * rng.normal(size=3000) > 1.5
    result = detect_invariance(X=points, y=labels)
    assert result.verdict == "undecided"
    assert result.algebra["name"] == "so(3)"
    assert result.summary().startswith("Undecided: so(3) likely")


@pytest.mark.parametrize("seed", range(6))
def test_labels_of_random_networks_are_not_claimed(seed: int) -> None:
    rng, f = np.random.default_rng(seed), random_function(2 * seed, 3)
    points = rng.normal(size=(2000, 3))
    score = f(points) - np.median(f(points))
    labels = np.where(rng.random(2000) < 1 / (1 + np.exp(-3 * score / score.std())), "inside", "outside")
    assert detect_invariance(X=points, y=labels).verdict != "symmetry"


@pytest.mark.parametrize("seed", range(2))
def test_many_labels_of_a_disc_have_its_rotation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(20_000, 2))
    labels = np.linalg.norm(points, axis=1) + 0.1 * rng.normal(size=20_000) > 1.2
    result = detect_invariance(X=points, y=labels, tolerance=0.1)
    assert (result.verdict, [g.name for g in result.generators]) == ("symmetry", ["rotation"])


def test_the_estimator_learns_from_values(tmp_path: Any) -> None:
    points, values = noisy(quartic, 800, 2, 0.05, 7)
    detector = InvarianceDetector().fit(points, values)
    assert detector.generators_[0].name == "rotation"
    assert detector.score(*noisy(quartic, 800, 2, 0.05, 8)) > 0.9
    detector.result_.save(tmp_path / "found")
    assert load_result(tmp_path / "found").to_dict() == detector.result_.to_dict()


POINTS = np.random.default_rng(0).normal(size=(100, 2))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"y": np.zeros(100)}, "values y that differ"),
        ({"y": np.zeros(99)}, "a value y for each of 100"),
        ({"y": [np.nan] + [1.0] * 99}, r"NaN or infinity, the first at \[0\]"),
        ({"y": np.repeat(["a", "b", "c", "d"], 25)}, "labels of two classes"),
        ({"y": POINTS[:, 0], "model": "net"}, "unknown model"),
        ({"y": POINTS[:, 0] > 0, "tolerance": 0.2}, "at most 0.1 for labels"),
        ({"y": POINTS[:, 0], "f": quartic}, "got both"),
        ({}, "got neither"),
    ],
)
def test_bad_values_are_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        detect_invariance(X=POINTS, **options)
