"""Settings: what comes with the package, what is read, and every fault in one message."""

from __future__ import annotations

import importlib.resources
import json
import math
import tomllib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import ValidationError

from liescope.engines.latent import (
    PRESETS,
    LatentConfig,
    LossConfig,
    ModelConfig,
    TrainedLatent,
    TrainingConfig,
    get_config,
)
from liescope.errors import InputError


def preset_text(name: str) -> str:
    return (importlib.resources.files("liescope.engines.latent") / "presets" / f"{name}.toml").read_text("utf-8")


def refusal(content: Any) -> str:
    """The one line with which settings are refused."""
    with pytest.raises(InputError) as caught:
        get_config(content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what comes with the package


def test_the_default_preset_is_the_models_own_defaults() -> None:
    assert get_config("default") == get_config(None) == get_config({}) == LatentConfig()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_states_every_key_so_that_it_can_be_copied(name: str) -> None:
    content = tomllib.loads(preset_text(name))
    for section, model in (("model", ModelConfig), ("loss", LossConfig), ("training", TrainingConfig)):
        # The order of the polynomial belongs to one form of alpha matching only.
        stated = set(content[section]) | {"taylor_order"}
        assert stated - {"taylor_order"} <= set(model.model_fields)
        assert set(model.model_fields) <= stated


def test_the_default_preset_says_what_every_key_means() -> None:
    lines = [line for line in preset_text("default").splitlines() if "=" in line.split("#")[0]]
    plain = {"layer_norm", "dropout", "epochs", "batch_size", "learning_rate", "coefficient_rate", "devices"}
    unexplained = {line.split("=")[0].strip() for line in lines if "#" not in line}
    assert unexplained == plain


def test_the_paper_preset_has_the_published_numbers() -> None:
    config = get_config("paper")
    assert config.model.hidden == config.model.magnitude_hidden == [512, 256, 128, 64]
    assert (config.model.latent_size, config.model.negative_slope, config.model.kernel) == (
        81,
        0.2,
        "shannon-whittaker",
    )
    loss = config.loss
    assert (loss.reconstruction, loss.latent, loss.alpha, loss.lasso) == (1.0, 1e-3, 1.0, 0.1)
    assert loss.lasso_of == "raw"
    assert (loss.alpha_form, loss.taylor_order, loss.distillation, loss.consistency) == ("taylor", 1, 0.0, 0.0)
    training = config.training
    assert (training.learning_rate, training.coefficient_rate, training.batch_size) == (1e-3, 1e-2, 1024)
    assert (training.warm_start, training.schedule, training.gradient_clip) == (False, "constant", 0.0)


# --- what is read


def test_the_same_settings_from_every_form(tmp_path: Path) -> None:
    content: dict[str, dict[str, Any]] = {
        "model": {"channels": 4},
        "loss": {"lasso": 0.25},
        "training": {"epochs": 7},
    }
    (tmp_path / "mine.toml").write_text("model.channels = 4\n[loss]\nlasso = 0.25\n[training]\nepochs = 7\n")
    (tmp_path / "mine.json").write_text(json.dumps(content))
    expected = LatentConfig(
        model=ModelConfig(channels=4), loss=LossConfig(lasso=0.25), training=TrainingConfig(epochs=7)
    )
    forms: list[Any] = [
        content,
        OrderedDict(content),
        MappingProxyType({name: MappingProxyType(keys) for name, keys in content.items()}),
        tmp_path / "mine.toml",
        str(tmp_path / "mine.json"),
        expected,
        {"model": ModelConfig(channels=4), "loss": {"lasso": 0.25}, "training": {"epochs": 7}},
    ]
    for form in forms:
        assert get_config(form) == expected


def test_what_is_left_out_has_the_defaults_and_whole_numbers_are_numbers() -> None:
    config = get_config({"loss": {"alpha": 2}})
    assert config.loss.alpha == 2.0
    assert config.model == ModelConfig()


def test_the_config_file_of_a_result_can_be_trained_with_again(
    untrained: Callable[..., TrainedLatent], tmp_path: Path
) -> None:
    latent = untrained(model_channels=4)
    latent.save(tmp_path)
    assert get_config(tmp_path / "config.json") == latent.config


def test_settings_survive_json_and_cannot_be_changed() -> None:
    config = get_config("paper")
    assert get_config(json.loads(json.dumps(config.model_dump()))) == config
    with pytest.raises(ValidationError, match="frozen"):
        config.model.channels = 3


# --- what is refused


def test_every_fault_is_in_the_one_message() -> None:
    message = refusal(
        {
            "modle": {},
            "model": {"latent_size": 80, "kernel": "gausian", "chanels": 2, "hidden": [64, "wide"]},
            "loss": {"alpha_form": "taylor", "lasso": -1},
            "training": {"epochs": 0, "warm_start": "yes", "patience": 2.5},
        }
    )
    for part in (
        "unknown key modle. Did you mean 'model'?",
        "expected model.latent_size to be a square number of at least 9 for patches, got 80, try 81",
        "unknown model.kernel 'gausian'. Did you mean 'gaussian'?",
        "unknown key model.chanels. Did you mean 'channels'?",
        "model.hidden.1: expected a valid integer, got 'wide'",
        'loss.alpha_form = "taylor" needs loss.taylor_order',
        "loss.lasso: expected greater than or equal to 0, got -1",
        "training.epochs: expected greater than or equal to 1, got 0",
        "training.warm_start: expected a valid boolean, got 'yes'",
        "training.patience: expected a valid integer, got 2.5",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"loss": {"alpha_form": "exact", "taylor_order": 2}}, "loss.taylor_order has no place"),
        ({"model": {"latent": "vector", "channels": 2}}, 'model.channels = 1 with model.latent = "vector"'),
        ({"model": {"latent": "vector", "closure": True}}, "model.closure has no place"),
        ({"model": {"latent": "vector"}, "loss": {"alpha": 0}}, "needs loss.alpha > 0"),
        ({"model": {"encoder": "linear", "layer_norm": True}}, "model.layer_norm has no place"),
        ({"model": {"encoder": "mpl"}}, "model.encoder: expected 'mlp', 'linear' or 'conv', got 'mpl'"),
        ({"model": {"latent_size": 4}}, "square number of at least 9 for patches, got 4, try 9"),
        ({"model": {"latent_size": 2**15}}, "model.latent_size: expected less than or equal to"),
        ({"model": {"hidden": [0]}}, "model.hidden.0: expected greater than or equal to 1, got 0"),
        ({"training": {"held_out": 1.0}}, "training.held_out: expected less than 1, got 1.0"),
        ({"training": {"learning_rate": 0}}, "training.learning_rate: expected greater than 0, got 0"),
        ({"training": {"schedule": "cosine"}}, "training.schedule"),
        ({"training": {"epochs": True}}, "training.epochs: expected a valid integer, got True"),
    ],
)
def test_wrong_and_contradictory_settings(content: dict[str, Any], message: str) -> None:
    assert message in refusal(content)


@pytest.mark.parametrize("size", [9, 16, 25, 81, 1024])
def test_square_latents_are_fine(size: int) -> None:
    assert get_config({"model": {"latent_size": size}}).model.side ** 2 == size


@pytest.mark.parametrize("size", [2, 3, 10])
def test_vectors_need_no_square(size: int) -> None:
    assert get_config({"model": {"latent": "vector", "latent_size": size}}).model.latent_size == size


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite(value: float) -> None:
    places = {
        "model": ("dropout", "negative_slope"),
        "loss": ("reconstruction", "latent", "alpha", "lasso", "distillation", "consistency"),
        "training": ("learning_rate", "coefficient_rate", "gradient_clip", "held_out"),
    }
    message = refusal({section: dict.fromkeys(keys, value) for section, keys in places.items()})
    for section, keys in places.items():
        for key in keys:
            assert f"{section}.{key}: expected" in message


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ({"model": 3}, ["model: expected", "got 3"]),
        ({"model": None, "loss": []}, ["model: expected", "loss: expected"]),
        ({"model": "default", "training": {"epochs": -1}}, ["model: expected", "training.epochs: expected"]),
        ({"model": ModelConfig(), "loss": {"alfa": 1}}, ["Did you mean 'alpha'?"]),
        (MappingProxyType({"model": 3}), ["model: expected"]),
    ],
)
def test_sections_that_are_no_mappings(content: Any, messages: list[str]) -> None:
    found = refusal(content)
    for message in messages:
        assert message in found


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mine.toml", b"model = {", "expected TOML"),
        ("mine.json", b'{"model": {', "expected TOML (or JSON in a .json file)"),
        ("mine.toml", b"\xff\xfe", "expected a settings file or a preset (default, paper)"),
        ("mine.json", b"[1]", "got list"),
        ("mine.json", b'{"config": 3}', "got int"),
        ("mine.toml", b"[model]\nchannels = nan\n", "model.channels: expected a valid integer, got nan"),
    ],
)
def test_files_that_hold_no_settings(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    found = refusal(tmp_path / name)
    assert message in found
    assert name in found


def test_no_such_file_and_no_such_preset(tmp_path: Path) -> None:
    assert "expected a settings file or a preset (default, paper), got no such file 'papr'" in refusal("papr")
    assert "expected a settings file or a preset" in refusal(tmp_path)
