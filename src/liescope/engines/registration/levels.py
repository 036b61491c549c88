"""Resolution levels: one separable linear operator blurs and resamples a stack of images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.geometry.grid import Grid
from liescope.geometry.smoothing import smoothing_operator

__all__ = ["Level", "make_level"]


@dataclass(frozen=True)
class Level:
    """A grid, the operator that brings full-size images onto it, and a smoothing applied after motion.

    Attributes
    ----------
    grid : Grid
        The level's pixels; they cover the same domain as the full image.
    rows, columns : tensors, shapes (h, H) and (w, W)
        Resampling: ``rows @ image @ columns.T``.
    smooth_rows, smooth_columns : tensors, shapes (h, h) and (w, w), or None
        Blur of the moved image. Blurring before the motion is cheaper, but a blur does not commute with scaling or
        shear, which biases their magnitudes by a few per cent; blurring afterwards compares like with like.
    """

    grid: Grid
    rows: Tensor
    columns: Tensor
    smooth_rows: Tensor | None = None
    smooth_columns: Tensor | None = None

    @property
    def correlation_area(self) -> float:
        """Pixels over which smoothing correlates white noise: by so much it inflates the variance of a slow average."""
        area = 1.0
        for operator in (self.smooth_rows, self.smooth_columns):
            if operator is not None:
                middle = operator[len(operator) // 2]
                area *= float(middle.sum().square() / middle.square().sum())
        return area

    def apply(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """Resampled images; outside the image counts as zero."""
        return self.rows @ images @ self.columns.T

    def smooth(self, images: Float[Tensor, "b c i j"]) -> Float[Tensor, "b c i j"]:
        """Images on the level, blurred as they are before they are compared."""
        if self.smooth_rows is None or self.smooth_columns is None:
            return images
        return self.smooth_rows @ images @ self.smooth_columns.T


def make_level(
    full: Grid,
    longest_side: int,
    *,
    blur_before: float = 0.0,
    blur_after: float = 0.0,
    device: torch.device | str | None = None,
) -> Level:
    """A level of ``longest_side`` pixels (never more than the image has).

    Parameters
    ----------
    blur_before : float
        Standard deviation, in the level's pixels, of the Gaussian applied with the resampling; raised to half a
        pixel where the level is coarser than the image, which keeps aliasing out.
    blur_after : float
        The same for the smoothing applied after motion.
    """
    coarser = longest_side < max(full.shape)
    grid = full.resampled(longest_side) if coarser else full
    blur = max(blur_before, 0.5) if coarser else blur_before
    operators = [smoothing_operator(f, g, blur).to(device) for f, g in zip(full.shape, grid.shape, strict=True)]
    if blur_after:
        operators += [smoothing_operator(g, g, blur_after).to(device) for g in grid.shape]
    return Level(grid, *operators)
