"""Real digits for the data tests, loaded once."""

from __future__ import annotations

import numpy as np
import pytest

from liescope.data import Corpus, load_corpus


@pytest.fixture(scope="session")
def digits() -> Corpus:
    """The embedded 5,000 MNIST digits."""
    return load_corpus("mnist-5k")


@pytest.fixture(scope="session")
def images(digits: Corpus) -> np.ndarray:
    """Twenty digits, two of each class, float64 in [0, 1], shape (20, 28, 28)."""
    chosen: np.ndarray = digits.images[::250] / 255.0
    return chosen
