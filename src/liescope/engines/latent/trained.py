"""A trained latent model as people use it: arrays in, arrays out, and two plain files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.data import ImageStack
from liescope.data.pairs import atomic_path
from liescope.engines.contract import Fitted, Measured
from liescope.engines.devices import available_device
from liescope.engines.latent.config import LatentConfig
from liescope.engines.latent.files import CONFIG_FILE, HISTORY_FILE, MODEL_FILE, model_files, model_of
from liescope.engines.latent.model import LatentModel
from liescope.errors import InputError
from liescope.geometry import Basis

__all__ = ["TrainedLatent", "load_latent"]

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
        return model_files(self.model, self.config, self.background, self.amplitude, self.history)

    @classmethod
    def from_files(
        cls, files: Mapping[str, bytes], basis: Basis | None = None, device: str | None = None, where: str = ""
    ) -> TrainedLatent:
        """The model of these files (:func:`liescope.engines.latent.files.model_of`)."""
        return cls(*model_of(files, basis, device, where))

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
    available_device(device)
    names = (MODEL_FILE, CONFIG_FILE, HISTORY_FILE)
    try:
        files = {name: (Path(folder) / name).read_bytes() for name in names if (Path(folder) / name).is_file()}
    except OSError as error:
        raise InputError(f"expected a latent model in '{folder}', got files that cannot be read ({error})") from None
    if CONFIG_FILE not in files:
        raise InputError(f"expected a latent model in '{folder}', got no {CONFIG_FILE} in it")
    return TrainedLatent.from_files(files, basis, device, where=f"{folder}/")
