"""The two quadratic forms of a null-space problem, and draws of them.

A generator is a field ``X = sum_k a_k b_k``. Every kind of data gives rows A_i with ``A_i a = 0`` for a symmetry, and
terms M_i a that should cancel in them. With ``C = mean A_i' A_i`` and ``D = mean M_i' M_i`` the *defect* of X is
``sqrt(a' C a / a' D a)``: 0 for a symmetry, about 1 where nothing cancels, without unit, and the same in whatever
coordinates and basis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

__all__ = ["IRRELEVANT", "Forms", "drawn_forms", "gradient_terms", "mean_squares", "resampled_forms"]

IRRELEVANT = 0.1
"""Share of the lengths of gradient and field that joins the terms: they are not 0 along irrelevant variables."""

_BLOCKS = 128


class Forms(NamedTuple):
    """Quadratic forms on coefficients, and draws of what they would be if the data were drawn again.

    Attributes
    ----------
    misses : array, shape (m, m)
        C: mean squares of what is left over.
    terms : array, shape (m, m)
        D: mean squares of what should cancel.
    drawn_misses, drawn_terms : array, shape (S, m, m)
    noise : array, shape (S, m, m), or None
        Mean squares of draw minus mean of the rows: what noise alone leaves over. None where rows are known exactly
        and the draws are of points only.
    """

    misses: np.ndarray
    terms: np.ndarray
    drawn_misses: np.ndarray
    drawn_terms: np.ndarray
    noise: np.ndarray | None = None


def gradient_terms(
    gradients: Float[np.ndarray, "n q r"], fields: Float[np.ndarray, "n m r"], irrelevant: float = IRRELEVANT
) -> tuple[Float[np.ndarray, "n q m"], Float[np.ndarray, "n t m"]]:
    """Rows ``g @ X`` of q functions, and the terms ``g_c X_c`` that should cancel in them."""
    n, q, r = gradients.shape
    products = np.einsum("nqc,nmc->nqcm", gradients, fields)
    sizes = np.linalg.norm(gradients, axis=(1, 2))
    spare = irrelevant * sizes[:, None, None] * fields.transpose(0, 2, 1)
    return products.sum(axis=2), np.concatenate((products.reshape(n, q * r, -1), spare), axis=1)


def mean_squares(
    rows: Float[np.ndarray, "n q m"], weights: Int[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, "m m"]:
    """The form ``mean A_i' A_i`` over points; with how often each point was drawn, over those draws."""
    if weights is not None:
        rows = rows * np.sqrt(weights)[:, None, None]
    flat = rows.reshape(-1, rows.shape[2])
    form: np.ndarray = flat.T @ flat / len(rows)
    return form


def resampled_forms(
    rows: Float[np.ndarray, "n q m"],
    terms: Float[np.ndarray, "n t m"],
    draws: int = 64,
    seed: int = 0,
    groups: Int[np.ndarray, " n"] | None = None,
) -> Forms:
    """Forms of rows that are known at n points, with draws of the points: the bootstrap over blocks of them.

    Parameters
    ----------
    rows, terms : arrays
    draws : int
    seed : int
    groups : array of int, optional
        Points that belong together, such as those of one run; they are drawn together.
    """
    rng = np.random.default_rng(seed)
    n, _, m = rows.shape
    if groups is None:
        groups = rng.permutation(n) % min(n, _BLOCKS)
    labels, member = np.unique(groups, return_inverse=True)
    order = np.argsort(member, kind="stable")
    edges = np.searchsorted(member[order], np.arange(len(labels)))
    parts = []
    for values in (rows, terms):
        own = np.empty((len(labels), m, m))
        for b, chosen in enumerate(np.split(order, edges[1:])):
            flat = values[chosen].reshape(-1, m)
            own[b] = flat.T @ flat
        parts.append(own.reshape(len(labels), -1) / n)
    counts = rng.multinomial(len(labels), np.full(len(labels), 1 / len(labels)), size=draws)
    drawn = [(counts @ own).reshape(draws, m, m) for own in parts]
    whole = [own.sum(axis=0).reshape(m, m) for own in parts]
    return Forms(whole[0], whole[1], drawn[0], drawn[1])


def drawn_forms(
    forms: Callable[..., tuple[np.ndarray, np.ndarray]],
    learnt: np.ndarray,
    drawn: np.ndarray,
    points: int,
    seed: int = 0,
) -> Forms:
    """Forms of what was learnt and of its draws, each at points drawn anew; noise is what draws differ by.

    Parameters
    ----------
    forms : callable
        Of what was learnt, and perhaps how often each point was drawn: the misses and the terms (m, m).
    learnt : array
    drawn : array, shape (S, ...)
    points : int
        How many there are.
    seed : int
    """
    misses, terms = forms(learnt)
    counts = np.random.default_rng(seed).multinomial(points, np.full(points, 1 / points), size=len(drawn))
    pairs = [forms(one, own) for one, own in zip(drawn, counts, strict=True)]
    mean = drawn.mean(axis=0)
    noise = [forms(one - mean)[0] for one in drawn]
    return Forms(misses, terms, np.array([c for c, _ in pairs]), np.array([d for _, d in pairs]), np.array(noise))
