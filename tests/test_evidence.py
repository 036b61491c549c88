"""Verdicts, numbers and uncertainties of whole detections: what people act on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from liescope import SymmetryDetector, SymmetryResult, detect, load_result
from liescope.data import Pairs, load_corpus, make_pairs
from liescope.engines.pair_set import GreyScale, PairSet, split
from liescope.engines.registration import SpanTrials
from liescope.engines.registration.beyond_basis import left_in_larger_basis
from liescope.engines.registration.calibration import variance_factor
from liescope.engines.registration.joint import JointEquations
from liescope.evaluation import field_cosine, principal_angles
from liescope.geometry import Grid, PolynomialBasis, affine, get_basis, quadratic
from liescope.inference import DIFFERENT_ROOTS

AFFINE = "rotation+scale+hyperbolic+shear-x+translation-x+translation-y"


def truth(pairs: Pairs) -> np.ndarray:
    return np.array(pairs.meta["generators"])


@pytest.fixture(scope="module")
def supers() -> Pairs:
    return make_pairs("supersymnist", transform="rotation", range=45, pairs=1500, order=3, seed=0)


@pytest.fixture(scope="module")
def super_detector(supers: Pairs) -> SymmetryDetector:
    return SymmetryDetector().fit(supers.source, supers.target)


def test_a_rotation_between_different_digits_of_a_class(super_detector: SymmetryDetector, supers: Pairs) -> None:
    result = super_detector.result_
    assert result.verdict == "symmetry"
    assert "different roots" in result.reason
    # Registration finds out that they are no copies; then their distributions are compared.
    assert result.engine == "distribution"
    assert result.evidence["null"] == "sets"
    found = result.generators[0].generator
    assert field_cosine(found.coefficients, truth(supers)[0]) > 0.998
    t, sign = result.t[:, 0], np.sign(found.coefficients @ truth(supers)[0])
    assert supers.magnitude is not None
    assert np.corrcoef(sign * t, supers.magnitude[:, 0])[0, 1] > 0.6
    assert result.accepted_fraction > 0.9
    # Which bounds the angle to the truth, and so knows more than the scatter of the pairs.
    angle = np.degrees(np.arccos(field_cosine(found.coefficients, truth(supers)[0])))
    assert angle < result.generators[0].direction_error_deg < 8
    # The stated error of a single magnitude is about what it is.
    assert result.t_error is not None
    error = np.median(np.abs(sign * t - supers.magnitude[:, 0])) / 0.6745
    assert 0.5 < error / float(np.median(result.t_error)) < 2


def test_registration_alone_finds_it_by_contrast(supers: Pairs) -> None:
    result = detect(supers.source, supers.target, engine="registration")
    assert result.verdict == "symmetry"
    found = result.generators[0]
    assert field_cosine(found.coefficients, truth(supers)[0]) > 0.98
    contrast = result.evidence["contrast"]
    assert contrast["ratio"] > 1.5 > contrast["runner_up"]
    assert contrast["p_value"] == result.evidence["p_value"] == 0.01
    assert contrast["explains"]
    angle = np.degrees(np.arccos(field_cosine(found.coefficients, truth(supers)[0])))
    assert angle < 15 < found.direction_error_deg < 30


# Rows over d/dx, x d/dx, y d/dx, d/dy, x d/dy, y d/dy.
TRANSLATIONS = [[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]]
SCALE, ROTATION = [0, 1, 0, 0, 0, 1], [0, 0, -1, 0, 1, 0]
LINEAR = [[0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("transform", "width", "rows"),
    [
        ("rotation", 60, [*TRANSLATIONS, SCALE]),
        ("scale", 0.4, [*TRANSLATIONS, ROTATION]),
        ("translation-x", 6, LINEAR),
    ],
    ids=["rotation", "scale", "translation"],
)
def test_a_basis_without_the_generator_of_pairs_with_one_root_claims_nothing(
    transform: str, width: float, rows: list[list[int]], seed: int
) -> None:
    table = torch.einsum("bm,mck->bck", torch.tensor(rows, dtype=torch.float64), affine().table)
    basis = PolynomialBasis("part", [f"field {i}" for i in range(len(rows))], table, 1)
    pairs = make_pairs("symnist", transform=transform, range=width, pairs=1000, order=3, seed=seed)
    result = detect(pairs.source, pairs.target, basis=basis, random_state=seed)
    assert result.verdict == "no symmetry"
    # Copies of one image: the quadratic basis, which has the generator, leaves next to nothing.
    assert result.evidence["left_in_larger_basis"] < 0.05
    assert "lacks what moves them; try basis='quadratic'" in result.reason


def left_beyond_affine(source: np.ndarray, target: np.ndarray, seed: int) -> float | None:
    x, y = (np.asarray(images)[:, None] for images in (source, target))
    fitted, held_out = split(np.arange(len(x)), seed)
    pairs = PairSet(x, y, GreyScale.of(y, fitted), torch.device("cpu"))
    return left_in_larger_basis(pairs, affine(), fitted, held_out)


@pytest.mark.parametrize(
    ("transform", "extent", "seed"),
    [("sct-x", 0.5, 0), ("sct-y", 0.3, 1), ("sct-x+rotation", [0.4, 30], 2), ("sct-y", 0.5, 3)],
)
def test_beyond_the_basis_next_to_nothing_is_left_of_copies(transform: str, extent: float, seed: int) -> None:
    pairs = make_pairs("symnist", transform=transform, range=extent, pairs=250, order=3, seed=seed)
    left = left_beyond_affine(pairs.source, pairs.target, seed)
    assert left is not None
    assert left < 0.02


@pytest.mark.parametrize(
    ("transform", "extent", "seed"),
    [("rotation", 60, 0), ("rotation", 60, 1), ("scale", 0.4, 1), ("scale", 0.4, 2), ("translation-x", 4, 3)],
)
def test_beyond_the_basis_much_is_left_of_different_digits(transform: str, extent: float, seed: int) -> None:
    pairs = make_pairs("supersymnist", transform=transform, range=extent, pairs=1500, order=3, seed=seed)
    left = left_beyond_affine(pairs.source, pairs.target, seed)
    assert left is not None
    assert left > DIFFERENT_ROOTS


@pytest.mark.parametrize(("digit", "seed"), [(0, 0), (1, 1), (3, 2)])
def test_beyond_the_basis_much_is_left_of_one_class_that_nothing_moved(digit: int, seed: int) -> None:
    corpus = load_corpus("mnist-5k")
    rng = np.random.default_rng(seed)
    source, target = (rng.choice(np.flatnonzero(corpus.labels == digit), 600) for _ in range(2))
    left = left_beyond_affine(corpus.images[source], corpus.images[target], seed)
    assert left is not None
    assert left > 0.6 > DIFFERENT_ROOTS


def test_flows_that_leave_all_bounds_count_as_not_moving() -> None:
    pairs = make_pairs("symnist", transform="rotation", range=60, pairs=400, order=3, seed=1)
    source, target = (np.asarray(images)[:, None] for images in (pairs.source, pairs.target))
    parts = split(np.arange(400), 0)
    trials = SpanTrials(
        PairSet(source, target, GreyScale.of(target, parts[0]), torch.device("cpu")), get_basis("polynomial-3"), *parts
    )
    for shift in (0, 3, 7):
        errors = trials.free_errors(shift)
        assert bool(torch.isfinite(errors).all())
        assert float(errors.max()) < 100


def test_a_special_conformal_transform_between_different_digits_of_a_class() -> None:
    pairs = make_pairs("supersymnist", transform="sct-x", range=0.5, pairs=2500, order=3, seed=0)
    result = detect(pairs.source, pairs.target, basis="conformal", random_state=0)
    assert result.verdict == "symmetry"
    assert result.engine == "distribution"
    points = Grid.of(28, 28).points(dtype=torch.float64)
    found, wanted = (
        np.einsum("nmc,m->nc", basis.fields(points).numpy(), coefficients).ravel()
        for basis, coefficients in (
            (result.basis, result.generators[0].generator.coefficients),
            (quadratic(), truth(pairs)[0]),
        )
    )
    assert abs(found @ wanted) > 0.95 * np.linalg.norm(found) * np.linalg.norm(wanted)


def test_magnitudes_of_new_pairs_of_different_digits(super_detector: SymmetryDetector, supers: Pairs) -> None:
    again = super_detector.predict_magnitude(supers.source[:100], supers.target[:100])
    np.testing.assert_allclose(again, super_detector.magnitudes_[:100], atol=2e-3)
    assert 0 < super_detector.score(supers.source[:200], supers.target[:200]) < 1


@pytest.mark.parametrize("seed", range(2))
def test_what_digits_of_a_class_differ_by_is_soft_and_no_symmetry(seed: int) -> None:
    pairs = make_pairs("supersymnist", transform="rotation", range=0, pairs=1200, seed=seed)
    result = detect(pairs.source, pairs.target, random_state=seed)
    assert result.verdict == "no symmetry"
    assert "soft variation" in result.reason
    assert 1 < result.evidence["contrast"]["soft"]["extent_px"] < 8
    assert result.evidence["p_value"] > 0.05


@pytest.mark.parametrize(
    ("basis", "asked", "told"),
    [("affine", 2, "2 generators were asked for"), ("shear", "auto", "too small to tell")],
)
def test_a_class_is_undecided_where_nothing_can_be_compared(basis: str, asked: int | str, told: str) -> None:
    pairs = make_pairs("supersymnist", transform="rotation", range=0, pairs=600, seed=1)
    one = torch.einsum("bm,mck->bck", torch.tensor([[0.0, 0, 1, 0, 0, 0]], dtype=torch.float64), affine().table)
    chosen = PolynomialBasis("shear", ["y d/dx"], one, 1) if basis == "shear" else basis
    result = detect(pairs.source, pairs.target, basis=chosen, n_generators=asked, random_state=1)
    assert result.verdict == "undecided"
    assert told in result.reason
    assert len(result.generators) == (0 if asked == "auto" else asked)
    assert not result.accepted.any()


def test_two_generators_are_found_where_they_are_asked_for() -> None:
    # Much is left of se(2) then, but the images of a pair are copies.
    pairs = make_pairs(transform="rotation+translation-x", range=(60, 6), pairs=600, order=3, seed=0)
    assert len(detect(pairs.source, pairs.target, n_generators=2).generators) == 2


@pytest.mark.parametrize(
    ("transform", "extents", "noise", "name", "count"),
    [
        ("rotation", (60,), 0.5, "so(2)", 400),
        ("rotation+scale+translation-x+translation-y", (35, 0.25, 3, 3), 0.3, "sim(2)", 400),
        (AFFINE, (30, 0.25, 0.25, 0.3, 3, 3), 0.2, "aff(2)", 1000),
    ],
)
def test_noise_is_not_taken_for_different_images(
    transform: str, extents: tuple[float, ...], noise: float, name: str, count: int
) -> None:
    pairs = make_pairs(transform=transform, range=extents, pairs=count, order=3, noise=noise, seed=1)
    result = detect(pairs.source, pairs.target)
    assert result.algebra["name"] == name
    assert "contrast" not in result.evidence


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_what_noise_leaves_is_read_off_the_pixels(noise: float) -> None:
    pairs = make_pairs(transform="rotation", range=60, pairs=400, order=3, noise=noise, seed=2)
    trials = trials_of(pairs, 0)
    left = float(trials.held_out_errors(trials.fit(1)).median())
    # In shares of the targets' energy; what is decided by it are differences of a tenth and more.
    assert trials.noise_share() == pytest.approx(left, abs=0.02)
    still = make_pairs(transform="rotation", range=60, pairs=100, order=3, seed=2)
    assert trials_of(still, 0).noise_share() < 1e-6


def test_too_few_pairs_of_different_images_are_not_called_a_soft_variation() -> None:
    pairs = make_pairs("supersymnist", transform="rotation", range=45, pairs=100, order=3, seed=0)
    result = detect(pairs.source, pairs.target, basis="quadratic")
    assert result.verdict == "undecided"
    assert "contrast" not in result.evidence
    assert "soft" not in result.reason


def test_one_angle_for_all_pairs_is_identifiable() -> None:
    pairs = make_pairs(transform="rotation", law="fixed:30", pairs=400, noise=0.05, seed=0)
    result = detect(pairs.source, pairs.target)
    assert [g.generator.name for g in result.generators] == ["rotation"]
    assert result.identifiable is not None
    assert result.identifiable.mean() > 0.9


def test_a_large_basis_does_not_make_a_symmetry_of_a_class() -> None:
    # Twelve fields bend these digits so far towards one another that they pass for copies of one image.
    pairs = make_pairs("supersymnist", transform="rotation", range=0, pairs=200, seed=3)
    result = detect(pairs.source, pairs.target, basis="quadratic", random_state=3)
    assert result.verdict == "no symmetry"
    assert "soft variation" in result.reason


@pytest.mark.parametrize("seed", range(2))
def test_the_whole_affine_algebra_is_counted(seed: int) -> None:
    pairs = make_pairs(transform=AFFINE, range=(30, 0.25, 0.25, 0.3, 3, 3), pairs=300, order=3, seed=seed)
    result = detect(pairs.source, pairs.target, random_state=seed)
    assert len(result.generators) == 6
    assert result.algebra["name"] == "aff(2)"
    assert result.evidence["p_value"] < 1e-6


@pytest.fixture(scope="module")
def product() -> tuple[Pairs, SymmetryResult]:
    pairs = make_pairs(transform="rotation+translation-x", range=(40, 4), pairs=600, order=3, seed=3)
    return pairs, detect(pairs.source, pairs.target)


def test_products_fill_their_algebra_and_keep_their_factors(product: tuple[Pairs, SymmetryResult]) -> None:
    pairs, result = product
    assert result.algebra["name"] == "se(2)"
    spanned = np.array([g.generator.coefficients for g in result.generators])
    assert principal_angles(truth(pairs), spanned).max() < 1
    factors = result.algebra["factors"]
    assert factors["names"] == ("rotation", "translation-x")
    assert factors["ordered"]
    assert factors["misfit_px"] < 0.05 < factors["runner_up_px"]
    assert result.factor_t is not None
    assert pairs.magnitude is not None
    sign = np.sign(np.sum(np.array(factors["coefficients"]) * truth(pairs), axis=1))
    error = np.abs(result.factor_t * sign - pairs.magnitude)[result.accepted]
    assert np.median(error, axis=0).max() < 0.01


def test_clean_generators_of_the_span(product: tuple[Pairs, SymmetryResult]) -> None:
    clean = product[1].algebra["clean"]
    assert clean["snapped"] == [True, True, True]
    assert set(clean["equations"]) == {"d/dx", "d/dy", "-y d/dx + x d/dy"}
    assert clean["p_value"] > 0.02


def test_an_off_centre_rotation_is_not_snapped_to_a_centred_one() -> None:
    pairs = make_pairs(transform="rotation", range=50, pairs=400, order=3, centre=(18, 10), seed=0)
    result = detect(pairs.source, pairs.target)
    assert result.algebra["clean"]["snapped"] == [False]
    centre = result.generators[0].generator.centre_px
    assert centre == pytest.approx((18, 10), abs=0.1)


def test_further_arrays_survive_the_folder(product: tuple[Pairs, SymmetryResult], tmp_path: Path) -> None:
    result = product[1]
    again = load_result(result.save(tmp_path / "found"))
    for name in ("t_error", "identifiable", "factor_t"):
        np.testing.assert_array_equal(getattr(again, name), getattr(result, name))
    assert again.to_dict() == result.to_dict()


def test_results_without_the_further_arrays_still_load(product: tuple[Pairs, SymmetryResult], tmp_path: Path) -> None:
    folder = product[1].save(tmp_path / "found")
    arrays = dict(np.load(folder / "magnitudes.npz"))
    np.savez(folder / "magnitudes.npz", **{name: arrays[name] for name in ("t", "residual", "accepted")})
    again = load_result(folder)
    assert again.t_error is again.identifiable is again.factor_t is None
    assert "identifiable" not in again.magnitudes_summary


@pytest.mark.parametrize("seed", range(3))
def test_discs_do_not_tell_by_how_much_they_were_rotated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = make_pairs(transform="rotation", range=50, pairs=300, noise=0.05, seed=seed)
    row, column = np.mgrid[:28, :28] - 13.5
    disc = 1 / (1 + np.exp(2 * (np.hypot(row, column) - rng.uniform(4, 9, (60, 1, 1)))))
    discs = [(disc + rng.normal(0, 0.05, disc.shape)).astype(np.float32) for _ in range(2)]
    source, target = (np.concatenate((a, b)) for a, b in zip((pairs.source, pairs.target), discs, strict=True))
    result = detect(source, target, random_state=seed)
    assert [g.generator.name for g in result.generators] == ["rotation"]
    assert result.identifiable is not None
    assert result.identifiable[300:].mean() < 0.2
    assert result.identifiable[:300].mean() > 0.8
    assert result.magnitudes_summary["identifiable"]["pairs"] == result.identifiable.sum()


def test_a_bar_is_ambiguous_after_half_a_turn() -> None:
    rng = np.random.default_rng(0)
    pairs = make_pairs(transform="rotation", range=80, pairs=300, seed=0)
    row, column = np.mgrid[:28, :28] - 13.5
    bars = []
    for angle in np.radians(rng.uniform(-80, 80, (40, 2)).cumsum(axis=1)).T:
        along = np.cos(angle)[:, None, None] * column - np.sin(angle)[:, None, None] * row
        across = np.sin(angle)[:, None, None] * column + np.cos(angle)[:, None, None] * row
        bars.append(np.exp(-((along / 7) ** 6) - (across / 1.7) ** 2).astype(np.float32))
    source, target = (np.concatenate((a, b)) for a, b in zip((pairs.source, pairs.target), bars, strict=True))
    result = detect(source, target)
    assert result.identifiable is not None
    assert result.identifiable[300:].mean() < 0.6
    assert result.identifiable[:300].mean() > 0.85


@pytest.mark.parametrize(("transform", "extent"), [("rotation", 60), ("translation-x", 6), ("scale", 0.4)])
def test_standard_errors_of_magnitudes_are_those_of_noise(transform: str, extent: float) -> None:
    pairs = make_pairs(transform=transform, range=extent, pairs=600, noise=0.1, seed=1)
    result = detect(pairs.source, pairs.target)
    assert result.t_error is not None
    assert pairs.magnitude is not None
    sign = np.sign(result.generators[0].generator.coefficients @ truth(pairs)[0])
    z = (sign * result.t - pairs.magnitude) / result.t_error
    assert 0.7 < np.median(np.abs(z)) / 0.6745 < 1.4


def test_identical_pairs_with_noise_are_alike_but_have_no_symmetry(digits: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    x = digits[:300] / 255
    noisy = [x + gaussian_filter(rng.normal(0, 0.2, x.shape), (0, 0.7, 0.7)) for _ in range(2)]
    result = detect(*noisy)
    assert result.verdict == "no symmetry"
    assert not result.t.size


def noisy_trials(seed: int) -> SpanTrials:
    return trials_of(make_pairs(transform="rotation", range=60, pairs=300, noise=0.1, seed=seed), seed)


def trials_of(pairs: Pairs, seed: int) -> SpanTrials:
    source, target = (np.asarray(x)[:, None] for x in (pairs.source, pairs.target))
    parts = split(np.arange(len(source)), seed)
    return SpanTrials(PairSet(source, target, GreyScale.of(target, parts[0]), torch.device("cpu")), affine(), *parts)


def test_groups_of_pairs_tell_a_covariance_that_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = noisy_trials(0)
    search = trials.fit(1)
    honest = variance_factor(trials, search)
    assert 0.4 < honest < 2.5
    covariance = JointEquations.covariance
    monkeypatch.setattr(JointEquations, "covariance", lambda self, span: covariance(self, span) / 9)
    assert variance_factor(trials, search) > 5 * honest


def test_a_span_of_all_fields_has_nothing_to_be_unsure_of() -> None:
    trials = noisy_trials(1)
    assert variance_factor(trials, trials.search_along(torch.eye(6))) == 1.0
