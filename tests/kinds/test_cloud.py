"""Clouds whose symmetry is known: rings, ellipses, shells, Gaussians; arcs, moons, mixtures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_moons

from liescope import InputError, load_result
from liescope.kinds import detect_points

Cloud = Callable[[np.random.Generator, int], np.ndarray]
TILTED = np.array([[1, 0.4], [0, 1]])


def ring(rng: np.random.Generator, n: int, most: float = 2 * np.pi) -> np.ndarray:
    angle = rng.uniform(0, most, n)
    points: np.ndarray = np.stack((np.cos(angle), np.sin(angle)), axis=1) + 0.1 * rng.normal(size=(n, 2))
    return points


def shells(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    directions = rng.normal(size=(n, d))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points: np.ndarray = directions * (rng.choice([1, 2], n) + 0.1 * rng.normal(size=n))[:, None]
    return points


SYMMETRIC: dict[str, tuple[Cloud, int]] = {
    "ring": (ring, 1),
    "ellipse off centre": (lambda rng, n: (ring(rng, n) * np.array([3, 1])) @ TILTED + np.array([5, 2]), 1),
    "gaussian": (lambda rng, n: rng.normal(size=(n, 2)) @ TILTED, 1),
    "gaussian in space": (lambda rng, n: rng.normal(size=(n, 3)) @ np.array([[1, 0.5, 0.3], [0, 2, 0], [0, 0, 1]]), 3),
    "stretched shells": (lambda rng, n: shells(rng, n, 2) * np.array([1, 2]), 1),
    "stretched shells in space": (lambda rng, n: shells(rng, n, 3) * np.array([1, 2, 1]), 3),
}
ASYMMETRIC: dict[str, Cloud] = {
    "arc": lambda rng, n: ring(rng, n, 1.5 * np.pi),
    "moons": lambda rng, n: np.asarray(make_moons(n, noise=0.1, random_state=int(rng.integers(1000)))[0]),
    "two heaps": lambda rng, n: rng.normal(size=(n, 2)) + np.array([2, 0]) * rng.choice([-1, 1], n)[:, None],
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", SYMMETRIC)
def test_symmetric_clouds(name: str, seed: int) -> None:
    make, count = SYMMETRIC[name]
    result = detect_points(make(np.random.default_rng(seed), 3000), random_state=seed)
    assert (result.verdict, result.evidence["certified"]) == ("symmetry", count)
    if count == 3:
        assert result.algebra["name"] in ("so(3)", "not closed") or len(result.generators) == 2
    else:
        assert result.generators[0].name == "rotation"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ASYMMETRIC)
def test_asymmetric_clouds(name: str, seed: int) -> None:
    result = detect_points(ASYMMETRIC[name](np.random.default_rng(seed), 3000), random_state=seed)
    assert result.verdict == "no symmetry"


@pytest.mark.parametrize("seed", range(8))
def test_few_points_are_undecided_and_never_a_claim(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert detect_points(ring(rng, 300)).verdict == "undecided"
    assert detect_points(ring(rng, 300, 1.5 * np.pi)).verdict != "symmetry"


def test_the_rotation_of_an_ellipse_keeps_its_covariance() -> None:
    points = SYMMETRIC["ellipse off centre"][0](np.random.default_rng(1), 3000)
    turned = detect_points(points).transform(points, 1.0)
    np.testing.assert_allclose(np.cov(turned.T), np.cov(points.T), rtol=0.1)
    np.testing.assert_allclose(turned.mean(axis=0), points.mean(axis=0), atol=0.1)
    assert np.abs(turned - points).max() > 0.3


@pytest.mark.parametrize("seed", range(20))
def test_random_mixtures_are_never_claimed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres, scales = rng.normal(size=(4, 2)) * 2, rng.uniform(0.3, 1, size=(4, 2))

    def mixture(n: int) -> np.ndarray:
        chosen = rng.integers(4, size=n)
        points: np.ndarray = centres[chosen] + scales[chosen] * rng.normal(size=(n, 2))
        return points

    truth = detect_points(mixture(20_000)).evidence["spectrum"][0]
    if detect_points(mixture(1500)).verdict == "symmetry":
        assert truth < 0.06


def test_groups_are_drawn_together(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    # Ten trajectories, each near its own angle: as a cloud a ring, but only ten independent things are known.
    angles = np.repeat(rng.uniform(0, 2 * np.pi, 10), 300) + 0.1 * rng.normal(size=3000)
    points = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    grouped = detect_points(points, groups=np.repeat(np.arange(10), 300))
    assert grouped.verdict != "symmetry"
    grouped.save(tmp_path / "found")
    assert load_result(tmp_path / "found").to_dict() == grouped.to_dict()


@pytest.mark.parametrize(
    ("X", "options", "told"),
    [
        (np.zeros((20, 2)), {}, "at least 50 points"),
        (np.zeros((100, 2)), {}, "copies of one point"),
        (np.random.default_rng(0).normal(size=(100, 2)), {"groups": np.arange(50)}, "a group for each of 100"),
        (np.random.default_rng(0).normal(size=(100, 2)), {"groups": np.arange(100) % 3}, "at least 8 groups"),
    ],
)
def test_bad_input_is_told(X: np.ndarray, options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        detect_points(X, **options)
