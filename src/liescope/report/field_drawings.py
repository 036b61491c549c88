"""Drawings for the answers of null vectors: the spectrum of defects, fields in the plane, matrices."""

from __future__ import annotations

import numpy as np
import torch
from markupsafe import Markup
from matplotlib.colors import LinearSegmentedColormap

from liescope.algebra import Generator
from liescope.answer import FieldAnswer
from liescope.geometry import PolynomialBasis
from liescope.report.plots import minus
from liescope.report.theme import PAGE, figure, page_svg

__all__ = ["field_drawing", "spectrum_drawing"]

_LEAST = 1e-9
_MOST_BARS = 40
_ARROWS = 13
_MOST_POINTS = 200
_SIGNS = LinearSegmentedColormap.from_list("signs", ["#0b4f8a", "#7db1dc", "#f7f7f5", "#f0a35e", "#a34000"])


def spectrum_drawing(result: FieldAnswer) -> Markup:
    """Defects in ascending order with their intervals, the tolerance, and what noise alone gives."""
    defects = np.maximum(np.array(result.evidence["spectrum"], dtype=float)[:_MOST_BARS], _LEAST)
    noise = np.array(result.evidence["noise"], dtype=float)[: len(defects)]
    bounds = np.maximum(np.array(result.evidence["defect_intervals"], dtype=float)[: len(defects)], _LEAST)
    places = np.arange(1, len(defects) + 1)
    fig = figure(6.6, 2.6)
    ax = fig.axes[0]
    count = int(result.evidence["certified"])
    ax.vlines(places, bounds[:, 0], bounds[:, 1], color=PAGE.muted, linewidth=1.2)
    for chosen, colour, marker in ((places <= count, PAGE.accent, "o"), (places > count, PAGE.second, "s")):
        ax.plot(places[chosen], defects[chosen], marker, color=colour, markersize=4.5)
    ax.axhline(float(result.evidence["tolerance"]), color=PAGE.ink, linewidth=0.9, linestyle="--")
    ax.plot(places, noise, color=PAGE.muted, linewidth=0.9, linestyle=":")
    ax.set_yscale("log")
    ax.set_xlabel("field, by defect", color=PAGE.muted)
    ax.set_ylabel("defect", color=PAGE.muted)
    ax.set_xlim(0.4, len(defects) + 0.6)
    ax.tick_params(colors=PAGE.muted)
    told = f"spectrum of {len(defects)} defects, {count} of them certified below the tolerance"
    return Markup(page_svg(fig, "spectrum", told))


def field_drawing(result: FieldAnswer, index: int) -> Markup | None:
    """The field in the plane among the data; of an affine field elsewhere its matrix; None of others."""
    generator = result.generators[index].generator
    if result.basis.ndim == 2:
        return Markup(_plane(result, generator, f"field-{index + 1}"))
    if isinstance(result.basis, PolynomialBasis) and result.basis.degree <= 1:
        return Markup(_matrix(generator, result.basis, f"matrix-{index + 1}"))
    return None


def _plane(result: FieldAnswer, generator: Generator, prefix: str) -> str:
    points = result.domain.points(dtype=torch.float64).numpy()
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * (high - low)
    sides = [np.linspace(a - m, b + m, _ARROWS) for a, b, m in zip(low, high, margin, strict=True)]
    lattice = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    vectors = generator.field(lattice)
    fig = figure(3.6, 3.4)
    ax = fig.axes[0]
    ax.plot(*points[:_MOST_POINTS].T, ".", color=PAGE.line, markersize=3, zorder=1)
    ax.quiver(*lattice.T, *vectors.T, color=PAGE.accent, angles="xy", width=0.005, zorder=2)
    ax.set_xlabel(result.domain.axes[0], color=PAGE.muted)
    ax.set_ylabel(result.domain.axes[1], color=PAGE.muted)
    ax.tick_params(colors=PAGE.muted)
    return page_svg(fig, prefix, f"arrows of the field {generator.equation}")


def _matrix(generator: Generator, basis: PolynomialBasis, prefix: str) -> str:
    table = basis.polynomial(torch.as_tensor(generator.coefficients)).numpy()
    table = np.concatenate((table[:, 1:], table[:, :1]), axis=1)
    names = list(generator.domain.axes)
    fig = figure(3.4, 2.9)
    ax = fig.axes[0]
    most = float(np.abs(table).max())
    ax.imshow(table, cmap=_SIGNS, vmin=-most, vmax=most)
    ax.set_xticks(range(len(names) + 1), [*names, "1"])
    ax.set_yticks(range(len(names)), [f"d{name}/dt" for name in names])
    ax.tick_params(colors=PAGE.muted, length=0)
    if len(names) <= 6:
        for i, row in enumerate(table):
            for j, value in enumerate(row):
                if abs(value) > 0.005 * most:
                    ink = "white" if abs(value) > 0.6 * most else "#1b1d21"
                    ax.text(j, i, minus(f"{value / most:.2g}"), ha="center", va="center", color=ink, fontsize=7)
    return page_svg(fig, prefix, f"matrix of the field {generator.equation}")
