"""The cost of a step: what is timed, the fits, and when a claim counts as confirmed."""

from __future__ import annotations

from typing import Any

import pytest

from liescope.reproduce import Request, steps
from liescope.reproduce.complexity import LOOKS, findings, fitted_exponent, make
from liescope.reproduce.steps import WAYS, timed_steps


def test_an_exponent_is_recovered():
    sizes = [196, 784, 3136]
    assert fitted_exponent(sizes, [3e-6 * n**1.5 for n in sizes]) == pytest.approx(1.5)
    assert fitted_exponent([196], [1.0]) is None
    assert fitted_exponent([], []) is None


def rows(powers: dict[str, float], factors: dict[str, float]) -> list[dict[str, Any]]:
    """Seconds that are exact powers of the number of pixels."""
    return [
        {"image_side": side, "latent_side": 9, "way": way, "seconds": factors.get(way, 1.0) * (side * side) ** power}
        for side in (14, 28, 56)
        for way, power in powers.items()
    ]


POWERS = {
    "networks": 1.0,
    "exact": 1.0,
    "order 1": 1.0,
    "order 2": 1.0,
    "dense order 1": 2.0,
    "dense order 2": 3.0,
    "brute force": 3.0,
}
FACTORS = {"dense order 1": 2.0, "dense order 2": 2.0, "brute force": 40.0}


def verdicts(powers: dict[str, float], factors: dict[str, float]) -> list[str]:
    growth = {way: {"image": power, "latent": None} for way, power in powers.items()}
    return [finding.verdict for finding in findings(rows(powers, factors), growth)]


@pytest.mark.parametrize(
    ("powers", "factors", "expected"),
    [
        ({}, {}, ["confirmed", "confirmed", "improved", "confirmed"]),
        ({"brute force": 1.0}, {}, ["not confirmed", "confirmed", "improved", "not confirmed"]),
        ({"order 1": 1.3}, {}, ["confirmed", "not confirmed", "improved", "confirmed"]),
        # Ours would pay for the second order as the matrices do.
        ({}, {"order 2": 2.0}, ["confirmed", "confirmed", "confirmed", "confirmed"]),
        # The matrices of order 2 would cost what those of order 1 do: there was nothing to improve.
        ({"dense order 2": 2.1}, {}, ["confirmed", "confirmed", "not confirmed", "confirmed"]),
    ],
)
def test_verdicts_follow_from_the_numbers(powers, factors, expected):
    assert verdicts(POWERS | powers, FACTORS | factors) == expected


def test_steps_are_compared_with_as_many_pairs(monkeypatch):
    # Room for two pairs of dense order 2 and no brute force at all.
    per_pair = {"dense order 2": 126 * 16**3 + 6 * 64**3, "brute force": 126 * (16**3 + 64**3)}
    monkeypatch.setattr(steps, "_WORK", 2.5 * per_pair["dense order 2"])
    monkeypatch.setattr(steps, "MOST_WORK", 0.5 * per_pair["brute force"])
    found = {row["way"]: row for row in timed_steps(8, 4, tuple(WAYS), 4, 1, 0)}
    assert list(found) == list(WAYS)
    second, brute = found["dense order 2"], found["brute force"]
    assert (second["measured_batch"], brute["measured_batch"], found["order 2"]["measured_batch"]) == (2, 0, 4)
    assert second["times_ours"] == second["measured_seconds"] / second["ours_at_measured_batch"]
    assert brute["seconds"] is brute["times_ours"] is None
    assert second["seconds"] != second["measured_seconds"]
    assert found["exact"]["seconds"] == found["exact"]["measured_seconds"] > 0
    assert brute["matrix_bytes"] == 4 * 64 * 64 * 4


def test_the_figure():
    made = make(Request(tiny=True))
    assert made.name == "complexity"
    assert set(made.figures) == {""}
    assert {(row["image_side"], row["latent_side"]) for row in made.rows} == {(8, 5), (12, 5), (12, 4)}
    assert all(row["seconds"] > 0 for row in made.rows)
    assert len(made.findings) == 4
    left, _ = made.figures[""].get_axes()
    assert left.get_xscale() == left.get_yscale() == "log"
    assert LOOKS["networks"][0] in str(left.get_lines()[0].get_label())
    made.figures[""].canvas.draw()
