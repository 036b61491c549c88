"""What is right, honest, wrong and untrue of answers made by hand, and the rows that are counted from them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from liescope.errors import InputError
from liescope.evaluation.benchmarks import Options
from liescope.evaluation.benchmarks.pictures import running
from liescope.evaluation.benchmarks.pictures.judging import (
    HONEST,
    RIGHT,
    WRONG,
    Judgement,
    Said,
    endpoint_errors,
    explained,
    judge_answer,
    judge_motions,
)
from liescope.evaluation.benchmarks.pictures.pairs import ROTATION, TX, TY, Pictures
from liescope.evaluation.benchmarks.pictures.running import Run, Task
from liescope.evaluation.benchmarks.pictures.windows import flow_matrices
from liescope.evaluation.benchmarks.suite import picture_rows, pictures
from liescope.evaluation.benchmarks.suite.picture_tables import ALARMS, ERRORS, VERDICTS, WAYS, layout
from liescope.evaluation.benchmarks.table import Table

COUNT, SIDE = 20, 32


def made(generators: Any, t: np.ndarray, **changes: Any) -> Pictures:
    blank = np.zeros((len(t), SIDE, SIDE))
    rows = np.array(generators, dtype=float)
    return replace(Pictures(blank, blank, flow_matrices(rows, t), rows, t, "translation"), **changes)


@pytest.fixture
def shifts() -> Pictures:
    return made([TX], np.linspace(-0.3, 0.3, COUNT)[:, None])


def said(generators: Any, t: np.ndarray, verdict: str = "symmetry", accepted: float = 1.0, **rest: Any) -> Said:
    rows = np.reshape(np.array(generators, dtype=float), (-1, 6))
    return Said(verdict, rows, t, np.arange(len(t)) < round(accepted * len(t)), **rest)


def turned(degrees: float) -> list[tuple[float, ...]]:
    a = np.radians(degrees)
    return [(np.cos(a), 0.0, 0.0, np.sin(a), 0.0, 0.0)]


NONE = np.zeros((COUNT, 0))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("scale", [0.1, 1.0, 7.0])
def test_sign_and_scale_of_a_generator_do_not_matter(shifts, sign, scale):
    found = judge_answer(shifts, said(sign * scale * np.array([TX]), shifts.t / (sign * scale)))
    assert (found.outcome, found.confident, found.verdict) == (RIGHT, False, "symmetry")
    assert (found.generators, found.expected) == (1, 1)
    assert found.angle == pytest.approx(0, abs=1e-5)
    assert found.r2 == pytest.approx(1)
    assert found.error == pytest.approx(0, abs=1e-9)
    assert (found.within, found.accepted, found.pairs) == (1, 1, COUNT)


@pytest.mark.parametrize(
    ("change", "outcome", "confident"),
    [
        ({"verdict": "no symmetry", "generators": [], "t": NONE}, WRONG, False),
        ({"verdict": "undecided"}, WRONG, False),
        ({"generators": turned(2.9)}, RIGHT, False),
        ({"generators": turned(3.1)}, WRONG, True),
        ({"generators": [ROTATION]}, WRONG, True),
        ({"generators": [TX, TY], "t": np.zeros((COUNT, 2))}, WRONG, True),
        ({"accepted": 0.8}, RIGHT, False),
        ({"accepted": 0.75}, WRONG, False),
        ({"t": np.ones((COUNT, 1))}, WRONG, False),
        ({"t": np.full((COUNT, 1), np.nan)}, WRONG, False),
    ],
)
def test_an_engine_must_be_right_in_everything(shifts, change, outcome, confident):
    found = judge_answer(shifts, said(**{"generators": [TX], "t": shifts.t, **change}))
    assert (found.outcome, found.confident) == (outcome, confident)


@pytest.mark.parametrize(("noise", "outcome"), [(0.1, RIGHT), (0.2, WRONG)])
@pytest.mark.parametrize("seed", range(3))
def test_magnitudes_must_follow_the_true_ones(shifts, noise, outcome, seed):
    """Of a uniform law, noise of a tenth of its deviation takes 1 % of R2, a fifth takes 4 %."""
    random = np.random.default_rng(seed)
    t = np.tile(shifts.t, (20, 1))
    many = made([TX], t)
    found = judge_answer(many, said([TX], t + noise * t.std() * random.standard_normal(t.shape)))
    assert found.outcome == outcome
    assert found.r2 == pytest.approx(1 - noise**2, abs=0.01)


def test_undecided_is_honest_where_the_kind_allows_it(shifts):
    answer = said([TX], shifts.t, "undecided")
    assert judge_answer(replace(shifts, undecided=True), answer).outcome == HONEST
    # What was measured is measured, whatever the verdict.
    assert judge_answer(shifts, answer).error == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("verdict", "generators", "outcome", "confident"),
    [
        ("symmetry", [TX], WRONG, True),
        ("no symmetry", [], RIGHT, False),
        ("undecided", [], HONEST, False),
        ("undecided", [TX], HONEST, False),
        ("no symmetry", [TX], RIGHT, False),
    ],
)
def test_where_there_is_no_symmetry_only_a_claim_is_wrong(verdict, generators, outcome, confident):
    nothing = Pictures(
        np.zeros((COUNT, SIDE, SIDE)), np.zeros((COUNT, SIDE, SIDE)), None, np.zeros((0, 6)), None, "none",
        undecided=True,
    )  # fmt: skip
    found = judge_answer(nothing, said(generators, np.zeros((COUNT, len(generators))), verdict))
    assert (found.outcome, found.confident) == (outcome, confident)
    assert math.isnan(found.error)


def test_one_of_two_generators_is_too_few_but_nothing_untrue():
    t = np.random.default_rng(0).uniform(-0.2, 0.2, (COUNT, 2))
    both = made([TX, TY], t)
    found = judge_answer(both, said([TX], t[:, :1]))
    assert (found.outcome, found.confident) == (WRONG, False)
    assert math.isnan(found.angle)
    # Any two that span the same plane are right.
    mix = np.array([[0.8, 0.6], [-0.6, 0.8]])
    assert judge_answer(both, said(mix @ np.array([TX, TY]), t @ mix.T)).outcome == RIGHT


def test_where_magnitudes_do_not_vary_the_motion_counts():
    constant = made([TX], np.full((COUNT, 1), 0.2))
    constant = replace(constant, t=None)
    assert judge_answer(constant, said([TX], np.full((COUNT, 1), 0.21))).outcome == RIGHT
    # 0.1 of 16 pixels.
    off = judge_answer(constant, said([TX], np.full((COUNT, 1), 0.3)))
    assert off.outcome == WRONG
    assert off.error == pytest.approx(1.6)


def test_a_name_and_a_natural_size_may_be_asked_for():
    turns = made([ROTATION], np.full((COUNT, 1), np.pi))
    turns = replace(turns, t=None, names=("rotation",), natural=180.0)

    def judged(sign: np.ndarray, name: str = "rotation", size: float = 180.0) -> str:
        t = sign[:, None] * np.pi
        return judge_answer(turns, said([ROTATION], t, names=(name,), natural=size * sign[:, None])).outcome

    same = np.ones(COUNT)
    assert judged(same) == judged(-same) == RIGHT
    assert judged(same, "spiral") == WRONG
    assert judged(same, size=170.0) == WRONG
    # From -180 to 180, median 0.
    assert judged(np.where(np.arange(COUNT) % 2, 1.0, -1.0)) == WRONG


def test_errors_are_pixels_of_the_motion():
    still = made([TX], np.zeros((3, 1)))
    shift = flow_matrices(np.array([TX, TY]), np.array([[3 / 16, 4 / 16]] * 3))
    np.testing.assert_allclose(endpoint_errors(still, shift), 5.0)
    # A turn about the centre moves a pixel by 2 sin(a / 2) of its distance.
    angle = 0.1
    turn = flow_matrices(np.array([ROTATION]), np.full((3, 1), angle))
    row, column = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    distance = np.sqrt((row**2 + column**2).mean())
    np.testing.assert_allclose(endpoint_errors(still, turn), 2 * np.sin(angle / 2) * distance)
    lost = np.full((3, 3, 3), np.nan)
    assert np.isinf(endpoint_errors(still, lost)).all()


def test_errors_count_where_both_are_valid_and_in_the_frame():
    half = np.zeros((SIDE, SIDE), dtype=bool)
    half[:, SIDE // 2 :] = True
    t = np.zeros((1, 1))
    stretched = flow_matrices(np.array([(0.0, 1.0, 0.0, 0.0, 0.0, 0.0)]), np.array([[0.1]]))
    column = np.arange(SIDE) - (SIDE - 1) / 2
    for options in ({"source_mask": half}, {"target_mask": half}):
        found = endpoint_errors(made([TX], t, options=options), stretched)
        expected = np.expm1(0.1) * np.sqrt((column[SIDE // 2 :] ** 2).mean())
        np.testing.assert_allclose(found, expected)
    # Shifted by half the frame to the right, its left half stays.
    gone = made([TX], np.ones((1, 1)))
    assert gone.motion is not None
    np.testing.assert_allclose(
        endpoint_errors(gone, gone.motion @ stretched), np.expm1(0.1) * np.sqrt((column[: SIDE // 2] ** 2).mean())
    )


def test_r2_is_of_linear_functions():
    truth = np.random.default_rng(0).standard_normal((50, 2))
    assert explained(truth, 3 * truth @ np.array([[1.0, 2.0], [0.0, 1.0]]) + 5) == pytest.approx(1)
    assert explained(truth, np.ones((50, 1))) == pytest.approx(0)
    assert math.isnan(explained(None, truth))
    assert math.isnan(explained(truth[:2], truth[:2]))


@pytest.mark.parametrize(
    ("good", "models", "outcome"),
    [(1.0, ("translation",), RIGHT), (0.8, ("translation",), RIGHT), (0.75, ("translation",), WRONG), (1.0, (), WRONG)],
)
def test_a_peer_must_register_four_of_five_pairs_with_a_model_that_can(shifts, good, models, outcome):
    motions = [one if n < good * COUNT else None for n, one in enumerate(shifts.motion)]
    found = judge_motions(shifts, motions, models)
    assert (found.outcome, found.confident) == (outcome, False)
    assert found.within == pytest.approx(good)
    assert ("no answer to 5 of 20" in found.told) == (good == 0.75)
    assert judge_motions(shifts, [None] * COUNT, models).error == np.inf


def test_pairs_without_a_motion_are_no_question_for_peers(shifts):
    with pytest.raises(ValueError, match="expected pairs with a motion"):
        judge_motions(replace(shifts, motion=None), list(shifts.motion), ("translation",))


@pytest.mark.parametrize("error", [InputError("expected two pairs, got 1"), ZeroDivisionError("division\nby zero")])
def test_what_is_raised_is_a_wrong_answer_with_its_words(monkeypatch, shifts, error):
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(running, "_warm_up", lambda: None)
    monkeypatch.setattr(running, "make_pictures", lambda *_: shifts)
    monkeypatch.setattr(running, "detect", fail)
    run = running.answered(Task("clean", "", "camera", 0, "liescope"))
    assert (run.found.outcome, run.found.confident, run.found.within) == (WRONG, False, 0)
    assert run.found.told == f"{type(error).__name__}: {' '.join(str(error).split())}"
    assert run.named()["told"] == run.found.told


def test_options_of_the_pairs_reach_the_detection(monkeypatch, shifts):
    asked: dict[str, Any] = {}

    def seen(source: np.ndarray, target: np.ndarray, **options: Any) -> None:
        asked.update(options)
        raise InputError("expected enough")

    monkeypatch.setattr(running, "_warm_up", lambda: None)
    monkeypatch.setattr(running, "make_pictures", lambda *_: replace(shifts, options={"nodata": 3}))
    monkeypatch.setattr(running, "detect", seen)
    running.answered(Task("nodata", "", "camera", 7, "liescope"))
    assert asked == {"nodata": 3, "random_state": 7}


GOOD = Judgement(RIGHT, False, "symmetry: translation-x", "symmetry", 1, 1, 0.1, 1.0, 1.0, 0.02, 1.0, 100)
BAD = replace(GOOD, outcome=WRONG, told="no symmetry", verdict="no symmetry", generators=0, error=np.inf, within=0.0)
FALSE = replace(BAD, confident=True, told="symmetry: rotation", verdict="symmetry", generators=1)


def runs(method: str, *found: Judgement, kind: str = "clean", form: str = "", seconds: float = 2.0) -> list[Run]:
    return [Run(Task(kind, form, "camera", seed, method), one, seconds) for seed, one in enumerate(found)]


def shown(title: str, rows: list[dict[str, Any]]) -> str:
    return Table(title, layout(title), rows).markdown()


def test_a_kind_counts_its_runs():
    all_runs = runs("liescope", GOOD, replace(GOOD, outcome=HONEST), BAD, FALSE) + runs("sift", GOOD, BAD)
    (row,) = picture_rows.verdict_rows(all_runs, ("clean", "gain"))
    assert (row["right"], row["honest"], row["wrong"], row["untrue"]) == (0.25, 0.25, 0.5, 0.25)
    assert row["peers"]["sift"] == 0.5
    assert math.isnan(row["peers"]["ecc"])
    assert row["missed"] == ["right", "untrue"]  # the best peer is right as often
    assert row["told"] == ["no symmetry", "symmetry: rotation"]
    assert "| 25 % | 25 % | 50 % | 25 % | 0.10° | – | – | 50 % | – |" in shown(VERDICTS, [row])


def test_a_peer_that_is_right_more_often_is_a_target_missed():
    found = runs("liescope", *[GOOD] * 39, BAD) + runs("sift", *[GOOD] * 40)
    assert picture_rows.verdict_rows(found, ("clean",))[0]["missed"] == ["peers"]


def test_errors_that_are_rounding_are_no_ratio():
    found = runs("liescope", replace(GOOD, error=1e-6)) + runs("sift", replace(GOOD, error=1e-15))
    assert picture_rows.error_rows(found, ("clean",))[0]["ratio"] == 1


@pytest.mark.parametrize(("wrong", "missed"), [(1, []), (2, ["right"])])
def test_nineteen_of_twenty_are_enough(wrong, missed):
    found = runs("liescope", *[GOOD] * (20 - wrong), *[BAD] * wrong)
    assert picture_rows.verdict_rows(found, ("clean",))[0]["missed"] == missed


def test_a_kind_without_the_package_itself_has_no_target():
    (row,) = picture_rows.verdict_rows(runs("sift", GOOD), ("clean",))
    assert (row["passed"], row["missed"]) == (None, [])


def test_errors_are_held_beside_the_best_peer():
    found = runs("liescope", GOOD, replace(GOOD, error=0.06)) + runs("sift", replace(GOOD, error=0.05))
    found += runs("ecc", replace(GOOD, error=0.02)) + runs("stackreg", BAD)
    (row,) = picture_rows.error_rows(found, ("clean", "mirror-rows"))
    assert (row["best"], row["ratio"]) == ("ecc", pytest.approx(2.0))
    text = shown(ERRORS, [row])
    assert "| 0.040 (100 %) | – | 0.020 (100 %) | 0.050 (100 %) | no motion (0 %) | 2.00 (ecc) |" in text


def test_times_are_those_of_the_same_pairs_and_what_is_missing_says_so():
    found = runs("liescope", GOOD, GOOD, seconds=2.0)
    found += runs("ecc", replace(GOOD, error=2 * GOOD.error), BAD, seconds=0.5)
    rows = picture_rows.way_rows(found, ("liescope", "ecc", "stackreg"), {"stackreg": "pystackreg is not installed"})
    assert [row["method"] for row in rows] == ["liescope", "ecc", "stackreg"]
    assert (rows[1]["time"], rows[1]["right"], rows[1]["runs"]) == (0.25, 0.5, 2)
    assert rows[1]["ratio"] == pytest.approx(0.25)
    text = shown(WAYS, rows)
    assert "| stackreg | pystackreg is not installed | – | 0 | – | – | – | – | – |" in text


def test_alarms_are_counted_by_kind_and_form():
    quiet = replace(GOOD, outcome=RIGHT, verdict="no symmetry", generators=0, expected=0)
    silent = replace(quiet, outcome=HONEST, verdict="undecided")
    raised = replace(BAD, verdict="", told="InputError: expected two")
    found = runs("liescope", *[quiet] * 18, silent, FALSE, kind="noise", form="set")
    found += runs("liescope", quiet, FALSE, kind="noise", form="film")
    found += runs("liescope", quiet, raised, kind="noise", form="single")
    rows = picture_rows.alarm_rows(found, ("noise", "unrelated"), ("set", "film", "single"))
    assert [(row["form"], row["claimed"], row["undecided"], row["none"]) for row in rows] == [
        ("set", 0.05, 0.05, 0.9),
        ("film", 0.5, 0, 0.5),
        ("single", 0, 0, 0.5),
    ]
    assert [row["missed"] for row in rows] == [[], ["alarms"], ["verdict"]]
    assert "| set | 20 | 5 % | 5 % | 90 % | 0 % | 2.00 | pass |" in shown(ALARMS, rows)


def test_tasks_are_kinds_by_photographs_by_seeds_by_methods(monkeypatch):
    asked: list[Task] = []

    def seen(task: Task) -> Run:
        asked.append(task)
        return Run(task, GOOD, 1.0)

    monkeypatch.setattr(pictures, "answered", seen)
    record = pictures.run(
        Options(
            kinds=("clean", "mirror-rows", "alarms"), images=("tuning",), methods=("liescope", "phase"), processes=1
        )
    )
    plain = [one for one in asked if not one.form]
    assert len(plain) == 2 * 4 * 5 + 4 * 5
    assert {one.kind for one in plain if one.method == "phase"} == {"clean"}
    alarms = [one for one in asked if one.form]
    assert len(alarms) == 7 * 3 * 40
    assert {one.method for one in alarms} == {"liescope"}
    # Photographs take turns.
    assert [sum(one.image == name for one in alarms) for name in record.settings["images"]] == [7 * 3 * 10] * 4
    assert record.settings["images"] == ("camera", "coffee", "hubble_deep_field", "gravel")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ("claen",)}, "unknown kind 'claen'. Did you mean 'clean'?"),
        ({"methods": ("shift",)}, "unknown method 'shift'"),
        ({"images": ("moons",)}, "unknown picture 'moons'. Did you mean 'moon'?"),
    ],
)
def test_an_unknown_choice_is_told_before_the_work(options, message):
    with pytest.raises(InputError) as raised:
        pictures.run(Options(**options))
    assert message in str(raised.value)
