"""Found magnitudes and reconstructions beside the true ones, where natural units are not known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from scipy.stats import pearsonr, spearmanr, wasserstein_distance

from liescope.errors import InputError
from liescope.inference import find_modes

__all__ = [
    "MagnitudeCorrelation",
    "ReconstructionError",
    "magnitude_correlation",
    "mode_count",
    "reconstruction_error",
    "wasserstein_standardised",
]


class MagnitudeCorrelation(NamedTuple):
    """Absolute correlations between found and true magnitudes, in [0, 1]."""

    pearson: float
    spearman: float


class ReconstructionError(NamedTuple):
    """Error of reconstructed images.

    Attributes
    ----------
    mean_squared : float
        Mean over images and pixels of the squared difference, grey values from 0 to 1.
    relative : float
        The same as a share of the mean square of the true images.
    """

    mean_squared: float
    relative: float


def _varied(truth: np.ndarray) -> Float[np.ndarray, " n"]:
    values = np.asarray(truth, dtype=np.float64)
    if not (values.size and np.isfinite(values).all() and np.ptp(values) > 0):
        raise InputError("expected finite true magnitudes that differ, got none or a single value")
    return values


def _standardised(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    centred = values - values.mean()
    deviation = float(centred.std())
    standardised: np.ndarray = centred / deviation if deviation > 0 else centred
    return standardised


def wasserstein_standardised(found: Float[np.ndarray, " n"], truth: Float[np.ndarray, " k"]) -> float:
    """1-Wasserstein distance between two laws of t brought to mean 0 and variance 1, in standard deviations.

    The shape of the law alone is compared, as by the paper's "Wasserstein distance for the normalized
    distributions": shifts, scales and signs are lost, the smaller distance of the two signs is returned. A sample
    of one value counts as a law of a single point.

    Raises
    ------
    InputError
        True magnitudes that do not differ.
    """
    true = _standardised(_varied(truth))
    own = _standardised(np.asarray(found, dtype=np.float64))
    return min(float(wasserstein_distance(sign * own, true)) for sign in (1.0, -1.0))


def magnitude_correlation(found: Float[np.ndarray, " n"], truth: Float[np.ndarray, " n"]) -> MagnitudeCorrelation:
    """Pearson's and Spearman's correlation of found and true magnitudes, absolute: a generator's sign is arbitrary.

    Found magnitudes that do not differ say nothing about the truth: 0.

    Raises
    ------
    InputError
        True magnitudes that do not differ.
    """
    true, own = _varied(truth), np.asarray(found, dtype=np.float64)
    if not np.ptp(own) > 0:
        return MagnitudeCorrelation(0.0, 0.0)
    return MagnitudeCorrelation(*(abs(float(measure(own, true)[0])) for measure in (pearsonr, spearmanr)))


def mode_count(t: Float[np.ndarray, " n"]) -> int:
    """Number of modes of a law of t (:func:`liescope.inference.find_modes`)."""
    return len(find_modes(t))


def reconstruction_error(
    images: Shaped[np.ndarray, "n *shape"], reconstructions: Shaped[np.ndarray, "n *shape"]
) -> ReconstructionError:
    """Mean squared error per pixel, and as a share of the images' mean square.

    Parameters
    ----------
    images, reconstructions : arrays, shape (N, ...)
        Grey values from 0 to 1; bytes are taken as 0 to 255 and divided by that.

    Raises
    ------
    InputError
        Images without any grey value but zero.
    """
    true, own = (_grey(stack) for stack in (images, reconstructions))
    energy = float(np.mean(np.square(true))) if true.size else 0.0
    if not energy > 0:
        raise InputError("expected images that are not all zero, got nothing else")
    error = float(np.mean(np.square(own - true)))
    return ReconstructionError(error, error / energy)


def _grey(stack: np.ndarray) -> np.ndarray:
    values = np.asarray(stack)
    grey: np.ndarray = values / 255.0 if values.dtype == np.uint8 else values.astype(np.float64)
    return grey
