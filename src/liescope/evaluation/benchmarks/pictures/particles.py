"""Drawn particles, as tracers in a flow: pictures with an analytic truth, no interpolation at all."""

from __future__ import annotations

import numpy as np

from liescope.evaluation.benchmarks.pictures.pairs import Pictures
from liescope.evaluation.benchmarks.pictures.scenes import PHOTOGRAPHS, Scene
from liescope.evaluation.benchmarks.pictures.windows import flow_matrices

__all__ = ["DENSITIES", "SHIFT", "particles"]

SIDE = 64
SHIFT = (5.3, -0.2)
"""Pixels right and up."""

DENSITIES = (60, 90, 120, 150)
"""Particles in and around a picture: in place of photographs, each of which stands for one of them."""

_AROUND = 12.0
_LOST = 0.1
_WIDTH = 1.1
_NOISE = 0.03


def particles(scene: Scene, seed: int, tiny: bool) -> Pictures:
    """Pictures of particles that move by :data:`SHIFT`; a tenth of them leaves the sheet of light, others come in."""
    names = list(PHOTOGRAPHS)
    place = names.index(scene.name) if scene.name in names else 0
    count = DENSITIES[place % len(DENSITIES)]
    random = np.random.default_rng([seed, 4, place])
    pairs = [_pair(random, count) for _ in range(12 if tiny else 120)]
    source, target = (np.stack(stack) for stack in zip(*pairs, strict=True))
    s = SIDE / 2
    generator = np.array([[SHIFT[0] / s, 0.0, 0.0, SHIFT[1] / s, 0.0, 0.0]])
    motion = flow_matrices(generator, np.ones((len(pairs), 1)))
    return Pictures(source, target, motion, generator, None, "translation")


def _pair(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    first = _strewn(random, count)
    kept = first[random.random(count) > _LOST]
    # Rows count downwards.
    moved = kept + np.array([-SHIFT[1], SHIFT[0], 0.0])
    second = np.vstack([moved, _strewn(random, count - len(kept))])
    return _drawn(first, random), _drawn(second, random)


def _strewn(random: np.random.Generator, count: int) -> np.ndarray:
    """Row, column and brightness of particles, shape (count, 3)."""
    places = random.uniform(-_AROUND, SIDE + _AROUND, (count, 2))
    return np.column_stack([places, random.uniform(0.3, 1, count)])


def _drawn(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    along = np.arange(SIDE)
    rows, columns = (np.exp(-((along - points[:, [k]]) ** 2) / (2 * _WIDTH**2)) for k in (0, 1))
    picture: np.ndarray = np.einsum("n,nh,nw->hw", points[:, 2], rows, columns)
    return picture + random.normal(0, _NOISE, picture.shape)
