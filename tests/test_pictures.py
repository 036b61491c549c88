"""Pictures with content up to their border: moved by scipy, found by the engine, or refused for the right reason."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import ndimage as nd

from liescope import SymmetryDetector, detect, load_result
from liescope.errors import InputError
from liescope.evaluation import principal_angles

skimage = pytest.importorskip("skimage", reason="scikit-image has the pictures")

SIDE, PAIRS = 56, 12
SHIFT_X, SHIFT_Y = [1.0, 0, 0, 0, 0, 0], [0.0, 0, 0, 1, 0, 0]
TURN, ZOOM = [0.0, 0, -1, 0, 1, 0], [0.0, 1, 0, 0, 0, 1]


@cache
def scene(name: str) -> np.ndarray:
    from skimage import data

    image = np.asarray(getattr(data, name)(), dtype=np.float64)
    return (image.mean(-1) if image.ndim == 3 else image) / 255


def window(
    name: str, centre: Any, dx: float = 0.0, dy: float = 0.0, angle: float = 0.0, zoom: float = 1.0
) -> np.ndarray:
    """A window of a larger scene; its content turned by degrees and zoomed about the centre, then moved, y up."""
    i, j = np.mgrid[:SIDE, :SIDE]
    x, y = j - (SIDE - 1) / 2 - dx, (SIDE - 1) / 2 - i - dy
    a = np.deg2rad(angle)
    xs, ys = (np.cos(a) * x + np.sin(a) * y) / zoom, (-np.sin(a) * x + np.cos(a) * y) / zoom
    values: np.ndarray = nd.map_coordinates(scene(name), [centre[0] - ys, centre[1] + xs], order=3)
    return values


def windows(name: str, moves: list[dict[str, float]], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Windows with something in them, and the same moved."""
    rng = np.random.default_rng(seed)
    places: list[list[int]] = []
    while len(places) < len(moves):
        centre = [int(rng.integers(60, size - 60)) for size in scene(name).shape]
        if window(name, centre).std() > 0.05:
            places.append(centre)
    source = np.stack([window(name, c) for c in places])
    return source, np.stack([window(name, c, **m) for c, m in zip(places, moves, strict=True)])


def uniform(reach: float, seed: int = 0, count: int = PAIRS) -> np.ndarray:
    return np.random.default_rng(seed + 100).uniform(-reach, reach, count)


def shifted(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dx = uniform(6, seed)
    return *windows("astronaut", [{"dx": v} for v in dx], seed), dx


def found(result: Any) -> list[np.ndarray]:
    return [np.asarray(g.generator.coefficients) for g in result.generators]


def off_by(result: Any, truth: list[list[float]]) -> float:
    """Largest angle between the found span and the true one, in degrees."""
    return float(np.max(principal_angles(np.stack(found(result)), np.array(truth, float), shape=(SIDE, SIDE))))


def explained(t: np.ndarray, truth: np.ndarray) -> float:
    """R2 of magnitudes that are known up to sign and scale."""
    return float(np.corrcoef(np.asarray(t)[:, 0], truth)[0, 1] ** 2)


@pytest.mark.parametrize(
    ("kind", "generator", "reach", "name", "seed"),
    [("dx", SHIFT_X, 7.0, "translation-x", 1), ("angle", TURN, 25.0, "rotation", 2), ("log", ZOOM, 0.2, "scale", 3)],
)
def test_windows_of_a_photograph(kind, generator, reach, name, seed):
    t = uniform(reach, seed)
    moves = [{"zoom": float(np.exp(v))} if kind == "log" else {kind: float(v)} for v in t]
    result = detect(*windows("astronaut", moves, seed))
    assert (result.verdict, [g.generator.name for g in result.generators]) == ("symmetry", [name])
    assert off_by(result, [generator]) < 1
    assert explained(result.t, t) > 0.99
    assert result.accepted_fraction >= 0.8
    assert (result.evidence["null"], result.evidence["border"]) == ("mirrored", "unknown")


def _brighter(seed: int, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return source, target * 2.0 ** rng.uniform(-2, 2, (len(target), 1, 1)) + rng.uniform(0, 0.4, (len(target), 1, 1))


def _hot(seed: int, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spot = np.isin(np.arange(SIDE**2), np.random.default_rng(seed).choice(SIDE**2, 3, replace=False))
    return tuple(np.where(spot.reshape(SIDE, SIDE), 16.0, x) for x in (source, target))  # type: ignore[return-value]


def _not_a_number(seed: int, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gap = np.zeros((SIDE, SIDE), bool)
    gap[10:20, 30:45] = True
    return np.where(gap, np.nan, source), np.where(gap, np.nan, target)


@pytest.mark.parametrize("change", [_brighter, _hot, _not_a_number])
def test_what_is_no_motion_changes_nothing(change):
    source, target, dx = shifted()
    result = detect(*change(0, source, target))
    assert [g.generator.name for g in result.generators] == ["translation-x"]
    assert off_by(result, [SHIFT_X]) < 1
    assert explained(result.t, dx) > 0.99
    assert len(result.evidence["fixed_pixels"]) == (3 if change is _hot else 0)


def test_a_value_for_no_data_and_a_mask_say_the_same():
    source, target, dx = shifted()
    dead = np.zeros((SIDE, SIDE), bool)
    dead[:8], dead[:, :5] = True, True
    marked = [np.where(dead, -1.0, x) for x in (source, target)]
    by_value = detect(*marked, nodata=-1.0)
    by_mask = detect(*marked, source_mask=~dead, target_mask=~dead)
    np.testing.assert_allclose(by_value.t, by_mask.t, atol=1e-9)
    assert off_by(by_value, [SHIFT_X]) < 1
    assert explained(by_value.t, dx) > 0.99


def test_one_pair_is_measured():
    result = detect(*windows("astronaut", [{"angle": 20.0}], 3))
    assert [g.generator.name for g in result.generators] == ["rotation"]
    assert abs(abs(result.natural[0, 0]) - 20) < 0.5
    assert "1 pair cannot show a law" in result.reason


def test_a_film_of_one_scene_that_shakes():
    rng = np.random.default_rng(2)
    places = rng.uniform(-5, 5, (14, 2))
    frames = np.stack([window("astronaut", (150, 230), dx=a, dy=b) for a, b in places])
    result = detect(frames=frames, lags=[1])
    assert off_by(result, [SHIFT_X, SHIFT_Y]) < 1
    moved = np.diff(places, axis=0) * 2 / SIDE
    along = np.stack(found(result), axis=0)[:, [0, 3]]
    np.testing.assert_allclose(result.t @ along, moved, atol=0.1 * 2 / SIDE)


@pytest.mark.parametrize(("axis", "words"), [(1, "top and bottom"), (2, "left and right")])
def test_mirror_images_are_told(axis, words):
    source, _, _ = shifted()
    result = detect(source, np.flip(source, axis))
    assert (result.verdict, result.generators) == ("no symmetry", ())
    assert f"mirror image of its source: {words}" in result.reason


@pytest.mark.parametrize(
    ("kind", "seed"),
    [("unrelated", 0), ("unrelated", 1), ("scrambled", 2), ("noise", 0), ("noise", 3), ("identical", 1)],
)
def test_nothing_is_claimed_where_nothing_moves(kind, seed):
    source, target, _ = shifted(seed)
    rng = np.random.default_rng(seed)
    if kind == "unrelated":
        target = np.roll(target, 5, axis=0)
    elif kind == "scrambled":
        spectrum = np.abs(np.fft.fft2(target)) * np.exp(1j * np.angle(np.fft.fft2(rng.normal(size=target.shape))))
        target = np.fft.ifft2(spectrum).real
    elif kind == "noise":
        source, target = (source + rng.normal(0, 0.05, source.shape) for _ in range(2))
    else:
        target = source
    result = detect(source, target)
    assert (result.verdict, result.generators) == ("no symmetry", ())
    expected = {"noise": "nothing is moved", "identical": "same image"}.get(kind, "mirror images")
    assert expected in result.reason


def test_the_other_way_round_t_changes_its_sign():
    source, target, _ = shifted()
    one, other = detect(source, target), detect(target, source)
    sign = np.sign(found(one)[0][0] * found(other)[0][0])
    np.testing.assert_allclose(one.t * sign, -other.t, atol=0.05 * 2 / SIDE)


def test_a_result_measures_again_what_it_was_found_on(tmp_path):
    source, target, _ = shifted()
    detector = SymmetryDetector().fit(source, target)
    detector.result_.save(tmp_path / "found")
    fitted = load_result(tmp_path / "found").fitted
    assert fitted is not None
    t = fitted.measure(source[:, None], target[:, None]).t
    np.testing.assert_allclose(t, detector.magnitudes_, atol=2e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nodata": 77.0}, "expected pixels of value nodata=77.0, got none"),
        ({"source_mask": np.ones((3, 3), bool)}, "expected source_mask as booleans of shape"),
        ({"target_mask": np.zeros((SIDE, SIDE), bool)}, "expected valid pixels"),
        ({"target_mask": np.ones((7, SIDE, SIDE), bool)}, "expected target_mask as booleans of shape"),
        (
            {
                "source_mask": np.broadcast_to(np.arange(SIDE) < SIDE // 2, (SIDE, SIDE)),
                "target_mask": np.broadcast_to(np.arange(SIDE) >= SIDE // 2, (SIDE, SIDE)),
            },
            "expected at least 25 pixels that are valid in source and target of some pair",
        ),
        ({"border": "black"}, "unknown border 'black'"),
    ],
)
def test_bad_masks_are_one_line(options, message):
    source, target, _ = shifted()
    with pytest.raises(InputError, match=message) as caught:
        detect(source, target, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", ["nothing", "a patch", "opposite sides"])
def test_pairs_of_which_too_little_is_valid_are_left_out_and_counted(kept):
    source, target, dx = shifted()
    masks = np.ones((2, *source.shape), dtype=bool)
    out = np.array([0, 5, 11])
    masks[:, out] = False
    if kept == "a patch":
        masks[:, out, 20:24, 20:26] = True
    elif kept == "opposite sides":
        masks[0, out, :, :20] = True
        masks[1, out, :, -20:] = True
    result = detect(source, target, source_mask=masks[0], target_mask=masks[1])
    assert "3 pairs have fewer than 25 pixels that are valid in both images, and are left out" in result.reason
    assert not result.accepted[out].any()
    others = np.delete(np.arange(len(dx)), out)
    assert result.accepted[others].all()
    assert explained(result.t[others], dx[others]) > 0.999
    # The finding does not look at them.
    alone = detect(source[others], target[others], source_mask=masks[0, others], target_mask=masks[1, others])
    np.testing.assert_allclose(np.abs(found(result)[0] @ found(alone)[0]), 1, atol=1e-4)


def test_a_pair_of_which_a_part_is_valid_is_measured():
    source, target, dx = shifted()
    mask = np.ones(source.shape, dtype=bool)
    mask[3] = False
    mask[3, 12:44, 12:44] = True
    result = detect(source, target, source_mask=mask)
    assert "left out" not in result.reason
    assert result.accepted[3]
    assert abs(abs(result.natural[3, 0]) - abs(dx[3])) < 0.2


def test_the_words_name_the_null_that_was_asked():
    source, target, _ = shifted()
    moved, flipped = detect(source, target).summary(), detect(source, source[:, ::-1]).summary()
    for words in (moved, flipped):
        assert "Mirror images of the targets" in words
        assert "targets of other pairs" not in words
    assert "blocks of pixels that the fit did not see" in moved


@pytest.mark.parametrize(("name", "seed"), [("coffee", 0), ("camera", 1)])
def test_noise_hides_pixels_but_not_motions(name, seed):
    """Smooth windows in noise as large as what single pixels tell, and four targets that belong to other sources."""
    count, strangers = 24, 4
    rng, dx = np.random.default_rng(seed), uniform(5, seed, count)
    places = [[int(rng.integers(60, size - 60)) for size in scene(name).shape] for _ in range(8 * count)]
    places = [centre for centre in places if window(name, centre).std() > 0.02][:count]
    source = np.stack([window(name, c) for c in places])
    target = np.stack([window(name, c, dx=v) for c, v in zip(places, dx, strict=True)])
    target[-strangers:] = np.roll(target[-strangers:], 1, axis=0)
    noisy = [images + rng.normal(0, 0.05, images.shape) for images in (source, target)]
    result = detect(*noisy, random_state=seed)
    assert result.verdict == "symmetry"
    assert off_by(result, [SHIFT_X]) < 1
    accepted = result.accepted
    assert not accepted[-strangers:].any()
    assert accepted[:-strangers].mean() >= 0.8
    assert np.corrcoef(result.t[accepted, 0], dx[accepted])[0, 1] ** 2 > 0.98
