"""Every figure made once from a few pairs: its parts, its numbers, and what is known whatever the training did."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from liescope.reproduce import Finding, Reproduction, Request

LETTERS = {"fig3": "abcde", "fig4": "abcdef", "fig5": "abcdef", "fig6": "abcd", "wasserstein": "abcd"}
PAIRS = 80


def made(name: str) -> tuple[Reproduction, list[tuple[str, float]]]:
    told: list[tuple[str, float]] = []
    request = Request(tiny=True, seed=2, progress=lambda stage, fraction: told.append((stage, fraction)))
    reproduction: Reproduction = importlib.import_module(f"liescope.reproduce.{name}").make(request)
    return reproduction, told


def letters(reproduction: Reproduction) -> str:
    """The bold letters in reading order."""
    (figure,) = reproduction.figures.values()
    texts = [text for ax in figure.axes for text in ax.texts]
    return "".join(text.get_text() for text in texts if text.get_fontweight() == "bold")


def check_numbers(rows: Any) -> None:
    for row in rows:
        assert list(row) == list(rows[0])
        for key, value in row.items():
            assert isinstance(value, str | int | float), key
            if not isinstance(value, str):
                assert np.isfinite(value), key
        for key in [key for key in row if key.startswith(("cosine", "pearson", "spearman"))]:
            assert 0 <= row[key] <= 1 + 1e-9
        if "error" in row:
            assert min(row["error"], row["error_identity"], row["error_mean_image"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", LETTERS)
def test_figures_are_whole(name: str) -> None:
    reproduction, told = made(name)
    assert reproduction.name == name
    assert letters(reproduction) == LETTERS[name]
    check_numbers(reproduction.rows)
    assert {row["pairs"] for row in reproduction.rows} == {PAIRS}
    assert {row["seed"] for row in reproduction.rows} == {2}
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < fractions[-1] < 1
    assert len(told) == len(reproduction.settings["runs"])
    for finding in reproduction.findings:
        assert all(isinstance(text, str) and text for text in finding)
        assert isinstance(finding, Finding)
        assert any(character.isdigit() for character in finding.measured)
    # What is known of the pairs whatever was learned: their laws, and that registration finds a rotation.
    if name == "fig4":
        laws = {row["case"]: row["law"] for row in reproduction.rows}
        assert laws["rotation ±150°"] == "uniform:-150,150"
        assert {row["at_origin_sampled"] for row in reproduction.rows if row["panel"] in "de"} == {0.0}
    if name == "wasserstein":
        (known,) = [row for row in reproduction.rows if (row["setup"], row["task"]) == ("registration", "symnist")]
        assert known["cosine"] > 0.999
        assert known["w1_standardised"] < 0.05 < known["w1_standardised_null"]
    if name == "fig6":
        assert {row["unit"] for row in reproduction.rows} == {"degree", "log-factor", "pixel"}
