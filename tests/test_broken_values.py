"""Single values that no camera shows: what stands for no data, dead pixels. They spoil their own pair at most."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from liescope import detect
from liescope.data import make_pairs
from liescope.evaluation import field_cosine

TURN = [0.0, 0.0, -1.0, 0.0, 1.0, 0.0]


def digits(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    pairs = make_pairs(transform="rotation", range=40, pairs=60, seed=seed)
    source, target = (np.asarray(x, dtype=np.float64) for x in (pairs.source, pairs.target))
    return source, target, np.asarray(pairs.magnitude)[:, 0]


@pytest.mark.parametrize("value", [1e6, -1e20, 9.97e36, 1e300])
@pytest.mark.parametrize("side", [0, 1])
def test_one_value_spoils_its_own_pair_alone(value: float, side: int) -> None:
    images = digits(1)[:2]
    images[side][7, 20, 20] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = detect(*images)
    assert result.verdict == "symmetry"
    assert field_cosine(result.generators[0].generator.coefficients, TURN, shape=(28, 28)) > 0.9999
    assert np.flatnonzero(~result.accepted).tolist() == [7]
    assert np.isfinite(result.t).all()


@pytest.mark.parametrize("seed", [3, 4])
def test_a_dead_pixel_of_all_images_is_left_out_and_not_taken_for_the_image(seed: int) -> None:
    source, target, t = digits(seed)
    clean = detect(source, target)
    source[:, 9, 17] = target[:, 9, 17] = 1e6
    result = detect(source, target)
    assert result.evidence["fixed_pixels"] == [[9, 17]]
    assert "1 pixel that never changes is left out" in result.reason
    assert field_cosine(result.generators[0].generator.coefficients, TURN, shape=(28, 28)) > 0.999
    assert abs(np.corrcoef(result.t[:, 0], t)[0, 1]) > 0.99
    assert "fixed_pixels" not in clean.evidence
