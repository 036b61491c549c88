"""Coordinates of unit spread, and polynomial fields carried out of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from liescope.geometry import affine, conformal, polynomial
from liescope.nullspace import Dictionary, frame_of, full_degree


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("d", [1, 2, 4])
def test_fields_are_the_same_fields_in_both_coordinates(degree: int, d: int) -> None:
    rng = np.random.default_rng(10 * degree + d)
    points = rng.normal(size=(50, d)) * rng.uniform(0.1, 10, d) + rng.normal(size=d)
    frame = frame_of(points)
    coefficients = rng.normal(size=Dictionary(degree, frame).dimension)
    inner = polynomial(degree, d).velocity(torch.as_tensor(frame.inward(points)), torch.as_tensor(coefficients))
    outer = torch.as_tensor(Dictionary(degree, frame).outward @ coefficients)
    found = polynomial(degree, d).velocity(torch.as_tensor(points), outer).numpy()
    np.testing.assert_allclose(frame.vectors(found), inner.numpy(), atol=1e-9)
    np.testing.assert_allclose(frame.outward(frame.inward(points)), points, atol=1e-12)
    np.testing.assert_allclose(frame.inward(points).std(axis=0), 1)


def test_points_on_a_plane_have_its_two_coordinates() -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(2, 5))
    points = rng.normal(size=(80, 2)) @ plane + 3
    frame = frame_of(points)
    assert frame.rank == 2
    np.testing.assert_allclose(frame.outward(frame.inward(points)), points, atol=1e-12)
    fields = Dictionary(1, frame).outward @ rng.normal(size=(6, 3))
    moved = affine(5).fields(torch.as_tensor(points)).numpy().transpose(0, 2, 1) @ fields
    along = np.linalg.lstsq(plane.T, moved.transpose(1, 0, 2).reshape(5, -1), rcond=None)[0]
    np.testing.assert_allclose(plane.T @ along, moved.transpose(1, 0, 2).reshape(5, -1), atol=1e-9)


def test_a_coordinate_that_does_not_change_is_no_direction() -> None:
    points = np.column_stack((np.random.default_rng(1).normal(size=(40, 2)), np.full(40, 7.0)))
    assert frame_of(points).rank == 2


def test_only_all_polynomials_of_a_degree_are_full() -> None:
    assert full_degree(polynomial(2, 3)) == 2
    assert full_degree(conformal(2)) is None
    assert full_degree(affine() + polynomial(0, 2).__class__("rest", ["r"], torch.ones(1, 2, 1), 0)) is None
