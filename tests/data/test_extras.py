"""What comes with an extra: where it is not installed, one line says which extra it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from astropy.io import fits
from PIL import Image

from liescope.data import load_corpus, load_pairs, make_pairs, read_film, save_pairs, write_film
from liescope.errors import InputError
from liescope.reproduce import Request
from liescope.reproduce.cases import digit_corpus

FRAMES = np.random.default_rng(0).integers(0, 255, (6, 12, 14)).astype(np.uint8)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Takes packages away: neither found nor imported."""

    def hide(*names: str) -> None:
        for name in names:
            for loaded in [module for module in sys.modules if module.split(".")[0] == name]:
                monkeypatch.delitem(sys.modules, loaded)
            monkeypatch.setitem(sys.modules, name, None)

    return hide


@pytest.mark.parametrize(("package", "corpus"), [("pooch", "mnist"), ("skimage", "faces"), ("skimage", "hubble")])
def test_a_corpus_says_which_extra_it_needs(package, corpus, without):
    without(package)
    with pytest.raises(InputError, match=rf"the package {package}, got none, try pip install .*'\.\[data\]'"):
        load_corpus(corpus)


def test_hdf5_files_say_which_extra_they_need(tmp_path, without, refused, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pairs = make_pairs("symnist", transform="rotation", pairs=10)
    save_pairs("kept.h5", pairs)
    without("h5py")
    with pytest.raises(InputError, match=r"the package h5py, got none"):
        save_pairs("new.h5", pairs)
    with pytest.raises(InputError, match=r"the package h5py, got none"):
        load_pairs("kept.h5")
    assert "try pip install h5py, or pip install '.[data]' in a copy" in refused(
        "make", "symnist", "--transform", "rotation", "--out", "new.h5"
    )
    assert [path.name for path in Path().iterdir()] == ["kept.h5"]


def test_figures_from_the_embedded_digits_need_no_downloads(without):
    without("pooch", "requests", "urllib3")
    assert digit_corpus(Request()) == "mnist-5k"


@pytest.mark.parametrize(
    ("package", "write", "name"),
    [
        ("tifffile", lambda path: tifffile.imwrite(path, FRAMES, photometric="minisblack"), "a.tif"),
        ("imagecodecs", lambda path: tifffile.imwrite(path, FRAMES, photometric="minisblack"), "a.tif"),
        ("astropy", lambda path: fits.PrimaryHDU(FRAMES).writeto(path), "a.fits"),
        ("av", lambda path: write_film(path, [FRAMES], FRAMES.shape, FRAMES.dtype), "a.mp4"),
        ("imageio", lambda path: write_film(path, [FRAMES], FRAMES.shape, FRAMES.dtype), "a.mp4"),
    ],
)
def test_films_say_which_extra_they_need(tmp_path, without, package, write, name):
    write(tmp_path / name)
    without(package)
    with pytest.raises(InputError, match=rf"the package {package}, got none, try pip install .*'\.\[data\]'"):
        read_film(tmp_path / name)


def test_plain_images_and_arrays_need_no_extra(tmp_path, without):
    without("tifffile", "imagecodecs", "astropy", "av", "imageio", "h5py")
    for k, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(tmp_path / f"{k}.tif")
    np.testing.assert_array_equal(read_film(tmp_path), FRAMES)
    np.savez(tmp_path / "a.npz", frames=FRAMES)
    np.testing.assert_array_equal(read_film(tmp_path / "a.npz"), FRAMES)
