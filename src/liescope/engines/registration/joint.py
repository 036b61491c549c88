"""Joint refinement of the generators with all magnitudes eliminated (variable projection).

The shared unknowns are the m x K generator matrix A, every pair adds its own K magnitudes: v_i = A t_i. In the
normal equations of all pairs together the magnitudes are eliminated pair by pair (a Schur complement), so what is
summed over pairs is one mK x mK matrix and one vector: memory does not grow with the number of pairs, and the
minimiser is the least-squares estimate from all pairs at once, not an average of single ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from liescope.engines.registration.coordinates import exponential_derivative
from liescope.engines.registration.linearise import NormalEquations

__all__ = ["JointEquations", "orthonormal"]


_SUPPORTED = 1e-9  # of the largest eigenvalue: what is below is rounding


@dataclass(frozen=True)
class JointEquations:
    """Running sums of the reduced normal equations for A (flattened K-major: index k * m + i).

    Attributes
    ----------
    hessian : tensor, shape (K m, K m)
    gradient : tensor, shape (K m,)
    scatter : tensor, shape (K m, K m)
        Sum over pairs of outer products of the pairs' gradients: with the Hessian it gives the sandwich covariance.
    """

    hessian: Tensor
    gradient: Tensor
    scatter: Tensor

    @classmethod
    def empty(cls, dimension: int, generators: int) -> JointEquations:
        """Zero sums."""
        size = dimension * generators
        zeros = torch.zeros(size, size, dtype=torch.float64)
        return cls(zeros, torch.zeros(size, dtype=torch.float64), zeros.clone())

    @classmethod
    def of(
        cls,
        equations: NormalEquations,
        t: Float[Tensor, "b k"],
        span: Float[Tensor, "m k"],
        structure: Tensor,
        weight: Float[Tensor, " b"],
    ) -> JointEquations:
        """The sums over some pairs: their normal equations at ``v = span @ t``, each pair with a weight."""
        hessian, slope = equations.hessian.double(), equations.gradient.double()
        t, span, weight = t.double(), span.double(), weight.double()
        m, k = span.shape
        frame = exponential_derivative(structure.double(), t @ span.T)
        hessian = frame.mT @ hessian @ frame
        slope = (frame.mT @ slope[..., None])[..., 0]
        across = hessian @ span
        inner = span.T @ across
        ridge = 1e-9 * inner.diagonal(dim1=-2, dim2=-1).amax(-1).clamp_min(1e-12)
        identity = torch.eye(k, dtype=inner.dtype, device=inner.device)
        inverse = torch.linalg.inv(inner + ridge[:, None, None] * identity)
        reduced = hessian - across @ inverse @ across.mT
        residual = slope - (across @ inverse @ (slope @ span)[..., None])[..., 0]
        by_pair = torch.einsum("b,bk,bm->bkm", weight, t, residual).reshape(-1, k * m)
        total = torch.einsum("b,bk,bl,bmn->kmln", weight, t, t, reduced).reshape(k * m, k * m)
        return cls(total.cpu(), by_pair.sum(0).cpu(), (by_pair.mT @ by_pair).cpu())

    def __add__(self, other: JointEquations) -> JointEquations:
        """The sums over both sets of pairs."""
        return JointEquations(
            self.hessian + other.hessian, self.gradient + other.gradient, self.scatter + other.scatter
        )

    def _inverse(self, span: Float[Tensor, "m k"]) -> Tensor:
        """Pseudo-inverse off the span: moving A within its own span changes nothing but the magnitudes."""
        projector = self._off(span)
        inside = projector @ self.hessian @ projector
        inverse: Tensor = projector @ torch.linalg.pinv(inside, rtol=_SUPPORTED, hermitian=True) @ projector
        return inverse

    @staticmethod
    def _off(span: Float[Tensor, "m k"]) -> Tensor:
        """Projector of A's K columns off the span."""
        m, k = span.shape
        off = torch.eye(m, dtype=torch.float64) - span.double().cpu() @ span.double().cpu().T
        return torch.kron(torch.eye(k, dtype=torch.float64), off)

    def step(self, span: Float[Tensor, "m k"]) -> Float[Tensor, "m k"]:
        """Gauss-Newton change of the (orthonormal) span."""
        m, k = span.shape
        change = -self._inverse(span) @ self.gradient
        return change.reshape(k, m).T.to(span)

    def covariance(self, span: Float[Tensor, "m k"]) -> Float[Tensor, "km km"]:
        """Sandwich covariance of A: robust to pairs whose errors are unequal or correlated within the image.

        Directions that no pair speaks of, as of a generator that is not in the data, get the variance of a unit
        vector: nothing is known of them.
        """
        inverse = self._inverse(span)
        covariance: Tensor = inverse @ self.scatter @ inverse
        projector = self._off(span)
        values, vectors = torch.linalg.eigh(projector @ self.hessian @ projector)
        unknown = vectors[:, values <= _SUPPORTED * values.amax()]
        silent: Tensor = projector @ unknown @ unknown.T @ projector
        return covariance + silent


def orthonormal(columns: Float[Tensor, "m k"]) -> tuple[Float[Tensor, "m k"], Float[Tensor, "k k"]]:
    """Orthonormal columns Q of the same span and R with columns = Q R; the diagonal of R is not negative."""
    span, triangle = torch.linalg.qr(columns)
    sign = torch.where(triangle.diagonal() < 0, -1.0, 1.0)
    return span * sign, triangle * sign[:, None]
