"""Photographs that installed packages ship, as grey scenes to cut windows from: nothing is downloaded.

``TUNING`` and ``CONFIRMING`` have no photograph in common: what was adjusted on the one is measured on the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from PIL import Image
from scipy import ndimage

from liescope.errors import InputError, suggest
from liescope.evaluation.benchmarks.options import UnavailableError, require

__all__ = ["CONFIRMING", "FURTHER", "PHOTOGRAPHS", "SETS", "TUNING", "Scene", "chosen_images", "photograph"]

PHOTOGRAPHS: Mapping[str, tuple[str, str]] = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "brick": ("skimage", "data/brick.png"),
    "camera": ("skimage", "data/camera.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "cell": ("skimage", "data/cell.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "clock": ("skimage", "data/clock_motion.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "coins": ("skimage", "data/coins.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grass": ("skimage", "data/grass.png"),
    "gravel": ("skimage", "data/gravel.png"),
    "hubble_deep_field": ("skimage", "data/hubble_deep_field.jpg"),
    "immunohistochemistry": ("skimage", "data/ihc.png"),
    "moon": ("skimage", "data/moon.png"),
    "retina": ("skimage", "data/retina.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
}
"""By name: the package that ships it (scikit-image, scikit-learn; their credits apply), and the file in it."""

TUNING = ("camera", "coffee", "hubble_deep_field", "gravel")
"""Photographs that the program may be adjusted on: a person, things, stars, a texture."""

CONFIRMING = ("astronaut", "china", "immunohistochemistry", "retina")
"""Photographs that it is measured on, and never adjusted on: a person, a building, tissue, vessels."""

FURTHER = tuple(name for name in PHOTOGRAPHS if name not in (*TUNING, *CONFIRMING))
"""The others: of few grey values, smooth over large parts, or periodic."""

SETS: Mapping[str, tuple[str, ...]] = {"tuning": TUNING, "confirming": CONFIRMING, "further": FURTHER}


@dataclass(frozen=True)
class Scene:
    """A grey picture that windows are cut from.

    Parameters
    ----------
    name : str
    grey : array, shape (rows, columns)
        Grey values, 0 to 1 for a photograph.
    spline : array, shape (rows, columns)
        Coefficients of its cubic spline, mirrored at the border.
    """

    name: str
    grey: np.ndarray
    spline: np.ndarray

    @classmethod
    def of(cls, name: str, grey: np.ndarray) -> Scene:
        """A scene from its grey values."""
        values = np.asarray(grey, dtype=np.float64)
        return cls(name, values, ndimage.spline_filter(values, order=3, mode="mirror"))


@lru_cache(maxsize=4)
def photograph(name: str) -> Scene:
    """A photograph by name, the mean of its colours, from 0 to 1.

    Raises
    ------
    InputError
        Of that name there is none.
    UnavailableError
        The package that ships it is not installed, or does not ship it.
    """
    if name not in PHOTOGRAPHS:
        raise InputError(f"unknown picture {name!r}.{suggest(name, PHOTOGRAPHS)}")
    package, path = PHOTOGRAPHS[name]
    require(package)
    file = resources.files(package).joinpath(path)
    if not file.is_file():
        raise UnavailableError(f"{package} does not ship {path.rpartition('/')[2]}")
    with file.open("rb") as opened, Image.open(opened) as picture:
        values = np.asarray(picture if picture.mode == "L" else picture.convert("RGB"), dtype=np.float64) / 255
    return Scene.of(name, values.mean(axis=-1) if values.ndim == 3 else values)


def chosen_images(names: tuple[str, ...] | None) -> tuple[str, ...]:
    """Names of photographs from names of photographs or of :data:`SETS`; without any, those to confirm on.

    Raises
    ------
    InputError
        A name that is neither.
    """
    found: list[str] = []
    for name in names or ("confirming",):
        if name not in SETS and name not in PHOTOGRAPHS:
            raise InputError(f"unknown picture {name!r}.{suggest(name, [*SETS, *PHOTOGRAPHS])}")
        found += SETS.get(name, (name,))
    return tuple(dict.fromkeys(found))
