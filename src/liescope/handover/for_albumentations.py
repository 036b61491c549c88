"""What is found as a transform of albumentations; imported where albumentations is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import albumentations as A  # noqa: N812
import numpy as np
import torch

from liescope.handover.magnitudes import LawLike, Magnitudes
from liescope.handover.moving import Sampling, move_boxes, move_images, move_labels, move_points
from liescope.handover.transformation import Transformation, planar

__all__ = ["AlbumentationsTransform"]

_PLACES = slice(0, 2)  # of a keypoint: x, y, and then z, angle, scale, which stay
_SIDES = slice(0, 4)


class AlbumentationsTransform(A.DualTransform):  # type: ignore[misc]
    """Image, masks, boxes and keypoints moved by one t: see :func:`liescope.handover.albumentations`."""

    def __init__(
        self,
        found: Transformation | Mapping[str, Any],
        law: LawLike = None,
        range: float | Sequence[float] | None = None,
        interpolation: str = "linear",
        border: str = "zero",
        fill: float | Sequence[float] | None = None,
        mask_fill: float = 0,
        p: float = 1.0,
    ) -> None:
        super().__init__(p=p)
        self.found = planar(found)
        self.law, self.range = law, range
        self.sampling = Sampling(interpolation, border, fill, mask_fill)
        self.magnitudes = Magnitudes(self.found, law, range)

    def get_params(self) -> dict[str, Any]:
        return {"t": self.magnitudes.draw(self.random_generator, 1)[0]}

    def apply(self, img: np.ndarray, t: np.ndarray, **params: Any) -> np.ndarray:
        return self._array(move_images, img, t)

    def apply_to_mask(self, mask: np.ndarray, t: np.ndarray, **params: Any) -> np.ndarray:
        return self._array(move_labels, mask, t)

    def apply_to_keypoints(self, keypoints: np.ndarray, t: np.ndarray, **params: Any) -> np.ndarray:
        height, width = params["shape"][:2]
        moved = np.array(keypoints)
        places = torch.from_numpy(moved[:, _PLACES].astype(np.float64))
        moved[:, _PLACES] = move_points(self.found, places, torch.from_numpy(t), (height, width)).numpy()
        return moved

    def apply_to_bboxes(self, bboxes: np.ndarray, t: np.ndarray, **params: Any) -> np.ndarray:
        height, width = params["shape"][:2]
        moved = np.array(bboxes)
        # x_min, y_min, x_max, y_max as shares of width and height.
        x0, y0, x1, y1 = (moved[:, _SIDES].astype(np.float64) * [width, height, width, height]).T
        corners = np.stack((x0, y0, x1, y0, x1, y1, x0, y1), axis=1).reshape(-1, 4, 2)
        there = move_boxes(self.found, torch.from_numpy(corners), torch.from_numpy(t), (height, width)).numpy()
        low, high = there.min(axis=1) / [width, height], there.max(axis=1) / [width, height]
        moved[:, _SIDES] = np.concatenate((low, high), axis=1)
        return moved

    def _array(self, move: Any, array: np.ndarray, t: np.ndarray) -> np.ndarray:
        """An array (H, W) or (H, W, C) moved as a tensor (1, C, H, W)."""
        stack = np.ascontiguousarray(array.reshape(*array.shape[:2], -1).transpose(2, 0, 1))[None]
        moved = move(self.found, torch.from_numpy(stack), torch.from_numpy(t), self.sampling)
        there: np.ndarray = np.ascontiguousarray(moved[0].numpy().transpose(1, 2, 0)).reshape(array.shape)
        return there

    def get_transform_init_args(self) -> dict[str, Any]:
        return {"found": self.found.plain(), "law": self.law, "range": self.range, **vars(self.sampling)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.found!r}, t from {self.magnitudes!r}, p={self.p})"
