"""The answer in words."""

from __future__ import annotations

import numpy as np
import pytest

from liescope.algebra import CANONICAL_FIELDS, Generator
from liescope.detector.branch import on_branch
from liescope.report import words
from liescope.report.numbers import histogram
from liescope.report.views import generator_view


def turned(degrees) -> np.ndarray:
    """Magnitudes t of a unit-norm rotation by these angles."""
    return np.asarray(np.radians(np.asarray(degrees, float))[:, None] * np.sqrt(2))


def test_a_rotation_in_one_sentence(make_result):
    t = turned(np.linspace(-60, 60, 1000))
    result = make_result("rotation", shape=(1, 28, 28), pairs=1000, t=t)
    assert words.title(result) == "Rotation"
    assert words.sentence(result) == (
        "Each target is its source rotated counter-clockwise about (13.5, 13.5), by between -60 and 60 degrees."
    )


def test_humps_are_told(make_result):
    t = turned(np.repeat([-60, 0, 60], 200))
    assert words.sentence(make_result("rotation", pairs=600, t=t)).endswith(
        "by between -60 and 60 degrees, mostly near -60, 0 and 60 degrees."
    )


def test_one_single_magnitude(make_result):
    assert words.how_much(make_result("rotation", t=turned(np.full(60, 30)))) == "by 30 degrees"
    scaled = make_result("scale", t=np.full((60, 1), np.sqrt(2) * np.log(1.5)))
    assert words.how_much(scaled) == "by a factor of 1.5"


def test_scaling_is_told_in_factors(make_result):
    t = np.sqrt(2) * np.linspace(np.log(0.5), np.log(2), 60)[:, None]
    result = make_result("scale", t=t, accepted=np.ones(60, bool))
    assert words.how_much(result) == "by a factor between 0.501 and 2"


@pytest.mark.parametrize("name", [*CANONICAL_FIELDS, "off-centre spiral", "translation at 30", "no name"])
def test_every_generator_has_words(name):
    special = {
        "off-centre spiral": [0.2, 0.5, -1, 0, 1, 0.5],
        "translation at 30": [0.866, 0, 0, 0.5, 0, 0],
        "no name": [0.1, 1, 0.3, -0.7, -0.2, 0.4],
    }
    if name in CANONICAL_FIELDS:
        generator = Generator(np.ravel(CANONICAL_FIELDS[name]), "quadratic", (28, 20))
    else:
        generator = Generator(special[name], "affine", (28, 20))
    text = words.action(generator)
    expected = {
        "translation at 30": "shifted at 30 degrees",
        "no name": "flow of",
        "off-centre spiral": "rotated",
    }
    assert expected.get(name, "") in text
    # Only what has no name of its own is told by its equation.
    assert ("d/dx" in text) == (name == "no name")


def test_several_generators(make_result):
    result = make_result("rotation", "translation-x")
    assert words.title(result) == "2 symmetries: rotation and shift along x"
    text = words.sentence(result)
    assert text.startswith("Each target is its source moved in 2 ways together: (1) rotated")
    assert "(2) shifted to the right" in text


def test_no_symmetry_says_why(make_result):
    result = make_result(reason="nothing beats chance")
    assert words.title(result) == "No symmetry found"
    assert words.sentence(result) == "Nothing beats chance."


def test_algebra(make_result):
    described = {"description": "Rotations and shifts."}
    algebra = {"dimension": 3, "name": "se(2)", "closed": True, "closure_residual": 0.001, **described}
    text = words.algebra_words(make_result("rotation", "translation-x", "translation-y", algebra=algebra))
    assert "dimension 3, called se(2). In words: rotations and shifts." in text
    assert "close under the bracket (residual 0.001)" in text
    roughly = words.algebra_words(make_result("rotation", "shear-x", algebra=algebra | {"closed": False}))
    assert "close under the bracket up to the errors of the generators" in roughly
    whole = {"closed": False, "smallest_closed_dimension": 6, "smallest_closed_name": "aff(2)"}
    own = {"dimension": 2, "name": "not closed"}
    grown = words.algebra_words(make_result("rotation", "shear-x", algebra=algebra | own | whole))
    assert "span 2 dimensions that are no Lie algebra" in grown
    assert "They do not close under the bracket" in grown
    assert "The smallest algebra that holds them has dimension 6 (aff(2))." in grown
    assert words.algebra_words(make_result(algebra={"dimension": 0, "name": "trivial"})) == ""


def test_simple_numbers_are_told_only_where_the_pairs_allow_them(make_result):
    clean = {"equations": ["d/dx", "-y d/dx + 0.3 x d/dy"], "snapped": [True, False], "p_value": 0.4}
    result = make_result("translation-x", "rotation", algebra={"clean": clean})
    assert words.clean_words(result) == (
        "In simple numbers: d/dx. The pairs do not contradict them (p = 0.4); 1 of the generators cannot be written so."
    )
    contradicted = make_result("rotation", algebra={"clean": clean | {"snapped": [False, False]}})
    assert words.clean_words(contradicted) == words.clean_words(make_result("rotation")) == ""


def test_half_a_turn_is_told_as_half_a_turn(make_result):
    angles = np.random.default_rng(0).uniform(179.7, 180.3, 300)
    measured = turned((angles + 180) % 360 - 180)
    turns = [make_result("rotation").generators[0].generator]
    result = make_result("rotation", pairs=300, t=on_branch(turns, measured, measured))
    assert words.sentence(result).endswith("by between 179.7 and 180.3 degrees.")
    assert dict(generator_view(result, 0, None).law)["Median"] == "180"
    bars = histogram(result)
    assert 179.6 < bars.edges[0] < bars.edges[-1] < 180.4
    assert bars.counts.sum() == result.accepted.sum()
    # Those of several generators are coordinates on no circle.
    several = np.repeat(measured, 2, axis=1)
    np.testing.assert_array_equal(on_branch([*turns, *turns], several, several), several)
