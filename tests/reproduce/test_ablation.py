"""Kernel, channels, LASSO: what is changed, and when a claim counts as confirmed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from liescope.geometry import KERNELS
from liescope.reproduce import Request
from liescope.reproduce.ablation import ALPHA, findings, make, variants

LASSO = {"0.01": 0.01, "0.1": 0.1, "1": 1.0, "10": 10.0}


def rows(changed: dict[tuple[str, str], dict[str, float]]) -> list[dict[str, Any]]:
    """Everything alike but for seeds that differ a little, and what is changed."""
    values = [("none", "")] * 3 + [("kernel", k) for k in list(KERNELS)[1:]]
    values += [("channels", c) for c in ("4", "16", "64")] + [("lasso", w) for w in LASSO]
    made = []
    for form in ALPHA:
        for k, (factor, value) in enumerate(values):
            seed = k if factor == "none" else 0
            made.append(
                {
                    "factor": factor,
                    "value": value,
                    "alpha": form,
                    "channels": int(value) if factor == "channels" else 1,
                    "lasso": LASSO[value] if factor == "lasso" else 0.0,
                    "cosine": 0.95 - 0.01 * seed,
                    "error": 0.03 + 0.0002 * seed,
                    "pearson": 0.9,
                    "cosine_null": 0.28,
                    "cosine_null_tail": 0.64,
                    "error_identity": 0.07,
                    "error_mean_image": 0.06,
                }
                | changed.get((factor, value), {})
            )
    return made


PUBLISHED = {
    ("channels", "64"): {"error": 0.032},
    ("channels", "16"): {"error": 0.027},
    ("lasso", "10"): {"error": 0.04, "cosine": 0.5},
}


def verdicts(changed: dict[tuple[str, str], dict[str, float]]) -> list[str]:
    return [finding.verdict for finding in findings(rows(changed))]


def test_as_the_paper_has_it():
    assert verdicts(PUBLISHED) == ["confirmed"] * 5


@pytest.mark.parametrize(
    ("place", "values", "claim"),
    [
        (("kernel", "gaussian"), {"error": 0.036}, 0),
        (("kernel", "gaussian"), {"cosine": 0.8}, 0),
        (("channels", "4"), {"error": 0.02}, 1),
        (("channels", "4"), {"error": 0.0272}, 1),
        (("lasso", "0.1"), {"cosine": 0.7}, 3),
        (("lasso", "10"), {"error": 0.0303}, 4),
    ],
)
def test_other_numbers_bring_another_verdict(place, values, claim):
    expected = ["confirmed"] * 5
    expected[claim] = "not confirmed"
    assert verdicts(PUBLISHED | {place: values}) == expected


def test_a_dramatic_increase_by_channels_is_seen():
    lower = {("none", ""): {"cosine": 0.9}, ("channels", "16"): {"error": 0.027, "cosine": 0.999}}
    assert verdicts(PUBLISHED | lower)[2] == "not confirmed"
    nearly = {("none", ""): {"cosine": 0.999}, ("channels", "16"): {"error": 0.027, "cosine": 1.0}}
    assert verdicts(PUBLISHED | nearly)[2] == "confirmed"


def test_what_was_not_tried_is_not_confirmed():
    made = [row for row in rows(PUBLISHED) if row["channels"] != 64]
    assert findings(made)[1].verdict == "not confirmed"
    assert "64 channels are tried at full scale only" in findings(made)[1].measured


def test_everything_is_changed_once():
    plan = variants(Request())
    assert [v.value for v in plan if v.factor == "kernel"] == list(KERNELS)[1:]
    assert [v.value for v in plan if v.factor == "channels"] == ["4", "16"]
    assert [v.value for v in variants(Request("full")) if v.factor == "channels"] == ["4", "16", "64"]
    assert [v.lasso for v in plan if v.factor == "lasso"] == list(LASSO.values())
    assert [v.seed for v in plan if v.factor == "none"] == [0, 1, 2]


def test_the_figure():
    made = make(Request(tiny=True))
    assert made.name == "ablation"
    assert len(made.rows) == 8
    assert {row["kernel"] for row in made.rows} == {"shannon-whittaker", "exponential"}
    assert {row["channels"] for row in made.rows} == {1, 4}
    assert {row["lasso"] for row in made.rows} == {0.0, 10.0}
    for row in made.rows:
        assert np.isfinite([value for value in row.values() if isinstance(value, float)]).all()
    assert len(made.findings) == 5
    made.figures[""].canvas.draw()
