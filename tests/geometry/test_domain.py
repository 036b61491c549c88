"""Domains: points, weights, what lies inside; grids of any dimension against the formulas of the conventions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from liescope.errors import InputError
from liescope.geometry import Box, Cloud, Domain, Grid, as_domain
from liescope.geometry.domain import axis_names, lattice

PLACES = np.random.default_rng(0).normal(size=(40, 3))
DOMAINS: list[Domain] = [
    Grid.of(9),
    Grid.of(5, 8),
    Grid.of(4, 5, 6),
    Grid.of(2, 3, 2, 3, 2),
    Box((-1.0,), (2.0,)),
    Box((-1.0, 0.0), (2.0, 0.5), count=3),
    Box((0.0, 0.0, 0.0), (1.0, 2.0, 3.0), count=4),
    Cloud(PLACES),
    Cloud(PLACES, np.arange(40.0)),
]


def domain_id(domain: Domain) -> str:
    return f"{type(domain).__name__}-{domain.ndim}"


@pytest.mark.parametrize("domain", DOMAINS, ids=domain_id)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_points_lie_inside_and_weights_sum_to_one(domain: Domain, dtype: torch.dtype) -> None:
    points, weights = domain.points(dtype=dtype), domain.weights(dtype=dtype)
    assert points.dtype == weights.dtype == dtype
    assert points.shape == (len(weights), domain.ndim)
    assert float(weights.sum()) == pytest.approx(1, abs=1e-6)
    assert bool((weights >= 0).all())
    if dtype == torch.float64:
        assert bool(domain.contains(points).all())
    assert not bool(domain.contains(points + 100).any())
    assert domain.axes == axis_names(domain.ndim)


def test_names_of_coordinates() -> None:
    assert [axis_names(d) for d in (1, 2, 3)] == [("x",), ("x", "y"), ("x", "y", "z")]
    assert axis_names(5) == ("x1", "x2", "x3", "x4", "x5")


@pytest.mark.parametrize("shape", [(7,), (28, 28), (5, 9), (4, 6, 9), (9, 3, 5), (2, 3, 4, 5)])
def test_grids_follow_the_convention(shape: tuple[int, ...]) -> None:
    points = Grid.of(*shape).points(dtype=torch.float64).numpy().reshape(*shape, len(shape))
    s = max(shape) / 2
    for index in np.ndindex(*shape):
        # The last axis of the array is x, and only y, the rows, falls with the index.
        expected = [(i - (n - 1) / 2) / s for i, n in zip(index, shape, strict=True)][::-1]
        if len(shape) > 1:
            expected[1] = -expected[1]
        np.testing.assert_allclose(points[index], expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(7,), (5, 9), (4, 6, 9), (2, 3, 4, 5)])
def test_indices_and_points_are_inverse(shape: tuple[int, ...]) -> None:
    grid = Grid.of(*shape)
    random = torch.Generator().manual_seed(0)
    points = 3 * torch.randn(20, len(shape), generator=random, dtype=torch.float64)
    torch.testing.assert_close(grid.from_index(grid.to_index(points)), points)
    torch.testing.assert_close(grid.from_pixels(grid.to_pixels(points)), points)
    torch.testing.assert_close(grid.to_pixels(points), grid.to_index(points).flip(-1))
    everything = torch.from_numpy(np.stack(list(np.ndindex(*shape)))).double()
    torch.testing.assert_close(grid.to_index(grid.points(dtype=torch.float64)), everything)


@pytest.mark.parametrize("shape", [(30,), (30, 50), (20, 10, 40)])
def test_resampled_grids_cover_the_same_domain(shape: tuple[int, ...]) -> None:
    full = Grid.of(*shape)
    small = full.resampled(10)
    assert max(small.shape) == 10
    assert small.half == full.half == tuple(n / max(shape) for n in reversed(shape))
    edge = small.points(dtype=torch.float64).amax(dim=0) + torch.tensor(small.spacing, dtype=torch.float64) / 2
    torch.testing.assert_close(edge, torch.tensor(full.half, dtype=torch.float64))


def test_a_unit_of_length_is_counted_in_samples() -> None:
    for shape in ((30,), (20, 30), (30, 10, 20)):
        grid = Grid.of(*shape)
        assert grid.unit == 15
        assert grid.spacing == pytest.approx((1 / 15,) * len(shape))
    assert Grid.of(20, 30).unit == Grid.of(20, 30).pixels_per_unit
    assert Cloud(PLACES, unit=2.5).unit == 2.5


def test_what_is_said_of_pictures_is_refused_elsewhere() -> None:
    with pytest.raises(InputError, match=r"grid of a picture.*3 axes"):
        _ = Grid.of(3, 4, 5).width


@pytest.mark.parametrize("count", [1, 2, 4])
def test_boxes_integrate_polynomials_exactly(count: int) -> None:
    box = Box((-1.0, 0.0, 2.0), (0.5, 3.0, 2.5), count=count)
    points, weights = box.points(dtype=torch.float64), box.weights(dtype=torch.float64)
    power = 2 * count - 1
    for axis, (a, b) in enumerate(zip(box.lower, box.upper, strict=True)):
        mean = (b ** (power + 1) - a ** (power + 1)) / ((power + 1) * (b - a))
        assert float(weights @ points[:, axis] ** power) == pytest.approx(mean, rel=1e-12)
    assert len(points) == count**3


def test_clouds_weigh_their_points_as_told() -> None:
    cloud = Cloud(PLACES, np.arange(40.0))
    np.testing.assert_allclose(cloud.weights(dtype=torch.float64).numpy(), np.arange(40) / (39 * 20))
    np.testing.assert_array_equal(cloud.points(dtype=torch.float64).numpy(), PLACES)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_lattices_reach_both_ends(ndim: int) -> None:
    points = lattice(ndim, 3, 0.5)
    assert points.shape == (3**ndim, ndim)
    assert (float(points.amin()), float(points.amax())) == (-0.5, 0.5)
    assert len({tuple(row) for row in points.tolist()}) == 3**ndim


def test_a_shape_stands_for_its_grid() -> None:
    assert as_domain((5, 7)) == Grid.of(5, 7)
    assert as_domain([4, 5, 6]) == Grid.of(4, 5, 6)
    cloud = Cloud(PLACES)
    assert as_domain(cloud) is cloud


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: as_domain((2.5, 3)), "domain or the shape"),
        (lambda: as_domain("plane"), "domain or the shape"),
        (lambda: as_domain(28), "domain or the shape"),
        (lambda: as_domain(()), "at least one axis"),
        (lambda: Grid.of(3, 0), "one sample along each"),
        (lambda: Box((0.0, 1.0), (1.0, 1.0)), "lower corners below"),
        (lambda: Box((0.0,), (1.0, 1.0)), "lower corners below"),
        (lambda: Box((0.0,), (1.0,), count=0), "at least 1 point"),
        (lambda: Cloud(np.zeros(4)), r"shape \(n, d\)"),
        (lambda: Cloud(np.full((4, 2), np.nan)), "finite points"),
        (lambda: Cloud(np.zeros((4, 2)), [1.0, -1, 1, 1]), "4 weights"),
        (lambda: Cloud(np.zeros((4, 2)), np.zeros(4)), "4 weights"),
    ],
)
def test_what_is_no_domain_is_refused(make: Callable[[], Domain], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
