"""Registration of one pair at a time by packages that people have: what a good user would do with each.

A peer is told the least model that holds the motion (``translation``, ``rigid``, ``similarity``, ``affine``) and the
valid pixels; it takes the nearest that it has, with the settings that its documentation recommends, or better ones
where some were found. Where it needs 8 bits, every picture is brought onto them by itself. All answers are matrices
(3, 3) from the pixels (column, row, 1) of the source to those of the target; None where a package gives up.

References
----------
``phase``: phase correlation, sub-pixel by an upsampled Fourier transform (Guizar-Sicairos, Thurman and Fienup, 2008),
masked (Padfield, 2012), turns and factors in log-polar coordinates (Reddy and Chatterji, 1996), in scikit-image.
``ecc``: enhanced correlation coefficient (Evangelidis and Psarakis, 2008), on a pyramid, in OpenCV.
``sift``: scale-invariant features (Lowe, 2004), ratio test and RANSAC, in OpenCV.
``stackreg``: least squares on a pyramid of splines (Thevenaz, Ruttimann and Unser, 1998), in pystackreg.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from liescope.evaluation.benchmarks.methods.log_polar import turned_and_zoomed

__all__ = ["PEERS", "Peer", "Register", "bytes_of"]

Register = Callable[[np.ndarray, np.ndarray, str, np.ndarray, np.ndarray], np.ndarray | None]
"""From source, target (H, W), model, valid pixels of the source and of the target (H, W) to a matrix, or None."""

UPSAMPLING = 100
"""Parts of a pixel that phase correlation resolves."""

_TAILS = (0.5, 99.5)
_LEVELS = 3
_CONTRAST = 0.005
_RATIO = 0.75
_RANSAC_PIXELS = 3.0
_LEAST_MATCHES = {"translation": 2, "rigid": 3, "similarity": 3, "affine": 4}


@dataclass(frozen=True)
class Peer:
    """A package's registration.

    Parameters
    ----------
    about : str
        What is called.
    package, distribution : str
        What is imported, and what is installed.
    models : tuple of str
        Motions that it can tell.
    register : callable
        See :data:`Register`.
    """

    about: str
    package: str
    distribution: str
    models: tuple[str, ...]
    register: Register


def _filled(picture: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The picture as float64, pixels that are not valid at the median of those that are."""
    values = np.asarray(picture, dtype=np.float64)
    if valid.all():
        return values
    filled: np.ndarray = np.where(valid, values, np.median(values[valid]))
    return filled


def bytes_of(picture: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The picture with 8 bits (H, W): black and white where half a per cent of its valid pixels lie beyond."""
    low, high = np.percentile(np.asarray(picture, dtype=np.float64)[valid], _TAILS)
    scaled = 255 * (_filled(picture, valid) - low) / max(high - low, 1e-12)
    clipped: np.ndarray = np.clip(np.round(scaled), 0, 255)
    return clipped.astype(np.uint8)


def shift_matrix(row: float, column: float) -> np.ndarray:
    """The matrix of a shift by so many rows (down) and columns (right)."""
    return np.array([[1.0, 0.0, column], [0.0, 1.0, row], [0.0, 0.0, 1.0]])


def phase(
    source: np.ndarray, target: np.ndarray, model: str, source_valid: np.ndarray, target_valid: np.ndarray
) -> np.ndarray | None:
    """``skimage.registration.phase_cross_correlation``: shifts, and after a log-polar transform similarities.

    With masks it resolves whole pixels only.
    """
    from skimage.filters import window
    from skimage.registration import phase_cross_correlation

    first, second = _filled(source, source_valid), _filled(target, target_valid)
    if model != "translation":
        return turned_and_zoomed(first, second)
    if source_valid.all() and target_valid.all():
        # Faded out at the border: pictures of smooth things have a cross of frequencies there that does not move.
        fade = window("hann", first.shape)
        first, second = ((picture - picture.mean()) * fade for picture in (first, second))
        shift = phase_cross_correlation(second, first, upsample_factor=UPSAMPLING)[0]
    else:
        shift = phase_cross_correlation(second, first, reference_mask=target_valid, moving_mask=source_valid)[0]
    return shift_matrix(float(shift[0]), float(shift[1]))


def ecc(
    source: np.ndarray, target: np.ndarray, model: str, source_valid: np.ndarray, target_valid: np.ndarray
) -> np.ndarray | None:
    """``cv2.findTransformECCMultiScale`` from the identity: translations, rigid and affine motions."""
    import cv2

    settings = cv2.ECCParameters()
    settings.motionType = {"translation": cv2.MOTION_TRANSLATION, "rigid": cv2.MOTION_EUCLIDEAN}.get(
        model, cv2.MOTION_AFFINE
    )
    # Grey values from 0 to 255: with those from 0 to 1 it mostly diverges.
    first, second = bytes_of(source, source_valid), bytes_of(target, target_valid)
    settings.nlevels = _LEVELS
    masks = (None, None) if source_valid.all() and target_valid.all() else (_mask(source_valid), _mask(target_valid))
    try:
        _, found = cv2.findTransformECCMultiScale(first, second, np.eye(2, 3, dtype=np.float32), settings, *masks)
    except cv2.error:
        # It did not converge.
        return None
    return np.vstack([found, [0.0, 0.0, 1.0]]).astype(np.float64)


def sift(
    source: np.ndarray, target: np.ndarray, model: str, source_valid: np.ndarray, target_valid: np.ndarray
) -> np.ndarray | None:
    """``cv2.SIFT``, matches by Lowe's ratio, and RANSAC for the model."""
    import cv2

    # As shipped places are off by a quarter of a pixel, and smooth pictures have next to no points.
    detector = cv2.SIFT.create(contrastThreshold=_CONTRAST, enable_precise_upscale=True)
    described = []
    for picture, valid in ((source, source_valid), (target, target_valid)):
        # No keypoint whose surroundings are missing.
        inside = None if valid.all() else _mask(ndimage.binary_erosion(valid, iterations=3, border_value=1))
        points, words = detector.detectAndCompute(bytes_of(picture, valid), inside)
        if words is None or len(words) < 2:
            return None
        described.append((points, words))
    (points, words), (points_there, words_there) = described
    pairs = cv2.BFMatcher().knnMatch(words, words_there, k=2)
    good = [one for one, other in (pair for pair in pairs if len(pair) == 2) if one.distance < _RATIO * other.distance]
    if len(good) < _LEAST_MATCHES[model]:
        return None
    here = np.array([points[one.queryIdx].pt for one in good], dtype=np.float32)
    there = np.array([points_there[one.trainIdx].pt for one in good], dtype=np.float32)
    return _agreed(here, there, model)


def _agreed(here: np.ndarray, there: np.ndarray, model: str) -> np.ndarray | None:
    """The motion that RANSAC finds between points (n, 2)."""
    import cv2

    cv2.setRNGSeed(0)
    settings: dict[str, Any] = {"method": cv2.RANSAC, "ransacReprojThreshold": _RANSAC_PIXELS}
    if model == "translation":
        shift, _ = cv2.estimateTranslation2D(here, there, **settings)
        column, row = np.ravel(shift)
        return shift_matrix(row, column) if np.isfinite([row, column]).all() else None
    estimate = cv2.estimateAffine2D if model == "affine" else cv2.estimateAffinePartial2D
    found, _ = estimate(here, there, **settings)
    return None if found is None else np.vstack([found, [0.0, 0.0, 1.0]])


def stackreg(
    source: np.ndarray, target: np.ndarray, model: str, source_valid: np.ndarray, target_valid: np.ndarray
) -> np.ndarray | None:
    """``pystackreg.StackReg``: every model, no masks."""
    from pystackreg import StackReg

    kind = {
        "translation": StackReg.TRANSLATION,
        "rigid": StackReg.RIGID_BODY,
        "similarity": StackReg.SCALED_ROTATION,
        "affine": StackReg.AFFINE,
    }[model]
    # Its matrix leads from the reference to the picture that is registered with it.
    found = StackReg(kind).register(_filled(source, source_valid), _filled(target, target_valid))
    matrix = np.asarray(found, dtype=np.float64)
    return matrix if np.isfinite(matrix).all() else None


def _mask(valid: np.ndarray) -> np.ndarray:
    return np.where(valid, np.uint8(255), np.uint8(0))


PEERS: Mapping[str, Peer] = {
    "phase": Peer(
        "phase_cross_correlation, log-polar for turns and zooms",
        "skimage",
        "scikit-image",
        ("translation", "rigid", "similarity"),
        phase,
    ),
    "ecc": Peer(
        "findTransformECCMultiScale",
        "cv2",
        "opencv-python-headless",
        ("translation", "rigid", "similarity", "affine"),
        ecc,
    ),
    "sift": Peer(
        "SIFT and RANSAC",
        "cv2",
        "opencv-python-headless",
        ("translation", "rigid", "similarity", "affine"),
        sift,
    ),
    "stackreg": Peer(
        "StackReg",
        "pystackreg",
        "pystackreg",
        ("translation", "rigid", "similarity", "affine"),
        stackreg,
    ),
}
"""By name."""
