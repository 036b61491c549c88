"""Found generators as matrices, and as rotations about the centre: what equivariant networks are built from."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from jaxtyping import Float

from liescope.algebra import Generator
from liescope.errors import InputError
from liescope.geometry import Basis, Grid, PolynomialBasis
from liescope.geometry.flow import is_affine
from liescope.handover.transformation import NO_SYMMETRY, Found, handed_over, planar
from liescope.result import FieldResult

__all__ = ["check_central_rotation", "lie_algebra", "trace_warning"]

OFF_CENTRE_PX = 0.5
"""A centre that is nearer to the middle than this is that of the image: no pixel lies between them."""
ELLIPSE = 0.05
"""Share of a rotation's linear part that may be no rotation before its orbits are called ellipses."""
TRACE = 1e-6


def lie_algebra(found: Found, *, clean: bool = True, warn: bool = True) -> Float[np.ndarray, "k n n"]:
    """The generators as matrices of (d + 1) x (d + 1) that act on points (x, y, ..., 1).

    Parameters
    ----------
    found : SymmetryResult or Transformation
        In any number of coordinates d. A basis of affine fields.
    clean : bool
        Take the generators of the same span in simple ratios where the result knows them (``algebra["clean"]``).
    warn : bool
        Warn where a generator has a trace: emlp samples and solves for such groups less reliably.

    Returns
    -------
    array, shape (K, d + 1, d + 1), float64
        In normalised coordinates: the origin is the image's centre, x points right, y up, the longest side spans
        [-1, 1]; of a function, a network or a law of motion in the units of its data.
        ``scipy.linalg.expm(t * A) @ (x, y, 1)`` is where a point goes.

    Raises
    ------
    InputError
        No accepted generator, or a basis with fields that are no affine ones: no matrices act like these.
    """
    basis, rows = _rows(found, clean)
    if not (isinstance(basis, PolynomialBasis) and is_affine(basis)):
        raise InputError(f"expected generators in an affine basis, got {basis.name!r}, try detect(..., basis='affine')")
    polynomial = basis.polynomial(torch.as_tensor(rows, dtype=torch.float64)).numpy()
    d = basis.ndim
    matrices = np.zeros((len(rows), d + 1, d + 1))
    matrices[:, :d, d] = polynomial[..., 0]
    if basis.degree == 1:
        matrices[:, :d, :d] = polynomial[..., 1:]
    told = trace_warning(matrices)
    if warn and told:
        warnings.warn(told, UserWarning, stacklevel=2)
    return matrices


def _rows(found: Found, clean: bool) -> tuple[Basis, np.ndarray]:
    """Basis and coefficients: of pairs those in simple ratios where they are known; of what has no pairs its own."""
    if isinstance(found, FieldResult):
        if not found.generators or found.verdict == NO_SYMMETRY:
            raise InputError(f"expected a result with a symmetry to hand over, got {found.verdict}: {found.reason}")
        return found.basis, np.stack([g.coefficients for g in found.generators])
    transformation = handed_over(found)
    simple = transformation.clean if clean else None
    return transformation.basis, transformation.coefficients if simple is None else simple


def trace_warning(matrices: Float[np.ndarray, "k n n"]) -> str:
    """What to tell of generators that change volumes; empty where none does."""
    traces = np.trace(matrices, axis1=1, axis2=2)
    if not (abs(traces) > TRACE).any():
        return ""
    numbers = ", ".join(f"{trace:.3g}" for trace in traces)
    return f"generators with a trace ({numbers}) change areas: emlp is made for groups of traceless ones"


def check_central_rotation(found: Found) -> Generator:
    """The generator, where it is one rotation about the image's centre.

    Raises
    ------
    InputError
        Several generators, another one than a rotation, orbits that are ellipses, or a centre elsewhere.
    """
    transformation = planar(found)
    if transformation.size > 1:
        raise InputError(f"expected one rotation for escnn, got {transformation.size}: {transformation.name}")
    (generator,) = transformation.generators
    if generator.name != "rotation" or generator.centre_px is None:
        raise InputError(f"expected a rotation for escnn, got {generator.name}: {generator.equation}")
    origin = torch.zeros(1, 2, dtype=torch.float64)
    coefficients = torch.as_tensor(generator.coefficients)
    jacobian = torch.einsum("nmij,m->ij", transformation.basis.jacobians(origin), coefficients)
    if float((jacobian + jacobian.mT).norm()) > ELLIPSE * float((jacobian - jacobian.mT).norm()):
        raise InputError(
            "expected a rotation along circles for escnn, got one along ellipses, try square pixels (resize images)"
        )
    height, width = Grid.of(*transformation.shape).shape
    column, row = generator.centre_px
    off = np.hypot(column - (width - 1) / 2, row - (height - 1) / 2)
    if off > OFF_CENTRE_PX:
        raise InputError(
            f"expected a rotation about the image's centre for escnn, got one about column {column:.1f}, row "
            f"{row:.1f}, {off:.1f} pixels off, try images recentred there"
        )
    return generator
