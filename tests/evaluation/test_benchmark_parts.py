"""The parts of the public benchmark: rivals, scores, records, each against something that is not itself."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from scipy.integrate import solve_ivp

from liescope.data import load_corpus, make_pairs
from liescope.errors import ComputationError, InputError
from liescope.evaluation import field_cosine
from liescope.evaluation.benchmarks import sweep
from liescope.evaluation.benchmarks.methods import engines, pairwise
from liescope.evaluation.benchmarks.methods.least_squares import alternate, least_squares
from liescope.evaluation.benchmarks.options import Options, corpus_name
from liescope.evaluation.benchmarks.pictures.running import Task, answered
from liescope.evaluation.benchmarks.problems import LAW_MODES, RANGES, SMALL, chosen_transforms, standard_problem
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.scores import Answer, Run, score, scored, summary
from liescope.evaluation.benchmarks.suite import lconv
from liescope.evaluation.benchmarks.suite.methods import METHODS
from liescope.evaluation.benchmarks.table import Column, Table, value
from liescope.evaluation.benchmarks.unfinished import Kept, code_digest, forget, kept_folder
from liescope.inference import find_modes

HAS_KORNIA = importlib.util.find_spec("kornia") is not None
ROTATION = np.array([0, 0, -1, 0, 1, 0]) / np.sqrt(2)


@pytest.mark.parametrize("name", RANGES)
def test_a_problem_makes_the_pairs_that_it_describes(name) -> None:
    problem = standard_problem(name, "five-modal", pairs=20, seed=3)
    pairs = problem.make()
    natural = pairs.natural_magnitude
    assert natural is not None
    assert np.abs(natural).max() == pytest.approx(problem.range, rel=1e-6)
    assert len(pairs.meta["generators"][0]) == {"affine": 6, "quadratic": 12}[problem.basis]
    if name.startswith("translation"):
        assert (problem.range, problem.range_text) == (7.0, "±7 px")
    assert pairs.meta["interpolation"] == "cubic"


@pytest.mark.parametrize("law", LAW_MODES)
def test_the_laws_have_the_modes_that_are_expected(law) -> None:
    pairs = standard_problem("scale", law, pairs=1000).make()
    assert pairs.magnitude is not None
    assert len(find_modes(pairs.magnitude[:, 0])) == LAW_MODES[law]


def test_images_with_a_background_are_moved_whole_and_others_are_cropped(tmp_path) -> None:
    digits = np.asarray(load_corpus("mnist-5k").images[:40])
    for name, images in (("dark", digits), ("bright", 255 - digits)):
        np.savez(tmp_path / f"{name}.npz", images=images)
    files = [str(tmp_path / f"{name}.npz") for name in ("dark", "bright")]
    dark, bright = (standard_problem("translation-x", pairs=8, corpus=file) for file in files)
    assert dark.make().source.shape == (8, 28, 28)
    assert bright.make().source.shape == (8, 14, 14)
    assert (dark.range, bright.range) == (7.0, 3.5)
    assert (dark.named()["corpus"], corpus_name(None)) == ("dark", "mnist-5k")


def test_transforms_are_chosen_by_name() -> None:
    assert chosen_transforms(Options(), few=2) == tuple(RANGES)
    assert chosen_transforms(Options(tiny=True), few=2) == tuple(RANGES)[:2]
    assert chosen_transforms(Options(transforms=("scale",)), few=2) == ("scale",)
    with pytest.raises(InputError, match="Did you mean 'rotation'"):
        chosen_transforms(Options(transforms=("rotatoin",)), few=2)


@pytest.mark.parametrize("seed", range(3))
def test_alternating_least_squares_finds_what_made_the_differences(seed) -> None:
    random = np.random.default_rng(seed)
    steps = random.standard_normal((60, 6, 50))  # the images G_k x of 60 pairs
    a, t = random.standard_normal(6), random.uniform(-1, 1, 60)
    a /= np.linalg.norm(a)
    difference = t[:, None] * np.einsum("m,nmp->np", a, steps) + 0.01 * random.standard_normal((60, 50))
    hessians, slopes = steps @ steps.transpose(0, 2, 1), np.einsum("nmp,np->nm", steps, difference)
    found, found_t = alternate(hessians, slopes, np.square(difference).sum(axis=1), seed)
    sign = np.sign(found @ a)
    np.testing.assert_allclose(sign * found, a, atol=5e-3)
    np.testing.assert_allclose(sign * found_t, t, atol=1e-2)


def test_least_squares_is_right_about_small_steps_and_not_about_large_ones() -> None:
    small, large = (standard_problem("rotation", share=share, pairs=200, seed=1) for share in (SMALL, 1.0))
    scores = [score(p.make(), least_squares(p, p.make()), "affine") for p in (small, large)]
    assert scores[0].cosine > 0.999
    assert scores[0].pearson > 0.99
    assert scores[1].pearson < 0.7


@pytest.mark.parametrize("shape", [(28, 28), (20, 30)])
@pytest.mark.parametrize("seed", range(3))
def test_the_logarithm_of_a_homography_is_the_flow_that_it_ends(shape, seed) -> None:
    height, width = shape
    coefficients = 0.4 * np.random.default_rng(seed).standard_normal(6)
    s = max(shape) / 2

    def back(column: float, row: float) -> tuple[float, float]:
        """Where the content at a pixel came from, by integrating the field backwards."""
        start = [(column - (width - 1) / 2) / s, ((height - 1) / 2 - row) / s]
        drift, linear = coefficients[[0, 3]], coefficients[[1, 2, 4, 5]].reshape(2, 2)
        x, y = solve_ivp(lambda _, p: -(drift + linear @ p), (0, 1), start, rtol=1e-10, atol=1e-12).y[:, -1]
        return x * s + (width - 1) / 2, (height - 1) / 2 - y * s

    def normalised(column: float, row: float) -> list[float]:
        return [2 * column / (width - 1) - 1, 2 * row / (height - 1) - 1, 1.0]

    corners = [(0.0, 0.0), (width - 1.0, 0.0), (3.0, height - 1.0)]
    targets = np.array([normalised(*corner) for corner in corners]).T
    sources = np.array([normalised(*back(*corner)) for corner in corners]).T
    homography = sources @ np.linalg.inv(targets)
    found = pairwise.affine_logarithm(homography, shape)
    assert found is not None
    np.testing.assert_allclose(found, coefficients, atol=1e-7)
    # The scale of a homography means nothing.
    scaled = pairwise.affine_logarithm(2.5 * homography, shape)
    assert scaled is not None
    np.testing.assert_allclose(scaled, coefficients, atol=1e-7)


def test_a_matrix_without_a_real_logarithm_is_left_out() -> None:
    assert pairwise.affine_logarithm(np.diag([-1.0, 1.0, 1.0]), (28, 28)) is None
    assert pairwise.affine_logarithm(np.diag([-1.0, -2.0, 1.0]), (28, 28)) is None
    assert pairwise.affine_logarithm(np.full((3, 3), np.nan), (28, 28)) is None


def test_a_common_direction_in_spite_of_wild_registrations() -> None:
    random = np.random.default_rng(2)
    logs = random.uniform(-1, 1, (40, 1)) * ROTATION + 0.01 * random.standard_normal((40, 6))
    logs[:8] = 5 * random.standard_normal((8, 6))
    assert abs(pairwise.common_direction(logs) @ ROTATION) > 0.999
    assert abs(np.linalg.svd(logs)[2][0] @ ROTATION) < 0.9


@pytest.mark.skipif(not HAS_KORNIA, reason="kornia is not installed")
def test_kornia_registers_a_known_shift() -> None:
    problem = standard_problem("translation-x", pairs=2)
    pairs = make_pairs(transform="translation-x", law="fixed:3", pairs=2, order=3)
    answer = METHODS["kornia-pairs"].answer(problem, pairs, None)
    pixels = answer.t[:, 0] * answer.generators[0, 0] * 14
    np.testing.assert_allclose(pixels, 3, atol=0.2)


@pytest.mark.parametrize("side", [7, 20])
def test_noise_is_turned_counter_clockwise_by_the_angle(side) -> None:
    source, target, angle = lconv.rotated_noise(side, 6, seed=1)
    assert np.abs(source).max() <= 0.5
    assert 0 <= angle.min() <= angle.max() <= np.pi / (8 if side == 7 else 4)
    middle = slice(side // 3, -(side // 3))
    for x, y, a in zip(source, target, angle, strict=True):
        turned = ndimage.rotate(x, np.degrees(a), reshape=False, order=1)
        np.testing.assert_allclose(y[middle, middle], turned[middle, middle], atol=1e-4)
    # As seen: what was on the right is farther up after a positive turn.
    dot = np.zeros((21, 21))
    dot[10, 18] = 1
    assert ndimage.center_of_mass(ndimage.rotate(dot, 30, reshape=False, order=1))[0] < 8


@pytest.mark.parametrize("side", [7, 19])
def test_matrix_cosines_are_those_of_dense_matrices(side) -> None:
    wave = 2j * np.pi * np.fft.fftfreq(side)
    derivative = np.real(np.fft.ifft(wave[:, None] * np.fft.fft(np.eye(side), axis=0), axis=0))
    along_x, along_row = np.kron(np.eye(side), derivative), np.kron(derivative, np.eye(side))

    def rotation(centre: float) -> np.ndarray:
        row, column = (index.ravel() - centre for index in np.mgrid[:side, :side])
        matrix: np.ndarray = row[:, None] * along_x - column[:, None] * along_row
        return matrix

    true, published = rotation((side - 1) / 2), rotation(side / 2)
    expected = abs((true * published).sum()) / np.linalg.norm(true) / np.linalg.norm(published)
    assert lconv.matrix_cosine(ROTATION, lconv.half_pixel_rotation(side), side) == pytest.approx(expected)
    assert lconv.matrix_cosine(-3 * ROTATION, ROTATION, side) == pytest.approx(1)


def answer_of(pairs, generators, t) -> Answer:
    return Answer(np.atleast_2d(generators), t[:, None], np.arange(len(t)), 1, 1.0)


def test_the_truth_scores_fully_whatever_its_sign() -> None:
    problem = standard_problem("rotation", "five-modal", pairs=300, seed=2)
    pairs = problem.make()
    assert pairs.magnitude is not None
    t = pairs.magnitude[:, 0]
    for sign in (1, -1):
        run = scored("truth", problem, pairs, answer_of(pairs, sign * ROTATION, sign * t))
        assert run.score.cosine == pytest.approx(1)
        assert max(run.score.angle, run.score.w1, run.score.w1_standardised) < 1e-6
        assert run.score.pearson == pytest.approx(1)
        assert (run.score.linear_part, run.score.modes) == ("centre", 5)
        assert (run.null.w1 or 0) > 0.05
        row = summary([run], least=0.9995)
        assert row["passed"]
        assert (row["modes_right"], row["null_w1"]) == (1, run.null.w1)


def test_a_wrong_or_missing_answer_is_told_apart() -> None:
    problem = standard_problem("rotation", pairs=60)
    pairs = problem.make()
    wrong = [0, 1, 0, 0, 0, 1]
    found = score(pairs, answer_of(pairs, wrong, np.zeros(60)), "affine")
    assert found.cosine == pytest.approx(field_cosine(wrong, ROTATION), abs=1e-9)
    assert (found.linear_part, found.pearson) == ("node", 0)
    runaway = score(pairs, answer_of(pairs, ROTATION, np.full(60, np.inf)), "affine")
    assert runaway.w1 > 1
    nothing = scored("none", problem, pairs, Answer(np.zeros((0, 6)), np.zeros((60, 0)), np.arange(60), 0, 1.0))
    assert nothing.score.cosine == 0
    row = summary([nothing], least=0.5)
    assert row["missed"] == ["cosine", "count"]
    assert row["drift"] is None


def test_a_training_that_diverges_has_found_nothing(monkeypatch) -> None:
    def diverging(*_: object, **__: object) -> None:
        raise ComputationError("the loss is not finite")

    monkeypatch.setattr(engines, "detect", diverging)
    problem = standard_problem("rotation", pairs=60)
    pairs = problem.make()
    run = scored("latent-paper", problem, pairs, engines.latent("latent-paper", problem, pairs))
    assert run.score.cosine == 0
    assert run.score.generators == 0
    assert run.pairs_used == 12
    assert run.null.w1 is not None


@pytest.mark.parametrize(
    ("change", "missed"),
    [({}, []), ({"cosine": 0.99}, ["cosine"]), ({"cosine": np.nan}, ["cosine"]), ({"generators": 2}, ["count"])],
)
def test_the_worst_seed_decides(change, missed) -> None:
    problem = standard_problem("rotation", pairs=100)
    pairs = problem.make()
    assert pairs.magnitude is not None
    good = scored("truth", problem, pairs, answer_of(pairs, ROTATION, pairs.magnitude[:, 0]))
    other: Run = replace(good, score=replace(good.score, **change))
    assert summary([good, other], least=0.9995)["missed"] == missed
    assert summary([good, other], least=None)["passed"] is None


def record_of(rows) -> Record:
    table = Table("Rows", [Column("a", value("a"))], rows)
    return Record("some", "Some", [table], [{"a": 1, "b": {"c": [1, 2], "d": None}}, {"a": 2, "e": "x"}], {})


def test_runs_are_written_as_lines(tmp_path) -> None:
    record_of([{"a": 1}]).write(tmp_path / "new" / "folder", runs=True)
    with (tmp_path / "new" / "folder" / "some.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines == [{"a": "1", "b.c": "1 2", "b.d": "", "e": ""}, {"a": "2", "b.c": "", "b.d": "", "e": "x"}]
    assert json.loads((tmp_path / "new" / "folder" / "some.json").read_text())["runs"][0]["b"] == {
        "c": [1, 2],
        "d": None,
    }
    record_of([{"a": 1}]).write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "some.json", "some.md"}


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch) -> None:
    record_of([{"a": 1}]).write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="no space"):
        record_of([{"a": 2}]).write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_progress_goes_from_nothing_to_everything() -> None:
    told: list[tuple[str, float]] = []
    options = Options(processes=1, progress=lambda stage, fraction: told.append((stage, fraction)))
    assert options.run("squares", lambda x: x * x, [1, 2, 3, 4]) == [1, 4, 9, 16]
    assert told == [("squares", part / 4) for part in range(5)]
    assert Options(tiny=True).process_count == 1
    assert Path(corpus_name("some/folder/galaxies.npz")).parts == ("galaxies",)


def double(x: int) -> int:
    CALLS.append(x)
    if x == 3 and len(CALLS) < 4:
        raise KeyboardInterrupt
    return 2 * x


CALLS: list[int] = []


def test_a_benchmark_that_was_stopped_goes_on_where_it_ended(tmp_path: Path) -> None:
    CALLS.clear()
    options = Options(processes=1, folder=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        options.run("doubles", double, [1, 2, 3])
    assert options.run("doubles", double, [1, 2, 3, 4]) == [2, 4, 6, 8]
    assert CALLS == [1, 2, 3, 3, 4]
    # A file that a crash cut short is as good as none.
    for file in kept_folder(tmp_path / "out", "doubles").iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    assert options.run("doubles", double, [1, 2]) == [2, 4]
    assert CALLS[5:] == [1, 2]
    forget(tmp_path / "out", "doubles")
    assert list((tmp_path / "out").iterdir()) == []
    assert options.run("doubles", double, [1, 2], keep=False) == [2, 4]
    assert Options(tiny=True, folder=tmp_path / "out").run("doubles", double, [1]) == [2]
    assert list((tmp_path / "out").iterdir()) == []


def test_outcomes_of_other_code_are_run_again(tmp_path: Path) -> None:
    CALLS.clear()
    first, same, other = (Kept(double, tmp_path, code) for code in ("a", "a", "b"))
    assert [one(5) for one in (first, same, other)] == [10, 10, 10]
    assert CALLS == [5, 5]
    assert code_digest(double) == code_digest(double) != code_digest(Kept)


@pytest.mark.parametrize("made", ["pickle", "text", "other"])
def test_nothing_in_a_kept_file_is_executed(tmp_path: Path, made: str) -> None:
    CALLS.clear()
    kept = Kept(double, tmp_path, "a")
    assert kept(5) == 10
    (file,) = tmp_path.iterdir()
    planted = {
        "pickle": pickle.dumps(_Planted(tmp_path / "executed")),
        "text": b"[" * 100_000,
        "other": b'{"outcome": [1]}',
    }
    file.write_bytes(planted[made])
    assert kept(5) == 10
    assert CALLS == [5, 5]
    assert not (tmp_path / "executed").exists()


class _Planted:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_is_kept_of_a_run_is_what_was_found(tmp_path: Path, seed: int) -> None:
    tasks: list[tuple[Any, Any]] = [
        (answered, Task("photo-shift", "", "camera", seed, "phase", tiny=True)),
        (sweep._detected, replace(standard_problem("rotation", "uniform", pairs=40), seed=seed)),
    ]
    for function, task in tasks:
        kept = Kept(function, tmp_path, "a")
        first = kept(task)
        assert repr(kept(task)) == repr(first)
    assert len(list(tmp_path.glob("*.json"))) == len(tasks)
