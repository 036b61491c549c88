"""Factors of products: logarithms made with SciPy's matrix functions, never with the code's own flows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm, logm

from liescope.algebra import find_factors, product_magnitudes
from liescope.geometry import affine, quadratic

# Homogeneous 3 x 3 matrices of the fields; coefficients over d/dx, x d/dx, y d/dx, d/dy, x d/dy, y d/dy.
FIELDS = {
    "rotation": np.array([0, 0, -1, 0, 1, 0]) / 2**0.5,
    "scale": np.array([0, 1, 0, 0, 0, 1]) / 2**0.5,
    "translation-x": np.array([1, 0, 0, 0, 0, 0]),
    "translation-y": np.array([0, 0, 0, 1, 0, 0]),
    "shear-x": np.array([0, 0, 1, 0, 0, 0]),
    "shear-y": np.array([0, 0, 0, 0, 1, 0]),
}
SPANS = {
    "se(2)": ("rotation", "translation-x", "translation-y"),
    "sl(2)": ("rotation", "shear-x", None),  # None: the hyperbolic field
    "sim(2)": ("rotation", "scale", "translation-x", "translation-y"),
}
HYPERBOLIC = np.array([0, 1, 0, 0, 0, -1]) / 2**0.5


def matrix(v: np.ndarray) -> np.ndarray:
    c, xx, xy, d, yx, yy = v
    return np.array([[xx, xy, c], [yx, yy, d], [0, 0, 0]])


def coordinates(m: np.ndarray) -> np.ndarray:
    return np.array([m[0, 2], m[0, 0], m[0, 1], m[1, 2], m[1, 0], m[1, 1]])


def products(names: tuple[str, ...], t: np.ndarray) -> np.ndarray:
    """Logarithms of exp(t_J X_J) ... exp(t_1 X_1) as point maps, the first factor acting first."""
    logarithms = []
    for row in t:
        whole = np.eye(3)
        for name, magnitude in zip(names, row, strict=True):
            whole = expm(magnitude * matrix(FIELDS[name])) @ whole
        logarithms.append(coordinates(np.real(logm(whole))))
    return np.array(logarithms)


def span(name: str) -> np.ndarray:
    return np.stack([HYPERBOLIC if field is None else FIELDS[field] for field in SPANS[name]], axis=1)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("names", "algebra"),
    [
        (("rotation", "translation-x"), "se(2)"),
        (("translation-x", "rotation"), "se(2)"),
        (("translation-y", "rotation"), "se(2)"),
        (("shear-x", "shear-y"), "sl(2)"),
    ],
)
def test_factors_and_their_order_are_found(names: tuple[str, ...], algebra: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = rng.uniform(-0.5, 0.5, (120, len(names)))
    v = products(names, t)
    found = find_factors(v, span(algebra), affine(), (28, 28))
    assert found is not None
    assert found.names == names
    assert found.ordered
    np.testing.assert_allclose(found.coefficients, [FIELDS[n] for n in names], atol=1e-12)
    np.testing.assert_allclose(found.t, t, atol=1e-6)
    assert found.misfit_px < 1e-4 < found.runner_up_px


def test_an_order_that_does_not_matter_is_said_so() -> None:
    # A shift commutes with a scaling up to its own size, and a scaling with a rotation altogether.
    t = np.random.default_rng(0).uniform(-0.5, 0.5, (120, 3))
    found = find_factors(products(("rotation", "scale", "translation-x"), t), span("sim(2)"), affine(), (28, 28))
    assert found is not None
    assert set(found.names) == {"rotation", "scale", "translation-x"}
    assert not found.ordered
    assert found.runner_up_px > 100 * found.misfit_px


@pytest.mark.parametrize("seed", range(2))
def test_noise_in_the_logarithms_is_the_misfit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = rng.uniform(-0.6, 0.6, (200, 2))
    noisy = products(("rotation", "translation-x"), t) + rng.normal(0, 0.002, (200, 6)) * [1, 0, 0, 1, 0, 0]
    found = find_factors(noisy, span("se(2)"), affine(), (28, 28))
    assert found is not None
    assert found.names == ("rotation", "translation-x")
    assert 0.001 < found.misfit_px < 0.05
    assert np.median(np.abs(found.t - t)) < 0.01


def test_products_of_as_many_factors_as_dimensions_say_nothing() -> None:
    # Any order of three such factors describes any rigid motion.
    t = np.random.default_rng(0).uniform(-0.5, 0.5, (100, 3))
    v = products(("rotation", "translation-x", "translation-y"), t)
    assert find_factors(v, span("se(2)"), affine(), (28, 28)) is None


def test_where_it_does_not_apply_there_is_none() -> None:
    v = np.random.default_rng(0).normal(size=(50, 2)) @ np.stack([FIELDS["rotation"], FIELDS["scale"]])
    plane = np.stack([FIELDS["rotation"], FIELDS["scale"]], axis=1)
    assert find_factors(v, plane, affine(), (28, 28)) is None
    assert find_factors(v[:0], span("se(2)"), affine(), (28, 28)) is None
    assert find_factors(np.zeros((9, 12)), np.eye(12)[:, :3], quadratic(), (28, 28)) is None


@pytest.mark.parametrize("names", [("rotation", "translation-x", "translation-y"), ("rotation", "shear-x")])
def test_magnitudes_of_a_given_product(names: tuple[str, ...]) -> None:
    t = np.random.default_rng(1).uniform(-0.6, 0.6, (60, len(names)))
    fields = np.stack([FIELDS[n] for n in names])
    np.testing.assert_allclose(product_magnitudes(fields, products(names, t), affine()), t, atol=1e-6)
    one_sum = product_magnitudes(fields, t @ fields, affine())
    assert np.abs(one_sum - t).max() > 0.01  # an exponential of the sum is another transform
