"""Windows of a scene whose content has moved: what a camera sees, border and all.

The second route: float64 and SciPy, nothing of :mod:`liescope.geometry`, so that a measurement of the package is no
test of it by itself. Coordinates are those of the conventions: x right, y up, origin at the centre of the window, a
length of 1 is half its longest side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.linalg import expm

from liescope.evaluation.benchmarks.pictures.scenes import Scene

__all__ = [
    "INTERPOLATIONS",
    "Camera",
    "centres",
    "flow_matrices",
    "grid_points",
    "half_side",
    "pixel_matrix",
]

INTERPOLATIONS = ("cubic", "linear", "area")
"""How a window reads its scene: splines of order 3 or 1, or the mean over the area of every pixel (of 3 x 3 points)."""

_PARTS = 3
_TRIES = 200
_OFFSETS = (np.arange(_PARTS) - (_PARTS - 1) / 2) / _PARTS


def half_side(shape: tuple[int, int]) -> float:
    """Pixels in a length of 1."""
    return max(shape) / 2


def grid_points(shape: tuple[int, int]) -> np.ndarray:
    """Coordinates (x, y) of every pixel, shape (H, W, 2)."""
    row, column = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    points: np.ndarray = np.stack((column - (shape[1] - 1) / 2, (shape[0] - 1) / 2 - row), axis=-1) / half_side(shape)
    return points


def pixel_matrix(shape: tuple[int, int]) -> np.ndarray:
    """The matrix (3, 3) from (x, y, 1) to (column, row, 1)."""
    s = half_side(shape)
    return np.array([[s, 0, (shape[1] - 1) / 2], [0, -s, (shape[0] - 1) / 2], [0, 0, 1]])


def flow_matrices(generators: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Where a point goes: ``exp(sum_k t_k X_k)`` of affine fields as matrices (N, 3, 3) that act on (x, y, 1).

    Parameters
    ----------
    generators : array, shape (K, 6)
        Coefficients over d/dx, x d/dx, y d/dx, d/dy, x d/dy, y d/dy.
    t : array, shape (N, K)
    """
    sums = np.asarray(t, dtype=np.float64) @ np.reshape(np.asarray(generators, dtype=np.float64), (-1, 6))
    fields = np.zeros((len(sums), 3, 3))
    fields[:, :2, 2] = sums[:, [0, 3]]
    fields[:, :2, :2] = sums[:, [1, 2, 4, 5]].reshape(-1, 2, 2)
    moved: np.ndarray = expm(fields)
    return moved


@dataclass(frozen=True)
class Camera:
    """A window of a certain size that looks at a scene.

    Parameters
    ----------
    scene : Scene
    shape : (int, int)
        Height and width of the window, in its own pixels.
    interpolation : str
        One of :data:`INTERPOLATIONS`.
    aspect : float
        Columns of the window in the width of a pixel of the scene; 1 for square pixels.
    """

    scene: Scene
    shape: tuple[int, int]
    interpolation: str = "cubic"
    aspect: float = 1.0

    def look(self, centre: Sequence[float] | np.ndarray, motion: np.ndarray | None = None) -> np.ndarray:
        """The window at a place of the scene, after its content has moved: ``target(p) = scene(motion^-1 p)``.

        Parameters
        ----------
        centre : (float, float)
            Row and column of the scene at the centre of the window.
        motion : array, shape (3, 3), optional
            Where points of the window go, acting on (x, y, 1); not moved by default.

        Returns
        -------
        array, shape (H, W)
        """
        points = grid_points(self.shape)
        if self.interpolation != "area":
            return self._read(points, centre, motion)
        step = 1 / half_side(self.shape)
        parts = [self._read(points + step * np.array([dx, dy]), centre, motion) for dx in _OFFSETS for dy in _OFFSETS]
        mean: np.ndarray = np.mean(parts, axis=0)
        return mean

    def _read(self, points: np.ndarray, centre: Sequence[float] | np.ndarray, motion: np.ndarray | None) -> np.ndarray:
        if motion is not None:
            back = np.linalg.inv(motion)
            points = points @ back[:2, :2].T + back[:2, 2]
        s = half_side(self.shape)
        places = (centre[0] - s * points[..., 1], centre[1] + s / self.aspect * points[..., 0])
        if self.interpolation == "cubic":
            read = ndimage.map_coordinates(self.scene.spline, places, order=3, mode="mirror", prefilter=False)
        else:
            read = ndimage.map_coordinates(self.scene.grey, places, order=1, mode="mirror")
        values: np.ndarray = read
        return values


def centres(camera: Camera, count: int, reach: float, random: np.random.Generator, detail: float) -> np.ndarray:
    """Random places for windows, rows and columns, shape (count, 2).

    The source's pixels are then those of the scene (of an even side: its centre lies between pixels). A window whose
    grey values deviate by less than ``detail`` is drawn again: nobody can tell how sky or a black border has moved.

    Parameters
    ----------
    camera : Camera
    count : int
    reach : float
        Pixels of the scene around the centre that the window or its motion may need; less where the scene is smaller.
    random : numpy.random.Generator
    detail : float
        Least standard deviation of grey values inside a window.
    """
    height, width = camera.scene.grey.shape
    sides = (camera.shape[0], round(camera.shape[1] / camera.aspect))
    middle = [0.5 * (1 - side % 2) for side in sides]
    low = [int(min(reach, size / 2 - 1)) for size in (height, width)]
    found = []
    for _ in range(count):
        best, place = -1.0, (height / 2, width / 2)
        for _ in range(_TRIES):
            row, column = (int(random.integers(at, size - at)) for at, size in zip(low, (height, width), strict=True))
            top, left = max(row - sides[0] // 2, 0), max(column - sides[1] // 2, 0)
            spread = float(camera.scene.grey[top : top + sides[0], left : left + sides[1]].std())
            if spread > best:
                best, place = spread, (row - middle[0], column - middle[1])
            if spread >= detail:
                break
        found.append(place)
    return np.array(found)
