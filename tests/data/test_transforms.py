"""Canonical groups against the field that their coefficients spell, integrated by another code."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from liescope.data import TRANSFORMS, Frame, Transform, canonical_transform, parse_transforms, user_transform
from liescope.errors import InputError

FRAME = Frame.of((20, 28))
POINTS = np.random.default_rng(3).uniform(-0.7, 0.7, (12, 2))
CENTRED = [name for name in TRANSFORMS if not name.startswith(("translation", "sct"))]
SIZES = {"rotation": 70.0, "spiral": -60.0, "translation-x": 6.0, "translation-y": -4.0}


def monomials(x: float, y: float, count: int) -> list[float]:
    """1, x, y, x^2, xy, y^2, x^3, ... written out, as a check on the coefficient order."""
    return [1, x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3][:count]


def integrate(coefficients: np.ndarray, points: np.ndarray, t: float) -> np.ndarray:
    """The flow of [u..., v...] by an adaptive solver."""
    u, v = np.reshape(coefficients, (2, -1))

    def velocity(_: float, p: np.ndarray) -> list[float]:
        f = monomials(p[0], p[1], len(u))
        return [float(np.dot(u, f)), float(np.dot(v, f))]

    return np.array([solve_ivp(velocity, (0, t), p, method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1] for p in points])


def every_transform() -> list[Transform]:
    centred = [canonical_transform(name, FRAME) for name in TRANSFORMS]
    return centred + [canonical_transform(name, FRAME, centre=(20.0, 4.5)) for name in CENTRED]


@pytest.mark.parametrize("transform", every_transform(), ids=lambda t: f"{t.name}|{t.coefficients[0]:.2g}")
def test_flow_is_that_of_the_unit_norm_generator(transform: Transform) -> None:
    natural = SIZES.get(transform.name, 0.4)
    t = natural / transform.unit_per_t
    expected = integrate(transform.unit_coefficients, POINTS, t)
    moved = transform.flow(POINTS, np.array([natural * transform.parameter_per_unit]))[0]
    np.testing.assert_allclose(moved, expected, atol=1e-8)
    assert np.linalg.norm(transform.unit_coefficients) == pytest.approx(1.0)


@pytest.mark.parametrize("transform", every_transform(), ids=lambda t: f"{t.name}|{t.coefficients[0]:.2g}")
def test_flow_obeys_the_laws_of_a_one_parameter_group(transform: Transform) -> None:
    a, b = np.array([0.3, -0.2]), np.array([0.15, 0.4])
    np.testing.assert_allclose(transform.flow(POINTS, np.zeros(1))[0], POINTS, atol=1e-14)
    twice = transform.flow(transform.flow(POINTS, a), b)
    np.testing.assert_allclose(twice, transform.flow(POINTS, a + b), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "start", "size", "end"),
    [
        ("rotation", (0.5, 0.0), 90.0, (0.0, 0.5)),  # counter-clockwise: from the right to the top
        ("scale", (0.5, 0.2), math.log(1.5), (0.75, 0.3)),
        ("scale-x", (0.5, 0.2), math.log(2), (1.0, 0.2)),
        ("scale-y", (0.5, 0.2), math.log(2), (0.5, 0.4)),
        ("translation-x", (0.0, 0.0), 7.0, (0.5, 0.0)),  # 7 of 28 pixels: half of the half-width
        ("translation-y", (0.0, 0.0), 7.0, (0.0, 0.5)),
        ("shear-x", (0.1, 0.5), 0.4, (0.3, 0.5)),
        ("shear-y", (0.5, 0.1), 0.4, (0.5, 0.3)),
        ("hyperbolic", (0.5, 0.5), math.log(2), (1.0, 0.25)),
        ("hyperbolic-diagonal", (0.5, 0.5), math.log(2), (1.0, 1.0)),
        ("spiral", (0.5, 0.0), 180.0, (-0.5 * math.exp(math.pi / 2), 0.0)),
        ("sct-x", (0.5, 0.0), 0.5, (0.5 / 0.75, 0.0)),
        ("sct-y", (0.0, 0.5), 0.5, (0.0, 0.5 / 0.75)),
    ],
)
def test_positive_amounts_move_as_the_name_says(
    name: str, start: tuple[float, float], size: float, end: tuple[float, float]
) -> None:
    transform = canonical_transform(name, FRAME)
    moved = transform.flow(np.array([start]), np.array([size * transform.parameter_per_unit]))
    np.testing.assert_allclose(moved[0, 0], end, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "unit", "unit_per_t"),
    [
        ("rotation", "degree", 180 / math.pi / math.sqrt(2)),
        ("scale", "log-factor", 1 / math.sqrt(2)),
        ("translation-x", "pixel", 14.0),
        ("translation-y", "pixel", 14.0),
        ("shear-x", "plain", 1.0),
        ("hyperbolic", "plain", 1 / math.sqrt(2)),
        ("spiral", "degree", 180 / math.pi / math.sqrt(2.5)),
        ("sct-x", "plain", 1 / math.sqrt(6)),
        ("sct-y", "plain", 1 / math.sqrt(6)),
    ],
)
def test_units(name: str, unit: str, unit_per_t: float) -> None:
    transform = canonical_transform(name, FRAME)
    assert transform.unit == unit
    assert transform.unit_per_t == pytest.approx(unit_per_t, rel=1e-12)


def test_off_centre_rotation_keeps_its_centre_and_pays_in_norm() -> None:
    transform = canonical_transform("rotation", Frame.of((28, 28)), centre=(20.5, 6.5))
    centre = np.array([[(20.5 - 13.5) / 14, (13.5 - 6.5) / 14]])
    np.testing.assert_allclose(transform.flow(centre, np.array([1.3]))[0], centre, atol=1e-14)
    assert transform.coefficients == pytest.approx((0.5, 0, -1, -0.5, 1, 0))
    assert transform.norm == pytest.approx(math.sqrt(2.5))


def test_special_conformal_pole_lands_off_the_image() -> None:
    transform = canonical_transform("sct-x", FRAME)
    moved = transform.flow(np.array([[0.5, 0.0]]), np.array([2.0]))
    assert np.all(np.isfinite(moved))
    assert np.abs(moved).max() > 100


@pytest.mark.parametrize("count", [6, 12, 20])
@pytest.mark.parametrize("shared_start", [True, False])
def test_user_generator_flows_along_its_field(count: int, shared_start: bool) -> None:
    coefficients = np.random.default_rng(count).normal(0, 0.4, count)
    transform = user_transform(coefficients)
    tau = np.array([0.5, -0.7, 0.0, 0.11])
    points = POINTS if shared_start else np.broadcast_to(POINTS, (4, *POINTS.shape))
    moved = transform.flow(points, tau)
    for k, t in enumerate(tau):
        np.testing.assert_allclose(moved[k], integrate(coefficients, POINTS, float(t)), atol=2e-6)
    assert transform.basis == {6: "affine", 12: "quadratic", 20: "polynomial-3"}[count]


def test_user_generator_survives_a_blow_up() -> None:
    # x^2 d/dx reaches infinity from x = 0.7 at t = 1 / 0.7.
    transform = user_transform([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    moved = transform.flow(POINTS, np.array([3.0, -3.0]))
    assert np.all(np.isfinite(moved))
    x = POINTS[:, 0]
    np.testing.assert_allclose(moved[1, x > 0, 0], (x / (1 + 3 * x))[x > 0], atol=1e-5)


def test_composition_text() -> None:
    names = [t.name for t in parse_transforms("rotation+translation+generator:1e+0,0,0,0,0,0", FRAME)]
    assert names == ["rotation", "translation-x", "translation-y", "generator:1e+0,0,0,0,0,0"]
    assert [t.name for t in parse_transforms("euclidean", FRAME)] == [
        "rotation",
        "translation-x",
        "translation-y",
    ]
    mixed = parse_transforms(["scale", user_transform([0, 0, 1, 0, 0, 0], "mine")], FRAME)
    assert [t.name for t in mixed] == ["scale", "mine"]


@pytest.mark.parametrize(
    ("transform", "centre", "message"),
    [
        ("rotaton", None, "Did you mean 'rotation'"),
        ("sct-x", (3, 3), "expected no centre for sct-x"),
        ("translation-x", (3, 3), "expected no centre for translation-x"),
        ("rotation", (3, 3, 3), r"expected a centre as \(column, row\)"),
        ("rotation", (3, float("nan")), r"expected a centre as \(column, row\)"),
        ("generator:1,2,3", None, "expected 6 .* generator coefficients, got 3"),
        ("generator:0,0,0,0,0,0", None, "not all zero"),
        ("generator:1,2,x", None, "expected numbers in 'generator:1,2,x'"),
        ([], None, "expected at least one transform"),
    ],
)
def test_bad_transforms_are_named(transform: str, centre: tuple[float, ...] | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_transforms(transform, FRAME, centre)
