"""What a result hands over: the action that was found, as plain data that needs no result folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from liescope.algebra import Generator
from liescope.errors import InputError
from liescope.geometry import Basis, get_basis
from liescope.result import SymmetryResult

__all__ = ["Found", "Transformation", "handed_over", "named_basis", "planar"]

NO_SYMMETRY = "no symmetry"
PLANE = 2
KEPT_MAGNITUDES = 1000
"""At most so many magnitudes are kept to draw from: the quantiles of a law are known well enough by then."""


@dataclass(frozen=True, eq=False, repr=False)
class Transformation:
    """The action of K generators, with what is needed to apply it and to draw its magnitudes.

    Parameters
    ----------
    coefficients : array, shape (K, m)
        Of the generators, in the gauge: unit norm.
    basis : Basis or str
        What they refer to. A name stands for the basis of that name.
    shape : tuple of int
        Of the images that were learnt from, (height, width): natural units such as pixels refer to it.
    product : bool
        Whether generators act one after the other, exp(t_K X_K) ... exp(t_1 X_1), and not as one exponential.
    background : array, shape (C,), optional
        Grey values that come in from outside; 0 where not known.
    t : array, shape (n, K), optional
        Magnitudes of accepted pairs in units of the unit-norm generators: the law to draw from.
    clean : array, shape (K, m), optional
        Generators of the same span in simple ratios.
    """

    coefficients: Any
    basis: Any
    shape: Any
    product: bool = False
    background: Any = None
    t: Any = None
    clean: Any = None

    def __post_init__(self) -> None:
        keep = object.__setattr__
        shape = tuple(int(side) for side in self.shape)
        basis = named_basis(self.basis, len(shape)) if isinstance(self.basis, str) else self.basis
        if not isinstance(basis, Basis) or basis.ndim != len(shape):
            raise InputError(f"expected a basis in {len(shape)} coordinates for shape {shape}, got {self.basis!r}")
        keep(self, "shape", shape)
        keep(self, "basis", basis)
        keep(self, "coefficients", _rows(self.coefficients, "coefficients", basis.dimension))
        if not len(self.coefficients):
            raise InputError("expected at least one generator to hand over, got none")
        if self.background is not None:
            keep(self, "background", np.asarray(self.background, dtype=np.float64).ravel())
        if self.t is not None:
            keep(self, "t", _rows(self.t, "t", len(self.coefficients)) if len(self.t) else None)
        if self.clean is not None:
            keep(self, "clean", _rows(self.clean, "clean", basis.dimension))

    @classmethod
    def of(cls, result: SymmetryResult) -> Transformation:
        """What a result hands over.

        Raises
        ------
        InputError
            No generator was accepted: the verdict is "no symmetry", or there are no generators. Of an undecided result
            what fits best is handed over.
        """
        if not result.generators or result.verdict == NO_SYMMETRY:
            raise InputError(f"expected a result with a symmetry to hand over, got {result.verdict}: {result.reason}")
        clean = (result.algebra.get("clean") or {}).get("coefficients")
        coefficients = np.stack([g.generator.coefficients for g in result.generators])
        fits = clean is not None and np.shape(clean) == coefficients.shape
        t = result.t[result.accepted]
        if result.reach is not None:
            # Labels stay the same as far as that, and nothing tells that one magnitude is more frequent than another.
            axes = [np.linspace(-far, far, round(KEPT_MAGNITUDES ** (1 / len(result.reach)))) for far in result.reach]
            t = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
        return cls(
            coefficients,
            result.basis,
            result.generators[0].generator.shape,
            result.product,
            result.background,
            _thinned(t[np.isfinite(t).all(axis=1)]),
            clean if fits else None,
        )

    @property
    def size(self) -> int:
        """Number of generators K."""
        return len(self.coefficients)

    @cached_property
    def generators(self) -> tuple[Generator, ...]:
        """The generators, with their names and units."""
        return tuple(Generator(row, self.basis, self.shape) for row in self.coefficients)

    @property
    def units_per_t(self) -> np.ndarray:
        """Natural units (degrees, pixels, ...) in one t, shape (K,)."""
        return np.array([g.unit_per_t for g in self.generators])

    @property
    def name(self) -> str:
        """The generators by name: ``rotation``, ``rotation and scale``."""
        *first, last = [g.name for g in self.generators]
        return f"{', '.join(first)} and {last}" if first else last

    def plain(self) -> dict[str, Any]:
        """The same as text, numbers and lists: ``Transformation(**plain)`` makes it again.

        Raises
        ------
        InputError
            Fields of your own: their functions cannot be written down.
        """
        basis = self.basis
        try:
            known = named_basis(basis.name, basis.ndim).terms == basis.terms
        except InputError:
            known = False
        if not known:
            raise InputError(f"expected fields that a file can name, got the basis {basis.name!r} of your own")
        lists = {name: getattr(self, name) for name in ("coefficients", "background", "t", "clean")}
        return {
            "basis": basis.name,
            "shape": list(self.shape),
            "product": self.product,
            **{name: None if array is None else array.tolist() for name, array in lists.items()},
        }

    def __repr__(self) -> str:
        return f"Transformation({'; '.join(g.equation for g in self.generators)})"


Found = SymmetryResult | Transformation | Mapping[str, Any]
"""What is handed over: a result, what it hands over, or that as plain data."""


def handed_over(found: Found) -> Transformation:
    """The transformation of a result; of what is one already, itself."""
    if isinstance(found, Transformation):
        return found
    return Transformation.of(found) if isinstance(found, SymmetryResult) else Transformation(**found)


def planar(found: Found) -> Transformation:
    """The transformation of a result of images.

    Raises
    ------
    InputError
        No accepted generator, or generators in other than two coordinates.
    """
    transformation = handed_over(found)
    if transformation.basis.ndim != PLANE:
        raise InputError(f"expected a result of images, got one in {transformation.basis.ndim} coordinates")
    return transformation


def named_basis(name: str, ndim: int) -> Basis:
    """The basis of that name, also a sum of known ones such as ``affine+conformal``."""
    first, *others = (get_basis(part, ndim) for part in name.split("+"))
    return sum(others, start=first)


def _rows(values: Any, what: str, width: int) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != width or not np.isfinite(array).all():
        raise InputError(f"expected finite {what} of shape (n, {width}), got shape {array.shape}")
    return array


def _thinned(t: np.ndarray) -> np.ndarray:
    """At most KEPT_MAGNITUDES rows, evenly spaced in the order of their sizes."""
    if len(t) <= KEPT_MAGNITUDES:
        return t
    order = np.lexsort(t.T[::-1])
    kept: np.ndarray = t[order[np.linspace(0, len(t) - 1, KEPT_MAGNITUDES).round().astype(int)]]
    return kept
