"""Trainings behind the figures: units, signs, matching of generators, exact orbits."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from liescope.detector import SymmetryDetector
from liescope.errors import ComputationError
from liescope.reproduce import Request
from liescope.reproduce.runs import Case, Run, digit_corpus, pair_count, run_case, settings_of, true_orbit

TINY = Request(tiny=True)


@pytest.fixture(scope="module")
def rotation() -> Run:
    case = Case("rotation", "rotation", (60.0,), law="uniform:-60,30")
    return run_case(case, "registration", TINY, pairs=case.pairs(400, seed=1))


def test_an_exact_orbit_turns_shifts_and_rests(digits: np.ndarray) -> None:
    images = digits[:3].astype(np.float32) / 255
    turned = true_orbit(images, "rotation", [-90.0, 0.0, 90.0])
    assert turned.shape == (3, 3, 28, 28)
    for k, image in enumerate(images):
        np.testing.assert_allclose(turned[k, 0], np.rot90(image, -1), atol=1e-4)
        np.testing.assert_allclose(turned[k, 1], image, atol=1e-5)
        np.testing.assert_allclose(turned[k, 2], np.rot90(image), atol=1e-4)
    shifted = true_orbit(images, "translation-x", [3.0])[:, 0]
    np.testing.assert_allclose(shifted[:, :, 3:], images[:, :, :-3], atol=1e-4)


def test_magnitudes_are_found_in_degrees_on_pairs_that_were_held_out(rotation: Run) -> None:
    sampled = np.asarray(rotation.pairs.magnitude)[rotation.held, 0] * 180 / (np.pi * np.sqrt(2))
    np.testing.assert_allclose(rotation.true_t[:, 0], sampled, rtol=1e-12)
    assert np.median(np.abs(rotation.found_t[:, 0] - sampled)) < 0.5
    row = rotation.law_row()
    assert (row["unit"], row["transform"], row["held_out"]) == ("degree", "rotation", 80)
    assert row["cosine"] > 0.9999
    assert row["w1"] < 0.01 < row["w1_null"]
    assert row["width_ratio"] == pytest.approx(1, abs=0.02)
    assert rotation.kinds == ["centre"]


def test_the_sign_of_a_generator_does_not_matter(rotation: Run) -> None:
    turned = dataclasses.replace(rotation, raw=-rotation.raw)
    np.testing.assert_allclose(turned.found_t, rotation.found_t)
    assert turned.law_row() == rotation.law_row()


def test_natural_magnitudes_are_translated_back(rotation: Run) -> None:
    np.testing.assert_allclose(rotation.raw_t(rotation.found_t[:, 0]), rotation.raw, rtol=1e-9)
    # With another generator, of which degrees say nothing: mean and deviation of the law.
    (detected,) = rotation.result.generators
    other = dataclasses.replace(detected.generator, coefficients=np.array([0, 1, 0, 0, 0, 1.0]) / np.sqrt(2))
    result = dataclasses.replace(rotation.result, generators=(dataclasses.replace(detected, generator=other),))
    scaled = dataclasses.replace(rotation, result=result, raw=3 - 7 * rotation.raw)
    assert rotation.in_natural_units
    assert not scaled.in_natural_units
    np.testing.assert_array_equal(rotation.scaled_t(), rotation.found_t)
    assert scaled.scaled_t().std() == pytest.approx(rotation.true_t.std())
    np.testing.assert_allclose(scaled.raw_t(scaled.standardised_t()), scaled.raw, rtol=1e-9)
    assert scaled.standardised_t().mean() == pytest.approx(rotation.true_t.mean())
    np.testing.assert_allclose(scaled.standardised_t(), rotation.found_t[:, 0], atol=1.5)


def test_a_generator_that_was_not_found_scores_nothing(rotation: Run) -> None:
    result = dataclasses.replace(rotation.result, generators=())
    empty = dataclasses.replace(rotation, result=result, raw=np.zeros((len(rotation.held), 0)))
    assert empty.cosines == [0.0]
    assert empty.span_cosine == 0.0
    assert not empty.found_t.any()
    assert empty.law_row()["pearson"] == 0.0
    with pytest.raises(ValueError, match="found a generator"):
        empty.raw_t([1.0])


def test_generators_are_matched_whatever_their_order() -> None:
    case = Case("two", "rotation+scale", (60.0, 0.4))
    run = run_case(case, "registration", TINY, pairs=case.pairs(600, seed=0))
    assert min(run.cosines) > 0.999
    assert run.span_cosine > 0.999
    swapped = dataclasses.replace(
        run,
        result=dataclasses.replace(run.result, generators=run.result.generators[::-1]),
        raw=run.raw[:, ::-1],
    )
    np.testing.assert_allclose(swapped.found_t, run.found_t)


def test_settings_follow_the_setup_and_the_scale() -> None:
    full, quick = Request(scale="full"), Request()
    published = settings_of("paper", full, 60000, {"loss": {"alpha": 3.0}})
    assert published["training"]["batch_size"] == 1024
    assert published["loss"]["alpha"] == 3.0
    assert published["loss"]["alpha_form"] == "taylor"
    # As many as the code of the paper has: 4,700 steps, 47 an epoch.
    assert published["training"]["epochs"] == 100
    assert settings_of("cold", quick, 2000, {})["training"]["warm_start"] is False
    assert settings_of("linear", quick, 2000, {})["model"]["encoder"] == "linear"
    assert settings_of("default", quick, 2000, {})["training"]["warm_start"] is True


@pytest.mark.parametrize("failures", [0, 1, 2, 3])
def test_a_training_that_diverges_is_begun_again_and_told(failures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fit, seeds = SymmetryDetector.fit, []

    def diverging(detector: SymmetryDetector, source: np.ndarray, target: np.ndarray) -> SymmetryDetector:
        seeds.append(detector.random_state)
        if len(seeds) <= failures:
            raise ComputationError("the loss is not finite")
        return fit(detector, source, target)

    monkeypatch.setattr(SymmetryDetector, "fit", diverging)
    case = Case("rotation", "rotation", (60.0,))
    if failures == 3:
        with pytest.raises(ComputationError, match="not finite"):
            run_case(case, "default", TINY, seed=5)
    else:
        run = run_case(case, "default", TINY, seed=5)
        assert run.used.get("diverged", []) == seeds[:-1]
        assert run.used["seed"] == seeds[-1]
        assert len(run.raw) == len(run.held)
    assert seeds == [5, 1005, 2005][: failures + 1]


def test_tiny_and_quick_need_no_download(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("LIESCOPE_DATA", str(tmp_path))
    assert [digit_corpus(request) for request in (TINY, Request(), Request(scale="full"))] == ["mnist-5k"] * 3
    assert pair_count(Request(scale="full")) == 5000


def test_a_figure_that_was_stopped_goes_on_where_it_ended(tmp_path, monkeypatch) -> None:
    calls: list[int] = []
    fit = SymmetryDetector.fit

    def counted(self: SymmetryDetector, *images: Any) -> SymmetryDetector:
        calls.append(1)
        return fit(self, *images)

    monkeypatch.setattr(SymmetryDetector, "fit", counted)
    request, case = Request(folder=tmp_path / "fig4.unfinished"), Case("rotation", "rotation", (60.0,))
    pairs = case.pairs(100, seed=1)
    first = run_case(case, "registration", request, pairs=pairs)
    again = run_case(case, "registration", request, pairs=pairs)
    assert len(calls) == 1
    assert again.law_row() == first.law_row()
    np.testing.assert_array_equal(again.raw, first.raw)
    assert again.pairs is pairs
    # Other pairs, another seed, another scale, other settings: other trainings.
    run_case(case, "registration", request, pairs=case.pairs(100, seed=2))
    run_case(case, "registration", request, pairs=pairs, seed=1)
    run_case(case, "registration", dataclasses.replace(request, scale="full"), pairs=pairs)
    run_case(case, "registration", request, pairs=pairs, changes={"loss": {"alpha": 0.5}})
    assert len(calls) == 5
    assert len(list((tmp_path / "fig4.unfinished").iterdir())) == 5
    run_case(case, "registration", dataclasses.replace(request, tiny=True), pairs=pairs)
    assert len(calls) == 6
    assert len(list((tmp_path / "fig4.unfinished").iterdir())) == 5
