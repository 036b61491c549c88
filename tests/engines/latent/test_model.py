"""The whole model: what it is made of, how it moves latents, and its gauge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from liescope.algebra import structure_tensor
from liescope.engines.latent import LatentModel, ModelConfig
from liescope.engines.latent.action import PatchAction, VectorAction, factor_count
from liescope.geometry import KERNELS, affine, derivative_matrix, quadratic

SHAPE = (2, 9, 7)


def model(generators: int = 1, seed: int = 0, basis: Any = None, **settings: Any) -> LatentModel:
    content = {"hidden": [16], "magnitude_hidden": [16], "latent_size": 25} | settings
    return LatentModel(ModelConfig.model_validate(content), basis or affine(), SHAPE, generators, seed)


def images(count: int = 6, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    source, target = torch.rand(2, count, *SHAPE, generator=random).unbind(0)
    return source, target


def patch_generators(coefficients: np.ndarray, side: int, kernel: str) -> list[np.ndarray]:
    """G = -(u d/dx + v d/dy) on a side x side patch of the affine basis, written out in float64."""
    step = 2 / side
    place = (np.arange(side) - (side - 1) / 2) * step
    y, x = (grid.ravel() for grid in np.meshgrid(-place, place, indexing="ij"))
    along_x = np.kron(np.eye(side), derivative_matrix(side, step, kernel).numpy())
    along_y = np.kron(derivative_matrix(side, -step, kernel).numpy(), np.eye(side))
    found = []
    for a in coefficients:
        u, v = a[0] + a[1] * x + a[2] * y, a[3] + a[4] * x + a[5] * y
        found.append(-(np.diag(u) @ along_x + np.diag(v) @ along_y))
    return found


def bracket_field(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[X, Y] = (X . grad) Y - (Y . grad) X of affine fields: the commutator of their 3 x 3 matrices, turned round."""
    first, second = (np.vstack((np.reshape(c, (2, 3))[:, [1, 2, 0]], np.zeros(3))) for c in (a, b))
    found: np.ndarray = (second @ first - first @ second)[:2][:, [2, 0, 1]].ravel()
    return found


def factors_by_hand(coefficients: np.ndarray, side: int, kernel: str, closure: bool) -> list[np.ndarray]:
    """Matrices G_1, ..., G_K and, with closure, [G_i, G_j] for i < j: as operators those of the fields -[X_i, X_j]."""
    fields = list(coefficients)
    if closure:
        for i, first in enumerate(coefficients):
            fields += [-bracket_field(first, second) for second in coefficients[i + 1 :]]
    return patch_generators(np.array(fields), side, kernel)


def moved_by_hand(z: np.ndarray, t: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    """The first factor acts first; dense, one latent at a time."""
    moved = z.copy()
    for row, magnitudes in zip(moved, t, strict=True):
        for matrix, magnitude in zip(matrices, magnitudes, strict=True):
            row[:] = expm(magnitude * matrix) @ row
    return moved


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("closure", [False, True])
@pytest.mark.parametrize("generators", [1, 2, 3])
@pytest.mark.parametrize(("channels", "size"), [(1, 25), (4, 25), (1, 81)])
def test_latents_move_by_dense_exponentials_in_the_documented_order(
    kernel: str, closure: bool, generators: int, channels: int, size: int
) -> None:
    moving = model(generators, generators, kernel=kernel, closure=closure, channels=channels, latent_size=size).double()
    rng = np.random.default_rng(size + generators)
    factors = factor_count(generators, closure)
    assert moving.magnitude_count == factors == generators + closure * generators * (generators - 1) // 2
    z = rng.normal(size=(4, channels, size))
    t = rng.uniform(-0.25, 0.25, size=(4, factors))
    t[0] = 0
    coefficients = moving.coefficients.detach().numpy()
    matrices = factors_by_hand(coefficients, moving.config.side, kernel, closure)
    operators = np.stack(patch_generators(np.eye(6), moving.config.side, kernel))
    assert isinstance(moving.action, PatchAction)
    np.testing.assert_allclose(moving.action.operators, operators, atol=1e-6 * np.abs(operators).max())
    # Theirs are rounded to single precision, which the exponentials would multiply.
    moving.action.operators = torch.from_numpy(operators)
    if closure:
        moving.action.structure = torch.as_tensor(structure_tensor(affine())[0])
    found = moving.move(torch.from_numpy(z.reshape(4, -1)), torch.from_numpy(t)).detach().numpy().reshape(z.shape)
    for channel in range(channels):
        expected = moved_by_hand(z[:, channel], t, matrices)
        assert np.abs(found[:, channel] - expected).max() < 1e-11 * np.abs(expected).max()
    np.testing.assert_array_equal(found[0], z[0])


def test_the_order_and_the_closure_factor_matter_here() -> None:
    """What the test above compares is far from what any other order, or no closure, would give."""
    moving = model(2, 2, closure=True)
    rng = np.random.default_rng(1)
    z, t = rng.normal(size=(4, 25)), rng.uniform(0.15, 0.25, size=(4, 3))
    first, second, bracket = factors_by_hand(moving.coefficients.detach().numpy(), 5, "shannon-whittaker", True)
    expected = moved_by_hand(z, t, [first, second, bracket])
    swapped = moved_by_hand(z, t[:, [1, 0, 2]], [second, first, bracket])
    without = moved_by_hand(z, t[:, :2], [first, second])
    for other in (swapped, without):
        assert np.abs(other - expected).max() > 0.03 * np.abs(expected).max()


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("generators", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_vectors_move_by_free_matrices_of_norm_one(size: int, generators: int, seed: int) -> None:
    moving = model(generators, seed, latent="vector", latent_size=size).double()
    assert isinstance(moving.action, VectorAction)
    raw = moving.action.matrices.detach().numpy()
    matrices = [row.reshape(size, size) / np.linalg.norm(row) for row in raw]
    rng = np.random.default_rng(seed)
    z, t = rng.normal(size=(5, size)), rng.uniform(-3, 3, size=(5, generators))
    found = moving.move(torch.from_numpy(z), torch.from_numpy(t)).detach().numpy()
    np.testing.assert_allclose(found, moved_by_hand(z, t, matrices), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("settings", [{}, {"latent": "vector", "latent_size": 3}])
def test_generators_have_norm_one_whatever_the_weights(settings: dict[str, Any]) -> None:
    moving = model(3, **settings)
    with torch.no_grad():
        moving.raw_coefficients.mul_(torch.tensor([[1e-4], [1.0], [1e4]]))
    torch.testing.assert_close(moving.coefficients.norm(dim=1), torch.ones(3))
    moving.set_coefficients(7 * torch.eye(6)[:3].double())
    torch.testing.assert_close(moving.coefficients, torch.eye(6)[:3])
    torch.testing.assert_close(moving.raw_coefficients.detach(), torch.eye(6)[:3])


def test_steps_of_an_optimiser_keep_the_norm() -> None:
    moving = model(2)
    optimiser = torch.optim.SGD(moving.parameters(), lr=0.5)
    for _ in range(3):
        optimiser.zero_grad()
        moving(*images()).moved.square().mean().backward()
        optimiser.step()
    torch.testing.assert_close(moving.coefficients.norm(dim=1), torch.ones(2))


@pytest.mark.parametrize(
    ("generators", "settings"),
    [
        (1, {}),
        (2, {"closure": True, "magnitude_hidden": []}),
        (3, {"closure": True, "channels": 4}),
        (3, {"latent": "vector", "latent_size": 3}),
    ],
)
def test_turning_generators_round_changes_nothing_but_signs(generators: int, settings: dict[str, Any]) -> None:
    moving = model(generators, 5, **settings)
    sign = torch.tensor([-1.0, 1.0, -1.0])[:generators]
    with torch.no_grad():
        before, coefficients = moving(*images()), moving.coefficients.clone()
        moving.flip(sign)
        after = moving(*images())
    for name in ("latent_source", "latent_target", "latent_moved", "source", "target", "moved"):
        torch.testing.assert_close(getattr(after, name), getattr(before, name), rtol=1e-4, atol=1e-5)
    assert float((after.latent_moved - after.latent_source).abs().max()) > 1e-3
    torch.testing.assert_close(moving.coefficients, sign[:, None] * coefficients)
    torch.testing.assert_close(after.t[:, :generators], sign * before.t[:, :generators])
    moving.flip(sign)
    torch.testing.assert_close(moving.coefficients, coefficients)


def test_a_forward_pass_gives_what_its_parts_give() -> None:
    moving = model(2, channels=4).eval()
    source, target = images(3)
    with torch.no_grad():
        output = moving(source, target)
        t = moving.magnitude(torch.cat((source, target), dim=1))
        torch.testing.assert_close(output.t, t)
        torch.testing.assert_close(output.latent_source, moving.encoder(source))
        torch.testing.assert_close(output.latent_target, moving.encoder(target))
        torch.testing.assert_close(output.latent_moved, moving.move(moving.encoder(source), t), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(output.source, moving.decoder(moving.encoder(source)))
        torch.testing.assert_close(output.target, moving.decoder(moving.encoder(target)))
        torch.testing.assert_close(output.moved, moving.decoder(output.latent_moved))


@pytest.mark.parametrize("encoder", ["mlp", "linear", "conv"])
@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("latent", ["patch", "vector"])
def test_shapes_of_a_forward_pass(encoder: str, count: int, latent: str) -> None:
    moving = model(2, encoder=encoder, latent=latent, latent_size=25)
    output = moving(*images(count))
    assert output.t.shape == (count, 2)
    assert all(z.shape == (count, 25) for z in output[1:4])
    assert all(decoded.shape == (count, *SHAPE) for decoded in output[4:])


def test_a_pair_does_not_depend_on_its_batch() -> None:
    moving = model(1).eval()
    source, target = images(4)
    with torch.no_grad():
        together, alone = moving(source, target), moving(source[2:3], target[2:3])
    for whole, part in zip(together, alone, strict=True):
        torch.testing.assert_close(whole[2:3], part, rtol=1e-4, atol=1e-5)


def test_the_seed_decides_the_first_weights_and_no_other_random_state_is_touched() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    states = [model(2, seed, latent="vector", latent_size=3).state_dict() for seed in (4, 4, 5)]
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name])
    assert not torch.equal(states[0]["raw_coefficients"], states[2]["raw_coefficients"])
    assert not torch.equal(states[0]["action.matrices"], states[2]["action.matrices"])


def test_operators_follow_from_the_settings_and_are_not_kept_with_the_weights() -> None:
    assert not any("operators" in name for name in model(1).state_dict())
    assert model(1, basis=quadratic()).coefficients.shape == (1, 12)
