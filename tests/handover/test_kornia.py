"""Augmentations of kornia, against kornia itself: alone, in a container, by its matrix and by its own warp."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from liescope.errors import InputError
from liescope.handover import kornia

K = pytest.importorskip("kornia", reason="kornia is not installed")

SIZE = (24, 18)
POINTS = torch.tensor([[9.0, 11.0], [5.5, 8.25], [13.0, 17.0]])


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def of_draw(augmentation):
    return augmentation._params["t"].double().numpy()


@pytest.mark.parametrize("options", [{}, {"border": "periodic", "interpolation": "cubic"}])
def test_every_image_moves_by_its_own_t_as_those_of_the_result(case, images, options) -> None:
    augmentation = kornia(case.result, **options)
    moved = augmentation(torch.from_numpy(images))
    t = of_draw(augmentation)
    assert len({tuple(row) for row in t}) > 1
    np.testing.assert_allclose(moved.numpy(), case.result.transform(images, t, **options), atol=1e-5)
    again = augmentation(torch.from_numpy(images), params=augmentation._params)
    assert torch.equal(again, moved)


def test_in_a_container_masks_and_keypoints_go_along(case, images) -> None:
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (4, 1, *SIZE))).float()
    container = K.augmentation.AugmentationSequential(
        kornia(case.result, mask_fill=5), data_keys=["input", "mask", "keypoints"], random_apply=False
    )
    moved, mask, points = container(torch.from_numpy(images), labels, POINTS.expand(4, -1, -1))
    t = of_draw(next(iter(container.children())))
    np.testing.assert_allclose(moved.numpy(), case.result.transform(images, t), atol=1e-5)
    assert set(mask.unique().tolist()) <= {0, 1, 2, 5}
    expected = np.stack([case.points(POINTS.double().numpy(), own) for own in t])
    np.testing.assert_allclose(points.numpy(), expected, atol=1e-4)


def test_masks_are_those_of_the_images(case) -> None:
    # Labels of 0 and 1 agree with the moved image wherever that is clearly one of them.
    black_and_white = (torch.rand(4, 1, *SIZE, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    container = K.augmentation.AugmentationSequential(kornia(case.result, fill=0), data_keys=["input", "mask"])
    moved, mask = container(black_and_white, black_and_white)
    clear = (moved < 0.2) | (moved > 0.8)
    if not case.result.product:
        assert torch.equal(moved[clear].round(), mask[clear])
    assert clear.float().mean() > 0.1


def test_boxes_go_along(case, images) -> None:
    # Kornia's positions are centres of pixels, those of corners too.
    boxes = torch.tensor([[[4.0, 5.0, 9.0, 12.0]]]).expand(4, -1, -1)
    container = K.augmentation.AugmentationSequential(kornia(case.result), data_keys=["input", "bbox_xyxy"])
    _, moved = container(torch.from_numpy(images), boxes)
    corners = np.array([[4.0, 5], [9, 5], [9, 12], [4, 12]])
    for own, box in zip(of_draw(next(iter(container.children()))), moved[:, 0].numpy(), strict=True):
        there = case.points(corners, own)
        np.testing.assert_allclose(box, [*there.min(axis=0), *there.max(axis=0)], atol=1e-4)


def test_the_matrix_is_that_of_kornia(case, images) -> None:
    augmentation = kornia(case.result, fill=0)
    moved = augmentation(torch.from_numpy(images))
    if case.result.basis.name == "quadratic":
        assert augmentation.transform_matrix is None
        with pytest.raises(InputError, match="expected an affine basis for a matrix of 3 x 3, got 'quadratic'"):
            augmentation.compute_transformation(torch.from_numpy(images), augmentation._params, {})
        return
    assert augmentation.transform_matrix.shape == (4, 3, 3)
    warped = K.geometry.warp_affine(
        torch.from_numpy(images), augmentation.transform_matrix[:, :2], SIZE, align_corners=True
    )
    # At the border kornia fades and a product of two is read twice.
    difference = (warped - moved)[..., 3:-3, 3:-3].abs()
    if not case.result.product:
        assert float(difference.median()) < 1e-4
        assert float((difference < 1e-3).float().mean()) > 0.75


def test_gate_batch_and_rank_are_those_of_kornia(make_result, images) -> None:
    result, stack = make_result("rotation"), torch.from_numpy(images)
    same = kornia(result, same_on_batch=True)
    same(stack)
    assert len({tuple(row) for row in of_draw(same)}) == 1
    never = kornia(result, p=0.0)
    assert torch.equal(never(stack), stack)
    torch.manual_seed(0)
    some = kornia(result, p=0.5)
    moved = some(stack)
    left = some._params["batch_prob"] < 0.5
    assert 0 < int(left.sum()) < 4
    assert torch.equal(moved[left], stack[left])
    assert torch.equal(some.transform_matrix[left], torch.eye(3).expand(int(left.sum()), -1, -1))
    assert kornia(result)(stack[:0]).shape == stack[:0].shape
    assert kornia(result, keepdim=True)(stack[0]).shape == stack[0].shape


def test_draws_follow_the_seed(make_result, images) -> None:
    augmentation, stack = kornia(make_result("rotation")), torch.from_numpy(images)
    torch.manual_seed(3)
    first, second = augmentation(stack), augmentation(stack)
    torch.manual_seed(3)
    assert torch.equal(augmentation(stack), first)
    assert not torch.equal(first, second)
    own = [kornia(make_result("rotation"), generator=torch.Generator().manual_seed(7)) for _ in range(2)]
    assert torch.equal(*(one(stack) for one in own))


def test_gradients_pass_and_it_can_be_pickled(case, images) -> None:
    augmentation = kornia(case.result)
    stack = torch.from_numpy(images).requires_grad_()
    augmentation(stack).square().sum().backward()
    assert stack.grad is not None
    assert float(stack.grad.abs().mean()) > 0.1
    again = pickle.loads(pickle.dumps(augmentation))
    torch.manual_seed(0)
    moved = augmentation(stack)
    torch.manual_seed(0)
    assert torch.equal(again(stack), moved)
    assert case.result.generators[0].generator.equation in repr(augmentation)
