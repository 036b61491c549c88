"""What is found as an augmentation of kornia; imported where kornia is."""

from __future__ import annotations

from typing import Any

import torch
from kornia.augmentation import GeometricAugmentationBase2D
from torch import Tensor

from liescope.geometry.flow import is_affine
from liescope.handover.magnitudes import Magnitudes, numpy_generator
from liescope.handover.moving import Sampling, move_images, move_labels, move_points, pixel_matrix
from liescope.handover.transformation import Transformation

__all__ = ["KorniaAugmentation"]


class KorniaAugmentation(GeometricAugmentationBase2D):
    """A batch moved, each image by its own t: see :func:`liescope.handover.kornia`.

    Affine fields have a matrix, ``transform_matrix``, in kornia's pixels; all others have none (None), and their
    points and boxes follow the flow.
    """

    def __init__(
        self,
        found: Transformation,
        magnitudes: Magnitudes,
        sampling: Sampling,
        generator: torch.Generator | None = None,
        *,
        p: float = 1.0,
        same_on_batch: bool = False,
        keepdim: bool = False,
    ) -> None:
        super().__init__(p=p, same_on_batch=same_on_batch, keepdim=keepdim)
        self.found = found
        self.magnitudes = magnitudes
        self.sampling = sampling
        self.generator = generator

    def generate_parameters(self, batch_shape: tuple[int, ...]) -> dict[str, Tensor]:
        count = int(batch_shape[0])
        drawn = self.magnitudes.draw(numpy_generator(self.generator), 1 if self.same_on_batch else count)
        t = torch.from_numpy(drawn).to(device=self.device, dtype=self.dtype)
        return {"t": t.expand(count, -1)}

    def compute_transformation(self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any]) -> Tensor:
        height, width = input.shape[-2:]
        return pixel_matrix(self.found, params["t"], (height, width)).to(input)

    def generate_transformation_matrix(  # type: ignore[override]
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any]
    ) -> Tensor | None:
        if not is_affine(self.found.basis):
            return None
        matrix: Tensor = super().generate_transformation_matrix(input, params, flags)
        return matrix

    def apply_transform(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        return move_images(self.found, input, params["t"], self.sampling)

    def apply_transform_mask(
        self, input: Tensor, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Tensor:
        return move_labels(self.found, input, params["t"], self.sampling)

    def apply_transform_keypoint(
        self, input: Any, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Any:
        if transform is not None:
            return super().apply_transform_keypoint(input, params, flags, transform)
        moved = input.clone()
        moved._data = self._moved(input.data, params)
        return moved

    def apply_transform_box(
        self, input: Any, params: dict[str, Tensor], flags: dict[str, Any], transform: Tensor | None = None
    ) -> Any:
        if transform is not None:
            return super().apply_transform_box(input, params, flags, transform)
        moved = input.clone()
        moved._data = self._moved(input.data.flatten(-3, -2), params).reshape(input.data.shape)
        return moved

    def _moved(self, points: Tensor, params: dict[str, Tensor]) -> Tensor:
        height, width = params["forward_input_shape"].tolist()[-2:]
        t = params["t"] if points.ndim == 3 else params["t"][0]
        return move_points(self.found, points, t, (height, width))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.found!r}, t from {self.magnitudes!r}, p={self.p})"
