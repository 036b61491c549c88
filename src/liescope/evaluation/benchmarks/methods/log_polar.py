"""Turns and factors by phase correlation, as scikit-image's gallery does it, and the shift that is left."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["turned_and_zoomed"]

_UPSAMPLING = 20
_ANGLES = 720
"""In half a circle."""


def turned_and_zoomed(source: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """The similarity from the pixels (column, row, 1) of the source to those of the target, shape (3, 3).

    The magnitudes of the Fourier transforms do not shift; in log-polar coordinates a turn and a factor shift them. They
    are the same for a turn by half a circle more, which the shift of the turned source decides.

    Parameters
    ----------
    source, target : arrays, shape (H, W)
    """
    from skimage.registration import phase_cross_correlation

    side = min(source.shape)
    spectra = [_polar(picture, side) for picture in (source, target)]
    shift = phase_cross_correlation(spectra[1], spectra[0], upsample_factor=_UPSAMPLING, normalization=None)[0]
    # Angles go from columns to rows. What grows has a spectrum that shrinks.
    turn = 180 * float(shift[0]) / _ANGLES
    factor = float(np.exp(-float(shift[1]) * np.log(side / 2) / spectra[0].shape[1]))
    if not 0.25 < factor < 4:
        return None
    found = [_with_shift(source, target, turn + half, factor) for half in (0.0, 180.0)]
    return min(found, key=lambda one: one[0])[1]


def _polar(picture: np.ndarray, side: int) -> np.ndarray:
    """The logarithm of the spectrum over angles of half a circle and logarithms of frequency.

    As in the gallery, and tuned: padded to twice the size, centred where the frequency is 0, weighted by the frequency
    and without its mean over the angles. Without these turns are found ten times less well, and zooms hardly at all.
    """
    from skimage.transform import warp_polar

    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(_banded(picture), [2 * side] * 2)))
    row, column = np.mgrid[-side:side, -side:side]
    weighted = np.log1p(spectrum / spectrum.mean()) * np.hypot(row, column)
    polar = warp_polar(
        weighted, center=(side, side), radius=side / 2, output_shape=(2 * _ANGLES, 2 * side), scaling="log", order=1
    )
    # The other half is the same.
    half: np.ndarray = polar[:_ANGLES] - polar[:_ANGLES].mean(axis=0)
    return half


def _banded(picture: np.ndarray) -> np.ndarray:
    """Without what is smooth, and faded out at the border."""
    from skimage.filters import difference_of_gaussians, window

    faded: np.ndarray = difference_of_gaussians(picture, 1, 16) * window("hann", picture.shape)
    return faded


def _with_shift(source: np.ndarray, target: np.ndarray, turn: float, factor: float) -> tuple[float, np.ndarray]:
    """The error that is left over the overlap after a turn (degrees, from columns to rows), a factor, and a shift."""
    from skimage.registration import phase_cross_correlation

    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    linear = factor * np.array([[cos, -sin], [sin, cos]])
    middle = (np.array(source.shape[::-1]) - 1) / 2
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, middle - linear @ middle
    shift = phase_cross_correlation(target, _moved(source, matrix)[0], upsample_factor=_UPSAMPLING)[0]
    matrix[:2, 2] += shift[::-1]
    moved, inside = _moved(source, matrix)
    if inside.mean() < 0.1:
        return np.inf, matrix
    return 1 - float(np.corrcoef(moved[inside], target[inside])[0, 1]), matrix


def _moved(source: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The source after a motion, and where it comes from inside of the frame, two arrays (H, W)."""
    rows, columns = np.mgrid[: source.shape[0], : source.shape[1]].astype(float)
    back = np.linalg.inv(matrix)
    from_columns = back[0, 0] * columns + back[0, 1] * rows + back[0, 2]
    from_rows = back[1, 0] * columns + back[1, 1] * rows + back[1, 2]
    inside = (from_columns >= 0) & (from_columns <= source.shape[1] - 1)
    inside &= (from_rows >= 0) & (from_rows <= source.shape[0] - 1)
    moved = ndimage.map_coordinates(source, (from_rows, from_columns), order=1, mode="nearest")
    return moved, inside
