"""Laws that the flows of every basis obey, in both precisions. A mutant that breaks each law shows that it can fail."""

import pytest
import torch

from liescope.geometry import Basis, Grid, affine, conformal, field_basis, flow, polynomial, quadratic

SWIRL = {"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))}
BASES = [
    polynomial(0),
    affine(),
    quadratic(),
    conformal(),
    polynomial(3),
    field_basis(SWIRL),
    affine() + field_basis(SWIRL),
]
TOLERANCE = {torch.float32: 2e-4, torch.float64: 1e-6}
basis_law = pytest.mark.parametrize("basis", BASES, ids=lambda b: b.name)
precision_law = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


def vector(basis: Basis, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.2 * torch.randn(basis.dimension, dtype=dtype, generator=generator)


def moved(basis: Basis, v: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    return flow(basis, v, points, steps=48)


@basis_law
@precision_law
def test_no_time_no_motion(basis: Basis, dtype: torch.dtype) -> None:
    points = Grid.of(7, 5).points(dtype=dtype)
    torch.testing.assert_close(moved(basis, 0 * vector(basis, dtype), points), points)


@basis_law
@precision_law
def test_times_add_up(basis: Basis, dtype: torch.dtype) -> None:
    points = Grid.of(7, 5).points(dtype=dtype)
    v = vector(basis, dtype)
    twice = moved(basis, 0.3 * v, moved(basis, 0.6 * v, points))
    torch.testing.assert_close(twice, moved(basis, 0.9 * v, points), atol=TOLERANCE[dtype], rtol=0)


@basis_law
@precision_law
def test_backwards_undoes(basis: Basis, dtype: torch.dtype) -> None:
    points = Grid.of(7, 5).points(dtype=dtype)
    v = vector(basis, dtype, seed=1)
    torch.testing.assert_close(moved(basis, -v, moved(basis, v, points)), points, atol=TOLERANCE[dtype], rtol=0)


@basis_law
def test_derivative_at_zero_is_the_field(basis: Basis) -> None:
    points = Grid.of(7, 5).points(dtype=torch.float64)
    v = vector(basis, torch.float64)
    step = 1e-6
    slope = (moved(basis, step * v, points) - moved(basis, -step * v, points)) / (2 * step)
    torch.testing.assert_close(slope, basis.velocity(points, v), atol=1e-8, rtol=1e-6)


@basis_law
@pytest.mark.parametrize("time", [0.0, 1.0])
def test_flow_is_differentiable_in_coefficients_and_points(basis: Basis, time: float) -> None:
    points = (Grid.of(3, 2).points(dtype=torch.float64)).requires_grad_()
    v = (time * vector(basis, torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, p: flow(basis, a, p, steps=3), (v, points))


@basis_law
def test_taylor_polynomial_of_order_k_errs_with_order_k_plus_one(basis: Basis) -> None:
    points = Grid.of(5, 5).points(dtype=torch.float64)
    v = vector(basis, torch.float64)
    errors = []
    for t in (0.2, 0.1):
        first = points + t * basis.velocity(points, v)
        errors.append(float((moved(basis, t * v, points) - first).abs().max()))
    if errors[0] < 1e-12:
        assert basis.name == "translations"  # the only one whose flow is linear in t
        return
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.25)


@pytest.mark.parametrize("scale", [1.01, 0.99])
def test_the_laws_can_fail(scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = flow

    def wrong(*args: object, **settings: object) -> torch.Tensor:
        return exact(*args, **settings) * scale  # type: ignore[arg-type]

    monkeypatch.setitem(globals(), "flow", wrong)
    for law in (test_no_time_no_motion, test_times_add_up, test_backwards_undoes):
        with pytest.raises(AssertionError):
            law(affine(), torch.float64)
    with pytest.raises(AssertionError):
        test_derivative_at_zero_is_the_field(affine())
