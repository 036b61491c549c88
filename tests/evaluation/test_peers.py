"""What other packages answer means what it is taken to mean: on pictures by formula with a known motion."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from liescope.evaluation.benchmarks.methods.peers import PEERS, bytes_of
from liescope.evaluation.benchmarks.pictures.judging import endpoint_errors
from liescope.evaluation.benchmarks.pictures.pairs import Pictures
from liescope.evaluation.benchmarks.pictures.running import asked, missing_methods
from liescope.evaluation.benchmarks.pictures.windows import flow_matrices, pixel_matrix

SIDE = 96
BLOBS = np.random.default_rng(3).uniform([-90, -90, 0.7, 0.3], [90, 90, 3, 1], (900, 4))
MOTIONS = {
    "translation": (0.09, 0.0, 0.0, -0.06, 0.0, 0.0),
    "rigid": (0.03, 0.0, -0.1, 0.02, 0.1, 0.0),
    "similarity": (0.02, 0.08, -0.06, 0.02, 0.06, 0.08),
    "affine": (0.02, 0.08, -0.06, -0.02, 0.04, 0.02),
}


def drawn(motion: np.ndarray) -> np.ndarray:
    """Spots that have moved, drawn where they are: nothing is interpolated. Affine motions change their shape too."""
    row, column = np.mgrid[:SIDE, :SIDE].astype(float)
    s, middle = SIDE / 2, (SIDE - 1) / 2
    back = np.linalg.inv(motion)
    x, y = (column - middle) / s, (middle - row) / s
    x, y = back[0, 0] * x + back[0, 1] * y + back[0, 2], back[1, 0] * x + back[1, 1] * y + back[1, 2]
    there = [b * np.exp(-((s * x - u) ** 2 + (s * y - v) ** 2) / (2 * w**2)) for u, v, w, b in BLOBS]
    picture: np.ndarray = np.sum(there, axis=0) / 3
    return picture


def error(peer: str, model: str, sign: float, brightness: float = 1.0, missing: bool = False) -> float:
    """Distance in pixels from where the motion leads: root mean square over the overlap."""
    generator = np.array([MOTIONS[model]])
    motion = flow_matrices(generator, np.array([[sign]]))
    source, target = drawn(np.eye(3)), brightness * drawn(motion[0])
    valid = np.ones((SIDE, SIDE), dtype=bool)
    if missing:
        valid[30:42, 50:70] = False
        source, target = (np.where(valid, picture, np.nan) for picture in (source, target))
    found = PEERS[peer].register(source, target, model, valid, valid)
    assert found is not None
    p = pixel_matrix((SIDE, SIDE))
    made = Pictures(source[None], target[None], motion, generator, None, model)
    return float(endpoint_errors(made, (np.linalg.inv(p) @ found @ p)[None])[0])


CASES = [(name, model) for name, peer in PEERS.items() for model in peer.models]


@pytest.mark.parametrize(("peer", "model"), CASES)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_known_motion_is_found(peer, model, sign):
    pytest.importorskip(PEERS[peer].package)
    # A log-polar picture has pixels of half a degree and of three per cent.
    tolerance = 1.0 if peer == "phase" and model != "translation" else 0.35
    assert error(peer, model, sign) < tolerance


@pytest.mark.parametrize("peer", ["phase", "ecc", "sift"])
def test_brightness_is_none_of_their_business(peer):
    pytest.importorskip(PEERS[peer].package)
    assert error(peer, "translation", 1.0, brightness=3.0) < 0.35


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_missing_pixels_are_masked_or_filled(peer, sign):
    pytest.importorskip(PEERS[peer].package)
    # Masked phase correlation tells whole pixels.
    assert error(peer, "translation", sign, missing=True) < (0.71 if peer == "phase" else 0.35)


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("peer", PEERS)
def test_pictures_without_content_are_no_crash(peer):
    pytest.importorskip(PEERS[peer].package)
    blank, valid = np.zeros((64, 64)), np.ones((64, 64), dtype=bool)
    for model in PEERS[peer].models:
        found = asked(PEERS[peer], model, (blank, blank, valid, valid))
        assert found is None or found.shape == (3, 3)


def test_half_a_turn_is_told_from_none():
    pytest.importorskip("skimage")
    source = drawn(np.eye(3))
    valid = np.ones_like(source, dtype=bool)
    found = PEERS["phase"].register(source, source[::-1, ::-1].copy(), "rigid", valid, valid)
    assert found is not None
    np.testing.assert_allclose(found, [[-1, 0, SIDE - 1], [0, -1, SIDE - 1], [0, 0, 1]], atol=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_eight_bits_are_those_of_the_valid_pixels(seed):
    picture = np.random.default_rng(seed).normal(1e4, 30, (64, 64))
    picture[5, 5] = 65535
    valid = picture < 65535
    found = bytes_of(picture, valid)
    assert found.dtype == np.uint8
    assert (found.min(), found.max()) == (0, 255)
    inner = (found > 0) & (found < 255) & valid
    assert inner.sum() > 0.98 * inner.size
    assert np.corrcoef(found[inner], picture[inner])[0, 1] > 0.9999
    assert found[5, 5] == pytest.approx(np.median(found), abs=1)


@pytest.mark.parametrize("package", ["cv2", "pystackreg", "skimage"])
def test_what_is_missing_is_told(monkeypatch, package):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == package else find(name, *a))
    missing = missing_methods(("liescope", *PEERS))
    assert set(missing) >= {name for name, peer in PEERS.items() if peer.package == package}
    assert all("is not installed, try pip install " in reason for reason in missing.values())
