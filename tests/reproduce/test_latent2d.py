"""Two-dimensional latents: their matrices, and when a claim counts as confirmed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from liescope.reproduce import Request
from liescope.reproduce.latent2d import CASE, PATCH, findings, make, matrix_per_radian
from liescope.reproduce.runs import run_case


def rows(*errors: float, patch: float = 0.02) -> list[dict[str, Any]]:
    names = {f"vector of {size}": (size, error) for size, error in zip((2, 3, 9, 81), errors, strict=True)}
    common = {
        "pearson": 0.9,
        "cosine": 1.0,
        "cosine_null": 0.28,
        "eigenvalues_per_radian": "0.1+0.9i 0.1-0.9i",
        "turning": True,
        "error_identity": 0.07,
        "error_mean_image": 0.06,
    }
    return [
        {"latents": name, "dimension": size, "error": error, **common}
        for name, (size, error) in (names | {PATCH: (81, patch)}).items()
    ]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((0.05, 0.045, 0.03, 0.021), ["confirmed", "confirmed"]),
        ((0.021, 0.02, 0.02, 0.019), ["not confirmed", "not confirmed"]),
        # Many abstract entries do no better than two: the dimension is not the reason.
        ((0.05, 0.05, 0.049, 0.045), ["confirmed", "not confirmed"]),
        ((0.05, 0.055, 0.03, 0.02), ["confirmed", "not confirmed"]),
    ],
)
def test_verdicts_follow_from_the_numbers(errors, expected):
    found = findings(rows(*errors))
    assert [finding.verdict for finding in found] == expected
    assert "the mean target 0.0600" in found[0].measured
    assert f"vector of 9 {errors[2]:.4f}" in found[1].measured


def test_the_matrix_moves_latents_by_an_angle():
    changes = {"model": {"latent": "vector", "latent_size": 3}}
    run = run_case(CASE, "default", Request(tiny=True), pairs=CASE.pairs(80, 0), generators=1, changes=changes)
    matrix = matrix_per_radian(run)
    assert matrix is not None
    latents = torch.tensor([[0.5, -1.0, 2.0]])
    t = 30 * run.signs[0] / run.unit_per_t[0]
    with torch.no_grad():
        moved = run.latent.model.move(latents, torch.tensor([[float(t)]]))
    np.testing.assert_allclose(moved[0], expm(np.radians(30) * matrix) @ latents[0].numpy(), rtol=1e-4, atol=1e-5)


def test_the_figure():
    made = make(Request(tiny=True))
    assert made.name == "latent2d"
    assert [row["latents"] for row in made.rows] == ["vector of 2", "vector of 3", PATCH]
    assert [len(row["eigenvalues_per_radian"].split()) for row in made.rows] == [2, 3, 0]
    for row in made.rows:
        assert np.isfinite([value for value in row.values() if isinstance(value, float)]).all()
        assert row["cosine"] > 0.99
    assert len(made.findings) == 2
    made.figures[""].canvas.draw()
