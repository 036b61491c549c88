"""New images moved along what was found: arrays in pieces, tensors as they are, with gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from liescope.errors import InputError
from liescope.geometry import Basis, transport_images
from liescope.geometry.transport import Border, Interpolation

__all__ = ["SymmetryTransform", "check_finite"]

CHUNK_PIXELS = 1 << 21
_LONG = (torch.float32, torch.float64)


def check_finite(when: str, images: np.ndarray, start: int = 0) -> None:
    """InputError for images that are not numbers, or beyond their precision; ``start`` is the first one's number."""
    finite = np.isfinite(images)
    if not finite.all():
        first = start + int(np.argwhere(~finite)[0, 0])
        advice = ", try a smaller t" if when else ""
        raise InputError(f"expected finite pixels{when}, got NaN or infinite ones, the first in image {first}{advice}")


def _check_reach(t: np.ndarray, most: float) -> None:
    largest = float(np.abs(t).max(initial=0.0))
    if largest > most:
        raise InputError(f"expected magnitudes t that can be computed with, got {largest:.3g}, try smaller ones")


class SymmetryTransform(nn.Module):
    """Images moved along found generators, as a module: ``forward(images, t)``.

    Parameters
    ----------
    coefficients : array, shape (K, m)
        Of the generators, unit norm. They are a buffer: nothing is trained, unless you make them a parameter.
    basis : Basis
    background : array, shape (C,), optional
        Grey values that come in from outside; 0 where not known.
    product : bool
        Whether generators act one after the other: exp(t_K X_K) ... exp(t_1 X_1), and not as one exponential.
    interpolation : {"linear", "cubic", "nearest"}
    border : {"zero", "edge", "periodic"}
        What comes in from outside: the background, the nearest pixel, or the image again.
    """

    coefficients: Tensor
    background: Tensor | None

    def __init__(
        self,
        coefficients: np.ndarray,
        basis: Basis,
        background: np.ndarray | None = None,
        *,
        product: bool = False,
        interpolation: Interpolation = "linear",
        border: Border = "zero",
    ) -> None:
        super().__init__()
        known = None if background is None else torch.as_tensor(background, dtype=torch.float64)
        self.register_buffer("coefficients", torch.as_tensor(coefficients, dtype=torch.float64))
        self.register_buffer("background", known)
        self.basis = basis
        self.product = product
        self.interpolation: Interpolation = interpolation
        self.border: Border = border

    def forward(self, images: Tensor, t: float | Sequence[float] | np.ndarray | Tensor) -> Tensor:
        """The images moved by t.

        Parameters
        ----------
        images : tensor, shape (H, W), (N, H, W) or (N, C, H, W)
            On any device. Integers are read as float32; half precision is computed in single.
        t : float, or shape (K,) or (N, K), or (N,) where K is 1
            In units of the unit-norm generators.

        Returns
        -------
        tensor
            Shape, type and device of the images; differentiable in images and t (linear and cubic interpolation).
            Pixels that are not finite are not looked for.
        """
        if images.ndim not in (2, 3, 4) or images.is_complex() or images.dtype is torch.bool:
            raise InputError(f"expected images (N, H, W) or (N, C, H, W), got {images.dtype} {tuple(images.shape)}")
        stack = images.reshape(-1, 1, *images.shape[-2:]) if images.ndim < 4 else images
        work = images.dtype if images.dtype in _LONG else torch.float32
        outside = self._outside(images).to(images.device, work)
        moved = stack.to(work) - outside
        for vectors in self._vectors(t, len(stack), images.device, work):
            moved = transport_images(moved, self.basis, vectors, interpolation=self.interpolation, border=self.border)
        result = (moved + outside).reshape(images.shape)
        return result.to(images.dtype) if images.is_floating_point() else result

    def arrays(self, images: Any, t: Any) -> np.ndarray:
        """The same of an array: float32, in pieces of bounded size, looked through for pixels that are not finite."""
        array = np.asarray(images)
        if array.dtype.kind not in "fiub" or array.ndim not in (2, 3, 4):
            raise InputError(f"expected images (N, H, W) or (N, C, H, W), got {array.dtype} {array.shape}")
        stack = array.reshape(-1, 1, *array.shape[-2:]) if array.ndim < 4 else array
        factors = self._vectors(t, len(stack), torch.device("cpu"), torch.float32)
        outside = self._outside(array).detach().cpu().numpy()
        moved = np.empty(stack.shape, dtype=np.float32)
        step = max(1, CHUNK_PIXELS // max(1, int(np.prod(stack.shape[1:]))))
        for start in range(0, len(stack), step):
            part = slice(start, start + step)
            with np.errstate(over="ignore", invalid="ignore"):
                piece = np.ascontiguousarray(stack[part] - outside, dtype=np.float32)
            check_finite("", piece, start)
            moving = torch.from_numpy(piece)
            for vectors in factors:
                flows = vectors[part] if vectors.ndim == 2 else vectors
                moving = transport_images(
                    moving, self.basis, flows.detach(), interpolation=self.interpolation, border=self.border
                )
            moved[part] = moving.numpy() + outside
            check_finite(" after moving them", moved[part], start)
        return moved.reshape(array.shape)

    def _outside(self, images: Any) -> Tensor:
        """Grey values that lie outside: of every channel, or their mean for images of others than were learnt from."""
        if self.background is None:
            return torch.zeros((), dtype=torch.float64)
        if images.ndim == 4 and images.shape[1] == len(self.background):
            return self.background[:, None, None]
        return self.background.mean()

    def _vectors(self, t: Any, count: int, device: torch.device, dtype: torch.dtype) -> list[Tensor]:
        """Fields, shape (m,) or (count, m), whose flows are applied one after the other."""
        size = len(self.coefficients)
        values = t if isinstance(t, Tensor) else torch.as_tensor(np.asarray(t, dtype=np.float64))
        values = values.reshape(1) if values.ndim == 0 else values
        if size == 1 and values.ndim == 1 and len(values) == count > 1:
            values = values[:, None]
        if tuple(values.shape) not in ((size,), (count, size)):
            each = f", or {count} for as many images" if count > 1 else ""
            told = tuple(values.shape)
            raise InputError(f"expected {size} magnitude{'s' * (size > 1)} t{each}, got shape {told}")
        # Tensors may lie anywhere: nobody waits for what is in them.
        if not isinstance(t, Tensor):
            if not torch.isfinite(values).all():
                raise InputError(f"expected finite magnitudes t, got {values.ravel().tolist()[:4]}")
            _check_reach(values.numpy(), float(torch.finfo(dtype).max) / size)
        coefficients = self.coefficients.to(device)
        values = values.to(device, coefficients.dtype)
        if not self.product:
            return [(values @ coefficients).to(dtype)]
        return [(values[..., k : k + 1] * coefficients[k]).to(dtype) for k in range(size)]
