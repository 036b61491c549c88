"""``liescope choose``: what it writes, what it prints, what it refuses in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from liescope.cli import main
from liescope.data import load_corpus, make_pairs
from liescope.type2 import Scheme


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    corpus = load_corpus("mnist-5k")
    rows = np.arange(0, 5000, 50)
    rng = np.random.default_rng(0)
    images = np.stack([ndimage.rotate(corpus.images[k], rng.uniform(-180, 180), reshape=False, order=1) for k in rows])
    made: Path = tmp_path_factory.mktemp("labelled")
    labels = np.asarray(corpus.labels)[rows]
    np.savez(made / "labelled.npz", images=images, labels=labels)
    np.savez(made / "alone.npz", images=images)
    np.savez(made / "single.npz", images=images, labels=labels * 0)
    return made


def test_a_choice_is_written_printed_and_shown(folder, tmp_path, capsys):
    out = tmp_path / "choice"
    assert main(["choose", str(folder / "labelled.npz"), "--schemes", "rotation,scale", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("rotation, full circle, +")
    content = json.loads((out / "choice.json").read_text(encoding="utf-8"))
    assert (content["schema"], content["verdict"]) == ("liescope.choice/1", "a scheme")
    assert sum(row["weight"] for row in content["table"]) == pytest.approx(1)
    best = Scheme.from_dict(content["best"])
    assert best.told() == "rotation, full circle"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Share weights along: rotation" in page
    # Ten classes, sixteen copies of an image of each.
    assert len(re.findall(r'alt="\d, copy \d+ of 16"', page)) == 160
    for row in content["table"]:
        assert f">{row['scheme']['name']}</th>" in page
    # The same to the letter, but for the time it took.
    assert (
        main(["choose", str(folder / "labelled.npz"), "--schemes", "rotation,scale", "--out", str(out), "--json"]) == 0
    )
    again = json.loads(capsys.readouterr().out)
    assert {**again, "seconds": 0} == {**content, "seconds": 0}


def test_what_was_detected_is_a_candidate(folder, tmp_path, capsys):
    pairs = make_pairs(transform="rotation", range=90, pairs=60, seed=0)
    np.savez(tmp_path / "pairs.npz", source=pairs.source, target=pairs.target)
    found = tmp_path / "found"
    assert main(["detect", str(tmp_path / "pairs.npz"), "--out", str(found), "--quiet"]) == 0
    arguments = ["--schemes", f"none,{found}", "--out", str(tmp_path / "choice"), "--quiet"]
    assert main(["choose", str(folder / "labelled.npz"), *arguments]) == 0
    assert capsys.readouterr().out == ""
    content = json.loads((tmp_path / "choice" / "choice.json").read_text(encoding="utf-8"))
    assert content["best"]["name"] == "rotation"


@pytest.mark.slow
def test_networks_are_tested_where_test_images_are_given(folder, tmp_path, capsys):
    corpus = load_corpus("mnist-5k")
    rows = np.arange(25, 5000, 100)
    rng = np.random.default_rng(1)
    images = [ndimage.rotate(corpus.images[k], rng.uniform(-180, 180), reshape=False, order=1) for k in rows]
    np.savez(tmp_path / "others.npz", images=np.stack(images), labels=np.asarray(corpus.labels)[rows])
    out = tmp_path / "choice"
    arguments = ["--schemes", "rotation", "--test", str(tmp_path / "others.npz"), "--out", str(out)]
    assert main(["choose", str(folder / "labelled.npz"), *arguments]) == 0
    content = json.loads((out / "choice.json").read_text(encoding="utf-8"))
    assert content["tested"] == 50
    # A hundred labels of turned digits: the network that knows of turns is right far more often.
    assert content["scores"]["rotation"] > content["scores"]["none"] + 0.15
    assert f"tested {content['scores']['rotation']:.3f}" in capsys.readouterr().out
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "On 50 test images" in page
    assert f"{content['scores']['none']:.3f}</td>" in page
    np.savez(tmp_path / "small.npz", images=np.stack(images)[:, 2:], labels=np.asarray(corpus.labels)[rows])
    arguments[3] = str(tmp_path / "small.npz")
    assert main(["choose", str(folder / "labelled.npz"), *arguments]) == 2
    assert "expected test images of shape (1, 28, 28)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "schemes", "told"),
    [
        ("missing.npz", "rotation", "expected labelled images, got no such file"),
        ("alone.npz", "rotation", "expected images with labels in"),
        ("single.npz", "rotation", "expected at least two classes"),
        ("labelled.npz", "rotatoin", "unknown scheme 'rotatoin'. Did you mean 'rotation'"),
        ("labelled.npz", "rotation,rotation", "expected every scheme once"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(folder, tmp_path, capsys, file, schemes, told):
    out = tmp_path / "choice"
    assert main(["choose", str(folder / file), "--schemes", schemes, "--out", str(out), "--quiet"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("liescope: error: ")
    assert told in line
    assert not out.exists()
