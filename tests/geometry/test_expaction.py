"""The action of the exponential against dense float64 matrix exponentials, values and gradients."""

import pytest
import torch
from torch import Tensor

from liescope.geometry import FieldOperators, Grid, affine, exponential_action

FIELDS = {
    "rotation": [0, 0, -(0.5**0.5), 0, 0.5**0.5, 0],
    "translation": [1, 0, 0, 0, 0, 0],
    "scale": [0, 0.5**0.5, 0, 0, 0, 0.5**0.5],
    "shear": [0, 0, 1, 0, 0, 0],
}


def generator_matrix(name: str, side: int) -> Tensor:
    operators = FieldOperators(affine(), Grid.of(side, side), dtype=torch.float64)
    matrix: Tensor = torch.einsum("m,mij->ij", torch.tensor(FIELDS[name], dtype=torch.float64), operators.matrices())
    return matrix


def dense(matrix: Tensor, vectors: Tensor, t: Tensor) -> Tensor:
    """The oracle: a batch of matrices, in double precision."""
    exponentials = torch.linalg.matrix_exp(t[:, None, None] * matrix)
    moved: Tensor = torch.einsum("bij,bj->bi", exponentials, vectors)
    return moved


def condition(matrix: Tensor, t: Tensor, vectors: Tensor) -> Tensor:
    """By how much the exponential may magnify a relative error of its arguments."""
    growth = torch.linalg.matrix_norm(torch.linalg.matrix_exp(t[:, None, None] * matrix), 2)
    norm = torch.linalg.matrix_norm(t[:, None, None] * matrix, 2) + 1
    magnified: Tensor = norm * growth * vectors.norm(dim=1) / dense(matrix, vectors, t).norm(dim=1)
    return magnified


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("side", [5, 8, 9])
@pytest.mark.parametrize("reach", [0.02, 0.6, 2.2, 12.0])
# In double precision the oracle rounds as much as the code does, hence twice the bound.
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 20 * 6e-8), (torch.float64, 40 * 1.1e-16)])
def test_against_dense_exponentials(name: str, side: int, reach: float, dtype: torch.dtype, bound: float) -> None:
    random = torch.Generator().manual_seed(side)
    matrix = generator_matrix(name, side)
    t = (2 * torch.rand(40, generator=random, dtype=torch.float64) - 1) * reach
    t[0], t[1], t[2] = 0, reach, -reach
    vectors = torch.randn(40, side * side, generator=random, dtype=torch.float64)
    given = (x.to(dtype) for x in (matrix, vectors, t))
    expected = dense(*(x.to(dtype).double() for x in (matrix, vectors, t)))
    found = exponential_action(*given).double()
    relative = (found - expected).norm(dim=1) / expected.norm(dim=1)
    assert bool((relative <= bound * condition(matrix, t, vectors)).all())
    torch.testing.assert_close(found[0], vectors[0].to(dtype).double(), rtol=0, atol=0)


@pytest.mark.parametrize("t", [-2.2, 2.2])
def test_a_generator_far_from_normal_keeps_its_accuracy(t: float) -> None:
    # Splitting t into parts of both signs loses every digit here.
    matrix = generator_matrix("scale", 9).float()
    vector = torch.randn(1, 81, generator=torch.Generator().manual_seed(0))
    expected = dense(matrix.double(), vector.double(), torch.tensor([t], dtype=torch.float64))
    found = exponential_action(matrix, vector, torch.tensor([t])).double()
    assert float((found - expected).norm() / expected.norm()) < 1e-4


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1.0, 9.0])
@pytest.mark.parametrize("name", ["rotation", "scale"])
def test_gradients_against_the_dense_formulation(name: str, scale: float) -> None:
    random = torch.Generator().manual_seed(1)
    start = generator_matrix(name, 5)
    vectors = torch.randn(6, 25, generator=random, dtype=torch.float64)
    t = scale * torch.tensor([1.0, -1.0, 0.3, 0.0, -0.7, 0.5], dtype=torch.float64)
    weights = torch.randn(6, 25, generator=random, dtype=torch.float64)
    gradients = []
    for action in (exponential_action, dense):
        arguments = [x.clone().requires_grad_() for x in (start, vectors, t)]
        (action(*arguments) * weights).sum().backward()
        gradients.append([x.grad for x in arguments])
    for found, expected in zip(*gradients, strict=True):
        assert found is not None
        assert expected is not None
        assert float((found - expected).norm()) <= 1e-9 * float(expected.norm())


def test_gradcheck_at_zero_and_beyond() -> None:
    random = torch.Generator().manual_seed(2)
    matrix = torch.randn(4, 4, generator=random, dtype=torch.float64, requires_grad=True)
    vectors = torch.randn(3, 4, generator=random, dtype=torch.float64, requires_grad=True)
    for values in ([0.0, 0.0, 0.0], [0.0, 1.3, -2.4]):
        t = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(exponential_action, (matrix, vectors, t))
        assert torch.autograd.gradgradcheck(exponential_action, (matrix, vectors, t))


def test_the_group_law() -> None:
    matrix = generator_matrix("rotation", 9)
    random = torch.Generator().manual_seed(3)
    vectors = torch.randn(20, 81, generator=random, dtype=torch.float64)
    first, second = (3 * torch.randn(20, generator=random, dtype=torch.float64) for _ in range(2))
    twice = exponential_action(matrix, exponential_action(matrix, vectors, first), second)
    torch.testing.assert_close(twice, exponential_action(matrix, vectors, first + second), rtol=1e-9, atol=1e-10)


def test_no_batch_of_matrices_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a dense exponential")

    monkeypatch.setattr(torch.linalg, "matrix_exp", refuse)
    monkeypatch.setattr(torch, "matrix_exp", refuse)
    matrix = generator_matrix("rotation", 16).float()
    t = torch.linspace(-2, 2, 4096)
    # A batch of matrices would take a gigabyte.
    moved = exponential_action(matrix, torch.ones(4096, 256), t)
    torch.testing.assert_close(moved.norm(dim=1), torch.full((4096,), 16.0), rtol=1e-3, atol=0)


@pytest.mark.parametrize("count", [0, 1])
def test_small_batches(count: int) -> None:
    matrix = generator_matrix("shear", 5)
    assert exponential_action(matrix, torch.ones(count, 25).double(), torch.ones(count).double()).shape == (count, 25)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e30])
def test_what_cannot_be_computed_is_not_finite(bad: float) -> None:
    matrix = generator_matrix("scale", 5).float()
    moved = exponential_action(matrix, torch.ones(2, 25), torch.tensor([0.1, bad]))
    assert not bool(torch.isfinite(moved).all())
