"""What is found as a transform of torchvision; imported where torchvision is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from liescope.errors import InputError
from liescope.handover.magnitudes import Magnitudes, numpy_generator
from liescope.handover.moving import Sampling, move_boxes, move_images, move_labels, move_points
from liescope.handover.transformation import Transformation

__all__ = ["TorchvisionTransform"]

_UPRIGHT = ("XYXY", "XYWH", "CXCYWH")
_CORNERS = "XYXYXYXY"
_MODES = ("L", "RGB", "RGBA", "F")
_KEYPOINTS = getattr(tv_tensors, "KeyPoints", ())  # from torchvision 0.23 on


class TorchvisionTransform(v2.Transform):  # type: ignore[misc]
    """Everything in a sample moved by one t: see :func:`liescope.handover.torchvision`."""

    def __init__(
        self,
        found: Transformation,
        magnitudes: Magnitudes,
        sampling: Sampling,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.found = found
        self.magnitudes = magnitudes
        self.sampling = sampling
        self.generator = generator

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        for item in flat_inputs:
            if isinstance(item, tv_tensors.BoundingBoxes) and item.format.name not in (*_UPRIGHT, _CORNERS):
                wanted = ", ".join((*_UPRIGHT, _CORNERS))
                raise InputError(f"expected boxes as {wanted}, got {item.format.name}, try convert_bounding_box_format")
            if isinstance(item, Image.Image) and item.mode not in _MODES:
                raise InputError(f"expected images of mode {', '.join(_MODES)}, got {item.mode}, try convert('RGB')")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"t": torch.from_numpy(self.magnitudes.draw(numpy_generator(self.generator), 1)[0])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        t = params["t"]
        if isinstance(inpt, Image.Image):
            return self._picture(inpt, t)
        tensor = inpt.as_subclass(Tensor)
        if isinstance(inpt, tv_tensors.BoundingBoxes):
            moved = tv_tensors.wrap(self._boxes(tensor, inpt, t), like=inpt)
            return v2.functional.clamp_bounding_boxes(moved)
        if _KEYPOINTS and isinstance(inpt, _KEYPOINTS):
            flat = move_points(self.found, tensor.reshape(-1, 2), t, tuple(inpt.canvas_size))
            return tv_tensors.wrap(flat.reshape(tensor.shape), like=inpt)
        if tensor.ndim < 2:
            raise InputError(f"expected images (..., C, H, W), got a tensor of shape {tuple(tensor.shape)}")
        move = move_labels if isinstance(inpt, tv_tensors.Mask) else move_images
        # Images and videos are (..., C, H, W), masks (..., H, W).
        stack = tensor.reshape(-1, *_channels(tensor), *tensor.shape[-2:])
        moved = move(self.found, stack, t, self.sampling).reshape(tensor.shape)
        return tv_tensors.wrap(moved, like=inpt) if isinstance(inpt, tv_tensors.TVTensor) else moved

    def _boxes(self, tensor: Tensor, like: Any, t: Tensor) -> Tensor:
        """Boxes in their own format that hold what they held: the smallest upright ones around the moved corners."""
        whole, size = not tensor.is_floating_point(), tuple(like.canvas_size)
        wide = tensor.to(torch.float64).reshape(-1, tensor.shape[-1])
        if like.format.name == _CORNERS:
            moved = move_boxes(self.found, wide.reshape(-1, 4, 2), t, size).reshape(tensor.shape)
        else:
            first, second = _from_format(wide, like.format.name)
            x = torch.stack((first[:, 0], second[:, 0], second[:, 0], first[:, 0]), dim=1)
            y = torch.stack((first[:, 1], first[:, 1], second[:, 1], second[:, 1]), dim=1)
            corners = move_boxes(self.found, torch.stack((x, y), dim=-1), t, size)
            moved = _to_format(corners.amin(dim=1), corners.amax(dim=1), like.format.name).reshape(tensor.shape)
        return moved.round().to(tensor.dtype) if whole else moved.to(tensor.dtype)

    def _picture(self, picture: Image.Image, t: Tensor) -> Image.Image:
        array = np.array(picture)
        channels = torch.from_numpy(array if array.ndim == 3 else array[..., None]).permute(2, 0, 1)
        moved = move_images(self.found, channels[None], t, self.sampling)[0].permute(1, 2, 0).numpy()
        return Image.fromarray(np.ascontiguousarray(moved).reshape(array.shape))

    def extra_repr(self) -> str:
        return f"{self.found!r}, t from {self.magnitudes!r}"


def _channels(tensor: Tensor) -> tuple[int, ...]:
    return (tensor.shape[-3],) if tensor.ndim > 2 else (1,)


def _from_format(boxes: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """Top left and bottom right corners."""
    first, second = boxes[:, :2], boxes[:, 2:]
    if name == "XYWH":
        return first, first + second
    return (first - second / 2, first + second / 2) if name == "CXCYWH" else (first, second)


def _to_format(low: Tensor, high: Tensor, name: str) -> Tensor:
    if name == "XYWH":
        return torch.cat((low, high - low), dim=1)
    return torch.cat(((low + high) / 2, high - low) if name == "CXCYWH" else (low, high), dim=1)
