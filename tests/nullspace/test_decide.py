"""Certificate, tiers and verdicts against exact null spaces."""

from __future__ import annotations

import numpy as np
import pytest

from liescope.nullspace import Forms, decide, minimal_generators, pointwise_rank, resampled_forms, spectrum


def random_rows(seed: int, nulls: int, m: int = 8, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that exactly annihilate ``nulls`` directions, and their terms."""
    rng = np.random.default_rng(seed)
    terms = rng.normal(size=(n, 3, m))
    directions = np.linalg.qr(rng.normal(size=(m, m)))[0]
    within = directions[:, nulls:] @ directions[:, nulls:].T
    return terms.sum(axis=1, keepdims=True) @ within, terms, directions[:, :nulls]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("nulls", [0, 1, 3])
def test_exact_null_vectors_are_counted(seed: int, nulls: int) -> None:
    rows, terms, directions = random_rows(seed, nulls)
    decision = decide(resampled_forms(rows, terms, seed=seed), 0.05)
    assert (decision.count, decision.exact) == (nulls, nulls)
    assert decision.verdict == ("symmetry" if nulls else "no symmetry")
    if nulls:
        own = np.linalg.qr(decision.vectors[:, :nulls])[0]
        assert np.linalg.norm(directions - own @ (own.T @ directions)) < 1e-6


def test_the_defect_changes_neither_with_basis_nor_with_scale() -> None:
    rows, terms, _ = random_rows(5, 1)
    mixing = np.random.default_rng(6).normal(size=(8, 8)) * 10.0 ** np.arange(-3, 5)
    plain = spectrum(*resampled_forms(rows, terms)[:2]).defects
    mixed = spectrum(*resampled_forms(rows @ mixing, terms @ mixing)[:2]).defects
    np.testing.assert_allclose(mixed[1:], plain[1:], rtol=1e-5)
    scaled = spectrum(*resampled_forms(100 * rows, 100 * terms)[:2]).defects
    np.testing.assert_allclose(scaled[1:], plain[1:], rtol=1e-9)


@pytest.mark.parametrize(("size", "verdict"), [(0.02, "symmetry"), (0.2, "no symmetry"), (0.0505, "undecided")])
def test_a_known_defect_gets_its_verdict(size: float, verdict: str) -> None:
    rng = np.random.default_rng(0)
    terms = np.zeros((300, 2, 2))
    terms[:, 0, 0] = terms[:, 1, 1] = 1
    rows = np.zeros((300, 1, 2))
    scatter = rng.uniform(0.5, 1.5, 300) * np.tile([-1, 1], 150)
    rows[:, 0, 0], rows[:, 0, 1] = size * scatter / np.sqrt(np.mean(scatter**2)), 1
    decision = decide(resampled_forms(rows, terms, draws=200), 0.05)
    assert decision.verdict == verdict
    assert decision.exact == 0


def noisy_forms(seed: int, noise: float, truth: float = 0.0, n: int = 400) -> Forms:
    """One direction of a true defect, rows seen with noise that the draws repeat."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((n, 1, 2))
    rows[:, 0, 0], rows[:, 0, 1] = truth * np.tile([-1, 1], n // 2), 1
    error = noise * rng.normal(size=(n, 1))
    seen = rows.copy()
    seen[:, :, 0] += error
    drawn = seen + noise * np.concatenate((rng.normal(size=(100, n, 1, 1)), np.zeros((100, n, 1, 1))), axis=3)
    forms = np.einsum("snqa,snqb->sab", drawn, drawn) / n
    alone = drawn - drawn.mean(axis=0)
    return Forms(
        np.einsum("nqa,nqb->ab", seen, seen) / n,
        np.eye(2),
        forms,
        np.broadcast_to(np.eye(2), (100, 2, 2)),
        np.einsum("snqa,snqb->sab", alone, alone) / n,
    )


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_makes_a_defect_that_counts_as_exact(seed: int) -> None:
    decision = decide(noisy_forms(seed, 0.02), 0.05)
    assert (decision.verdict, decision.count, decision.exact) == ("symmetry", 1, 1)
    approximate = decide(noisy_forms(seed, 0.005, truth=0.03), 0.05)
    assert (approximate.verdict, approximate.count, approximate.exact) == ("symmetry", 1, 0)


@pytest.mark.parametrize("seed", range(5))
def test_much_noise_is_undecided_and_never_a_claim(seed: int) -> None:
    assert decide(noisy_forms(seed, 0.5), 0.05).verdict == "undecided"
    assert decide(noisy_forms(seed, 0.02, truth=0.5), 0.05).verdict == "no symmetry"


def test_multiples_by_functions_are_told_from_new_generators() -> None:
    # In the affine basis of R^3: rotation of the plane x, y; d/dz and its multiples by x, y, z.
    span = np.zeros((12, 5))
    span[2, 0], span[5, 0] = -1, 1
    span[range(8, 12), range(1, 5)] = 1
    mixed = span @ np.random.default_rng(0).normal(size=(5, 5))
    columns, minimal = minimal_generators(mixed, 1, 3)
    assert minimal == 2
    assert np.linalg.matrix_rank(np.column_stack((columns, span)), tol=1e-8) == 5
    # d/dz comes first, its multiples by x, y and z are none of the minimal ones.
    assert abs(columns[8, 0]) == pytest.approx(1)


def test_rank_at_a_point() -> None:
    points = np.random.default_rng(0).normal(size=(50, 3))
    x, y, z = points.T
    zero = 0 * x
    turns = np.stack([np.stack(f, 1) for f in ((-y, x, zero), (zero, -z, y), (z, zero, -x))], axis=2)
    assert pointwise_rank(turns) == 2
    assert pointwise_rank(turns[:, :, :1]) == 1
