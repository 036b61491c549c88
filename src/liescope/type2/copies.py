"""Copies of images along the flows of a scheme: x_j = exp(t_j X) x, one warp each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.errors import InputError
from liescope.geometry import Grid, flow, sample
from liescope.type2.scheme import Scheme

__all__ = ["MOST_BYTES", "orbit_copies", "orbit_origins", "warped"]

MOST_BYTES = 1 << 33
"""Of copies that are held at once."""


def orbit_origins(
    scheme: Scheme,
    shape: Sequence[int],
    offset: Float[Tensor, " k"] | None = None,
    device: torch.device | str | None = None,
) -> Float[Tensor, "j n 2"]:
    """Where the pixels of every copy come from, in normalised units.

    Parameters
    ----------
    offset : tensor, shape (K,), optional
        Added to the magnitudes of all copies, in steps between neighbours.
    """
    points = Grid.of(*shape).points(device=device)
    if not scheme.generators:
        return points[None]
    t = torch.as_tensor(scheme.t, dtype=torch.float32, device=device)
    if offset is not None:
        t = t + offset.to(t) * torch.as_tensor(scheme.steps).to(t)
    directions = torch.as_tensor(scheme.directions).to(t)
    return flow(scheme.generators[0].basis, -(t @ directions), points)


def warped(images: Float[Tensor, "n c h w"], origins: Float[Tensor, "j p 2"]) -> Float[Tensor, "n j c h w"]:
    """Every image seen from all origins; outside of images is 0."""
    grid = Grid.of(*images.shape[2:])
    copies = [sample(images, place[None], grid).reshape(images.shape) for place in origins]
    return torch.stack(copies, dim=1)


def orbit_copies(
    images: Float[Tensor, "n c h w"], scheme: Scheme, offset: Float[Tensor, " k"] | None = None
) -> Float[Tensor, "n j c h w"]:
    """Copies of images along a scheme, J of each.

    Raises
    ------
    InputError
        Copies that would take more than 8 GiB; images of another shape than the scheme's.
    """
    shape = tuple(images.shape[2:])
    if scheme.grid is not None and scheme.grid.shape != shape:
        raise InputError(f"expected images of {scheme.grid.shape} for {scheme.name}, got {shape}")
    needed = images.numel() * scheme.size * images.element_size()
    if needed > MOST_BYTES:
        raise InputError(
            f"expected copies of at most {MOST_BYTES >> 30} GiB, got {needed / (1 << 30):.0f} GiB "
            f"({len(images)} images, {scheme.size} copies each), try fewer images at a time"
        )
    return warped(images, orbit_origins(scheme, shape, offset, images.device))
