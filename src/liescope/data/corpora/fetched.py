"""Corpora that are downloaded on request: MNIST, Fashion-MNIST, Kuzushiji-MNIST (idx files)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liescope.data.checks import reason
from liescope.data.corpora.corpus import Corpus
from liescope.data.corpora.download import RemoteFile, corpus_folder, fetch
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
    files = [RemoteFile(n, (f"{base}/{n}",), f"md5:{s}") for n, s in zip(names, sums, strict=True)]
    return {"train": (files[0], files[1]), "test": (files[2], files[3])}


# Checksums as published by the torchvision project.
IDX_CORPORA: Mapping[str, IdxCorpus] = {
    "mnist": IdxCorpus(
        _idx_files(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            (
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "9fb629c4189551a2d022fa330f9573f3",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
        ),
        tuple("0123456789"),
        "MNIST (LeCun et al. 1998)",
    ),
    "fashion-mnist": IdxCorpus(
        _idx_files(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            (
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
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
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist",
            (
                "bdb82020997e1d708af4cf47b453dcf7",
                "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "7320c461ea6c1c855c0b718fb2a4b134",
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
    try:
        raw = path.read_bytes()
        data = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"expected an idx file, got '{path.name}', truncated or corrupt ({reason(error)})") from None
    # Big-endian: two zero bytes, type 8 (unsigned byte), rank, then one 32-bit length per axis.
    if len(data) < 4 or data[:3] != b"\x00\x00\x08":
        raise InputError(f"expected an idx file of unsigned bytes, got '{path.name}'")
    rank = data[3]
    shape = tuple(int(n) for n in np.frombuffer(data, dtype=">u4", count=min(rank, (len(data) - 4) // 4), offset=4))
    body = np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * len(shape))
    if len(shape) != rank or body.size != int(np.prod(shape)):
        raise InputError(f"expected {shape} bytes in idx file '{path.name}', got {body.size}, try fetching it again")
    return body.reshape(shape)
