"""The detector end to end on real digits transformed by scipy: the answer, its stability, scikit-learn's rules."""

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from liescope import SymmetryDetector, detect
from liescope.data import Pairs, load_corpus, make_pairs
from liescope.errors import InputError
from liescope.evaluation import field_cosine, magnitude_error, principal_angles, wasserstein
from liescope.geometry import affine, field_basis
from liescope.inference import find_modes

DEFAULTS: dict[str, Any] = {"transform": "rotation", "range": 60}


def digits(count: int = 600, **settings: Any) -> Pairs:
    return make_pairs(**(DEFAULTS | {"pairs": count} | settings))


@pytest.fixture(scope="module")
def rotations() -> Pairs:
    return digits(200)


@pytest.fixture(scope="module")
def fitted(rotations: Pairs) -> SymmetryDetector:
    return SymmetryDetector().fit(rotations.source, rotations.target)


CASES = [
    ({"transform": "rotation", "range": 90}, "rotation"),
    ({"transform": "rotation", "range": 60, "centre": (18, 10)}, "rotation"),
    ({"transform": "scale", "range": 0.45}, "scale"),
    ({"transform": "translation-x", "range": 7}, "translation-x"),
    ({"transform": "translation-y", "range": 7}, "translation-y"),
    ({"transform": "shear-x", "range": 0.6}, "shear-x"),
    ({"transform": "shear-y", "range": 0.6}, "shear-y"),
    ({"transform": "hyperbolic", "range": 0.4}, "hyperbolic"),
    ({"transform": "spiral", "range": 60}, "spiral"),
]


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize(("settings", "name"), CASES, ids=[f"{n}-{i}" for i, (_, n) in enumerate(CASES)])
def test_the_right_generator_and_magnitudes(settings: dict[str, Any], name: str, order: int) -> None:
    for seed in (0, 1):
        pairs = digits(150, order=order, seed=seed, **settings)
        result = detect(pairs.source, pairs.target, random_state=seed)
        truth = pairs.meta["generators"][0]
        assert [g.generator.name for g in result.generators] == [name]
        found = result.generators[0].generator.coefficients
        assert field_cosine(found, truth) >= 0.9995
        assert pairs.magnitude is not None
        sign = np.sign(found @ truth)
        error = magnitude_error(result.t[:, 0], pairs.magnitude[:, 0], sign)
        # A translation made by nearest neighbour is one by whole pixels: a quarter of a pixel is lost in the images.
        rounding = 0.25 / 14 if order == 0 and name.startswith("translation") else 0.0
        assert np.median(error) <= 0.01 + rounding
        assert result.accepted.mean() > 0.98


@pytest.mark.parametrize(
    ("law", "modes"), [("uniform", 1), ("normal", 1), ("two-modal", 2), ("four-modal", 4), ("five-modal", 5)]
)
@pytest.mark.parametrize(("transform", "extent"), [("rotation", 90), ("translation-x", 7)])
def test_the_law_of_t(law: str, modes: int, transform: str, extent: float) -> None:
    pairs = digits(500, law=law, transform=transform, range=extent)
    result = detect(pairs.source, pairs.target)
    assert pairs.magnitude is not None
    sign = np.sign(result.generators[0].generator.coefficients @ pairs.meta["generators"][0])
    assert wasserstein(result.t[:, 0], pairs.magnitude[:, 0], sign) <= 0.01
    assert len(find_modes(result.t[:, 0])) == modes


@pytest.mark.parametrize(("noise", "bound"), [(0.1, 0.999), (0.2, 0.99)])
@pytest.mark.parametrize(("transform", "extent"), [("rotation", 90), ("scale", 0.45), ("shear-x", 0.6)])
def test_noise(noise: float, bound: float, transform: str, extent: float) -> None:
    pairs = digits(250, noise=noise, transform=transform, range=extent)
    result = detect(pairs.source, pairs.target)
    assert len(result.generators) == 1
    assert field_cosine(result.generators[0].generator.coefficients, pairs.meta["generators"][0]) >= bound


@pytest.mark.parametrize(("transform", "extent"), [("sct-x", 0.5), ("sct-y", 0.5), ("rotation", 90)])
def test_quadratic_basis(transform: str, extent: float) -> None:
    pairs = digits(150, transform=transform, range=extent)
    result = detect(pairs.source, pairs.target, basis="quadratic")
    generator = result.generators[0].generator
    assert [g.generator.name for g in result.generators] == [transform]
    truth = np.asarray(pairs.meta["generators"][0])
    if len(truth) == 6:
        truth = np.r_[truth[:3], 0, 0, 0, truth[3:], 0, 0, 0]
    assert field_cosine(generator.coefficients, truth, "quadratic") >= 0.999


@pytest.mark.parametrize(
    ("transform", "extent", "algebra"),
    [
        ("rotation+scale", [45, 0.3], "so(2)+gl(1)"),
        ("translation-x+translation-y", [4, 4], "t(2)"),
        ("rotation+translation-x+translation-y", [45, 4, 4], "se(2)"),
    ],
)
def test_several_generators(transform: str, extent: list[float], algebra: str) -> None:
    pairs = digits(300, transform=transform, range=extent)
    result = detect(pairs.source, pairs.target)
    assert result.algebra["name"] == algebra
    found = np.stack([g.generator.coefficients for g in result.generators])
    assert principal_angles(found, pairs.meta["generators"]).max() < 3
    moved = result.transform(pairs.source, result.t)
    inside = np.square(moved - pairs.target).sum() / np.square(pairs.source - pairs.target).sum()
    assert inside < 0.02


# What the plan did not expect ---------------------------------------------------------------------------------


def test_any_dtype_offset_and_scale_give_the_same_answer(rotations: Pairs, fitted: SymmetryDetector) -> None:
    expected = fitted.magnitudes_
    for convert in (
        lambda a: (a * 255).astype(np.uint8),
        lambda a: a.astype(np.float64),
        lambda a: 1000 * a - 400,
        lambda a: 3 - a,
    ):
        found = detect(convert(rotations.source), convert(rotations.target))
        assert np.median(np.abs(found.t - expected)) < 1e-3


def test_three_channels_non_square_and_flattened(rotations: Pairs) -> None:
    def colour(a: np.ndarray) -> np.ndarray:
        return np.stack((a, 0.5 * a, a**2), axis=1)

    def wide(a: np.ndarray) -> np.ndarray:
        return np.pad(a, ((0, 0), (0, 0), (8, 8)))

    assert detect(colour(rotations.source), colour(rotations.target)).generators[0].generator.name == "rotation"
    result = detect(wide(rotations.source), wide(rotations.target))
    assert result.generators[0].generator.name == "rotation"
    assert result.generators[0].generator.centre_px == pytest.approx((21.5, 13.5), abs=0.05)


def test_flattened_images_need_their_shape_once(rotations):
    x, y = (a.reshape(len(a), -1) for a in (rotations.source, rotations.target))
    detector = SymmetryDetector().fit(x, y, image_shape=(28, 28))
    assert detector.generators_[0].name == "rotation"
    told = detector.predict_magnitude(x[:20], y[:20], image_shape=(28, 28))
    np.testing.assert_array_equal(detector.predict_magnitude(x[:20], y[:20]), told)
    # scikit-learn's searches pass parameters on to fit alone.
    search = GridSearchCV(SymmetryDetector(), {"n_generators": [1]}, cv=2).fit(x, y, image_shape=(28, 28))
    assert search.best_score_ > 0.9
    with pytest.raises(InputError, match="784 pixels"):
        detector.score(x[:20, :700], y[:20, :700])


def test_wild_and_blank_pairs_are_found_out() -> None:
    rotations = digits()
    rng = np.random.default_rng(0)
    source, target = rotations.source.copy(), rotations.target.copy()
    wild = rng.choice(len(source), 180, replace=False)
    target[wild] = rotations.target[rng.permutation(wild)]
    blank = np.setdiff1d(np.arange(len(source)), wild)[:50]
    source[blank] = target[blank] = 0
    huge = np.setdiff1d(np.arange(len(source)), np.r_[wild, blank])[:10]
    target[huge] = 1e4 * rng.normal(size=target[huge].shape)
    result = detect(source, target)
    generator = result.generators[0].generator
    assert len(result.generators) == 1
    assert field_cosine(generator.coefficients, rotations.meta["generators"][0]) >= 0.9995
    assert not result.accepted[blank].any()
    assert not result.accepted[huge].any()
    assert (~result.accepted[wild]).mean() > 0.9
    good = np.setdiff1d(np.arange(len(source)), np.r_[wild, blank, huge])
    assert result.accepted[good].mean() > 0.98


@pytest.mark.parametrize("kind", ["identical", "blank", "constant to image", "unrelated", "noise"])
def test_no_symmetry_is_an_answer(kind: str, rotations: Pairs) -> None:
    rng = np.random.default_rng(1)
    x = rotations.source
    source, target = {
        "identical": (x, x),
        "blank": (0 * x, 0 * x),
        "constant to image": (0 * x + 0.5, x),
        "unrelated": (x, x[rng.permutation(len(x))]),
        "noise": (rng.normal(size=x.shape), rng.normal(size=x.shape)),
    }[kind]
    result = detect(source, target)
    assert result.verdict == "no symmetry"
    assert result.t.shape == (len(x), 0)
    assert not result.accepted.any()
    assert np.isfinite(result.residual).all()


def test_eight_pairs_are_enough_for_a_clear_rotation(rotations: Pairs) -> None:
    result = detect(rotations.source[:8], rotations.target[:8])
    assert [g.generator.name for g in result.generators] == ["rotation"]


@pytest.mark.parametrize("shape", [(8, 64), (100, 16), (12, 200), (20, 600)])
@pytest.mark.parametrize("along", ["x", "y"])
def test_elongated_images(shape: tuple[int, int], along: str) -> None:
    rng = np.random.default_rng(0)
    short = min(shape)
    # Texture everywhere: a single blob could as well be turned about a far centre as shifted. It fades towards the
    # borders, so that nothing enters or leaves.
    source = ndimage.gaussian_filter(rng.normal(size=(40, *shape)), (0, 0.08 * short, 0.08 * short))
    source *= np.hanning(shape[0] + 2)[1:-1, None] ** 2 * np.hanning(shape[1] + 2)[1:-1] ** 2
    shift = rng.uniform(-0.15, 0.15, 40) * short
    target = np.stack(
        [
            ndimage.shift(image, (0, d) if along == "x" else (-d, 0), mode="grid-constant")
            for image, d in zip(source, shift, strict=True)
        ]
    )
    result = detect(source, target)
    assert [g.generator.name for g in result.generators] == [f"translation-{along}"]
    assert np.median(np.abs(result.natural[:, 0] - shift)) < 0.02 * short


@pytest.mark.parametrize(("factor", "offset"), [(1e25, 0.0), (1e-25, 0.0), (1e100, 0.0), (1.0, 1e7)])
def test_any_numeric_range(factor: float, offset: float, rotations: Pairs, fitted: SymmetryDetector) -> None:
    source, target = (factor * a.astype(np.float64) + offset for a in (rotations.source, rotations.target))
    assert np.median(np.abs(detect(source, target).t - fitted.magnitudes_)) < 1e-3


def test_a_generator_that_is_not_in_the_data_is_not_sold(rotations: Pairs) -> None:
    result = detect(rotations.source, rotations.target, n_generators=2)
    assert result.generators[0].generator.name == "rotation"
    assert result.generators[1].direction_error_deg > 30
    assert "speak for 1 only" in result.reason


def test_degrees_of_a_spiral_count_counter_clockwise() -> None:
    # It turns counter-clockwise while it shrinks: the gauge counts growth, the unit must still count turns.
    pairs = digits(transform="generator:0,-1.2,-1,0,1,-1.2", range=0.35, order=3)
    result = detect(pairs.source, pairs.target)
    assert [g.generator.name for g in result.generators] == ["spiral"]
    assert pairs.magnitude is not None
    degrees = np.degrees(pairs.magnitude[:, 0] * pairs.meta["generators"][0][4])
    assert np.median(np.abs(result.natural[:, 0] - degrees)) < 0.2


def test_samples_and_flow_keep_a_bright_background(rotations: Pairs) -> None:
    detector = SymmetryDetector().fit(1 - rotations.source, 1 - rotations.target)
    samples = detector.result_.samples
    assert samples is not None
    assert np.square(samples.transported - samples.target).mean() < 1e-3
    moved = detector.flow(1 - rotations.source[:50], detector.magnitudes_[:50, 0])
    assert np.square(moved - (1 - rotations.target[:50])).mean() < 1e-3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"a": lambda x, y: (-y, x), "b": lambda x, y: (-2 * y, 2 * x)}, "independent"),
        ({"a": lambda x, y: (x / (x * 0), y)}, "finite"),
        ({"a": lambda x, y: (np.sin(y.numpy()), x)}, "torch tensors"),
    ],
)
def test_bases_that_cannot_work_are_refused(fields: dict[str, Any], message: str, rotations: Pairs) -> None:
    with pytest.raises(InputError, match=message):
        detect(rotations.source, rotations.target, basis=field_basis(fields))


def test_threads_of_torch_are_put_back_and_do_not_change_the_answer(rotations: Pairs, fitted: SymmetryDetector) -> None:
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found = detect(rotations.source, rotations.target)
            assert torch.get_num_threads() == threads
            np.testing.assert_allclose(found.t, fitted.magnitudes_, atol=2e-3)
    finally:
        torch.set_num_threads(before)


def test_a_basis_without_the_truth_says_so(rotations: Pairs) -> None:
    assert detect(rotations.source, rotations.target, basis="translations").verdict == "no symmetry"


def test_bases_of_ones_own(rotations: Pairs) -> None:
    swirl = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))})
    result = detect(rotations.source, rotations.target, basis=affine() + swirl)
    assert result.generators[0].generator.name == "rotation"


def test_large_images_are_registered_to_a_fraction_of_a_pixel() -> None:
    digits_112 = np.kron(load_corpus("mnist-5k").images[:120], np.ones((4, 4), dtype=np.uint8))
    from liescope.data import pairs_from

    pairs = pairs_from(digits_112, transform="translation-x", range=28, order=1)
    result = detect(pairs.source, pairs.target)
    assert pairs.magnitude is not None
    generator = result.generators[0].generator
    sign = np.sign(generator.coefficients @ pairs.meta["generators"][0])
    pixels = np.abs(sign * result.t[:, 0] - pairs.magnitude[:, 0]) * generator.unit_per_t
    assert np.median(pixels) < 0.1


# The estimator ------------------------------------------------------------------------------------------------


def test_same_seed_same_bits(rotations: Pairs, fitted: SymmetryDetector) -> None:
    again = clone(fitted).fit(rotations.source, rotations.target)
    np.testing.assert_array_equal(again.magnitudes_, fitted.magnitudes_)
    np.testing.assert_array_equal(again.generators_[0].coefficients, fitted.generators_[0].coefficients)
    np.testing.assert_array_equal(again.result_.residual, fitted.result_.residual)


def test_prediction_on_the_training_pairs_is_what_fit_found(rotations: Pairs, fitted: SymmetryDetector) -> None:
    found = fitted.predict_magnitude(rotations.source, rotations.target)
    np.testing.assert_allclose(found, fitted.magnitudes_, atol=0.02)
    one = fitted.predict_magnitude(rotations.source[:1], rotations.target[:1])
    assert one.shape == (1, 1)


def test_prediction_score_and_flow_on_new_pairs(fitted: SymmetryDetector) -> None:
    fresh = digits(200, seed=9)
    assert fresh.magnitude is not None
    found = fitted.predict_magnitude(fresh.source, fresh.target)[:, 0]
    assert np.median(np.abs(found - fresh.magnitude[:, 0])) < 0.01
    assert fitted.score(fresh.source, fresh.target) > 0.99
    assert fitted.score(fresh.source, fresh.target[::-1]) < 0.6
    moved = fitted.flow(fresh.source, found[:, None])
    assert np.abs(moved - fresh.target).mean() < 0.01


def test_pickle_clone_and_parameters(rotations: Pairs, fitted: SymmetryDetector) -> None:
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_allclose(
        copy.predict_magnitude(rotations.source[:5], rotations.target[:5]), fitted.magnitudes_[:5], atol=0.02
    )
    changed = clone(fitted).set_params(basis="conformal", n_generators=1)
    assert changed.get_params()["basis"] == "conformal"
    assert not hasattr(changed, "generators_")
    changed.fit(rotations.source[:100], rotations.target[:100])
    assert changed.generators_[0].name == "rotation"


def test_grid_search_prefers_the_basis_that_holds_the_truth(rotations: Pairs) -> None:
    search = GridSearchCV(SymmetryDetector(), {"basis": ["translations", "affine"]}, cv=2)
    search.fit(rotations.source[:120], rotations.target[:120])
    assert search.best_params_ == {"basis": "affine"}


def test_init_only_stores() -> None:
    detector = SymmetryDetector(engine="nonsense", basis="nonsense", n_generators=-3)
    assert detector.basis == "nonsense"


def test_all_bad_parameters_are_told_at_once(rotations: Pairs) -> None:
    bad = SymmetryDetector(engine="regist", basis="afine", n_generators=0, random_state=-1)
    with pytest.raises(InputError) as caught:
        bad.fit(rotations.source, rotations.target)
    message = str(caught.value)
    for part in (
        "'regist'",
        "Did you mean 'registration'",
        "Did you mean 'affine'",
        "n_generators",
        "random_state",
    ):
        assert part in message
    assert "\n" not in message
    with pytest.raises(InputError, match="at most 6"):
        SymmetryDetector(n_generators=7).fit(rotations.source, rotations.target)


def test_unfitted_and_wrong_shapes(rotations: Pairs, fitted: SymmetryDetector) -> None:
    with pytest.raises(NotFittedError):
        SymmetryDetector().predict_magnitude(rotations.source, rotations.target)
    with pytest.raises(InputError, match="as fitted"):
        fitted.predict_magnitude(np.zeros((3, 20, 20)), np.zeros((3, 20, 20)))


def test_progress_goes_forward(rotations: Pairs) -> None:
    seen: list[tuple[str, float]] = []
    detect(rotations.source, rotations.target, progress=lambda stage, done: seen.append((stage, done)))
    stages = list(dict.fromkeys(stage for stage, _ in seen))
    assert len(stages) >= 2
    for stage in stages:
        values = [done for s, done in seen if s == stage]
        assert values == sorted(values)
        assert 0 <= values[0] <= values[-1] <= 1
