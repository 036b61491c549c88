"""A latent model fitted to pairs: warm and cold starts, notices, and what is refused before any work."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import liescope.engines.latent.search
import liescope.engines.latent.training
from liescope.engines.latent import LatentConfig, WarmStart, fit_latent, held_out_split
from liescope.errors import ComputationError, InputError
from liescope.geometry import affine, quadratic

Digits = tuple[Tensor, Tensor, Tensor]
MakeConfig = Callable[..., LatentConfig]
ROTATION = np.array([[0, 0, -1, 0, 1, 0]]) / 2**0.5


@pytest.mark.parametrize(("count", "share", "held"), [(10, 0.2, 2), (3, 0.01, 1), (100, 0.5, 50), (11, 0.8, 9)])
def test_the_split_covers_all_pairs_once(count: int, share: float, held: int) -> None:
    train_on, held_out = held_out_split(count, share, 3)
    assert len(held_out) == held
    assert sorted([*train_on, *held_out]) == list(range(count))
    for part in (train_on, held_out):
        assert np.all(np.diff(part) > 0)
    again = held_out_split(count, share, 3)
    np.testing.assert_array_equal(again[1], held_out)
    if count > 50:
        assert not np.array_equal(held_out_split(count, share, 4)[1], held_out)


@pytest.mark.parametrize(("count", "share"), [(1, 0.2), (2, 0.2), (10, 0.9)])
def test_too_few_pairs_for_both_parts(count: int, share: float) -> None:
    with pytest.raises(InputError, match=rf"at least 2 pairs to train on and one held out, got {count} pairs"):
        held_out_split(count, share, 0)


@pytest.mark.parametrize("count", [1, 2])
def test_a_single_training_pair_is_refused(count: int, digit_pairs: Digits, small: MakeConfig) -> None:
    source, target, _ = digit_pairs
    with pytest.raises(InputError, match="try more pairs"):
        fit_latent(source[:count], target[:count], affine(), 1, small())


def test_the_fewest_pairs_that_can_be_trained_on(digit_pairs: Digits, small: MakeConfig) -> None:
    source, target, _ = digit_pairs
    fitted = fit_latent(source[:3], target[:3], affine(), 1, small(training_batch_size=1))
    assert len(fitted.held_out) == 1
    assert len(fitted.history) == 4
    assert fitted.notices == ()


def test_a_batch_larger_than_the_data_is_told(digit_pairs: Digits, small: MakeConfig) -> None:
    source, target, _ = digit_pairs
    fitted = fit_latent(source[:10], target[:10], affine(), 1, small(training_batch_size=64, training_epochs=1))
    assert fitted.notices == ("batches of 8, not 64: there are no more pairs to train on",)


def test_without_lightning_the_line_says_what_to_install(
    digit_pairs: Digits, small: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec

    def missing(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "lightning" else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    with pytest.raises(InputError, match=r"try pip install lightning, or pip install '.\[latent\]'"):
        fit_latent(*digit_pairs[:2], affine(), 1, small())


def test_closure_in_an_open_basis_is_refused_before_any_work(
    digit_pairs: Digits, small: MakeConfig, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="closed under the bracket, got 'quadratic', try affine"):
        fit_latent(*digit_pairs[:2], quadratic(), 2, small(model_closure=True), folder=tmp_path / "work")
    assert not (tmp_path / "work").exists()


# --- starts


def test_a_warm_start_is_where_the_training_begins(digit_pairs: Digits, small: MakeConfig) -> None:
    source, target, t = digit_pairs
    config = small(training_epochs=6, training_distil_epochs=6, training_learning_rate=0.01)
    fits = {}
    for name, known in {"true": t, "reversed": -t, "unknown": torch.full_like(t, torch.nan)}.items():
        fits[name] = fit_latent(source, target, affine(), 1, config, start=WarmStart(ROTATION, known.double().numpy()))
    for fitted in fits.values():
        assert float(fitted.model.coefficients.detach()[0] @ torch.tensor(ROTATION[0]).float()) > 0.98
    with torch.no_grad():
        learned = {name: fitted.model.magnitudes(source, target)[:, 0].numpy() for name, fitted in fits.items()}
    # The t-network is taught the magnitudes that are known, whatever they are.
    assert np.corrcoef(learned["true"], t[:, 0])[0, 1] > 0.6
    assert np.corrcoef(learned["reversed"], t[:, 0])[0, 1] < -0.3
    assert all("distillation" in row for row in fits["true"].history)
    assert fits["unknown"].history[0]["distillation"] == 0


def test_known_magnitudes_fade_out(digit_pairs: Digits, small: MakeConfig) -> None:
    source, target, t = digit_pairs
    start = WarmStart(ROTATION, t.double().numpy())
    still = {"training_learning_rate": 1e-30, "training_coefficient_rate": 0.0, "training_distil_epochs": 3}
    history = fit_latent(source, target, affine(), 1, small(**still), start=start).history
    weights = [row.get("distillation", 0.0) / history[0]["distillation"] for row in history]
    assert weights == pytest.approx([1, 2 / 3, 1 / 3, 0], rel=1e-4)


@pytest.mark.parametrize("seed", [0, 5])
def test_a_cold_start_goes_on_where_the_best_search_arrived_and_says_so(
    seed: int, digit_pairs: Digits, small: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials: list[dict[str, Any]] = []
    begun: list[Tensor] = []
    search, train = liescope.engines.latent.search.search, liescope.engines.latent.training.train

    def watched_search(model: Any, **options: Any) -> float:
        start = model.coefficients.detach().clone()
        error = search(model, **options)
        trials.append({"begun": start, "ended": model.coefficients.detach().clone(), "error": error})
        return error

    def watched_training(model: Any, *others: Any, **options: Any) -> Any:
        begun.append(model.coefficients.detach().clone())
        return train(model, *others, **options)

    monkeypatch.setattr(liescope.engines.latent.search, "search", watched_search)
    monkeypatch.setattr(liescope.engines.latent.training, "train", watched_training)
    config = small(training_restarts=3, training_search_steps=4, training_epochs=2)
    seen: list[str] = []
    fitted = fit_latent(*digit_pairs[:2], affine(), 1, config, seed=seed, report=lambda stage, _: seen.append(stage))
    assert len(trials) == 3
    starts = torch.cat([trial["begun"] for trial in trials])
    assert float((starts @ starts.T).fill_diagonal_(0).abs().max()) < 0.99  # they differ
    best = int(np.argmin([trial["error"] for trial in trials]))
    assert len(begun) == 1
    assert torch.equal(begun[0], trials[best]["ended"])
    assert fitted.notices == (
        f"a cold start: number {best + 1} of 3 was best (held-out error in pixels {trials[best]['error']:.3g})",
    )
    assert list(dict.fromkeys(seen)) == [
        "cold start 1 of 3",
        "cold start 2 of 3",
        "cold start 3 of 3",
        "training the latent model",
    ]


def test_a_search_that_diverges_is_no_candidate(
    digit_pairs: Digits, small: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, failing, tried = liescope.engines.latent.search.search, [0], []

    def sometimes(model: Any, **options: Any) -> float:
        tried.append(model)
        if len(tried) - 1 in failing:
            raise ComputationError("the loss is not finite at step 0 of a search")
        return search(model, **options)

    monkeypatch.setattr(liescope.engines.latent.search, "search", sometimes)
    config = small(training_restarts=2, training_search_steps=3, training_epochs=1)
    fitted = fit_latent(*digit_pairs[:2], affine(), 1, config)
    assert "number 2 of 2 was best" in fitted.notices[0]
    failing.extend([2, 3])
    with pytest.raises(ComputationError, match="every cold start diverged, try a lower learning rate"):
        fit_latent(*digit_pairs[:2], affine(), 1, config)


@pytest.mark.parametrize(
    ("generators", "settings"),
    [
        (2, {"model_closure": True}),
        (3, {"model_channels": 4}),
        (1, {"model_latent": "vector", "model_latent_size": 3}),
        (1, {"model_encoder": "conv"}),
        (1, {"loss_alpha_form": "taylor", "loss_taylor_order": 1, "loss_lasso": 0.1}),
        (1, {"loss_alpha": 0.0, "loss_reconstruction": 0.0, "loss_latent": 0.0, "loss_consistency": 0.0}),
    ],
)
def test_every_kind_of_model_is_trained(
    generators: int, settings: dict[str, Any], digit_pairs: Digits, small: MakeConfig
) -> None:
    config = small(training_learning_rate=0.005, **settings)
    fitted = fit_latent(*digit_pairs[:2], affine(), generators, config)
    assert fitted.model.coefficients.shape == (generators, 6)
    assert len(fitted.history) == 4
    assert fitted.history[-1]["moved"] < 0.95 * fitted.history[0]["moved"]
    norms = fitted.model.coefficients.detach().norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(generators))


def test_images_of_several_channels_and_no_square(small: MakeConfig) -> None:
    random = torch.Generator().manual_seed(0)
    source, target = torch.rand(2, 20, 3, 7, 12, generator=random)
    fitted = fit_latent(source, target, affine(), 1, small(training_epochs=1))
    assert fitted.model.shape == (3, 7, 12)
