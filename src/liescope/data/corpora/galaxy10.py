"""Galaxy10 DECaLS: 17,736 colour images of galaxies in ten classes, 2.5 GB, read lazily."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liescope.data.corpora.corpus import Corpus
from liescope.data.corpora.download import RemoteFile, corpus_folder, fetch
from liescope.data.stacks import HDF5Images, LazyImages, read_hdf5
from liescope.errors import InputError

__all__ = ["GALAXY10_FILE", "GALAXY10_LABELS", "GreyGalaxies", "load_galaxy10"]

GALAXY10_FILE = RemoteFile(
    "Galaxy10_DECals.h5",
    ("https://zenodo.org/records/10845026/files/Galaxy10_DECals.h5",),
    "sha256:19aefc477c41bb7f77ff07599a6b82a038dc042f889a111b0d4d98bb755c1571",
)

GALAXY10_LABELS = (
    "disturbed",
    "merging",
    "round smooth",
    "in-between round smooth",
    "cigar-shaped smooth",
    "barred spiral",
    "unbarred tight spiral",
    "unbarred loose spiral",
    "edge-on without bulge",
    "edge-on with bulge",
)


class GreyGalaxies(LazyImages):
    """Colour images (N, H, W, 3) of an HDF5 file as grey uint8 (N, H, W): the channel mean, rounded."""

    def __init__(self, colour: HDF5Images) -> None:
        self.colour = colour
        super().__init__(colour.shape[:3], np.uint8, self._read_grey)

    def _read_grey(self, indices: np.ndarray) -> np.ndarray:
        grey: np.ndarray = np.rint(self.colour[indices].mean(axis=-1, dtype=np.float32)).astype(np.uint8)
        return grey


def load_galaxy10(data_dir: str | Path | None) -> Corpus:
    """The whole of Galaxy10 DECaLS; only labels are read here, images when they are asked for.

    Raises
    ------
    InputError
        As :func:`fetch`, or a file of another layout (``images`` (N, H, W, 3), ``ans`` (N,)).
    """
    path = fetch(GALAXY10_FILE, corpus_folder("galaxy10-decals", data_dir))
    arrays = read_hdf5(path, ("images", "ans"))
    colour, labels = arrays["images"], np.asarray(arrays["ans"][:])
    if len(colour.shape) != 4 or colour.shape[-1] != 3 or labels.shape != colour.shape[:1]:
        raise InputError(
            f"expected images (N, H, W, 3) and ans (N,) in '{path.name}', got {colour.shape} and {labels.shape}"
        )
    credit = "Galaxy10 DECaLS (Leung & Bovy; DESI Legacy Imaging Surveys, Galaxy Zoo)"
    return Corpus(GreyGalaxies(colour), labels.astype(np.int64), GALAXY10_LABELS, "galaxy10-decals", credit)
