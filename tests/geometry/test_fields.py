"""Bases: terms, values, composition, errors."""

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch

from liescope.errors import InputError
from liescope.geometry import Basis, affine, conformal, field_basis, get_basis, polynomial, quadratic

SWIRL = {"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))}
POINTS = torch.tensor([[0.3, -0.7], [-1.0, 0.2], [0.0, 0.0]], dtype=torch.float64)


def test_affine_terms_are_the_contract() -> None:
    assert affine().terms == ("d/dx", "x d/dx", "y d/dx", "d/dy", "x d/dy", "y d/dy")


def test_quadratic_terms_in_order() -> None:
    half = ("", "x ", "y ", "x^2 ", "xy ", "y^2 ")
    assert quadratic().terms == (*(h + "d/dx" for h in half), *(h + "d/dy" for h in half))


@pytest.mark.parametrize(("degree", "dimension"), [(0, 2), (1, 6), (2, 12), (3, 20), (4, 30)])
def test_polynomial_values_against_the_term_names(degree: int, dimension: int) -> None:
    basis = polynomial(degree)
    assert basis.dimension == dimension
    values = basis.fields(POINTS).numpy()
    for k, term in enumerate(basis.terms):
        monomial, _, direction = term.rpartition("d/d")
        # "x^2y" -> x**2*y: the name read as an expression is the oracle.
        factors = re.findall(r"([xy])(?:\^(\d))?", monomial)
        for p, (x, y) in enumerate(POINTS.tolist()):
            expected = math.prod({"x": x, "y": y}[name] ** int(power or 1) for name, power in factors)
            assert values[p, k, "xy".index(direction)] == pytest.approx(expected)
            assert values[p, k, 1 - "xy".index(direction)] == 0


def test_conformal_fields_obey_the_cauchy_riemann_equations() -> None:
    jacobians = conformal().jacobians(POINTS)
    torch.testing.assert_close(jacobians[..., 0, 0], jacobians[..., 1, 1])
    torch.testing.assert_close(jacobians[..., 0, 1], -jacobians[..., 1, 0])


@pytest.mark.parametrize(("degree", "ndim", "dimension"), [(1, 1, 2), (3, 1, 4), (1, 3, 12), (2, 3, 30), (2, 5, 105)])
def test_polynomials_in_other_dimensions_against_the_term_names(degree: int, ndim: int, dimension: int) -> None:
    basis = polynomial(degree, ndim)
    assert (basis.dimension, basis.ndim, len(basis.table[0, 0])) == (dimension, ndim, dimension // ndim)
    point = np.random.default_rng(0).normal(size=ndim)
    values = basis.fields(torch.from_numpy(point)[None])[0].numpy()
    names = {1: ["x"], 3: ["x", "y", "z"], 5: ["x1", "x2", "x3", "x4", "x5"]}[ndim]
    for k, term in enumerate(basis.terms):
        monomial, _, direction = term.rpartition("d/d")
        factors = re.findall(r"([xyz]\d*)(?:\^(\d))?", monomial)
        expected = math.prod(point[names.index(name)] ** int(power or 1) for name, power in factors)
        assert values[k, names.index(direction)] == pytest.approx(expected)
        assert np.count_nonzero(values[k]) == 1


def test_terms_of_space_in_order() -> None:
    half = ("", "x ", "y ", "z ", "x^2 ", "xy ", "xz ", "y^2 ", "yz ", "z^2 ")
    assert quadratic(3).terms == tuple(h + f"d/d{axis}" for axis in "xyz" for h in half)
    assert "x1x5 d/dx3" in quadratic(5).terms


@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
def test_conformal_fields_stretch_all_directions_alike(ndim: int) -> None:
    basis = conformal(ndim)
    assert basis.dimension == (ndim + 1) * (ndim + 2) // 2
    points = torch.from_numpy(np.random.default_rng(1).normal(size=(20, ndim)))
    # The symmetric part of the derivative is a multiple of the identity: conformal Killing's equation.
    strain = basis.jacobians(points)
    strain = strain + strain.mT
    growth = strain.diagonal(dim1=-2, dim2=-1).mean(-1)
    torch.testing.assert_close(strain, growth[..., None, None] * torch.eye(ndim, dtype=torch.float64))
    flat = basis.fields(points).permute(0, 2, 1).reshape(-1, basis.dimension)
    assert torch.linalg.matrix_rank(flat) == basis.dimension


def test_the_line_and_the_plane_do_not_add() -> None:
    with pytest.raises(InputError, match="same number of coordinates"):
        affine(1) + quadratic(2)
    with pytest.raises(InputError, match="same number of coordinates"):
        affine(3) + field_basis(SWIRL)
    with pytest.raises(InputError, match="expected 3 components of 'flat'"):
        field_basis({"flat": lambda x, y, z: (y, x)}, ndim=3).fields(torch.zeros(2, 3))
    with pytest.raises(InputError, match="at least 1 coordinate"):
        affine(0)


def test_a_field_on_the_line_may_be_one_number() -> None:
    basis = field_basis({"bare": lambda x: x**2, "tuple": lambda x: (1.0,)}, ndim=1)
    assert basis.fields(torch.tensor([[3.0]])).tolist() == [[[9.0], [1.0]]]


BASES = [affine(), quadratic(), conformal(), polynomial(3), affine() + field_basis(SWIRL)]


@pytest.mark.parametrize("basis", BASES, ids=lambda b: b.name)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_velocity_is_the_sum_of_fields(basis: Basis, dtype: torch.dtype) -> None:
    points = POINTS.to(dtype)
    coefficients = torch.linspace(-1, 1, 2 * basis.dimension, dtype=dtype).reshape(2, -1)
    expected = (basis.fields(points)[None] * coefficients[:, None, :, None]).sum(-2)
    torch.testing.assert_close(basis.velocity(points, coefficients), expected)


@pytest.mark.parametrize("basis", BASES, ids=lambda b: b.name)
def test_jacobians_against_central_differences(basis: Basis) -> None:
    step = 1e-6
    jacobians = basis.jacobians(POINTS)
    for j in range(2):
        shift = torch.zeros(2, dtype=torch.float64)
        shift[j] = step
        slope = (basis.fields(POINTS + shift) - basis.fields(POINTS - shift)) / (2 * step)
        torch.testing.assert_close(jacobians[..., j], slope, atol=1e-8, rtol=1e-7)


def test_sum_of_polynomial_bases_stays_polynomial_and_keeps_terms() -> None:
    total = conformal() + polynomial(3)
    assert total.terms == conformal().terms + polynomial(3).terms
    np.testing.assert_allclose(
        total.fields(POINTS), torch.cat((conformal().fields(POINTS), polynomial(3).fields(POINTS)), dim=1)
    )


def test_user_field_may_return_constants() -> None:
    basis = field_basis({"wind": lambda x, y: (1.0, 0 * y)})
    assert basis.fields(POINTS)[:, 0].tolist() == [[1.0, 0.0]] * 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: get_basis("afine"), "Did you mean 'affine'"),
        (lambda: get_basis("polynomial-x"), "unknown basis"),
        (lambda: polynomial(-1), "at least 0"),
        (lambda: affine() + affine(), "more than once"),
        (lambda: field_basis({}), "at least one vector field"),
    ],
)
def test_bad_bases_are_refused(make: Callable[[], Basis], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_basis_by_name() -> None:
    for name in ("translations", "affine", "quadratic", "conformal", "polynomial-4"):
        assert get_basis(name).name == name
        assert get_basis(name, 3).name == name
        assert get_basis(name, 3).ndim == 3
