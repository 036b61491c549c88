"""Pairs of real pictures are what they say: a second route moves the source, and negatives are related by nothing."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from scipy import ndimage
from scipy.integrate import solve_ivp

from liescope.errors import InputError
from liescope.evaluation.benchmarks.pictures import negatives
from liescope.evaluation.benchmarks.pictures.kinds import KINDS, make_pictures
from liescope.evaluation.benchmarks.pictures.negatives import FORMS, NEGATIVES, make_negative
from liescope.evaluation.benchmarks.pictures.pairs import ROTATION, SCALE, TX, TY, Pictures, validity, windows
from liescope.evaluation.benchmarks.pictures.scenes import (
    CONFIRMING,
    FURTHER,
    PHOTOGRAPHS,
    SETS,
    TUNING,
    Scene,
    chosen_images,
    photograph,
)
from liescope.evaluation.benchmarks.pictures.windows import (
    INTERPOLATIONS,
    Camera,
    centres,
    flow_matrices,
    pixel_matrix,
)

HAS_SKIMAGE = importlib.util.find_spec("skimage") is not None
needs_skimage = pytest.mark.skipif(not HAS_SKIMAGE, reason="scikit-image is not installed")

WAVES = np.random.default_rng(7).uniform([-0.4, -0.4, 0, 0.5], [0.4, 0.4, 2 * np.pi, 1], (40, 4))


def drawn(row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """A picture by formula: waves of 11 pixels and more, from about 0 to 1."""
    waves = [a * np.cos(kr * row + kc * column + phase) for kr, kc, phase, a in WAVES]
    total: np.ndarray = 0.5 + np.sum(waves, axis=0) / (4 * np.sqrt(len(WAVES)))
    return total


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene.of("drawn", drawn(*np.mgrid[:360, :420].astype(float)))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize(("shape", "aspect"), [((40, 40), 1.0), ((33, 48), 1.0), ((48, 24), 0.5)])
@pytest.mark.parametrize("seed", range(3))
def test_a_window_reads_the_scene_where_its_points_come_from(scene, interpolation, shape, aspect, seed):
    random = np.random.default_rng(seed)
    motion = flow_matrices(0.15 * random.standard_normal((2, 6)), np.ones((1, 2)))[0]
    centre = (180.0 + random.uniform(-9, 9), 210.0 + random.uniform(-9, 9))
    seen = Camera(scene, shape, interpolation, aspect).look(centre, motion)
    row, column = np.mgrid[: shape[0], : shape[1]].astype(float)
    s = max(shape) / 2
    points = np.stack([(column - (shape[1] - 1) / 2) / s, ((shape[0] - 1) / 2 - row) / s, np.ones(shape)])
    x, y, _ = np.tensordot(np.linalg.inv(motion), points, axes=1)
    expected = drawn(centre[0] - s * y, centre[1] + s * x / aspect)
    tolerance = {"cubic": 1e-3, "linear": 0.03, "area": 0.04}[interpolation]
    np.testing.assert_allclose(seen, expected, atol=tolerance)


@pytest.mark.parametrize(
    ("generator", "t", "start", "end"),
    [
        (TX, 0.25, (20, 20), (20, 25)),
        (TY, 0.25, (20, 20), (15, 20)),
        (ROTATION, np.pi / 2, (20, 30), (10, 20)),
        (SCALE, np.log(2), (20, 26), (20, 32)),
    ],
)
def test_content_moves_along_the_arrows(generator, t, start, end):
    """A spot, row and column in a window of 41 pixels whose half side is 20.5."""
    row, column = np.mgrid[:121, :121]
    spot = np.exp(-((row - 40 - start[0]) ** 2 + (column - 40 - start[1]) ** 2) / 8.0)
    motion = flow_matrices(np.array([generator]), np.array([[t]]))[0]
    seen = Camera(Scene.of("spot", spot), (41, 41)).look((60, 60), motion)
    weight = seen.clip(0) / seen.clip(0).sum()
    where = [float((weight * index).sum()) for index in np.mgrid[:41, :41]]
    np.testing.assert_allclose(where, end, atol=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_matrices_end_the_flow(seed):
    random = np.random.default_rng(seed)
    generators, t, point = random.standard_normal((2, 6)), random.standard_normal((1, 2)), random.standard_normal(2)
    a = t[0] @ generators
    drift, linear = a[[0, 3]], a[[1, 2, 4, 5]].reshape(2, 2)
    end = solve_ivp(lambda _, p: drift + linear @ p, (0, 1), point, rtol=1e-10, atol=1e-12).y[:, -1]
    found = flow_matrices(generators, t)[0] @ [*point, 1.0]
    np.testing.assert_allclose(found, [*end, 1.0], rtol=1e-7)


def left_over(made: Pictures, motion: np.ndarray | None, n: int) -> float:
    """What scikit-image leaves of a target when it moves the source: brightness fitted, where all is known."""
    from skimage.transform import AffineTransform, warp

    p = pixel_matrix(made.shape)
    back = AffineTransform(np.linalg.inv(p @ (np.eye(3) if motion is None else motion) @ np.linalg.inv(p)))
    source_valid, target_valid = (stack[n] for stack in validity(made))
    source, target = (np.nan_to_num(np.asarray(stack[n], dtype=np.float64)) for stack in (made.source, made.target))
    # Hot pixels are no part of the scene.
    cold = (np.abs(source - np.median(source)) < 20 * np.ptp(np.quantile(source, [0.01, 0.99]))) & source_valid
    moved = warp(source, back, order=3, mode="edge", preserve_range=True)
    sure = warp(ndimage.binary_erosion(cold, iterations=4).astype(float), back, order=1, cval=0.0) > 0.999
    bright = np.abs(target - np.median(target)) < 20 * np.ptp(np.quantile(target, [0.01, 0.99]))
    sure &= target_valid & bright
    assert sure.mean() > 0.2
    known = np.column_stack([moved[sure], np.ones(sure.sum())])
    left = target[sure] - known @ np.linalg.lstsq(known, target[sure], rcond=None)[0]
    return float(left.var() / target[sure].var())


# Noise of both pictures, particles that come and go, corners that are darker whatever moves there, focus.
TOLERANCE = {"noise": 0.3, "particles": 0.5, "vignette": 0.05, "blur": 0.06}
TELLING = {"noise": 1.3}
"""How much less the true motion leaves than another one."""


@needs_skimage
@pytest.mark.parametrize("kind", [name for name, one in KINDS.items() if one.moved])
@pytest.mark.parametrize("seed", range(3))
def test_the_source_moved_as_is_said_is_the_target(scene, kind, seed):
    made = KINDS[kind].make(scene, seed, True)
    assert made.source.shape == made.target.shape
    assert made.motion is not None
    assert made.motion.shape == (len(made.source), 3, 3)
    chosen = range(0, len(made.source), max(1, len(made.source) // 4))
    true = [left_over(made, made.motion[n], n) for n in chosen]
    unmoved = [left_over(made, None, n) for n in chosen]
    assert np.max(true) < TOLERANCE.get(kind, 0.03)
    # The same measure sees that something has moved.
    telling = TELLING.get(kind, 3.0)
    assert np.median(unmoved) > telling * np.median(true)
    wrong = [left_over(made, made.motion[n] @ made.motion[n], n) for n in chosen]
    assert kind.startswith("half-turn") or np.median(wrong) > telling * np.median(true)


@pytest.mark.parametrize("kind", [name for name, one in KINDS.items() if one.moved and name != "particles"])
def test_motions_are_in_the_span_that_is_to_be_found(scene, kind):
    made = KINDS[kind].make(scene, 1, True)
    assert made.motion is not None
    if kind.startswith("half-turn"):
        # A half turn about any point, which a rotation and two shifts reach.
        np.testing.assert_allclose(
            made.motion[:, :2, :2], np.broadcast_to(-np.eye(2), (len(made.motion), 2, 2)), atol=1e-9
        )
        return
    # The series of the logarithm: motions are near the identity.
    step = made.motion - np.eye(3)
    power, log = step, step.copy()
    for k in range(2, 200):
        power = power @ step
        log += (-1) ** (k + 1) * power / k
    fields = np.stack([log[:, 0, 2], log[:, 0, 0], log[:, 0, 1], log[:, 1, 2], log[:, 1, 0], log[:, 1, 1]], axis=1)
    inside = np.linalg.lstsq(made.generators.T, fields.T, rcond=None)[0].T
    np.testing.assert_allclose(inside @ made.generators, fields, atol=1e-9)
    if made.t is not None:
        np.testing.assert_allclose(inside, made.t, atol=1e-9)
        assert made.t.std(axis=0).min() > 0


def test_missing_pixels_are_those_that_options_tell(scene):
    made = KINDS["nodata"].make(scene, 0, True)
    assert made.source.dtype == np.uint16
    valid, _ = validity(made)
    assert 0.5 < valid.mean() < 0.9
    assert (made.source[~valid] == 65535).all()
    assert made.source[valid].max() < 65535
    holes = KINDS["nan"].make(scene, 0, True)
    assert 0 < np.isnan(holes.source).mean() < 0.2
    np.testing.assert_array_equal(validity(holes)[1], np.isfinite(holes.target))
    dead = KINDS["mask"].make(scene, 0, True)
    assert not dead.source[:, ~dead.options["source_mask"]].any()


def test_brightness_is_as_it_is_said(scene):
    plain = KINDS["clean"].make(scene, 4, True)
    ratio = KINDS["exposure"].make(scene, 4, True).target / plain.target
    assert np.ptp(ratio, axis=(1, 2)).max() < 1e-9
    assert 0.25 <= ratio.min() < 0.7 < 1.4 < ratio.max() <= 4
    added = KINDS["offset"].make(scene, 4, True).target - plain.target
    assert np.ptp(added, axis=(1, 2)).max() < 1e-12
    assert 0 <= added.min() < added.max() <= 0.4
    for kind, count in (("hot", 1), ("hot-several", 5)):
        changed = (KINDS[kind].make(scene, 4, True).source != plain.source).all(axis=0)
        assert changed.sum() == count


@pytest.mark.parametrize(("kind", "axis"), [("mirror-rows", 1), ("mirror-columns", 2)])
def test_mirrored_targets_are_that(scene, kind, axis):
    made = KINDS[kind].make(scene, 0, True)
    np.testing.assert_array_equal(np.flip(made.target, axis), made.source)
    assert made.motion is None
    assert len(made.generators) == 0


def test_particles_move_by_their_shift(scene):
    """Positions of the correlation's peak, by the least squares of a parabola."""
    made = KINDS["particles"].make(scene, 2, False)
    spectra = np.conj(np.fft.fft2(made.source)) * np.fft.fft2(made.target)
    spectra[:, 0, 0] = 0
    peak = np.fft.ifft2(spectra).real.mean(axis=0)
    row, column = np.unravel_index(peak.argmax(), peak.shape)
    assert ((row + 32) % 64 - 32, column) == (0, 5)
    around = peak[row, [column - 1, column, column + 1]]
    offset = 0.5 * (around[0] - around[2]) / (around[0] - 2 * around[1] + around[2])
    assert column + offset == pytest.approx(5.3, abs=0.1)


def most_alike(source: np.ndarray, target: np.ndarray, reach: int = 8) -> float:
    """The largest correlation of a target with the source, turned by quarters and shifted by whole pixels."""
    best = -1.0
    inner = target[reach:-reach, reach:-reach]
    for turned in (np.rot90(source, k) for k in range(4)):
        for i in range(2 * reach + 1):
            for j in range(2 * reach + 1):
                part = turned[i : i + inner.shape[0], j : j + inner.shape[1]]
                best = max(best, float(np.corrcoef(part.ravel(), inner.ravel())[0, 1]))
    return best


@pytest.fixture
def on_the_drawn_scene(monkeypatch, scene):
    monkeypatch.setattr(negatives, "photograph", lambda name: scene)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [name for name in NEGATIVES if name not in ("noise", "identical")])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_unrelated_is_reached_by_no_shift_and_turn(on_the_drawn_scene, name, form, seed):
    made = make_negative(name, form, "camera", seed, tiny=True)
    chosen = range(0, len(made.source), 4)
    alike = [most_alike(made.source[n][:64, :64], made.target[n][:64, :64]) for n in chosen]
    assert np.max(alike) < 0.75
    assert made.motion is None


@pytest.mark.parametrize("seed", range(2))
def test_the_same_measure_sees_pairs_that_are_related(scene, seed):
    made = windows(scene, seed, [TX], np.full((3, 1), 3 / 32), "translation", side=64, reach=40)
    assert min(most_alike(*pair) for pair in zip(made.source, made.target, strict=True)) > 0.95


@pytest.mark.parametrize("form", FORMS)
def test_unrelated_windows_share_no_pixel(monkeypatch, form):
    """Every pixel of this scene has a grey value of its own."""
    numbered = Scene.of("numbered", np.arange(360.0 * 420).reshape(360, 420))
    monkeypatch.setattr(negatives, "photograph", lambda name: numbered)
    made = make_negative("unrelated", form, "camera", 1, tiny=True)
    for source, target in zip(made.source, made.target, strict=True):
        assert not np.intersect1d(np.rint(source), np.rint(target)).size


@pytest.mark.parametrize("seed", range(3))
def test_what_a_changed_picture_keeps(seed):
    random = np.random.default_rng(seed)
    picture = ndimage.gaussian_filter(random.standard_normal((64, 64)), 2)
    scrambled = negatives.scrambled(picture, random)
    np.testing.assert_allclose(np.abs(np.fft.fft2(scrambled)), np.abs(np.fft.fft2(picture)), atol=1e-9)
    assert abs(np.corrcoef(scrambled.ravel(), picture.ravel())[0, 1]) < 0.6
    shuffled = negatives.shuffled_blocks(picture, random)
    np.testing.assert_array_equal(np.sort(shuffled, axis=None), np.sort(picture, axis=None))
    moved = (shuffled != picture).reshape(8, 8, 8, 8).swapaxes(1, 2).reshape(64, 64).all(axis=1)
    assert moved.all()


@pytest.mark.parametrize("form", FORMS)
def test_nothing_moves_between_two_exposures(on_the_drawn_scene, form):
    noisy = make_negative("noise", form, "camera", 0, tiny=True)
    apart = noisy.target - noisy.source
    assert apart.std() == pytest.approx(0.05 * np.sqrt(2), rel=0.05)
    assert abs(apart.mean()) < 0.01
    same = make_negative("identical", form, "camera", 0, tiny=True)
    np.testing.assert_array_equal(same.source, same.target)
    assert same.motion is not None
    np.testing.assert_array_equal(same.motion, np.broadcast_to(np.eye(3), same.motion.shape))


@pytest.mark.parametrize("kind", ["exposure", "film-turn", "nan", "particles"])
def test_a_seed_makes_the_same_pairs_again_and_another_does_not(scene, kind):
    first, again, other = (KINDS[kind].make(scene, seed, True) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.source, again.source)
    np.testing.assert_array_equal(first.target, again.target)
    assert not np.array_equal(first.source, other.source)


def test_places_keep_their_distance_from_the_border_and_show_something():
    grey = np.zeros((200, 260))
    grey[:, 130:] = np.random.default_rng(0).uniform(0, 1, (200, 130))
    camera = Camera(Scene.of("half", grey), (32, 32))
    places = centres(camera, 200, 40, np.random.default_rng(1), 0.2)
    assert places.min() >= 39.5
    assert (places <= np.array([160, 220])).all()
    assert all(camera.look(place).std() >= 0.2 for place in places)
    # An even window's pixels are pixels of the scene.
    row, column = (int(x + 0.5) for x in places[0])
    np.testing.assert_allclose(camera.look(places[0]), grey[row - 16 : row + 16, column - 16 : column + 16], atol=1e-9)


def test_what_is_adjusted_on_is_not_what_is_measured_on():
    assert not set(TUNING) & set(CONFIRMING)
    assert {*TUNING, *CONFIRMING, *FURTHER} == set(PHOTOGRAPHS)
    assert len(TUNING) == len(CONFIRMING) == 4
    assert chosen_images(None) == CONFIRMING
    assert chosen_images(("tuning", "camera", "moon")) == (*TUNING, "moon")
    assert set(SETS) == {"tuning", "confirming", "further"}


@needs_skimage
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_come_with_their_packages(name):
    one = photograph(name)
    assert min(one.grey.shape) >= 300
    assert 0 <= one.grey.min() < one.grey.max() <= 1
    assert one.grey.std() > 0.04


@needs_skimage
@pytest.mark.parametrize("name", ["astronaut", "hubble_deep_field"])
def test_a_photograph_is_that_of_its_package(name):
    from skimage import data

    picture = np.asarray(getattr(data, name)(), dtype=float)
    np.testing.assert_allclose(photograph(name).grey, picture.mean(axis=-1) / 255, atol=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_pictures("claen", "camera", 0), "unknown kind 'claen'. Did you mean 'clean'?"),
        (lambda: make_negative("noize", "set", "camera", 0), "unknown kind 'noize'. Did you mean 'noise'?"),
        (lambda: make_negative("noise", "sets", "camera", 0), "expected one of set, film, single, got 'sets'"),
        (lambda: photograph("camra"), "unknown picture 'camra'. Did you mean 'camera'?"),
        (lambda: chosen_images(("tunning",)), "unknown picture 'tunning'. Did you mean 'tuning'?"),
    ],
)
def test_an_unknown_name_is_told(call, message):
    with pytest.raises(InputError, match=r"unknown|expected") as raised:
        call()
    assert message in str(raised.value)
