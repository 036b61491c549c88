"""A trained model as plain files: weights, settings, history. Nothing in them is ever executed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from liescope import __version__
from liescope.data.guard import json_of, quoted, reason, told_path
from liescope.engines.devices import available_device
from liescope.engines.latent.config import LatentConfig, get_config
from liescope.engines.latent.history import History, history_of, history_text
from liescope.engines.latent.model import LatentModel
from liescope.errors import InputError
from liescope.geometry import Basis
from liescope.geometry.bases import stored_basis

__all__ = ["CONFIG_FILE", "HISTORY_FILE", "MODEL_FILE", "SCHEMA", "check_tensors", "model_files", "model_of"]

SCHEMA = "liescope.latent/1"
"""Name of the format of ``config.json`` and of the names in ``model.safetensors``."""

MODEL_FILE, CONFIG_FILE, HISTORY_FILE = "model.safetensors", "config.json", "history.csv"


def model_files(
    model: LatentModel, config: LatentConfig, background: np.ndarray, amplitude: float, history: History
) -> dict[str, bytes]:
    """The files' bytes by their names."""
    about = {
        "schema": SCHEMA,
        "version": __version__,
        "shape": list(model.shape),
        "basis": model.basis.name,
        "terms": list(model.basis.terms),
        "generators": len(model.raw_coefficients),
        "background": background.ravel().tolist(),
        "amplitude": amplitude,
        "config": config.model_dump(),
    }
    tensors = {name: value.contiguous().cpu() for name, value in model.state_dict().items()}
    return {
        MODEL_FILE: save(tensors, metadata={"schema": SCHEMA}),
        CONFIG_FILE: (json.dumps(about, indent=2) + "\n").encode(),
        HISTORY_FILE: history_text(history).encode(),
    }


def model_of(
    files: Mapping[str, bytes], basis: Basis | None = None, device: str | None = None, where: str = ""
) -> tuple[LatentModel, LatentConfig, np.ndarray, float, History]:
    """Model, settings, background, amplitude and history of these files.

    Parameters
    ----------
    files : mapping
        Their bytes.
    basis : Basis, optional
        Needed only for fields of your own.
    where : str
        Of the files, for messages: a folder with a slash behind it.

    Raises
    ------
    InputError
        Missing, truncated or foreign files, another schema, weights that do not fit the settings, no such device.
    """
    target = available_device(device)
    model, config, background, amplitude = _described(files, basis, where)
    place = f"{where}{MODEL_FILE}"
    try:
        tensors = load(files[MODEL_FILE])
    except Exception as error:
        told = f"a missing or corrupt file ({reason(error)})"
        raise InputError(f"expected weights in {told_path(place)}, got {told}") from error
    check_tensors(model, tensors, place)
    if broken := [name for name, value in tensors.items() if not bool(torch.isfinite(value).all())]:
        raise InputError(f"expected finite weights in {told_path(place)}, got NaN or infinite ones in {broken[0]}")
    model.load_state_dict(tensors)
    model.to(target).eval()
    return model, config, background, amplitude, history_of(files.get(HISTORY_FILE, b""), f"{where}{HISTORY_FILE}")


def _described(
    files: Mapping[str, bytes], basis: Basis | None, where: str
) -> tuple[LatentModel, LatentConfig, np.ndarray, float]:
    """A model of the settings' shape, the settings, background and amplitude, as ``config.json`` has them."""
    place = f"{where}{CONFIG_FILE}"
    if CONFIG_FILE not in files:
        raise InputError(f"expected JSON in {told_path(place)}, got no such file")
    about = json_of(files[CONFIG_FILE], place)
    schema = about.get("schema") if isinstance(about, dict) else None
    if schema != SCHEMA:
        raise InputError(f"expected schema {SCHEMA!r} in {told_path(place)}, got {quoted(schema)}, try training again")
    try:
        config = get_config(about["config"])
        fields = stored_basis(about["basis"], about["terms"], basis)
        channels, height, width = (int(n) for n in about["shape"])
        generators, amplitude = int(about["generators"]), float(about["amplitude"])
        background = np.array(about["background"], dtype=np.float64)[:, None, None]
        if min(channels, height, width, generators) < 1:
            raise ValueError(f"shape {about['shape']} or generators {generators} below 1")
        if len(background) != channels or not (np.isfinite(background).all() and 0 < amplitude < np.inf):
            raise ValueError(f"background {quoted(about['background'])} or amplitude {amplitude}")
        model = LatentModel(config.model, fields, (channels, height, width), generators)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    except Exception as error:
        told = f"a wrong or missing entry: {reason(error)}"
        raise InputError(f"expected a complete {told_path(place)}, got {told}") from error
    return model, config, background, amplitude


def check_tensors(model: LatentModel, tensors: dict[str, Tensor], where: str) -> None:
    """Raise InputError unless the tensors have the model's names and shapes."""
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    if wrong := [name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)]:
        name = sorted(wrong)[0]
        raise InputError(
            f"expected {quoted(name)[1:-1]} of shape {expected.get(name)} in {told_path(where)}, got {found.get(name)} "
            f"({len(wrong)} differences): it belongs to other settings or images of another shape"
        )
