"""Transforms of albumentations, against albumentations itself; it is no dependency, and skipped where it is missing."""

from __future__ import annotations

import json
import os
import pickle

import numpy as np
import pytest

from liescope.handover import albumentations

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask for its newest version
A = pytest.importorskip("albumentations", reason="albumentations is not installed")

SIZE = (24, 18)


def channels_last(images):
    return np.ascontiguousarray(np.moveaxis(images, -3, -1))


@pytest.mark.parametrize("options", [{}, {"border": "edge", "interpolation": "cubic"}])
def test_images_move_as_those_of_the_result(case, images, options) -> None:
    transform = albumentations(case.result, **options)
    moved = transform(image=channels_last(images[0]))["image"]
    t = transform.get_applied_params()["t"]
    assert moved.dtype == np.float32
    expected = case.result.transform(images[:1], t, **options)[0]
    np.testing.assert_allclose(moved, channels_last(expected), atol=1e-5)


def test_a_whole_sample_moves_by_one_t(case, images) -> None:
    compose = A.Compose(
        [albumentations(case.result, mask_fill=9)],
        keypoint_params=A.KeypointParams(format="xy", remove_invisible=False),
        bbox_params=A.BboxParams(format="pascal_voc", label_fields=["labels"]),
        seed=1,
    )
    grey = (255 * channels_last(images)).astype(np.uint8)
    mask = (images[0, 0] > 0.5).astype(np.uint8)
    points, box = np.array([[9.0, 11.0], [5.5, 8.25]]), [7.0, 9.0, 11.0, 14.0]
    moved = compose(image=grey[0], images=grey, mask=mask, keypoints=points, bboxes=[box], labels=[3])
    t = compose.transforms[0].get_applied_params()["t"]
    expected = case.result.transform(np.moveaxis(grey, -1, 1), t)
    rounded = np.clip(channels_last(expected).round(), 0, 255)
    np.testing.assert_allclose(moved["image"], rounded[0], atol=1)
    np.testing.assert_allclose(moved["images"], rounded, atol=1)
    assert set(moved["mask"].ravel()) <= {0, 1, 9}
    np.testing.assert_allclose(moved["keypoints"], case.points(points, t), atol=1e-3)
    corners = np.array([[7.0, 9], [11, 9], [11, 14], [7, 14]]) - 0.5
    there = case.points(corners, t) + 0.5
    around = np.clip([*there.min(axis=0), *there.max(axis=0)], 0, [18, 24, 18, 24])
    np.testing.assert_allclose(moved["bboxes"][0], around, atol=1e-3)
    assert list(moved["labels"]) == [3]


def test_masks_and_flat_images_follow(make_result) -> None:
    square = np.zeros((20, 20), np.float32)
    square[2:7, 3:9] = 1
    moved = albumentations(make_result("rotation"), law="fixed:90")(image=square, mask=square.astype(np.uint8))
    np.testing.assert_allclose(moved["image"], np.rot90(square), atol=1e-5)
    np.testing.assert_array_equal(moved["mask"], np.rot90(square))
    assert moved["mask"].dtype == np.uint8


def test_seeds_decide_the_draws(make_result, images) -> None:
    image = channels_last(images[0])
    first, again, other = (A.Compose([albumentations(make_result("rotation"))], seed=seed) for seed in (1, 1, 2))
    one, two = first(image=image)["image"], first(image=image)["image"]
    np.testing.assert_array_equal(one, again(image=image)["image"])
    assert (one != two).any()
    assert (one != other(image=image)["image"]).any()
    never = albumentations(make_result("rotation"), p=0)
    np.testing.assert_array_equal(never(image=image)["image"], image)


def test_it_can_be_pickled_printed_and_written_down(case, images) -> None:
    image = channels_last(images[0])
    transform = albumentations(case.result, fill=[0.1, 0.2, 0.3])
    written = A.from_dict(json.loads(json.dumps(A.to_dict(transform))))
    for again in (pickle.loads(pickle.dumps(transform)), written):
        for one in (transform, again):
            one.set_random_seed(5)
        np.testing.assert_allclose(again(image=image)["image"], transform(image=image)["image"], atol=1e-6)
    assert case.result.generators[0].generator.equation in repr(transform)
