"""Pairs with their truth, and the two ways to make them: many windows, or a film of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from liescope.evaluation.benchmarks.pictures.scenes import Scene
from liescope.evaluation.benchmarks.pictures.windows import INTERPOLATIONS, Camera, centres, flow_matrices

__all__ = [
    "ANISOTROPIC",
    "ROTATION",
    "SCALE",
    "TX",
    "TY",
    "Maker",
    "Pictures",
    "film",
    "interpolation_of",
    "validity",
    "windows",
]

TX = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
TY = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
ROTATION = (0.0, 0.0, -1.0, 0.0, 1.0, 0.0)
"""t is the angle in radians, counter-clockwise."""
SCALE = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
"""t is the logarithm of the factor."""
ANISOTROPIC = (0.0, 0.0, -0.5, 0.0, 2.0, 0.0)
"""A rotation in pixels twice as wide as they are high."""

DETAIL = 0.03
DETAIL_OF_ONE = 0.05
"""Where all pairs show one scene it must show something."""


@dataclass(frozen=True)
class Pictures:
    """Pairs of pictures and all that is true of them.

    Parameters
    ----------
    source, target : arrays, shape (N, H, W)
    motion : array, shape (N, 3, 3), or None
        Where the points (x, y, 1) of every source go; None where no flow relates the pairs.
    generators : array, shape (K, 6)
        What the answer must span; K = 0: there is no symmetry.
    t : array, shape (N, K), or None
        Magnitudes along ``generators`` where they vary enough to be compared; the motion says it all.
    model : str
        The least that the motions are: ``translation``, ``rigid``, ``similarity`` or ``affine``.
    options : mapping
        What a user tells ``detect`` of such pairs.
    undecided : bool
        Whether the verdict "undecided" is an honest answer.
    names : tuple of str
        What the generators must be called, where the name matters.
    natural : float or None
        What the median magnitude must be in natural units, up to its sign.
    """

    source: np.ndarray
    target: np.ndarray
    motion: np.ndarray | None
    generators: np.ndarray
    t: np.ndarray | None
    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    undecided: bool = False
    names: tuple[str, ...] = ()
    natural: float | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.source.shape[1], self.source.shape[2]


Maker = Callable[[Scene, int, bool], Pictures]
"""From a scene, a seed and whether few and small pairs will do to pairs."""


def interpolation_of(seed: int) -> str:
    """Seeds take turns: no engine and no peer resamples as all of the data were."""
    return INTERPOLATIONS[seed % len(INTERPOLATIONS)]


def windows(
    scene: Scene,
    seed: int,
    generators: Sequence[Sequence[float]] | np.ndarray,
    t: np.ndarray,
    model: str,
    *,
    side: int,
    reach: float,
    aspect: float = 1.0,
    detail: float = DETAIL,
) -> Pictures:
    """Every pair a window of its own.

    Parameters
    ----------
    scene : Scene
    seed : int
        Of the places, and of the interpolation.
    generators, t : arrays, shapes (K, 6) and (N, K)
        The motions ``exp(sum_k t_k X_k)``.
    model : str
    side : int
        Rows of a window; it has ``aspect`` times as many columns.
    reach : float
        Pixels of the scene around a window's centre that it may need.
    aspect : float
        Columns of the window in a pixel of the scene.
    detail : float
        Least standard deviation of grey values in a window.
    """
    camera = Camera(scene, (side, round(aspect * side)), interpolation_of(seed), aspect)
    motion = flow_matrices(np.array(generators), t)
    places = centres(camera, len(t), reach, np.random.default_rng([seed, 1]), detail)
    source = np.stack([camera.look(place) for place in places])
    target = np.stack([camera.look(place, moved) for place, moved in zip(places, motion, strict=True)])
    return Pictures(source, target, motion, np.array(generators), np.asarray(t, dtype=np.float64), model)


def film(
    scene: Scene,
    seed: int,
    generators: Sequence[Sequence[float]] | np.ndarray,
    states: np.ndarray,
    lags: Sequence[int],
    model: str,
    *,
    side: int = 96,
    reach: float = 84.0,
) -> Pictures:
    """Pairs of the frames of one film.

    Parameters
    ----------
    generators, states : arrays, shapes (K, 6) and (T, K)
        Frame i shows the scene moved by ``exp(sum_k states_ik X_k)``; generators commute.
    lags : sequence of int
        How many frames lie between source and target, one lag after the other.
    """
    camera = Camera(scene, (side, side), interpolation_of(seed))
    place = centres(camera, 1, reach, np.random.default_rng([seed, 1]), DETAIL_OF_ONE)[0]
    states = np.asarray(states, dtype=np.float64)
    # So that the film runs around its place and not away from it.
    states = states - states[len(states) // 2]
    frames = np.stack([camera.look(place, moved) for moved in flow_matrices(np.array(generators), states)])
    first = np.concatenate([np.arange(len(frames) - lag) for lag in lags])
    second = np.concatenate([np.arange(lag, len(frames)) for lag in lags])
    t = states[second] - states[first]
    return Pictures(
        frames[first], frames[second], flow_matrices(np.array(generators), t), np.array(generators), t, model
    )


def validity(pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels of sources and targets a user knows to be valid, two arrays (N, H, W) of bool.

    From masks and ``nodata`` among the options, and from what is not a number.
    """
    options = pictures.options
    told = []
    for stack, name in ((pictures.source, "source_mask"), (pictures.target, "target_mask")):
        valid = np.broadcast_to(np.asarray(options.get(name, True)), stack.shape) & np.isfinite(stack)
        if "nodata" in options:
            valid = valid & (stack != options["nodata"])
        told.append(valid)
    return told[0], told[1]
