"""Null levels against closed forms, and against the metrics they stand beside."""

import dataclasses

import numpy as np
import pytest
from scipy import integrate, stats

from liescope.data import make_pairs
from liescope.errors import InputError
from liescope.evaluation import magnitude_correlation, null_levels, reconstruction_error

ROTATION = [0, 0, -1, 0, 1, 0]


def test_a_random_generators_cosine_has_its_own_law() -> None:
    # With translations alone the fields are vectors in the plane: the angle is uniform between 0 and 90 degrees.
    levels = null_levels([1, 0], "translations", trials=20_000)
    assert levels.cosine.mean == pytest.approx(2 / np.pi, abs=0.01)
    assert levels.cosine.tail == pytest.approx(np.cos(np.radians(4.5)), abs=0.001)
    assert levels.angle.mean == pytest.approx(45, abs=0.5)
    assert levels.angle.tail == pytest.approx(4.5, abs=0.4)
    assert levels.grassmann.mean == pytest.approx(np.pi / 4, abs=0.01)


def test_levels_of_rotation_are_those_of_sampled_fields() -> None:
    y, x = np.mgrid[13.5:-14:-1, -13.5:14] / 14
    fields = np.stack((x**0, x, y))
    random = np.random.default_rng(9)
    guesses = random.standard_normal((20_000, 2, 3))
    truth = np.stack([-y, x])
    inner = np.einsum("nck,kij,cij->n", guesses, fields, truth)
    moment = np.einsum("kij,lij->kl", fields, fields)
    lengths = np.sqrt(np.einsum("nck,kl,ncl->n", guesses, moment, guesses))
    cosines = np.abs(inner) / lengths / np.linalg.norm(truth)
    levels = null_levels(ROTATION, trials=4000)
    assert levels.cosine.mean == pytest.approx(cosines.mean(), abs=0.01)
    assert levels.cosine.tail == pytest.approx(np.quantile(cosines, 0.95), abs=0.02)


def test_levels_of_a_span_are_farther_than_those_of_a_single_generator() -> None:
    one, two = (null_levels(truth, trials=300) for truth in ([ROTATION], [ROTATION, [0, 1, 0, 0, 0, 1]]))
    assert two.angle.mean > one.angle.mean
    assert two.grassmann.mean > one.grassmann.mean


def test_a_normal_law_beside_a_uniform_one() -> None:
    u = (np.arange(4000) + 0.5) / 4000
    expected = integrate.quad(
        lambda p: abs(np.sqrt(3) * (2 * p - 1) - stats.norm.ppf(p)), 0, 1, points=[0.5], limit=500
    )[0]
    levels = null_levels(ROTATION, magnitudes=6 * u - 3, trials=400)
    assert levels.w1_standardised == pytest.approx(expected, abs=2e-3)
    # A uniform law of unit variance has a range of sqrt(12).
    assert levels.w1 == pytest.approx(expected / np.sqrt(12), abs=1e-3)
    assert levels.modes == 1
    for level in (levels.pearson, levels.spearman):
        # The correlation of shuffled values is normal with variance 1 / (N - 1).
        assert level is not None
        assert level.mean == pytest.approx(np.sqrt(2 / np.pi / 3999), rel=0.15)
        assert level.tail == pytest.approx(1.96 / np.sqrt(3999), rel=0.15)


def test_the_level_of_five_modes_is_far_from_zero() -> None:
    t = np.repeat(np.linspace(-1, 1, 5), 200)
    levels = null_levels(ROTATION, magnitudes=t, trials=10)
    normal = stats.norm.ppf((np.arange(1000) + 0.5) / 1000, scale=t.std())
    assert levels.w1 == pytest.approx(np.abs(np.sort(normal) - np.sort(t)).mean() / 2)
    assert (levels.w1 or 0) > 0.05
    assert magnitude_correlation(t, t).pearson == pytest.approx(1)


def test_images_that_are_not_moved_and_the_mean_of_all() -> None:
    pairs = make_pairs(transform="rotation", range=60, pairs=60, seed=1)
    source, target = np.asarray(pairs.source), np.asarray(pairs.target)
    levels = null_levels(ROTATION, source=source, target=target, trials=2)
    assert levels.identity == reconstruction_error(target, source)
    assert levels.mean_image is not None
    assert levels.mean_image.mean_squared == pytest.approx(target.astype(float).var(axis=0).mean(), rel=1e-6)
    as_bytes = null_levels(ROTATION, target=(target * 255).round().astype(np.uint8), trials=2)
    assert as_bytes.mean_image == pytest.approx(levels.mean_image, rel=0.01)


def test_the_same_seed_gives_the_same_levels() -> None:
    t = np.linspace(-1, 1, 50) ** 3
    first, again, other = (null_levels(ROTATION, magnitudes=t, trials=20, seed=seed) for seed in (3, 3, 4))
    assert dataclasses.asdict(first) == dataclasses.asdict(again)
    assert first.cosine != other.cosine
    assert (first.w1, first.modes) == (other.w1, other.modes)
    assert first.identity is None


def test_bad_input() -> None:
    with pytest.raises(InputError, match="6 coefficients"):
        null_levels([1.0, 2.0])
    with pytest.raises(InputError, match="trial"):
        null_levels(ROTATION, trials=0)
    with pytest.raises(InputError, match="differ"):
        null_levels(ROTATION, magnitudes=np.ones(5))
