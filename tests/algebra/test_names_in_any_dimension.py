"""Names off the plane: in any basis of the span, about any point, in any frame, with errors."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest

from liescope.algebra import Generator, describe_algebra
from liescope.errors import InputError
from liescope.geometry import Box, Cloud, affine, conformal, field_basis, quadratic

SHAPES = {1: (20,), 3: (8, 9, 10), 4: (5, 6, 5, 6), 5: (4, 4, 5, 4, 4)}


def unit(n: int, i: int, j: int) -> np.ndarray:
    matrix = np.zeros((n, n))
    matrix[i, j] = 1
    return matrix


def so(p: int, q: int = 0) -> list[np.ndarray]:
    metric = np.diag([1.0] * p + [-1.0] * q)
    return [metric @ (unit(p + q, j, i) - unit(p + q, i, j)) for i, j in combinations(range(p + q), 2)]


def gl(n: int) -> list[np.ndarray]:
    return [unit(n, i, j) for i in range(n) for j in range(n)]


def sl(n: int) -> list[np.ndarray]:
    return [m for m in gl(n) if not np.trace(m)] + [unit(n, i, i) - unit(n, i + 1, i + 1) for i in range(n - 1)]


def sp(n: int) -> list[np.ndarray]:
    form = np.kron([[0, 1], [-1, 0]], np.eye(n))
    pairs = combinations_with_replacement(range(2 * n), 2)
    return [np.linalg.inv(form) @ (unit(2 * n, i, j) + unit(2 * n, j, i)) for i, j in pairs]


def wider(matrices: list[np.ndarray]) -> list[np.ndarray]:
    """The same on a space of one dimension more, which they leave alone."""
    return [np.pad(m, ((0, 1), (0, 1))) for m in matrices]


def fields(matrices: list[np.ndarray], centre: float | np.ndarray = 0.0, shifts: bool = False) -> np.ndarray:
    d = len(matrices[0])
    found = [np.c_[-m @ np.broadcast_to(centre, d), m] for m in matrices]
    found += [np.c_[row, np.zeros((d, d))] for row in np.eye(d)] if shifts else []
    return np.stack([field.ravel() for field in found], axis=1)


def mixed(columns: np.ndarray, seed: int) -> np.ndarray:
    result: np.ndarray = columns @ np.random.default_rng(seed).normal(size=(columns.shape[1],) * 2)
    result /= np.linalg.norm(result, axis=0)
    return result


LINEAR = {
    "so(3)": so(3),
    "so(2,1)": so(2, 1),
    "sl(3)": sl(3),
    "gl(3)": gl(3),
    "so(3)+gl(1)": [*so(3), np.eye(3)],
    "gl(1)": [np.eye(3)],
    "so(4)": so(4),
    "so(3,1)": so(3, 1),
    "so(2,2)": so(2, 2),
    "sp(4)": sp(2),
    "sp(4)+gl(1)": [*sp(2), np.eye(4)],
    "sl(4)": sl(4),
    "so(5)": so(5),
    "so(4,1)": so(4, 1),
    "so(3,2)": so(3, 2),
}
WITH_SHIFTS = {
    "se(3)": so(3),
    "sim(3)": [*so(3), np.eye(3)],
    "saff(3)": sl(3),
    "aff(3)": gl(3),
    "t(3)+gl(1)": [np.eye(3)],
    "t(3)+so(2,1)": so(2, 1),
    "t(3)+so(2)": wider(so(2)),
    "se(4)": so(4),
    "t(4)+sp(4)": sp(2),
    "se(5)": so(5),
    "aff(1)": gl(1),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("centre", [0.0, 0.2])
@pytest.mark.parametrize("name", LINEAR)
def test_matrix_algebras_about_any_point(name: str, centre: float, seed: int) -> None:
    d = len(LINEAR[name][0])
    shape = SHAPES[d]
    described = describe_algebra(mixed(fields(LINEAR[name], centre), seed), affine(d), shape)
    assert (described.name, described.closed) == (name, True)
    assert described.position == ("moved" if centre else "canonical")
    s = max(shape) / 2
    sign = np.where(np.arange(d) == 1, -1, 1)
    expected = (np.array(shape[::-1]) - 1) / 2 + sign * s * centre
    assert described.centre_px == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("centre", [0.0, 0.2])
@pytest.mark.parametrize("name", WITH_SHIFTS)
def test_with_all_shifts_the_point_does_not_matter(name: str, centre: float, seed: int) -> None:
    d = len(WITH_SHIFTS[name][0])
    columns = fields(WITH_SHIFTS[name], centre, shifts=True)
    described = describe_algebra(mixed(columns, seed), affine(d), SHAPES[d])
    assert (described.name, described.position, described.centre_px) == (name, "canonical", None)
    assert described.smallest_closed_name == name


@pytest.mark.parametrize("name", ["so(3)", "so(2,1)", "sp(4)", "sl(3)", "so(4)"])
@pytest.mark.parametrize("seed", range(3))
def test_frames_that_are_not_square(name: str, seed: int) -> None:
    d = len(LINEAR[name][0])
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    frame = turn @ np.diag(np.linspace(0.7, 1.5, d))
    columns = fields([frame @ m @ np.linalg.inv(frame) for m in LINEAR[name]])
    described = describe_algebra(mixed(columns, seed), affine(d), SHAPES[d])
    assert described.name == name
    assert described.position == ("canonical" if name.startswith("sl") else "stretched")


@pytest.mark.parametrize("degrees", [0.5, 1.5])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["so(3)", "so(2,1)", "sl(3)", "sp(4)", "se(3)", "sim(3)", "aff(3)", "t(3)+gl(1)"])
def test_names_and_facts_survive_errors(noisy, name: str, degrees: float, seed: int) -> None:
    matrices, shifts = (LINEAR[name], False) if name in LINEAR else (WITH_SHIFTS[name], True)
    d = len(matrices[0])
    exact = describe_algebra(fields(matrices, shifts=shifts), affine(d), SHAPES[d])
    columns = noisy(fields(matrices, 0.1, shifts), affine(d), SHAPES[d], degrees, seed)
    described = describe_algebra(columns, affine(d), SHAPES[d])
    assert described.name == name
    for fact in ("killing_signature", "derived_dimension", "centre_dimension", "semisimple", "solvable"):
        assert getattr(described, fact) == getattr(exact, fact)


def test_parts_of_the_space() -> None:
    for matrices, name in ((wider(so(2)), "so(2)"), (wider(so(1, 1)), "so(1,1)"), ([unit(3, 2, 2)], "gl(1)")):
        described = describe_algebra(fields(matrices), affine(3), SHAPES[3])
        assert (described.name, described.centre_px) == (name, None)  # a line or plane of points stays
    assert describe_algebra(fields(wider(so(3))), affine(4), SHAPES[4]).name == "so(3)"
    assert describe_algebra(fields([unit(3, 0, 2)]), affine(3), SHAPES[3]).name == "shear"
    shifts = fields([np.zeros((3, 3))], shifts=True)[:, 1:]
    for k in (1, 2, 3):
        assert describe_algebra(mixed(shifts[:, :k], 0), affine(3), SHAPES[3]).name == f"t({k})"
    along = np.column_stack((fields(wider(so(2))), shifts[:, 2]))
    assert describe_algebra(mixed(along, 0), affine(3), SHAPES[3]).name == "abelian"


@pytest.mark.parametrize(("ndim", "name"), [(1, "sl(2)"), (3, "so(4,1)"), (4, "so(5,1)")])
def test_conformal_fields(ndim: int, name: str) -> None:
    basis = conformal(ndim)
    described = describe_algebra(mixed(np.eye(basis.dimension), 0), basis, SHAPES[ndim])
    assert (described.name, described.semisimple) == (name, True)
    assert described.smallest_closed_dimension == (ndim + 1) * (ndim + 2) // 2


def test_brackets_name_what_is_not_affine() -> None:
    # Spheres: rotations and shifts bent round by special conformal fields; the signs tell so(4) from so(3,1).
    basis = conformal(3)
    shifts, turns, bends = np.eye(10)[:, :3], np.eye(10)[:, 3:6], np.eye(10)[:, 7:]
    for sign, name in ((1, "so(4)"), (-1, "so(3,1)")):
        described = describe_algebra(mixed(np.column_stack((turns, shifts + sign * bends)), 0), basis, SHAPES[3])
        assert (described.name, described.position, described.closed) == (name, "abstract", True)
    waves = field_basis(
        {"along": lambda x: 1.0, "sine": lambda x: (2 * x).sin(), "cosine": lambda x: (2 * x).cos()}, ndim=1
    )
    assert describe_algebra(np.eye(3), waves, (30,)).name == "sl(2)"
    assert describe_algebra(np.eye(30), quadratic(3), SHAPES[3]).name == "not closed"
    generated = describe_algebra(fields(so(3))[:, :2], affine(3), SHAPES[3])
    assert (generated.name, generated.smallest_closed_name, generated.smallest_closed_dimension) == (
        "not closed", "so(3)", 3
    )  # fmt: skip


def test_sentences_name_the_dimension() -> None:
    said = describe_algebra(fields(so(3), 0.2), affine(3), SHAPES[3]).description
    assert said == "Rotations about one point in 3 dimensions, with the fixed point at column 5.5, row 3.0, slice 4.5."
    assert "changes of size" in describe_algebra(fields(LINEAR["so(3)+gl(1)"]), affine(3), SHAPES[3]).description
    assert describe_algebra(np.eye(10), conformal(3), SHAPES[3]).description.startswith("Maps that keep angles")


def test_other_domains_than_grids() -> None:
    places = np.random.default_rng(0).uniform(-1, 1, (200, 3))
    for domain in (Cloud(places), Box((-1.0, -0.5, 0.0), (1.0, 0.5, 1.0), count=4)):
        described = describe_algebra(mixed(fields(so(3), 0.1), 0), affine(3), domain)
        assert (described.name, described.centre_px) == ("so(3)", None)
        shift = Generator(np.eye(12)[4], "affine", domain)
        assert (shift.name, shift.unit) == ("translation", "length")
        assert shift.unit_per_t == pytest.approx(1.0)
        with pytest.raises(InputError, match="on a grid"):
            _ = shift.shape
