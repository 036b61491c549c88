"""Moments of moved images: equal to those of images that are moved one by one, and to their own derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from sklearn.datasets import load_digits

from liescope.engines.distribution.law import KNOTS, Lattice, ascending, drawn_from
from liescope.engines.distribution.moments import Moments, Motion, SecondMoments, describe
from liescope.engines.distribution.views import Patterns, Views, working_grid
from liescope.engines.pair_set import GreyScale
from liescope.geometry import Basis, Grid, affine, quadratic


def parts(basis: Basis, count: int = 6) -> tuple[Moments, Motion, Views]:
    images = load_digits().images[:300][:, None]
    scale = GreyScale.of(images, np.arange(len(images)))
    grid = working_grid(Grid.of(8, 8))
    x, y = Views(images[:150], scale, grid), Views(images[150:], scale, grid)
    index = np.arange(150)
    motion = Motion(basis, grid, Patterns.of([(x, index), (y, index)], count))
    z = [motion.patterns.of_images(views, index) for views in (x, y)]
    return Moments.of(motion, [SecondMoments.of(x, index)], [z[0]], [z[1]]), motion, x


@pytest.mark.parametrize("basis", [affine(), quadratic()], ids=lambda basis: basis.name)
def test_moments_are_those_of_images_moved_one_by_one(basis: Basis) -> None:
    moments, motion, views = parts(basis)
    vectors = 0.3 * np.random.default_rng(0).normal(size=(5, basis.dimension))
    rows = views.rows(np.arange(150))
    moved = [motion.coordinates(rows, np.tile(vector, (150, 1))) for vector in vectors]
    expected = np.mean([describe(z).mean(axis=0) for z in moved], axis=0) - moments.described[0]
    assert moments.differences(vectors) == pytest.approx(moments.whitening[0] @ expected, abs=2e-3)


def test_a_rotation_is_that_of_scipy() -> None:
    _, motion, views = parts(affine())
    rows = views.rows(np.arange(40))
    quarter = np.array([0, 0, -1, 0, 1, 0]) * np.pi / 2
    turned = ndimage.rotate(rows.reshape(-1, 8, 8).numpy(), 90, axes=(2, 1), reshape=False, order=1)
    expected = motion.patterns.coordinates(torch.from_numpy(turned).flatten(1)).numpy()
    assert motion.coordinates(rows, np.tile(quarter, (40, 1))) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("generators", [1, 2])
def test_derivatives_are_those_of_small_steps(generators: int) -> None:
    basis = affine()
    moments, _, _ = parts(basis)
    random = np.random.default_rng(1)
    coefficients = random.normal(size=(generators, 6))
    quantiles = np.sort(0.2 * random.normal(size=(generators, KNOTS)), axis=1)
    lattice = Lattice.of(generators, 5)
    here, jacobian = moments.linearised(coefficients, quantiles, lattice)
    step = 0.02
    for column in (1, 4, 6 * generators + 7, jacobian.shape[1] - 9):
        ends = []
        for sign in (1, -1):
            change = np.zeros(jacobian.shape[1])
            change[column] = sign * step
            a = coefficients + change[: coefficients.size].reshape(coefficients.shape)
            q = quantiles + change[coefficients.size :].reshape(quantiles.shape)
            ends.append(moments.differences(lattice.t(q) @ a))
        slope = (ends[0] - ends[1]) / (2 * step)
        assert np.linalg.norm(jacobian[:, column] - slope) < 0.05 * np.linalg.norm(slope) + 0.02
    assert here == pytest.approx(moments.differences(lattice.t(quantiles) @ coefficients), abs=1e-4)


def test_quantiles_that_fall_are_brought_up_and_drawn_from_evenly() -> None:
    rising = ascending(np.array([[0.0, 2.0, 1.0, 3.0]]))
    assert rising.tolist() == [[0.0, 1.5, 1.5, 3.0]]
    law = np.linspace(-1, 3, KNOTS)[None]
    drawn = drawn_from(law, 400, np.random.default_rng(0))
    assert np.sort(drawn[:, 0]) == pytest.approx(-1 + 4 * (np.arange(400) + 0.5) / 400)
