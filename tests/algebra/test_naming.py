"""Names of algebras: in any basis of the span, about any centre, in any frame, with errors, in any fields."""

import json
from pathlib import Path

import numpy as np
import pytest

from liescope.algebra import ALGEBRA_WORDS, NAMED_ALGEBRAS, canonical_coefficients, describe_algebra
from liescope.answer.values import json_text, plain_values
from liescope.geometry import affine, field_basis, quadratic
from liescope.result import load_result

SHAPES = [(28, 28), (20, 36)]
CENTRE = (0.31, -0.22)
ROTATION, SCALE = np.array([[0.0, -1], [1, 0]]), np.eye(2)
HYPERBOLIC, DIAGONAL = np.diag([1.0, -1]), np.array([[0.0, 1], [1, 0]])
SHEAR = np.array([[0.0, 1], [0, 0]])
FRAME = np.array([[1.4, 0.5], [0.1, 0.8]])
SHIFTS = [np.array([1.0, 0, 0, 0, 0, 0]), np.array([0.0, 0, 0, 1, 0, 0])]

LINEAR = {
    "so(2)": [ROTATION],
    "gl(1)": [SCALE],
    "so(1,1)": [HYPERBOLIC],
    "shear": [SHEAR],
    "so(2)+gl(1)": [ROTATION, SCALE],
    "sl(2)": [ROTATION, HYPERBOLIC, DIAGONAL],
    "gl(2)": [ROTATION, HYPERBOLIC, DIAGONAL, SCALE],
}
WITH_SHIFTS = {
    "se(2)": [ROTATION],
    "t(2)+gl(1)": [SCALE],
    "sim(2)": [ROTATION, SCALE],
    "saff(2)": LINEAR["sl(2)"],
    "aff(2)": LINEAR["gl(2)"],
}


def about(matrices: list[np.ndarray], centre: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    fields = []
    for matrix in matrices:
        drift = -matrix @ np.array(centre)
        fields.append(np.r_[drift[0], matrix[0], drift[1], matrix[1]])
    return np.stack(fields, axis=1)


def in_frame(matrices: list[np.ndarray]) -> list[np.ndarray]:
    return [FRAME @ m @ np.linalg.inv(FRAME) for m in matrices]


def mixed(columns: np.ndarray, seed: int = 0) -> np.ndarray:
    change = np.random.default_rng(seed).normal(size=(columns.shape[1],) * 2)
    result: np.ndarray = columns @ change
    result /= np.linalg.norm(result, axis=0)
    return result


def canonical(*names: str) -> np.ndarray:
    return np.stack([c for n in names if (c := canonical_coefficients(n, quadratic())) is not None], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("centre", [(0.0, 0.0), CENTRE])
@pytest.mark.parametrize("name", LINEAR)
def test_linear_algebras_about_any_centre_in_any_frame(
    name: str, centre: tuple[float, float], frame: bool, shape: tuple[int, int]
) -> None:
    matrices = in_frame(LINEAR[name]) if frame else LINEAR[name]
    described = describe_algebra(mixed(about(matrices, centre)), affine(), shape)
    assert described.name == described.smallest_closed_name == name
    assert described.closed
    stretched = frame and name in ("so(2)", "so(1,1)", "so(2)+gl(1)")
    if stretched:
        assert described.position == "stretched"
    elif centre != (0.0, 0.0):
        assert described.position == "moved"
    if name == "shear":  # a line of fixed points
        assert described.centre_px is None
        return
    scale = max(shape) / 2
    expected = ((shape[1] - 1) / 2 + scale * centre[0], (shape[0] - 1) / 2 - scale * centre[1])
    assert described.centre_px == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("centre", [(0.0, 0.0), CENTRE])
@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("name", WITH_SHIFTS)
def test_algebras_with_all_shifts_do_not_depend_on_the_centre(
    name: str, frame: bool, centre: tuple[float, float]
) -> None:
    matrices = in_frame(WITH_SHIFTS[name]) if frame else WITH_SHIFTS[name]
    described = describe_algebra(mixed(np.column_stack((about(matrices, centre), *SHIFTS))), affine(), SHAPES[0])
    assert described.name == name
    assert described.centre_px is None
    assert described.position == ("stretched" if frame and name in ("se(2)", "sim(2)") else "canonical")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("degrees", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", NAMED_ALGEBRAS)
def test_names_and_facts_survive_errors(noisy, name: str, degrees: float, seed: int) -> None:
    columns = noisy(canonical(*NAMED_ALGEBRAS[name]), quadratic(), SHAPES[0], degrees, seed)
    exact = describe_algebra(canonical(*NAMED_ALGEBRAS[name]), quadratic(), SHAPES[0])
    described = describe_algebra(columns, quadratic(), SHAPES[0])
    facts = ("name", "killing_signature", "derived_dimension", "centre_dimension", "abelian", "solvable", "semisimple")
    for fact in (*facts, "smallest_closed_dimension", "smallest_closed_name"):
        assert getattr(described, fact) == getattr(exact, fact)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", LINEAR)
def test_off_centre_names_survive_errors(noisy, name: str, seed: int) -> None:
    columns = noisy(about(LINEAR[name], CENTRE), affine(), SHAPES[0], 1.0, seed)
    described = describe_algebra(columns, affine(), SHAPES[0])
    assert described.name == name
    if described.centre_px:
        assert described.centre_px == pytest.approx((13.5 + 14 * CENTRE[0], 13.5 - 14 * CENTRE[1]), abs=1.0)


SPIRAL = ROTATION + 0.5 * SCALE
X_SCALE = np.diag([1.0, 0])
BY_BRACKETS = {
    "abelian": about([SCALE, HYPERBOLIC]),
    "aff(1)": about([SCALE, SCALE], (0.0, 0.0)) + np.column_stack((np.zeros(6), [0.4, 0, 0, 0, 0, 0])),
    "solvable": np.column_stack((about([SPIRAL]), *SHIFTS)),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", BY_BRACKETS)
def test_closed_algebras_without_fields_of_their_own(name: str, seed: int) -> None:
    described = describe_algebra(mixed(BY_BRACKETS[name], seed), affine(), SHAPES[0])
    assert (described.name, described.position) == (name, "abstract")
    assert described.solvable
    assert described.abelian == (name == "abelian")


def test_boosts_and_shifts_are_not_taken_for_scale_and_shifts() -> None:
    # Both have Killing signature (1, 0, 2) and [g, g] of dimension two.
    described = describe_algebra(np.column_stack((about([HYPERBOLIC]), *SHIFTS)), affine(), SHAPES[0])
    assert described.killing_signature == (1, 0, 2)
    assert described.name == "solvable"


def test_known_brackets_in_unknown_fields() -> None:
    tx, ty, rotation, scale, sx, sy = canonical(*NAMED_ALGEBRAS["conformal"]).T
    sphere = np.stack([rotation, tx + sx, ty + sy], axis=1)
    disc = np.stack([rotation, tx - sx, ty - sy], axis=1)
    line = np.stack([tx, scale, sx], axis=1)
    # The similarities that fix another point than infinity: those of 1/z.
    inverted = np.stack([sx, sy, rotation, scale], axis=1)
    projective = np.zeros((12, 8))
    projective[[0, 1, 2, 6, 7, 8], range(6)] = 1
    projective[[3, 10], 6] = 1
    projective[[4, 11], 7] = 1
    for columns, name in ((disc, "sl(2)"), (line, "sl(2)"), (inverted, "sim(2)"), (projective, "sl(3)")):
        described = describe_algebra(mixed(columns), quadratic(), SHAPES[0])
        assert (described.name, described.position, described.closed) == (name, "abstract", True)
        assert described.description.startswith("Motions that combine as these do")
    described = describe_algebra(mixed(sphere), quadratic(), SHAPES[0])
    assert (described.name, described.killing_signature) == ("so(3)", (0, 3, 0))
    described = describe_algebra(mixed(np.stack([sx, sy, rotation], axis=1)), quadratic(), SHAPES[0])
    assert (described.name, described.position) == ("se(2)", "abstract")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("degrees", [0.5, 1.0, 2.0])
def test_brackets_name_the_smallest_algebra_in_spite_of_errors(noisy, degrees: float, seed: int) -> None:
    cases = {
        "aff(1)": ("translation-x", "scale-x"),
        "sl(2)": ("translation-x", "scale", "sct-x"),
        "solvable": ("scale-x", "scale-y", "shear-x"),
        "sim(2)": ("sct-x", "sct-y", "rotation", "scale"),
    }
    for name, fields in cases.items():
        described = describe_algebra(
            noisy(canonical(*fields), quadratic(), SHAPES[0], degrees, seed), quadratic(), SHAPES[0]
        )
        assert (described.smallest_closed_dimension, described.smallest_closed_name) == (len(fields), name)
        assert described.name in (name, "not closed")


def monomials(*components: dict[int, float]) -> np.ndarray:
    """A field of the quadratic basis by its coefficients on 1, x, y, x^2, xy, y^2 in the two components."""
    field = np.zeros(12)
    for c, entries in enumerate(components):
        for i, value in entries.items():
            field[6 * c + i] = value
    return field


def test_large_algebras_by_their_brackets_alone() -> None:
    # x and y times the scale field commute, and linear maps act on them as on shifts.
    duals = [monomials({3: 1}, {4: 1}), monomials({4: 1}, {5: 1})]
    linear = [monomials({1: 1}, {2: -1}), monomials({2: 1}), monomials({}, {1: 1}), monomials({1: 1}, {2: 1})]
    projective_line = [monomials({0: 1}), monomials({1: 1}), monomials({3: 1})]
    # Angles kept in another frame: f(z) with x replaced by 2x in place and direction.
    stretched = [monomials({0: 1}), monomials({}, {0: 1}), monomials({2: -2}, {1: 0.5}), linear[3]]
    stretched += [monomials({3: 0.5, 5: -2}, {4: 1}), monomials({4: 2}, {3: -0.25, 5: 1})]
    cases = {
        "aff(2)": [*duals, *linear],
        "saff(2)": [*duals, *linear[:3]],
        "gl(2)": [*projective_line, monomials({}, {0: 1})],
        "conformal": stretched,
    }
    for name, fields in cases.items():
        described = describe_algebra(mixed(np.stack(fields, axis=1)), quadratic(), SHAPES[0])
        assert described.closure_residual < 1e-9
        assert (described.name, described.position) == (name, "abstract")


def test_fields_of_your_own_are_known_by_what_they_are() -> None:
    basis = field_basis(
        {
            "turn": lambda x, y: (-2 * y, 2 * x),
            "turn and grow": lambda x, y: (x - y, x + y),
            "wave": lambda x, y: ((3 * x).sin(), 0 * y),
        }
    )
    described = describe_algebra(np.eye(3)[:, :2], basis, SHAPES[1])
    assert (described.name, described.position) == ("so(2)+gl(1)", "canonical")
    described = describe_algebra(np.eye(3), basis, SHAPES[1])
    assert described.name == "not closed"
    assert described.smallest_closed_dimension is None
    assert (described.killing_signature, described.abelian, described.solvable) == (None, None, None)


def test_what_generators_that_are_not_closed_generate() -> None:
    described = describe_algebra(np.column_stack((about([ROTATION]), SHIFTS[0])), affine(), SHAPES[0])
    assert (described.name, described.closed) == ("not closed", False)
    assert (described.smallest_closed_dimension, described.smallest_closed_name) == (3, "se(2)")
    assert "3 independent generators" in described.description
    assert "rigid motions" in described.description


def test_one_generator_and_none() -> None:
    translation = describe_algebra(np.array([[0.7], [0], [0], [0.7], [0], [0]]), affine(), SHAPES[0])
    assert translation.name == "t(1)"
    parabolic = describe_algebra(np.array([[0.0], [0], [1], [1], [0], [0]]), affine(), SHAPES[0])
    assert (parabolic.name, parabolic.position) == ("one-parameter", None)
    assert parabolic.structure_constants == (((0.0,),),)
    nothing = describe_algebra(np.zeros((6, 0)), affine(), SHAPES[0])
    assert (nothing.dimension, nothing.name, nothing.killing_signature) == (0, "trivial", (0, 0, 0))


def test_a_turning_shift_is_no_rotation_about_a_far_point() -> None:
    shift = np.array([[1.0], [0], [-0.05], [0.0], [0.05], [0]])
    assert describe_algebra(shift, affine(), SHAPES[0]).name == "t(1)"


def test_dependent_generators_do_not_break_the_description() -> None:
    columns = about([ROTATION, ROTATION, SCALE])
    described = describe_algebra(columns, affine(), SHAPES[0])
    assert (described.dimension, described.name) == (3, "so(2)+gl(1)")


def test_sentences() -> None:
    said = describe_algebra(np.column_stack((about([ROTATION]), *SHIFTS)), affine(), SHAPES[0]).description
    assert said == "Rotations and shifts in any order: rigid motions of the plane."
    off = describe_algebra(about([ROTATION, SCALE], (0.0, 0.5)), affine(), SHAPES[0]).description
    assert off.endswith("with the fixed point at column 13.5, row 6.5.")
    assert set(NAMED_ALGEBRAS) <= set(ALGEBRA_WORDS)


@pytest.mark.parametrize("columns", [np.zeros((6, 0)), about([ROTATION, SCALE], CENTRE), about([ROTATION, HYPERBOLIC])])
def test_a_description_is_plain_json(columns: np.ndarray) -> None:
    described = describe_algebra(columns, affine(), SHAPES[0])
    content = json.loads(json_text({"algebra": plain_values(described._asdict())}))["algebra"]
    assert np.array(content["structure_constants"]).size == columns.shape[1] ** 3
    assert content["name"] == described.name
    assert (described.closed, type(described.closure_residual)) == (content["closed"], float)


def test_new_and_old_results_load(make_result, tmp_path: Path) -> None:
    described = describe_algebra(about([ROTATION, SCALE]), affine(), (12, 12))._asdict()
    make_result("rotation", "scale", algebra=described).save(tmp_path / "new")
    assert load_result(tmp_path / "new").algebra == plain_values(described)
    old = {"dimension": 2, "name": "so(2)+gl(1)", "closed": True, "closure_residual": 0.0}
    make_result("rotation", "scale", algebra=old).save(tmp_path / "old")
    assert load_result(tmp_path / "old").algebra == old
