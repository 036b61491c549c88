"""Settings of the latent engine: strict, frozen, with every fault told at once."""

from __future__ import annotations

import importlib.resources
import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from liescope.data.guard import check_place, quoted, reason, told_path
from liescope.errors import InputError, suggest
from liescope.geometry.operators import KERNELS

__all__ = ["PRESETS", "LatentConfig", "LossConfig", "ModelConfig", "TrainingConfig", "get_config"]

PRESETS = ("default", "paper")
"""Names of the settings that come with liescope; each is a plain file to copy."""

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Width = Annotated[int, Field(ge=1, le=1 << 16)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ModelConfig(_Strict):
    """The networks and the latent space; ``presets/default.toml`` says what every key means."""

    latent: Literal["patch", "vector"] = "patch"
    latent_size: Annotated[int, Field(ge=2, le=1 << 14)] = 81
    channels: Annotated[int, Field(ge=1, le=4096)] = 1
    encoder: Literal["mlp", "linear", "conv"] = "mlp"
    hidden: list[Width] = [512, 256]
    magnitude_hidden: list[Width] = [512, 256, 128, 64]
    layer_norm: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    negative_slope: Annotated[float, Field(ge=0, le=1)] = 0.2
    kernel: str = "shannon-whittaker"
    closure: bool = False

    @property
    def side(self) -> int:
        """Pixels along a side of a latent patch."""
        return math.isqrt(self.latent_size)

    def contradictions(self) -> list[str]:
        """Faults that concern several keys, or one key's meaning."""
        faults = []
        if self.latent == "patch" and (self.side**2 != self.latent_size or self.side < 3):
            near = max(3, round(self.latent_size**0.5)) ** 2
            got = f"expected model.latent_size to be a square number of at least 9 for patches, got {self.latent_size}"
            faults.append(f"{got}, try {near}")
        if self.latent == "vector" and self.channels != 1:
            faults.append(f'expected model.channels = 1 with model.latent = "vector", got {self.channels}')
        if self.kernel not in KERNELS:
            faults.append(f"unknown model.kernel {self.kernel!r}.{suggest(self.kernel, KERNELS)}")
        if self.encoder == "linear" and self.layer_norm:
            faults.append('model.layer_norm has no place in model.encoder = "linear"')
        return faults


class LossConfig(_Strict):
    """Weights of the loss terms (the paper's equations 11-14 and two of ours)."""

    reconstruction: Weight = 1.0
    latent: Weight = 1e-3
    alpha: Weight = 1.0
    alpha_form: Literal["exact", "taylor"] = "exact"
    taylor_order: Annotated[int, Field(ge=1, le=20)] | None = None
    lasso: Weight = 0.0
    lasso_of: Literal["unit", "raw"] = "unit"
    distillation: Weight = 10.0
    consistency: Weight = 10.0

    def contradictions(self) -> list[str]:
        """Faults that concern several keys."""
        if self.alpha_form == "taylor" and self.taylor_order is None:
            return ['loss.alpha_form = "taylor" needs loss.taylor_order, 1 or 2 in the paper']
        if self.alpha_form == "exact" and self.taylor_order is not None:
            return ['loss.taylor_order has no place with loss.alpha_form = "exact"']
        return []


class TrainingConfig(_Strict):
    """How long, how fast, from where."""

    epochs: Count = 40
    batch_size: Count = 256
    learning_rate: Rate = 2e-3
    coefficient_rate: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 1e-3
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    gradient_clip: Weight = 1.0
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.2
    patience: Annotated[int, Field(ge=0)] = 0
    warm_start: bool = True
    warm_pairs: Annotated[int, Field(ge=8)] = 5000
    distil_epochs: Annotated[int, Field(ge=0)] = 20
    restarts: Annotated[int, Field(ge=1, le=100)] = 2
    search_steps: Annotated[int, Field(ge=0)] = 600
    checkpoint_every: Count = 5
    devices: Count = 1
    strategy: str = "auto"


class LatentConfig(_Strict):
    """All settings of the latent engine."""

    model: ModelConfig = ModelConfig()
    loss: LossConfig = LossConfig()
    training: TrainingConfig = TrainingConfig()

    def contradictions(self) -> list[str]:
        """Faults that concern several keys, over all sections."""
        faults = self.model.contradictions() + self.loss.contradictions()
        if self.model.latent == "vector":
            if self.loss.alpha == 0:
                faults.append('model.latent = "vector" needs loss.alpha > 0: nothing else ties the answer to pixels')
            if self.model.closure:
                faults.append('model.closure has no place with model.latent = "vector"')
        return faults


def get_config(config: str | Path | Mapping[str, Any] | LatentConfig | None = None) -> LatentConfig:
    """Settings by name of a preset, from a TOML or JSON file, from a mapping, or as they are.

    Parameters
    ----------
    config : str, path, mapping, LatentConfig or None
        Sections ``model``, ``loss``, ``training``; keys that are left out have the default preset's values.
        None is the preset ``default``.

    Raises
    ------
    InputError
        No such file or preset, not TOML or JSON, unknown, wrong or contradictory keys: all of them in one message.
    """
    if config is None:
        config = "default"
    if isinstance(config, str) and config in PRESETS:
        folder = importlib.resources.files("liescope.engines.latent")
        text = folder.joinpath(f"presets/{config}.toml").read_text("utf-8")
        content: Any = tomllib.loads(text)
        where = f"preset {config}"
    elif isinstance(config, str | Path):
        content, where = _read(Path(config)), told_path(Path(config).name)
    elif isinstance(config, LatentConfig):
        content, where = config.model_dump(), "the settings"
    else:
        content, where = config, "the settings"
    if not isinstance(content, Mapping):
        raise InputError(f"expected sections model, loss, training in {where}, got {type(content).__name__}")
    # The strict models take plain dictionaries only.
    content = {section: dict(keys) if isinstance(keys, Mapping) else keys for section, keys in content.items()}
    faults: list[str] = []
    try:
        settings = LatentConfig.model_validate(content)
    except ValidationError as error:
        entries = error.errors()
        faults = [_fault(entry) for entry in entries]
        # What contradicts itself among the sound keys is told in the same message.
        settings = LatentConfig.model_validate(_without(content, [entry["loc"] for entry in entries]))
    if faults := faults + settings.contradictions():
        raise InputError(f"{where}: {'; '.join(faults)}")
    return settings


def _without(content: Mapping[str, Any], places: list[tuple[int | str, ...]]) -> dict[str, Any]:
    """The settings without the keys at some places."""
    kept: dict[str, Any] = {}
    for section, keys in content.items():
        if (section,) not in places:
            wrong = {place[1] for place in places if place[0] == section and len(place) > 1}
            sound = isinstance(keys, BaseModel)
            kept[section] = keys if sound else {key: value for key, value in keys.items() if key not in wrong}
    return kept


def _read(path: Path) -> Any:
    what = f"a settings file or a preset ({', '.join(PRESETS)})"
    check_place(path, what)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"expected {what}, got {told_path(path)}: {reason(error)}") from None
    try:
        if path.suffix != ".json":
            return tomllib.loads(text)
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        told = f"{told_path(path)}: {reason(error)}"
        raise InputError(f"expected TOML (or JSON in a .json file) in {told}") from None
    # The config.json beside a result keeps the settings with other things.
    return content.get("config", content) if isinstance(content, dict) else content


def _fault(entry: Mapping[str, Any]) -> str:
    """One of pydantic's faults as a short sentence, with did-you-mean."""
    place = [str(part) for part in entry["loc"]]
    name = quoted(".".join(place))[1:-1]
    if entry["type"] == "extra_forbidden":
        section = LatentConfig.model_fields.get(place[0])
        keys = LatentConfig.model_fields if len(place) == 1 else section.annotation.model_fields  # type: ignore[union-attr]
        return f"unknown key {name}.{suggest(place[-1], keys)}"
    message = str(entry["msg"])
    return f"{name}: expected {message[0].lower()}{message[1:]}, got {quoted(entry['input'])}".replace(
        "expected input should be", "expected"
    )
