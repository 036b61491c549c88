"""What people have of pairs - arrays, tensors, data sets, loaders, files - as arrays or lazy stacks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from liescope.data import Pairs, holds_film, load_pairs, pairs_from_paths, read_film
from liescope.data.checks import channels_last, listed
from liescope.data.films.folders import frame_names
from liescope.data.guard import told_path
from liescope.data.stacks import FolderImages
from liescope.errors import InputError, require_memory

__all__ = ["Given", "given", "plain_images"]

_PIL_GREY = ("L", "1", "I;16", "I;16L", "I;16B", "I", "F")
_BATCH_RANK = 4
"""Of what an iterator hands out: images with channels have one axis less."""


@dataclass(frozen=True, eq=False)
class Given:
    """Sources and targets, or the frames of a film, with what is known about them.

    ``names`` are the files that they came from: (N, 2) of pairs, (T,) of frames.
    """

    source: Any = None
    target: Any = None
    frames: Any = None
    source_mask: Any = None
    target_mask: Any = None
    names: np.ndarray | None = None


def given(X: Any, Y: Any = None, frames: Any = None, source_mask: Any = None, target_mask: Any = None) -> Given:
    """What was handed over, whatever it is.

    Parameters
    ----------
    X, Y : two stacks, or two paths; or X alone
        Alone: a :class:`liescope.data.Pairs`, a path of pairs or of a film, ``(X, Y)``, a mapping with ``source`` and
        ``target``, a TensorDataset, a DataLoader, or anything that hands out (source, target).
    frames : stack or path, optional
    source_mask, target_mask : array, optional
        In place of those that come with X.

    Raises
    ------
    InputError
        Nothing that pairs can be made of; the message says what to write.
    """
    if frames is not None:
        film = _film(frames)
        found = dataclasses.replace(film, source=plain_images(X, "source"), target=plain_images(Y, "target"))
    elif _is_path(X) and _is_path(Y):
        found = _of_pairs(pairs_from_paths(X, Y))
    elif Y is not None or X is None:
        found = Given(plain_images(X, "source"), plain_images(Y, "target"))
    else:
        found = _alone(X)
    own = found.source_mask, found.target_mask
    handed = zip(own, (source_mask, target_mask), strict=True)
    masks = [mine if mask is None else plain_images(mask, "masks") for mine, mask in handed]
    return dataclasses.replace(found, source_mask=masks[0], target_mask=masks[1])


def _is_path(value: Any) -> bool:
    return isinstance(value, str | Path)


def _film(frames: Any) -> Given:
    if not _is_path(frames):
        return Given(frames=plain_images(frames, "frames"))
    film = read_film(frames)
    return Given(frames=film, names=np.array(frame_names(Path(frames))) if Path(frames).is_dir() else None)


def _of_pairs(pairs: Pairs) -> Given:
    images = plain_images(pairs.source, "source"), plain_images(pairs.target, "target")
    return Given(*images, None, pairs.source_mask, pairs.target_mask, pairs.names)


def _alone(data: Any) -> Given:
    """Of one thing that holds both sides."""
    if isinstance(data, Pairs):
        return _of_pairs(data)
    if _is_path(data):
        return _film(data) if holds_film(data) else _of_pairs(load_pairs(data))
    if isinstance(data, Mapping):
        return _of_mapping(data)
    if isinstance(data, tuple) and len(data) == 2:
        return given(*data)
    if isinstance(data, torch.utils.data.TensorDataset) and len(data.tensors) > 1:
        return given(data.tensors[0], data.tensors[1])
    if isinstance(data, np.ndarray | torch.Tensor) or not isinstance(data, Iterable | torch.utils.data.Dataset):
        raise InputError(
            f"expected pairs of images, got X alone ({_told(data)}), try detect(X, Y), or detect(frames=X) for a film"
        )
    sides = list(zip(*_items(data), strict=True))
    if not sides:
        raise InputError(f"expected pairs of images, got an empty {type(data).__name__}")
    batches = isinstance(data, torch.utils.data.DataLoader) and data.batch_sampler is not None
    return Given(*(_joined(list(side), name, batches) for side, name in zip(sides, ("source", "target"), strict=True)))


def _of_mapping(data: Mapping[Any, Any]) -> Given:
    if "source" in data and "target" in data:
        return given(data["source"], data["target"], None, data.get("source_mask"), data.get("target_mask"))
    if "frames" in data:
        return _film(data["frames"])
    raise InputError(f"expected arrays source and target (pairs), or frames (a film), got {listed(map(str, data))}")


def _items(data: Any) -> Iterator[tuple[Any, Any]]:
    """Source and target of everything that is handed out; what comes beside them, such as a label, is left."""
    # A map-style data set without __iter__ ends with an IndexError only where it checks its index.
    counted = isinstance(data, torch.utils.data.Dataset) and hasattr(data, "__len__")
    for place, item in enumerate((data[k] for k in range(len(data))) if counted else data):
        if isinstance(item, Mapping) and "source" in item and "target" in item:
            yield item["source"], item["target"]
        elif isinstance(item, tuple | list) and len(item) > 1:
            yield item[0], item[1]
        else:
            raise InputError(
                f"expected pairs (source, target) from the {type(data).__name__}, got {_told(item)} as number {place}, "
                "try detect(X, Y)"
            )


def _joined(parts: list[Any], what: str, batches: bool) -> Any:
    """Images one after the other, or batches end to end: those of a loader, and whatever is (B, C, H, W)."""
    arrays = [_single(part, what) for part in parts]
    if batches or all(array.ndim == _BATCH_RANK for array in arrays):
        return _together(np.concatenate, arrays, what)
    return _together(np.stack, arrays, what)


def plain_images(images: Any, what: str) -> Any:
    """Images as an array or a lazy stack: tensors leave their graph and device, sequences of images are stacked.

    Raises
    ------
    InputError
        Tensors without values, images of several sizes, PIL images of a mode that is neither grey nor RGB.
    """
    if isinstance(images, Iterator):
        images = list(images)
    if isinstance(images, torch.Tensor):
        return _checked_axes(_array(images, what), what)
    if isinstance(images, list | tuple) and images and all(_is_path(image) for image in images):
        return FolderImages([Path(image) for image in images])
    if isinstance(images, list | tuple) and any(_needs_reading(image) for image in images):
        return _together(np.stack, [_single(image, what) for image in images], what)
    if _is_path(images):
        told = told_path(images)
        raise InputError(f"expected {what} and its partner both as paths or both as arrays, got {told} for one")
    return images


def _needs_reading(image: Any) -> bool:
    return isinstance(image, torch.Tensor) or hasattr(image, "getbands")


def _single(image: Any, what: str) -> np.ndarray:
    if isinstance(image, torch.Tensor):
        return _array(image, what)
    if not hasattr(image, "getbands"):
        return np.asarray(image)
    if image.mode in _PIL_GREY:
        return np.asarray(image)
    if image.mode != "RGB":
        raise InputError(
            f"expected grey or RGB images in {what}, got a PIL image of mode {image.mode}, try .convert('RGB')"
        )
    return np.moveaxis(np.asarray(image), -1, 0)


def _array(tensor: torch.Tensor, what: str) -> np.ndarray:
    if tensor.device.type == "meta":
        raise InputError(f"expected {what} with values, got a tensor on the device 'meta', try one on the cpu")
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout is not torch.strided:
        require_memory(tensor.numel() * tensor.element_size(), f"{what}, {_told(tensor)} without its zeros,")
        tensor = tensor.to_dense()
    # numpy has no bfloat16, and what sums over images in half precision overflows.
    short = tensor.is_floating_point() and tensor.element_size() < 4
    return np.asarray((tensor.float() if short else tensor).cpu().resolve_conj().resolve_neg().numpy())


def _checked_axes(array: np.ndarray, what: str) -> np.ndarray:
    if channels_last(array.shape):
        raise InputError(f"expected channels first in {what}, got shape {array.shape}, try .permute(0, 3, 1, 2)")
    return array


def _together(join: Any, arrays: Sequence[np.ndarray], what: str) -> Any:
    shapes = [array.shape if join is np.stack else array.shape[1:] for array in arrays]
    other = next((k for k, shape in enumerate(shapes) if shape != shapes[0]), None)
    if other is not None:
        raise InputError(
            f"expected images of one shape in {what}, got {shapes[0]} and {shapes[other]} (number {other}), "
            "try resizing"
        )
    return join(arrays)


def _told(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" of shape {tuple(shape)}" if shape is not None else "")
