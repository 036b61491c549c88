"""Metrics against numbers worked out by hand and against scipy."""

import numpy as np
import pytest

from liescope.errors import InputError
from liescope.evaluation import (
    field_cosine,
    grassmann_distance,
    image_support,
    magnitude_error,
    null_levels,
    principal_angles,
    wasserstein,
)


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


def test_field_cosine_on_a_support_by_hand() -> None:
    # d/dx against d/dx + x d/dx, on an image whose left half counts three times as much as its right.
    x = (np.arange(20) - 9.5) / 10
    support = np.ones((12, 20))
    support[:, :10] = 3
    weights = support[0] / support[0].sum()
    first, second = np.ones(20), 1 + x
    expected = (weights @ (first * second)) / np.sqrt(weights @ second**2)
    found = field_cosine([1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], support=support)
    assert found == pytest.approx(expected, rel=1e-9)
    # Only their ratios matter, and weights that are equal are none.
    assert field_cosine([1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], support=7 * support) == pytest.approx(found)
    same = field_cosine([1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], shape=(12, 20))
    assert field_cosine([1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], support=np.ones((12, 20))) == pytest.approx(same)


def test_the_support_of_digits_leaves_their_corners_out(digits) -> None:
    support = image_support(digits)
    assert support.shape == (28, 28)
    assert support.mean() == pytest.approx(1)
    assert support[:3, :3].max() < 0.01
    # x^2 d/dx is largest at the border, where digits are not: it is a smaller part of what they see.
    plain, bent = np.eye(12)[0], np.eye(12)[0] + 2 * np.eye(12)[3]
    for distance in (principal_angles, grassmann_distance):
        assert distance(plain, bent, "quadratic", support=support) < 0.8 * distance(plain, bent, "quadratic")
    # So is the null level, which is what the angles are read beside.
    levels = [null_levels(bent, "quadratic", support=where, trials=200).angle.mean for where in (None, support)]
    assert levels[0] != pytest.approx(levels[1], rel=0.01)
    # Channels and grey ranges make no difference.
    assert image_support(np.stack((digits, digits), axis=1)) == pytest.approx(support)
    assert image_support(digits / 255.0) == pytest.approx(support)


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


def test_bad_support() -> None:
    a, b = np.eye(6)[:2]
    for support in (np.zeros((8, 8)), -np.ones((8, 8)), np.full((8, 8), np.nan)):
        with pytest.raises(InputError, match="weights that are not negative"):
            field_cosine(a, b, support=support)
    column = np.zeros((8, 8))
    column[:, 5] = 1
    with pytest.raises(InputError, match="fields of 'affine' apart, got too few pixels"):
        principal_angles(a[None], b[None], support=column)
    with pytest.raises(InputError, match="images with structure"):
        image_support(np.ones((3, 8, 8)))
    with pytest.raises(InputError, match=r"got \(8, 8\)"):
        image_support(np.ones((8, 8)))


def test_bad_input() -> None:
    with pytest.raises(InputError, match="6 coefficients"):
        field_cosine([1, 2], [1, 2])
    with pytest.raises(InputError, match="zero"):
        field_cosine(np.zeros(6), np.ones(6))
    with pytest.raises(InputError, match="differ"):
        wasserstein(np.ones(3), np.ones(3))
