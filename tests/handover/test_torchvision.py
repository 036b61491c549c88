"""Transforms of torchvision: against torchvision itself where it can be imported, else against what it documents.

A torchvision is made for one version of torch and does not import beside others; ``torchvision_standin`` then has what
its pages document for transforms of one's own.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from torchvision_standin import standing_in

from liescope.errors import InputError
from liescope.handover import torchvision

SIZE = (24, 18)


@pytest.fixture(scope="module")
def tv() -> Iterator[ModuleType]:
    """``torchvision.tv_tensors``."""
    try:
        importlib.import_module("torchvision.transforms.v2")
    except (ImportError, RuntimeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        with standing_in():
            yield importlib.import_module("torchvision.tv_tensors")
    else:
        yield importlib.import_module("torchvision.tv_tensors")


def drawn(transform, seed=0):
    """The t that the next call draws after ``torch.manual_seed(seed)``."""
    torch.manual_seed(seed)
    t = transform.make_params([])["t"]
    torch.manual_seed(seed)
    return t


@pytest.mark.parametrize("options", [{}, {"border": "edge", "interpolation": "cubic"}])
def test_images_move_as_those_of_the_result(tv, case, images, options) -> None:
    transform = torchvision(case.result, **options)
    t = drawn(transform)
    moved = transform(tv.Image(torch.from_numpy(images[0])))
    assert isinstance(moved, tv.Image)
    expected = case.result.transform(images[:1], t.numpy(), **options)[0]
    np.testing.assert_allclose(moved.as_subclass(torch.Tensor).numpy(), expected, atol=1e-5)


def test_a_whole_sample_moves_by_one_t(tv, case, images) -> None:
    transform = torchvision(case.result, mask_fill=9)
    t = drawn(transform, 3)
    points = torch.tensor([[9.0, 11.0], [5.5, 8.25]])
    mask = torch.from_numpy(images[0, 0] > 0.5).long()
    sample = {
        "image": tv.Image(torch.from_numpy(images[0])),
        "video": tv.Video(torch.from_numpy(images)),
        "mask": tv.Mask(mask),
        "points": tv.KeyPoints(points, canvas_size=SIZE),
        "label": torch.tensor(4),
        "name": "a",
    }
    moved = transform(sample)
    expected = case.result.transform(images, t.numpy())
    np.testing.assert_allclose(np.asarray(moved["video"]), expected, atol=1e-5)
    np.testing.assert_allclose(np.asarray(moved["image"]), expected[0], atol=1e-5)
    assert isinstance(moved["mask"], tv.Mask)
    assert moved["mask"].dtype == torch.int64
    assert set(np.asarray(moved["mask"]).ravel()) <= {0, 1, 9}
    np.testing.assert_allclose(np.asarray(moved["points"]), case.points(points.numpy(), t.numpy()), atol=1e-4)
    assert tuple(moved["points"].canvas_size) == SIZE
    assert (moved["label"], moved["name"]) == (torch.tensor(4), "a")


def test_masks_follow_the_image(tv, make_result) -> None:
    transform = torchvision(make_result("rotation"), law="fixed:90")
    square = torch.zeros(1, 20, 20)
    square[0, 2:7, 3:9] = 1
    moved_image, moved_mask = transform(tv.Image(square), tv.Mask(square.bool()))
    assert moved_mask.dtype == torch.bool
    # By a quarter turn counter-clockwise, which numpy does too.
    turned = np.rot90(square[0].numpy())
    np.testing.assert_allclose(np.asarray(moved_image)[0], turned, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(moved_mask)[0], turned > 0.5)


@pytest.mark.parametrize("kind", ["XYXY", "XYWH", "CXCYWH"])
def test_boxes_are_the_smallest_around_moved_corners(tv, make_result, kind) -> None:
    transform = torchvision(make_result("rotation"), law="fixed:90")
    boxes: dict[str, Any] = {"XYXY": [3, 2, 9, 7], "XYWH": [3, 2, 6, 5], "CXCYWH": [6, 4.5, 6, 5]}
    # Turned counter-clockwise on 20 x 20: (x, y) goes to (y, 20 - x).
    turned: dict[str, Any] = {"XYXY": [2, 11, 7, 17], "XYWH": [2, 11, 5, 6], "CXCYWH": [4.5, 14, 5, 6]}
    before = tv.BoundingBoxes(torch.tensor([boxes[kind]], dtype=torch.float32), format=kind, canvas_size=(20, 20))
    moved = transform(before)
    assert (moved.format, tuple(moved.canvas_size)) == (before.format, (20, 20))
    np.testing.assert_allclose(np.asarray(moved), [turned[kind]], atol=1e-4)


def test_boxes_are_cut_at_the_border_and_whole_ones_stay_whole(tv, make_result) -> None:
    transform = torchvision(make_result("translation-x", shape=(1, 20, 20)), law="fixed:15")
    boxes = tv.BoundingBoxes(torch.tensor([[3, 2, 9, 7]]), format="XYXY", canvas_size=(20, 20))
    moved = transform(boxes)
    assert moved.dtype == torch.int64
    assert np.asarray(moved).tolist() == [[18, 2, 20, 7]]


def test_boxes_of_four_corners_turn_and_others_are_refused(tv, case) -> None:
    transform = torchvision(case.result, law=None)
    corners = torch.tensor([[4.0, 4, 9, 4, 9, 8, 4, 8]])
    t = drawn(transform)
    moved = transform(tv.BoundingBoxes(corners, format="XYXYXYXY", canvas_size=SIZE, clamping_mode=None))
    expected = case.points(corners.numpy().reshape(-1, 2) - 0.5, t.numpy()) + 0.5
    np.testing.assert_allclose(np.asarray(moved).reshape(-1, 2), expected, atol=1e-4)
    turned = tv.BoundingBoxes(torch.tensor([[4.0, 4, 9, 4, 0.1]]), format="XYWHR", canvas_size=SIZE)
    with pytest.raises(InputError, match="expected boxes as XYXY, XYWH, CXCYWH, XYXYXYXY, got XYWHR"):
        transform(turned)


def test_pictures_and_plain_tensors_are_images(tv, make_result) -> None:
    result = make_result("rotation", "scale")
    transform = torchvision(result)
    grey = np.random.default_rng(0).integers(0, 256, (3, 20, 16), dtype=np.uint8)
    t = drawn(transform)
    expected = result.transform(grey[None], t.numpy())[0]
    plain, other = transform(torch.from_numpy(grey), torch.ones(3))
    assert plain.dtype == torch.uint8
    assert other.tolist() == [1, 1, 1]
    np.testing.assert_allclose(plain.numpy(), expected.round(), atol=1)
    for picture in (PIL.Image.fromarray(grey.transpose(1, 2, 0)), PIL.Image.fromarray(grey[0])):
        torch.manual_seed(0)
        moved = transform(picture)
        assert (moved.mode, moved.size) == (picture.mode, picture.size)
        channels = plain[:1] if picture.mode == "L" else plain
        np.testing.assert_array_equal(np.atleast_3d(np.asarray(moved)).transpose(2, 0, 1), channels.numpy())
    with pytest.raises(InputError, match=r"expected images \(..., C, H, W\), got a tensor of shape \(3,\)"):
        transform(torch.ones(3))
    with pytest.raises(InputError, match="expected images of mode L, RGB, RGBA, F, got P"):
        transform(PIL.Image.fromarray(grey[0]).convert("P"))


def test_draws_are_reproducible_and_differ(tv, make_result, images) -> None:
    transform = torchvision(make_result("rotation"))
    torch.manual_seed(1)
    first, second = (transform(torch.from_numpy(images[0])) for _ in range(2))
    torch.manual_seed(1)
    assert torch.equal(transform(torch.from_numpy(images[0])), first)
    assert not torch.equal(first, second)
    own = [torchvision(make_result("rotation"), generator=torch.Generator().manual_seed(7)) for _ in range(2)]
    assert torch.equal(*(one(torch.from_numpy(images[0])) for one in own))


def test_it_can_be_pickled_and_printed(tv, case, images) -> None:
    transform = torchvision(case.result)
    again = pickle.loads(pickle.dumps(transform))
    drawn(transform)
    moved = transform(torch.from_numpy(images[0]))
    torch.manual_seed(0)
    assert torch.equal(again(torch.from_numpy(images[0])), moved)
    assert case.result.generators[0].generator.equation in repr(transform)


def test_a_torchvision_that_cannot_be_imported_is_told_in_one_line(make_result, tmp_path: Path, monkeypatch) -> None:
    for name in [name for name in sys.modules if "torchvision" in name and name != "torchvision_standin"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "torchvision").mkdir()
    broken = "raise RuntimeError('operator torchvision::nms\\ndoes not exist')"
    (tmp_path / "torchvision" / "__init__.py").write_text(broken)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match="expected torchvision to be imported, got RuntimeError: operator") as raised:
        torchvision(make_result("rotation"))
    assert "\n" not in str(raised.value)
