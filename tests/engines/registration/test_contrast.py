"""The generator of pairs of different digits of one class; and pairs of which nothing can be said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import eigh, sqrtm

from liescope.data import Pairs, load_corpus, make_pairs, validate_images
from liescope.engines.pair_set import GreyScale, PairSet
from liescope.engines.registration import Aligner, Contrast, contrast_generator
from liescope.engines.registration.contrast import _leading, _resampled, _scatter
from liescope.engines.registration.span_trials import free_coordinates
from liescope.evaluation import field_cosine
from liescope.geometry import Basis, affine, field_basis, quadratic

SIZES: dict[str, float] = {"rotation": 45, "scale": 0.3, "translation-x": 5, "shear-x": 0.5}


def contrast(source: np.ndarray, target: np.ndarray, basis: Basis | None = None, seed: int = 0) -> Contrast:
    x, y = validate_images(source, target)
    pairs = PairSet(x, y, GreyScale.of(y, np.arange(len(y))), torch.device("cpu"))
    return contrast_generator(pairs, basis or affine(), seed)


def of_one_class(transform: str, count: int = 1500, seed: int = 0) -> Pairs:
    """A digit, and another digit of its class transformed by SciPy."""
    return make_pairs("supersymnist", transform=transform, range=SIZES[transform], pairs=count, seed=seed)


@pytest.fixture(scope="module")
def rotated() -> tuple[Pairs, Contrast]:
    pairs = of_one_class("rotation")
    return pairs, contrast(pairs.source, pairs.target)


def test_a_rotation_between_different_digits_is_found(rotated: tuple[Pairs, Contrast]) -> None:
    pairs, found = rotated
    truth = pairs.meta["generators"][0]
    assert found.reliable
    assert field_cosine(found.direction, truth) > 0.99
    assert found.ratio > 2
    assert found.ratio > 1.5 * found.runner_up
    assert 0 < found.direction_error_deg < 10
    assert found.direction @ truth > 0  # the gauge: counter-clockwise
    assert np.linalg.norm(found.direction) == pytest.approx(1)


def test_its_magnitudes_follow_the_true_ones(rotated: tuple[Pairs, Contrast]) -> None:
    pairs, found = rotated
    assert pairs.magnitude is not None
    truth = pairs.magnitude[:, 0]
    # A digit's own slant is part of what is read off a pair; a plain projection has even more of it.
    x, y = validate_images(pairs.source, pairs.target)
    every = PairSet(x, y, GreyScale.of(y, np.arange(len(y))), torch.device("cpu"))
    v = free_coordinates(every, Aligner(affine(), every.grid, every.device)).v.double().numpy() @ found.direction
    middle = np.median(v)
    reach = 3 * 1.4826 * np.median(np.abs(v - middle))
    plain = np.corrcoef(np.clip(v, middle - reach, middle + reach), truth)[0, 1]
    assert np.corrcoef(found.t, truth)[0, 1] > max(0.6, plain + 0.02)
    assert 0.75 < found.t.std() / truth.std() < 1.3
    assert found.t.shape == truth.shape
    spread = 1.4826 * np.median(np.abs(found.t - np.median(found.t)))
    assert np.abs(found.t - np.median(found.t)).max() == pytest.approx(3 * spread, rel=0.05)  # wild ones are held


def test_its_uncertainty_is_that_of_more_such_pairs(rotated: tuple[Pairs, Contrast]) -> None:
    _, found = rotated
    other = of_one_class("rotation", 600, seed=7)
    again = contrast(other.source, other.target)
    angle = np.degrees(np.arccos(min(1.0, found.direction @ again.direction)))
    assert angle < 2 * (found.direction_error_deg + again.direction_error_deg)
    spread = np.sqrt(np.trace(found.covariance))
    assert 0.1 < np.degrees(spread) / found.direction_error_deg < 2
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-12


@pytest.mark.parametrize(("transform", "bound"), [("scale", 0.93), ("shear-x", 0.93)])
def test_other_transformations_are_found_too(transform: str, bound: float) -> None:
    pairs = of_one_class(transform, 800)
    found = contrast(pairs.source, pairs.target)
    assert found.reliable
    assert field_cosine(found.direction, pairs.meta["generators"][0]) > bound


def test_a_basis_of_a_single_field() -> None:
    pairs = of_one_class("rotation", 300)
    turn = field_basis({"turn": lambda x, y: (-y, x)})
    found = contrast(pairs.source, pairs.target, turn)
    assert found.reliable
    assert found.direction == pytest.approx([1.0])
    assert found.covariance.shape == (1, 1)
    assert found.ratio > 1.3


def test_the_same_seed_gives_the_same_answer() -> None:
    pairs = of_one_class("rotation", 80)
    first, again, other = (contrast(pairs.source, pairs.target, seed=seed) for seed in (0, 0, 1))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first.direction, other.direction)


# --- nothing to be found


@pytest.mark.parametrize(("count", "seed"), [(300, 0), (1000, 2)])
def test_unrelated_digits_have_no_generator(count: int, seed: int) -> None:
    images = np.asarray(load_corpus("mnist-5k").images)
    order = np.random.default_rng(seed).permutation(len(images))
    assert not contrast(images[order[:count]], images[order[-count:]]).reliable


def test_digits_of_one_class_that_are_not_transformed_have_no_generator() -> None:
    pairs = make_pairs("supersymnist", transform="rotation", range=0, pairs=700)
    found = contrast(pairs.source, pairs.target)
    assert not found.reliable
    assert found.ratio < 1.6
    assert found.p_value > 0.05


@pytest.mark.parametrize(("basis", "least"), [(affine(), 60), (quadratic(), 120)], ids=lambda v: getattr(v, "name", v))
def test_too_few_pairs_are_never_relied_on(basis: Basis, least: int) -> None:
    pairs = of_one_class("translation-x", least)
    few = contrast(pairs.source[: least - 1], pairs.target[: least - 1], basis)
    assert not few.reliable
    assert few.t.shape == (least - 1,)
    assert (few.ratio, few.direction_error_deg) == (1.0, 90.0)
    if basis.dimension == 6:
        assert contrast(pairs.source, pairs.target, basis).ratio > 1.3


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, 12, 12))


def flat(count: int) -> np.ndarray:
    return np.linspace(0.1, 1, count)[:, None, None] * np.ones((12, 12))


@pytest.mark.parametrize(
    "make",
    [
        lambda n: (np.zeros((n, 12, 12)), noise(n)),
        lambda n: (np.zeros((n, 12, 12)), np.zeros((n, 12, 12))),
        lambda n: (noise(n), np.zeros((n, 12, 12))),
        lambda n: (np.repeat(noise(1), n, axis=0), noise(n)),
        lambda n: (np.repeat(noise(2), n // 2, axis=0), noise(n)),
        lambda n: (noise(n), noise(n)),
        lambda n: (flat(n), noise(n)),
        lambda n: (np.where(np.arange(n)[:, None, None] % 2, flat(n), noise(n)), noise(n)[::-1]),
    ],
    ids=["blank sources", "all blank", "blank targets", "one source", "two sources", "identical", "flat", "half flat"],
)
def test_pairs_without_anything_to_compare_are_no_crash(make: Callable[[int], tuple[np.ndarray, np.ndarray]]) -> None:
    found = contrast(*make(80))
    assert not found.reliable
    assert np.isfinite(found.direction).all()
    assert np.isfinite(found.t).all()


# --- the statistics


@pytest.mark.parametrize("wild", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_the_scatter_of_coordinates_withstands_wild_ones(wild: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, 4))
    truth = root @ root.T + 0.3 * np.eye(4)
    v = rng.normal(size=(3000, 4)) @ sqrtm(truth).real + 5
    bad = rng.random(3000) < wild
    v[bad] = 5 + 60 * rng.normal(size=(bad.sum(), 4))
    found = _scatter(v)
    shape = found / np.trace(found) - truth / np.trace(truth)
    assert np.linalg.norm(shape) < (0.05 if wild == 0 else 0.35)
    plain = np.cov(v.T)
    if wild:
        assert np.trace(plain) > 20 * np.trace(truth)
        assert np.trace(found) < 5 * np.trace(truth)
    else:
        assert np.trace(found) == pytest.approx(np.trace(truth), rel=0.25)


class FirstHalf(np.random.Generator):
    """Draws the first half of the rows, each of them twice."""

    def multinomial(self, n: Any, pvals: Any, size: Any = None) -> Any:
        return 2 * (np.arange(len(pvals)) < len(pvals) // 2)


@pytest.mark.parametrize("seed", range(3))
def test_a_resample_has_its_own_middle_and_size(seed: int) -> None:
    """Two halves on either side of a far middle: what is drawn from one must not be measured from between them."""
    rng = np.random.default_rng(seed)
    planted, apart = np.linalg.qr(rng.normal(size=(4, 2)))[0].T
    within = rng.normal(size=(2000, 4))
    between = rng.normal(size=(2000, 4)) + 2 * rng.normal(size=(2000, 1)) * planted
    between += 8 * np.where(np.arange(2000) < 1000, 1, -1)[:, None] * apart
    drawn = _resampled(between, within, planted, FirstHalf(np.random.PCG64(0)))
    plain = eigh(np.cov(between[:1000].T), np.cov(within[:1000].T))[1][:, -1]
    plain = np.cov(within[:1000].T) @ plain
    for expected in (planted, plain / np.linalg.norm(plain)):
        assert np.degrees(np.arccos(np.abs(drawn @ expected))).max() < 5


@pytest.mark.parametrize("seed", range(3))
def test_resampled_directions_scatter_as_those_of_new_samples_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    planted = np.array([0.6, 0.0, 0.8, 0.0])

    def sample() -> tuple[np.ndarray, np.ndarray]:
        # A law of t with two modes, off centre: its median is anywhere between them.
        t = np.where(rng.random((300, 1)) < 0.5, -1.0, 3.0) + 0.3 * rng.normal(size=(300, 1))
        return rng.normal(size=(300, 4)) + t * planted, rng.normal(size=(300, 4))

    def spread(directions: list[np.ndarray] | np.ndarray) -> float:
        aligned = np.array([d * np.sign(d @ planted) for d in directions])
        return float(np.sqrt(np.trace(np.cov(aligned.T))))

    anew = spread([_leading(_scatter(first), _scatter(second))[0] for first, second in (sample() for _ in range(60))])
    boots = [spread(_resampled(*sample(), planted, rng)) for _ in range(3)]
    assert 0.7 < np.mean(boots) / anew < 1.4


@pytest.mark.parametrize("seed", range(5))
def test_the_planted_direction_is_the_leading_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(6, 6))
    within = root @ root.T + 0.1 * np.eye(6)
    a = rng.normal(size=6)
    a /= np.linalg.norm(a)
    direction, weights, ratios = _leading(within + 4 * np.outer(a, a), within)
    assert abs(direction @ a) == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(ratios[1:], 1, atol=1e-8)
    assert ratios[0] == pytest.approx(1 + 4 * a @ np.linalg.solve(within, a))
    # The weights read t off coordinates v = t a + w with the least influence of w.
    best = np.linalg.solve(within, a)
    assert abs(weights @ best) == pytest.approx(np.linalg.norm(weights) * np.linalg.norm(best))
    assert eigh(within)[0].min() > 0
