"""The search of a cold start: alpha matching alone, coarse to fine, from random coefficients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from liescope.data import make_pairs
from liescope.engines.latent import LatentConfig, LatentModel, fit_latent
from liescope.engines.latent.batches import PairTensors
from liescope.engines.latent.search import blurred, search
from liescope.errors import ComputationError
from liescope.evaluation import field_cosine, principal_angles
from liescope.geometry import Basis, affine, quadratic

Digits = tuple[Tensor, Tensor, Tensor]
MakeConfig = Callable[..., LatentConfig]
SHAPE = (1, 28, 28)


def tensors(
    transform: str, half_width: float | tuple[float, ...], count: int, seed: int
) -> tuple[PairTensors, np.ndarray]:
    """Real digits and their copies, made with cubic splines, and the true generators; nothing known of t."""
    pairs = make_pairs(transform=transform, range=half_width, pairs=count, order=3, seed=seed)
    source, target = (torch.from_numpy(np.asarray(stack))[:, None] for stack in (pairs.source, pairs.target))
    generators = np.asarray(pairs.meta["generators"])
    return PairTensors(source, target, torch.full((count, len(generators)), torch.nan)), generators


def split(pairs: PairTensors, held: int) -> tuple[PairTensors, PairTensors]:
    return PairTensors(*pairs[torch.arange(held, len(pairs))]), PairTensors(*pairs[torch.arange(held)])


# --- what it finds


@pytest.mark.parametrize(
    ("transform", "half_width", "seed"),
    [("rotation", 75.0, 0), ("rotation", 75.0, 1), ("scale", 0.4, 2), ("shear-y", 0.5, 3)],
)
def test_the_generator_is_found_from_random_coefficients(
    transform: str, half_width: float, seed: int, small: MakeConfig
) -> None:
    pairs, (truth,) = tensors(transform, half_width, 1200, seed)
    config = small(training_search_steps=250, training_batch_size=64, model_magnitude_hidden=[128, 64])
    model = LatentModel(config.model, affine(), SHAPE, 1, seed)
    begun = field_cosine(truth, model.coefficients.detach().numpy()[0], affine(), SHAPE[1:])
    train_on, held_out = split(pairs, 200)
    error = search(model, config, train_on, held_out, seed=seed)
    found = field_cosine(truth, model.coefficients.detach().numpy()[0], affine(), SHAPE[1:])
    assert begun < 0.95
    assert found > 0.999
    assert error < 0.6 * float((held_out.source - held_out.target).square().mean())


def test_the_span_of_two_generators_is_found(small: MakeConfig) -> None:
    pairs, truth = tensors("rotation+scale", (50.0, 0.3), 1200, 0)
    config = small(training_search_steps=250, training_batch_size=64, model_magnitude_hidden=[128, 64])
    model = LatentModel(config.model, affine(), SHAPE, 2, 0)
    search(model, config, *split(pairs, 200), seed=0)
    angles = principal_angles(truth, model.coefficients.detach().numpy(), affine(), SHAPE[1:])
    assert np.all(angles < 3)


def test_the_weight_of_alpha_matching_and_its_form_do_not_matter(digit_pairs: Digits, small: MakeConfig) -> None:
    pairs = PairTensors(*digit_pairs)
    ends = []
    for changes in (
        {},
        {"loss_alpha": 1e-3},
        {"loss_alpha": 100.0, "loss_alpha_form": "taylor", "loss_taylor_order": 1},
    ):
        config = small(training_search_steps=5, **changes)
        model = LatentModel(config.model, affine(), SHAPE, 1, 0)
        ends.append((search(model, config, *split(pairs, 16), seed=0), model.coefficients.detach()))
    for error, coefficients in ends[1:]:
        assert error == ends[0][0]
        assert torch.equal(coefficients, ends[0][1])


@pytest.mark.parametrize(
    ("basis", "generators", "settings"),
    [
        (affine(), 2, {"model_closure": True}),
        (affine(), 1, {"model_latent": "vector", "model_latent_size": 3}),
        (quadratic(), 1, {"model_channels": 4}),
        (quadratic(), 3, {"model_encoder": "conv"}),
    ],
)
def test_every_kind_of_model_is_searched_for(
    basis: Basis, generators: int, settings: dict[str, Any], digit_pairs: Digits, small: MakeConfig
) -> None:
    config = small(training_search_steps=30, training_learning_rate=0.005, **settings)
    model = LatentModel(config.model, basis, SHAPE, generators, 0)
    train_on, held_out = split(PairTensors(*digit_pairs), 16)
    error = search(model, config, train_on, held_out, seed=0)
    assert error < float((held_out.source - held_out.target).square().mean())
    assert model.coefficients.shape == (generators, basis.dimension)


# --- what it touches


def test_only_the_network_of_t_and_the_coefficients_are_trained(digit_pairs: Digits, small: MakeConfig) -> None:
    config = small(training_search_steps=3)
    model, untouched = (LatentModel(config.model, affine(), SHAPE, 1, 0) for _ in range(2))
    search(model, config, *split(PairTensors(*digit_pairs), 16), seed=0)
    before = dict(untouched.named_parameters())
    for name, value in model.named_parameters():
        trained = name.startswith("magnitude.") or name == "raw_coefficients"
        assert torch.equal(value, before[name]) != trained, name
    assert model.training


def test_known_magnitudes_are_not_looked_at(digit_pairs: Digits, small: MakeConfig) -> None:
    source, target, t = digit_pairs
    config = small(training_search_steps=4)
    ends = []
    for known in (t, torch.full_like(t, torch.nan)):
        model = LatentModel(config.model, affine(), SHAPE, 1, 0)
        search(model, config, *split(PairTensors(source, target, known), 16), seed=0)
        ends.append(model.coefficients.detach())
    assert torch.equal(*ends)


def test_a_rerun_gives_the_same_bits_and_another_seed_does_not(digit_pairs: Digits, small: MakeConfig) -> None:
    config = small(training_search_steps=6, model_dropout=0.3)

    def end(seed: int) -> Tensor:
        model = LatentModel(config.model, affine(), SHAPE, 1, 0)
        torch.rand(1)  # what was drawn before does not matter
        search(model, config, *split(PairTensors(*digit_pairs), 16), seed=seed)
        return model.coefficients.detach()

    assert torch.equal(end(3), end(3))
    assert not torch.equal(end(3), end(4))


@pytest.mark.parametrize("steps", [1, 10, 47])
def test_progress_begins_at_nothing_and_rises(steps: int, digit_pairs: Digits, small: MakeConfig) -> None:
    config = small(training_search_steps=steps)
    seen: list[float] = []
    model = LatentModel(config.model, affine(), SHAPE, 1, 0)
    search(model, config, *split(PairTensors(*digit_pairs), 16), seed=0, report=seen.append)
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[-1] < 1


def test_a_loss_that_is_not_finite_ends_it(digit_pairs: Digits, small: MakeConfig) -> None:
    source, target, t = digit_pairs
    config = small(training_search_steps=3)
    model = LatentModel(config.model, affine(), SHAPE, 1, 0)
    with pytest.raises(ComputationError, match="the loss is not finite at step 0 of a search"):
        search(model, config, *split(PairTensors(source, target * torch.nan, t), 16), seed=0)


def test_without_a_search_all_losses_are_trained_from_the_random_start(digit_pairs: Digits, small: MakeConfig) -> None:
    config = small(
        training_epochs=1, training_search_steps=0, training_learning_rate=1e-30, training_coefficient_rate=0.0
    )
    fitted = fit_latent(*digit_pairs[:2], affine(), 1, config, seed=4)
    assert fitted.notices == ()
    random = LatentModel(config.model, affine(), SHAPE, 1, 4)
    assert torch.equal(fitted.model.coefficients, random.coefficients)


# --- the blur


@pytest.mark.parametrize("deviation", [0.8, 2.0, 5.0])
def test_the_blur_is_a_gaussian_with_nothing_outside(deviation: float, digit_pairs: Digits) -> None:
    images = digit_pairs[0][:4, :, 3:, :]  # no square
    expected = ndimage.gaussian_filter(
        images.double().numpy(), (0, 0, deviation, deviation), mode="constant", truncate=8
    )
    # Ours is integrated over every pixel, scipy's is sampled in its middle: as if 1/12 were added to the variance.
    wider = (deviation**2 - 1 / 12) ** 0.5
    integrated = blurred(images, wider).numpy()
    np.testing.assert_allclose(integrated, expected, atol=0.01 / deviation)


def test_less_than_a_third_of_a_pixel_is_no_blur(digit_pairs: Digits) -> None:
    assert blurred(digit_pairs[0], 0.29) is digit_pairs[0]
