"""Brightness that is no motion: exposures of single pictures are told, light that stays with the camera is divided out.

Only what moves tells illumination. Of shifts with free gain, a gradient looks like exposure, so fields are compared
without it; a motion that turns and zooms tells that too.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from moved import window, windows

from liescope import SymmetryDetector, detect, load_result
from liescope.engines.registration.pictures.illumination import Illumination
from liescope.geometry import Grid

skimage = pytest.importorskip("skimage", reason="scikit-image has the pictures")

SHAPE = (48, 56)
X, Y = np.array([1.0, 0, 0, 0, 0, 0]), np.array([0, 0, 0, 1.0, 0, 0])
SPIRAL = np.array([0.3, 1, -0.7, 0, 0.7, 1])
HOT = ([7, 30, 41], [12, 40, 5])


def light(strength: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """Brightness that falls off from a place in the picture, 1 there."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    half = max(SHAPE) / 2
    across, up = (columns - (SHAPE[1] - 1) / 2) / half, ((SHAPE[0] - 1) / 2 - rows) / half
    field: np.ndarray = np.exp(-strength * ((across - x) ** 2 + (up - y) ** 2) / 2)
    return field


def shifts(name: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows shifted to all sides, by up to seven pixels along either axis."""
    t = np.random.default_rng(seed).uniform(-0.25, 0.25, (count, 2))
    return *windows(name, t @ np.stack([X, Y]), SHAPE, seed), t


def along_x(name: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    t = np.random.default_rng(seed).uniform(-0.25, 0.25, count)
    return *windows(name, np.outer(t, X), SHAPE, seed), t


def explained(result: Any, truth: np.ndarray) -> float:
    """R2 of true magnitudes (N, K) from those found, of which they are linear combinations."""
    columns = np.column_stack([result.t, np.ones(len(result.t))])
    truth = truth.reshape(len(truth), -1)
    left = truth - columns @ np.linalg.lstsq(columns, truth, rcond=None)[0]
    return float((1 - left.var(axis=0) / truth.var(axis=0)).min())


def alike(result: Any, made: np.ndarray, gradient: bool) -> float:
    """Correlation of the logarithms of the illumination found and made, with their gradients or without."""
    rows, columns = (axis.ravel() for axis in np.mgrid[: SHAPE[0], : SHAPE[1]])
    known = np.column_stack([np.ones(made.size), *([] if gradient else [rows, columns])])
    coefficients = result.evidence["illumination"]
    assert coefficients is not None, result.reason
    fields = np.log([Illumination(np.array(coefficients)).over(Grid.of(*SHAPE)).ravel(), made.ravel()])
    left = fields - (known @ np.linalg.lstsq(known, fields.T, rcond=None)[0]).T
    return float(np.corrcoef(left)[0, 1])


@cache
def camera() -> tuple[SymmetryDetector, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A camera with hot pixels and a vignette: what it found, the pairs, what moved them and the vignette."""
    source, target, t = shifts("camera", 16, 1)
    made = light(1.2, 0.2, 0.2)
    source, target = source * made, target * made
    for images in (source, target):
        images[:, HOT[0], HOT[1]] = 4000
    return SymmetryDetector().fit(source, target), source, target, t, made


def test_exposures_of_single_targets_are_told(tmp_path):
    source, target, t = along_x("astronaut", 12, 0)
    rng = np.random.default_rng(1)
    gain, offset = 2.0 ** rng.uniform(-1, 1, 12), rng.uniform(-20, 60, 12)
    result = detect(source, target * gain[:, None, None] + offset[:, None, None])
    assert result.gain is not None
    assert result.offset is not None
    np.testing.assert_allclose(result.gain, gain, rtol=0.02)
    np.testing.assert_allclose(result.offset, offset, atol=0.02 * float(target.max()))
    assert explained(result, t) > 0.999
    result.save(tmp_path / "found")
    kept, again = np.load(tmp_path / "found/magnitudes.npz"), load_result(tmp_path / "found")
    for name in ("gain", "offset"):
        np.testing.assert_array_equal(kept[name], getattr(result, name))
        np.testing.assert_array_equal(getattr(again, name), getattr(result, name))


def test_the_same_exposure_is_a_gain_of_one():
    source, target, _ = along_x("astronaut", 10, 3)
    result = detect(source, target)
    assert result.gain is not None
    assert result.offset is not None
    np.testing.assert_allclose(result.gain, 1, rtol=0.02)
    np.testing.assert_allclose(result.offset, 0, atol=0.02 * float(target.max()))
    assert result.evidence["illumination"] is None


def test_a_vignette_beside_hot_pixels_is_estimated():
    detector, _, _, t, made = camera()
    result = detector.result_
    assert [g.name for g in detector.generators_] == ["translation-x", "translation-y"]
    assert explained(result, t) > 0.99
    assert alike(result, made, gradient=False) > 0.95
    assert sorted(map(tuple, result.evidence["fixed_pixels"])) == sorted(zip(*HOT, strict=True))
    assert "illumination that stays with the camera" in result.reason


def test_what_belongs_to_the_camera_is_kept_for_other_pairs(tmp_path):
    detector, source, target, t, made = camera()
    np.testing.assert_allclose(detector.predict_magnitude(source, target), detector.magnitudes_, atol=2e-4)
    other = [x * made for x in shifts("camera", 6, 9)[:2]]
    for images in other:
        images[:, HOT[0], HOT[1]] = 4000
    detector.result_.save(tmp_path / "found")
    fitted = load_result(tmp_path / "found").fitted
    assert fitted is not None
    measured = fitted.measure(other[0][:, None], other[1][:, None])
    np.testing.assert_allclose(measured.t, detector.predict_magnitude(*other), atol=1e-9)
    # The same unit: what pairs seen before are moved by tells what these are.
    columns = np.column_stack([detector.magnitudes_, np.ones(len(t))])
    change = np.linalg.lstsq(columns, t, rcond=None)[0]
    told = np.column_stack([measured.t, np.ones(6)]) @ change
    np.testing.assert_allclose(told, shifts("camera", 6, 9)[2], atol=0.01)


@pytest.mark.parametrize(
    ("name", "made", "seed"), [("astronaut", light(0.8), 1), ("coffee", light(0.3), 1)], ids=["strong", "weak"]
)
def test_other_illuminations_of_other_pictures(name, made, seed):
    source, target, t = shifts(name, 16, seed)
    result = detect(source * made, target * made)
    assert explained(result, t) > 0.99
    assert alike(result, made, gradient=False) > 0.95


def test_turning_and_zooming_tell_the_whole_field():
    t = np.random.default_rng(2).uniform(-0.3, 0.3, 16)
    source, target = windows("coffee", np.outer(t, SPIRAL), SHAPE, 2)
    made = light(1.2, 0.2, 0.2)
    result = detect(source * made, target * made)
    assert [g.generator.name for g in result.generators] == ["spiral"]
    assert explained(result, t) > 0.99
    assert alike(result, made, gradient=True) > 0.95


def test_a_film_of_one_scene_under_a_vignette():
    places = np.random.default_rng(2).uniform(-0.22, 0.22, (17, 2))
    made = light(1.2, 0.2, 0.2)
    frames = np.stack([made * window("camera", (200, 260), SHAPE, v) for v in places @ np.stack([X, Y])])
    result = detect(frames=frames, lags=[1])
    assert explained(result, np.diff(places, axis=0)) > 0.99
    assert alike(result, made, gradient=False) > 0.95


@pytest.mark.parametrize("name", ["astronaut", "coffee", "camera"])
def test_no_illumination_is_claimed_where_there_is_none(name):
    source, target, t = along_x(name, 12, 4)
    result = detect(source, target)
    assert (result.verdict, result.evidence["illumination"]) == ("symmetry", None)
    assert explained(result, t) > 0.99


def test_light_that_differs_from_picture_to_picture_is_not_the_cameras():
    source, target, _ = shifts("astronaut", 16, 5)
    rng = np.random.default_rng(6)
    lit = [images * np.stack([light(0.5, *rng.uniform(-1, 1, 2)) for _ in images]) for images in (source, target)]
    result = detect(*lit)
    assert result.evidence["illumination"] is None
    assert "illumination" not in result.reason
