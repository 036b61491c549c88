"""The panels that figures are made of."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import StepPatch

from liescope.reproduce.drawing import (
    draw_dots,
    draw_magnitudes,
    draw_pair_strip,
    draw_traversal,
    new_figure,
    panel_letter,
    unit_label,
)


def test_histograms_lose_nothing_and_agree_with_the_samples() -> None:
    ax = new_figure(3, 2).subplots()
    truth = np.repeat([-45.0, 45.0], 50)
    draw_magnitudes(ax, {"ours": np.r_[truth[:-1], 1e6], "theirs": truth}, truth, "angle (degrees)", bins=9)
    values = {
        patch.get_label(): np.asarray(patch.get_data()[0]) for patch in ax.patches if isinstance(patch, StepPatch)
    }
    for shares in values.values():
        assert shares.sum() == pytest.approx(100)
    assert values["sampled"].max() == 50
    # What lies outside is in the outermost bin.
    assert values["ours"][-1] == 1
    np.testing.assert_array_equal(values["theirs"], values["sampled"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("angle (degrees)", "pairs (%)")
    assert ax.get_xlim() == (-67.5, 67.5)


def test_strips_show_every_image_unchanged_under_its_name() -> None:
    random = np.random.default_rng(0)
    rows = {name: random.random((4, 16, 16)) for name in ("input", "target")}
    ax = new_figure(3, 2).subplots()
    draw_pair_strip(ax, rows, columns=("1", "2", "3", "4"))
    (sheet,) = ax.images
    shown = np.asarray(sheet.get_array())
    assert shown.shape == (2 * 16 + 1, 4 * 16 + 3)
    assert sheet.get_interpolation() == "nearest"
    for r, images in enumerate(rows.values()):
        for c, image in enumerate(images):
            np.testing.assert_array_equal(shown[17 * r : 17 * r + 16, 17 * c : 17 * c + 16], image)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["input", "target"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3", "4"]


def test_a_traversal_says_which_t_is_where() -> None:
    ax = new_figure(3, 2).subplots()
    t = np.linspace(-90, 90, 7)
    draw_traversal(ax, {"7": np.zeros((7, 16, 16))}, t, "angle (degrees)", ticks=3)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["\N{MINUS SIGN}90", "0", "90"]
    # The middle of the fourth of seven frames of 16 pixels with gaps of one.
    assert ax.get_xticks()[1] == 3 * 17 + 7.5


def test_dots_are_where_the_numbers_are() -> None:
    ax = new_figure(3, 2).subplots()
    draw_dots(ax, ["a", "b"], {"ours": [1.0, 2.0], "theirs": [3.0, np.nan]}, "W1", [4.0, 5.0], "normal law")
    drawn = {line.get_label(): line.get_xdata() for line in ax.lines}
    np.testing.assert_array_equal(drawn["ours"], [1, 2])
    np.testing.assert_array_equal(drawn["normal law"], [4, 5])
    # From top to bottom.
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_labels_have_units_and_panels_letters() -> None:
    assert unit_label("angle", "degree") == "angle (degrees)"
    assert unit_label("parameter", "plain") == "parameter"
    assert unit_label("angle", "degree", matched=True) == "t, matched to the angle (degrees)"
    ax = new_figure(3, 2).subplots()
    panel_letter(ax, 2)
    assert [text.get_text() for text in ax.texts] == ["c"]
