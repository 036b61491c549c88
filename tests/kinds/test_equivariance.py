"""Equivariance of maps that commute with known groups, and estimators."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from sklearn.base import clone

from liescope import InputError, load_result
from liescope.geometry import conformal, field_basis
from liescope.kinds import EquivarianceDetector, InvarianceDetector, detect_equivariance
from liescope.result import FieldResult


def shrinking(x: np.ndarray) -> np.ndarray:
    moved: np.ndarray = x * np.exp(-np.square(x).sum(axis=1, keepdims=True) / 4)
    return moved


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("d", [2, 3])
def test_maps_along_the_radius_turn_with_their_inputs(d: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(300, d))
    result = detect_equivariance(shrinking, points)
    assert (result.verdict, result.algebra["name"]) == ("symmetry", f"so({d})")
    turned = result.transform(points, [0.4] * len(result.generators))
    outputs = result.transform(shrinking(points), [0.4] * len(result.generators))
    np.testing.assert_allclose(shrinking(turned), outputs, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_free_action_is_found_with_its_speed(seed: int) -> None:
    # Squaring complex numbers: outputs turn twice as fast, and grow twice as fast.
    points = np.random.default_rng(seed).normal(size=(300, 2))
    squared = lambda x: np.stack((x[:, 0] ** 2 - x[:, 1] ** 2, 2 * x[:, 0] * x[:, 1]), axis=1)  # noqa: E731
    result = detect_equivariance(squared, points, action="free")
    assert result.algebra["name"] == "so(2)+gl(1)"
    for g, action in zip(result.generators, result.actions["coefficients"], strict=True):
        np.testing.assert_allclose(action, 2 * g.coefficients, atol=1e-6)
    more, values = result.augment(points, squared(points), copies=1)
    np.testing.assert_allclose(squared(more), values, atol=1e-5)


def test_a_given_action_restricts_what_outputs_do() -> None:
    points = np.random.default_rng(0).normal(size=(300, 2))
    squared = lambda x: np.stack((x[:, 0] ** 2 - x[:, 1] ** 2, 2 * x[:, 0] * x[:, 1]), axis=1)  # noqa: E731
    turning = field_basis({"turn": lambda x, y: (-y, x)}, name="turn")
    result = detect_equivariance(squared, points, action=turning)
    assert [g.name for g in result.generators] == ["rotation"]


def test_invariant_outputs_have_an_action_that_does_nothing() -> None:
    points = np.random.default_rng(0).normal(size=(300, 3))
    result = detect_equivariance(lambda x: np.linalg.norm(x, axis=1), points, action="free")
    still = [np.abs(a).max() < 1e-5 for a in result.actions["coefficients"]]
    assert sum(still) >= 3


@pytest.mark.parametrize("seed", range(4))
def test_a_random_network_is_not_equivariant(seed: int) -> None:
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(3, 30), torch.nn.Tanh(), torch.nn.Linear(30, 3))
    result = detect_equivariance(net, 2 * torch.randn(300, 3), tolerance=0.02)
    assert result.verdict != "symmetry"


def test_a_conjugated_rotation_is_found_about_its_centre() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 2)) + np.array([5, -3])
    turn = expm(0.7 * np.array([[0.0, -1.0], [1.0, 0.0]]))
    result = detect_equivariance(
        lambda x: (x - [5, -3]) @ turn.T * 1.1 + [5, -3] + 0.3 * shrinking(x - [5, -3]), points
    )
    assert [g.name for g in result.generators] == ["rotation"]
    centre = result.generators[0].generator.recognition.centre
    assert centre == pytest.approx((5, -3), abs=1e-6)


def test_saved_and_loaded_it_keeps_the_action(tmp_path: Any) -> None:
    points = np.random.default_rng(0).normal(size=(300, 2))
    result = detect_equivariance(shrinking, points, action=conformal())
    result.save(tmp_path / "found")
    again = load_result(tmp_path / "found")
    assert again.to_dict() == result.to_dict()
    assert isinstance(again, FieldResult)
    np.testing.assert_array_equal(again.augment(points, points)[1], result.augment(points, points)[1])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"action": "sam"}, "Did you mean 'same'"),
        ({"action": "same", "net": lambda x: x[:, :1]}, "as many outputs as inputs"),
        ({"action": conformal(3)}, "basis of 2 coordinates"),
    ],
)
def test_bad_actions_are_told(options: dict[str, Any], told: str) -> None:
    points = np.random.default_rng(0).normal(size=(100, 2))
    with pytest.raises(InputError, match=told):
        detect_equivariance(options.pop("net", shrinking), points, **options)


def norm(x: np.ndarray) -> np.ndarray:
    lengths: np.ndarray = np.linalg.norm(x, axis=1)
    return lengths


def test_estimators_follow_the_rules() -> None:
    rng = np.random.default_rng(0)
    points, others = rng.normal(size=(200, 3)), rng.normal(size=(100, 3))
    for detector in (InvarianceDetector(norm), EquivarianceDetector(shrinking)):
        assert clone(detector).get_params() == detector.get_params()
        fitted = detector.fit(points)
        assert fitted.n_generators_ == 3
        assert fitted.score(others) > 1 - 1e-6
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(again.flow(others, [0.1, 0.2, 0.3]), fitted.flow(others, [0.1, 0.2, 0.3]))
        wrong = detector.set_params(basis="afine")
        with pytest.raises(InputError, match="affine"):
            wrong.fit(points)


def test_the_score_tells_where_a_symmetry_ends() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 2))
    detector = InvarianceDetector(lambda x: np.where(x[:, 0] > 5, x[:, 0] ** 2, 0) + (x**2).sum(axis=1)).fit(points)
    assert detector.score(points) > 0.999
    assert detector.score(points + np.array([12, 0])) < 0.8
