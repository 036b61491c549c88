"""Kinds of pairs that people bring, each from any scene with any seed.

Sizes are those that people meet in microscopy, astronomy, radar and photography: shifts of a few pixels in windows of
48 to 128, turns of up to 20 degrees, brightness by factors of up to four, a tenth of the particles lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.pictures.disturbed import DISTURBED
from liescope.evaluation.benchmarks.pictures.pairs import (
    ANISOTROPIC,
    DETAIL_OF_ONE,
    ROTATION,
    SCALE,
    TX,
    TY,
    Maker,
    Pictures,
    film,
    windows,
)
from liescope.evaluation.benchmarks.pictures.particles import particles
from liescope.evaluation.benchmarks.pictures.scenes import Scene, photograph
from liescope.evaluation.benchmarks.pictures.shifted import shifted

__all__ = ["KINDS", "Kind", "make_pictures"]


@dataclass(frozen=True)
class Kind:
    """A kind of pairs.

    Parameters
    ----------
    about : str
        What the pairs are, in a few words.
    make : callable
        From a scene, a seed, and whether few pairs will do.
    moved : bool
        Whether a flow relates the pairs: what registers pair by pair has an answer to no others.
    """

    about: str
    make: Maker
    moved: bool = True


def _drift(scene: Scene, seed: int, tiny: bool) -> Pictures:
    steps = np.random.default_rng([seed, 2]).normal(0.8, 0.2, 12 if tiny else 40) / 48
    return film(scene, seed, [TX], np.cumsum(steps)[:, None], (1, 2, 3), "translation")


def _short(scene: Scene, seed: int, tiny: bool) -> Pictures:
    steps = np.random.default_rng([seed, 2]).normal(0.8, 0.2, 6) / 48
    return film(scene, seed, [TX], np.cumsum(steps)[:, None], (1, 2), "translation")


def _turning(scene: Scene, seed: int, tiny: bool) -> Pictures:
    steps = np.radians(np.random.default_rng([seed, 2]).normal(1.5, 0.3, 12 if tiny else 40))
    return film(scene, seed, [ROTATION], np.cumsum(steps)[:, None], (1, 2, 3), "rigid")


def _zooming(scene: Scene, seed: int, tiny: bool) -> Pictures:
    steps = np.random.default_rng([seed, 2]).normal(0.012, 0.003, 12 if tiny else 40)
    return film(scene, seed, [SCALE], np.cumsum(steps)[:, None], (1, 2, 3), "similarity")


def _jitter(scene: Scene, seed: int, tiny: bool) -> Pictures:
    places = np.random.default_rng([seed, 2]).uniform(-5, 5, (12 if tiny else 40, 2)) / 48
    return film(scene, seed, [TX, TY], places, (1,), "translation")


def _constant(scene: Scene, seed: int, tiny: bool) -> Pictures:
    """Whole pixels, the same in every frame: all magnitudes are one."""
    random = np.random.default_rng([seed, 2])
    step = random.integers(1, 3, 2) * random.choice([-1, 1], 2)
    direction = [(float(step[0]), 0.0, 0.0, float(step[1]), 0.0, 0.0)]
    side = 128
    states = np.arange(8 if tiny else 30)[:, None] / (side / 2)
    made = film(scene, seed, direction, states, (1,), "translation", side=side, reach=side / 2 + 32)
    return replace(made, t=None)


def _single(scene: Scene, seed: int, tiny: bool) -> Pictures:
    made = windows(scene, seed, [ROTATION], np.radians([[20.0]]), "rigid", side=128, reach=95, detail=DETAIL_OF_ONE)
    return replace(made, t=None, undecided=True)


def _few(scene: Scene, seed: int, tiny: bool) -> Pictures:
    angles = np.radians([[4.0], [-8.0], [15.0], [11.0], [-17.0]])
    made = windows(scene, seed, [ROTATION], angles, "rigid", side=96, reach=70, detail=DETAIL_OF_ONE)
    return replace(made, undecided=True)


def _spread(seed: int, width: float, tiny: bool, count: int = 60, columns: int = 1) -> np.ndarray:
    return np.random.default_rng([seed, 2]).uniform(-width, width, (12 if tiny else count, columns))


def _photo_turn(scene: Scene, seed: int, tiny: bool) -> Pictures:
    return windows(scene, seed, [ROTATION], np.radians(_spread(seed, 20, tiny)), "rigid", side=64, reach=50)


def _photo_zoom(scene: Scene, seed: int, tiny: bool) -> Pictures:
    return windows(scene, seed, [SCALE], _spread(seed, 0.2, tiny), "similarity", side=64, reach=50)


def _photo_shift(scene: Scene, seed: int, tiny: bool) -> Pictures:
    return windows(scene, seed, [TX], _spread(seed, 8 / 32, tiny), "translation", side=64, reach=50)


def _two_shifts(scene: Scene, seed: int, tiny: bool) -> Pictures:
    t = _spread(seed, 7 / 32, tiny, 150, 2)
    return windows(scene, seed, [TX, TY], t, "translation", side=64, reach=50)


def _nearly_constant(scene: Scene, seed: int, tiny: bool) -> Pictures:
    """One direction, lengths that hardly differ: a shift, and no scaling about a point far away."""
    random = np.random.default_rng([seed, 2])
    angle = random.uniform(0, 2 * np.pi)
    lengths = random.normal(5.0, 0.4, 12 if tiny else 80) / 32
    direction = [(np.cos(angle), 0.0, 0.0, np.sin(angle), 0.0, 0.0)]
    made = windows(scene, seed, direction, lengths[:, None], "translation", side=64, reach=50)
    # t varies by less than what a generator that is half a degree off moves it by.
    return replace(made, t=None, names=("translation",))


def _half_turn(scene: Scene, seed: int, tiny: bool) -> Pictures:
    made = windows(scene, seed, [ROTATION], np.full((12 if tiny else 100, 1), np.pi), "rigid", side=64, reach=50)
    return replace(made, t=None, names=("rotation",), natural=180.0)


def _half_turn_moved(scene: Scene, seed: int, tiny: bool) -> Pictures:
    # Half a turn about (a, b)/2 is a half turn about the centre and a shift by (a, b).
    shift = np.random.default_rng([seed, 2]).integers(-4, 5, (12 if tiny else 100, 2)) / 32
    t = np.pi * np.column_stack([np.ones(len(shift)), shift[:, 1] / 2, -shift[:, 0] / 2])
    made = windows(scene, seed, [ROTATION, TX, TY], t, "rigid", side=64, reach=56)
    return replace(made, t=None)


def _anisotropic(scene: Scene, seed: int, tiny: bool) -> Pictures:
    t = np.radians(_spread(seed, 20, tiny, 100))
    made = windows(scene, seed, [ANISOTROPIC], t, "affine", side=96, reach=72, aspect=0.5)
    return replace(made, names=("rotation",))


def _mirrored(scene: Scene, seed: int, tiny: bool, axis: int) -> Pictures:
    made = shifted(scene, seed, tiny, 60)
    flipped = np.flip(made.source, axis)
    return Pictures(made.source, flipped, None, np.zeros((0, 6)), None, "none")


def _mirrored_rows(scene: Scene, seed: int, tiny: bool) -> Pictures:
    return _mirrored(scene, seed, tiny, 1)


def _mirrored_columns(scene: Scene, seed: int, tiny: bool) -> Pictures:
    return _mirrored(scene, seed, tiny, 2)


KINDS: Mapping[str, Kind] = {
    **{name: Kind(about, make) for name, (about, make) in DISTURBED.items()},
    "film-drift": Kind("40 frames of one scene that drifts, lags 1 to 3", _drift),
    "film-turn": Kind("40 frames of one scene that turns, lags 1 to 3", _turning),
    "film-zoom": Kind("40 frames of one scene that comes nearer, lags 1 to 3", _zooming),
    "film-jitter": Kind("40 frames of one scene that jumps both ways", _jitter),
    "film-short": Kind("6 frames that drift, lags 1 and 2", _short),
    "film-constant": Kind("the same step of whole pixels between all frames", _constant),
    "single": Kind("one pair, turned by 20 degrees", _single),
    "few": Kind("five pairs, turned", _few),
    "photo-turn": Kind("60 windows of 64 px, turned by up to 20 degrees", _photo_turn),
    "photo-zoom": Kind("60 windows of 64 px, zoomed by up to 22 %", _photo_zoom),
    "photo-shift": Kind("60 windows of 64 px, shifted by up to 8 px", _photo_shift),
    "mirror-rows": Kind("targets upside down", _mirrored_rows, moved=False),
    "mirror-columns": Kind("targets left to right", _mirrored_columns, moved=False),
    "two-shifts": Kind("150 windows of 64 px, shifted both ways", _two_shifts),
    "shift-constant": Kind("80 windows of 64 px, nearly the same shift", _nearly_constant),
    "half-turn": Kind("100 windows turned by 180 degrees", _half_turn),
    "half-turn-moved": Kind("the same, and shifted", _half_turn_moved),
    "anisotropic": Kind("turned pictures with pixels twice as wide as high", _anisotropic),
    "particles": Kind("drawn particles, a tenth of them lost, shifted by 5 px", particles),
}
"""By name."""


def make_pictures(kind: str, image: str, seed: int, tiny: bool = False) -> Pictures:
    """Pairs of a kind, from a photograph by name, with their truth.

    The same for the same arguments; ``tiny`` makes few.

    Raises
    ------
    InputError
        An unknown kind or photograph.
    """
    if kind not in KINDS:
        raise InputError(f"unknown kind {kind!r}.{suggest(kind, KINDS)}")
    return KINDS[kind].make(photograph(image), seed, tiny)
