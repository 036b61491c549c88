"""Clean generators: spans are estimated from made log-coordinates, whose covariance is known in closed form."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2, kstest

from liescope.algebra import canonical_coefficients, clean_generators, field_gram, readable_generators, span_angles
from liescope.errors import InputError
from liescope.geometry import affine, field_basis, get_basis, quadratic
from liescope.geometry.fields import Basis

SHAPE = (28, 28)
ROTATION = np.array([0.0, 0, -1, 0, 1, 0])
SCALE = np.array([0.0, 1, 0, 0, 0, 1])
SHIFT_X, SHIFT_Y = np.eye(6)[0], np.eye(6)[3]
SPANS = {
    "rotation": [ROTATION],
    "rotation+scale": [ROTATION, SCALE],
    "se(2)": [ROTATION, SHIFT_X, SHIFT_Y],
}
SEEDS = 200


class Estimate(NamedTuple):
    span: np.ndarray
    covariance: np.ndarray


def estimated(fields: list[np.ndarray], error: float, seed: int, pairs: int = 400) -> Estimate:
    """The span of log-coordinates v_i = A t_i + e_i by principal components, and its covariance.

    The noise is white. Its size is such that a coefficient of a unit-norm generator errs by about ``error``. The
    covariance of the components off their span is the textbook's: that of a regression on the magnitudes.
    """
    rng = np.random.default_rng(seed)
    truth = np.linalg.qr(np.stack(fields, axis=1))[0]
    m, k = truth.shape
    sigma = error * pairs**0.5
    v = rng.normal(size=(pairs, k)) @ truth.T + sigma * rng.normal(size=(pairs, m))
    span = np.linalg.svd(v, full_matrices=False)[2][:k].T
    t = v @ span
    # Principal components measure t with an error of their own.
    signal = t.T @ t - pairs * sigma**2 * np.eye(k)
    inverse = np.linalg.inv(signal)
    off = np.eye(m) - span @ span.T
    return Estimate(span, np.kron(sigma**2 * inverse + pairs * sigma**4 * inverse @ inverse, off))


def cleaned(estimate: Estimate, basis: Basis | None = None, level: float = 0.02, systematic_deg: float = 0.0):
    span, covariance = estimate
    return clean_generators(span, covariance, basis or affine(), SHAPE, level=level, systematic_deg=systematic_deg)


def same_span(a: np.ndarray, b: list[np.ndarray]) -> bool:
    return bool(span_angles(a, np.stack(b, axis=1), np.eye(len(a))).max() < 1e-6)


@pytest.mark.parametrize("error", [0.002, 0.02])
@pytest.mark.parametrize("name", SPANS)
def test_simple_generators_are_found_exactly(name: str, error: float) -> None:
    exact = 0
    for seed in range(SEEDS):
        found = cleaned(estimated(SPANS[name], error, seed))
        exact += all(found.snapped) and same_span(found.coefficients, SPANS[name])
    assert exact >= 0.95 * SEEDS


@pytest.mark.parametrize("error", [0.002, 0.02])
@pytest.mark.parametrize("off", ["one coefficient", "any direction"])
def test_generators_five_deviations_away_are_not_snapped(off: str, error: float) -> None:
    snapped = 0
    for seed in range(SEEDS):
        direction = SHIFT_X
        if off == "any direction":
            direction = np.random.default_rng(1000 + seed).normal(size=6)
            direction -= ROTATION * (ROTATION @ direction) / 2
            direction /= np.linalg.norm(direction)
        # Errors are of the unit-norm generator, which is 1 / sqrt(2) of this one, and grow by the noise in t.
        deviation = error * np.sqrt(1 + 400 * error**2)
        field = ROTATION + 5 * deviation * np.sqrt(2) * direction
        snapped += all(cleaned(estimated([field], error, seed)).snapped)
    assert snapped <= 0.05 * SEEDS


@pytest.mark.parametrize("name", SPANS)
def test_costs_are_chi_square(name: str) -> None:
    found = [cleaned(estimated(SPANS[name], 0.003, seed), level=1e-6) for seed in range(SEEDS)]
    k = len(SPANS[name])
    assert {f.total.degrees_of_freedom for f in found} == {k * (6 - k)}
    assert {s.degrees_of_freedom for f in found for s in f.snappings} == {6 - k}
    assert kstest([f.total.p_value for f in found], "uniform").pvalue > 0.01
    for j in range(k):
        assert kstest([f.snappings[j].p_value for f in found], "uniform").pvalue > 0.01


@pytest.mark.parametrize("seed", range(5))
def test_cost_is_the_distance_of_the_spans(seed: int) -> None:
    estimate = estimated(SPANS["se(2)"], 0.003, seed)
    found = cleaned(estimate)
    f = found.coefficients
    moved = f @ np.linalg.inv(estimate.span.T @ f) - estimate.span
    distance = moved.T.ravel() @ np.linalg.pinv(estimate.covariance, rcond=1e-8) @ moved.T.ravel()
    assert found.total.cost == pytest.approx(distance, rel=0.05)


def rotation_about(column: float, row: float) -> np.ndarray:
    x, y = (column - 13.5) / 14, (13.5 - row) / 14
    return np.array([y, 0, -1, -x, 1, 0])


@pytest.mark.parametrize("seed", range(20))
def test_a_rotation_about_another_point_stays_there(seed: int) -> None:
    field = rotation_about(18, 10)
    found = cleaned(estimated([field], 0.01, seed))
    column = found.coefficients[:, 0]
    assert not found.snapped[0]
    assert not found.fixed[[0, 3], 0].any()
    np.testing.assert_allclose(column[[0, 3]], field[[0, 3]], atol=0.08)
    # What is not in question is clean all the same, and costs little.
    if found.fixed[[1, 2, 4, 5], 0].all():
        np.testing.assert_array_equal(column[[1, 2, 4, 5]], field[[1, 2, 4, 5]])
        assert found.total.degrees_of_freedom == 3
    assert found.total.p_value > 0.02


@pytest.mark.parametrize("seed", range(5))
def test_free_coefficients_are_the_likeliest_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rotation_about(18, 10)[:, None]
    truth /= np.linalg.norm(truth)
    root = 2e-3 * (np.eye(6) - truth @ truth.T) @ rng.normal(size=(6, 6))
    span = truth + root @ rng.normal(size=(6, 1))
    span /= np.linalg.norm(span)
    off = np.eye(6) - span @ span.T
    covariance = off @ root @ root.T @ off
    found = clean_generators(span, covariance, affine(), SHAPE, level=1e-3)
    free = ~found.fixed[:, 0]
    assert list(np.flatnonzero(free)) == [0, 3]

    def distance(values: np.ndarray) -> float:
        column = found.coefficients[:, 0].copy()
        column[free] = values
        moved = column / (span[:, 0] @ column) - span[:, 0]
        return float(moved @ np.linalg.pinv(covariance, rcond=1e-8) @ moved)

    best = minimize(distance, found.unsnapped[free, 0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    shift = np.abs(found.unsnapped[free, 0] - best.x).max()
    np.testing.assert_allclose(found.coefficients[free, 0], best.x, atol=0.05 * shift)
    assert found.total.cost == pytest.approx(best.fun, rel=0.05)


def test_one_coefficient_outside_its_interval_is_enough() -> None:
    # Eleven coefficients share one chi-square; a single one four deviations off is not hidden by ten that fit.
    field = canonical_coefficients("sct-x", quadratic())
    assert field is not None
    deviation = 0.01
    span = field + 4 * deviation * np.linalg.norm(field) * np.eye(12)[0]
    span = span[:, None] / np.linalg.norm(span)
    off = np.eye(12) - span @ span.T
    found = clean_generators(span, deviation**2 * off, quadratic(), SHAPE)
    assert chi2.sf(16, 11) > 0.1
    assert found.snapped == (False,)
    assert list(np.flatnonzero(~found.fixed[:, 0])) == [0]


def test_generators_before_snapping_span_what_was_found() -> None:
    estimate = estimated(SPANS["se(2)"], 0.01, 3)
    found = cleaned(estimate)
    assert span_angles(found.unsnapped, estimate.span, np.eye(6)).max() < 1e-6
    assert np.abs(found.unsnapped - found.coefficients).max() < 0.1
    readable = readable_generators(estimate.span, affine(), SHAPE)
    cosines = np.abs(np.sum(readable * found.unsnapped, axis=0)) / np.linalg.norm(found.unsnapped, axis=0)
    assert cosines.min() > 0.999


@pytest.mark.parametrize("seed", range(5))
def test_the_basis_of_the_span_does_not_matter(seed: int) -> None:
    span, covariance = estimated([rotation_about(18, 10), SCALE], 0.01, seed)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(2, 2)))[0]
    change = np.kron(turn.T, np.eye(6))
    a = cleaned(Estimate(span, covariance))
    b = cleaned(Estimate(span @ turn, change @ covariance @ change.T))
    np.testing.assert_allclose(a.coefficients, b.coefficients, atol=1e-8)
    assert a.total.cost == pytest.approx(b.total.cost, abs=1e-6)


def test_without_errors_only_rounding_is_snapped() -> None:
    none = np.zeros((6, 6))
    found = cleaned(Estimate(np.array([[1e-9, 0, -1, 0, 1 - 1e-9, 0]]).T / np.sqrt(2), none))
    assert found.snapped == (True,)
    np.testing.assert_array_equal(found.coefficients[:, 0], ROTATION)
    slightly = np.array([[1e-3, 0, -1, 0, 1, 0]]).T
    assert cleaned(Estimate(slightly / np.linalg.norm(slightly), none)).snapped == (False,)


def test_what_is_not_known_is_not_snapped() -> None:
    span = ROTATION[:, None] / np.sqrt(2)
    silent = np.diag([1.0, 0, 0, 0, 0, 0])  # no pair speaks of the shift
    found = cleaned(Estimate(span, silent))
    assert found.snapped == (False,)
    assert list(np.flatnonzero(~found.fixed[:, 0])) == [0]


def test_ratios_are_believed_only_where_they_can_be_told_apart() -> None:
    field = np.array([0.0, 0.5, 1, 0, 1 / 3, -0.5])
    for seed in range(20):
        sure = cleaned(estimated([field], 0.001, seed), level=1e-4)
        np.testing.assert_allclose(sure.coefficients[:, 0], field, atol=1e-9)
        for error, believed in ((0.06, [0, 0.5, 1, 2, 3]), (0.15, [0, 1, 2, 3])):
            vague = cleaned(estimated([field], error, seed))
            assert np.isin(np.abs(vague.coefficients[vague.fixed[:, 0], 0]), believed).all()


def test_an_error_that_all_pairs_share_can_be_allowed_for() -> None:
    shared = ROTATION + np.array([0.01, -0.008, 0, 0.01, 0, 0.008])
    estimate = estimated([shared], 0.0005, 0)
    assert cleaned(estimate).snapped == (False,)
    allowed = cleaned(estimate, systematic_deg=0.5)
    assert allowed.snapped == (True,)
    np.testing.assert_array_equal(allowed.coefficients[:, 0], ROTATION)
    assert allowed.total.cost < cleaned(estimate, level=1e-300).total.cost + 1e-9 or allowed.total.p_value > 0.02


def test_ratios_of_fields_of_different_degree_mean_nothing() -> None:
    # Half a unit of length off the centre is nothing special; a stretch that is half as strong is.
    off_centre = ROTATION + 0.5 * SHIFT_X
    found = cleaned(estimated([off_centre], 0.001, 0), level=1e-4)
    assert found.snapped == (False,)
    assert list(np.flatnonzero(~found.fixed[:, 0])) == [0]
    assert found.coefficients[0, 0] == pytest.approx(0.5, abs=0.01)
    halved = cleaned(estimated([np.array([0.0, 1, 0, 0, 0, 0.5])], 0.001, 0), level=1e-4)
    assert halved.snapped == (True,)
    # Of fields of your own no degree is known.
    basis = affine() + field_basis({"wave": lambda x, y: (x.sin(), 0 * y), "other": lambda x, y: (0 * x, y.sin())})
    span, covariance = estimated([np.array([0.0, 0, 0, 0, 0, 0, 1, 0.5])], 0.001, 0)
    assert clean_generators(span, covariance, basis, SHAPE, level=1e-4).snapped == (True,)


@pytest.mark.parametrize("names", [("sct-y",), ("rotation", "sct-x"), ("shear-x", "shear-y")])
def test_quadratic_basis(names: tuple[str, ...]) -> None:
    fields = [c for n in names if (c := canonical_coefficients(n, quadratic())) is not None]
    exact = 0
    for seed in range(40):
        found = cleaned(estimated(fields, 0.005, seed), quadratic())
        exact += all(found.snapped) and same_span(found.coefficients, fields)
    assert exact >= 37


def test_spans_without_canonical_fields_become_sparse() -> None:
    fields = [np.array([0.0, 1, 0, 0, 0, 2]), np.array([0.0, 0, 0.5, 0, 1, 0])]
    found = cleaned(estimated(fields, 0.002, 1), level=1e-3)
    assert all(found.snapped)
    assert same_span(found.coefficients, fields)
    assert (found.coefficients != 0).sum() == 4


def test_fields_of_your_own_and_shapes_that_are_not_square() -> None:
    basis = field_basis(
        {"a": lambda x, y: (x, 0 * y), "b": lambda x, y: (0 * x, (2 * y).sin()), "c": lambda x, y: (y, x)}
    )
    field = np.array([1.0, -1, 0])
    span, covariance = estimated([field], 0.002, 0)
    found = clean_generators(span, covariance, basis, (20, 36))
    assert found.snapped == (True,)
    assert same_span(found.coefficients, [field])
    assert found.fixed.shape == found.unsnapped.shape == (3, 1)


def test_the_whole_basis_has_nothing_to_snap() -> None:
    span = np.linalg.qr(np.random.default_rng(0).normal(size=(2, 2)))[0]
    found = clean_generators(span, np.zeros((4, 4)), get_basis("translations"), SHAPE)
    np.testing.assert_array_equal(found.coefficients, np.eye(2))
    assert (found.total.cost, found.total.degrees_of_freedom, found.total.p_value) == (0.0, 0, 1.0)
    assert field_gram(get_basis("translations"), SHAPE).shape == (2, 2)


@pytest.mark.parametrize(
    ("span", "covariance", "level", "message"),
    [
        (np.eye(6)[:, :1], np.zeros((5, 5)), 0.02, "covariance"),
        (np.eye(5)[:, :1], np.zeros((5, 5)), 0.02, "span of shape"),
        (2 * np.eye(6)[:, :1], np.zeros((6, 6)), 0.02, "orthonormal"),
        (np.eye(6)[:, :1], np.zeros((6, 6)), 0.0, "level"),
    ],
)
def test_bad_input(span: np.ndarray, covariance: np.ndarray, level: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        clean_generators(span, covariance, affine(), SHAPE, level=level)


@pytest.mark.parametrize("seed", range(3))
def test_spans_in_space_become_sparse_too(seed: int) -> None:
    # Rotations about x and y, whose bracket is not asked for; columns of affine(3): [1, x, y, z] for each component.
    about_x = np.zeros(12)
    about_x[[7, 10]] = -1, 1
    about_y = np.zeros(12)
    about_y[[3, 9]] = 1, -1
    span, covariance = estimated([about_x, about_y], 0.002, seed)
    found = clean_generators(span, covariance, affine(3), (8, 9, 10), level=1e-3)
    assert found.snapped == (True, True)
    assert same_span(found.coefficients, [about_x, about_y])
    assert (found.coefficients != 0).sum() == 4
    assert found.coefficients.max() == 1
