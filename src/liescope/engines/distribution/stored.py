"""What measures images with generators that were found between two sets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from liescope.data import ImageStack
from liescope.data.guard import reason
from liescope.engines.contract import Fitted, Measured
from liescope.engines.distribution.moments import Motion
from liescope.engines.distribution.posterior import Library, Reader
from liescope.engines.distribution.views import Patterns, Views, working_grid
from liescope.engines.pair_set import GreyScale
from liescope.engines.state import pack_arrays, unpack_arrays
from liescope.errors import InputError
from liescope.geometry import Basis, Grid

__all__ = ["MovedSets", "fitted_of"]


class MovedSets(Fitted):
    """Generators and laws between two sets.

    Parameters
    ----------
    reader : Reader
    shape : (H, W)
        Of the images.
    scale : GreyScale
    paired : bool
        Whether they were found in pairs: then the sources that look like a pair's own tell its magnitude.
    means : array, shape (3, H, W)
        Mean images of sources, targets and moved sources, on the working grid.
    """

    rough = True

    def __init__(
        self, reader: Reader, shape: tuple[int, ...], scale: GreyScale, paired: bool, means: np.ndarray
    ) -> None:
        self.reader = reader
        self.shape = shape
        self.scale = scale
        self.paired = paired
        self.means = means
        self.background = scale.background

    def views(self, images: ImageStack) -> Views:
        """Images on the working grid."""
        return Views(images, self.scale, working_grid(Grid.of(*self.shape)))

    def measure(self, source: ImageStack, target: ImageStack) -> Measured:
        sources, targets = self.views(source), self.views(target)
        index = np.arange(len(targets))
        partners = self.reader.motion.patterns.of_images(sources, index)
        t, error = self.reader.read(targets, index, partners)
        return Measured(t, self._residual(sources, targets, t), error)

    def measure_images(self, images: ImageStack, groups: np.ndarray | None = None) -> Measured:
        """The same of images without partners; the residual is 1 of all, there is nothing to compare them with."""
        views = self.views(images)
        t, error = self.reader.read(views, np.arange(len(views)), None, groups)
        return Measured(t, np.ones(len(views)), error)

    def still(self, source: ImageStack, target: ImageStack) -> np.ndarray:
        return self._residual(self.views(source), self.views(target), None)

    def _residual(self, sources: Views, targets: Views, t: np.ndarray | None) -> np.ndarray:
        found = []
        for part in sources.chunks(np.arange(len(sources))):
            x, y = sources.rows(part), targets.rows(part)
            if t is not None:
                x = self.reader.motion.moved(x, t[part] @ self.reader.coefficients)
            energy = y.square().sum(dim=1)
            floor = 1e-6 * y.shape[1]
            share = (x - y).square().sum(dim=1) / energy.clamp_min(floor)
            found.append(torch.where(energy > floor, share, torch.ones_like(share)).numpy())
        return np.concatenate(found).astype(np.float64)

    def state(self) -> dict[str, bytes]:
        reader = self.reader
        return pack_arrays(
            kind="sets",
            shape=self.shape,
            paired=self.paired,
            coefficients=reader.coefficients,
            quantiles=reader.quantiles,
            weights=reader.motion.patterns.weights.numpy(),
            offset=reader.motion.patterns.offset.numpy(),
            library=reader.library.z.astype(np.float32),
            group=reader.library.group,
            width=reader.width,
            calibration=reader.calibration,
            means=np.asarray(self.means, dtype=np.float32),
            background=self.scale.background,
            amplitude=self.scale.amplitude,
        )


def fitted_of(state: Mapping[str, bytes], basis: Basis) -> MovedSets:
    """The :class:`MovedSets` whose ``state()`` this is; InputError for files that are missing, truncated or foreign."""
    held = unpack_arrays(state)
    try:
        shape = tuple(int(side) for side in held["shape"])
        grid = working_grid(Grid.of(*shape))
        patterns = Patterns(torch.as_tensor(held["weights"]), torch.as_tensor(held["offset"]))
        coefficients = held["coefficients"]
        if coefficients.shape[1:] != (basis.dimension,) or patterns.weights.shape[1:] != (grid.size,):
            raise ValueError(f"coefficients {coefficients.shape}, patterns {tuple(patterns.weights.shape)}")
        library = Library(held["library"].astype(np.float64), held["group"])
        width, calibration = float(held["width"]), held["calibration"].reshape(len(coefficients), 2)
        reader = Reader(Motion(basis, grid, patterns), coefficients, held["quantiles"], library, width, calibration)
        scale = GreyScale(held["background"], float(held["amplitude"]))
        return MovedSets(reader, shape, scale, bool(held["paired"]), held["means"])
    except Exception as error:
        told = f"a wrong or missing entry: {reason(error)}"
        raise InputError(f"expected what the distribution engine kept, got {told}") from error
