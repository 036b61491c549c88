"""The coordinate convention, against the formulas as they are written in the conventions."""

import numpy as np
import pytest
import torch

from liescope.geometry import Grid


@pytest.mark.parametrize("shape", [(28, 28), (5, 9), (9, 5), (64, 48), (7, 7)])
def test_points_follow_the_convention(shape: tuple[int, int]) -> None:
    height, width = shape
    points = Grid.of(*shape).points(dtype=torch.float64).numpy().reshape(height, width, 2)
    s = max(shape) / 2
    for i in range(height):
        for j in range(width):
            expected = ((j - (width - 1) / 2) / s, ((height - 1) / 2 - i) / s)
            np.testing.assert_allclose(points[i, j], expected, atol=1e-12)


def test_longest_side_spans_minus_one_to_one_at_pixel_edges() -> None:
    grid = Grid.of(10, 20)
    points = grid.points(dtype=torch.float64)
    assert points[:, 0].max() + grid.pitch[0] / 2 == pytest.approx(1.0)
    assert points[:, 1].max() + grid.pitch[1] / 2 == pytest.approx(0.5)


def test_pixels_and_points_are_inverse() -> None:
    grid = Grid.of(11, 17)
    pixels = torch.tensor([[0.0, 0.0], [16.0, 10.0], [3.25, 7.5]], dtype=torch.float64)
    torch.testing.assert_close(grid.to_pixels(grid.from_pixels(pixels)), pixels)
    torch.testing.assert_close(
        grid.to_pixels(torch.zeros(1, 2, dtype=torch.float64))[0],
        torch.tensor([8.0, 5.0], dtype=torch.float64),
    )


@pytest.mark.parametrize("shape", [(28, 28), (30, 50), (69, 41)])
def test_resampled_grid_covers_the_same_domain(shape: tuple[int, int]) -> None:
    full = Grid.of(*shape)
    small = full.resampled(14)
    assert max(small.shape) == 14
    assert (small.half_height, small.half_width) == (full.half_height, full.half_width)
    edge = small.points(dtype=torch.float64).amax(dim=0) + torch.tensor(small.pitch, dtype=torch.float64) / 2
    torch.testing.assert_close(edge, torch.tensor([full.half_width, full.half_height], dtype=torch.float64))
