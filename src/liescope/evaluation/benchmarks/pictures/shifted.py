"""The plainest kind: windows of 96 pixels that are shifted to the right or left."""

from __future__ import annotations

import numpy as np

from liescope.evaluation.benchmarks.pictures.pairs import TX, Pictures, windows
from liescope.evaluation.benchmarks.pictures.scenes import Scene

__all__ = ["SIDE", "shifted"]

SIDE = 96
_PIXELS = 6.0


def shifted(scene: Scene, seed: int, tiny: bool, count: int = 120) -> Pictures:
    """Windows shifted by up to 6 px along x."""
    t = np.random.default_rng([seed, 2]).uniform(-_PIXELS, _PIXELS, (12 if tiny else count, 1)) / (SIDE / 2)
    return windows(scene, seed, [TX], t, "translation", side=SIDE, reach=SIDE / 2 + 8)
