"""A trained latent model as people use it: arrays in, arrays out, and two plain files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from liescope import __version__
from liescope.data import ImageStack
from liescope.data.pairs import atomic_path
from liescope.engines.contract import Fitted, Measured
from liescope.engines.devices import available_device
from liescope.engines.latent.config import LatentConfig, get_config
from liescope.engines.latent.history import history_of, history_text
from liescope.engines.latent.model import LatentModel
from liescope.errors import InputError
from liescope.geometry import Basis
from liescope.geometry.bases import stored_basis

__all__ = ["SCHEMA", "TrainedLatent", "load_latent"]

SCHEMA = "liescope.latent/1"
"""Name of the format of ``config.json`` and of the names in ``model.safetensors``."""
MODEL_FILE, CONFIG_FILE, HISTORY_FILE = "model.safetensors", "config.json", "history.csv"
_BATCH = 1024
_LEAST_GREY = 1e-18


@dataclass(frozen=True, eq=False)
class TrainedLatent(Fitted):
    """The latent engine's model with the grey scale of its data.

    Parameters
    ----------
    model : LatentModel
    config : LatentConfig
        What it was trained with.
    background : array, shape (C, 1, 1)
        Grey value outside images; 0 for the model.
    amplitude : float
        Grey values in one unit of the model.
    history : list of dict
        One row an epoch.
    """

    product = True

    model: LatentModel
    config: LatentConfig
    background: np.ndarray
    amplitude: float
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the images."""
        return self.model.shape

    @property
    def generators(self) -> Float[np.ndarray, "k m"]:
        """Coefficients of the generators, norm 1."""
        found: np.ndarray = self.model.coefficients.detach().double().cpu().numpy()
        return found

    def encode(self, images: Any) -> Float[np.ndarray, "n c d"]:
        """Latents of images.

        Parameters
        ----------
        images : array, shape (N, H, W) or (N, C, H, W), of the fitted size

        Returns
        -------
        array, shape (N, channels, d)
            d entries of a patch (row by row) or vector.
        """
        latents = self._batched(self.model.encoder, self._tensor(images))
        return latents.reshape(len(latents), self.config.model.channels, -1).numpy()

    def decode(self, latents: Any, t: float | Sequence[float] | np.ndarray = 0.0) -> Float[np.ndarray, "n ch h w"]:
        """Images of latents moved by exp(t_K G_K) ... exp(t_1 G_1).

        Parameters
        ----------
        latents : array, shape (N, channels, d)
        t : float, or array of shape (K,) or (N, K)
            For all latents or for each; a float where there is one generator. Closure factors may be given after the
            K generators' magnitudes.
        """
        size = self.config.model.channels * self.config.model.latent_size
        array = np.asarray(latents)
        if array.dtype.kind not in "fiub":
            raise InputError(f"expected numbers as latents, got {array.dtype}")
        if array.ndim < 2 or array.size != len(array) * size:
            expected = (len(array) if array.ndim else 1, self.config.model.channels, self.config.model.latent_size)
            raise InputError(f"expected latents of shape {expected}, got {array.shape}")
        if not len(array):
            raise InputError("expected at least one latent, got none")
        if not np.isfinite(array).all():
            raise InputError("expected finite latents, got NaN or infinite ones")
        z = torch.from_numpy(array.reshape(len(array), size).astype(np.float32))
        magnitudes = self._magnitudes(t, len(z))
        decoded = self._batched(lambda part, move: self.model.decoder(self.model.move(part, move)), z, magnitudes)
        return self._images(decoded)

    def reconstruct(self, images: Any, t: float | Sequence[float] | np.ndarray = 0.0) -> Float[np.ndarray, "n ch h w"]:
        """Images through encoder, exp(tG) and decoder; ``t`` as in :meth:`decode`."""
        return self.decode(self.encode(images), t)

    def traverse(self, images: Any, ts: Sequence[float] | np.ndarray) -> Float[np.ndarray, "n s ch h w"]:
        """Every image decoded at every magnitude.

        Parameters
        ----------
        images : array, shape (N, H, W) or (N, C, H, W)
        ts : array, shape (S,), or (S, K) for several generators

        Returns
        -------
        array, shape (N, S, C, H, W)
        """
        latents = self.encode(images)
        steps = [self.decode(latents, t) for t in np.atleast_1d(np.asarray(ts, dtype=np.float64))]
        if not steps:
            raise InputError("expected at least one magnitude to traverse, got none")
        return np.stack(steps, axis=1)

    def magnitudes(self, source: Any, target: Any) -> Float[np.ndarray, "n f"]:
        """The t-network's answer for pairs."""
        t: np.ndarray = self._batched(self.model.magnitudes, *self._pairs(source, target)).double().numpy()
        return t

    def errors(
        self, source: Any, target: Any
    ) -> tuple[Float[np.ndarray, "n f"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Magnitudes of pairs, and two squared errors as shares of the target's energy.

        Returns
        -------
        t : array, shape (N, F)
        moved : array, shape (N,)
            Of the decoded moved latent.
        still : array, shape (N,)
            Of the decoded latent that is not moved.
        """
        columns = self._batched(self._pair_errors, *self._pairs(source, target))
        t, moved, still = torch.split(columns, [self.model.magnitude_count, 1, 1], dim=1)
        return t.double().numpy(), moved[:, 0].double().numpy(), still[:, 0].double().numpy()

    def measure(self, source: ImageStack, target: ImageStack) -> Measured:
        t, moved, _ = self.errors(np.asarray(source[:]), np.asarray(target[:]))
        return Measured(t[:, : len(self.generators)], moved)

    def still(self, source: ImageStack, target: ImageStack) -> np.ndarray:
        return self.errors(np.asarray(source[:]), np.asarray(target[:]))[2]

    def decoded(self, images: Any, t: Any) -> np.ndarray:
        return self.reconstruct(images, t)

    def _pair_errors(self, source: Tensor, target: Tensor) -> Tensor:
        output = self.model(source, target)
        energy = target.square().sum(dim=(1, 2, 3)).clamp_min(1e-6 * target[0].numel())
        errors = [(images - target).square().sum(dim=(1, 2, 3)) / energy for images in (output.moved, output.source)]
        return torch.cat((output.t, torch.stack(errors, dim=1)), dim=1)

    @property
    def _device(self) -> torch.device:
        return self.model.raw_coefficients.device

    def _pairs(self, source: Any, target: Any) -> tuple[Tensor, Tensor]:
        pairs = self._tensor(source), self._tensor(target)
        if len(pairs[0]) != len(pairs[1]):
            raise InputError(f"expected as many sources as targets, got {len(pairs[0])} and {len(pairs[1])}")
        return pairs

    def _tensor(self, images: Any) -> Tensor:
        """Images on the model's scale, (N, C, H, W)."""
        array = np.asarray(images)
        if array.ndim == 3 and self.shape[0] == 1:
            array = array[:, None]
        if array.ndim != 4 or array.shape[1:] != self.shape or array.dtype.kind not in "fiub":
            raise InputError(f"expected images of shape (N, {', '.join(map(str, self.shape))}), got {np.shape(images)}")
        if not len(array):
            raise InputError("expected at least one image, got none")
        scaled = ((array - self.background) / self.amplitude).astype(np.float32)
        if not np.isfinite(scaled).all():
            raise InputError("expected finite pixels, got NaN or infinite ones")
        return torch.from_numpy(scaled)

    def _images(self, scaled: Tensor) -> np.ndarray:
        images: np.ndarray = scaled.double().numpy() * self.amplitude + self.background
        # Grey values that single precision cannot hold stay in double.
        return images.astype(np.float32) if _LEAST_GREY < self.amplitude < 1 / _LEAST_GREY else images

    def _magnitudes(self, t: float | Sequence[float] | np.ndarray, count: int) -> Tensor:
        factors, size = self.model.magnitude_count, len(self.model.raw_coefficients)
        values = np.atleast_1d(np.asarray(t, dtype=np.float64))
        if values.shape == (1,) and not values.any():
            values = np.zeros(size)
        if size == 1 and values.shape == (count,) and count > 1:
            values = values[:, None]
        if values.shape not in ((size,), (count, size), (factors,), (count, factors)):
            raise InputError(f"expected {size} magnitude{'s' * (size > 1)} t, got shape {values.shape}")
        # Closure factors may be left out: then they do nothing.
        values = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, factors - values.shape[-1])])
        if not (np.abs(values) <= np.finfo(np.float32).max).all():
            raise InputError(f"expected finite magnitudes t, got {values.ravel().tolist()[:4]}")
        return torch.from_numpy(np.broadcast_to(values, (count, factors)).astype(np.float32))

    @torch.no_grad()
    def _batched(self, function: Any, *stacks: Tensor) -> Tensor:
        """A function of tensors in batches, on the model's device; the result on the CPU."""
        self.model.eval()
        parts = zip(*(torch.split(stack, _BATCH) for stack in stacks), strict=True)
        return torch.cat([function(*(piece.to(self._device) for piece in part)).cpu() for part in parts])

    def state(self) -> dict[str, bytes]:
        about = {
            "schema": SCHEMA,
            "version": __version__,
            "shape": list(self.shape),
            "basis": self.model.basis.name,
            "terms": list(self.model.basis.terms),
            "generators": len(self.model.raw_coefficients),
            "background": self.background.ravel().tolist(),
            "amplitude": self.amplitude,
            "config": self.config.model_dump(),
        }
        tensors = {name: value.contiguous().cpu() for name, value in self.model.state_dict().items()}
        return {
            MODEL_FILE: save(tensors, metadata={"schema": SCHEMA}),
            CONFIG_FILE: (json.dumps(about, indent=2) + "\n").encode(),
            HISTORY_FILE: history_text(self.history).encode(),
        }

    @classmethod
    def from_files(
        cls, files: Mapping[str, bytes], basis: Basis | None = None, device: str | None = None, where: str = ""
    ) -> TrainedLatent:
        """The model of ``model.safetensors``, ``config.json`` and ``history.csv``; nothing in them is executed.

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
            Missing, truncated or foreign files, another schema, weights that do not fit the settings.
        """
        target = available_device(device)
        config, model, background, amplitude = _described(files, basis, where)
        try:
            tensors = load(files[MODEL_FILE])
        except (KeyError, SafetensorError) as error:
            raise InputError(
                f"expected weights in '{where}{MODEL_FILE}', got a missing or corrupt file ({error})"
            ) from None
        check_tensors(model, tensors, f"{where}{MODEL_FILE}")
        model.load_state_dict(tensors)
        model.to(target).eval()
        history = history_of(files.get(HISTORY_FILE, b""), f"{where}{HISTORY_FILE}")
        return cls(model, config, background, amplitude, history)

    def save(self, folder: str | Path) -> Path:
        """Write ``model.safetensors``, ``config.json`` and ``history.csv`` into an existing folder."""
        for name, content in self.state().items():
            with atomic_path(Path(folder) / name) as temporary:
                temporary.write_bytes(content)
        return Path(folder)


def load_latent(folder: str | Path, basis: Basis | None = None, device: str | None = None) -> TrainedLatent:
    """Read a trained latent model; nothing in its files is executed.

    Parameters
    ----------
    folder : path
        With ``model.safetensors`` and ``config.json``.
    basis : Basis, optional
        Needed only for fields of your own.

    Raises
    ------
    InputError
        Missing, truncated or foreign files, another schema, weights that do not fit the settings, no such device.
    """
    names = (MODEL_FILE, CONFIG_FILE, HISTORY_FILE)
    try:
        files = {name: (Path(folder) / name).read_bytes() for name in names if (Path(folder) / name).is_file()}
    except OSError as error:
        raise InputError(f"expected a latent model in '{folder}', got files that cannot be read ({error})") from None
    if CONFIG_FILE not in files:
        raise InputError(f"expected a latent model in '{folder}', got no {CONFIG_FILE} in it")
    return TrainedLatent.from_files(files, basis, device, where=f"{folder}/")


def _described(
    files: Mapping[str, bytes], basis: Basis | None, where: str
) -> tuple[LatentConfig, LatentModel, np.ndarray, float]:
    """Settings, a model of their shape, background and amplitude, as ``config.json`` has them."""
    place = f"{where}{CONFIG_FILE}"
    try:
        about = json.loads(files[CONFIG_FILE])
    except (KeyError, ValueError) as error:
        raise InputError(f"expected JSON in '{place}', got a truncated file ({error})") from None
    schema = about.get("schema") if isinstance(about, dict) else None
    if schema != SCHEMA:
        raise InputError(f"expected schema {SCHEMA!r} in '{place}', got {schema!r}, try training again")
    try:
        config = get_config(about["config"])
        fields = stored_basis(about["basis"], about["terms"], basis)
        channels, height, width = (int(n) for n in about["shape"])
        generators, amplitude = int(about["generators"]), float(about["amplitude"])
        background = np.array(about["background"], dtype=np.float64)[:, None, None]
        if min(channels, height, width, generators) < 1:
            raise ValueError(f"shape {about['shape']} or generators {generators} below 1")
        if len(background) != channels or not (np.isfinite(background).all() and 0 < amplitude < np.inf):
            raise ValueError(f"background {about['background']} or amplitude {amplitude}")
        model = LatentModel(config.model, fields, (channels, height, width), generators)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise InputError(f"expected a complete '{place}', got a wrong or missing entry: {error}") from None
    return config, model, background, amplitude


def check_tensors(model: LatentModel, tensors: dict[str, Tensor], where: str) -> None:
    """Raise InputError unless the tensors have the model's names and shapes."""
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    if wrong := [name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)]:
        name = sorted(wrong)[0]
        raise InputError(
            f"expected {name} of shape {expected.get(name)} in '{where}', got {found.get(name)} "
            f"({len(wrong)} differences): it belongs to other settings or images of another shape"
        )
