"""Every term of the loss against sums written out by hand, and its gradient where nothing moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

from liescope.engines.latent import TERMS, LatentModel, LatentOutput, LossConfig, ModelConfig, PixelAction, loss_terms
from liescope.engines.latent.losses import consistency_pairs, distillation
from liescope.geometry import Grid, affine, transport_images

SHAPE = (2, 6, 5)
COUNT = 4
NOTHING = {"reconstruction": 0.0, "latent": 0.0, "alpha": 0.0, "lasso": 0.0, "distillation": 0.0, "consistency": 0.0}


def made(generators: int = 2, seed: int = 0, **settings: Any) -> tuple[LatentModel, LatentOutput, Tensor, Tensor]:
    """A model, and outputs that are no model's: random numbers in the right shapes."""
    content = {"latent_size": 9, "hidden": [8], "magnitude_hidden": [8]} | settings
    model = LatentModel(ModelConfig.model_validate(content), affine(), SHAPE, generators, seed)
    random = torch.Generator().manual_seed(seed)
    t = 0.3 * torch.randn(COUNT, model.magnitude_count, generator=random)
    latents = torch.randn(3, COUNT, 9, generator=random)
    images = torch.randn(5, COUNT, *SHAPE, generator=random)
    return model, LatentOutput(t, *latents, *images[:3]), images[3], images[4]


def pixels(order: int | None = None, closure: bool = False) -> PixelAction:
    return PixelAction(affine(), Grid.of(*SHAPE[1:]), order, "shannon-whittaker", closure, torch.device("cpu"))


def mean_square(a: Tensor, b: Tensor) -> float:
    """Written out pixel by pixel."""
    first, second = (v.detach().double().numpy().ravel().tolist() for v in (a, b))
    total = 0.0
    for x, y in zip(first, second, strict=True):
        total += (x - y) ** 2
    return total / len(first)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("order", [None, 1])
def test_every_term_against_sums_by_hand(seed: int, order: int | None) -> None:
    model, output, source, target = made(seed=seed)
    form: dict[str, Any] = {"alpha_form": "taylor", "taylor_order": order} if order else {}
    weights = LossConfig(reconstruction=0.5, latent=3.0, alpha=0.25, lasso=0.125, **form)
    found = loss_terms(model, output, source, target, pixels(order), weights)
    moved = pixels(order)(source, output.t, model.coefficients)
    lasso = sum(abs(float(v)) for v in model.coefficients.detach().ravel()) / 2
    expected = {
        "moved": mean_square(output.moved, target),
        "reconstruction": 0.5 * (mean_square(output.source, source) + mean_square(output.target, target)),
        "latent": 3.0 * mean_square(output.latent_moved, output.latent_target),
        "alpha": 0.25 * mean_square(moved, target),
        "lasso": 0.125 * lasso,
    }
    assert list(found) == list(expected)
    assert set(found) <= set(TERMS)
    for name, value in expected.items():
        assert float(found[name].detach()) == pytest.approx(value, rel=1e-5), name


def test_the_alpha_term_moves_the_source_and_not_the_target() -> None:
    model, output, source, _ = made(generators=1)
    model.set_coefficients(torch.tensor([[1.0, 0, 0, 0, 0, 0]]))
    t = torch.full((COUNT, 1), 1 / 3)  # one pixel of six to the right
    target = torch.zeros_like(source)
    target[..., 1:] = source[..., :-1]
    only_alpha = LossConfig.model_validate(NOTHING | {"alpha": 1.0})
    found = loss_terms(model, output._replace(t=t), source, target, pixels(), only_alpha)
    assert float(found["alpha"].detach()) < 1e-10
    other = loss_terms(model, output._replace(t=-t), source, target, pixels(), only_alpha)
    assert float(other["alpha"].detach()) > 0.1


def test_terms_of_weight_zero_are_not_computed() -> None:
    model, output, source, target = made()
    found = loss_terms(model, output, source, target, pixels(), LossConfig.model_validate(NOTHING))
    assert list(found) == ["moved"]


def test_lasso_is_smallest_for_a_single_coefficient() -> None:
    model, output, source, target = made(generators=1)
    lasso = LossConfig.model_validate(NOTHING | {"lasso": 1.0})
    values = []
    for row in ([1.0, 0, 0, 0, 0, 0], [0, 0, -1.0, 0, 1.0, 0], [1.0] * 6):
        model.set_coefficients(torch.tensor([row]))
        values.append(float(loss_terms(model, output, source, target, pixels(), lasso)["lasso"].detach()))
    assert values == pytest.approx([1, 2**0.5, 6**0.5])


def test_lasso_of_raw_coefficients_counts_their_norm() -> None:
    model, output, source, target = made(generators=1)
    values = {}
    for of in ("unit", "raw"):
        lasso = LossConfig.model_validate(NOTHING | {"lasso": 1.0, "lasso_of": of})
        with torch.no_grad():
            model.raw_coefficients.copy_(torch.tensor([[0.0, 0, -3.0, 0, 3.0, 0]]))
        values[of] = float(loss_terms(model, output, source, target, pixels(), lasso)["lasso"].detach())
    assert values == pytest.approx({"unit": 2**0.5, "raw": 6.0})


def test_distillation_counts_known_magnitudes_only() -> None:
    t = torch.tensor([[1.0, 2.0, 9.0], [3.0, 4.0, 9.0], [5.0, 6.0, 9.0]])
    known = torch.tensor([[0.5, torch.nan], [torch.nan, 1.0], [torch.nan, torch.nan]])
    # Closure factors, here the third column, have no known magnitude.
    assert float(distillation(t, known)) == pytest.approx((0.5**2 + 3.0**2) / 2)
    t.requires_grad_()
    distillation(t, known).backward()
    assert t.grad is not None
    np.testing.assert_allclose(t.grad, [[0.5, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])


def test_distillation_of_nothing_known_is_nothing() -> None:
    t = torch.ones(3, 1, requires_grad=True)
    nothing = distillation(t, torch.full((3, 1), torch.nan))
    nothing.backward()
    assert float(nothing.detach()) == 0
    assert t.grad is not None
    assert not bool(t.grad.any())


@pytest.mark.parametrize("closure", [False, True])
def test_consistency_pairs_are_sources_moved_by_the_magnitudes_of_other_pairs(closure: bool) -> None:
    model, output, source, _ = made(closure=closure)
    known = torch.full((COUNT, 2), torch.nan)
    known[1] = torch.tensor([0.2, -0.1])
    known[2, 0] = 0.4
    moved, law = consistency_pairs(model, pixels(closure=closure), source, output.t, known)
    expected = output.t.numpy().copy()
    expected[1, :2], expected[2, 0] = [0.2, -0.1], 0.4
    expected = expected[[3, 0, 1, 2]]
    np.testing.assert_allclose(law, expected)
    assert moved.shape == source.shape
    assert not moved.requires_grad
    assert not law.requires_grad
    with torch.no_grad():
        np.testing.assert_allclose(moved, pixels(closure=closure)(source, law, model.coefficients), atol=1e-6)


def test_consistency_does_not_teach_what_no_image_shows() -> None:
    model, output, source, _ = made(generators=1)
    turn = torch.tensor([[0.0, 0.0, -1.0, 0.0, 1.0, 0.0]])
    model.set_coefficients(turn)
    # The corners of 6 x 5 pixels, side 1 being 3 pixels: half a turn of a square's corner, at their speed.
    radius = np.hypot(2.5, 2.0) / 3
    farthest = np.pi * np.sqrt(2) / (radius / np.sqrt(2))
    output.t[:, 0] = torch.tensor([0.5, -80.0, 80.0, 80.0])
    known = torch.tensor([[torch.nan], [torch.nan], [torch.nan], [80.0]])
    _, law = consistency_pairs(model, pixels(), source, output.t, known)
    np.testing.assert_allclose(law[:, 0], [80.0, 0.5, -farthest, farthest], rtol=1e-5)


def test_consistency_of_a_batch_of_one() -> None:
    model, output, source, _ = made(generators=1)
    moved, law = consistency_pairs(model, pixels(), source[:1], output.t[:1], torch.full((1, 1), torch.nan))
    np.testing.assert_allclose(law, output.t[:1])
    assert moved.shape == (1, *SHAPE)


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize(
    ("generators", "settings", "form"),
    [
        (1, {}, {}),
        (2, {"closure": True}, {}),
        (2, {"channels": 4}, {"alpha_form": "taylor", "taylor_order": 2}),
        (1, {"latent": "vector", "latent_size": 3}, {}),
        (1, {"encoder": "conv"}, {}),
        (1, {"encoder": "linear", "kernel": "gaussian"}, {}),
    ],
)
def test_gradients_of_the_whole_loss_are_finite_where_t_is_zero(
    count: int, generators: int, settings: dict[str, Any], form: dict[str, Any]
) -> None:
    model = made(generators, **settings)[0]
    last = [layer for layer in model.magnitude.modules() if isinstance(layer, nn.Linear)][-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    random = torch.Generator().manual_seed(1)
    source, target = torch.rand(2, count, *SHAPE, generator=random)
    weights = LossConfig.model_validate({"lasso": 0.1} | form)
    pixel_action = pixels(weights.taylor_order, model.config.closure)
    output = model(source, target)
    assert not bool(output.t.any())
    terms = loss_terms(model, output, source, target, pixel_action, weights)
    terms["distillation"] = distillation(output.t, torch.ones(count, generators))
    moved, t = consistency_pairs(model, pixel_action, source, output.t, torch.full((count, generators), torch.nan))
    terms["consistency"] = (model.magnitudes(source, moved) - t - 1).square().mean()
    torch.stack(list(terms.values())).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert bool(torch.isfinite(parameter.grad).all()), name
    assert last.bias.grad is not None
    assert bool(last.bias.grad.any())  # t is drawn away from zero


def test_the_alpha_term_alone_draws_t_towards_the_truth() -> None:
    model, output, source, _ = made(generators=1)
    model.set_coefficients(torch.tensor([[1.0, 0, 0, 0, 0, 0]]))
    x = Grid.of(*SHAPE[1:]).points()[:, 0].reshape(1, 1, *SHAPE[1:])
    source = (1 - x.square()).expand(COUNT, *SHAPE).contiguous()
    target = transport_images(source, affine(), torch.tensor([0.3, 0, 0, 0, 0, 0]))
    t = torch.zeros(COUNT, 1, requires_grad=True)
    only_alpha = LossConfig.model_validate(NOTHING | {"alpha": 1.0})
    loss_terms(model, output._replace(t=t), source, target, pixels(), only_alpha)["alpha"].backward()
    assert t.grad is not None
    assert bool((t.grad < 0).all())


@pytest.mark.parametrize("value", [0.0, 0.1, -0.2])
@pytest.mark.parametrize("seed", range(3))
def test_the_alpha_terms_gradient_in_t_against_differences_of_scipys_shift(value: float, seed: int) -> None:
    """At t = 0 too, where linear interpolation has kinks: planes have none, and at borders the target is the source."""
    rng = np.random.default_rng(seed)
    channels, height, width = SHAPE
    s = max(height, width) / 2
    x = (np.arange(width) - (width - 1) / 2) / s
    source = rng.normal(size=(COUNT, channels, 1, 1)) * x + rng.normal(size=(COUNT, channels, height, 1))
    inner = np.zeros((height, width))
    inner[1:-1, 1:-1] = 1
    target = source + inner * rng.normal(size=source.shape)
    at = value * rng.uniform(0.5, 1, (COUNT, 1))

    def loss(t: np.ndarray) -> float:
        # A shift along x by t; t s pixels.
        moved = [
            ndimage.shift(v, (0, 0, step * s), order=1, mode="grid-constant")
            for v, step in zip(source, t[:, 0], strict=True)
        ]
        return float(np.square(np.stack(moved) - target).mean())

    expected = np.zeros_like(at)
    for n in range(COUNT):
        step = 1e-5 * np.eye(COUNT)[:, n : n + 1]
        expected[n] = (loss(at + step) - loss(at - step)) / 2e-5
    model, output, *_ = made(generators=1)
    model.set_coefficients(torch.tensor([[1.0, 0, 0, 0, 0, 0]]))
    t = torch.tensor(at, dtype=torch.float32, requires_grad=True)
    only_alpha = LossConfig.model_validate(NOTHING | {"alpha": 1.0})
    x_images, y_images = torch.tensor(source, dtype=torch.float32), torch.tensor(target, dtype=torch.float32)
    loss_terms(model, output._replace(t=t), x_images, y_images, pixels(), only_alpha)["alpha"].backward()
    assert t.grad is not None
    np.testing.assert_allclose(t.grad, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
