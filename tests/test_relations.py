"""Relations between answers: what a change of the data that is known must do to what is found, and what it must not.

No truth is needed for these, so they hold for any picture. One motion is looked at in digits on their black ground and
in windows of a photograph: a turn about a point off the centre, for pictures with growth as well, whose field no mirror
and no quarter turn leaves as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from moved import windows

from liescope import detect, load_result
from liescope.data import make_pairs
from liescope.evaluation import field_cosine, principal_angles

skimage = pytest.importorskip("skimage", reason="scikit-image has the pictures")

DIGITS = [-2 / 14, 0, -1, 3 / 14, 1, 0]
"""A turn about column 10.5, row 15.5 of 28 x 28 pixels."""
PHOTO = [0.12, 0.2, -1, 0.2, 1, 0.2]
KINDS = ("digits", "photo")
ROUNDING, RESAMPLED = 1e-5, 0.3
"""Degrees: of the same numbers in another order, and of pictures that interpolation sees anew."""


class World(NamedTuple):
    """Pairs and the field that moves them, by the magnitudes t."""

    source: np.ndarray
    target: np.ndarray
    field: np.ndarray
    t: np.ndarray
    label: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return self.source.shape[1], self.source.shape[2]


@cache
def world(kind: str) -> World:
    return _digits() if kind == "digits" else _photo()


@cache
def answer(kind: str) -> Any:
    return detect(world(kind).source, world(kind).target)


def _digits() -> World:
    pairs = make_pairs(transform="rotation", range=40, pairs=120, centre=(10.5, 15.5))
    source, target = (255 * np.asarray(images, np.float64) for images in (pairs.source, pairs.target))
    t = np.asarray(pairs.magnitude).ravel() / np.linalg.norm(DIGITS)
    return World(source, target, np.array(DIGITS), t, np.asarray(pairs.label))


def _photo(count: int = 12) -> World:
    t = np.random.default_rng(50).uniform(-0.35, 0.35, count)
    source, target = windows("astronaut", np.outer(t, PHOTO))
    return World(source, target, np.array(PHOTO), t, np.arange(count) % 3)


def same(field: np.ndarray) -> np.ndarray:
    return field


def mirrored(field: np.ndarray) -> np.ndarray:
    """x -> -x: u changes its sign, and so does what is odd in x."""
    a0, a1, a2, b0, b1, b2 = field
    return np.array([-a0, a1, -a2, b0, -b1, b2])


def turned(field: np.ndarray) -> np.ndarray:
    """(x, y) -> (-y, x), which np.rot90 does: u' = -v and v' = u, at x = y' and y = -x'."""
    a0, a1, a2, b0, b1, b2 = field
    return np.array([-b0, b2, -b1, a0, -a2, a1])


def on_grid(longest: int, before: int) -> Callable[[np.ndarray], np.ndarray]:
    """The same field in pixels, on a grid whose longest side was another: drifts are in units of half of it."""
    return lambda field: field * np.array([before / longest, 1, 1, before / longest, 1, 1])


def agree(
    kind: str,
    other: Any,
    act: Callable[[np.ndarray], np.ndarray] = same,
    *,
    degrees: float = RESAMPLED,
    share: float = 0.02,
    backwards: bool = False,
    rows: Any = slice(None),
) -> None:
    """Another answer is the first one acted on: its verdict, its field, and what moves each pair with its sign."""
    one = answer(kind)
    assert (other.verdict, len(other.generators)) == (one.verdict, len(one.generators)), other.reason
    field = act(one.generators[0].generator.coefficients)
    found = other.generators[0].generator.coefficients
    shape = other.shape[1:]
    assert principal_angles(found[None], field[None], shape=shape)[0] < degrees
    assert field_cosine(found, field, shape=shape) > np.cos(np.radians(degrees))
    sign = np.sign(found @ field) * (-1 if backwards else 1)
    t = np.linalg.norm(field) * one.t[rows, 0]
    np.testing.assert_allclose(sign * other.t[:, 0], t, rtol=0, atol=share * t.std())
    assert (other.accepted == one.accepted[rows]).mean() > 0.9


def equal(kind: str, other: Any, rows: Any = slice(None), within: float = ROUNDING) -> None:
    """Another answer is the same one: coefficients, magnitudes and evidence."""
    one = answer(kind)
    assert (other.verdict, other.reason) == (one.verdict, one.reason)
    first, second = (r.generators[0] for r in (one, other))
    np.testing.assert_allclose(second.generator.coefficients, first.generator.coefficients, atol=within)
    np.testing.assert_allclose(second.interval, first.interval, atol=within)
    for name in ("t", "t_error", "residual"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name)[rows], atol=within)
    assert (other.accepted == one.accepted[rows]).all()
    for key in ("heldout_error", "identity_error", "permuted_error", "p_value"):
        np.testing.assert_allclose(other.evidence[key], one.evidence[key], atol=within)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_answer_is_right(kind):
    """So that relations are not kept by an answer that is the same whatever the data."""
    one, pairs = answer(kind), world(kind)
    assert (one.verdict, len(one.generators)) == ("symmetry", 1)
    found, unit = one.generators[0].generator.coefficients, pairs.field / np.linalg.norm(pairs.field)
    assert principal_angles(found[None], unit[None], shape=pairs.shape)[0] < RESAMPLED
    t = pairs.t * np.linalg.norm(pairs.field)
    np.testing.assert_allclose(np.sign(found @ unit) * one.t[:, 0], t, atol=0.02 * t.std())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["by chance", "by label"])
def test_the_order_of_rows_says_nothing(kind, order):
    pairs = world(kind)
    count = len(pairs.source)
    rows = np.random.default_rng(3).permutation(count) if order == "by chance" else np.argsort(pairs.label)
    equal(kind, detect(pairs.source[rows], pairs.target[rows]), rows)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gain_and_an_offset_of_all_images_change_nothing(kind):
    """Twice the grey values, and eight more, hardly round in binary numbers; here from the last row to the first."""
    source, target, *_ = world(kind)
    rows = np.arange(len(source))[::-1]
    equal(kind, detect(2 * source[rows] + 8, 2 * target[rows] + 8), rows)
    agree(kind, detect(0.37 * source - 11, 0.37 * target - 11), degrees=0.01, share=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gain_and_an_offset_of_targets_are_told_and_change_nothing(kind):
    source, target, *_ = world(kind)
    count = min(len(source), 40)
    rng = np.random.default_rng(4)
    gain, offset = rng.uniform(0.5, 2, count), rng.uniform(-20, 20, count)
    other = detect(source[:count], target[:count] * gain[:, None, None] + offset[:, None, None])
    agree(kind, other, degrees=0.01, share=1e-3, rows=slice(count))
    # Digits are made by the interpolation that explains them, pictures by another.
    exactly = kind == "digits"
    assert other.gain is not None
    assert other.offset is not None
    np.testing.assert_allclose(other.gain, gain, rtol=1e-4 if exactly else 0.02)
    np.testing.assert_allclose(other.offset, offset, atol=0.01 if exactly else 0.05 * float(source.std()))


@pytest.mark.parametrize("kind", KINDS)
def test_inverted_grey_in_three_channels_changes_nothing(kind):
    source, target, *_ = world(kind)
    inverted = [np.stack([255 - images] * 3, axis=1) for images in (source, target)]
    agree(kind, detect(*inverted), degrees=0.05, share=0.01)


def test_a_channel_twice_changes_nothing():
    source, target, *_ = world("digits")
    agree("digits", detect(np.stack([source] * 2, axis=1), np.stack([target] * 2, axis=1)), degrees=0.01, share=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_mirror_the_field_is_mirrored(kind):
    source, target, *_ = world(kind)
    agree(kind, detect(source[:, :, ::-1], target[:, :, ::-1]), mirrored, degrees=0.05, share=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_a_quarter_turn_turns_the_field(kind):
    source, target, *_ = world(kind)
    quarter = [np.rot90(images, axes=(1, 2)) for images in (source, target)]
    agree(kind, detect(*quarter), turned, degrees=0.05, share=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_way_round_magnitudes_change_their_sign(kind):
    """Targets are smoother than sources: of digits the blur of linear interpolation is on the other side."""
    source, target, *_ = world(kind)
    agree(kind, detect(target, source), backwards=True, share=0.03 if kind == "digits" else 0.02)


def test_more_background_around_digits_changes_nothing_in_pixels():
    source, target, *_ = world("digits")
    wider = [np.pad(images, ((0, 0), (4, 4), (4, 4))) for images in (source, target)]
    agree("digits", detect(*wider), on_grid(36, 28))


def test_a_smaller_part_of_pictures_moves_by_the_same_pixels():
    source, target, *_ = world("photo")
    agree("photo", detect(source[:, 4:-4, 4:-4], target[:, 4:-4, 4:-4]), on_grid(40, 48))


@pytest.mark.parametrize("kind", KINDS)
def test_smaller_pixels_change_nothing(kind):
    """Coordinates go from edge to edge of a picture, so coefficients and magnitudes are those of before."""
    source, target, *_ = world(kind)
    finer = [np.kron(images, np.ones((1, 2, 2))) for images in (source, target)]
    agree(kind, detect(*finer))


@pytest.mark.parametrize("seed", range(4))
def test_small_blurred_digits_have_a_verdict_that_does_not_depend_on_which_image_is_called_source(seed, tmp_path):
    # Targets were interpolated, on 8 x 8 pixels: from them the sharper sources cannot be had again.
    pairs = make_pairs(transform="rotation", range=10, pairs=200, seed=seed, corpus="digits8")
    truth = np.asarray(pairs.natural_magnitude)[:, 0]
    there, back = detect(pairs.source, pairs.target), detect(pairs.target, pairs.source)
    for result, sign in ((there, 1), (back, -1)):
        assert result.verdict == "symmetry", result.reason
        (found,) = result.generators
        assert found.generator.name == "rotation"
        error = np.abs(sign * result.natural[:, 0] - truth)
        # A nought looks the same after half a turn.
        assert np.median(error) < 0.3
        assert np.mean(error < 1.5) > 0.98
    assert "targets were moved onto sources" in back.reason
    assert back.evidence["p_value"] < 0.05
    # What is kept knows the direction.
    back.save(tmp_path / "found")
    fitted = load_result(tmp_path / "found").fitted
    assert fitted is not None
    source, target = (np.asarray(images)[:, None] for images in (pairs.source, pairs.target))
    np.testing.assert_allclose(fitted.measure(target, source).t, back.t, atol=0.02)
