"""What comes with an extra: where it is not installed, one line says which extra it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from liescope.data import load_corpus, load_pairs, make_pairs, save_pairs
from liescope.errors import InputError
from liescope.reproduce import Request
from liescope.reproduce.cases import digit_corpus


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
    with pytest.raises(InputError, match=rf"the package {package}, got none, try pip install 'liescope\[data\]'"):
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
    assert "liescope[data]" in refused("make", "symnist", "--transform", "rotation", "--out", "new.h5")
    assert [path.name for path in Path().iterdir()] == ["kept.h5"]


def test_figures_from_the_embedded_digits_need_no_downloads(without):
    without("pooch", "requests", "urllib3")
    assert digit_corpus(Request()) == "mnist-5k"
