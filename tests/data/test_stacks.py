"""Stacks that stay on disk: indexing like numpy's, two folders, HDF5."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from liescope.data import Corpus, ImageStack, load_pairs, pairs_from, validate_images
from liescope.data.lazy import LazyImages
from liescope.data.stacks import FolderImages, HDF5Images
from liescope.errors import InputError


@pytest.fixture
def pixels(digits: Corpus) -> np.ndarray:
    """Twelve real digits, not square."""
    cut: np.ndarray = digits.images[::450, 2:26]
    return cut


@pytest.fixture
def folder(tmp_path: Path, pixels: np.ndarray) -> Path:
    for side, stack in (("source", pixels), ("target", pixels[:, ::-1])):
        (tmp_path / side).mkdir()
        for k, image in enumerate(stack):
            Image.fromarray(image).save(tmp_path / side / f"{k:03d}.png")
    return tmp_path


@pytest.fixture
def lazy(tmp_path: Path, pixels: np.ndarray) -> HDF5Images:
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file["images"] = pixels
    return HDF5Images(tmp_path / "stack.h5", "images", pixels.shape, pixels.dtype)


@pytest.mark.parametrize(
    "index",
    [
        3,
        -1,
        slice(2, 7),
        slice(None, None, -3),
        slice(5, 5),
        np.array([7, 2, 2, 11]),
        [1, 0],
        np.arange(12) % 2 == 0,
        np.array([[1, 2], [3, 1]]),
        (slice(1, 4), 0, 5),
        (3, slice(None), 2),
    ],
    ids=str,
)
def test_indexing_is_that_of_numpy(lazy: HDF5Images, pixels: np.ndarray, index: Any) -> None:
    np.testing.assert_array_equal(lazy[index], pixels[index])
    np.testing.assert_array_equal(lazy.with_channels()[index], pixels[:, None][index])


def test_lazy_stacks_are_stacks(lazy: HDF5Images, pixels: np.ndarray) -> None:
    assert isinstance(lazy, ImageStack)
    assert (len(lazy), lazy.ndim, lazy.shape, lazy.dtype) == (12, 3, (12, 24, 28), np.uint8)
    np.testing.assert_array_equal(np.asarray(lazy), pixels)
    rows = np.array([1, 4, 9])
    np.testing.assert_array_equal(lazy.subset(rows)[::-1], pixels[rows][::-1])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(lazy))[2:4], pixels[2:4])
    with pytest.raises(IndexError):
        lazy[12]


def test_pairs_are_made_from_lazy_images(lazy: HDF5Images, pixels: np.ndarray) -> None:
    made = pairs_from(lazy, pairs=30)
    np.testing.assert_array_equal(made.target, pairs_from(pixels, pairs=30).target)


def test_validation_reads_in_slices_and_stays_lazy() -> None:
    largest = []

    def read(indices: np.ndarray) -> np.ndarray:
        largest.append(len(indices))
        images = np.zeros((len(indices), 64, 64), np.float32)
        images[indices == 5000, 1, 2] = np.inf
        return images

    huge = LazyImages((40_000, 64, 64), np.float32, read)
    with pytest.raises(InputError, match="1 NaN or infinite in 1 source image, the first at pair 5000, row 1"):
        validate_images(huge, huge)
    assert max(largest) <= 1024
    good = LazyImages((9, 64, 64), np.float32, lambda i: np.ones((len(i), 64, 64), np.float32))
    source, _ = validate_images(good, good)
    assert isinstance(source, LazyImages)
    assert source.shape == (9, 1, 64, 64)


def test_two_folders_are_pairs(folder: Path, pixels: np.ndarray) -> None:
    (folder / "meta.json").write_text('{"task": "mirror"}')
    pairs = load_pairs(folder)
    assert isinstance(pairs.source, LazyImages)
    assert pairs.source.shape == (12, 1, 24, 28)
    np.testing.assert_array_equal(pairs.source[:][:, 0], pixels)
    np.testing.assert_array_equal(pairs.target[[11, 0]][:, 0], pixels[[11, 0], ::-1])
    assert pairs.meta == {"task": "mirror"}


def test_colour_alpha_and_sixteen_bit_files(tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (9, 8, 4), dtype=np.uint8)
    Image.fromarray(colour, "RGBA").save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        FolderImages([tmp_path / "a.png"])[0],
        np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).transpose(2, 0, 1),
    )
    deep = (np.arange(72).reshape(9, 8) * 900).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "b.png")
    stack = FolderImages([tmp_path / "b.png"])
    np.testing.assert_array_equal(stack[0], deep)


def test_bad_folders_are_named(folder: Path) -> None:
    (folder / "source" / "000.png").rename(folder / "source" / "other.png")
    with pytest.raises(InputError, match=r"2 without a partner, the first '000.png' in '.*target' alone"):
        load_pairs(folder)
    (folder / "source" / "other.png").rename(folder / "source" / "000.png")
    Image.new("L", (9, 9)).save(folder / "target" / "004.png")
    with pytest.raises(InputError, match=r"one shape, got \(9, 9\) in 'target/004.png' and \(24, 28\) in 'target/000"):
        load_pairs(folder).target[:]
    (folder / "target" / "004.png").write_bytes(b"not an image")
    with pytest.raises(InputError, match=r"expected an image file, got '004.png'"):
        load_pairs(folder).target[:]
    for file in (folder / "target").iterdir():
        file.unlink()
    (folder / "target").rmdir()
    with pytest.raises(InputError, match="got no 'target'"):
        load_pairs(folder)


def test_nothing_of_a_pair_folder_is_read_in_part(folder: Path, pixels: np.ndarray) -> None:
    """Sixteen bits in colour stay; several pages, and depths side by side, are refused with the files named."""
    deep = np.random.default_rng(0).integers(0, 65536, (12, 24, 28, 3), dtype=np.uint16)
    for side in ("source", "target"):
        for k in range(12):
            (folder / side / f"{k:03d}.png").unlink()
            tifffile.imwrite(folder / side / f"{k:03d}.tif", deep[k], photometric="rgb")
    pairs = load_pairs(folder)
    assert pairs.source.dtype == np.uint16
    np.testing.assert_array_equal(pairs.source[:], deep.transpose(0, 3, 1, 2))
    tifffile.imwrite(folder / "source" / "005.tif", deep[5].astype(np.uint8), photometric="rgb")
    with pytest.raises(InputError, match=r"one type, got uint8 in 'source/005\.tif' and uint16 in 'source/000\.tif'"):
        load_pairs(folder).source[:]
    tifffile.imwrite(folder / "source" / "005.tif", deep[:3, ..., 0], photometric="minisblack")
    with pytest.raises(InputError, match=r"one image in '005\.tif', got 3 x 24 x 28 in 3 pages, try a film"):
        load_pairs(folder).source[:]
    for k in range(12):
        (folder / "source" / f"{k:03d}.tif").unlink()
        Image.fromarray(np.repeat(pixels[k, ..., None], 3, axis=-1)).save(folder / "source" / f"{k:03d}.png")
    with pytest.raises(InputError, match=r"uint8 in 'source/000\.png' and uint16 in 'target/000\.tif'"):
        load_pairs(folder)


def test_bad_hdf5_files_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["source"] = np.zeros((9, 8, 8))
    with pytest.raises(InputError, match=r"got no target \(it holds source\)"):
        load_pairs(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["target"] = ["text"] * 9
    with pytest.raises(InputError, match=r"expected numbers in 'a\.h5', got object in 'target'"):
        load_pairs(tmp_path / "a.h5")
    whole = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="truncated or corrupt") as caught:
        load_pairs(tmp_path / "a.h5")
    assert "\n" not in str(caught.value)
