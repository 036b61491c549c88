"""The transformation on pixels: against SciPy's warps, dense matrix powers and exponentials, finite differences."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply
from torch import Tensor

from liescope.engines.latent import PixelAction
from liescope.errors import InputError
from liescope.geometry import FieldOperators, Grid, affine, conformal, get_basis, quadratic

CPU = torch.device("cpu")
GENERATORS = {
    "rotation": [0, 0, -1, 0, 1, 0],
    "scale": [0, 1, 0, 0, 0, 1],
    "translation": [1, 0, 0, 0.5, 0, 0],
    "shear": [0, 0, 1, 0, 0, 0],
    "general": [0.1, 1, 0.3, -0.7, -0.2, 0.4],
}


def unit(*names: str) -> Tensor:
    return torch.nn.functional.normalize(torch.tensor([GENERATORS[name] for name in names], dtype=torch.float32), dim=1)


def action(order: int | None = None, basis: str = "affine", closure: bool = False, shape: tuple[int, int] = (24, 20),
           kernel: str = "shannon-whittaker") -> PixelAction:  # fmt: skip
    return PixelAction(get_basis(basis), Grid.of(*shape), order, kernel, closure, CPU)


def smooth_images(count: int, shape: tuple[int, int] = (24, 20), channels: int = 1, seed: int = 0) -> np.ndarray:
    """Noise blurred by two pixels that fades towards the borders, float64."""
    noise = np.random.default_rng(seed).normal(size=(count, channels, *shape))
    window = np.hanning(shape[0] + 2)[1:-1, None] * np.hanning(shape[1] + 2)[1:-1]
    images = ndimage.gaussian_filter(noise, (0, 0, 2, 2)) * window
    scaled: np.ndarray = images / np.abs(images).max()
    return scaled


def coordinates(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every pixel of an image, as the conventions have it."""
    height, width = shape
    s = max(shape) / 2
    rows, columns = np.indices(shape)
    return (columns - (width - 1) / 2) / s, ((height - 1) / 2 - rows) / s


def read(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """SciPy's linear interpolation of an image (C, H, W) at points, zero outside."""
    height, width = image.shape[1:]
    s = max(height, width) / 2
    places = np.stack([(height - 1) / 2 - y * s, x * s + (width - 1) / 2])
    return np.stack([ndimage.map_coordinates(c, places, order=1, mode="grid-constant", cval=0.0) for c in image])


def homogeneous(a: np.ndarray) -> np.ndarray:
    """An affine field as the matrix of (x, y, 1)."""
    return np.array([[a[1], a[2], a[0]], [a[4], a[5], a[3]], [0, 0, 0]], dtype=np.float64)


def warped(images: np.ndarray, t: np.ndarray, fields: list[np.ndarray]) -> np.ndarray:
    """exp(t_K X_K) ... exp(t_1 X_1) on images by SciPy: each pixel's origin, the last factor undone first."""
    x, y = coordinates(images.shape[2:])
    moved = []
    for image, magnitudes in zip(images, t, strict=True):
        points = np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
        for field, magnitude in reversed(list(zip(fields, magnitudes, strict=True))):
            points = expm(-magnitude * homogeneous(field)) @ points
        moved.append(read(image, points[0].reshape(x.shape), points[1].reshape(x.shape)))
    return np.stack(moved)


def applied(moving: PixelAction, images: np.ndarray, t: np.ndarray, coefficients: Tensor) -> np.ndarray:
    x, magnitudes = (torch.as_tensor(array, dtype=torch.float32) for array in (images, t))
    return moving(x, magnitudes, coefficients).numpy()


# --- the exact form


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("shape", [(24, 20), (17, 28)])
@pytest.mark.parametrize("channels", [1, 3])
def test_one_generator_against_scipys_warp(name: str, shape: tuple[int, int], channels: int) -> None:
    images = smooth_images(7, shape, channels)
    t = np.linspace(-0.9, 0.9, 7)[:, None]
    field = unit(name)
    found = applied(action(shape=shape), images, t, field)
    np.testing.assert_allclose(found, warped(images, t, [field[0].double().numpy()]), atol=2e-5)
    np.testing.assert_allclose(found[3], images[3], atol=1e-6)  # t = 0
    assert np.abs(found[0] - images[0]).max() > 0.1


@pytest.mark.parametrize("names", [("rotation", "translation"), ("scale", "general", "rotation")])
def test_several_generators_act_one_after_the_other(names: tuple[str, ...]) -> None:
    images = smooth_images(6)
    t = np.random.default_rng(0).uniform(-0.6, 0.6, (6, len(names)))
    fields = unit(*names)
    found = applied(action(), images, t, fields)
    expected = warped(images, t, list(fields.double().numpy()))
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert np.abs(warped(images, t[:, ::-1], list(fields.double().numpy())[::-1]) - expected).max() > 0.05


@pytest.mark.parametrize(
    ("names", "reach"),
    [
        (("rotation", "translation"), 0.3),
        (("translation", "rotation"), 0.3),
        (("rotation", "translation", "shear"), 0.15),
    ],
)
def test_closure_factors_move_pixels_as_the_operators_commutators_do(names: tuple[str, ...], reach: float) -> None:
    shape = (28, 28)
    x, y = coordinates(shape)
    # A blob that stays away from the borders, beyond which operators see the image again and a warp sees nothing.
    images = np.exp(-(np.square(x - 0.1) + np.square(y - 0.15)) / (2 * 0.15**2))[None, None].repeat(3, axis=0)
    fields = unit(*names)
    matrices = FieldOperators(affine(), Grid.of(*shape), dtype=torch.float64).matrices()
    own = list(torch.einsum("km,mij->kij", fields.double(), matrices).numpy())
    brackets = [first @ second - second @ first for first, second in combinations(own, 2)]
    t = np.random.default_rng(1).uniform(0.5, 1, (3, len(own) + len(brackets))) * [[reach], [-reach], [reach]]
    found = applied(action(closure=True, shape=shape), images, t, fields)
    flat = images.reshape(3, -1).copy()
    for row, magnitudes in zip(flat, t, strict=True):
        for matrix, magnitude in zip(own + brackets, magnitudes, strict=True):
            row[:] = expm_multiply(magnitude * matrix, row)
    expected = flat.reshape(images.shape)
    # One resampling loses a little of a blob; leaving the factors out, or turning them round, changes much more.
    error = np.linalg.norm(found - expected)
    assert error < 0.04 * np.linalg.norm(expected)
    without = applied(action(shape=shape), images, t[:, : len(own)], fields)
    turned = np.concatenate((t[:, : len(own)], -t[:, len(own) :]), axis=1)
    for other in (without, applied(action(closure=True, shape=shape), images, turned, fields)):
        assert np.linalg.norm(other - expected) > 3 * error


def sct_origin(point: np.ndarray, t: float) -> np.ndarray:
    """Where the flow of -(x^2 - y^2, 2 x y) takes a point in time t."""

    def velocity(_: float, p: np.ndarray) -> list[float]:
        return [-(p[0] ** 2 - p[1] ** 2), -2 * p[0] * p[1]]

    end: np.ndarray = solve_ivp(velocity, (0, t), point, rtol=1e-9, atol=1e-10).y[:, -1]
    return end


def test_a_bent_flow_against_scipys_integrator() -> None:
    shape = (15, 13)
    images = smooth_images(3, shape, 2)
    t = np.array([[0.4], [0.0], [-0.25]])
    field = torch.zeros(1, 12)
    field[0, [3, 5, 10]] = torch.tensor([1.0, -1.0, 2.0])
    found = applied(action(basis="quadratic", shape=shape), images, t, field)
    x, y = coordinates(shape)
    for image, moved, magnitude in zip(images, found, t[:, 0], strict=True):
        origins = np.array([sct_origin(p, magnitude) for p in np.stack([x.ravel(), y.ravel()], axis=1)])
        expected = read(image, *(c.reshape(shape) for c in origins.T))
        np.testing.assert_allclose(moved, expected, atol=5e-3)
    assert np.abs(found[0] - images[0]).max() > 0.1


def test_one_generator_of_a_larger_basis_is_the_same_transformation() -> None:
    images, t = smooth_images(5), np.linspace(-0.8, 0.8, 5)[:, None]
    expected = applied(action(), images, t, unit("rotation"))
    wider = torch.zeros(1, 12)
    wider[0, [2, 7]] = torch.tensor([-1.0, 1.0]) / 2**0.5
    np.testing.assert_allclose(applied(action(basis="quadratic"), images, t, wider), expected, atol=5e-3)


def slope(objective: Callable[[np.ndarray], float], at: np.ndarray, step: float) -> np.ndarray:
    """Central differences."""
    found = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        offset = np.zeros_like(at)
        offset[index] = step
        found[index] = (objective(at + offset) - objective(at - offset)) / (2 * step)
    return found


def close(found: Tensor | None, expected: np.ndarray, share: float) -> bool:
    assert found is not None
    return bool(np.linalg.norm(found.numpy() - expected) < share * np.linalg.norm(expected))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["rotation", "scale", "general"])
def test_gradients_in_t_and_coefficients_against_differences_of_scipys_warp(name: str, seed: int) -> None:
    images = smooth_images(4, seed=seed)
    target = warped(images, np.full((4, 1), 0.35), [unit("general")[0].double().numpy()])
    t_value = np.random.default_rng(seed).uniform(-0.5, 0.5, (4, 1))
    a_value = unit(name).double().numpy()
    t = torch.tensor(t_value, dtype=torch.float32, requires_grad=True)
    a = torch.tensor(a_value, dtype=torch.float32, requires_grad=True)
    source, goal = (torch.as_tensor(stack, dtype=torch.float32) for stack in (images, target))
    (action()(source, t, a) - goal).square().sum().backward()

    def loss(t: np.ndarray, a: np.ndarray) -> float:
        return float(np.square(warped(images, t, list(a)) - target).sum())

    assert close(t.grad, slope(lambda value: loss(value, a_value), t_value, 1e-3), 0.02)
    assert close(a.grad, slope(lambda value: loss(t_value, value), a_value, 1e-3), 0.02)


def planes(count: int, shape: tuple[int, int] = (24, 20)) -> tuple[np.ndarray, np.ndarray]:
    """Images whose grey is a linear function of the place, and the weight of their pixels, 0 near the borders.

    Linear interpolation has kinks at the pixels, where everything sits at t = 0; in a plane it has none.
    """
    x, y = coordinates(shape)
    slopes = np.random.default_rng(5).normal(size=(count, 2, 1, 1))
    images = (slopes[:, :1] * x + slopes[:, 1:] * y + 0.5).astype(np.float64)
    return images, (np.maximum(np.abs(x), np.abs(y)) < 0.45) * np.cos(x + 2 * y)


@pytest.mark.parametrize("names", [("rotation",), ("scale",), ("translation",), ("rotation", "general")])
def test_gradients_at_t_zero_against_differences_of_scipys_warp(names: tuple[str, ...]) -> None:
    images, weights = planes(3)
    a_value, t_value = unit(*names).double().numpy(), np.zeros((3, len(names)))
    t = torch.zeros(3, len(names), requires_grad=True)
    a = unit(*names).requires_grad_()
    moved = action()(torch.as_tensor(images, dtype=torch.float32), t, a)
    (moved * torch.as_tensor(weights, dtype=torch.float32)).square().sum().backward()

    def loss(t: np.ndarray) -> float:
        return float(np.square(warped(images, t, list(a_value)) * weights).sum())

    assert close(t.grad, slope(loss, t_value, 1e-3), 1e-3)
    assert a.grad is not None
    assert not bool(a.grad.any())  # where nothing moves the direction does not matter


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("sign", [-1, 0, 1])
def test_every_t_has_its_gradient_along_a_bent_flow(count: int, sign: int) -> None:
    """The farthest-moved pair, and the only one of a batch of one, too."""
    images, weights = planes(count)
    t_value = sign * np.linspace(0.3, 0.1, count)[:, None]
    a = torch.zeros(1, 12)
    a[0, [2, 7, 3]] = torch.tensor([-1.0, 1.0, 0.3])
    moving = action(basis="quadratic")
    t = torch.tensor(t_value, dtype=torch.float32, requires_grad=True)
    moved = moving(torch.as_tensor(images, dtype=torch.float32), t, a)
    (moved * torch.as_tensor(weights, dtype=torch.float32)).square().sum().backward()

    def loss(value: np.ndarray) -> float:
        return float(np.square(applied(moving, images, value, a).astype(np.float64) * weights).sum())

    assert close(t.grad, slope(loss, t_value, 1e-2), 0.01)


# --- the paper's Taylor form


def dense_polynomial(images: np.ndarray, t: np.ndarray, matrices: list[np.ndarray], order: int) -> np.ndarray:
    """sum_j (t G)^j / j! on flattened pixels, factor after factor, with dense powers."""
    flat = images.reshape(len(images), images.shape[1], -1).copy()
    for matrix, magnitudes in zip(matrices, t.T, strict=True):
        total, power = flat.copy(), np.eye(len(matrix))
        for j in range(1, order + 1):
            power = power @ matrix / j
            total += magnitudes[:, None, None] ** j * (flat @ power.T)
        flat = total
    return flat.reshape(images.shape)


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("kernel", ["shannon-whittaker", "finite-difference"])
@pytest.mark.parametrize("closure", [False, True])
def test_the_polynomial_of_each_order_against_dense_powers(order: int, kernel: str, closure: bool) -> None:
    shape = (8, 6)
    images = smooth_images(5, shape, 2)
    fields = unit("rotation", "general")
    matrices = FieldOperators(affine(), Grid.of(*shape), kernel, dtype=torch.float64).matrices()
    own = list(torch.einsum("km,mij->kij", fields.double(), matrices).numpy())
    if closure:
        # The bracket's field: [X, Y] of affine fields are commutators of their matrices, with the other sign.
        first, second = (homogeneous(row) for row in fields.double().numpy())
        a = (first @ second - second @ first)[:2]
        own.append(np.einsum("m,mij->ij", a[:, [2, 0, 1]].ravel(), matrices.numpy()))
    t = np.random.default_rng(order).uniform(-0.4, 0.4, (5, len(own)))
    found = applied(action(order, closure=closure, shape=shape, kernel=kernel), images, t, fields)
    expected = dense_polynomial(images, t, own, order)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_error_of_the_polynomial_falls_with_the_order_plus_one(order: int) -> None:
    shape = (9, 9)
    images = smooth_images(1, shape)
    fields = unit("general")
    matrices = FieldOperators(affine(), Grid.of(*shape), dtype=torch.float64).matrices()
    matrix = torch.einsum("m,mij->ij", fields[0].double(), matrices).numpy()
    errors = []
    for t in (0.08, 0.04, 0.02):
        exact = (expm(t * matrix) @ images.reshape(-1)).reshape(images.shape)
        errors.append(np.linalg.norm(applied(action(order, shape=shape), images, np.array([[t]]), fields) - exact))
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(np.abs(slopes - (order + 1)) < 0.25)


@pytest.mark.parametrize("order", [1, 2])
def test_t_is_not_differentiated_in_the_papers_form(order: int) -> None:
    images = torch.as_tensor(smooth_images(3), dtype=torch.float32)
    t = torch.tensor([[0.2], [-0.1], [0.3]], requires_grad=True)
    a = unit("rotation").requires_grad_()
    action(order)(images, t, a).square().sum().backward()
    assert t.grad is None
    assert a.grad is not None
    assert bool(a.grad.any())


def test_small_turns_agree_in_both_forms() -> None:
    images, t = smooth_images(4), np.array([[-0.04], [-0.02], [0.02], [0.04]])
    exact, taylor = (applied(action(order), images, t, unit("rotation")) for order in (None, 8))
    assert np.linalg.norm(exact - taylor) < 0.06 * np.linalg.norm(taylor)
    assert np.linalg.norm(exact - images) > 3 * np.linalg.norm(exact - taylor)


# --- the basis


def test_closure_needs_a_basis_that_brackets_do_not_leave() -> None:
    with pytest.raises(InputError, match="closed under the bracket, got 'quadratic'"):
        action(basis="quadratic", closure=True)
    assert len(action(basis="conformal", closure=True).fields(torch.eye(conformal().dimension)[:3])) == 6
    assert quadratic().dimension == 12
