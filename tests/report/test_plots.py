"""Figures show what the result says."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.quiver import Quiver

from liescope.algebra import Generator
from liescope.errors import InputError
from liescope.report import plot_field, plot_magnitudes, plot_orbit, plot_pairs
from liescope.report.drawings import field_svg, law_svg
from liescope.report.theme import LIGHT, PAGE, figure


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


def arrows(ax: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Feet and vectors of the arrows of a drawing."""
    (quiver,) = [artist for artist in ax.get_children() if isinstance(artist, Quiver)]
    return np.asarray(quiver.get_offsets()), np.stack([quiver.U, quiver.V], axis=-1)


def test_arrows_of_a_rotation_turn_counter_clockwise():
    points, vectors = arrows(plot_field(Generator([0, 0, -1, 0, 1, 0])))
    expected = np.stack([-points[:, 1], points[:, 0]], axis=-1)
    scale = np.linalg.norm(vectors) / np.linalg.norm(expected)
    assert vectors == pytest.approx(scale * expected, abs=1e-9)
    # No arrow is longer than the distance of its neighbours.
    assert np.linalg.norm(vectors, axis=-1).max() <= np.diff(np.unique(points[:, 0])).min() + 1e-9


@pytest.mark.parametrize("shape", [(28, 28), (10, 40), (40, 10)])
def test_the_field_fills_the_image_domain(shape):
    height, width = shape
    ax = plot_field(Generator([1, 0, 0, 0, 0, 0], "affine", shape))
    points, _ = arrows(ax)
    half = np.array([width, height]) / max(shape)
    assert np.all(np.abs(points) < half)
    assert np.allclose(ax.get_xlim(), [-half[0], half[0]])
    assert np.allclose(ax.get_ylim(), [-half[1], half[1]])
    assert ax.get_aspect() == 1.0


def test_the_centre_is_marked_where_it_is():
    # Fixed point at x = 0.25, y = 0.25 of 28 x 28: column 17, row 10.
    ax = plot_field(Generator([0.25, 0, -1, -0.25, 1, 0]))
    (mark,) = [line for line in ax.lines if line.get_marker() == "+"]
    assert np.asarray(mark.get_xydata()).ravel() == pytest.approx([0.25, 0.25])
    assert [text.get_text() for text in ax.texts] == ["(17, 10)"]


@pytest.mark.parametrize("coefficients", [[1, 0, 0, 0, 0, 0], [5.0, 0, -1, 0, 1, 0]])
def test_no_mark_without_a_centre_in_the_picture(coefficients):
    ax = plot_field(Generator(coefficients))
    assert not [line for line in ax.lines if line.get_marker() == "+"]


def test_flow_lines_follow_the_field_even_through_infinity():
    generator = Generator(np.ravel([[0, 0, 0, 1, 0, -1], [0, 0, 0, 0, 2, 0]]), "quadratic")
    ax = plot_field(generator)
    paths = [np.asarray(line.get_xydata()) for line in ax.lines]
    steps = np.concatenate([np.diff(path, axis=0) for path in paths])
    middles = np.concatenate([(path[1:] + path[:-1]) / 2 for path in paths])
    field = generator.field(middles)
    moving = np.isfinite(steps).all(axis=1) & (np.linalg.norm(steps, axis=1) > 1e-4)
    assert moving.sum() > 1000
    steps, field = steps[moving], field[moving]
    cosine = (steps * field).sum(1) / np.linalg.norm(steps, axis=1) / np.linalg.norm(field, axis=1)
    assert cosine.min() > 0.99


def test_bars_count_the_accepted_pairs_in_natural_units(make_result):
    result = make_result("rotation", t=np.sqrt(2) * np.radians(np.linspace(-60, 60, 60))[:, None])
    ax = plot_magnitudes(result)
    bars = [bar.get_path().get_extents(bar.get_patch_transform()) for bar in ax.patches]
    assert sum(bar.height for bar in bars) == pytest.approx(result.accepted.sum())
    assert bars[0].x0 == pytest.approx(-60, abs=3)
    assert "degrees" in ax.get_xlabel()
    assert not ax.lines


def test_modes_are_marked_and_named(make_result):
    rng = np.random.default_rng(0)
    degrees = rng.choice([-30.0, 0.0, 30.0], 600) + rng.normal(0, 0.3, 600)
    ax = plot_magnitudes(make_result("rotation", pairs=600, t=np.sqrt(2) * np.radians(degrees)[:, None]))
    assert [np.asarray(line.get_xdata())[0] for line in ax.lines] == pytest.approx([-30, 0, 30], abs=1)
    assert [text.get_text() for text in ax.texts] == ["\N{MINUS SIGN}30", "0", "30"]


def test_a_scale_axis_is_labelled_in_factors(make_result):
    t = np.sqrt(2) * np.linspace(np.log(0.5), np.log(2), 60)[:, None]
    ax = plot_magnitudes(make_result("scale", t=t))
    labels = {text.get_text(): place for text, place in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True)}
    assert labels["\N{MULTIPLICATION SIGN}1"] == 0.0
    assert labels["\N{MULTIPLICATION SIGN}1.5"] == pytest.approx(np.log(1.5))


@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 8, 20), (2, 12, 12)])
def test_pairs_show_source_target_transported_and_difference(make_result, shape):
    result = make_result("rotation", shape=shape)
    axes = plot_pairs(result, count=2)
    assert axes.shape == (2, 4)
    images = [np.asarray(ax.images[0].get_array()) for ax in axes[0]]
    expected = (shape[1], shape[2], 3) if shape[0] == 3 else shape[1:]
    assert [image.shape for image in images] == [expected] * 3 + [shape[1:]]
    low = min(result.samples.source.min(), result.samples.target.min())
    height = max(result.samples.source.max(), result.samples.target.max()) - low
    first = np.moveaxis(result.samples.source[0], 0, -1) if shape[0] == 3 else result.samples.source[0].mean(0)
    assert images[0] == pytest.approx((first - low) / height, abs=1e-5)
    difference = (result.samples.transported[0] - result.samples.target[0]).mean(0) / height
    assert images[3] == pytest.approx(difference, abs=1e-5)
    assert "degrees" in axes[0, 0].texts[0].get_text()


def test_pairs_of_a_result_without_samples(make_result):
    assert not [ax for ax in plot_pairs(make_result("rotation", samples=False)).flat if ax.images]


def test_drawing_into_given_axes_leaves_pyplot_alone(make_result):
    result = make_result("rotation")
    axes = np.array(figure(4.0, 4.0, columns=4, rows=3).axes).reshape(3, 4)
    assert plot_field(result.generators[0], axes[0, 0]) is axes[0, 0]
    assert plot_magnitudes(result, 0, axes[0, 1]) is axes[0, 1]
    assert plot_orbit(result, np.eye(12), ax=axes[0, 2]) is axes[0, 2]
    assert plot_pairs(result, axes=axes[1:]).shape == (2, 4)
    assert all(ax.images for ax in axes[1:].flat)
    assert plt.get_fignums() == []
    with pytest.raises(InputError, match=r"expected axes of shape \(rows, 4\), got \(2, 3\)"):
        plot_pairs(result, axes=axes[1:, 1:])


def test_new_figures_are_those_that_notebooks_show(make_result):
    result = make_result("rotation")
    drawn = [plot_field(result.generators[0]), plot_magnitudes(result), plot_pairs(result)[0, 0]]
    drawn.append(plot_orbit(result, np.eye(12)))
    assert [plt.figure(number) for number in plt.get_fignums()] == [ax.figure for ax in drawn]


@pytest.mark.parametrize("ending", ["pdf", "svg", "png"])
def test_figures_can_be_printed_on_white(make_result, tmp_path, ending):
    result = make_result("rotation")
    for ax in (plot_field(result.generators[0]), plot_magnitudes(result), plot_orbit(result, np.eye(12))):
        fig = ax.get_figure(root=True)
        assert fig is not None
        assert to_rgba(fig.get_facecolor()) == (1, 1, 1, 1)
        assert ax.get_xlabel()
        fig.savefig(tmp_path / f"figure.{ending}")
        assert (tmp_path / f"figure.{ending}").stat().st_size > 1000


def test_a_result_has_no_generator_of_that_number(make_result):
    for plot in (plot_magnitudes, lambda result, k: plot_orbit(result, np.eye(9), generator=k)):
        with pytest.raises(InputError, match="expected generator= below 1, the result's number of generators, got 1"):
            plot(make_result("rotation"), 1)
        with pytest.raises(InputError, match="got 0"):
            plot(make_result(), 0)


# --- an image along its orbit


def test_an_orbit_is_the_image_turned_step_by_step():
    image = np.random.default_rng(0).random((9, 9))
    ax = plot_orbit(Generator([0, 0, -1, 0, 1, 0]), image, [-90, 0, 90, 180], in_units=True)
    shown = [np.asarray(drawn.get_array()) for drawn in ax.images]
    height = np.ptp(image)
    for turns, frame in zip((-1, 0, 1, 2), shown, strict=True):
        assert frame == pytest.approx((np.rot90(image, turns) - image.min()) / height, abs=1e-4)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["\N{MINUS SIGN}90", "0", "90", "180"]
    assert "degrees" in ax.get_xlabel()


@pytest.mark.parametrize("natural", [True, False])
def test_magnitudes_of_an_orbit_count_in_either_unit(natural):
    generator = Generator([1, 0, 0, 0, 0, 0], domain=(28, 28))
    image = np.zeros((3, 8, 16))
    image[:, :, 4] = 1
    # A shift by 2 pixels of the image that is drawn, whatever images the generator was found on.
    ax = plot_orbit(generator, image, [2 if natural else 2 * 2 / 16], in_units=natural)
    frame = np.asarray(ax.images[0].get_array())
    assert frame.shape == (8, 16, 3)
    assert np.flatnonzero(frame[4, :, 0] > 0.5).tolist() == [6]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2"]


@pytest.mark.parametrize(
    ("field", "t", "labels"),
    [
        ("rotation", np.sqrt(2) * np.radians(np.linspace(-60, 60, 60)), "\N{MINUS SIGN}60 \N{MINUS SIGN}40 0 20 60"),
        ("translation-x", np.linspace(0, 6, 60) / 6, "0 1 6"),
        ("scale", np.sqrt(2) * np.linspace(-0.3, 0.3, 60), "\N{MULTIPLICATION SIGN}1"),
        ("rotation", np.full(60, np.sqrt(2) * np.radians(30)), "30"),
    ],
)
def test_an_orbit_covers_what_was_found_in_round_steps(make_result, field, t, labels):
    ax = plot_orbit(make_result(field, t=t[:, None]), np.eye(12))
    told = [label.get_text() for label in ax.get_xticklabels()]
    assert set(labels.split()) <= set(told)
    assert len(told) <= 9


def test_an_orbit_of_any_generator_has_the_image_itself(make_result):
    for name in ("rotation", "scale", "translation-y", "shear-x", "general"):
        found = make_result(name).generators[0]
        frames = [np.asarray(drawn.get_array()) for drawn in plot_orbit(found, np.eye(12)).images]
        assert min(np.abs(frame - np.eye(12)).max() for frame in frames) < 1e-5
        assert 5 <= len(frames) <= 9


@pytest.mark.parametrize(
    ("image", "ts", "message"),
    [
        (np.zeros(4), None, "expected one image"),
        (np.zeros((1, 1, 4, 4)), None, "expected one image"),
        (np.full((4, 4), np.nan), None, "expected finite pixels"),
        (np.eye(4), [], "expected finite magnitudes"),
        (np.eye(4), [np.inf], "expected finite magnitudes"),
        (np.eye(4), np.array([[0.1]]), "expected finite magnitudes"),
    ],
)
def test_what_an_orbit_refuses(image, ts, message):
    with pytest.raises(InputError, match=message):
        plot_orbit(Generator([0, 0, -1, 0, 1, 0]), image, ts)


# --- drawings inside a page


def test_page_drawings_take_their_colours_from_the_page(make_result):
    generator = Generator([0, 0, -1, 0, 1, 0])
    svg = field_svg(generator, "f", "a field")
    assert "var(--accent)" in svg
    assert 'aria-label="a field"' in svg
    for text in (svg, law_svg(make_result("rotation"), 0, "law", "a law")):
        assert not any(colour in text for colour in (*LIGHT, *PAGE))
        assert 'fill: #ffffff"' not in text
    assert svg == field_svg(generator, "f", "a field")
    assert plt.get_fignums() == []
