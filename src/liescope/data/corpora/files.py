"""The user's own images as a corpus: an ``.npz``, or a folder of image files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liescope.data.archives import read_npz
from liescope.data.corpora.corpus import Corpus
from liescope.data.stacks import FolderImages, image_files
from liescope.errors import InputError

__all__ = ["load_folder_corpus", "load_npz_corpus"]


def load_npz_corpus(path: Path) -> Corpus:
    """``images`` (N, H, W), (N, C, H, W) or (N, H, W, 3), and optionally ``labels`` (N,) and ``label_names``.

    Raises
    ------
    InputError
        Missing or corrupt file, no ``images``, wrong rank, labels of another length.
    """
    arrays = read_npz(path, ("images",), ("labels", "label_names"))
    images = arrays["images"]
    if images.ndim == 4 and images.shape[-1] == 3 and images.shape[1] != 3:
        images = np.moveaxis(images, -1, 1)
    if images.ndim not in (3, 4) or images.dtype.kind not in "fiub":
        raise InputError(
            f"expected images of shape (N, H, W) or (N, C, H, W) in '{path.name}', got {images.dtype} {images.shape}"
        )
    labels, names = arrays.get("labels"), tuple(str(n) for n in np.ravel(arrays.get("label_names", ())))
    if labels is not None:
        if labels.shape != images.shape[:1]:
            raise InputError(f"expected labels of shape ({len(images)},) in '{path.name}', got {labels.shape}")
        if labels.dtype.kind not in "iu":
            values, labels = np.unique(labels, return_inverse=True)
            names = tuple(str(v) for v in values)
        labels = labels.astype(np.int64)
    return Corpus(images, labels, names, path.stem, f"user file {path.name}")


def load_folder_corpus(path: Path) -> Corpus:
    """Image files of one shape, read lazily; subfolders, where there are any with images, are the labels.

    Raises
    ------
    InputError
        No image files, unreadable ones, or (when read) images of several shapes.
    """
    folders = sorted(f for f in path.iterdir() if f.is_dir() and image_files(f))
    if folders:
        groups = [image_files(folder) for folder in folders]
        labels = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
        files, names = [f for g in groups for f in g], tuple(f.name for f in folders)
        return Corpus(FolderImages(files), labels, names, path.name, f"user folder {path.name}")
    files = image_files(path)
    if not files:
        raise InputError(f"expected image files in folder '{path}', got none, try .png files or one folder per label")
    return Corpus(FolderImages(files), None, (), path.name, f"user folder {path.name}")
