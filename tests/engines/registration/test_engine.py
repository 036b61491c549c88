"""The engine on pairs made with scipy: magnitudes, chunks, large moves, rivals, nearest-neighbour data."""

from typing import Any

import numpy as np
import pytest
import torch

from liescope.data import make_pairs, validate_images
from liescope.engines import pair_set as pair_sets
from liescope.engines.pair_set import GreyScale, PairSet
from liescope.engines.registration import Aligner, Search, magnitudes_along
from liescope.engines.registration.motion import OrbitMotion, SpanMotion
from liescope.engines.registration.orbit_search import orbit_grid, spread
from liescope.geometry import Grid, affine, flow, quadratic

CPU = torch.device("cpu")
ROTATION = torch.tensor([0, 0, -1, 0, 1, 0]) / 2**0.5


DEFAULTS: dict[str, Any] = {"transform": "rotation", "range": 90}


def pair_set(count: int = 200, **settings: Any) -> tuple[PairSet, np.ndarray]:
    pairs = make_pairs(**(DEFAULTS | {"pairs": count} | settings))
    source, target = validate_images(pairs.source, pairs.target)
    assert pairs.magnitude is not None
    return PairSet(source, target, GreyScale.of(target, np.arange(count)), CPU), pairs.magnitude[:, 0]


def along(aligner: Aligner, direction: torch.Tensor) -> Search:
    support = torch.full((aligner.coarse.grid.size,), 1 / aligner.coarse.grid.size)
    times = orbit_grid(aligner.basis, direction, aligner.coarse, support)
    return Search(direction[:, None], times[:, None], float(times.abs().max()) * 1.1)


def test_magnitudes_of_large_rotations_are_found_globally() -> None:
    pairs, truth = pair_set()
    aligner = Aligner(affine(), pairs.grid, CPU)
    t, residual = magnitudes_along(pairs, aligner, along(aligner, ROTATION))
    assert np.abs(t[:, 0] - truth).max() < 0.02 * np.ptp(truth)
    assert residual.max() < 0.05


def test_chunks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, _ = pair_set(60)
    aligner = Aligner(affine(), pairs.grid, CPU)
    whole = magnitudes_along(pairs, aligner, along(aligner, ROTATION))
    monkeypatch.setattr(pair_sets, "CHUNK_PIXELS", 7 * 28 * 28)
    parts = magnitudes_along(pairs, aligner, along(aligner, ROTATION))
    np.testing.assert_allclose(parts[0], whole[0], atol=1e-4)
    np.testing.assert_allclose(parts[1], whole[1], atol=1e-4)


def test_orbit_grid_reaches_half_a_turn_and_no_farther() -> None:
    aligner = Aligner(affine(), Grid.of(28, 28), CPU)
    times = along(aligner, ROTATION).starts[:, 0]
    half_turn = np.pi * 2**0.5
    assert 0.9 * half_turn < float(times.max()) < 1.1 * half_turn
    assert torch.allclose(times, -times.flip(0))


@pytest.mark.parametrize("basis", [affine(), quadratic()], ids=lambda b: b.name)
def test_shared_orbit_is_the_flow(basis: Any) -> None:
    points = Grid.of(11, 9).points()
    direction = torch.zeros(basis.dimension)
    direction[[2, basis.dimension // 2 + 1]] = torch.tensor([-1.0, 1.0]) / 2**0.5
    t = torch.linspace(-3.9, 3.9, 23)[:, None]
    orbit = OrbitMotion(basis, direction, points, reach=4.0).origins(t)
    single = SpanMotion(basis, direction[:, None], points).origins(t)
    exact = flow(affine(), -t * ROTATION, points)
    assert (orbit - exact).abs().max() < 1e-3
    assert (single - exact).abs().max() < 5e-3


def test_nearest_neighbour_magnitudes_are_sharper_than_smooth_ones() -> None:
    pairs, truth = pair_set(200, order=0, transform="scale", range=0.45)
    aligner = Aligner(affine(), pairs.grid, CPU)
    search = along(aligner, torch.tensor([0, 1.0, 0, 0, 0, 1.0]) / 2**0.5)
    smooth = np.abs(magnitudes_along(pairs, aligner, search)[0][:, 0] - truth)
    sharp = np.abs(magnitudes_along(pairs, aligner, search, "nearest")[0][:, 0] - truth)
    assert np.median(sharp) < 0.7 * np.median(smooth)


def test_spread_starts_at_zero_and_covers() -> None:
    points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    chosen = spread(points, 40)
    assert len(chosen) == 40
    assert not chosen[0].any()
    assert torch.cdist(points, chosen).amin(dim=1).max() < 0.6
    assert len(spread(torch.zeros(5, 3), 4)) == 1


def test_grey_scale_ignores_blank_and_wild_images() -> None:
    rng = np.random.default_rng(0)
    images = rng.random((40, 1, 9, 9)).astype(np.float32)
    images[..., 0, :] = images[..., -1, :] = images[..., :, 0] = images[..., :, -1] = 0.25
    plain = GreyScale.of(images, np.arange(40))
    assert plain.background.item() == pytest.approx(0.25)
    images[:5] = 0.25
    images[5:8] = 1e5 * rng.normal(size=(3, 1, 9, 9))
    spoilt = GreyScale.of(images, np.arange(40))
    assert spoilt.amplitude == pytest.approx(plain.amplitude, rel=0.2)
    assert spoilt.background.item() == pytest.approx(0.25, abs=0.01)
