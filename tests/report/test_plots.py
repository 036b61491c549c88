"""Figures show what the result says."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from liescope.algebra import Generator
from liescope.report import plot_field, plot_magnitudes, plot_pairs
from liescope.report.theme import LIGHT, PAGE, figure, page_svg


def arrows(fig: Figure) -> tuple[np.ndarray, np.ndarray]:
    """Feet and vectors of the arrows of a drawing."""
    (quiver,) = [artist for artist in fig.axes[0].get_children() if isinstance(artist, Quiver)]
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
    fig = plot_field(Generator([1, 0, 0, 0, 0, 0], "affine", shape))
    points, _ = arrows(fig)
    half = np.array([width, height]) / max(shape)
    assert np.all(np.abs(points) < half)
    assert np.allclose(fig.axes[0].get_xlim(), [-half[0], half[0]])
    assert np.allclose(fig.axes[0].get_ylim(), [-half[1], half[1]])
    assert fig.axes[0].get_aspect() == 1.0


def test_the_centre_is_marked_where_it_is():
    # Fixed point at x = 0.25, y = 0.25 of 28 x 28: column 17, row 10.
    fig = plot_field(Generator([0.25, 0, -1, -0.25, 1, 0]))
    (mark,) = [line for line in fig.axes[0].lines if line.get_marker() == "+"]
    assert np.asarray(mark.get_xydata()).ravel() == pytest.approx([0.25, 0.25])
    assert [text.get_text() for text in fig.axes[0].texts] == ["(17, 10)"]


@pytest.mark.parametrize("coefficients", [[1, 0, 0, 0, 0, 0], [5.0, 0, -1, 0, 1, 0]])
def test_no_mark_without_a_centre_in_the_picture(coefficients):
    fig = plot_field(Generator(coefficients))
    assert not [line for line in fig.axes[0].lines if line.get_marker() == "+"]


def test_flow_lines_follow_the_field_even_through_infinity():
    generator = Generator(np.ravel([[0, 0, 0, 1, 0, -1], [0, 0, 0, 0, 2, 0]]), "quadratic")
    fig = plot_field(generator)
    paths = [np.asarray(line.get_xydata()) for line in fig.axes[0].lines]
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
    ax = plot_magnitudes(result).axes[0]
    bars = [bar.get_path().get_extents(bar.get_patch_transform()) for bar in ax.patches]
    assert sum(bar.height for bar in bars) == pytest.approx(result.accepted.sum())
    assert bars[0].x0 == pytest.approx(-60, abs=3)
    assert "degrees" in ax.get_xlabel()
    assert not ax.lines


def test_modes_are_marked_and_named(make_result):
    rng = np.random.default_rng(0)
    degrees = rng.choice([-30.0, 0.0, 30.0], 600) + rng.normal(0, 0.3, 600)
    ax = plot_magnitudes(make_result("rotation", pairs=600, t=np.sqrt(2) * np.radians(degrees)[:, None])).axes[0]
    assert [np.asarray(line.get_xdata())[0] for line in ax.lines] == pytest.approx([-30, 0, 30], abs=1)
    assert [text.get_text() for text in ax.texts] == ["\N{MINUS SIGN}30", "0", "30"]


def test_a_scale_axis_is_labelled_in_factors(make_result):
    t = np.sqrt(2) * np.linspace(np.log(0.5), np.log(2), 60)[:, None]
    ax = plot_magnitudes(make_result("scale", t=t)).axes[0]
    labels = {text.get_text(): place for text, place in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True)}
    assert labels["\N{MULTIPLICATION SIGN}1"] == 0.0
    assert labels["\N{MULTIPLICATION SIGN}1.5"] == pytest.approx(np.log(1.5))


@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 8, 20), (2, 12, 12)])
def test_pairs_show_source_target_transported_and_difference(make_result, shape):
    result = make_result("rotation", shape=shape)
    fig = plot_pairs(result, count=2)
    images = [np.asarray(ax.images[0].get_array()) for ax in fig.axes[:4]]
    expected = (shape[1], shape[2], 3) if shape[0] == 3 else shape[1:]
    assert [image.shape for image in images] == [expected] * 3 + [shape[1:]]
    low = min(result.samples.source.min(), result.samples.target.min())
    height = max(result.samples.source.max(), result.samples.target.max()) - low
    first = np.moveaxis(result.samples.source[0], 0, -1) if shape[0] == 3 else result.samples.source[0].mean(0)
    assert images[0] == pytest.approx((first - low) / height, abs=1e-5)
    difference = (result.samples.transported[0] - result.samples.target[0]).mean(0) / height
    assert images[3] == pytest.approx(difference, abs=1e-5)
    assert "degrees" in fig.axes[0].texts[0].get_text()


def test_pairs_of_a_result_without_samples(make_result):
    assert not [ax for ax in plot_pairs(make_result("rotation", samples=False)).axes if ax.images]


def test_drawing_into_a_given_axes_and_leaving_pyplot_alone(make_result):
    fig = figure(4.0, 2.0, columns=2)
    assert plot_field(Generator([0, 0, -1, 0, 1, 0]), fig.axes[0]) is fig
    assert plot_magnitudes(make_result("rotation"), fig.axes[1]) is fig
    assert plt.get_fignums() == []


def test_page_drawings_take_their_colours_from_the_page():
    svg = page_svg(plot_field(Generator([0, 0, -1, 0, 1, 0]), theme=PAGE), "f", "a field")
    assert "var(--accent)" in svg
    assert 'aria-label="a field"' in svg
    assert not any(colour in svg for colour in (*LIGHT, *PAGE))
    assert svg == page_svg(plot_field(Generator([0, 0, -1, 0, 1, 0]), theme=PAGE), "f", "a field")
