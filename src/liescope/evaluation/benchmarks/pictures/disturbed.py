"""Shifted windows with what happens to pictures otherwise: brightness, missing and dead pixels, noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from scipy import ndimage

from liescope.evaluation.benchmarks.pictures.pairs import Maker, Pictures
from liescope.evaluation.benchmarks.pictures.scenes import Scene
from liescope.evaluation.benchmarks.pictures.shifted import SIDE, shifted

__all__ = ["DISTURBED", "NODATA"]

NODATA = 65535
"""No measurement, in pictures of 16 bits."""

_VIGNETTE = 0.3
_HOT = 16.0
_HOTTER = 40.0
_NOISE = 0.05


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 3])


def _each(made: Pictures, values: np.ndarray) -> np.ndarray:
    """One number a pair, in the shape that pictures are multiplied with."""
    return values[: len(made.source), None, None]


def _gain(made: Pictures, seed: int) -> Pictures:
    return replace(made, target=made.target * (0.8, 0.95, 1.25)[seed % 3])


def _offset(made: Pictures, seed: int) -> Pictures:
    return replace(made, target=made.target + _each(made, _random(seed).uniform(0, 0.4, len(made.target))))


def _exposure(made: Pictures, seed: int) -> Pictures:
    return replace(made, target=made.target * _each(made, 2.0 ** _random(seed).uniform(-2, 2, len(made.target))))


def _vignette(made: Pictures, seed: int) -> Pictures:
    dark = 1 - _VIGNETTE * (np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j] ** 2).sum(axis=0)
    return replace(made, source=made.source * dark, target=made.target * dark)


def _batch(made: Pictures, seed: int) -> Pictures:
    size = _each(made, 10.0 ** _random(seed).uniform(-3, 3, len(made.source)))
    return replace(made, source=made.source * size, target=made.target * size)


def _nodata(made: Pictures, seed: int) -> Pictures:
    """The range of an instrument, fixed to it: 16 bits inside of an ellipse, a code outside."""
    row, column = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    outside = row**2 + column**2 / 0.85**2 > 1
    counts = [np.clip(np.round(4000 * stack), 0, NODATA - 1).astype(np.uint16) for stack in (made.source, made.target)]
    coded = [np.where(outside, np.uint16(NODATA), stack) for stack in counts]
    return replace(made, source=coded[0], target=coded[1], options={"nodata": NODATA})


def _nan(made: Pictures, seed: int) -> Pictures:
    """A gap between two chips, and a patch in every picture."""
    random = _random(seed)
    stacks = []
    for stack in (made.source, made.target):
        holes = stack.astype(np.float32)
        holes[:, 40:44] = np.nan
        for picture in holes:
            top, left = random.integers(0, SIDE - 16, 2)
            picture[top : top + 16, left : left + 16] = np.nan
        stacks.append(holes)
    return replace(made, source=stacks[0], target=stacks[1])


def _mask(made: Pictures, seed: int) -> Pictures:
    """A border that is dead: black rows and columns, told."""
    live = np.ones((SIDE, SIDE), dtype=bool)
    live[:10] = live[:, :7] = False
    return replace(
        made,
        source=np.where(live, made.source, 0.0),
        target=np.where(live, made.target, 0.0),
        options={"source_mask": live, "target_mask": live},
    )


def _hot(made: Pictures, seed: int, level: float = _HOT, count: int = 1) -> Pictures:
    places = _random(seed).choice(SIDE * SIDE, count, replace=False)
    hot = np.isin(np.arange(SIDE * SIDE), places).reshape(SIDE, SIDE)
    return replace(made, source=np.where(hot, level, made.source), target=np.where(hot, level, made.target))


def _several_hot(made: Pictures, seed: int) -> Pictures:
    return _hot(made, seed, _HOTTER, 5)


def _noise(made: Pictures, seed: int) -> Pictures:
    random = _random(seed)
    return replace(
        made,
        source=made.source + random.normal(0, _NOISE, made.source.shape),
        target=made.target + random.normal(0, _NOISE, made.target.shape),
    )


def _blur(made: Pictures, seed: int) -> Pictures:
    """Targets out of focus: what resampling does to all pairs alike, but more of it."""
    return replace(made, target=ndimage.gaussian_filter(made.target, (0, 0.8, 0.8)))


def _plain(made: Pictures, seed: int) -> Pictures:
    return made


def _of(change: Callable[[Pictures, int], Pictures]) -> Maker:
    def make(scene: Scene, seed: int, tiny: bool) -> Pictures:
        return change(shifted(scene, seed, tiny), seed)

    return make


DISTURBED: Mapping[str, tuple[str, Maker]] = {
    "clean": ("120 windows of 96 px, shifted by up to 6 px", _of(_plain)),
    "gain": ("targets darker or brighter by 5 to 25 %", _of(_gain)),
    "offset": ("0 to 0.4 added to every target", _of(_offset)),
    "exposure": ("every target times 1/4 to 4", _of(_exposure)),
    "vignette": ("corners darker, by up to 60 %", _of(_vignette)),
    "batch": ("every pair times 1/1000 to 1000", _of(_batch)),
    "nodata": ("65535 outside of the range, 16 bits", _of(_nodata)),
    "nan": ("missing rows, and a missing patch in every picture", _of(_nan)),
    "mask": ("a dead border, with masks", _of(_mask)),
    "hot": ("a pixel of 16 times the range", _of(_hot)),
    "hot-several": ("five pixels of 40 times the range", _of(_several_hot)),
    "noise": ("noise of 5 % of the range on both", _of(_noise)),
    "blur": ("targets out of focus", _of(_blur)),
}
"""By name: what is done to shifted windows, and how."""
