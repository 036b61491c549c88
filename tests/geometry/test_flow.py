"""Flows against scipy's solver, dense matrix exponentials and the exact special conformal map."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from liescope.geometry import Basis, Grid, affine, field_basis, flow, flow_error, polynomial, quadratic
from liescope.geometry.flow import runge_kutta_steps

POINTS = Grid.of(9, 9).points(dtype=torch.float64)
SCT_X = torch.tensor([0, 0, 0, 1, 0, -1, 0, 0, 0, 0, 2, 0], dtype=torch.float64)
SCT_Y = torch.tensor([0, 0, 0, 0, 2, 0, 0, 0, 0, -1, 0, 1], dtype=torch.float64)


def test_affine_flow_against_scipy_expm() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        a = rng.normal(size=6)
        matrix = np.array([[a[1], a[2], a[0]], [a[4], a[5], a[3]], [0, 0, 0]])
        homogeneous = np.c_[POINTS.numpy(), np.ones(len(POINTS))] @ expm(matrix).T
        found = flow(affine(), torch.tensor(a), POINTS)
        np.testing.assert_allclose(found.numpy(), homogeneous[:, :2], atol=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_polynomial_flow_against_scipy_solver(seed: int) -> None:
    basis = polynomial(3)
    a = torch.tensor(np.random.default_rng(seed).normal(size=basis.dimension) * 0.1)

    def velocity(_: float, p: np.ndarray) -> np.ndarray:
        return basis.velocity(torch.tensor(p.reshape(-1, 2)), a).numpy().ravel()

    exact = solve_ivp(velocity, (0, 1), POINTS.numpy().ravel(), rtol=1e-10, atol=1e-12).y[:, -1]
    found = flow(basis, a, POINTS, tolerance=1e-5)
    assert np.abs(found.numpy().ravel() - exact).max() < 1e-4


@pytest.mark.parametrize(("direction", "coefficients"), [("x", SCT_X), ("y", SCT_Y)])
@pytest.mark.parametrize("t", [-0.5, -0.2, 0.3, 0.5])
def test_special_conformal_flow_is_within_the_stated_tolerance(
    sct_flow, direction: str, coefficients: torch.Tensor, t: float
) -> None:
    exact = sct_flow(POINTS, t, direction)
    for tolerance in (1e-3, 1e-4, 1e-5):
        error = (flow(quadratic(), t * coefficients, POINTS, tolerance=tolerance) - exact).abs().max()
        assert error < 2 * tolerance


def test_flow_error_tells_the_true_error(sct_flow) -> None:
    vector = 0.5 * SCT_X
    for steps in (2, 4, 8):
        true = float((flow(quadratic(), vector, POINTS, steps=steps) - sct_flow(POINTS, 0.5)).abs().max())
        assert flow_error(quadratic(), vector, POINTS, steps=steps) == pytest.approx(true, rel=0.5)
    assert flow_error(affine(), torch.ones(6, dtype=torch.float64), POINTS) == 0


def test_runge_kutta_has_order_four(sct_flow) -> None:
    errors = [
        float((flow(quadratic(), 0.4 * SCT_Y, POINTS, steps=n) - sct_flow(POINTS, 0.4, "y")).abs().max())
        for n in (4, 8, 16)
    ]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert orders.min() > 3.5


def test_steps_grow_with_the_field_and_the_accuracy() -> None:
    small = runge_kutta_steps(quadratic(), 0.1 * SCT_X, 1e-4)
    assert runge_kutta_steps(quadratic(), SCT_X, 1e-4) > small
    assert runge_kutta_steps(quadratic(), 0.1 * SCT_X, 1e-8) > small


def test_escaping_points_stay_finite() -> None:
    moved = flow(quadratic(), 5 * SCT_X, POINTS)
    assert torch.isfinite(moved).all()


def test_batches_broadcast() -> None:
    vectors = torch.stack((0.1 * SCT_X, -0.2 * SCT_Y, 0 * SCT_X))
    together = flow(quadratic(), vectors, POINTS, steps=6)
    assert together.shape == (3, len(POINTS), 2)
    for vector, moved in zip(vectors, together, strict=True):
        torch.testing.assert_close(flow(quadratic(), vector, POINTS, steps=6), moved)


@pytest.mark.parametrize("basis", [affine(), quadratic()], ids=lambda b: b.name)
def test_one_vector_serves_batches_of_points(basis: Basis) -> None:
    vector = torch.linspace(-0.2, 0.2, basis.dimension, dtype=torch.float64)
    batch = torch.stack((POINTS, -POINTS, 0.5 * POINTS))
    moved = flow(basis, vector, batch)
    for points, found in zip(batch, moved, strict=True):
        torch.testing.assert_close(flow(basis, vector, points), found)


def test_flow_of_a_user_field_is_rotation_by_the_radius() -> None:
    # r' = 0, theta' = r^2: every point turns by t r^2.
    basis = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))})
    moved = flow(basis, torch.tensor([0.7], dtype=torch.float64), POINTS, tolerance=1e-6)
    z = torch.view_as_complex(POINTS.contiguous())
    expected = torch.view_as_real(z * torch.exp(0.7j * z.abs() ** 2))
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)
