"""What belongs to the camera and not to a pair: grey scale, values that stand for no data, faults, illumination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from liescope.data import ImageStack
from liescope.engines.pair_set import GreyScale, Missing, PairSet
from liescope.engines.registration.pictures.illumination import Illumination
from liescope.geometry import Grid

__all__ = ["Camera"]


@dataclass(frozen=True, eq=False)
class Camera:
    """What all pictures of a data set share, for looking at others of them.

    Attributes
    ----------
    scale : GreyScale
    nodata : float or None
    fixed : bool array, shape (H, W)
        Pixels that never change.
    illumination : Illumination or None
    """

    scale: GreyScale
    nodata: float | None
    fixed: np.ndarray
    illumination: Illumination | None

    def pairs(self, source: ImageStack, target: ImageStack, device: torch.device) -> PairSet:
        """Other pairs, looked at in the same way."""
        mask = ~self.fixed if self.fixed.any() else None
        missing = Missing(mask, mask, self.nodata, nan=True)
        grid = Grid.of(*source.shape[-2:])
        light = None if self.illumination is None else self.illumination.over(grid)
        return PairSet(source, target, self.scale, device, missing, illumination=light)

    def arrays(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "background": self.scale.background,
            "amplitude": self.scale.amplitude,
            "nodata": np.nan if self.nodata is None else self.nodata,
            "fixed": np.argwhere(self.fixed),
            "illumination": np.empty(0) if self.illumination is None else self.illumination.coefficients,
        }

    @classmethod
    def of(cls, held: Mapping[str, np.ndarray], grid: Grid) -> Camera:
        """The same from :meth:`arrays`."""
        nodata, light = float(held["nodata"]), held["illumination"]
        fixed = np.zeros(grid.shape, dtype=bool)
        fixed[tuple(held["fixed"].reshape(-1, 2).T)] = True
        scale = GreyScale(held["background"], float(held["amplitude"]))
        return cls(scale, None if np.isnan(nodata) else nodata, fixed, Illumination(light) if len(light) else None)
