"""Matrices for emlp and spaces for escnn. Neither is installed: objects are made by stand-ins of what they document."""

from __future__ import annotations

import importlib.machinery
import sys
import warnings
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from liescope.algebra import Generator
from liescope.errors import InputError
from liescope.geometry import affine, get_basis
from liescope.handover import Transformation, emlp, escnn, lie_algebra

ROTATION = [[0, -1, 0], [1, 0, 0], [0, 0, 0]]


def module(name, **content):
    made = ModuleType(name)
    made.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    vars(made).update(content, __path__=[])
    return made


@pytest.fixture
def emlp_package(monkeypatch):
    """``emlp.groups.Group`` as its pages say: ``lie_algebra`` is set, then ``__init__`` takes what names the group."""

    class Group:
        lie_algebra: Any

        def __init__(self, *arguments):
            self.arguments = arguments
            self.d = self.lie_algebra[0].shape[-1]

        def __repr__(self):
            return f"{type(self)}{self.arguments}"

    monkeypatch.setitem(sys.modules, "emlp", module("emlp"))
    monkeypatch.setitem(sys.modules, "emlp.groups", module("emlp.groups", Group=Group))
    monkeypatch.delitem(sys.modules, "liescope.handover.for_emlp", raising=False)
    yield
    sys.modules.pop("liescope.handover.for_emlp", None)


@pytest.fixture
def escnn_package(monkeypatch):
    """``escnn.gspaces.rot2dOnR2``."""
    spaces = module("escnn.gspaces", rot2dOnR2=lambda N: SimpleNamespace(rotations=N))
    monkeypatch.setitem(sys.modules, "escnn", module("escnn", gspaces=spaces))
    monkeypatch.setitem(sys.modules, "escnn.gspaces", spaces)


@pytest.mark.parametrize("name", ["rotation", "off-centre", "translation-x", "shear-x", "general", "hyperbolic"])
@pytest.mark.filterwarnings("ignore:generators with a trace")
def test_the_exponential_of_a_matrix_is_the_flow(make_result, name) -> None:
    result = make_result(name)
    (matrix,) = lie_algebra(result)
    points = np.random.default_rng(0).uniform(-1, 1, (5, 2))
    moved = np.concatenate((points, np.ones((5, 1))), axis=1) @ expm(0.7 * matrix).T
    np.testing.assert_allclose(moved[:, :2], result.generators[0].generator.flow(points, 0.7), atol=1e-9)
    np.testing.assert_array_equal(matrix[2], 0)


def test_generators_in_simple_ratios_are_taken_where_they_are_known(make_result) -> None:
    noisy = [0.001, 0.002, -0.99, -0.001, 1.01, 0.003]
    clean = {"coefficients": [[0, 0, -1.0, 0, 1.0, 0]]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = make_result(noisy, algebra={"clean": clean})
        assert lie_algebra(result).tolist() == [ROTATION]
    unit = Generator(noisy).coefficients
    with pytest.warns(UserWarning, match="generators with a trace"):
        found = lie_algebra(result, clean=False)[0]
    np.testing.assert_allclose([*found[0, [2, 0, 1]], *found[1, [2, 0, 1]]], unit)
    # What is said of other generators is of no use.
    other = make_result("rotation", "scale", algebra={"clean": clean})
    with pytest.warns(UserWarning, match="trace"):
        assert lie_algebra(other).shape == (2, 3, 3)


def test_a_trace_is_told(make_result) -> None:
    with pytest.warns(UserWarning, match=r"generators with a trace \(0, 1.41\) change areas: emlp is made for groups"):
        lie_algebra(make_result("rotation", "scale"))


@pytest.mark.parametrize("ndim", [1, 3])
def test_matrices_of_other_dimensions(ndim) -> None:
    basis = affine(ndim)
    coefficients = np.random.default_rng(0).normal(size=(2, basis.dimension))
    found = Transformation(coefficients, basis, (9, 8, 7)[:ndim])
    points = np.random.default_rng(1).uniform(-1, 1, (4, ndim))
    with pytest.warns(UserWarning, match="trace"):
        matrices = lie_algebra(found)
    for row, matrix in zip(coefficients, matrices, strict=True):
        moved = np.concatenate((points, np.ones((4, 1))), axis=1) @ expm(matrix).T
        generator = Generator(row, basis, found.shape)
        t = float(row @ generator.coefficients)
        np.testing.assert_allclose(moved[:, :-1], generator.flow(points, t), atol=1e-9)


def test_shifts_alone_have_matrices(make_result) -> None:
    assert lie_algebra(make_result([0, 1], basis="translations")).tolist() == [[[0, 0, 0], [0, 0, 1], [0, 0, 0]]]


@pytest.mark.parametrize("basis", ["quadratic", "conformal"])
def test_other_fields_have_no_matrices(make_result, basis) -> None:
    result = make_result(np.eye(get_basis(basis).dimension)[0], basis=basis)
    for function in (lie_algebra, emlp):
        with pytest.raises(InputError, match=f"expected generators in an affine basis, got '{basis}', try detect"):
            function(result)


def test_the_group_has_the_matrices(make_result, emlp_package) -> None:
    group = emlp(make_result("rotation"))
    np.testing.assert_allclose(group.lie_algebra, np.array([ROTATION]) / np.sqrt(2))
    assert group.d == 3
    # emlp caches what it has solved for a group by its text.
    assert repr(group) == repr(emlp(make_result("rotation")))
    assert repr(group) != repr(emlp(make_result("hyperbolic")))


@pytest.mark.parametrize("N", [2, 16, -1])
def test_a_central_rotation_has_a_space(make_result, escnn_package, N) -> None:
    assert escnn(make_result("rotation"), N).rotations == N
    assert escnn(make_result([0.01, 0.002, -1, 0.01, 1.01, 0])).rotations == 16


@pytest.mark.parametrize(
    ("fields", "N", "message"),
    [
        (
            ["off-centre"],
            8,
            "expected a rotation about the image's centre for escnn, got one about column 7.0, row 4.0",
        ),
        (["off-centre"], 8, "2.1 pixels off, try images recentred there"),
        (["scale"], 8, "expected a rotation for escnn, got scale: "),
        (["rotation", "scale"], 8, "expected one rotation for escnn, got 2: rotation and scale"),
        ([[0, 0, -1, 0, 2, 0]], 8, "expected a rotation along circles for escnn, got one along ellipses"),
        (["rotation"], 0, "expected N of at least 2 rotations, or -1 for all, got 0"),
        (["rotation"], 1, "expected N of at least 2 rotations"),
        (["rotation"], True, "expected N of at least 2 rotations"),
    ],
)
def test_what_is_no_space_of_escnn_is_told(make_result, escnn_package, fields, N, message) -> None:
    with pytest.raises(InputError, match=message) as raised:
        escnn(make_result(*fields), N)
    assert "\n" not in str(raised.value)
