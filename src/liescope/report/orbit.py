"""An image moved along an orbit, step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from liescope.algebra import Generator
from liescope.answer import Answer
from liescope.answer.parts import DetectedGenerator
from liescope.errors import InputError
from liescope.geometry import transport_images
from liescope.geometry.transport import Border
from liescope.report.numbers import precision, span
from liescope.report.plots import chosen_generator, magnitude_label, minus
from liescope.report.theme import LIGHT, Theme, new_axes
from liescope.report.words import bare_amount

__all__ = ["plot_orbit"]

_STEPS = 7
_GAP = 0.08
"""Room between two images, as a share of an image's width."""


def plot_orbit(
    symmetry: Answer | DetectedGenerator | Generator,
    image: np.ndarray,
    ts: Sequence[float] | np.ndarray | None = None,
    ax: Axes | None = None,
    *,
    generator: int = 0,
    in_units: bool = False,
    border: Border = "zero",
    theme: Theme = LIGHT,
    width: float = 7.0,
) -> Axes:
    """An image moved along its orbit, ``exp(tX) image`` for a few t, in a row with t in natural units below.

    Parameters
    ----------
    symmetry : Answer, DetectedGenerator or Generator
    image : array, shape (H, W) or (C, H, W)
        Of any size. Three channels are drawn in colour, other numbers of channels as their mean.
    ts : sequence of float, optional
        Magnitudes in units of the unit-norm generator; default about seven round ones over the range that was found
        (of a result), or over a moderate range.
    ax : Axes, optional
        Where to draw; default a new figure.
    generator : int
        Which generator of a result.
    in_units : bool
        Whether ``ts`` is in natural units: degrees, pixels, log-factor, plain.
    border : {"zero", "edge", "periodic"}
        What lies beyond the image.
    theme : Theme
    width : float
        Inches, of a new figure.

    Raises
    ------
    InputError
        Not an image, no such generator, or magnitudes that are none or not finite.
    """
    stack = _image(image)
    found = _generator(symmetry, generator, stack.shape[-2:])
    if ts is None:
        natural = _round_steps(*_range(symmetry, generator, found))
        if found.unit == "log-factor":
            natural = np.log(np.round(np.exp(natural), 2))
    else:
        natural = np.asarray(ts, dtype=np.float64) * (1.0 if in_units else found.unit_per_t)
    if natural.ndim != 1 or not natural.size or not np.isfinite(natural).all():
        raise InputError(f"expected finite magnitudes ts of shape (S,), got {np.asarray(ts).tolist()}")
    moved = _moved(stack, found, natural / found.unit_per_t, border)
    height, step = stack.shape[-2] / stack.shape[-1], 1 + _GAP
    if ax is None:
        ax = new_axes(width, max(1.0, width * height / (step * len(moved)) + 0.5))[0, 0]
    for k, frame in enumerate(moved):
        extent = (k * step, k * step + 1, 0, height)
        ax.imshow(frame, extent=extent, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set_xlim(-_GAP, len(moved) * step)
    ax.set_ylim(0, height)
    ax.set_xticks(np.arange(len(moved)) * step + 0.5, _labels(found, natural))
    ax.set_yticks([])
    ax.set_xlabel(magnitude_label(found).replace(" (logarithmic axis)", ""), color=theme.ink)
    ax.tick_params(colors=theme.ink, length=0)
    ax.spines[:].set_visible(False)
    return ax


def _image(image: np.ndarray) -> np.ndarray:
    """What is drawn, in float32: (3, H, W), or (1, H, W) the mean of another number of channels."""
    array = np.asarray(image)
    if array.dtype.kind not in "fiub" or array.ndim not in (2, 3) or not array.size:
        raise InputError(f"expected one image (H, W) or (C, H, W), got {array.dtype} {array.shape}")
    stack = np.asarray(array.reshape(-1, *array.shape[-2:]), dtype=np.float32)
    if not np.isfinite(stack).all():
        raise InputError("expected finite pixels, got NaN or infinite ones")
    return stack if len(stack) == 3 else stack.mean(axis=0, keepdims=True)


def _generator(symmetry: Answer | DetectedGenerator | Generator, index: int, shape: tuple[int, ...]) -> Generator:
    """The generator on the image at hand: a pixel of a larger image is a smaller shift."""
    if isinstance(symmetry, Answer):
        g = chosen_generator(symmetry, index)
    else:
        g = symmetry.generator if isinstance(symmetry, DetectedGenerator) else symmetry
    return Generator(g.coefficients, g.basis, (shape[0], shape[1]))


def _range(symmetry: Answer | DetectedGenerator | Generator, index: int, found: Generator) -> tuple[float, float]:
    """Natural magnitudes worth showing."""
    if isinstance(symmetry, Answer):
        low, high = span(symmetry, index)
        if not math.isnan(low):
            # Pixels of the data are not those of the image.
            ratio = found.unit_per_t / symmetry.generators[index].generator.unit_per_t
            return ratio * low, ratio * high
    reach = {"degree": 90.0, "log-factor": 0.6, "pixel": max(found.shape) / 4}
    half = reach.get(found.unit, 0.6 * abs(found.unit_per_t))
    return -half, half


def _round_steps(low: float, high: float) -> np.ndarray:
    """About seven round numbers inside a range; its middle where it is too narrow for that."""
    margin = 0.03 * (high - low)
    places = np.asarray(MaxNLocator(_STEPS - 1, steps=[1, 1.5, 2, 2.5, 3, 5, 10]).tick_values(low, high))
    inside = places[(places >= low - margin) & (places <= high + margin)]
    return np.asarray(inside if inside.size else [(low + high) / 2])


def _moved(stack: np.ndarray, found: Generator, ts: np.ndarray, border: Border) -> list[np.ndarray]:
    """The image at every t, its grey range made [0, 1]: (H, W) or (H, W, 3)."""
    coefficients = torch.as_tensor(ts[:, None] * found.coefficients, dtype=torch.float32)
    copies = torch.from_numpy(np.repeat(stack[None], len(ts), axis=0))
    moved = transport_images(copies, found.basis, coefficients, border=border).numpy()
    low, height = stack.min(), np.ptp(stack) or 1.0
    shown = np.clip((moved - low) / height, 0, 1)
    return list(np.moveaxis(shown, 1, -1) if len(stack) == 3 else shown[:, 0])


def _labels(found: Generator, natural: np.ndarray) -> list[str]:
    step = precision(float(natural.min()), float(natural.max()))
    texts = [minus(bare_amount(found, value, step)) for value in natural]
    return [f"\N{MULTIPLICATION SIGN}{text}" for text in texts] if found.unit == "log-factor" else texts
