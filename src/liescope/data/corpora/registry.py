"""From a corpus name to its images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from liescope.data.corpora import embedded
from liescope.data.corpora.corpus import Corpus
from liescope.data.corpora.fetched import IDX_CORPORA, load_idx_corpus
from liescope.data.corpora.files import load_folder_corpus, load_npz_corpus
from liescope.data.corpora.galaxy10 import load_galaxy10
from liescope.data.guard import reason, told_path
from liescope.errors import InputError, quoted, suggest

__all__ = ["CORPORA", "SPLITS", "load_corpus"]

_EMBEDDED: Mapping[str, Callable[[], Corpus]] = {
    "mnist-5k": embedded.mnist_5k,
    "digits8": embedded.digits8,
    "hubble": embedded.hubble,
    "faces": embedded.faces,
}

CORPORA: Mapping[str, str] = {
    "mnist-5k": "5,000 digits, 28x28, embedded",
    "digits8": "1,797 digits, 8x8, embedded",
    "hubble": "cut-outs of the Hubble Deep Field, 64x64, unlabelled, embedded",
    "faces": "100 faces and 100 background patches, 25x25, embedded",
    "mnist": "70,000 digits, 28x28, fetched (11 MB)",
    "fashion-mnist": "70,000 pieces of clothing, 28x28, fetched (31 MB)",
    "kmnist": "70,000 cursive characters, 28x28, fetched (21 MB)",
    "galaxy10-decals": "17,736 galaxies, 256x256, fetched (2.5 GB)",
}
"""Corpora by name; paths of ``.npz`` files and of folders of images are corpora too."""

SPLITS = ("all", "train", "test")
TEST_SHARE = 0.1
SPLIT_SEED = 0


def load_corpus(name: str | Path, split: str | None = None, data_dir: str | Path | None = None) -> Corpus:
    """Images and labels of a corpus.

    Parameters
    ----------
    name : str or path
        One of ``CORPORA``, an ``.npz`` with ``images`` (and ``labels``), or a folder of image files.
    split : str, optional
        ``train``, ``test`` or ``all``. The published split where there is one (``mnist``, ``fashion-mnist``,
        ``kmnist``; default ``train``), else a fixed one, 90 : 10 in every class (default ``all``).
    data_dir : path, optional
        Where fetched corpora are, or go: ``data_dir/<name>/<file>``. Default the folder named by the
        environment variable ``LIESCOPE_DATA``, or the user's cache folder.

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        Unknown name or split (with did-you-mean), files that are missing, corrupt or of the wrong shape, no
        connection for a corpus that has to be fetched.
    """
    if split is not None and split not in SPLITS:
        raise InputError(f"unknown split {split!r}.{suggest(split, SPLITS)}")
    text = str(name)
    if text in IDX_CORPORA:
        return load_idx_corpus(text, split or "train", data_dir)
    if text in _EMBEDDED:
        corpus = _EMBEDDED[text]()
    elif text == "galaxy10-decals":
        corpus = load_galaxy10(data_dir)
    else:
        path = Path(name).expanduser()
        if _is_folder(path):
            corpus = load_folder_corpus(path)
        elif path.suffix == ".npz":
            corpus = load_npz_corpus(path)
        else:
            raise InputError(
                f"unknown corpus {quoted(text)}.{suggest(text, CORPORA)} An .npz file or a folder of images is one too."
            )
    return corpus if split in (None, "all") else _part(corpus, split == "test")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # a name that is too long
        raise InputError(f"expected a corpus, got {told_path(path)} ({reason(error)})") from None


def _part(corpus: Corpus, test: bool) -> Corpus:
    """The stratified 90 or 10 per cent, in the corpus's order."""
    rng = np.random.default_rng(SPLIT_SEED)
    labels = np.zeros(len(corpus), dtype=np.int64) if corpus.labels is None else corpus.labels
    chosen = np.zeros(len(corpus), dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        chosen[members[: round(TEST_SHARE * len(members))]] = True
    rows = np.flatnonzero(chosen if test else ~chosen)
    images = corpus.images.subset(rows) if hasattr(corpus.images, "subset") else corpus.images[rows]
    return replace(corpus, images=images, labels=None if corpus.labels is None else corpus.labels[rows])
