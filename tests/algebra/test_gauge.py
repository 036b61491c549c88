"""The gauge: one representative of a generator's line, stable under noise."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from liescope.algebra import CANONICAL_FIELDS, canonical_coefficients, fix_gauge
from liescope.geometry import Basis, affine, conformal, field_basis, quadratic

BASES = [affine(), quadratic(), conformal(), affine() + field_basis({"swirl": lambda x, y: (-y * x, x * x)})]
finite = st.floats(-10, 10).map(lambda v: v if abs(v) > 1e-3 else 0.0)


@pytest.mark.parametrize("basis", BASES, ids=lambda b: b.name)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_one_representative_for_a_line(basis: Basis, data: st.DataObject) -> None:
    a = data.draw(arrays(float, basis.dimension, elements=finite).filter(lambda v: v.any()))
    factor = data.draw(st.floats(0.01, 100))
    fixed = fix_gauge(a, basis)
    assert np.linalg.norm(fixed) == pytest.approx(1)
    np.testing.assert_allclose(fix_gauge(-factor * a, basis), fixed, atol=1e-12)
    np.testing.assert_allclose(fix_gauge(fixed, basis), fixed, atol=1e-12)


@pytest.mark.parametrize("basis", BASES[:3], ids=lambda b: b.name)
@pytest.mark.parametrize("name", CANONICAL_FIELDS)
def test_canonical_fields_keep_their_written_sign_under_noise(basis: Basis, name: str) -> None:
    a = canonical_coefficients(name, basis)
    if a is None:
        assert (basis.name, name.split("-")[0]) in {
            ("affine", "sct"), ("conformal", "shear"), ("conformal", "hyperbolic"), ("conformal", "scale")
        }  # fmt: skip
        return
    rng = np.random.default_rng(0)
    unit = a / np.linalg.norm(a)
    for _ in range(50):
        noisy = unit + 0.02 * rng.normal(size=len(a))
        assert fix_gauge(rng.choice([-3.0, 0.5]) * noisy, basis) @ unit > 0.9


def test_rotation_about_any_centre_is_counter_clockwise() -> None:
    for angle in np.linspace(0, 2 * np.pi, 37):
        for radius in (0.1, 0.5, 1.0, 3.0):
            cx, cy = radius * np.cos(angle), radius * np.sin(angle)
            a = np.array([cy, 0, -1, -cx, 1, 0])
            assert fix_gauge(-a, affine())[4] > 0


def test_zero_stays_zero() -> None:
    assert not fix_gauge(np.zeros(6), affine()).any()


@pytest.mark.parametrize("ndim", [1, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_the_gauge_has_one_representative_for_a_line(ndim: int, seed: int) -> None:
    basis = quadratic(ndim)
    a = np.random.default_rng(seed).normal(size=basis.dimension)
    fixed = fix_gauge(a, basis)
    assert np.linalg.norm(fixed) == pytest.approx(1)
    for factor in (-1.0, -3.0, 0.2):
        np.testing.assert_allclose(fix_gauge(factor * a, basis), fixed, atol=1e-12)


@pytest.mark.parametrize("ndim", [1, 3, 4, 5])
def test_the_gauge_keeps_the_written_signs_under_noise(ndim: int) -> None:
    rng = np.random.default_rng(0)
    eye = np.eye(ndim)
    written = [np.c_[row, np.zeros((ndim, ndim))] for row in eye]
    written += [np.c_[np.zeros(ndim), eye]]
    for a, b in combinations(range(ndim), 2):
        backwards = (ndim, a, b) == (3, 0, 2)  # by the right-hand rule about +y
        turn = np.outer(eye[b], eye[a]) - np.outer(eye[a], eye[b])
        written += [
            np.c_[np.zeros(ndim), -turn if backwards else turn],
            np.c_[np.zeros(ndim), np.outer(eye[a], eye[b])],
        ]
    for field in written:
        exact = field.ravel() / np.linalg.norm(field)
        for _ in range(20):
            noisy = exact + 0.02 * rng.normal(size=exact.size)
            assert fix_gauge(rng.choice([-3.0, 0.5]) * noisy, affine(ndim)) @ exact > 0.9
    for a in range(ndim if ndim <= 3 else 0):
        bend = np.eye(conformal(ndim).dimension)[-ndim + a]
        assert fix_gauge(-bend, conformal(ndim)) @ bend > 0
