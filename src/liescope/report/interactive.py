"""What the page's slider computes with: images, fields and ranges, small enough to be embedded."""

from __future__ import annotations

import base64
import math
from typing import Any, NamedTuple

import numpy as np
import torch

from liescope.algebra import Generator
from liescope.answer import Answer
from liescope.data import resize_images
from liescope.engines import Fitted, GreyScale
from liescope.geometry import Grid, PolynomialBasis, sample
from liescope.geometry.flow import flow, runge_kutta_steps
from liescope.report.numbers import span

__all__ = ["DECODED_STEPS", "SHOWN", "Sources", "moved_images", "natural_range", "slider_data", "sources_of"]

SHOWN = 8
"""Images that the slider moves from the start; the others are shown when asked for."""
_MOST_IMAGES = 64
_LARGEST_SIDE = 96
_IMAGE_BYTES = 1_500_000
_DECODED_BYTES = 750_000
_DECODED_SIDE = 48
DECODED_STEPS = 21
"""Magnitudes at which the latent engine's reconstructions are embedded."""

_STEPS_TO_END = 50
"""Steps of the slider from the middle to its end, at least."""
_FIELD_SIDE, _FIELD_HALF = 97, 1.5
"""Points along a side of a field that is embedded as a table, and half of that side in normalised units."""


class Sources(NamedTuple):
    """Source images for the slider, those first that show most.

    ``images`` (S, 1 or 3, H, W) are in the grey range of the sample pairs, [0, 1]; ``background`` (1 or 3,) is what
    lies outside them. ``low`` and ``height`` take grey values of the data there, ``place`` is the samples' place.
    """

    images: np.ndarray
    background: np.ndarray
    pairs: list[int]
    place: np.ndarray
    low: float
    height: float
    grid: Grid


def sources_of(result: Answer) -> Sources | None:
    """The sources of a result's samples, large ones made smaller; None where there is nothing to show."""
    kept = result.samples
    if kept is None or not result.generators or not len(kept.index):
        return None
    stacks = [np.asarray(stack, np.float32) for stack in (kept.source, kept.target)]
    low = float(min(np.nanmin(stack) for stack in stacks))
    height = float(max(np.nanmax(stack) for stack in stacks)) - low or 1.0
    if result.product and result.background is not None:
        background = result.background
    else:
        background = GreyScale.of(stacks[1], np.arange(0, len(stacks[1]), math.ceil(len(stacks[1]) / 16))).background
    grid = Grid.of(*result.shape[1:])
    grid = grid.resampled(min(_LARGEST_SIDE, max(grid.shape)))
    images = _shown(stacks[0], (grid.height, grid.width), low, height)
    outside = _shown(np.asarray(background, np.float32).reshape(1, -1, 1, 1), (1, 1), low, height)[0, :, 0, 0]
    sources = Sources(images, outside, [], np.arange(len(images)), low, height, grid)
    order = _order(result, sources)[: min(_MOST_IMAGES, max(1, _IMAGE_BYTES // images[0].size))]
    pairs = [int(kept.index[i]) for i in order]
    return sources._replace(images=images[order], pairs=pairs, place=order)


def _shown(images: np.ndarray, shape: tuple[int, int], low: float, height: float) -> np.ndarray:
    """(S, C, H, W) as (S, 1 or 3, rows, columns) in the grey range."""
    colours = images if images.shape[1] == 3 else images.mean(axis=1, keepdims=True)
    colours = colours if colours.shape[-2:] == shape else resize_images(colours, shape)
    return np.asarray(np.clip((np.nan_to_num(colours) - low) / height, 0, 1), dtype=np.float32)


def _order(result: Answer, sources: Sources) -> np.ndarray:
    """Accepted pairs first, those first that change most along the flows; the first few are unlike each other."""
    images = sources.images
    change = np.zeros(len(images))
    for k, g in enumerate(result.generators):
        t = natural_range(result, k)[0] / 2 / g.generator.unit_per_t
        moved = moved_images(g.generator, images, np.full(len(images), t), sources)
        change += np.square(moved - images).mean(axis=(1, 2, 3))
    accepted = result.accepted[np.asarray(result.samples.index, dtype=int)] if result.samples and result.pairs else None
    accepted = np.ones(len(images), dtype=bool) if accepted is None else accepted
    order = np.lexsort((-change, ~np.asarray(accepted, dtype=bool)))
    pool = order[: max(SHOWN, int(np.sum(accepted)) // 2)]
    flat = images.reshape(len(images), -1)
    first = [int(pool[0])]
    while len(first) < min(SHOWN, len(pool)):
        distance = np.min([np.square(flat[pool] - flat[i]).sum(axis=1) for i in first], axis=0)
        distance[np.isin(pool, first)] = -1
        first.append(int(pool[int(np.argmax(distance))]))
    return np.array([*first, *(i for i in order if i not in first)], dtype=np.int64)


def moved_images(generator: Generator, images: np.ndarray, t: np.ndarray, sources: Sources) -> np.ndarray:
    """Images (S, C, H, W) of the slider moved by t (S,) over their background."""
    grid = sources.grid
    outside = torch.as_tensor(sources.background, dtype=torch.float32)[:, None, None]
    stack = torch.as_tensor(images, dtype=torch.float32) - outside
    vectors = torch.as_tensor(-t[:, None] * generator.coefficients, dtype=torch.float32)
    origins = flow(generator.basis, vectors, grid.points())
    moved: np.ndarray = (sample(stack, origins, grid).reshape(stack.shape) + outside).numpy()
    return moved


def natural_range(result: Answer, index: int) -> tuple[float, float]:
    """How far the slider goes to either side and its step, in natural units: round numbers about the law's range."""
    generator = result.generators[index].generator
    ends = span(result, index)
    reach = max(map(abs, ends))
    if not (math.isfinite(reach) and reach > 0):
        reach = 0.5 * abs(generator.unit_per_t)
    coarsest = reach / _STEPS_TO_END
    decade = 10.0 ** math.floor(math.log10(coarsest))
    step = max(m for m in (decade, 2 * decade, 5 * decade) if m <= coarsest * (1 + 1e-6))
    # Ends such as 60.02 are 60 and rounding.
    return round(math.ceil(reach / step - 0.1) * step, 12), round(step, 12)


def slider_data(result: Answer, sources: Sources | None, fitted: Fitted | None = None) -> dict[str, Any]:
    """What page.js reads: plain values, images as bytes in base64; decoded ones where ``fitted`` has a decoder."""
    grid = sources.grid if sources else Grid.of(*result.shape[1:])
    return {
        "grid": {
            "rows": grid.height,
            "columns": grid.width,
            "halfHeight": grid.half_height,
            "halfWidth": grid.half_width,
        },
        "images": _pixels(sources.images) if sources else None,
        "background": [round(255 * float(b), 3) for b in sources.background] if sources else [],
        "pairs": sources.pairs if sources else [],
        "shown": SHOWN,
        "generators": [_generator(result, k, sources, fitted) for k in range(len(result.generators))],
    }


def _pixels(images: np.ndarray) -> dict[str, Any]:
    """Images (S, C, H, W) in [0, 1] as bytes: image by image, row by row, the channels of a pixel together."""
    shades = np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)
    count, channels, rows, columns = images.shape
    data = base64.b64encode(np.ascontiguousarray(np.moveaxis(shades, 1, -1)).tobytes()).decode("ascii")
    return {"count": count, "channels": channels, "rows": rows, "columns": columns, "data": data}


def _generator(result: Answer, index: int, sources: Sources | None, fitted: Fitted | None) -> dict[str, Any]:
    g = result.generators[index].generator
    reach, step = natural_range(result, index)
    vector = torch.as_tensor(g.coefficients * reach / g.unit_per_t)
    return {
        "unit": g.unit,
        "unitPerT": g.unit_per_t,
        "reach": reach,
        "step": step,
        "stepsToEnd": runge_kutta_steps(g.basis, vector),
        "field": _field(g),
        "decoded": _decoded(result, index, reach, sources, fitted),
    }


def _field(generator: Generator) -> dict[str, Any]:
    """The unit-norm field: its monomials, or a table where it is no polynomial."""
    basis = generator.basis
    a = torch.as_tensor(generator.coefficients)
    if isinstance(basis, PolynomialBasis):
        u, v = basis.polynomial(a).tolist()
        return {"degree": basis.degree, "exponents": basis.exponents, "u": u, "v": v}
    side = torch.linspace(-_FIELD_HALF, _FIELD_HALF, _FIELD_SIDE, dtype=torch.float64)
    y, x = torch.meshgrid(side, side, indexing="ij")
    values = basis.velocity(torch.stack((x, y), dim=-1).reshape(-1, 2), a)
    # Fields of one's own need not be defined beyond the image.
    table = torch.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).numpy().astype("<f4")
    data = base64.b64encode(table.tobytes()).decode("ascii")
    return {"side": _FIELD_SIDE, "half": _FIELD_HALF, "data": data}


def _decoded(
    result: Answer, index: int, reach: float, sources: Sources | None, fitted: Fitted | None
) -> dict[str, Any] | None:
    """Traversals, by a decoder, of the images that are shown first."""
    if fitted is None or sources is None or result.samples is None:
        return None
    natural = np.linspace(-reach, reach, DECODED_STEPS)
    ts = np.zeros((len(natural), len(result.generators)))
    ts[:, index] = natural / result.generators[index].generator.unit_per_t
    grid = sources.grid.resampled(min(_DECODED_SIDE, max(sources.grid.shape)))
    bytes_of_one = len(natural) * grid.size * sources.images.shape[1] * len(result.generators)
    count = min(SHOWN, max(1, _DECODED_BYTES // bytes_of_one))
    images = np.asarray(result.samples.source)[sources.place[:count]]
    steps = [fitted.decoded(images, t) for t in ts]
    strips = np.stack([step for step in steps if step is not None], axis=1)
    flat = strips.reshape(-1, *strips.shape[2:])
    pixels = _pixels(_shown(flat.astype(np.float32), (grid.height, grid.width), sources.low, sources.height))
    return pixels | {"count": len(strips), "steps": natural.tolist()}
