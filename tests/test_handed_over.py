"""What was found, handed to other packages: matrices in their conventions, tensors, modules."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
import torch.nn.functional as nnf

from liescope import Generator, InputError

SHAPE = (36, 48)
INSIDE = (slice(8, -8), slice(8, -8))
FIELDS = ("rotation", "off-centre", "scale", "translation-x", "translation-y", "shear-x", "hyperbolic", "general")


def smooth(height: int, width: int) -> np.ndarray:
    """An image of slow waves with values from about 0 to 1."""
    y, x = np.mgrid[:height, :width]
    return np.asarray(0.5 + 0.2 * np.sin(x / 5 + 1) * np.cos(y / 6) + 0.2 * np.cos((x + 2 * y) / 9))


@pytest.mark.parametrize("field", FIELDS)
def test_the_matrix_moves_points_as_the_flow_does(make_result, field):
    generator = make_result(field).generators[0].generator
    points = np.random.default_rng(0).uniform(-1, 1, (5, 2))
    moved = np.c_[points, np.ones(5)] @ generator.matrix(0.3).T
    np.testing.assert_allclose(moved[:, :2], generator.flow(points, 0.3), atol=1e-12)
    np.testing.assert_allclose(generator.matrix(0.1) @ generator.matrix(0.2), generator.matrix(0.3), atol=1e-12)


def test_a_quarter_turn_in_numbers():
    turn = Generator([0, 0, -1, 0, 1, 0], domain=SHAPE)
    t = 90 / turn.unit_per_t
    np.testing.assert_allclose(turn.matrix(t), [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)
    # About (23.5, 17.5), against the clock: what is right of the centre comes above it.
    above = turn.matrix(t, "pixels") @ [33.5, 17.5, 1]
    np.testing.assert_allclose(above, [23.5, 7.5, 1], atol=1e-9)
    right = Generator([1, 0, 0, 0, 0, 0], domain=(20, 20))
    np.testing.assert_allclose(right.matrix(3 / right.unit_per_t, "opencv"), [[1, 0, 3], [0, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(right.matrix(3 / right.unit_per_t, "opencv", shape=(20, 40))[0, 2], 6)


def by_skimage(image: np.ndarray, result: Any, t: Any) -> np.ndarray:
    transform = pytest.importorskip("skimage.transform")
    matrix = transform.AffineTransform(matrix=result.matrix(t, "skimage", image.shape))
    return np.asarray(transform.warp(image, matrix, order=1))


def by_opencv(image: np.ndarray, result: Any, t: Any) -> np.ndarray:
    cv2 = pytest.importorskip("cv2")
    return np.asarray(cv2.warpAffine(image, result.matrix(t, "opencv", image.shape), image.shape[::-1]))


def by_torch(image: np.ndarray, result: Any, t: Any) -> np.ndarray:
    theta = torch.as_tensor(result.matrix(t, "torch", image.shape))[None]
    grid = nnf.affine_grid(theta, [1, 1, *image.shape], align_corners=False)
    return nnf.grid_sample(torch.from_numpy(image)[None, None], grid, align_corners=False)[0, 0].numpy()


# OpenCV may round coordinates to 1/32 of a pixel.
@pytest.mark.parametrize(("by", "tolerance"), [(by_skimage, 1e-5), (by_opencv, 3e-3), (by_torch, 1e-5)])
@pytest.mark.parametrize("field", FIELDS)
def test_another_package_moves_images_alike(make_result, by, tolerance, field):
    result = make_result(field)
    image = smooth(*SHAPE)
    moved = result.transform(image, 0.15)
    assert np.abs(moved - image)[INSIDE].max() > 0.02
    np.testing.assert_allclose(by(image, result, 0.15)[INSIDE], moved[INSIDE], atol=tolerance)


@pytest.mark.parametrize("product", [False, True])
def test_several_generators_are_one_matrix(make_result, product):
    result = make_result("rotation", "translation-x", product=product)
    image, t = smooth(*SHAPE), [0.3, 0.1]
    moved = result.transform(image, t)
    np.testing.assert_allclose(
        by_torch(image, result, t)[10:-10, 10:-10], moved[10:-10, 10:-10], atol=8e-3 if product else 1e-5
    )
    first, second = (g.matrix(s) for g, s in zip(result.generators, t, strict=True))
    both = scipy.linalg.expm(scipy.linalg.logm(first) + scipy.linalg.logm(second))
    np.testing.assert_allclose(result.matrix(t), second @ first if product else both, atol=1e-9)


def test_volumes_have_matrices_too():
    turn = Generator([0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0], domain=(6, 8, 8))
    theta = turn.matrix(90 / turn.unit_per_t, "torch")
    volume = torch.rand(1, 1, 6, 8, 8, dtype=torch.float64)
    grid = nnf.affine_grid(torch.as_tensor(theta)[None], list(volume.shape), align_corners=False)
    turned = nnf.grid_sample(volume, grid, align_corners=False)
    np.testing.assert_allclose(turned, torch.rot90(volume, 1, (3, 4)), atol=1e-6)


@pytest.mark.parametrize(
    ("convention", "shape", "message"),
    [
        ("opncv", None, "Did you mean 'opencv'"),
        ("torch", (3, 4, 5), "expected a shape of 2 axes"),
    ],
)
def test_what_has_no_matrix_is_told(convention, shape, message):
    with pytest.raises(InputError, match=message):
        Generator([1, 0, 0, 0, 0, 0]).matrix(0.1, convention, shape)


def test_fields_that_are_not_affine_have_no_matrix(make_result):
    bent = make_result([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], basis="quadratic")
    for has in (bent, bent.generators[0]):
        with pytest.raises(InputError, match=r"in the affine basis, whose flow is a matrix, got one in 'quadratic'"):
            has.matrix(0.1)
    with pytest.raises(InputError, match="to apply, got none"):
        make_result().matrix(0.1)
    with pytest.raises(InputError, match="expected a finite magnitude"):
        Generator([1, 0, 0, 0, 0, 0]).matrix(np.nan)


# --- tensors

IMAGES = torch.as_tensor(smooth(9, 11)).expand(3, 2, 9, 11)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.uint8])
@pytest.mark.parametrize("shape", [(9, 11), (3, 9, 11), (3, 2, 9, 11)])
def test_tensors_go_in_and_tensors_come_out(make_result, dtype, shape):
    result = make_result("rotation", background=np.array([0.4]))
    images = (IMAGES[0, 0].expand(shape) * (200 if dtype == torch.uint8 else 1)).to(dtype)
    moved = result.transform(images, 0.3)
    assert (moved.dtype, moved.device) == (torch.float32 if dtype == torch.uint8 else dtype, images.device)
    expected = result.transform(images.float().numpy(), 0.3)
    half = dtype in (torch.float16, torch.bfloat16)
    np.testing.assert_allclose(moved.float(), expected, rtol=1e-2 if half else 1e-5, atol=1e-5)


@pytest.mark.parametrize("fields", [("rotation",), ("rotation", "scale")])
def test_magnitudes_for_all_or_for_each(make_result, fields):
    result = make_result(*fields)
    each = torch.linspace(-0.3, 0.3, 3 * len(fields)).reshape(3, -1)
    moved = result.transform(IMAGES.float(), each)
    for k, t in enumerate(each):
        np.testing.assert_allclose(moved[k], result.transform(IMAGES.float().numpy(), t.numpy())[k], atol=1e-5)
    if len(fields) == 1:
        assert torch.equal(result.transform(IMAGES.float(), each[:, 0]), moved)
        by_array = result.transform(IMAGES.float().numpy(), each[:, 0].numpy())
        np.testing.assert_allclose(by_array, moved, atol=1e-5)
    with pytest.raises(InputError, match=rf"expected {len(fields)} magnitude.* got shape \(4,\)"):
        result.transform(IMAGES, torch.zeros(4))


@pytest.mark.parametrize("basis", ["affine", "quadratic"])
@pytest.mark.parametrize("t", [0.0, 0.2])
def test_gradients_of_images_and_magnitudes(make_result, basis, t):
    field = [0, 0, -1, 0, 1, 0] if basis == "affine" else [0, 0, -1, 0.3, 0, 0, 0, 1, 0, 0, 0, 0.2]
    module = make_result(field, basis=basis, background=np.array([0.1])).module(interpolation="cubic")
    images = torch.as_tensor(smooth(6, 7))[None, None].clone().requires_grad_()
    times = torch.full((1, 1), t, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, (images, times))


def test_the_module_is_one_of_torch(make_result):
    result = make_result("scale", background=np.array([0.25]))
    module = result.module(border="edge")
    images = IMAGES.float()
    assert torch.equal(torch.nn.Sequential(copy.deepcopy(module))[0](images, 0.2), module(images, 0.2))
    np.testing.assert_allclose(module(images, 0.2), result.transform(images.numpy(), 0.2, border="edge"), atol=1e-6)
    other = make_result("rotation", background=np.array([0.0])).module(border="edge")
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(images, 0.2), module(images, 0.2))
    assert list(module.parameters()) == []
    on_meta = module.to("meta")(images.to("meta"), 0.2)
    assert (on_meta.shape, on_meta.device.type) == (images.shape, "meta")


@pytest.mark.parametrize("images", [torch.zeros(9), torch.zeros(2, 9, 9, dtype=torch.complex64)])
def test_tensors_that_are_no_images_are_told(make_result, images):
    with pytest.raises(InputError, match=r"expected images \(N, H, W\) or \(N, C, H, W\), got torch\."):
        make_result("scale").transform(images, 0.2)
