"""Corpora that are downloaded on request: MNIST, Fashion-MNIST, Kuzushiji-MNIST (idx files)."""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liescope.data.corpora.corpus import Corpus
from liescope.data.corpora.download import RemoteFile, corpus_folder, fetch
from liescope.data.guard import quoted, reading, told_path
from liescope.errors import InputError

__all__ = ["IDX_CORPORA", "IdxCorpus", "load_idx_corpus", "read_idx"]


@dataclass(frozen=True)
class IdxCorpus:
    """Images and labels of both splits, with what to call them."""

    files: Mapping[str, tuple[RemoteFile, RemoteFile]]
    label_names: tuple[str, ...]
    credit: str


def _idx_files(base: str, sums: tuple[str, str, str, str]) -> dict[str, tuple[RemoteFile, RemoteFile]]:
    names = [f"{part}-{what}-ubyte.gz" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
    files = [RemoteFile(n, (f"{base}/{n}",), f"sha256:{s}") for n, s in zip(names, sums, strict=True)]
    return {"train": (files[0], files[1]), "test": (files[2], files[3])}


# Checksums as others publish them too; their md5 are those of the torchvision project.
IDX_CORPORA: Mapping[str, IdxCorpus] = {
    "mnist": IdxCorpus(
        _idx_files(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        tuple("0123456789"),
        "MNIST (LeCun et al. 1998)",
    ),
    "fashion-mnist": IdxCorpus(
        _idx_files(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
            (
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
        (
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        "Fashion-MNIST (Xiao et al. 2017)",
    ),
    "kmnist": IdxCorpus(
        _idx_files(
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist",
            (
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
        ),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        "KMNIST (Clanuwat et al. 2018), CODH, CC BY-SA 4.0",
    ),
}


def load_idx_corpus(name: str, split: str, data_dir: str | Path | None) -> Corpus:
    """One split (``train``, ``test`` or ``all``) of a corpus of idx files, downloaded if need be."""
    corpus = IDX_CORPORA[name]
    folder = corpus_folder(name, data_dir)
    parts = ("train", "test") if split == "all" else (split,)
    arrays = [[read_idx(fetch(file, folder)) for file in corpus.files[part]] for part in parts]
    images, labels = (np.concatenate(side) for side in zip(*arrays, strict=True))
    return Corpus(images, labels.astype(np.int64), corpus.label_names, name, corpus.credit)


def read_idx(path: Path) -> np.ndarray:
    """An array of bytes in idx format, gzipped or not.

    Raises
    ------
    InputError
        Not an idx file of unsigned bytes, or cut short.
    """
    with reading(path, "an idx file"):
        raw = path.read_bytes()
        data = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    # Big-endian: two zero bytes, type 8 (unsigned byte), rank, then one 32-bit length per axis.
    if len(data) < 4 or data[:3] != b"\x00\x00\x08":
        raise InputError(f"expected an idx file of unsigned bytes, got '{path.name}'")
    rank = data[3]
    shape = tuple(int(n) for n in np.frombuffer(data, dtype=">u4", count=min(rank, (len(data) - 4) // 4), offset=4))
    body = np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * len(shape))
    if len(shape) != rank or body.size != math.prod(shape):
        raise InputError(
            f"expected {quoted(shape)} bytes in idx file {told_path(path.name)}, got {body.size}, try fetching it again"
        )
    return body.reshape(shape)
