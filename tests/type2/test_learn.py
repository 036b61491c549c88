"""A generator from labels alone, on digits that SciPy has moved; what it is worth as a result."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import linalg, ndimage

from liescope import InputError, load_result
from liescope.cli import main
from liescope.data import load_corpus
from liescope.evaluation import field_cosine, principal_angles
from liescope.handover import sklearn
from liescope.type2 import Scheme, learn_scheme, select_scheme
from liescope.type2.evidence import PooledProcess, differentiable_nats, evidence_of
from liescope.type2.labelled import indicators, labelled

OFF_CENTRE = (0.3, 0.0, -1.0, 0.2, 1.0, 0.0)


def moved_digits(
    fields: Sequence[tuple[float, ...]], reach: float, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Digits moved along affine fields by a matrix that SciPy takes, t uniform within the reach."""
    corpus = load_corpus("mnist-5k")
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(corpus.images))[:count]
    # (row, column, 1) of 28 pixels to (x, y, 1): the origin is the centre, y points up.
    to_field = np.array([[0, 1 / 14, -13.5 / 14], [-1 / 14, 0, 13.5 / 14], [0, 0, 1]])
    moved = []
    for image in np.asarray(corpus.images)[rows].astype(np.float32) / 255:
        field = np.sum([np.asarray(one) * rng.uniform(-reach, reach) for one in fields], axis=0)
        motion = np.array([[field[1], field[2], field[0]], [field[4], field[5], field[3]], [0, 0, 0]])
        back = np.linalg.inv(to_field) @ linalg.expm(-motion) @ to_field
        moved.append(ndimage.affine_transform(image, back[:2, :2], offset=back[:2, 2], order=1))
    return np.stack(moved), np.asarray(corpus.labels)[rows]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made: Path = tmp_path_factory.mktemp("learn")
    images, labels = moved_digits([OFF_CENTRE], np.pi / 3, 60, 0)
    np.savez(made / "labelled.npz", images=images, labels=labels)
    arguments = ["learn", str(made / "labelled.npz"), "--generators", "1", "--out", str(made / "found"), "--quiet"]
    assert main(arguments) == 0
    return made


@pytest.mark.slow
def test_a_rotation_about_a_point_is_learnt_from_labels_and_is_a_result(folder, capsys):
    result = load_result(folder / "found")
    assert (result.verdict, result.kind, result.engine, result.pairs) == ("symmetry", "images", "labels", 0)
    assert len(result.generators) == 1
    assert field_cosine(result.generators[0].coefficients, OFF_CENTRE, basis="affine", shape=(28, 28)) > 0.98
    # Labels stay the same at least as far as the digits were turned.
    assert result.reach is not None
    assert result.reach[0] * result.generators[0].unit_per_t >= 60
    assert result.evidence["nats"] > 25
    scheme = Scheme.from_result(result)
    np.testing.assert_allclose(scheme.reach, result.reach)
    with np.load(folder / "labelled.npz") as data:
        images, labels = data["images"], data["labels"]
    choice = select_scheme(images, labels, [result, "scale"], reach="given")
    assert choice.best.as_dict() == scheme.as_dict()
    # What is drawn for augmentation goes as far, either way.
    turned = sklearn(result, random_state=0).fit_transform(images)
    assert turned.shape == images.shape
    assert not np.allclose(turned, images)
    moved = result.transform(images[:1], result.reach)
    assert moved.shape == images[:1].shape
    words = result.summary()
    assert "Labels stay the same when an image is rotated counter-clockwise about (1" in words
    assert "unknown" not in words


@pytest.mark.slow
def test_its_page_tells_labels_and_no_pairs(folder, tmp_path, capsys):
    page = (folder / "found" / "report.html").read_text(encoding="utf-8")
    assert "<dt>Labels</dt><dd>60</dd>" in page
    assert "nats over no sharing" in page
    assert "pair by pair" not in page
    assert re.search(r'alt="image \d+ moved by', page)
    assert "Type2Classifier" in page
    rebuilt = tmp_path / "again.html"
    assert main(["report", str(folder / "found"), "--out", str(rebuilt), "--quiet"]) == 0
    assert "<dt>Labels</dt><dd>60</dd>" in rebuilt.read_text(encoding="utf-8")


@pytest.mark.slow
def test_what_was_learnt_is_a_candidate_and_is_handed_over_at_the_command_line(folder, tmp_path, capsys):
    arguments = ["--schemes", f"none,scale,{folder / 'found'}", "--out", str(tmp_path / "choice"), "--quiet"]
    assert main(["choose", str(folder / "labelled.npz"), *arguments]) == 0
    content = json.loads((tmp_path / "choice" / "choice.json").read_text(encoding="utf-8"))
    assert content["best"]["name"] == "rotation"
    module = tmp_path / "turning.py"
    assert main(["export", str(folder / "found"), "--to", "sklearn", "--out", str(module)]) == 0
    text = module.read_text(encoding="utf-8")
    assert "Found in 60 labelled images" in text
    names: dict[str, object] = {}
    exec(compile(text, str(module), "exec"), names)
    with np.load(folder / "labelled.npz") as data:
        images = data["images"]
    transform = names["transformer"]
    assert callable(transform)
    assert transform(random_state=0).fit_transform(images).shape == images.shape


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entry", "value", "told"),
    [
        ("reach", [-1.0], "reach"),
        ("reach", [1.0, 2.0], "expected a reach of every generator"),
        ("labels", "many", "labels"),
        ("nats", None, "nats"),
    ],
)
def test_a_folder_that_is_broken_is_told_when_it_is_opened(folder, tmp_path, entry, value, told):
    broken = shutil.copytree(folder / "found", tmp_path / "broken")
    content = json.loads((broken / "result.json").read_text(encoding="utf-8"))
    content["evidence"][entry] = value
    (broken / "result.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=told):
        load_result(broken)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_two_generators_of_shifts(seed):
    shifts = [(1.0, 0, 0, 0, 0, 0), (0, 0, 0, 1.0, 0, 0)]
    images, labels = moved_digits(shifts, 0.4, 60, seed)
    told: list[float] = []
    result = learn_scheme(images, labels, n_generators=2, progress=lambda _, done: told.append(done))
    assert result.verdict == "symmetry"
    found = np.stack([one.coefficients for one in result.generators])
    angles = principal_angles(found, np.array(shifts), basis="affine", shape=(28, 28))
    assert np.degrees(np.max(angles)) < 25
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.slow
def test_labels_that_say_nothing_teach_nothing():
    images, labels = moved_digits([OFF_CENTRE], np.pi, 50, 2)
    shuffled = np.random.default_rng(0).permutation(labels % 2)
    result = learn_scheme(images, shuffled, n_generators=1)
    assert result.verdict in ("undecided", "no symmetry")
    assert result.generators == () or result.verdict == "undecided"
    with pytest.raises(InputError, match="expected a result with a symmetry"):
        Scheme.from_result(result)
    assert result.summary()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_slope_of_the_evidence_is_that_of_differences(seed):
    images, labels = moved_digits([OFF_CENTRE], 1.0, 40, seed)
    data = labelled(images, labels)
    process = PooledProcess(data.images, indicators(data), seed)
    features = process.features(Scheme.none()).double()
    best = evidence_of(features.numpy(), process.targets)
    targets = torch.from_numpy(process.targets)
    features.requires_grad_(True)
    nats = differentiable_nats(features, targets, best.width, best.noise)
    # Medians of an even number of values have two definitions.
    assert float(nats.detach()) == pytest.approx(best.nats, abs=0.5)
    (slope,) = torch.autograd.grad(nats, features)
    rng = torch.Generator().manual_seed(seed)
    for _ in range(3):
        way = torch.randn(features.shape, generator=rng, dtype=torch.float64)
        with torch.no_grad():
            ahead, behind = (
                float(differentiable_nats(features + step * way, targets, best.width, best.noise))
                for step in (1e-5, -1e-5)
            )
        assert (ahead - behind) / 2e-5 == pytest.approx(float((slope * way).sum()), rel=1e-3, abs=1e-3)


IMAGES, LABELS = np.random.default_rng(0).normal(size=(40, 9, 9)), np.arange(40) % 4


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"n_generators": 3}, "expected n_generators 'auto', 1 or 2, got 3"),
        ({"basis": "rotations"}, "basis"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(arguments, told):
    with pytest.raises(InputError, match=told):
        learn_scheme(IMAGES, LABELS, **arguments)


@pytest.mark.parametrize(
    ("file", "further", "told"),
    [
        ("missing.npz", [], "expected labelled images, got no such file"),
        ("alone.npz", [], "expected images with labels in"),
        ("few.npz", [], "expected at least 30 labelled images, got 20"),
        ("few.npz", ["--generators", "3"], "expected --generators auto, 1 or 2, got '3'"),
        ("few.npz", ["--basis", "afine"], "afine"),
        ("few.npz", ["--seed", "-1"], "expected a seed"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, capsys, file, further, told):
    np.savez(tmp_path / "alone.npz", images=IMAGES)
    np.savez(tmp_path / "few.npz", images=IMAGES[:20], labels=LABELS[:20])
    out = tmp_path / "found"
    assert main(["learn", str(tmp_path / file), "--out", str(out), "--quiet", *further]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("liescope: error: ")
    assert told in line
    assert not out.exists()
