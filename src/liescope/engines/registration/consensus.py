"""The directions that most pairs agree on, from coordinates that are partly wrong.

A pair's coordinates v_i come with the Hessian H_i of its registration error: how much worse the pair gets when it
is restricted to a span A is ``D_i(A) = min_t (v_i - A t)' H_i (v_i - A t)``. The span minimises the sum of
``D_i / (D_i + e_i)``, e_i the pair's remaining error: bounded, so that pairs that registered wrongly cannot pull,
and blind to directions that an image does not determine.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Votes", "consensus_span"]

_CANDIDATES = 96
_REWEIGHTINGS = 12
_TINY = 1e-9


class Votes(NamedTuple):
    """Coordinates ``v`` (B, m), Hessians ``hessian`` (B, m, m) and error scales ``scale`` (B,) of the pairs."""

    v: Tensor
    hessian: Tensor
    scale: Tensor


def _restricted(votes: Votes, span: Float[Tensor, "*c m k"]) -> tuple[Tensor, Tensor]:
    """Best t (c, B, K) in a span and what the restriction costs (c, B)."""
    hv = torch.einsum("bij,bj->bi", votes.hessian, votes.v)
    total = (hv * votes.v).sum(-1)
    slope = torch.einsum("...mk,bm->...bk", span, hv)
    inner = torch.einsum("...mk,bmn,...nl->...bkl", span, votes.hessian, span)
    k = span.shape[-1]
    ridge = _TINY * (1 + inner.diagonal(dim1=-2, dim2=-1).amax(-1))
    inner = inner + ridge[..., None, None] * torch.eye(k, dtype=span.dtype, device=span.device)
    t = torch.linalg.solve(inner, slope[..., None])[..., 0]
    return t, (total - (slope * t).sum(-1)).clamp_min(0)


def _disagreement(votes: Votes, span: Tensor) -> Tensor:
    cost = _restricted(votes, span)[1]
    return (cost / (cost + votes.scale)).mean(-1)


def _reweighted(votes: Votes, span: Float[Tensor, "m k"]) -> Tensor:
    """Iteratively reweighted least squares for the span, from a start."""
    m, k = span.shape
    for _ in range(_REWEIGHTINGS):
        t, cost = _restricted(votes, span)
        weight = votes.scale / (cost + votes.scale).square()
        hv = torch.einsum("bij,bj->bi", votes.hessian, votes.v)
        normal = torch.einsum("b,bk,bl,bmn->kmln", weight, t, t, votes.hessian).reshape(k * m, k * m)
        right = torch.einsum("b,bk,bm->km", weight, t, hv).reshape(k * m)
        ridge = _TINY * normal.diagonal().amax() + 1e-30
        solution = torch.linalg.solve(normal + ridge * torch.eye(k * m, dtype=normal.dtype), right)
        span = torch.linalg.qr(solution.reshape(k, m).T)[0]
    return span


def consensus_span(votes: Votes, dimension: int) -> tuple[Float[Tensor, "m k"], float]:
    """The span of the given dimension that explains the pairs best, grown one direction at a time.

    Every new direction is tried from the coordinates of the most informative pairs themselves, the best one is
    kept, and the whole span is refined.

    Returns
    -------
    span : tensor, shape (m, K)
        Orthonormal columns.
    disagreement : float
        Mean of D / (D + e) over the pairs: 0 if all agree, 1 if none.
    """
    votes = Votes(*(part.double().cpu() for part in votes))
    strength = torch.einsum("bi,bij,bj->b", votes.v, votes.hessian, votes.v) / votes.scale
    chosen = strength.argsort(descending=True)
    chosen = chosen[torch.linspace(0, (len(chosen) - 1) * 0.75, min(_CANDIDATES, len(chosen))).long()]
    candidates = torch.nn.functional.normalize(votes.v[chosen], dim=1)
    span = votes.v.new_zeros(votes.v.shape[1], 0)
    for _ in range(dimension):
        grown = torch.cat((span.expand(len(candidates), *span.shape), candidates[:, :, None]), dim=2)
        best = int(_disagreement(votes, grown).argmin())
        span = _reweighted(votes, torch.linalg.qr(grown[best])[0])
    return span, float(_disagreement(votes, span))
