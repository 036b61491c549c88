"""Three verdicts: what a result says and holds where the pairs leave it open, or where generators were asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from moved import windows

from liescope import SymmetryResult, detect, load_result
from liescope.cli import main
from liescope.data import make_pairs
from liescope.report import words
from liescope.report.evidence import summary

skimage = pytest.importorskip("skimage", reason="scikit-image has the pictures")


def few_noisy() -> tuple[np.ndarray, np.ndarray]:
    """Three small pictures, shifted, with noise."""
    t = np.random.default_rng(2).uniform(-0.35, 0.35, 3)
    noise = np.random.default_rng(2)
    images = windows("astronaut", np.outer(t, [1, 0, 0, 0, 0, 0]), (28, 28), 2)
    source, target = (x + noise.normal(0, 40, x.shape) for x in images)
    return source, target


def rings() -> tuple[np.ndarray, np.ndarray]:
    """Rings, shifted along x: every one of them is its own mirror image."""
    rows, columns = np.mgrid[:48, :48]
    t = np.random.default_rng(101).uniform(-5, 5, 10)
    heights = np.linspace(1, 2, 10)
    moved = [
        np.stack(
            [h * np.cos(np.hypot(columns - 23.5 - dx, rows - 23.5) / 2.5) for h, dx in zip(heights, by, strict=True)]
        )
        for by in (np.zeros(10), t)
    ]
    return moved[0], moved[1]


def few_digits() -> tuple[np.ndarray, np.ndarray]:
    pairs = make_pairs(transform="rotation", range=30, pairs=8, noise=0.3, seed=8)
    return np.asarray(pairs.source), np.asarray(pairs.target)


def few_of_a_class(count: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Other images of the source's class, turned."""
    pairs = make_pairs("supersymnist", transform="rotation", range=40, pairs=count, seed=seed)
    return np.asarray(pairs.source), np.asarray(pairs.target)


OPEN = {
    "few noisy pictures": (few_noisy, "may be chance (p = ", True),
    "rings": (rings, "so do their own mirror images", True),
    "few noisy digits": (few_digits, "with 3 pairs held out that may be chance; more pairs would tell", False),
    "few pairs of a class": (few_of_a_class, "with 8 pairs held out that may be chance; more pairs would tell", False),
    "classes": (lambda: few_of_a_class(40, 1), "40 pairs are too few", False),
}
"""How pairs are made, what the reason says, and whether something fits best."""


@cache
def answer(case: str) -> SymmetryResult:
    source, target = OPEN[case][0]()
    return detect(source, target, border="unknown" if case == "few noisy pictures" else "auto")


def check(result: Any, generators: int) -> None:
    """What is there has the right shape and is finite."""
    assert len(result.generators) == generators == result.t.shape[1]
    assert len(result.t) == len(result.accepted) == len(result.residual) == result.pairs
    assert np.isfinite(result.t).all()
    assert np.isfinite(result.residual).all()
    for found in result.generators:
        np.testing.assert_allclose(np.linalg.norm(found.generator.coefficients), 1)


@pytest.mark.parametrize("case", OPEN)
def test_what_the_pairs_leave_open_is_undecided(case):
    result, (_, told, best) = answer(case), OPEN[case]
    assert result.verdict == "undecided"
    assert told in result.reason
    check(result, int(best))
    if case.startswith("few noisy p"):
        assert 0.05 < result.evidence["p_value"] <= 0.5
    if not best:
        assert not result.accepted.any()


@pytest.mark.parametrize("case", OPEN)
def test_the_words_say_so(case):
    result = answer(case)
    names = [words.spoken_name(g.generator.name) for g in result.generators]
    assert words.title(result) == "Undecided" + (f": {names[0]} fits best" if names else "")
    sentence = words.sentence(result)
    assert sentence.startswith(words.reason(result))
    assert ("What fits best: each target is its source" in sentence) == bool(names)
    told = summary(result)
    assert told.startswith("Undecided")
    for claim in ("No symmetry", "is no chance"):
        assert claim not in told


@pytest.mark.parametrize("case", OPEN)
def test_folder_and_page_say_so(case, tmp_path):
    result = answer(case)
    result.save(tmp_path / "found")
    again = load_result(tmp_path / "found")
    assert (again.verdict, again.reason) == (result.verdict, result.reason)
    np.testing.assert_array_equal(again.t, result.t)
    np.testing.assert_array_equal(again.accepted, result.accepted)
    page = (tmp_path / "found/report.html").read_text(encoding="utf-8")
    assert "Undecided" in page
    assert "No symmetry found" not in page


@pytest.mark.parametrize("case", ["rings", "few noisy digits"])
def test_the_command_line_says_so(case, tmp_path, capsys):
    source, target = OPEN[case][0]()
    np.savez(tmp_path / "pairs.npz", source=source, target=target)
    assert main(["detect", str(tmp_path / "pairs.npz"), "--out", str(tmp_path / "found")]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Undecided")
    assert "No symmetry" not in printed
    assert Path(tmp_path / "found/report.html").is_file()


def noise(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    first, second = (images + rng.normal(0, 12, images.shape) for _ in range(2))
    return first, second


def photos() -> np.ndarray:
    return windows("astronaut", np.zeros((10, 6)), (40, 44), 3)[0]


def digits() -> np.ndarray:
    return np.asarray(make_pairs(transform="rotation", range=30, pairs=60).source)


NOTHING = {
    "noise": lambda: noise(photos()),
    "identical": lambda: (photos(), photos()),
    "mirrored": lambda: (photos(), photos()[:, :, ::-1]),
    "unrelated": lambda: (photos(), np.roll(photos(), 3, axis=0)),
    "unrelated digits": lambda: (digits(), np.roll(digits(), 7, axis=0)),
    "identical digits": lambda: (digits(), digits()),
}


@pytest.mark.parametrize("case", NOTHING)
def test_generators_that_were_asked_for_are_answered_where_there_is_no_symmetry(case, tmp_path):
    source, target = NOTHING[case]()
    number = 2 if case in ("noise", "unrelated digits") else 1
    result = detect(source, target, n_generators=number)
    assert result.verdict == "no symmetry", result.reason
    check(result, number)
    assert not result.accepted.any()
    assert words.title(result) == "No symmetry found"
    assert "What was asked for, at its best" in words.sentence(result)
    result.save(tmp_path / "found")
    again = load_result(tmp_path / "found")
    check(again, number)
    assert again.verdict == "no symmetry"
    assert not again.accepted.any()
    np.testing.assert_array_equal(again.t, result.t)
    fitted = again.fitted
    assert fitted is not None
    measured = fitted.measure(source[:5, None], target[:5, None]).t
    assert measured.shape == (5, number)
    assert "No symmetry found" in (tmp_path / "found/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", ["few noisy digits", "few pairs of a class"])
def test_generators_that_were_asked_for_are_answered_where_nothing_is_decided(case):
    source, target = OPEN[case][0]()
    result = detect(source, target, n_generators=2)
    assert result.verdict == "undecided", result.reason
    check(result, 2)
    assert words.title(result).startswith("Undecided: ")


@pytest.mark.parametrize(("name", "seed"), [("astronaut", 0), ("coffee", 1)])
def test_unrelated_pictures_are_not_taken_for_symmetric_ones(name, seed):
    """Where grey values of a pair run against each other, no motion at all fits infinitely badly."""
    source = windows(name, np.zeros((12, 6)), (40, 44), seed)[0]
    result = detect(source, np.roll(source, 5, axis=0))
    assert (result.verdict, result.generators) == ("no symmetry", ()), result.reason
