"""The state of an unfinished training: where it lies, and whether it is the one to go on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from liescope import __version__
from liescope.data.guard import check_place, quoted, told_path
from liescope.engines.latent.config import LatentConfig
from liescope.engines.latent.files import check_tensors
from liescope.engines.latent.model import LatentModel
from liescope.errors import InputError
from liescope.geometry import Basis

__all__ = ["CHECKPOINT_FILES", "check_checkpoint", "checkpoint_path", "describe_training", "read_checkpoint"]

CHECKPOINT_FILES = ("checkpoint.ckpt", "history.csv")
"""What a training writes into its folder while it runs."""
_FORMAT = 1


def checkpoint_path(folder: Path) -> Path:
    """Where the state of a training lies in its folder."""
    return folder / CHECKPOINT_FILES[0]


def describe_training(
    config: LatentConfig,
    basis: Basis,
    shape: tuple[int, int, int],
    generators: int,
    seed: int,
    source: Tensor,
    target: Tensor,
) -> dict[str, Any]:
    """What a checkpoint must agree with to be gone on from."""
    about: dict[str, Any] = {
        "format": _FORMAT,
        "version": __version__,
        "shape": list(shape),
        "basis": list(basis.terms),
        "generators": generators,
        "seed": seed,
        "pairs": len(source),
        "data": [hashlib.sha256(images.contiguous().numpy().data).hexdigest()[:16] for images in (source, target)],
    }
    return about | {
        f"{section}.{key}": value for section, keys in config.model_dump().items() for key, value in keys.items()
    }


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a checkpoint says of its training, and its weights; InputError for any other file."""
    check_place(path, "a checkpoint")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        before = dict(content["liescope"])
        tensors = {str(name).removeprefix("model."): value for name, value in content["state_dict"].items()}
        if not all(isinstance(value, Tensor) for value in tensors.values()):
            raise TypeError("weights that are none")
        if not all(isinstance(row, dict) for row in content["history"]):
            raise TypeError("a history that is none")
    except Exception as error:
        # Torch's own message is not passed on: it advises to execute what the file holds.
        raise InputError(
            f"expected a checkpoint of this program in {told_path(path)}, got a truncated or foreign file, "
            "try without resuming, or another folder"
        ) from error
    return before, tensors


def check_checkpoint(path: Path, about: Mapping[str, Any], model: LatentModel) -> None:
    """Raise InputError unless the training of the checkpoint is the one that is asked for."""
    before, tensors = read_checkpoint(path)
    differences = [
        f"{key} {_short(before.get(key))} instead of {_short(value)}"
        for key, value in about.items()
        if before.get(key) != value
    ]
    if differences:
        raise InputError(
            f"the checkpoint '{path}' belongs to another training: {'; '.join(differences)}; "
            "try the same settings, or another folder"
        )
    check_tensors(model, tensors, str(path))


def _short(value: Any) -> str:
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        return quoted(value)
    return text if len(text) <= 60 else text[:57] + "..."
