"""A basis at the points of the data, in coordinates of unit spread."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float

from liescope.errors import InputError
from liescope.geometry import Basis, polynomial
from liescope.nullspace import Dictionary, Frame, frame_of, full_degree

__all__ = ["Space", "space_at"]


class Space:
    """Fields of a basis, evaluated where the data lie.

    All polynomials up to a degree are written in the coordinates u of the frame, where they are well conditioned, and
    in fewer of them where the data fill a subspace only; other bases are taken as they are.

    Parameters
    ----------
    basis : Basis
        In the coordinates x of the data.
    frame : Frame

    Raises
    ------
    InputError
        Data that fill a subspace only, and a basis that cannot be restricted to it.
    """

    def __init__(self, basis: Basis, frame: Frame) -> None:
        self.basis, self.frame = basis, frame
        degree = full_degree(basis)
        if degree is None and frame.rank < frame.ndim:
            raise InputError(
                f"expected points that spread in all {frame.ndim} directions for basis {basis.name!r}, got "
                f"{frame.rank}, try basis='affine', which is restricted to where the points are"
            )
        self.dictionary = None if degree is None else Dictionary(degree, frame)
        self._inner = basis if degree is None else polynomial(degree, frame.rank)

    @property
    def dimension(self) -> int:
        """Number of fields m that are looked among."""
        return self._inner.dimension

    @property
    def degree(self) -> int | None:
        """Degree of the polynomials, of all of which the fields are; None of other bases."""
        return None if self.dictionary is None else self.dictionary.degree

    @cached_property
    def to_basis(self) -> Float[np.ndarray, "l m"]:
        """From coefficients here to those in the basis."""
        return np.eye(self.dimension) if self.dictionary is None else self.dictionary.outward

    def fields(self, inner: Float[np.ndarray, "n r"]) -> Float[np.ndarray, "n m r"]:
        """Velocities of u at points u."""
        if self.dictionary is not None:
            return self._inner.fields(torch.as_tensor(inner)).numpy()
        return self.frame.vectors(self._inner.fields(torch.as_tensor(self.frame.outward(inner))).numpy())

    def jacobians(self, inner: Float[np.ndarray, "n r"]) -> Float[np.ndarray, "n m r r"]:
        """Derivatives of these: entry [i, k, c, j] is d(component c) / d u_j."""
        if self.dictionary is not None:
            return self._inner.jacobians(torch.as_tensor(inner)).numpy()
        outer = self._inner.jacobians(torch.as_tensor(self.frame.outward(inner))).numpy()
        by_u = self.frame.gradients(outer)
        return self.frame.vectors(by_u.swapaxes(-1, -2)).swapaxes(-1, -2)

    def gram(self, inner: Float[np.ndarray, "n r"]) -> Float[np.ndarray, "m m"]:
        """Inner products of the fields, in u, over points."""
        fields = self.fields(inner)
        gram: np.ndarray = np.einsum("nic,njc->ij", fields, fields, optimize=True) / len(inner)
        return gram


def space_at(points: Float[np.ndarray, "n d"], basis: Basis) -> Space:
    """The fields of a basis where points lie.

    Raises
    ------
    InputError
        Copies of one point, and as :class:`Space`.
    """
    frame = frame_of(points)
    if not frame.rank:
        raise InputError("expected points X that differ, got copies of one point")
    return Space(basis, frame)
