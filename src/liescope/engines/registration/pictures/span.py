"""A span of generators that pictures are measured along, as it is kept and made again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from liescope.data import ImageStack
from liescope.engines.contract import Fitted, Measured
from liescope.engines.pair_set import PairSet
from liescope.engines.registration.pictures.camera import Camera
from liescope.engines.registration.pictures.measuring import Measurer, PictureMagnitudes
from liescope.engines.registration.pictures.trials import Refined
from liescope.engines.registration.readable import standard_errors
from liescope.engines.state import pack_arrays
from liescope.engines.workers import worker_pool
from liescope.geometry import Basis, Grid

__all__ = ["PictureSpan", "measured_along"]

_REFINED = ("span", "covariance", "t", "shared")


class PictureSpan(Fitted):
    """Measures pairs of pictures along a span.

    Parameters
    ----------
    measurer : Measurer
    refined : Refined
    change : array, shape (K, K)
        From coordinates in the span to magnitudes.
    camera : Camera
    """

    def __init__(self, measurer: Measurer, refined: Refined, change: np.ndarray, camera: Camera) -> None:
        self.measurer, self.refined, self.change, self.camera = measurer, refined, change, camera
        self.background = camera.scale.background
        self.device = refined.span.device

    def measure(self, source: ImageStack, target: ImageStack) -> Measured:
        pairs = self.camera.pairs(source, target, self.device)
        refined = self.refined
        with worker_pool(self.device):
            found = self.measurer.measure(pairs, refined.span, refined.t, refined.kernel)
        return measured_along(found, pairs, self.change, refined.shared.cpu().numpy())

    def still(self, source: ImageStack, target: ImageStack) -> np.ndarray:
        with worker_pool(self.device):
            return self.measurer.still(self.camera.pairs(source, target, self.device))

    def state(self) -> dict[str, bytes]:
        return pack_arrays(
            kind="pictures",
            shape=self.measurer.grid.shape,
            change=self.change,
            outside=self.measurer.registrar.outside,
            smooth=self.measurer.smooth,
            kernel=self.refined.kernel,
            **{name: getattr(self.refined, name).cpu().numpy() for name in _REFINED},
            **self.camera.arrays(),
        )

    @classmethod
    def of(cls, held: Mapping[str, np.ndarray], basis: Basis, device: torch.device) -> PictureSpan:
        """The same from the arrays of :meth:`state`."""
        grid = Grid.of(*(int(n) for n in held["shape"]))
        measurer = Measurer(basis, grid, device, bool(held["outside"]), bool(held.get("smooth", False)))
        parts = {name: torch.as_tensor(held[name], device=device) for name in _REFINED}
        refined = Refined(kernel=str(held["kernel"]), **parts)
        if refined.span.shape[0] != basis.dimension or not bool(torch.isfinite(refined.span).all()):
            raise ValueError(f"expected a span of {basis.dimension} fields, got shape {tuple(refined.span.shape)}")
        return cls(measurer, refined, held["change"], Camera.of(held, grid))


def measured_along(found: PictureMagnitudes, pairs: PairSet, change: np.ndarray, shared: np.ndarray) -> Measured:
    """Magnitudes along the readable generators, brightness in grey values."""
    background = float(pairs.scale.background.mean())
    return Measured(
        found.t @ change.T,
        found.error,
        standard_errors(found.covariance + shared, change),
        np.zeros(len(found.t), dtype=bool),
        found.gain,
        found.offset * pairs.scale.amplitude + background * (1 - found.gain),
    )
