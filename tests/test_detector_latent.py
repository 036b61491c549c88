"""The detector with the latent engine, end to end on real digits; scikit-learn's rules; results and their files."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from sklearn.base import clone

from liescope import SymmetryDetector, detect, load_result
from liescope.data import Pairs, make_pairs
from liescope.engines.latent import CHECKPOINT_FILES
from liescope.errors import InputError
from liescope.evaluation import field_cosine
from liescope.result import RESULT_FILES, SymmetryResult

# Small, but large enough that held-out digits are decoded convincingly.
LEARNS: dict[str, dict[str, Any]] = {
    "model": {"latent_size": 49, "hidden": [128], "magnitude_hidden": [64]},
    "training": {"epochs": 25, "batch_size": 32, "distil_epochs": 16, "learning_rate": 0.003},
}
# Trained for a moment only.
SHORT: dict[str, dict[str, Any]] = {
    "model": {"latent_size": 25, "hidden": [16], "magnitude_hidden": [16]},
    "training": {"epochs": 2, "batch_size": 64, "distil_epochs": 1, "restarts": 2, "search_steps": 4},
}


def changed(base: dict[str, dict[str, Any]], **changes: Any) -> dict[str, dict[str, Any]]:
    """Settings with ``training_epochs=2`` for ``training.epochs``."""
    content = {section: dict(keys) for section, keys in base.items()}
    for name, value in changes.items():
        section, _, key = name.partition("_")
        content.setdefault(section, {})[key] = value
    return content


def latent(config: dict[str, dict[str, Any]] = SHORT, **options: Any) -> SymmetryDetector:
    return SymmetryDetector(engine="latent", config=config, **options)


class Fitted(NamedTuple):
    pairs: Pairs
    detector: SymmetryDetector
    progress: list[tuple[str, float]]


@pytest.fixture(scope="module")
def rotations() -> Pairs:
    return make_pairs(transform="rotation", range=45, pairs=400)


@pytest.fixture(scope="module")
def fitted(rotations: Pairs) -> Fitted:
    seen: list[tuple[str, float]] = []
    detector = latent(LEARNS, progress=lambda stage, done: seen.append((stage, done)))
    detector.fit(rotations.source, rotations.target)
    return Fitted(rotations, detector.set_params(progress=None), seen)


# --- the answer


def test_a_rotation_is_found_and_said_how(fitted: Fitted) -> None:
    result = fitted.detector.result_
    assert result.verdict == "symmetry"
    assert result.engine == "latent"
    assert [g.generator.name for g in result.generators] == ["rotation"]
    found = fitted.detector.generators_[0].coefficients
    assert field_cosine(found, fitted.pairs.meta["generators"][0]) > 0.999
    assert result.algebra["name"] == "so(2)"
    assert result.generators[0].direction_error_deg < 1
    assert result.reason.startswith("held-out targets are decoded far better with their t than those of permuted pairs")
    assert "warm start from registration: rotation" in result.reason
    assert result.evidence["heldout_error"] < 0.7 * result.evidence["identity_error"]
    assert result.evidence["p_value"] < 0.01
    assert result.accepted_fraction > 0.8
    assert result.settings["config"]["training"]["epochs"] == 25


def test_magnitudes_follow_the_truth_on_these_and_on_new_pairs(fitted: Fitted) -> None:
    pairs, detector = fitted.pairs, fitted.detector
    assert pairs.magnitude is not None
    assert detector.magnitudes_.shape == (400, 1)
    assert np.corrcoef(detector.magnitudes_[:, 0], pairs.magnitude[:, 0])[0, 1] > 0.95
    again = detector.predict_magnitude(pairs.source, pairs.target)
    np.testing.assert_allclose(again, detector.magnitudes_, atol=1e-5)
    fresh = make_pairs(transform="rotation", range=45, pairs=200, seed=9)
    assert fresh.magnitude is not None
    found = detector.predict_magnitude(fresh.source, fresh.target)
    assert found.shape == (200, 1)
    assert np.corrcoef(found[:, 0], fresh.magnitude[:, 0])[0, 1] > 0.85
    assert detector.predict_magnitude(fresh.source[:1], fresh.target[:1]).shape == (1, 1)


def test_the_score_is_what_moving_the_latents_is_worth(fitted: Fitted) -> None:
    pairs, detector = fitted.pairs, fitted.detector
    score = detector.score(pairs.source, pairs.target)
    moved = detector.reconstruct(pairs.source, detector.magnitudes_)[:, 0]
    still = detector.reconstruct(pairs.source)[:, 0]
    energy = np.square(pairs.target).sum(axis=(1, 2))
    errors = [(np.square(images - pairs.target).sum(axis=(1, 2)) / energy).mean() for images in (moved, still)]
    assert score == pytest.approx(1 - errors[0] / errors[1], abs=1e-3)
    assert score > 0.4
    assert detector.score(pairs.source, pairs.target[::-1]) < score - 0.2


def test_the_flow_moves_pixels_by_the_generator(fitted: Fitted) -> None:
    pairs, detector = fitted.pairs, fitted.detector
    assert pairs.magnitude is not None
    sign = np.sign(detector.generators_[0].coefficients @ pairs.meta["generators"][0])
    moved = detector.flow(pairs.source, sign * pairs.magnitude)
    assert np.square(moved - pairs.target).mean() < 0.01 * np.square(pairs.source - pairs.target).mean()


def test_latents_reconstructions_and_traversals(fitted: Fitted) -> None:
    pairs, detector = fitted.pairs, fitted.detector
    few = pairs.source[:8]
    z = detector.encode(few)
    assert z.shape == (8, 1, 49)
    np.testing.assert_array_equal(detector.decode(z), detector.reconstruct(few))
    np.testing.assert_array_equal(detector.decode(z, 0.3), detector.reconstruct(few, 0.3))
    strip = detector.traverse(few, [-0.5, 0, 0.5])
    assert strip.shape == (8, 3, 1, 28, 28)
    np.testing.assert_array_equal(strip[:, 1], detector.reconstruct(few))
    # Decoded images turn as the pixels do: those of a moved latent are nearer to the turned digit.
    turned = detector.flow(pairs.source, 0.5)
    forth, back = (detector.reconstruct(pairs.source, t)[:, 0] for t in (0.5, -0.5))
    assert np.square(forth - turned).mean() < 0.6 * np.square(back - turned).mean()


def test_samples_show_what_the_model_decodes(fitted: Fitted) -> None:
    result, samples = fitted.detector.result_, fitted.detector.result_.samples
    assert samples is not None
    decoded = fitted.detector.reconstruct(fitted.pairs.source[samples.index], result.t[samples.index])
    np.testing.assert_allclose(samples.transported, decoded, atol=1e-5)


def test_progress_goes_forward_in_every_stage(fitted: Fitted) -> None:
    stages = list(dict.fromkeys(stage for stage, _ in fitted.progress))
    assert "training the latent model" in stages
    for stage in stages:
        values = [done for s, done in fitted.progress if s == stage]
        assert values == sorted(values)
        assert 0 <= values[0] <= values[-1] <= 1


def test_the_history_speaks_of_the_generators_in_the_result(fitted: Fitted) -> None:
    result = fitted.detector.result_
    assert result.latent is not None
    last = result.latent.history[-1]
    np.testing.assert_allclose(
        [last[f"a0_{i}"] for i in range(6)], result.generators[0].generator.coefficients, atol=1e-6
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_history_of_a_cold_start_has_the_signs_of_the_result(seed: int, rotations: Pairs) -> None:
    config = changed(SHORT, training_warm_start=False, training_search_steps=0)
    result = detect(rotations.source[:60], rotations.target[:60], engine="latent", config=config, random_state=seed)
    assert result.latent is not None
    last = result.latent.history[-1]
    np.testing.assert_allclose([last[f"a0_{i}"] for i in range(6)], result.latent.generators[0], atol=1e-6)


# --- other starts and answers


def test_a_decoder_that_shows_nothing_does_not_undo_registrations_verdict(rotations: Pairs) -> None:
    config = changed(SHORT, training_epochs=1, training_learning_rate=1e-7)
    result = detect(rotations.source[:200], rotations.target[:200], engine="latent", config=config)
    assert result.verdict == "symmetry"
    assert result.reason.startswith("registration found it in held-out pairs; the trained decoder does not show it")
    assert result.generators[0].generator.name == "rotation"
    assert result.evidence["p_value"] < 1e-6
    assert result.evidence["decoder_p_value"] > 0.001
    assert result.evidence["steps"][0]["pays"] == 1.0


def test_unrelated_pairs_are_no_symmetry(rotations: Pairs) -> None:
    order = np.random.default_rng(0).permutation(400)
    config = changed(
        LEARNS, training_epochs=12, training_distil_epochs=8, training_restarts=1, training_search_steps=100
    )
    detector = latent(config).fit(rotations.source, rotations.target[order])
    result = detector.result_
    assert result.verdict == "no symmetry"
    assert "explains held-out pairs no better than pairs with permuted targets" in result.reason
    assert "registration found nothing reliable to start from" in result.reason
    assert detector.generators_ == []
    assert detector.magnitudes_.shape == (400, 0)
    # The trained model is there, but there is no magnitude of a symmetry that is none.
    assert detector.predict_magnitude(rotations.source, rotations.target).shape == (400, 0)
    assert detector.score(rotations.source, rotations.target) == 0.0
    with pytest.raises(InputError, match="with a symmetry to apply"):
        detector.flow(rotations.source, 0.3)
    assert detector.reconstruct(rotations.source[:3]).shape == (3, 1, 28, 28)


def test_a_cold_start_is_said_to_be_one(rotations: Pairs) -> None:
    config = changed(SHORT, training_warm_start=False)
    result = detect(rotations.source[:100], rotations.target[:100], engine="latent", config=config)
    assert "a cold start was asked for; " in result.reason
    assert "of 2 was best (held-out error in pixels" in result.reason
    assert "registration" not in result.reason


def test_notices_of_the_training_are_part_of_the_reason(rotations: Pairs) -> None:
    result = detect(rotations.source[:20], rotations.target[:20], engine="latent", config=SHORT)
    assert "batches of 16, not 64: there are no more pairs to train on" in result.reason


def test_different_digits_of_one_class_start_from_what_varies_beyond_it() -> None:
    pairs = make_pairs("supersymnist", transform="rotation", range=45, pairs=400)
    result = detect(pairs.source, pairs.target, engine="latent", config=SHORT)
    assert "the images of a pair have different roots" in result.reason
    assert result.latent is not None
    found = result.latent.generators[0]
    assert field_cosine(found, pairs.meta["generators"][0]) > 0.95
    history = np.array([[row[f"a0_{i}"] for i in range(6)] for row in result.latent.history])
    np.testing.assert_allclose(history, np.tile(found, (2, 1)), atol=1e-6)  # it is kept, not trained


def test_two_generators_act_one_after_the_other() -> None:
    pairs = make_pairs(transform="rotation+scale", range=[40, 0.25], pairs=200)
    detector = latent(n_generators=2).fit(pairs.source, pairs.target)
    result = detector.result_
    assert result.latent is not None
    assert result.latent.magnitudes(pairs.source, pairs.target).shape == (200, 2)
    strip = detector.traverse(pairs.source[:3], np.array([[0.1, 0.2], [0.0, 0.0]]))
    assert strip.shape == (3, 2, 1, 28, 28)
    with pytest.raises(InputError, match="expected 2 magnitudes"):
        detector.decode(detector.encode(pairs.source[:3]), 0.3)


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: (np.zeros((40, 12, 12)), rng.random((40, 12, 12))),
        lambda rng: (np.zeros((70, 12, 12)), np.zeros((70, 12, 12))),
        lambda rng: (rng.random((8, 9, 14)), rng.random((8, 9, 14))),
        lambda rng: (rng.random((70, 2, 9, 14)), rng.random((70, 2, 9, 14))),
        lambda rng: (1e100 * rng.random((20, 12, 12)), 1e100 * rng.random((20, 12, 12))),
        lambda rng: (1e-100 * rng.random((20, 12, 12)), 1e-100 * rng.random((20, 12, 12))),
    ],
    ids=["blank sources", "all blank", "eight pairs", "two channels", "huge", "tiny"],
)
def test_data_without_a_symmetry_of_any_kind(
    make: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]],
) -> None:
    source, target = make(np.random.default_rng(0))
    result = detect(source, target, engine="latent", config=SHORT)
    assert result.verdict == "no symmetry"
    assert result.pairs == len(source)


@pytest.fixture(scope="module")
def brief(rotations: Pairs) -> SymmetryDetector:
    return latent().fit(rotations.source[:100], rotations.target[:100])


@pytest.mark.parametrize("factor", [1e100, 1e-100])
def test_any_numeric_range_is_decoded_in_its_own(factor: float, rotations: Pairs, brief: SymmetryDetector) -> None:
    source, target = (factor * a[:100].astype(np.float64) for a in (rotations.source, rotations.target))
    detector = latent().fit(source, target)
    decoded = detector.reconstruct(source[:5]) / factor
    np.testing.assert_allclose(decoded, brief.reconstruct(rotations.source[:5]), atol=0.01)


def test_another_grey_scale_is_the_same_model(rotations: Pairs, brief: SymmetryDetector) -> None:
    source, target = (5 + 2 * a[:100].astype(np.float64) for a in (rotations.source, rotations.target))
    detector = latent().fit(source, target)
    assert detector.result_.latent is not None
    assert brief.result_.latent is not None
    assert detector.result_.latent.background.ravel() == pytest.approx([5])
    assert detector.result_.latent.amplitude == pytest.approx(2 * brief.result_.latent.amplitude)
    decoded = (detector.reconstruct(source[:5]) - 5) / 2
    np.testing.assert_allclose(decoded, brief.reconstruct(rotations.source[:5]), atol=0.01)


# --- parameters


def test_all_faults_of_the_parameters_are_in_one_message(rotations: Pairs) -> None:
    bad = SymmetryDetector(
        basis="afine",
        n_generators=0,
        config={"modle": {}, "loss": {"lasso": -1}},
        work_dir="somewhere",
        resume=True,
    )
    with pytest.raises(InputError) as caught:
        bad.fit(rotations.source, rotations.target)
    message = str(caught.value)
    for part in (
        "Did you mean 'affine'",
        "n_generators",
        "Did you mean 'model'",
        "loss.lasso",
        "config is for engine='latent' only",
        "work_dir is for engine='latent' only",
        "resume is for engine='latent' only",
    ):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize("engine", ["auto", "registration"])
@pytest.mark.parametrize("option", [{"config": "paper"}, {"work_dir": "work"}, {"resume": True}])
def test_options_of_the_training_are_for_the_latent_engine(
    engine: str, option: dict[str, Any], rotations: Pairs
) -> None:
    with pytest.raises(InputError, match=f"{next(iter(option))} is for engine='latent' only"):
        SymmetryDetector(engine=engine, **option).fit(rotations.source, rotations.target)


def test_resuming_needs_a_folder(rotations: Pairs) -> None:
    with pytest.raises(InputError, match="expected work_dir with resume=True"):
        latent(resume=True).fit(rotations.source, rotations.target)


def test_closure_in_an_open_basis_is_refused_before_any_work(rotations: Pairs, tmp_path: Path) -> None:
    seen: list[str] = []
    detector = latent(
        changed(SHORT, model_closure=True),
        basis="quadratic",
        work_dir=tmp_path / "work",
        progress=lambda stage, _: seen.append(stage),
    )
    with pytest.raises(InputError, match="closed under the bracket"):
        detector.fit(rotations.source, rotations.target)
    assert not (tmp_path / "work").exists()
    assert set(seen) <= {"finding the generators"}


def test_latents_are_the_latent_engines(rotations: Pairs) -> None:
    detector = SymmetryDetector().fit(rotations.source[:60], rotations.target[:60])
    for call in (
        lambda: detector.encode(rotations.source),
        lambda: detector.decode(np.zeros((1, 1, 25))),
        lambda: detector.reconstruct(rotations.source),
        lambda: detector.traverse(rotations.source, [0.0]),
    ):
        with pytest.raises(InputError, match='engine="latent"'):
            call()
    assert detector.result_.latent is None


def test_images_of_another_size_are_refused(fitted: Fitted) -> None:
    with pytest.raises(InputError, match="as fitted"):
        fitted.detector.predict_magnitude(np.zeros((3, 20, 20)), np.zeros((3, 20, 20)))
    with pytest.raises(InputError, match=r"expected images of shape \(N, 1, 28, 28\)"):
        fitted.detector.encode(np.zeros((3, 20, 20)))


def test_clone_parameters_and_the_same_bits_again(rotations: Pairs) -> None:
    detector = latent(random_state=3, work_dir="unused", basis="affine")
    copy = clone(detector)
    assert not hasattr(copy, "result_")
    assert copy.get_params() == detector.get_params()
    copy.set_params(work_dir=None)
    first, second = (clone(copy).fit(rotations.source[:80], rotations.target[:80]) for _ in range(2))
    assert first.result_.latent is not None
    assert second.result_.latent is not None
    states = first.result_.latent.model.state_dict(), second.result_.latent.model.state_dict()
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    np.testing.assert_array_equal(first.result_.residual, second.result_.residual)
    assert first.result_.to_dict() | {"seconds": 0} == second.result_.to_dict() | {"seconds": 0}


def test_a_pickled_detector_goes_on_working(fitted: Fitted) -> None:
    copy = pickle.loads(pickle.dumps(fitted.detector))
    few = fitted.pairs.source[:20], fitted.pairs.target[:20]
    np.testing.assert_array_equal(copy.predict_magnitude(*few), fitted.detector.predict_magnitude(*few))
    np.testing.assert_array_equal(copy.traverse(few[0], [0.1]), fitted.detector.traverse(few[0], [0.1]))


def test_a_training_is_gone_on_with_in_its_folder(rotations: Pairs, tmp_path: Path) -> None:
    source, target = rotations.source[:100], rotations.target[:100]
    config = changed(SHORT, training_epochs=4, training_checkpoint_every=1)

    def stop(stage: str, done: float) -> None:
        if stage == "training the latent model" and done > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        latent(config, work_dir=tmp_path, progress=stop).fit(source, target)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == set(CHECKPOINT_FILES)
    whole = latent(config).fit(source, target)
    resumed = latent(config, work_dir=tmp_path, resume=True).fit(source, target)
    np.testing.assert_array_equal(resumed.result_.residual, whole.result_.residual)
    with pytest.raises(InputError, match="belongs to another training: seed 0 instead of 1"):
        latent(config, work_dir=tmp_path, resume=True, random_state=1).fit(source, target)


# --- the result and its folder


@pytest.fixture(scope="module")
def saved(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = fitted.detector.result_.save(tmp_path_factory.mktemp("results") / "found")
    return path


def test_a_saved_result_reads_back_with_its_model(fitted: Fitted, saved: Path) -> None:
    result = fitted.detector.result_
    assert {path.name for path in saved.iterdir()} == set(RESULT_FILES) - {"fitted.npz"}
    back = load_result(saved)
    assert back.latent is not None
    assert result.latent is not None
    np.testing.assert_array_equal(back.t, result.t)
    few = fitted.pairs.source[:5]
    np.testing.assert_array_equal(back.latent.reconstruct(few, 0.2), result.latent.reconstruct(few, 0.2))
    assert back.latent.history == result.latent.history
    assert back.latent.config == result.latent.config
    np.testing.assert_allclose(back.latent.generators[0], back.generators[0].generator.coefficients, atol=1e-6)
    content = json.loads((saved / "result.json").read_text())
    assert (content["engine"], content["verdict"]) == ("latent", "symmetry")


def test_the_page_is_one_file_and_names_the_engine(saved: Path) -> None:
    page = (saved / "report.html").read_text(encoding="utf-8")
    assert "rotat" in page.lower()
    assert 'http-equiv="refresh"' not in page
    assert "<script src" not in page


def test_a_result_without_a_symmetry_keeps_its_model_too(rotations: Pairs, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source, target = rng.random((2, 30, 9, 12))
    result = detect(source, target, engine="latent", config=SHORT)
    assert result.verdict == "no symmetry"
    back = load_result(result.save(tmp_path / "found"))
    assert back.latent is not None
    assert result.latent is not None
    np.testing.assert_array_equal(back.latent.encode(source), result.latent.encode(source))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_result_whose_model_is_damaged_gives_one_clear_line(name: str, saved: Path, tmp_path: Path) -> None:
    for path in saved.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[: 100 if path.name == name else None])
    with pytest.raises(InputError, match=name) as caught:
        load_result(tmp_path)
    assert "\n" not in str(caught.value)


def test_several_generators_are_applied_one_after_the_other_by_the_result(
    make_result: Callable[..., SymmetryResult], fitted: Fitted
) -> None:
    both = make_result("rotation", "translation-x")
    state = fitted.detector.result_.state
    one_by_one = make_result("rotation", "translation-x", engine="latent", product=True, state=state)
    image = np.zeros((12, 12))
    image[3:6, 5:9] = 1.0
    t = np.array([0.9, 0.4])
    first = make_result("rotation").transform(image, t[0])
    np.testing.assert_allclose(
        one_by_one.transform(image, t), make_result("translation-x").transform(first, t[1]), atol=1e-5
    )
    assert np.abs(both.transform(image, t) - one_by_one.transform(image, t)).max() > 0.1
