"""A contact sheet of pairs with their magnitudes, to look at before trusting them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.flows import polynomial_field
from liescope.data.pairs import Pairs, atomic_path
from liescope.errors import InputError

__all__ = ["preview_sheet"]

UNIT_SYMBOLS = {"degree": "°", "pixel": " px", "log-factor": "", "plain": ""}
ARROWS = 9


def preview_sheet(pairs: Pairs, path: str | Path, count: int = 20, columns: int = 5) -> Path:
    """Draw the first pairs, source beside target, with their magnitudes in natural units.

    Where the generators are known their vector fields come first: content moves along the arrows for positive
    magnitudes, x to the right and y up.

    Parameters
    ----------
    pairs : Pairs
    path : path
        ``.png``, ``.pdf`` or ``.svg``; written whole or not at all.
    count, columns : int
        Pairs drawn, and pairs in a row.
    """
    from matplotlib.figure import Figure

    path = Path(path)
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise InputError(f"expected a preview file ending in .png, .pdf or .svg, got '{path.name}'")
    if count < 1 or columns < 1:
        raise InputError(f"expected at least one pair and one column on a sheet, got {count} and {columns}")
    generators = pairs.meta.get("generators") or []
    shown = min(count, len(pairs))
    cells = len(generators) + shown
    rows = -(-cells // columns)
    figure = Figure(figsize=(2.5 * columns, 1.6 * rows + 0.5), layout="constrained")
    figure.suptitle(_headline(pairs), fontsize=9)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, k in zip(grid, range(len(generators)), strict=False):
        _draw_field(axes, generators[k], _names(pairs)[k], tuple(pairs.source.shape[-2:]))
    images = [np.asarray(stack[:shown], dtype=np.float64) for stack in (pairs.source, pairs.target)]
    low, high = (float(f([f(i) for i in images])) for f in (np.min, np.max))
    for i in range(shown):
        axes = grid[len(generators) + i]
        left, right = (_picture(stack[i], low, high) for stack in images)
        gap = np.ones((left.shape[0], max(1, left.shape[1] // 14), *left.shape[2:]))
        axes.imshow(np.concatenate([left, gap, right], axis=1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(_amount(pairs, i), fontsize=7, pad=2)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
    return path


def _names(pairs: Pairs) -> list[str]:
    names = str(pairs.meta.get("transform") or "").split("+")
    generators = pairs.meta.get("generators") or []
    return names if len(names) == len(generators) else [f"generator {k + 1}" for k in range(len(generators))]


def _headline(pairs: Pairs) -> str:
    meta = pairs.meta
    shape = "x".join(str(n) for n in pairs.source.shape[-2:])
    known = [str(meta[key]) for key in ("task", "corpus", "transform", "interpolation") if meta.get(key)]
    laws = " + ".join(text if len(text) < 60 else text[:57] + "..." for text in meta.get("law") or [])
    return ", ".join([*known, *([laws] if laws else []), f"{len(pairs)} pairs of {shape}", "source | target"])


def _amount(pairs: Pairs, i: int) -> str:
    natural = pairs.natural_magnitude
    if natural is None:
        return f"pair {i}" if pairs.magnitude is None else "t = " + ", ".join(f"{t:.3g}" for t in pairs.magnitude[i])
    units = [UNIT_SYMBOLS.get(unit, "") for unit in pairs.meta.get("unit", [])]
    return ", ".join(f"{value:+.3g}{unit}" for value, unit in zip(natural[i], units, strict=False))


def _picture(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Grey (H, W), or colour (H, W, 3) for three channels; other channel counts show the first."""
    scaled: np.ndarray = (image - low) / (high - low or 1.0)
    if scaled.ndim == 2:
        return scaled
    return scaled.transpose(1, 2, 0) if scaled.shape[0] == 3 else scaled[0]


def _draw_field(axes: Any, coefficients: list[float], name: str, shape: tuple[int, int]) -> None:
    components = np.reshape(np.asarray(coefficients, dtype=np.float64), (2, -1))
    degree = next(d for d in range(20) if (d + 1) * (d + 2) // 2 >= components.shape[1])
    height, width = (n / max(shape) for n in shape)
    x, y = np.meshgrid(np.linspace(-width, width, ARROWS), np.linspace(-height, height, ARROWS))
    arrows = polynomial_field(np.stack([x, y], axis=-1), components, degree)
    axes.quiver(x, y, arrows[..., 0], arrows[..., 1], angles="xy", pivot="middle")
    axes.set_aspect("equal")
    axes.set_title(name if len(name) < 30 else "generator", fontsize=7, pad=2)
