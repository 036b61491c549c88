"""Laws that the flows of every basis obey, in any number of coordinates and both precisions.

A mutant that breaks each law shows that it can fail.
"""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from liescope.geometry import Basis, Grid, affine, conformal, field_basis, flow, polynomial, quadratic
from liescope.geometry.flow import is_affine

SWIRL = {"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))}
OWN = {
    1: field_basis({"wave": lambda x: (2 * x).sin()}, ndim=1),
    2: field_basis(SWIRL),
    3: field_basis(
        {
            "swirl": lambda x, y, z: (-y * (x**2 + y**2), x * (x**2 + y**2), 0 * z),
            "lift": lambda x, y, z: (0 * x, z.sin(), 1.0),
        },
        ndim=3,
    ),
    5: field_basis({"knot": lambda a, b, c, d, e: (-b * e, a * e, d.sin(), -(c**2), 0.3)}, ndim=5),
}


def bases_of(ndim: int) -> list[Basis]:
    found: list[Basis] = [polynomial(0, ndim), affine(ndim), quadratic(ndim), OWN[ndim], affine(ndim) + OWN[ndim]]
    if ndim <= 3:
        found += [conformal(ndim), polynomial(3, ndim)]
    return found


BASES = [basis for ndim in (2, 1, 3, 5) for basis in bases_of(ndim)]
SHAPES = {1: (9,), 2: (7, 5), 3: (3, 4, 3), 5: (2, 1, 2, 2, 1)}
TOLERANCE = {torch.float32: 2e-4, torch.float64: 1e-6}
basis_law = pytest.mark.parametrize("basis", BASES, ids=lambda b: f"{b.name}-{b.ndim}")
precision_law = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def vector(basis: Basis, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    # Many fields together would be a field that throws points far out, where they are held.
    share = 1.0 if basis.ndim == 2 else min(1.0, (12 / basis.dimension) ** 0.5)
    return 0.2 * share * torch.randn(basis.dimension, dtype=dtype, generator=generator)


def places(basis: Basis, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return Grid.of(*SHAPES[basis.ndim]).points(dtype=dtype)


def moved(basis: Basis, v: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    return flow(basis, v, points, steps=48)


@basis_law
@precision_law
def test_no_time_no_motion(basis: Basis, dtype: torch.dtype) -> None:
    points = places(basis, dtype)
    torch.testing.assert_close(moved(basis, 0 * vector(basis, dtype), points), points)


@basis_law
@precision_law
def test_times_add_up(basis: Basis, dtype: torch.dtype) -> None:
    points = places(basis, dtype)
    v = vector(basis, dtype)
    twice = moved(basis, 0.3 * v, moved(basis, 0.6 * v, points))
    torch.testing.assert_close(twice, moved(basis, 0.9 * v, points), atol=TOLERANCE[dtype], rtol=0)


@basis_law
@precision_law
def test_backwards_undoes(basis: Basis, dtype: torch.dtype) -> None:
    points = places(basis, dtype)
    v = vector(basis, dtype, seed=1)
    torch.testing.assert_close(moved(basis, -v, moved(basis, v, points)), points, atol=TOLERANCE[dtype], rtol=0)


@basis_law
def test_derivative_at_zero_is_the_field(basis: Basis) -> None:
    points = places(basis)
    v = vector(basis, torch.float64)
    step = 1e-6
    slope = (moved(basis, step * v, points) - moved(basis, -step * v, points)) / (2 * step)
    torch.testing.assert_close(slope, basis.velocity(points, v), atol=1e-8, rtol=1e-6)


@basis_law
@precision_law
def test_velocity_is_the_sum_of_fields(basis: Basis, dtype: torch.dtype) -> None:
    points = places(basis, dtype)
    v = torch.stack((vector(basis, dtype), vector(basis, dtype, seed=1)))
    expected = (basis.fields(points)[None] * v[:, None, :, None]).sum(-2)
    torch.testing.assert_close(basis.velocity(points, v), expected)


@basis_law
def test_jacobians_are_slopes_of_the_fields(basis: Basis) -> None:
    points = places(basis)
    jacobians = basis.jacobians(points)
    step = 1e-6
    for j, shift in enumerate(step * torch.eye(basis.ndim, dtype=torch.float64)):
        slope = (basis.fields(points + shift) - basis.fields(points - shift)) / (2 * step)
        torch.testing.assert_close(jacobians[..., j], slope, atol=1e-8, rtol=1e-7)


@basis_law
@pytest.mark.parametrize("time", [0.0, 1.0])
def test_flow_is_differentiable_in_coefficients_and_points(basis: Basis, time: float) -> None:
    points = (Grid.of(3, 2).points(dtype=torch.float64) if basis.ndim == 2 else places(basis)[:2]).requires_grad_()
    v = (time * vector(basis, torch.float64)).requires_grad_()
    # In many coordinates along random directions only: every one of a hundred coefficients would take half a minute.
    assert torch.autograd.gradcheck(
        lambda a, p: flow(basis, a, p, steps=3), (v, points), fast_mode=basis.ndim > 3 or basis.dimension > 30
    )


@basis_law
def test_taylor_polynomial_of_order_k_errs_with_order_k_plus_one(basis: Basis) -> None:
    points = Grid.of(5, 5).points(dtype=torch.float64) if basis.ndim == 2 else places(basis)
    v = vector(basis, torch.float64)
    errors = []
    for t in (0.2, 0.1):
        first = points + t * basis.velocity(points, v)
        errors.append(float((moved(basis, t * v, points) - first).abs().max()))
    if errors[0] < 1e-12:
        assert basis.name == "translations"  # the only one whose flow is linear in t
        return
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.25)


@pytest.mark.parametrize("basis", [b for b in BASES if not is_affine(b)], ids=lambda b: f"{b.name}-{b.ndim}")
def test_runge_kutta_has_order_four_against_scipy(basis: Basis) -> None:
    points = places(basis) / 2
    v = 2 * vector(basis, torch.float64, seed=2)

    def velocity(_: float, p: np.ndarray) -> np.ndarray:
        return basis.velocity(torch.from_numpy(p).reshape(points.shape), v).numpy().ravel()

    exact = solve_ivp(velocity, (0, 1), points.numpy().ravel(), method="DOP853", rtol=1e-13, atol=1e-13).y[:, -1]
    errors = [np.abs(flow(basis, v, points, steps=n).numpy().ravel() - exact).max() for n in (4, 8, 16)]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert slopes.min() > 3.5
    assert slopes.max() < 5.5


@pytest.mark.parametrize("ndim", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
@precision_law
def test_affine_flows_are_scipys_exponentials(ndim: int, seed: int, dtype: torch.dtype) -> None:
    parts = np.random.default_rng(seed).normal(size=(ndim, ndim + 1))
    matrix = np.zeros((ndim + 1, ndim + 1))
    matrix[:ndim, :ndim], matrix[:ndim, ndim] = parts[:, 1:], parts[:, 0]
    points = Grid.of(*SHAPES[ndim]).points(dtype=torch.float64).numpy()
    expected = np.c_[points, np.ones(len(points))] @ expm(matrix).T[:, :ndim]
    found = flow(affine(ndim), torch.tensor(parts.ravel(), dtype=dtype), torch.tensor(points, dtype=dtype))
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol={torch.float32: 2e-4, torch.float64: 1e-12}[dtype])


@pytest.mark.parametrize("scale", [1.01, 0.99])
@pytest.mark.parametrize("ndim", [1, 2, 3, 5])
def test_the_laws_can_fail(scale: float, ndim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = flow

    def wrong(*args: object, **settings: object) -> torch.Tensor:
        return exact(*args, **settings) * scale  # type: ignore[arg-type]

    monkeypatch.setitem(globals(), "flow", wrong)
    for law in (test_no_time_no_motion, test_times_add_up, test_backwards_undoes):
        with pytest.raises(AssertionError):
            law(affine(ndim), torch.float64)
    with pytest.raises(AssertionError):
        test_derivative_at_zero_is_the_field(affine(ndim))
    with pytest.raises(AssertionError):
        test_affine_flows_are_scipys_exponentials(ndim, 0, torch.float64)
    with pytest.raises(AssertionError):
        test_runge_kutta_has_order_four_against_scipy(quadratic(ndim))
