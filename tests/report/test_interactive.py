"""What the slider is given: small, complete, and about the images that were found."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from liescope.geometry import affine, field_basis, polynomial
from liescope.report import render_page
from liescope.report.interactive import moved_images, natural_range, slider_data, sources_of
from liescope.result import Samples


def data_of(result: Any) -> dict[str, Any]:
    return slider_data(result, sources_of(result))


def pixels(entry: dict[str, Any]) -> np.ndarray:
    """(S, H, W, C) bytes."""
    flat = np.frombuffer(base64.b64decode(entry["data"]), np.uint8)
    return flat.reshape(-1, entry["rows"], entry["columns"], entry["channels"])


def many_samples(make_result: Any, shape: tuple[int, int, int], count: int = 64) -> Any:
    images = np.random.default_rng(0).random((3, count, *shape), dtype=np.float32)
    result = make_result("rotation", shape=shape, pairs=80, samples=False)
    return dataclasses.replace(result, samples=Samples(np.arange(count), *images))


@pytest.mark.parametrize(
    ("shape", "count", "side"),
    [
        ((1, 28, 28), 64, (28, 28)),
        ((1, 224, 224), 64, (96, 96)),
        ((3, 200, 300), 64, (64, 96)),
        ((4, 30, 20), 64, (30, 20)),
    ],
)
def test_sixty_four_samples_fit_in_a_page_whatever_their_size(make_result, shape, count, side):
    result = many_samples(make_result, shape)
    data = data_of(result)
    images = data["images"]
    assert (images["rows"], images["columns"]) == side
    assert images["channels"] == (3 if shape[0] == 3 else 1)
    assert images["count"] == count or images["count"] * images["rows"] * images["columns"] * 3 > 1_400_000
    assert len(render_page(result).encode()) < 5_000_000
    json.dumps(data, allow_nan=False)


def test_images_are_the_sources_in_the_grey_range_of_all_samples(make_result):
    result = make_result("rotation", shape=(3, 10, 14))
    data = data_of(result)
    low = min(result.samples.source.min(), result.samples.target.min())
    height = max(result.samples.source.max(), result.samples.target.max()) - low
    place = {int(pair): k for k, pair in enumerate(result.samples.index)}
    expected = [(result.samples.source[place[pair]] - low) / height * 255 for pair in data["pairs"]]
    assert np.abs(pixels(data["images"]) - np.moveaxis(np.array(expected), 1, -1)).max() <= 0.5001


def test_accepted_pairs_come_first_and_all_samples_are_there(make_result):
    result = make_result("rotation", "scale")
    pairs = data_of(result)["pairs"]
    assert sorted(pairs) == result.samples.index.tolist()
    assert result.accepted[pairs].tolist() == sorted(result.accepted[pairs], reverse=True)


def test_blank_images_come_last(make_result):
    result = make_result("rotation")
    result.samples.source[[0, 3]] = 0.0
    result.samples.target[:, :, [0, -1]] = result.samples.target[:, :, :, [0, -1]] = 0.0
    assert not {0, 3} & set(data_of(result)["pairs"][:8])


@pytest.mark.parametrize(
    ("low", "high", "reach", "step"),
    [
        (-60.02, 59, 60, 1),
        (0, 45, 45, 0.5),
        (-7.13, 2, 7.2, 0.1),
        (-0.35, 0.3, 0.35, 0.005),
        (-1.1e-3, 0, 1.1e-3, 2e-5),
    ],
)
def test_the_range_is_round_and_covers_the_law(make_result, low, high, reach, step):
    t = np.linspace(low, high, 4000)[:, None] / np.degrees(np.sqrt(0.5))
    result = make_result("rotation", pairs=4000, t=t, accepted=np.ones(4000, bool))
    assert natural_range(result, 0) == pytest.approx((reach, step))


@pytest.mark.parametrize("t", [np.zeros((60, 1)), np.full((60, 1), np.nan)])
def test_a_range_where_nothing_moves(make_result, t):
    reach, step = natural_range(make_result("rotation", t=t), 0)
    assert 0 < step < reach


def test_a_polynomial_field_is_embedded_by_its_monomials(make_result):
    rng = np.random.default_rng(1)
    result = make_result(rng.normal(size=20), basis=polynomial(3))
    field = data_of(result)["generators"][0]["field"]
    points = rng.uniform(-1, 1, (50, 2))
    x, y = points.T
    monomials = np.stack([x**p * y**q for p, q in field["exponents"]])
    found = np.stack([field["u"] @ monomials, field["v"] @ monomials], axis=-1)
    assert found == pytest.approx(result.generators[0].generator.field(points))


def test_a_field_of_ones_own_is_embedded_as_a_table(make_result):
    swirl = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2).sqrt(), x / (1.4 - x).clamp_min(0))})
    result = make_result([0, 0.2, 0, 0, 0, 0, 1], basis=affine() + swirl)
    field = data_of(result)["generators"][0]["field"]
    table = np.frombuffer(base64.b64decode(field["data"]), "<f4").reshape(field["side"], field["side"], 2)
    side = np.linspace(-field["half"], field["half"], field["side"])
    rows, columns = (np.random.default_rng(k).integers(20, 77, 30) for k in (0, 1))
    points = np.stack([side[columns], side[rows]], axis=-1)
    assert table[rows, columns] == pytest.approx(result.generators[0].generator.field(points), abs=1e-6)
    assert np.isfinite(table).all()


def test_moved_images_are_those_of_the_result(make_result):
    result = make_result("off-centre", shape=(1, 20, 30))
    sources = sources_of(result)
    assert sources is not None
    dark = sources._replace(background=np.zeros(1))
    moved = moved_images(result.generators[0].generator, sources.images, np.full(len(sources.images), 0.4), dark)
    assert moved == pytest.approx(result.transform(sources.images, 0.4), abs=1e-4)


def test_nothing_to_move_is_nothing_to_embed(make_result):
    assert sources_of(make_result()) is None
    without = data_of(make_result("rotation", samples=False))
    assert without["images"] is None
    assert len(without["generators"]) == 1
