"""What a Lie algebra is, whatever basis it is written in: derived series, centre, Killing signature."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from liescope.algebra.structure_constants import ERROR_DEG, bracket_unit, killing_form

__all__ = ["Invariants", "algebra_invariants"]

# Singular values of the bracket and eigenvalues of the Killing form that count as zero, in units of the bracket's
# size (:func:`bracket_unit`; squared for the form), for errors of three degrees in the generators. Measured over the
# named algebras in the quadratic basis, on images of up to twice their width, errors of three degrees turn zeros
# into at most 0.27 and 0.12, while what is not zero stays above 0.5 and 0.25.
_RANK = 0.3
_KILLING = 0.15
_ROUNDING_DEG = 1e-4


class Invariants(NamedTuple):
    """What a Lie algebra is, whatever basis it is written in.

    Attributes
    ----------
    derived_dimensions : tuple of int
        Dimensions of the derived series g, [g, g], [[g, g], [g, g]], ... until it stays.
    central_dimensions : tuple of int
        Dimensions of the lower central series g, [g, g], [g, [g, g]], ... until it stays.
    centre_dimension : int
        Of the centre: what commutes with everything.
    killing_signature : (int, int, int)
        Numbers of positive, negative and zero eigenvalues of the Killing form.
    """

    derived_dimensions: tuple[int, ...]
    central_dimensions: tuple[int, ...]
    centre_dimension: int
    killing_signature: tuple[int, int, int]

    @property
    def dimension(self) -> int:
        """Dimension of the algebra."""
        return self.derived_dimensions[0]

    @property
    def derived_dimension(self) -> int:
        """Dimension of [g, g]."""
        return self.derived_dimensions[min(1, len(self.derived_dimensions) - 1)]

    @property
    def abelian(self) -> bool:
        """Everything commutes."""
        return self.derived_dimension == 0

    @property
    def nilpotent(self) -> bool:
        """Brackets of brackets of ... with anything end at zero."""
        return self.central_dimensions[-1] == 0

    @property
    def solvable(self) -> bool:
        """The derived series ends at zero."""
        return self.derived_dimensions[-1] == 0

    @property
    def semisimple(self) -> bool:
        """No solvable ideal: the Killing form has no zero (Cartan's criterion)."""
        return self.dimension > 0 and self.killing_signature[2] == 0


def algebra_invariants(constants: Float[np.ndarray, "k k k"], error_deg: float = ERROR_DEG) -> Invariants:
    """Invariants of a closed span from the structure constants of generators that are orthonormal in L2.

    Orthonormal ones (:func:`liescope.algebra.orthonormal_generators`), because only they give the tolerances a
    meaning: a zero that errors of that many degrees in the generators can explain counts as zero.

    Parameters
    ----------
    constants : array, shape (K, K, K)
    error_deg : float
        Errors of the generators, in degrees in L2 over the domain; 0 for exact fields.
    """
    k = len(constants)
    share = max(error_deg, _ROUNDING_DEG) / ERROR_DEG
    unit = bracket_unit(constants)
    tolerance = _RANK * unit * share
    everything = np.eye(k)
    derived, central = [everything], [everything]
    for series, partner in ((derived, lambda current: current), (central, lambda _: everything)):
        while series[-1].shape[1]:
            following = _bracket_span(constants, partner(series[-1]), series[-1], tolerance)
            if following.shape[1] == series[-1].shape[1]:
                break
            series.append(following)
    adjoint = np.linalg.svd(constants.transpose(1, 2, 0).reshape(-1, k), compute_uv=False) if k else np.zeros(0)
    # The form of a nilpotent algebra is zero, that of a solvable one is zero on [g, g] (Cartan): noise is not asked.
    space = everything
    if central[-1].shape[1] == 0:
        space = everything[:, :0]
    elif derived[-1].shape[1] == 0:
        space = np.linalg.svd(derived[1])[0][:, derived[1].shape[1] :]
    eigenvalues = np.linalg.eigvalsh(space.T @ killing_form(constants) @ space) if space.size else np.zeros(0)
    plus, minus = (int((sign * eigenvalues > _KILLING * unit**2 * share).sum()) for sign in (1, -1))
    return Invariants(
        tuple(s.shape[1] for s in derived),
        tuple(s.shape[1] for s in central),
        int((adjoint <= tolerance).sum()),
        (plus, minus, k - plus - minus),
    )


def _bracket_span(constants: np.ndarray, a: np.ndarray, b: np.ndarray, tolerance: float) -> np.ndarray:
    """Orthonormal columns of the span of all [X, Y] with X in the span of a and Y in that of b."""
    brackets = np.einsum("ip,jq,ijk->kpq", a, b, constants).reshape(len(constants), -1)
    left, values, _ = np.linalg.svd(brackets, full_matrices=False)
    span: np.ndarray = left[:, values > tolerance]
    return span
