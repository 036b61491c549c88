"""The action of one matrix exponential on many vectors: ``exp(t_i G) z_i`` with G shared and t_i each vector's own.

No batch of matrices is built. Every t is split into digits, ``t = +-h (k_0 + 16 k_1 + ...) + r`` with whole ``k`` from
0 to 15 and a small remainder r. Powers of the one matrix ``exp(h G)`` are shared by all vectors with the same digit,
and the remainder is a Taylor polynomial of matrix-vector products whose degree follows from its bound as in Al-Mohy
and Higham (2011). Work for the batch: about (degree + digits) products with G, and the number of digits grows with
the logarithm of ``max|t| |G|``, where scaling and repeated Taylor steps grow linearly.

All digits of a t have one sign. Digits of both signs would need fewer powers, but go beyond t and come back, which
loses all accuracy where G is far from normal (the scale generator on a 9 x 9 grid).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["exponential_action"]

_BASE = 16
# Largest norm of a matrix for which the Taylor polynomial of that degree has a backward error below the unit
# roundoff: Al-Mohy and Higham, Computing the action of the matrix exponential, table 3.1.
_DEGREE_AND_BOUND = {torch.float32: (5, 0.13), torch.float64: (15, 0.64)}


def exponential_action(
    matrix: Float[Tensor, "n n"], vectors: Float[Tensor, "b n"], t: Float[Tensor, " b"]
) -> Float[Tensor, "b n"]:
    """``exp(t_i G) z_i`` for every row of a batch.

    Parameters
    ----------
    matrix : tensor, shape (n, n)
        G, one for all.
    vectors : tensor, shape (B, n)
        z, row by row; float32 or float64.
    t : tensor, shape (B,)
        Magnitudes of either sign; at 0 the vector is returned as it is.

    Returns
    -------
    tensor, shape (B, n)
        Accurate to about the working precision times the condition of the problem. Differentiable (twice, too) in all
        three arguments, at t = 0 as well. NaN where an argument is not finite or ``|t| |G|`` exceeds 1 / eps.
    """
    degree, bound = _DEGREE_AND_BOUND.get(vectors.dtype, _DEGREE_AND_BOUND[torch.float32])
    norm = float(torch.linalg.matrix_norm(matrix.detach(), 1))
    reach = float(t.detach().abs().max()) if t.numel() else 0.0
    if not norm * reach < 1 / torch.finfo(vectors.dtype).eps:
        # Not finite, or so large that rounding t alone changes everything.
        return torch.full_like(vectors, torch.nan)
    if norm * reach <= bound:
        return _taylor(matrix, vectors, t, degree)
    step = 2 * bound / norm
    whole = torch.round(t.detach() / step)
    moved = _taylor(matrix, vectors, t - whole * step, degree)
    factor = _matrix_exponential(matrix * step, degree)
    inverse = _matrix_exponential(matrix * -step, degree)
    left, sign = whole.abs().long(), whole.sign().long()
    while True:
        digit = sign * (left % _BASE)
        left = left // _BASE
        last = not bool(left.any())
        powers, inverses = (_powers(f, _highest(d, last)) for f, d in ((factor, digit), (inverse, -digit)))
        moved = _apply_powers(moved, digit, powers, inverses)
        if last:
            return moved
        factor, inverse = powers[-1], inverses[-1]


def _highest(digit: Tensor, last: bool) -> int:
    """How many powers are needed: up to the largest digit, or to the base, which the next digit counts in."""
    return max(0, int(digit.max())) if last else _BASE


def _powers(factor: Tensor, highest: int) -> list[Tensor]:
    """factor^1 ... factor^highest."""
    powers: list[Tensor] = []
    for number in range(1, highest + 1):
        powers.append(factor if number == 1 else powers[(number - 1) // 2] @ powers[number // 2 - 1])
    return powers


def _apply_powers(vectors: Tensor, digit: Tensor, powers: list[Tensor], inverses: list[Tensor]) -> Tensor:
    """Each vector times the power that its digit names: vectors are sorted by digit, each group is one product."""
    order = torch.argsort(digit, stable=True)
    lowest = -len(inverses)
    counts = torch.bincount(digit - lowest, minlength=len(inverses) + 1 + len(powers)).tolist()
    groups = torch.split(vectors[order], counts)
    moved = []
    for number, group in enumerate(groups, start=lowest):
        if len(group):
            power = powers[number - 1] if number > 0 else inverses[-number - 1] if number else None
            moved.append(group if power is None else group @ power.T)
    return torch.cat(moved)[torch.argsort(order)]


def _taylor(matrix: Tensor, vectors: Tensor, t: Tensor, degree: int) -> Tensor:
    """The Taylor polynomial of exp(t_i G) z_i, by Horner's rule: only products of G with the batch."""
    total = vectors
    for number in range(degree, 0, -1):
        total = vectors + (t / number)[:, None] * (total @ matrix.T)
    return total


def _matrix_exponential(matrix: Tensor, degree: int) -> Tensor:
    """The exponential of a matrix whose norm is at most twice the Taylor bound: scaled once, squared once."""
    half = matrix / 2
    eye = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    total = eye
    for number in range(degree, 0, -1):
        total = eye + half @ total / number
    return total @ total
