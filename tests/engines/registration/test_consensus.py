"""The span most pairs agree on, with planted outliers and directions that images do not determine."""

import numpy as np
import pytest
import torch

from liescope.algebra import span_angles
from liescope.engines.registration.consensus import Votes, consensus_span


def planted(dimension: int, outliers: float, seed: int) -> tuple[Votes, np.ndarray]:
    rng = np.random.default_rng(seed)
    m, count = 6, 300
    truth = np.linalg.qr(rng.normal(size=(m, dimension)))[0]
    v = rng.normal(size=(count, dimension)) @ truth.T
    root = rng.normal(size=(count, m, m))
    hessian = root @ root.transpose(0, 2, 1) + 0.01 * np.eye(m)
    # One direction of every pair is nearly undetermined, and its coordinate is nonsense.
    loose = rng.normal(size=(count, m))
    loose /= np.linalg.norm(loose, axis=1, keepdims=True)
    projector = np.eye(m) - loose[:, :, None] * loose[:, None, :]
    hessian = projector @ hessian @ projector + 1e-6 * np.eye(m)
    v = v + 5 * loose * rng.normal(size=(count, 1)) + 0.01 * rng.normal(size=(count, m))
    wild = rng.random(count) < outliers
    v[wild] = 4 * rng.normal(size=(wild.sum(), m))
    votes = Votes(torch.tensor(v), torch.tensor(hessian), torch.full((count,), 0.05, dtype=torch.float64))
    return votes, truth


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("outliers", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_planted_span_is_found(dimension: int, outliers: float, seed: int) -> None:
    votes, truth = planted(dimension, outliers, seed)
    span, disagreement = consensus_span(votes, dimension)
    assert span_angles(span.numpy(), truth, np.eye(6)).max() < 2
    assert disagreement < outliers + 0.2
    np.testing.assert_allclose(span.T @ span, np.eye(dimension), atol=1e-9)


def test_plain_least_squares_would_fail_here() -> None:
    """The planted problem is hard enough to tell a robust estimate from the plain spectrum."""
    votes, truth = planted(1, 0.3, 0)
    plain = torch.linalg.svd(votes.v, full_matrices=False)[2][:1].T
    assert span_angles(plain.numpy(), truth, np.eye(6)).max() > 10


def test_too_few_generators_disagree() -> None:
    votes, _ = planted(2, 0.0, 1)
    assert consensus_span(votes, 1)[1] > consensus_span(votes, 2)[1] + 0.3
