"""The part of torchvision that is documented for transforms of one's own, where torchvision itself cannot be imported.

After its pages "How to write your own v2 transforms" and "TVTensors" (0.21 and later): ``v2.Transform`` calls
``make_params`` once and ``transform`` for every input; tensors that are no TVTensors pass where there is an image, else
the first of them is one; ``wrap`` makes a tensor what another one is.
"""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any

import PIL.Image
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

MODULES = ("torchvision", "torchvision.tv_tensors", "torchvision.transforms", "torchvision.transforms.v2")


class BoundingBoxFormat(Enum):
    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"
    XYWHR = "XYWHR"
    XYXYXYXY = "XYXYXYXY"


class TVTensor(Tensor):
    """A tensor that knows what it is; results of operations on it are plain tensors."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    def __new__(cls, data: Any, **known: Any) -> Any:
        tensor = torch.as_tensor(data).as_subclass(cls)
        vars(tensor).update(known)
        return tensor


class Image(TVTensor):
    pass


class Video(TVTensor):
    pass


class Mask(TVTensor):
    pass


class BoundingBoxes(TVTensor):
    def __new__(cls, data: Any, *, format: Any, canvas_size: Any, clamping_mode: Any = "soft") -> Any:  # noqa: A002
        format = BoundingBoxFormat[format] if isinstance(format, str) else format  # noqa: A001
        return super().__new__(cls, data, format=format, canvas_size=canvas_size, clamping_mode=clamping_mode)


class KeyPoints(TVTensor):
    def __new__(cls, data: Any, *, canvas_size: Any) -> Any:
        return super().__new__(cls, data, canvas_size=canvas_size)


def wrap(tensor: Tensor, *, like: TVTensor) -> Any:
    return type(like)(tensor, **vars(like))


def clamp_bounding_boxes(boxes: Any) -> Any:
    """Upright corners cut at the border; other formats are left alone here."""
    if boxes.format is not BoundingBoxFormat.XYXY or boxes.clamping_mode is None:
        return boxes
    height, width = boxes.canvas_size
    plain = boxes.as_subclass(Tensor)
    return wrap(torch.minimum(plain.clamp(min=0), plain.new_tensor([width, height] * 2)), like=boxes)


class Transform(nn.Module):
    def check_inputs(self, flat_inputs: list[Any]) -> None:
        pass

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        raise NotImplementedError

    def forward(self, *inputs: Any) -> Any:
        flat, spec = tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        self.check_inputs(flat)
        plain_is_image = not any(isinstance(one, Image | Video | PIL.Image.Image) for one in flat)
        wanted = []
        for one in flat:
            is_plain = isinstance(one, Tensor) and not isinstance(one, TVTensor)
            wanted.append(isinstance(one, TVTensor | PIL.Image.Image) or (is_plain and plain_is_image))
            plain_is_image = plain_is_image and not is_plain
        params = self.make_params([one for one, chosen in zip(flat, wanted, strict=True) if chosen])
        moved = [self.transform(one, params) if chosen else one for one, chosen in zip(flat, wanted, strict=True)]
        return tree_unflatten(moved, spec)


@contextmanager
def standing_in() -> Iterator[None]:
    """``import torchvision`` gives this; afterwards it and what was made with it are forgotten."""
    made = {name: ModuleType(name) for name in MODULES}
    for name, module in made.items():
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    tensors = (TVTensor, Image, Video, Mask, BoundingBoxes, BoundingBoxFormat, KeyPoints)
    vars(made["torchvision.tv_tensors"]).update({one.__name__: one for one in tensors}, wrap=wrap)
    functional = SimpleNamespace(clamp_bounding_boxes=clamp_bounding_boxes)
    vars(made["torchvision.transforms.v2"]).update(Transform=Transform, functional=functional)
    vars(made["torchvision.transforms"])["v2"] = made["torchvision.transforms.v2"]
    vars(made["torchvision"]).update(
        tv_tensors=made["torchvision.tv_tensors"], transforms=made["torchvision.transforms"], __path__=[]
    )
    sys.modules.update(made)
    try:
        yield
    finally:
        for name in (*MODULES, "liescope.handover.for_torchvision"):
            sys.modules.pop(name, None)
