"""Verdicts follow from numbers: constructed rows on either side of what is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from liescope.reproduce import Request, fig3, fig4, fig5, fig6, wasserstein
from liescope.reproduce.verdicts import on_failure, on_success

LAW = {
    "w1": 0.005,
    "w1_null": 0.09,
    "w1_standardised": 0.02,
    "w1_standardised_null": 0.26,
    "pearson": 0.99,
    "modes": 1,
    "modes_sampled": 1,
    "modes_null": 1,
    "width_ratio": 1.0,
    "at_origin": 0.0,
    "at_origin_sampled": 0.0,
    "assigned": 0.99,
    "assigned_null": 0.25,
    "cosine": 0.9999,
    "cosine_null": 0.28,
    "error": 0.01,
    "error_identity": 0.1,
    "error_mean_image": 0.06,
}
BAD = {"w1": 0.3, "w1_standardised": 0.3, "modes": 2, "width_ratio": 1.4, "at_origin": 0.2, "assigned": 0.4}


def four(ours: dict[str, Any], published: dict[str, Any], other: dict[str, Any]) -> dict[str, str]:
    rows = [
        LAW | {"panel": panel, "case": case.label, "setup": setup} | (other if panel == "f" else changes)
        for panel, cases in fig4.CASES.items()
        for case in cases
        for setup, changes in (("default", ours), ("paper", published))
        if panel != "f" or setup == "default"
    ]
    return {finding.place + finding.claim[:9]: finding.verdict for finding in fig4.findings(rows)}


def test_verdicts_on_claims() -> None:
    assert [on_success(holds) for holds in (True, False)] == ["confirmed", "not confirmed"]
    assert on_failure(ours=True, published=False) == "confirmed"
    assert on_failure(ours=False, published=True) == "improved"
    assert on_failure(ours=False) == "improved"
    assert on_failure(ours=False, published=False) == "not confirmed"


def test_histograms_that_are_right_where_the_published_ones_are_not() -> None:
    verdicts = list(four({}, BAD, {}).values())
    assert verdicts == ["confirmed", "improved", "improved", "improved", "improved", "confirmed", "confirmed"]


def test_histograms_that_are_as_wrong_as_the_published_ones() -> None:
    verdicts = list(four(BAD, BAD, BAD | {"w1": 0.9}).values())
    assert verdicts == [
        "not confirmed",
        "confirmed",
        "confirmed",
        "confirmed",
        "confirmed",
        "not confirmed",
        "not confirmed",
    ]


def test_failures_that_nobody_shows_are_no_improvement() -> None:
    verdicts = list(four({}, {}, {}).values())
    assert verdicts[2:5] == ["not confirmed"] * 3


def test_a_range_that_is_too_narrow_is_no_improvement() -> None:
    assert list(four({"width_ratio": 0.7}, BAD, {}).values())[3] == "not confirmed"


def test_shares_of_pairs_at_the_origin_and_at_their_modes() -> None:
    sampled = np.array([[0.0, -0.7], [45, -0.7], [0, 0.4], [45, 0.4]])
    assert fig4.origin_share(sampled, sampled) == 0
    assert fig4.assigned_share(sampled, sampled) == 1
    assert fig4.assigned_share(sampled + np.array([5, 0.1]), sampled) == 1
    assert fig4.assigned_share(sampled[::-1], sampled) == 0
    assert fig4.origin_share(sampled * [[1], [0.01], [1], [0.02]], sampled) == 0.5


def test_orbits_are_uneven_where_they_jump_and_wrong_where_they_are_black() -> None:
    random = np.random.default_rng(0)
    line = np.linspace(0, 1, 11)[None, :, None, None] * random.random((3, 1, 5, 5))
    np.testing.assert_allclose(fig5.unevenness(line), 1)
    jump = np.where(np.arange(11)[:, None, None] < 6, 0, line[:, -1:])
    # One step has all of the way: ten times the mean of ten.
    np.testing.assert_allclose(fig5.unevenness(jump), 10)
    np.testing.assert_allclose(fig5.relative_errors(0 * line, line), 1)


def test_a_cross_fade_is_told_from_a_moved_image() -> None:
    spots = np.eye(7).reshape(1, 7, 1, 7)  # a spot that walks one pixel a step
    faded = fig5.blend(spots[:, [0, 2, 6]], (0.0, 2.0, 6.0), (1.0, 5.0, 9.0))
    np.testing.assert_allclose(faded[0, :, 0], [[0.5, 0, 0.5, 0, 0, 0, 0], [0, 0, 0.25, 0, 0, 0, 0.75], np.eye(7)[6]])
    exact = spots[:, [1, 5, 6]]
    assert fig5.blended_share(exact, exact, faded) == 0
    assert fig5.blended_share(faded, exact, faded) == pytest.approx(2 / 3)


def test_orbits_that_are_exact_have_no_error() -> None:
    line = np.random.default_rng(0).random((3, 11, 5, 5))
    np.testing.assert_allclose(fig5.relative_errors(line, line), 0)


@pytest.mark.parametrize(
    ("ours", "published", "seven", "expected"),
    [
        (
            {"blended": 0.0},
            {"blended": 0.3, "w1_standardised": 0.3},
            0.9,
            ["confirmed", "improved", "confirmed", "improved", "confirmed"],
        ),
        (
            {"blended": 0.2, "modes": 3, "cosine": 0.4, "w1_standardised": 0.2},
            {"blended": 0.3},
            0.1,
            ["not confirmed", "confirmed", "not confirmed", "confirmed", "not confirmed"],
        ),
    ],
)
def test_traversals(ours: dict[str, Any], published: dict[str, Any], seven: float, expected: list[str]) -> None:
    orbit = {
        "blended_seen": 0.02,
        "unevenness": 1.1,
        "unevenness_exact": 1.0,
        "orbit_error_seen": 0.1,
        "orbit_error_unseen": 0.2,
    }
    orbit |= {f"orbit_error_unseen_{digit}": 0.2 for digit in (0, 1, 2)} | {"orbit_error_unseen_7": seven}
    rows = [
        LAW | orbit | {"task": task, "setup": setup} | changes
        for task in ("symnist", "supersymnist")
        for setup, changes in (("default", ours), ("paper", published))
    ]
    assert [finding.verdict for finding in fig5.findings(rows)] == expected


@pytest.mark.parametrize(
    ("error", "task", "expected"),
    [
        (0.029, "symnist", True),
        (0.031, "symnist", False),
        (0.059, "supersymnist", True),
        (0.061, "supersymnist", False),
    ],
)
def test_an_output_shows_the_target_where_it_beats_no_knowledge(error: float, task: str, expected: bool) -> None:
    assert fig3.captured(LAW | {"error": error, "task": task}) is expected


def test_digits_that_cannot_be_read_are_not_platonic() -> None:
    def rows(**changes: Any) -> list[dict[str, Any]]:
        common = LAW | {"recognised": 0.9, "recognised_targets": 0.95, "error_not_moved": 0.02} | changes
        common |= {"span_cosine": 0.999, "worst_cosine": 0.999, "transform": "rotation", "setup": "default"}
        three = common | {"panel": "three", "task": "symnist", "transform": "a+b+c"}
        return [
            common | {"panel": "one", "task": "symnist"},
            common | {"panel": "two", "task": "supersymnist"},
            three,
            three | {"setup": "paper", "worst_cosine": 0.3},
        ]

    assert [f.verdict for f in fig3.findings(rows())] == ["confirmed", "confirmed", "confirmed", "improved"]
    assert fig3.findings(rows(recognised=0.5))[1].verdict == "not confirmed"
    assert fig3.findings(rows(error_not_moved=0.005))[1].verdict == "not confirmed"


@pytest.mark.parametrize(
    ("ours", "published", "expected"),
    [
        ({}, {"kinds": "spiral", "cosine": 0.6}, ["confirmed", "improved", "not confirmed"]),
        ({"kinds": "spiral"}, {}, ["confirmed", "confirmed", "not confirmed"]),
        # Scale and shift are worse than rotation: the paper's order is not there.
        ({}, {"kinds": "shear", "cosine": 0.7, "others": 0.1}, ["confirmed", "not confirmed", "not confirmed"]),
        ({"error_outside": 0.09, "cosine_scale": 0.7}, {}, ["not confirmed", "not confirmed", "confirmed"]),
    ],
)
def test_galaxies(ours: dict[str, Any], published: dict[str, Any], expected: list[str]) -> None:
    row = LAW | {"kinds": "centre", "cosine_rotation": 0.99, "cosine_scale": 0.01}
    row |= {"error_outside": 0.01, "error_outside_identity": 0.1}
    rows = [
        row
        | {"case": case, "task": case.split()[0].lower(), "setup": setup}
        | changes
        | ({"cosine": changes["others"]} if "others" in changes and "rotation" not in case else {})
        for case in fig6.ALPHA
        for setup, changes in (("default", ours), ("paper", published))
    ]
    assert [finding.verdict for finding in fig6.findings(rows)] == expected


def test_galaxies_without_labels_are_sorted_by_how_concentrated_they_are() -> None:
    grid = np.arange(64) - 31.5
    radius = np.hypot(*np.meshgrid(grid, grid))
    images = np.stack([np.exp(-((radius / width) ** 2)) for width in (12, 3, 6)])
    assert np.argsort(fig6.concentration(images)).tolist() == [0, 2, 1]
    np.testing.assert_allclose(fig6.concentration(images), fig6.concentration(0.2 + 3 * images), rtol=1e-9)
    corpus = fig6.galaxies(Request())
    counts = np.bincount(np.asarray(corpus.labels))
    assert len(counts) == 4
    assert np.ptp(counts) <= 1


def test_distances_of_laws() -> None:
    def verdicts(same: dict[str, Any], other: dict[str, Any], published: dict[str, Any]) -> list[str]:
        changes = {
            ("default", "symnist"): same,
            ("default", "supersymnist"): other,
            ("paper", "supersymnist"): published,
            ("paper", "symnist"): {},
        }
        rows = [
            LAW | {"case": "rotation", "setup": setup, "task": task} | changes.get((setup, task), {})
            for setup in wasserstein.ENGINES
            for task in wasserstein.TASKS
        ]
        return [finding.verdict for finding in wasserstein.findings(rows)]

    far = {"w1_standardised": 0.2}
    assert verdicts({}, {}, far) == ["confirmed", "confirmed", "improved"]
    assert verdicts({"modes": 2}, far, far) == ["confirmed", "not confirmed", "confirmed"]
    # As bad with one digit: nothing degrades.
    assert verdicts(far, far, far) == ["not confirmed", "confirmed", "improved"]
    # A normal law is itself near to the sampled one: then as near is near enough.
    near = LAW | {"w1_standardised_null": 0.05}
    assert wasserstein.near(near | {"w1_standardised": 0.04})
    assert not wasserstein.near(near | {"w1_standardised": 0.06})
