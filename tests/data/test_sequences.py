"""Pairs of frames."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from liescope.data import META_KEYS, load_pairs, pairs_from_sequence, save_pairs
from liescope.errors import InputError

FRAMES = np.arange(12)[:, None, None] * np.ones((12, 6, 7))


def test_frames_lie_a_lag_apart(tmp_path: Any) -> None:
    made = pairs_from_sequence(FRAMES, [1, 3, -2])
    assert len(made) == 11 + 9 + 10
    np.testing.assert_array_equal(made.target[:, 0, 0] - made.source[:, 0, 0], made.label)
    assert made.magnitude is None
    assert set(META_KEYS) <= set(made.meta)
    assert json.loads(json.dumps(made.meta))["lags"] == [1, 3, -2]
    again = load_pairs(save_pairs(f"{tmp_path}/frames.npz", made))
    np.testing.assert_array_equal(again.target[:, 0], made.target)


def test_colour_frames_keep_their_channels_and_type() -> None:
    made = pairs_from_sequence(np.zeros((5, 3, 6, 7), np.uint8), 2)
    assert made.source.shape == (3, 3, 6, 7)
    assert made.source.dtype == np.uint8


@pytest.mark.parametrize("lags", [[], 0, 12, [1, -12]])
def test_bad_lags_are_named(lags: Any) -> None:
    with pytest.raises(InputError, match="expected lags from 1 to 11 for 12 frames"):
        pairs_from_sequence(FRAMES, lags)


def test_wrong_rank_is_named() -> None:
    with pytest.raises(InputError, match=r"frames of shape \(T, H, W\)"):
        pairs_from_sequence(np.zeros((12, 7)))
