"""A generator of a one-parameter group: coefficients in a gauge, a name, an equation, natural units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from liescope.algebra.bracket import bracket_coefficients
from liescope.algebra.display import Shown, card, generator_html
from liescope.algebra.gauge import fix_gauge
from liescope.algebra.inner_product import domain_of
from liescope.algebra.matrices import flow_matrix
from liescope.algebra.names_of_generators import recognise
from liescope.algebra.recognition import Recognition
from liescope.errors import InputError
from liescope.geometry.bases import get_basis
from liescope.geometry.domain import Cloud, Domain
from liescope.geometry.fields import Basis
from liescope.geometry.flow import flow
from liescope.geometry.grid import DomainLike, Grid, as_domain

__all__ = ["Generator", "equation"]

_FULL_TURN = 360.0
"""In degrees, the natural unit of rotations."""


def equation(
    coefficients: Sequence[float] | np.ndarray,
    basis: str | Basis = "affine",
    digits: int = 2,
    sizes: Float[np.ndarray, " m"] | None = None,
) -> str:
    """The generator as text, scaled so that its largest coefficient is 1: ``-y d/dx + x d/dy``.

    Terms below ``10**-digits`` of the largest are left out: what is read is the field, not the noise on it. With the
    ``sizes`` of the fields, what counts is what a term moves, and shifts do not set the scale where others move.
    """
    basis = get_basis(basis)
    a = np.asarray(coefficients, dtype=float)
    if a.shape != (basis.dimension,):
        raise InputError(f"expected {basis.dimension} coefficients for basis {basis.name!r}, got shape {a.shape}")
    largest = np.abs(a).max()
    if not largest > 0:
        return "0"
    shares = np.abs(a) / largest
    if sizes is not None:
        shares = np.abs(a) * sizes / (np.abs(a) * sizes).max()
        others = np.array([not term.startswith("d/d") for term in basis.terms]) & (shares >= 10.0**-digits)
        largest = np.abs(a[others]).max() if others.any() else largest
        digits += 1
    least = 10.0 ** (-digits if sizes is None else 1 - digits)
    parts: list[str] = []
    for value, share, term in zip(a / largest, shares, basis.terms, strict=True):
        number = f"{abs(value):.{digits}g}" if share >= least else "0"
        if float(number) == 0:
            continue
        factor = "" if number == "1" else f"{number} "
        sign = "-" if value < 0 else "+"
        parts.append(f"{sign} {factor}{term}" if parts else f"{'-' if value < 0 else ''}{factor}{term}")
    return " ".join(parts)


@dataclass(frozen=True, eq=False)
class Generator:
    """The generator ``X = sum_k a_k b_k`` of a one-parameter group acting on images, or in any other domain.

    Parameters
    ----------
    coefficients : array, shape (m,)
        Any non-zero multiple of the coefficients: the gauge (unit norm, the sign rule of
        :func:`liescope.algebra.fix_gauge`) is applied here.
    basis : Basis or str
        The vector fields the coefficients refer to.
    domain : Domain or tuple of int
        Where the field lives, for the centre in pixels and for units: (height, width) of images, a longer or shorter
        shape for volumes and signals, or any domain. A basis that is given by name gets its number of coordinates.

    Notes
    -----
    Content moves along the arrows of the field: ``(exp(tX) I)(p) = I(phi_{-t}(p))``. A magnitude t in natural
    units is ``t * unit_per_t`` of ``unit``.
    """

    coefficients: np.ndarray
    basis: Basis
    domain: Domain

    def __init__(
        self,
        coefficients: Sequence[float] | np.ndarray,
        basis: str | Basis = "affine",
        domain: DomainLike = (28, 28),
    ) -> None:
        resolved = get_basis(basis, as_domain(domain).ndim)
        a = np.asarray(coefficients, dtype=np.float64)
        if a.shape != (resolved.dimension,):
            raise InputError(
                f"expected {resolved.dimension} coefficients for basis {resolved.name!r}, got shape {a.shape}"
            )
        object.__setattr__(self, "coefficients", fix_gauge(a, resolved))
        object.__setattr__(self, "basis", resolved)
        object.__setattr__(self, "domain", domain_of(domain, resolved))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the arrays that the generator acts on, (height, width) of images."""
        if not isinstance(self.domain, Grid):
            raise InputError(f"expected a generator on a grid, got one on {self.domain}, try its domain")
        return self.domain.shape

    @cached_property
    def recognition(self) -> Recognition:
        """Name, centre, natural unit and the drift / linear / quadratic parts."""
        return recognise(self.coefficients, self.basis, self.domain)

    @property
    def name(self) -> str:
        """``rotation``, ``scale``, ``translation-x``, ..., or ``general``."""
        return self.recognition.name

    @property
    def equation(self) -> str:
        """The field as text, largest coefficient scaled to 1, two digits, terms below one per cent left out.

        Where the points are given ones, in units of their own, three digits, and the per cent are of what terms move.
        """
        if not isinstance(self.domain, Cloud):
            return equation(self.coefficients, self.basis)
        fields = self.basis.fields(self.domain.points(dtype=torch.float64))
        sizes = fields.square().sum(dim=-1).mean(dim=0).sqrt().numpy()
        return equation(self.coefficients, self.basis, sizes=sizes)

    @property
    def unit(self) -> str:
        """Natural unit of the magnitude."""
        return self.recognition.unit

    @property
    def unit_per_t(self) -> float:
        """Natural units in one unit of t."""
        return self.recognition.unit_per_t

    @property
    def period(self) -> float | None:
        """The t of a full turn of a rotation, whose orbits are closed; None of any other flow."""
        return _FULL_TURN / abs(self.unit_per_t) if self.name == "rotation" else None

    @property
    def centre_px(self) -> tuple[float, ...] | None:
        """Fixed point (column, row, ...) in pixels of a rotation, scale, spiral or hyperbolic field, else None."""
        return self.recognition.centre_px

    def _tensor(self, like: Tensor) -> Tensor:
        return torch.as_tensor(self.coefficients, dtype=like.dtype, device=like.device)

    def field(self, points: Float[Tensor, "*b d"] | np.ndarray) -> Any:
        """The vectors (u, v, ...) of the field at points (x, y, ...), in normalised units; tensor in, tensor out."""
        tensor = torch.as_tensor(points)
        tensor = tensor if tensor.is_floating_point() else tensor.double()
        value = self.basis.velocity(tensor.reshape(-1, self.basis.ndim), self._tensor(tensor)).reshape(tensor.shape)
        return value if isinstance(points, Tensor) else value.numpy()

    def flow(self, points: Float[Tensor, "*b d"] | np.ndarray, t: float) -> Any:
        """Where the points are after time t along the field: phi_t(points); tensor in, tensor out."""
        tensor = torch.as_tensor(points)
        tensor = tensor if tensor.is_floating_point() else tensor.double()
        moved = flow(self.basis, self._tensor(tensor) * t, tensor.reshape(-1, self.basis.ndim)).reshape(tensor.shape)
        return moved if isinstance(points, Tensor) else moved.numpy()

    def matrix(self, t: float, convention: str = "field", shape: Sequence[int] | None = None) -> np.ndarray:
        """The flow after time t as a matrix, for affine generators: see :func:`liescope.algebra.flow_matrix`.

        Parameters
        ----------
        t : float
        convention : {"field", "pixels", "skimage", "opencv", "torch"}
            Homogeneous in normalised units or in pixels, or as that package takes it to warp an image.
        shape : (H, W), optional
            Of the images at hand.
        """
        return flow_matrix(t * self.coefficients, self.basis, self.domain, convention, shape)

    def bracket(self, other: Generator) -> np.ndarray:
        """Coefficients of the Lie bracket [X, Y] of the vector fields, in X's basis.

        Exact where the basis is closed under it (affine, conformal); otherwise the projection on the basis in L2
        over [-1, 1]^d.
        """
        if self.basis.terms != other.basis.terms:
            raise InputError(f"expected generators in one basis, got {self.basis.name!r} and {other.basis.name!r}")
        return bracket_coefficients(self.coefficients, other.coefficients, self.basis)

    def __repr__(self) -> str:
        return f"Generator({self.name}: {self.equation}, basis={self.basis.name!r})"

    def html(self, further: Mapping[str, str] | None = None) -> str:
        """Field, equation, name, centre and unit side by side, as markup; ``further`` rows come last."""
        return generator_html(
            Shown(
                self.equation,
                self.name,
                lambda points: np.asarray(self.field(points)),
                self.domain,
                self.centre_px,
                self.unit,
                self.unit_per_t,
                f"{self.basis.name} ({self.basis.dimension} fields)",
            ),
            further,
        )

    def _repr_html_(self) -> str:
        return card(self.html())
