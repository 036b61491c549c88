"""The benchmark of networks that share weights: its images move as they should, it runs, its targets can fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from liescope.cli import main
from liescope.data import load_corpus
from liescope.errors import InputError
from liescope.evaluation.benchmarks import BENCHMARKS, Options
from liescope.evaluation.benchmarks.options import UnavailableError
from liescope.evaluation.benchmarks.sharing.networks import METHODS
from liescope.evaluation.benchmarks.sharing.problems import MOTIONS, make_problem, moved_by
from liescope.evaluation.benchmarks.sharing.running import Run, Task
from liescope.evaluation.benchmarks.suite import type2, type2_rows
from liescope.type2 import Scheme


class Always(np.random.Generator):
    """A generator of random numbers that always draws the largest."""

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return np.full(size, float(high))


@pytest.fixture(scope="module")
def digit() -> np.ndarray:
    image = np.asarray(load_corpus("mnist-5k").images)[7].astype(np.float32) / 255
    return np.asarray(ndimage.gaussian_filter(image, 1))


@pytest.mark.parametrize(
    ("motion", "expected"),
    [
        ("rotated-60", lambda x: ndimage.rotate(x, 60, reshape=False, order=1)),
        ("shifted", lambda x: ndimage.shift(x, (-0.45 * 14, 0.45 * 14), order=1)),
        ("scaled", lambda x: ndimage.affine_transform(x, np.eye(2) * np.exp(-0.5), 13.5 * (1 - np.exp(-0.5)), order=1)),
        ("upright", lambda x: x),
    ],
)
def test_images_are_moved_as_they_are_said_to_be(digit, motion, expected):
    moved = moved_by(MOTIONS[motion], digit[None, None], Always(np.random.PCG64(0)))
    np.testing.assert_allclose(moved[0, 0], expected(digit), atol=1e-4)


def test_every_motion_has_a_scheme_of_its_fields():
    for name, motion in MOTIONS.items():
        if motion.scheme and motion.fields:
            directions = Scheme.named(motion.scheme, (28, 28)).directions
            fields = np.array(motion.fields)
            fields = fields / np.linalg.norm(fields, axis=1, keepdims=True)
            np.testing.assert_allclose(np.abs(directions), np.abs(fields), atol=1e-9, err_msg=name)


def test_classes_are_balanced_and_nothing_is_learnt_that_is_tested():
    first, again = make_problem("upright", 100, 3, most=500), make_problem("upright", 100, 3, most=500)
    assert torch.equal(first.images, again.images)
    assert torch.bincount(first.labels).tolist() == [10] * 10
    assert torch.bincount(first.test_labels).tolist() == [50] * 10
    seen = {image.numpy().tobytes() for image in first.images}
    assert not seen & {image.numpy().tobytes() for image in first.test_images}
    assert float(first.images.std()) == pytest.approx(1.0, abs=1e-4)
    assert not torch.equal(make_problem("upright", 100, 4, most=500).images, first.images)


def test_what_there_are_no_images_for_is_said(tmp_path):
    with pytest.raises(InputError, match=r"unknown motion .rotatd.\. Did you mean .rotated."):
        make_problem("rotatd", 100, 0)
    with pytest.raises(UnavailableError, match="more than 1200 images of every class"):
        make_problem("rotated", 12_000, 0)
    images = np.random.default_rng(0).integers(0, 255, size=(90, 40, 50)).astype(np.uint8)
    np.savez(tmp_path / "three.npz", images=images, labels=np.arange(90) % 3)
    problem = make_problem("rotated", 31, 0, str(tmp_path / "three.npz"))
    assert (problem.images.shape, problem.classes) == ((31, 1, 26, 32), 3)
    np.savez(tmp_path / "alone.npz", images=images)
    with pytest.raises(InputError, match="expected a corpus with labels"):
        make_problem("rotated", 30, 0, str(tmp_path / "alone.npz"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("few-100", type2_rows.FEW),
        ("choice", type2_rows.CHOICE),
        ("shuffled", type2_rows.SHUFFLED),
        ("pairs", type2_rows.PAIRS),
        ("invariance", type2_rows.INVARIANCE),
        ("full", type2_rows.FULL),
    ],
)
def test_every_part_runs(kind, title, tmp_path):
    told: list[float] = []
    record = type2.run(Options(tiny=True, kinds=(kind,), progress=lambda _, share: told.append(share)))
    (table,) = record.tables
    assert table.title == title
    assert all(len(row) == len(table.columns) for row in table.cells())
    assert all(0 <= one.numbers.get("accuracy", 0) <= 1 for one in record.runs)
    assert told[-1] == 1.0
    # As it was written it can be shown again.
    record.write(tmp_path)
    assert BENCHMARKS["type2"].read(tmp_path).markdown() == record.markdown()
    if kind == "few-100":
        assert {one.task.method for one in record.runs} == set(METHODS)
    if kind == "invariance":
        assert record.runs[0].numbers["equivariance"] <= 1e-5


@pytest.mark.slow
def test_learning_runs_at_the_command_line(tmp_path):
    words = ["bench", "type2", "--quick", "--kinds", "learn", "--transforms", "scaled", "--out", str(tmp_path)]
    assert main([*words, "--quiet"]) == 0
    text = (tmp_path / "type2.md").read_text(encoding="utf-8")
    assert "| scaled | 40 |" in text
    assert "| one generator | 40 |" in text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kinds": ("few",)}, "unknown kind 'few'"),
        ({"transforms": ("rotated", "turned")}, "unknown motion 'turned'"),
        ({"methods": ("lft",)}, "unknown method 'lft'. Did you mean 'lift'"),
    ],
)
def test_what_there_is_not_is_refused(options, told):
    with pytest.raises(InputError, match=told):
        type2.run(Options(**options))


FEW = Task("few", "rotated", 300, 0)
CHOICE = Task("choice", "rotated", 300, 0)


def few(**accuracies: float) -> list[Run]:
    return [
        Run(replace(FEW, method=name.replace("_", "-")), {"accuracy": right, "test": 10}, "", 1.0)
        for name, right in accuracies.items()
    ]


def test_targets_of_few_labels_can_fail():
    (row,) = type2_rows.few_rows(few(dense=0.46, lift=0.80, lift_conv=0.85, cnn_lift=0.89))
    assert row["passed"]
    (row,) = type2_rows.few_rows(few(dense=0.56, lift=0.80, lift_conv=0.83, cnn_lift=0.87))
    assert row["missed"] == ["lift", "cnn-lift", "over dense"]
    # What was not measured is not missed.
    (row,) = type2_rows.few_rows(few(dense=0.5))
    assert row["passed"] is None


def test_targets_of_the_choice_can_fail():
    numbers = {"accuracy": 0.8, "dense": 0.4, "weight": 1.0}
    runs = [Run(replace(CHOICE, seed=k), numbers | {"regret": 0.0}, "rotation", 5.0) for k in range(20)]
    assert type2_rows.choice_rows(runs)[-1]["passed"]
    bad = [replace(one, numbers=numbers | {"regret": 0.06}) for one in runs[:3]]
    assert type2_rows.choice_rows([*runs[3:], *bad])[-1]["missed"] == ["within", "mean"]
    assert type2_rows.choice_rows([replace(one, seconds=11.0) for one in runs])[-1]["missed"] == ["seconds"]
    shuffled = [Run(replace(one.task, part="shuffled"), {"gain": 1.0}, "none", 1.0) for one in runs]
    assert type2_rows.shuffled_rows(shuffled)[0]["passed"]
    claimed = [replace(one, told="scale", numbers={"gain": 4.0}) for one in shuffled[:2]]
    assert type2_rows.shuffled_rows([*shuffled[2:], *claimed])[0]["missed"] == ["none"]
    # One of so many may be.
    assert type2_rows.shuffled_rows([*shuffled[1:], claimed[0]])[0]["passed"]


def test_targets_of_learning_can_fail():
    numbers = {"none": 0.5, "found": 0.7, "nats": 50.0, "generators": 1.0, "cosine": 0.99}
    runs = [Run(Task("learn", motion, 200, 0), numbers, "", 30.0) for motion in type2.KINDS["learn"].motions]
    assert type2_rows.learnt_rows(runs)[-1]["passed"]
    bad = [replace(one, numbers=numbers | {"found": 0.55, "cosine": 0.9}, seconds=70.0) for one in runs[:3]]
    assert type2_rows.learnt_rows([*runs[3:], *bad])[-1]["missed"] == ["gained", "cosine", "seconds"]
    shifts = [Run(Task("learn", "shifted", 200, k), numbers, "", 30.0) for k in range(5)]
    (row,) = type2_rows.learnt_rows(shifts)
    assert row["passed"]
    few_points = [replace(one, numbers=numbers | {"found": 0.58}) for one in shifts[:2]]
    assert type2_rows.learnt_rows([*shifts[2:], *few_points])[0]["missed"] == ["gained"]
