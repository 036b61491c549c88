"""Files of pairs: round trips, byte equality, atomic writes, and everything that is refused."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image

import liescope.data.archives as archives_module
from liescope.data import Corpus, Pairs, load_pairs, make_pairs, save_pairs
from liescope.errors import InputError


@pytest.fixture(scope="module")
def made(digits: Corpus) -> Pairs:
    return make_pairs(transform="rotation+scale", range=[45, 0.3], pairs=40, corpus=digits)


@pytest.mark.parametrize("name", ["pairs.npz", "pairs.h5"])
def test_round_trip_and_same_bytes(tmp_path: Path, made: Pairs, name: str) -> None:
    path = save_pairs(tmp_path / name, made)
    again: Any = load_pairs(path)
    assert again.source.shape == (40, 1, 28, 28)
    np.testing.assert_array_equal(np.asarray(again.source)[:, 0], made.source)
    np.testing.assert_array_equal(np.asarray(again.target)[:, 0], made.target)
    np.testing.assert_array_equal(again.magnitude, made.magnitude)
    np.testing.assert_array_equal(again.label, made.label)
    assert again.meta == made.meta
    first = path.read_bytes()
    save_pairs(path, made)
    assert path.read_bytes() == first
    assert os.listdir(tmp_path) == [name]


def test_plain_numpy_files_are_pairs(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (9, 3, 8, 8), dtype=np.uint8)
    np.savez_compressed(tmp_path / "a.npz", source=images, target=images, magnitude=np.arange(9))
    loaded: Any = load_pairs(tmp_path / "a.npz")
    assert loaded.source.dtype == np.uint8
    assert loaded.magnitude.shape == (9, 1)
    assert loaded.meta == {}
    assert loaded.natural_magnitude is None


def test_large_uncompressed_files_are_mapped(tmp_path: Path, made: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_pairs(tmp_path / "a.npz", made)
    monkeypatch.setattr(archives_module, "IN_MEMORY_BYTES", 1000)
    mapped = load_pairs(path)
    owner = mapped.source
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    assert isinstance(owner, np.memmap)
    np.testing.assert_array_equal(mapped.source[:, 0], made.source)
    np.testing.assert_array_equal(mapped.target[:, 0], made.target)
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="truncated or corrupt"):
        load_pairs(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, made: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_pairs(tmp_path / "a.npz", made)
    before = path.read_bytes()

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        save_pairs(path, made)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.npz"]


class Bomb:
    """Unpickling this would raise."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('unpickled')",)


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def written(write: Callable[..., Any], *content: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    write(buffer, *content, **options)
    return buffer.getvalue()


def zipped(**texts: str) -> bytes:
    """A zip archive that holds no arrays."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


IMAGES = np.zeros((9, 8, 8), np.float32)
INFINITE = IMAGES.copy()
INFINITE[4, 2, 3] = np.inf
GOOD = npz(source=IMAGES, target=IMAGES)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npz", b"", "truncated or corrupt"),
        ("a.npz", GOOD[: len(GOOD) // 2], "truncated or corrupt"),
        ("a.npz", GOOD[:600] + b"\x01" + GOOD[601:], "truncated or corrupt"),
        ("a.npz", b"hello, world", "got 'a.npz', text"),
        ("a.npz", npz(target=IMAGES), r"got no source \(it holds target\)"),
        ("a.npz", npz(x=IMAGES), r"got no source, target \(it holds x\)"),
        ("a.npz", npz(source=IMAGES, target=IMAGES[:8]), "a.npz: expected source and target of one shape"),
        ("a.npz", npz(source=IMAGES[:0], target=IMAGES[:0]), "a.npz: expected at least 1 pairs, got 0"),
        ("a.npz", npz(source=IMAGES[..., :4], target=IMAGES[..., :4]), "at least 5x5 pixels"),
        (
            "a.npz",
            npz(source=IMAGES, target=INFINITE),
            "1 infinite in 1 target image, .* pair 4, row 2, column 3",
        ),
        (
            "a.npz",
            npz(source=np.array([Bomb()] * 9), target=IMAGES),
            "object array 'source' .pickles are never",
        ),
        ("a.npz", npz(source=IMAGES, target=IMAGES, meta=np.array("{")), "meta as JSON text"),
        ("a.npz", npz(source=IMAGES, target=IMAGES, meta=np.array("[]")), "meta as a JSON object"),
        ("a.npz", npz(source=IMAGES, target=IMAGES, magnitude=np.ones(3)), "magnitude of shape"),
        ("a.npz", npz(source=IMAGES, target=IMAGES, label=np.ones(3)), "label of shape"),
        ("a.pkl", pickle.dumps(Bomb()), "pickles are never loaded"),
        ("a.pt", GOOD, "pickles are never loaded"),
        ("a.npy", b"", "truncated or corrupt"),
        ("a.h5", b"hello, world", "expected an HDF5 file, got 'a.h5', text"),
        ("a.csv", b"a,b\n1,2\n", r"got 'a.csv', text, try np.savez\(name, source=..., target=...\)"),
        ("a.npy", written(np.save, IMAGES), r"a single array .*detect\(frames=read_film\(...\)\) if it is a film"),
        ("a.tif", written(tifffile.imwrite, IMAGES), r"a TIFF image or stack, .*detect\(frames=read_film\(...\)\)"),
        ("a.mat", written(scipy.io.savemat, {"source": IMAGES}), "a MATLAB file, try scipy.io.loadmat and np.savez"),
        ("a.png", written(Image.new("L", (9, 9)).save, format="PNG"), "a PNG image, try a folder with source/"),
        ("a.npz", npz(frames=IMAGES), r"\(it holds frames\), try detect\(frames=read_film\(...\)\)"),
        ("a.npz", zipped(source="a", target="b"), r"got no source, target \(it holds none\)"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load_pairs(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.h5", "a.mat", "a.npy", "a.zip", "a"])
def test_pairs_are_told_by_what_the_file_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(GOOD)
    assert len(load_pairs(tmp_path / name)) == len(IMAGES)
    with h5py.File(tmp_path / name, "w") as file:
        file["source"] = file["target"] = IMAGES
    assert len(load_pairs(tmp_path / name)) == len(IMAGES)


def test_missing_and_unwritable_places_are_named(tmp_path: Path, made: Pairs) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_pairs(tmp_path / "none.npz")
    with pytest.raises(InputError, match="folder that can be written"):
        save_pairs(tmp_path / "no folder" / "a.npz", made)
    with pytest.raises(InputError, match=r"ending in \.npz or \.h5"):
        save_pairs(tmp_path / "a.txt", made)
