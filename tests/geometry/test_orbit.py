"""Orbits: integrated once, shared by every magnitude; against closed forms, SciPy's integrator and differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from liescope.errors import InputError
from liescope.geometry import Basis, Grid, Orbit, affine, field_basis, quadratic

ROTATION = [0, 0, -(0.5**0.5), 0, 0.5**0.5, 0]
SCT = torch.tensor([0, 0, 0, 1, 0, -1, 0, 0, 0, 0, 2, 0], dtype=torch.float64)


def integrated(basis: Basis, direction: Tensor, point: np.ndarray, t: float) -> np.ndarray:
    """Where SciPy's Runge-Kutta method of order 8 takes a point."""

    def velocity(_: float, p: np.ndarray) -> np.ndarray:
        return basis.velocity(torch.from_numpy(p)[None], direction)[0].numpy()

    end: np.ndarray = solve_ivp(velocity, (0, t), point, method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    return end


@pytest.mark.parametrize("seed", range(3))
def test_places_are_those_of_an_independent_integrator(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    basis = quadratic()
    direction = torch.nn.functional.normalize(torch.randn(12, generator=random, dtype=torch.float64), dim=0)
    points = torch.rand(4, 2, generator=random, dtype=torch.float64) - 0.5
    t = torch.tensor([-0.5, -0.11, 0.0, 0.3, 0.5], dtype=torch.float64)
    found = Orbit(basis, direction, points, 0.5, knots=65, tolerance=1e-7).at(t)
    expected = np.array([[integrated(basis, direction, p, float(s)) for p in points.numpy()] for s in t])
    assert np.abs(found.numpy() - expected).max() < 1e-4
    assert np.abs(points.numpy() - expected[0]).max() > 0.05


def test_a_full_turn_returns_and_a_quarter_turn_is_one() -> None:
    points = Grid.of(7, 5).points(dtype=torch.float64)
    turn = 2**1.5 * np.pi
    orbit = Orbit(affine(), torch.tensor(ROTATION, dtype=torch.float64), points, 1.1 * turn, knots=257)
    t = torch.tensor([turn, turn / 4, -turn / 4, 0.0], dtype=torch.float64)
    x, y = points.unbind(1)
    whole, quarter, back, none = orbit.at(t)
    torch.testing.assert_close(whole, points, rtol=0, atol=1e-6)
    torch.testing.assert_close(quarter, torch.stack((-y, x), dim=1), rtol=0, atol=1e-6)
    torch.testing.assert_close(back, torch.stack((y, -x), dim=1), rtol=0, atol=1e-6)
    torch.testing.assert_close(none, points, rtol=0, atol=1e-6)


def test_the_interpolant_is_of_fourth_order_in_the_spacing(sct_flow) -> None:
    points = Grid.of(6, 6).points(dtype=torch.float64) / 2
    t = torch.linspace(-0.49, 0.49, 101, dtype=torch.float64)
    expected = torch.stack([sct_flow(points, float(s)) for s in t])
    errors = []
    for knots in (5, 9, 17):
        found = Orbit(quadratic(), SCT, points, 0.5, knots, tolerance=1e-9).at(t)
        errors.append(float((found - expected).abs().max()))
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(slopes > 3.5)
    assert errors[-1] < 1e-4


def test_magnitudes_beyond_the_reach_are_held_at_it(sct_flow) -> None:
    points = Grid.of(6, 6).points() / 2
    orbit = Orbit(quadratic(), SCT.float(), points, 0.3, knots=33)
    inside = orbit.at(torch.tensor([0.3, -0.3]))
    torch.testing.assert_close(orbit.at(torch.tensor([9.0, -9.0])), inside, rtol=0, atol=1e-5)
    torch.testing.assert_close(inside[0], sct_flow(points, 0.3), rtol=0, atol=1e-3)
    torch.testing.assert_close(inside[1], sct_flow(points, -0.3), rtol=0, atol=1e-3)


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.21, -0.3], [0.39, -0.39]])
def test_derivatives_in_magnitude_direction_and_points(values: list[float]) -> None:
    random = torch.Generator().manual_seed(1)
    swirl = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x), "drift": lambda x, y: (1 + y**2, x * y)})
    points = (torch.rand(3, 2, generator=random, dtype=torch.float64) - 0.5).requires_grad_()
    direction = torch.tensor([0.8, 0.6], dtype=torch.float64, requires_grad=True)
    t = torch.tensor(values, dtype=torch.float64, requires_grad=True)

    def reached(t: Tensor, direction: Tensor, points: Tensor) -> Tensor:
        return Orbit(swirl, direction, points, 0.4, knots=17).at(t)

    assert torch.autograd.gradcheck(reached, (t, direction, points))


def test_the_derivative_in_t_is_the_field() -> None:
    points = Grid.of(5, 5).points(dtype=torch.float64) / 2
    t = torch.tensor([0.0, 0.17], dtype=torch.float64, requires_grad=True)
    reached = Orbit(quadratic(), SCT, points, 0.4, knots=65, tolerance=1e-8).at(t)
    weights = torch.randn(reached.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    slope = torch.autograd.grad((reached * weights).sum(), t)[0]
    velocity = quadratic().velocity(reached.detach(), SCT)
    torch.testing.assert_close(slope, (velocity * weights).sum(dim=(1, 2)), rtol=1e-3, atol=1e-4)


def test_without_reach_points_stay_where_they_are() -> None:
    points = Grid.of(4, 5).points(dtype=torch.float64).requires_grad_()
    direction = SCT.clone().requires_grad_()
    t = torch.tensor([0.0, 0.3, -9.0, float("inf")], dtype=torch.float64, requires_grad=True)
    reached = Orbit(quadratic(), direction, points, 0.0).at(t)
    torch.testing.assert_close(reached, points.expand(4, -1, -1), rtol=0, atol=0)
    slopes = torch.autograd.grad(reached.sum(), (t, points), allow_unused=True)
    assert slopes[0].tolist() == [0.0] * 4
    torch.testing.assert_close(slopes[1], torch.full_like(points, 4.0))


@pytest.mark.parametrize(("reach", "knots"), [(-0.1, 9), (float("nan"), 9), (0.3, 1)])
def test_orbits_that_cannot_be_are_refused(reach: float, knots: int) -> None:
    with pytest.raises(InputError, match="reach of at least 0 and 3 knots"):
        Orbit(quadratic(), SCT, Grid.of(3, 3).points(dtype=torch.float64), reach, knots)


@pytest.mark.parametrize("ndim", [1, 3])
@pytest.mark.parametrize("seed", range(2))
def test_orbits_off_the_plane_are_those_of_an_independent_integrator(ndim: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    basis = quadratic(ndim)
    direction = torch.randn(basis.dimension, generator=random, dtype=torch.float64)
    direction /= direction.norm()
    points = Grid.of(*(3, 2, 3)[:ndim]).points(dtype=torch.float64) / 2
    t = torch.tensor([0.37, -0.4, 0.0], dtype=torch.float64)
    found = Orbit(basis, direction, points, 0.4, knots=65, tolerance=1e-8).at(t)
    assert found.shape == (3, *points.shape)
    for k, time in enumerate(t[:2].tolist()):
        for point, place in zip(points.numpy(), found[k].numpy(), strict=True):
            np.testing.assert_allclose(place, integrated(basis, direction, point, time), atol=1e-6)
    torch.testing.assert_close(found[2], points, rtol=0, atol=1e-9)
