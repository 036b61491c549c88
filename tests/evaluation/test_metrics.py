"""Metrics against numbers worked out by hand and against scipy."""

import numpy as np
import pytest

from liescope.errors import InputError
from liescope.evaluation import field_cosine, magnitude_error, principal_angles, wasserstein


def test_field_cosine_of_same_and_orthogonal_fields() -> None:
    rotation, scale = [0, 0, -1, 0, 1, 0], [0, 1, 0, 0, 0, 1]
    assert field_cosine(rotation, rotation) == pytest.approx(1)
    assert field_cosine(rotation, [0, 0, 3, 0, -3, 0]) == pytest.approx(1)
    assert field_cosine(rotation, scale) == pytest.approx(0, abs=1e-9)


def test_field_cosine_by_hand() -> None:
    # d/dx against d/dx + x d/dx: <b, b + xb> = 1, norms 1 and sqrt(1 + mean x^2).
    x = (np.arange(28) - 13.5) / 14
    assert field_cosine([1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]) == pytest.approx(1 / np.sqrt(1 + (x**2).mean()))


def test_field_cosine_depends_on_the_shape() -> None:
    rotation, shear = [0, 0, -1, 0, 1, 0], [0, 0, -1, 0, 0, 0]
    # On a tall image rotation is mostly its horizontal part.
    assert field_cosine(rotation, shear, shape=(60, 10)) > 0.95
    assert field_cosine(rotation, shear, shape=(10, 60)) < 0.3


def test_principal_angles_of_a_rotated_span() -> None:
    a = [[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]]
    b = [[np.cos(0.2), 0, 0, np.sin(0.2), 0, 0]]
    assert principal_angles(a, b) == pytest.approx([0], abs=1e-6)
    assert principal_angles(a, [[0, 0, -1, 0, 1, 0]]) == pytest.approx([90])


def test_magnitude_error_and_wasserstein() -> None:
    truth = np.array([-1.0, 0.0, 1.0])
    assert magnitude_error(-truth, truth, sign=-1.0) == pytest.approx([0, 0, 0])
    assert magnitude_error(truth + 0.2, truth) == pytest.approx([0.1] * 3)
    assert wasserstein(truth + 0.2, truth) == pytest.approx(0.1)
    assert wasserstein(truth[::-1], truth) == pytest.approx(0)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="6 coefficients"):
        field_cosine([1, 2], [1, 2])
    with pytest.raises(InputError, match="zero"):
        field_cosine(np.zeros(6), np.ones(6))
    with pytest.raises(InputError, match="differ"):
        wasserstein(np.ones(3), np.ones(3))
