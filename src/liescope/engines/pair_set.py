"""From people's arrays to tensors the engine computes on: any dtype, any size, a known background and grey scale."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from liescope.data import ImageStack
from liescope.geometry.grid import Grid

__all__ = [
    "GreyScale",
    "Missing",
    "PairSet",
    "among_all",
    "canonical_order",
    "chunk_slices",
    "relative",
    "split",
    "working_dtype",
]

FIT_PAIRS = 512
HELD_OUT_PAIRS = 256

FEWEST_PAIRS = 8
"""Fewer pairs than this support no statement about a law, nor one that rests on pairs held out."""

CHUNK_PIXELS = 204_800
"""Pixels (of the working level) handled at a time: small enough for the processor's cache, and for any memory."""
_CHUNK_IMAGES = 256

_SAMPLED_PIXELS, _SAMPLED_PAIRS = 1 << 24, 8
"""Of large pictures a few, so that no more pixels than this are looked at, tell what is usual; but so many at least."""

_KEY_PIXELS = 4096

_LARGEST = 1e4
"""Grey values in units of a typical image's: larger ones are taken for this."""


@dataclass(frozen=True, eq=False)
class Missing:
    """Pixels that are not valid.

    Attributes
    ----------
    source_mask, target_mask : bool array, shape (N, H, W) or (H, W), or None
        True where valid.
    nodata : float or None
        The value that stands for a missing pixel.
    nan : bool
        Whether there are pixels that are not a number.
    """

    source_mask: np.ndarray | None = None
    target_mask: np.ndarray | None = None
    nodata: float | None = None
    nan: bool = False

    @property
    def any(self) -> bool:
        """Whether any pixel may be missing."""
        return self.nan or self.nodata is not None or self.source_mask is not None or self.target_mask is not None

    def of(self, index: np.ndarray) -> Missing:
        """Of some of the pairs."""
        masks = [
            mask if mask is None or mask.ndim == 2 else mask[index] for mask in (self.source_mask, self.target_mask)
        ]
        return dataclasses.replace(self, source_mask=masks[0], target_mask=masks[1])

    def valid(
        self, images: np.ndarray, mask: np.ndarray | None, index: slice | np.ndarray
    ) -> Bool[np.ndarray, "b 1 h w"]:
        """What is valid of images (B, C, H, W), which are those of ``index``; in all channels or in none."""
        good = np.isfinite(images)
        if self.nodata is not None and np.isfinite(self.nodata):
            good &= images != self.nodata
        together: np.ndarray = good.all(axis=1, keepdims=True)
        if mask is not None:
            together &= (mask if mask.ndim == 2 else mask[index])[..., None, :, :]
        return together


@dataclass(frozen=True)
class GreyScale:
    """The common grey scale of a data set: background 0, a typical target of root mean square 1.

    Attributes
    ----------
    background : array, shape (C, 1, 1)
        Median of the images' border pixels: what lies outside an image is taken to look like this.
    amplitude : float
        Median over the images of their root mean square about the background; blank images do not count.
    """

    background: np.ndarray
    amplitude: float

    @classmethod
    def of(cls, target: ImageStack, probe: np.ndarray, missing: Missing | None = None) -> GreyScale:
        """Estimate it on the targets ``probe``."""

        def known(index: np.ndarray) -> np.ndarray:
            raw = _rows(target, index).astype(np.float64)
            if missing is None or not missing.any:
                return raw
            valid = missing.valid(raw, missing.target_mask, index)
            values = raw[np.broadcast_to(valid, raw.shape)]
            return np.where(valid, raw, np.median(values) if len(values) else 0.0)

        parts = [probe[part] for part in chunk_slices(len(probe), int(np.prod(target.shape[1:])))]
        background = np.median(np.concatenate([_edge(known(part)) for part in parts], axis=1), axis=1)[:, None, None]
        contrast = np.concatenate([_contrast(known(part) - background) for part in parts])
        contrast = contrast[contrast > 0]
        return cls(background, float(np.median(contrast)) if len(contrast) else 1.0)

    def apply(self, images: np.ndarray) -> Float[Tensor, "b c h w"]:
        """Images on this scale, single precision; the difference is taken in double where the data need it."""
        dtype = working_dtype(images.dtype)
        scaled = (images.astype(dtype, copy=False) - self.background.astype(dtype)) / dtype.type(self.amplitude)
        # A value that stands for no data, or a broken pixel, must not be all that sums over pairs know of.
        scaled = np.clip(scaled, -_LARGEST, _LARGEST)
        return torch.from_numpy(np.ascontiguousarray(scaled, dtype=np.float32))


def working_dtype(dtype: np.dtype) -> np.dtype:
    """The precision that grey values of a type are computed in."""
    # Integers of up to 16 bits, and half of one more, are exact in single precision.
    single = dtype == np.float32 or (dtype.kind in "iu" and dtype.itemsize <= 2)
    return np.dtype(np.float32 if single else np.float64)


def _edge(raw: Float[np.ndarray, "b c h w"]) -> Float[np.ndarray, "c e"]:
    """Border pixels of all images, by channel."""
    borders = (raw[..., 0, :], raw[..., -1, :], raw[..., :, 0], raw[..., :, -1])
    return np.concatenate([b.swapaxes(0, 1).reshape(raw.shape[1], -1) for b in borders], axis=1)


def _contrast(centred: Float[np.ndarray, "b c h w"]) -> Float[np.ndarray, " b"]:
    """Root mean square of every image."""
    # By its largest value first: the square of a huge or a tiny one has no room even in double precision.
    peak = np.abs(centred).max(axis=(1, 2, 3), keepdims=True)
    unit = np.divide(centred, peak, out=np.zeros_like(centred), where=peak > 0)
    size: np.ndarray = peak.ravel() * np.sqrt(np.square(unit).mean(axis=(1, 2, 3)))
    return size


class _Rows:
    """Some rows of a stack, in any order, as a stack."""

    def __init__(self, stack: ImageStack, index: np.ndarray) -> None:
        self._stack, self._index = stack, index
        self.shape = (len(index), *stack.shape[1:])
        self.dtype = stack.dtype

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        # Files are read in increasing order, each image once.
        distinct, place = np.unique(self._index[rows], return_inverse=True)
        return np.asarray(self._stack[distinct])[place]


@dataclass(frozen=True)
class PairSet:
    """Access to pairs in a common grey scale.

    Attributes
    ----------
    source, target : ImageStack, shape (N, C, H, W)
        Arrays or lazy stacks, validated (:func:`liescope.data.validate_images`); only slices of them are ever
        converted.
    scale : GreyScale
    device : torch.device
    missing : Missing
        Which pixels are not valid, and what lies outside of images.
    illumination : array, shape (H, W), or None
        What all images are divided by.
    order : integer array, shape (N,), or None
        An order of the pairs that does not depend on that of the rows (:func:`canonical_order`). Samples are drawn from
        it, so that what is found does not depend on the order of rows either. None: the rows' own.
    """

    source: ImageStack
    target: ImageStack
    scale: GreyScale
    device: torch.device
    missing: Missing = Missing()
    order: np.ndarray | None = None
    illumination: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        source: ImageStack,
        target: ImageStack,
        seed: int = 0,
        device: str = "cpu",
        missing: Missing = Missing(),
    ) -> PairSet:
        """Pairs on the grey scale of the targets that are fitted to with that seed (:func:`split`)."""
        order = canonical_order(source, target)
        unscaled = GreyScale(np.zeros((1, 1, 1)), 1.0)
        return cls(source, target, unscaled, torch.device(device), missing, order).rescaled(seed)

    def rescaled(self, seed: int) -> PairSet:
        """The same pairs on the grey scale of their targets."""
        probe = self.split(seed)[0] if len(self) > 1 else np.arange(len(self))
        probe = probe[: _most_sampled(len(probe), self.target)]
        return dataclasses.replace(self, scale=GreyScale.of(self.target, probe, self.missing))

    def __len__(self) -> int:
        return int(self.source.shape[0])

    @property
    def _ordered(self) -> np.ndarray:
        return np.arange(len(self)) if self.order is None else self.order

    def swapped(self, seed: int) -> PairSet:
        """The pairs with sources for targets and targets for sources."""
        of = self.missing
        missing = dataclasses.replace(of, source_mask=of.target_mask, target_mask=of.source_mask)
        return dataclasses.replace(self, source=self.target, target=self.source, missing=missing).rescaled(seed)

    def shuffled(self, seed: int) -> np.ndarray:
        """Indices of all pairs in an order by chance, which the order of rows has no part in."""
        return _shuffled(self._ordered, seed)

    def split(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Pairs that are fitted to and pairs held out (:func:`split`)."""
        return split(self._ordered, seed)

    def sample(self, most: int) -> np.ndarray:
        """Indices of a few of the pairs, to look at before anything is fitted; of large pictures, of fewer."""
        return self.shuffled(0)[: min(most, _most_sampled(most, self.source))]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the images."""
        return int(self.source.shape[1]), self.grid.height, self.grid.width

    @property
    def grid(self) -> Grid:
        """Grid of the full-size images."""
        return Grid.of(*self.source.shape[-2:])

    def subset(self, index: np.ndarray) -> PairSet:
        """Some of the pairs."""
        missing = self.missing.of(index)
        return PairSet(_Rows(self.source, index), _Rows(self.target, index), self.scale, self.device, missing)

    def sources(self, first: np.ndarray, second: np.ndarray) -> PairSet:
        """Pairs of sources: those of ``first`` with those of ``second``."""
        return PairSet(_Rows(self.source, first), _Rows(self.source, second), self.scale, self.device)

    def permuted(self, index: np.ndarray, shift: int) -> PairSet:
        """The pairs of ``index``, every source with the target that many of them further on."""
        target = _Rows(self.target, np.roll(index, shift))
        return PairSet(_Rows(self.source, index), target, self.scale, self.device)

    def take(self, index: slice | np.ndarray) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
        """Sources and targets of some pairs, in the common grey scale."""
        source, target = (self._grey(_rows(stack, index)) for stack in (self.source, self.target))
        return source.to(self.device), target.to(self.device)

    def _grey(self, images: np.ndarray) -> Float[Tensor, "b c h w"]:
        return self.scale.apply(images if self.illumination is None else images / self.illumination)

    def take_valid(self, index: slice | np.ndarray) -> tuple[Tensor | None, Tensor | None]:
        """What is valid of the sources and of the targets of some pairs, (B, 1, H, W); None where every pixel is."""
        if not self.missing.any:
            return None, None
        masks = self.missing.source_mask, self.missing.target_mask
        source, target = (
            torch.from_numpy(self.missing.valid(_rows(stack, index), mask, index).astype(np.float32)).to(self.device)
            for stack, mask in zip((self.source, self.target), masks, strict=True)
        )
        return source, target


def split(order: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of pairs in some order, those that are fitted to and those held out, two thirds to one third, by chance."""
    shuffled = _shuffled(order, seed)
    fit = min(FIT_PAIRS, (2 * len(order)) // 3)
    return shuffled[:fit], shuffled[fit : fit + HELD_OUT_PAIRS]


def _shuffled(order: np.ndarray, seed: int) -> np.ndarray:
    shuffled: np.ndarray = order[np.random.default_rng(seed).permutation(len(order))]
    return shuffled


def canonical_order(source: ImageStack, target: ImageStack) -> np.ndarray:
    """Indices (N,) that sort pairs by what their images show: the same pairs in the same order, however they came.

    The key is a fixed linear combination of a few thousand pixels of each image, centred and of unit variance, and
    does not change with gain or offset. Only pairs that are equal in all of these pixels are interchangeable.
    """
    pixels = int(np.prod(source.shape[1:]))
    index = np.unique(np.linspace(0, pixels - 1, min(pixels, _KEY_PIXELS)).round().astype(int))
    weights = np.random.default_rng(0).normal(size=(2, len(index)))
    keys = np.zeros(int(source.shape[0]))
    for part in chunk_slices(len(keys), pixels):
        for stack, weight in zip((source, target), weights, strict=True):
            seen = _rows(stack, part)
            seen = seen.reshape(len(seen), -1)[:, index].astype(np.float64)
            keys[part] += _standardised(seen) @ weight
    return np.argsort(keys, kind="stable")


def _standardised(values: Float[np.ndarray, "b n"]) -> Float[np.ndarray, "b n"]:
    """Rows with mean 0 and variance 1; what is not finite or does not vary counts 0."""
    good = np.isfinite(values)
    values = np.where(good, values, 0)
    # Huge values have no room for their squares.
    values = values / np.maximum(np.abs(values).max(axis=1, keepdims=True), np.finfo(float).tiny)
    values = np.where(good, values - values.sum(axis=1, keepdims=True) / good.sum(axis=1, keepdims=True).clip(1), 0)
    spread = np.sqrt(np.square(values).mean(axis=1, keepdims=True))
    result: np.ndarray = np.divide(values, spread, out=np.zeros_like(values), where=spread > 0)
    return result


def _most_sampled(most: int, stack: ImageStack) -> int:
    return min(most, max(_SAMPLED_PAIRS, _SAMPLED_PIXELS // int(np.prod(stack.shape[1:]))))


def among_all(values: Float[np.ndarray, "n k"], index: np.ndarray, count: int) -> Float[np.ndarray, "c k"]:
    """Values of some pairs (indices or a mask) among those of all ``count``; NaN elsewhere."""
    spread = np.full((count, values.shape[1]), np.nan)
    spread[index] = values
    return spread


def chunk_slices(count: int, pixels_per_image: int) -> Iterator[slice]:
    """Slices of at most 256 images and about :data:`CHUNK_PIXELS` pixels that cover ``count`` images."""
    step = min(_CHUNK_IMAGES, max(1, CHUNK_PIXELS // max(1, pixels_per_image)))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def _rows(stack: ImageStack, index: slice | np.ndarray) -> np.ndarray:
    """Rows of an array or a lazy stack; both take slices and arrays of indices."""
    return np.asarray(stack[index])


def relative(error: Tensor, target: Tensor) -> Tensor:
    """Squared errors (B,) as a share of each target's energy; a target without any counts as 1, like a miss."""
    energy = target.square().sum(dim=(1, 2, 3))
    floor = 1e-6 * target[0].numel()
    return torch.where(energy > floor, error / energy.clamp_min(floor), torch.ones_like(error))
