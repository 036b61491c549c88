"""Pairs that no flow relates: where a symmetry that is claimed is a false alarm.

Every kind comes as a *set* of pairs from all over a photograph, as a *film* of one scene, and as a *single* pair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.pictures.pairs import (
    DETAIL,
    DETAIL_OF_ONE,
    TX,
    Pictures,
    interpolation_of,
)
from liescope.evaluation.benchmarks.pictures.scenes import Scene, photograph
from liescope.evaluation.benchmarks.pictures.windows import Camera, centres, flow_matrices

__all__ = ["FORMS", "NEGATIVES", "Negative", "make_negative", "scrambled", "shuffled_blocks"]

FORMS = ("set", "film", "single")
"""How pairs come: 60 windows of 64 px; 30 frames of 64 px at lags 1 and 2; one pair of 128 px."""

BLOCK = 8
"""Pixels along a side of the blocks that are shuffled."""

_NOISE = 0.05
_DRIFT = 0.8


@dataclass(frozen=True)
class Negative:
    """Pairs without a symmetry.

    Parameters
    ----------
    about : str
        What the pairs are.
    change : callable
        From a window, the number of its frame (0 is the source) and a random generator to what the camera gives.
    lags : tuple of int
        Of its films.
    drifts : bool
        Whether the scene of its films drifts: then what was changed is all that keeps a motion from being seen.
    """

    about: str
    change: Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
    lags: tuple[int, ...] = (1, 2)
    drifts: bool = False


def scrambled(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The picture with random phases (H, W): its power spectrum and its mean stay, nothing else does."""
    # Phases of a real picture, so that the result is real.
    phases = np.fft.fft2(random.standard_normal(picture.shape))
    phases[0, 0] = 1.0
    found: np.ndarray = np.fft.ifft2(np.fft.fft2(picture) * phases / np.abs(phases)).real
    return found


def shuffled_blocks(picture: np.ndarray, random: np.random.Generator, side: int = BLOCK) -> np.ndarray:
    """The picture's square blocks in another order (H, W): its grey values and what is small stay."""
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    blocks = picture.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)
    # Every block goes on by at least one place in a random cycle: none stays.
    cycle = random.permutation(len(blocks))
    order = np.empty_like(cycle)
    order[cycle] = np.roll(cycle, 1)
    return blocks[order].reshape(rows, columns, side, side).swapaxes(1, 2).reshape(picture.shape)


def _flipped(axis: int) -> Callable[[np.ndarray, int, np.random.Generator], np.ndarray]:
    return lambda picture, frame, random: np.flip(picture, axis) if frame % 2 else picture


NEGATIVES: Mapping[str, Negative] = {
    "unrelated": Negative("other windows of the same photograph", lambda picture, frame, random: picture),
    "mirror-rows": Negative("every other picture upside down", _flipped(0), (1,), drifts=True),
    "mirror-columns": Negative("every other picture left to right", _flipped(1), (1,), drifts=True),
    "scrambled": Negative(
        "the source's power spectrum with random phases",
        lambda picture, frame, random: scrambled(picture, random) if frame else picture,
    ),
    "shuffled": Negative(
        f"the source's blocks of {BLOCK} x {BLOCK} px in another order",
        lambda picture, frame, random: shuffled_blocks(picture, random) if frame else picture,
    ),
    "noise": Negative(
        "two exposures, nothing moved, noise of 5 % of the range on both",
        lambda picture, frame, random: picture + random.normal(0, _NOISE, picture.shape),
    ),
    "identical": Negative("the same picture twice", lambda picture, frame, random: picture),
}
"""By name."""

_UNMOVED = ("noise", "identical")


def make_negative(name: str, form: str, image: str, seed: int, tiny: bool = False) -> Pictures:
    """Pairs without a symmetry, from a photograph by name, in one of :data:`FORMS`.

    Raises
    ------
    InputError
        An unknown kind, form or photograph.
    """
    if name not in NEGATIVES:
        raise InputError(f"unknown kind {name!r}.{suggest(name, NEGATIVES)}")
    if form not in FORMS:
        raise InputError(f"expected one of {', '.join(FORMS)}, got {form!r}")
    make = {"set": _set, "film": _film, "single": _single}[form]
    source, target = make(name, photograph(image), seed, tiny)
    motion = None
    if name in _UNMOVED:
        motion = np.broadcast_to(np.eye(3), (len(source), 3, 3))
    return Pictures(source, target, motion, np.zeros((0, 6)), None, "none", undecided=True)


def _randoms(seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """Of the places, and of what is changed."""
    return np.random.default_rng([seed, 5]), np.random.default_rng([seed, 6])


def _set(name: str, scene: Scene, seed: int, tiny: bool) -> tuple[np.ndarray, np.ndarray]:
    return _pairs(name, Camera(scene, (64, 64), interpolation_of(seed)), 12 if tiny else 60, seed, DETAIL)


def _single(name: str, scene: Scene, seed: int, tiny: bool) -> tuple[np.ndarray, np.ndarray]:
    return _pairs(name, Camera(scene, (128, 128), interpolation_of(seed)), 1, seed, DETAIL_OF_ONE)


def _pairs(name: str, camera: Camera, count: int, seed: int, detail: float) -> tuple[np.ndarray, np.ndarray]:
    places, random = _randoms(seed)
    at = centres(camera, count, camera.shape[0] / 2 + 1, places, detail)
    there = _elsewhere(camera, at[:, None], places, detail) if name == "unrelated" else at
    change = NEGATIVES[name].change
    source = np.stack([change(camera.look(place), 0, random) for place in at])
    return source, np.stack([change(camera.look(place), 1, random) for place in there])


def _film(name: str, scene: Scene, seed: int, tiny: bool) -> tuple[np.ndarray, np.ndarray]:
    camera = Camera(scene, (64, 64), interpolation_of(seed))
    places, random = _randoms(seed)
    own, count = NEGATIVES[name], 8 if tiny else 30
    steps = places.normal(_DRIFT, 0.2, count) / 32
    at = centres(camera, 1, 60, places, DETAIL_OF_ONE)
    if name == "unrelated":
        seen = [at[0]]
        for _ in range(count - 1):
            # No frame shows anything of those that it is held beside.
            before = np.array(seen[-max(own.lags) :])[None]
            seen.append(_elsewhere(camera, before, places, DETAIL)[0])
        still = [camera.look(place) for place in seen]
    else:
        drift = np.cumsum(steps) - steps.sum() / 2 if own.drifts else np.zeros(count)
        still = [camera.look(at[0], moved) for moved in flow_matrices(np.array([TX]), drift[:, None])]
    # The first frame is a source as it is; all others are changed, each in its own way.
    frames = np.stack([own.change(picture, number, random) for number, picture in enumerate(still)])
    first = np.concatenate([np.arange(count - lag) for lag in own.lags])
    second = np.concatenate([np.arange(lag, count) for lag in own.lags])
    return frames[first], frames[second]


def _elsewhere(camera: Camera, others: np.ndarray, random: np.random.Generator, detail: float) -> np.ndarray:
    """For places (N, M, 2) another (N, 2) whose window shares no pixel with any of the M windows there."""
    side, found = max(camera.shape), []
    for own in others:
        for _ in range(1000):
            place = centres(camera, 1, side / 2 + 1, random, detail)[0]
            if (np.abs(place - own).max(axis=-1) >= side).all():
                break
        else:
            raise InputError(f"expected a photograph with room for windows of {side} pixels, got {camera.scene.name}")
        found.append(place)
    return np.array(found)
