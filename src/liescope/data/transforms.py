"""Canonical one-parameter groups of the plane: exact flows, coefficients and natural units.

Conventions. Points (x, y) are in normalised coordinates: x right, y up, origin at the image centre, the
longest side of the image spans [-1, 1]. A transform is the flow ``phi_tau`` of a field ``c . basis``; ``tau``
is its *field parameter*. Content moves along the field's arrows, ``(exp(tau X) I)(p) = I(phi_{-tau}(p))``, so
that positive rotation is counter-clockwise as seen. Coefficients are ordered [u..., v...] over the monomials
1, x, y (basis ``affine``), 1, x, y, x^2, xy, y^2 (basis ``quadratic``), and so on by total degree.

Three numbers measure the same amount of motion: what people read (degrees, pixels, log-factor, plain), the
field parameter ``tau``, and ``t`` of the unit-norm generator, ``t = tau |c|``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from liescope.data.flows import affine_flow, polynomial_flow, special_conformal_flow
from liescope.data.frame import Frame
from liescope.errors import InputError, quoted, suggest

__all__ = ["TRANSFORMS", "Transform", "canonical_transform", "parse_transforms", "user_transform"]

Flow = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Transform:
    """A one-parameter group bound to an image frame.

    Parameters
    ----------
    name : str
        Its name in files and on the command line.
    basis : str
        ``affine``, ``quadratic``, or ``polynomial-d`` for higher degrees d.
    coefficients : tuple of float, length m
        The field whose flow is ``flow``, not normalised.
    unit : str
        Natural unit: ``degree``, ``log-factor``, ``pixel`` or ``plain``.
    parameter_per_unit : float
        Field parameter tau of one natural unit.
    flow : callable
        ``flow(points, tau)``: points (n, 2) or (k, n, 2) and tau (k,) to phi_tau(points), shape (k, n, 2).

    Notes
    -----
    Laws: ``flow(p, 0) = p``; ``flow(flow(p, a), b) = flow(p, a + b)``; d/dtau flow(p, tau) at 0 is the field
    at p.
    """

    name: str
    basis: str
    coefficients: tuple[float, ...]
    unit: str
    parameter_per_unit: float
    flow: Flow

    @property
    def norm(self) -> float:
        """Euclidean norm ``|c|`` of the coefficients."""
        return float(np.linalg.norm(self.coefficients))

    @property
    def unit_coefficients(self) -> Float[np.ndarray, " m"]:
        """Coefficients of the unit-norm generator."""
        unit: np.ndarray = np.asarray(self.coefficients, dtype=np.float64) / self.norm
        return unit

    @property
    def unit_per_t(self) -> float:
        """Natural units of one unit of t: 180 / (pi sqrt 2) = 40.514 degrees for a centred rotation."""
        return 1.0 / (self.parameter_per_unit * self.norm)

    @property
    def degree(self) -> int:
        """Total degree of the polynomial field."""
        return _degree_of(len(self.coefficients))


Linear = Callable[[np.ndarray], np.ndarray]


def _matrix(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Stack of [[a, b], [c, d]], shape (k, 2, 2)."""
    return np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], -2)


def _rotation(tau: np.ndarray) -> np.ndarray:
    return _matrix(np.cos(tau), -np.sin(tau), np.sin(tau), np.cos(tau))


def _diagonal(p: float, q: float) -> Linear:
    return lambda tau: _matrix(np.exp(p * tau), 0 * tau, 0 * tau, np.exp(q * tau))


def _spiral(tau: np.ndarray) -> np.ndarray:
    grown: np.ndarray = np.exp(SPIRAL_GROWTH * tau)[:, None, None] * _rotation(tau)
    return grown


_SMALLEST = 1e-100
"""Of the largest coefficient of a generator: squares of what is smaller are 0."""

SPIRAL_GROWTH = 0.5
"""Log-factor of the spiral per radian of its rotation."""

# Linear part (a, b, c, d) of the field (a x + b y) d/dx + (c x + d y) d/dy, its exponential, and its unit.
_LINEAR: Mapping[str, tuple[tuple[float, float, float, float], Linear, str]] = {
    "rotation": ((0.0, -1.0, 1.0, 0.0), _rotation, "degree"),
    "scale": ((1.0, 0.0, 0.0, 1.0), _diagonal(1.0, 1.0), "log-factor"),
    "scale-x": ((1.0, 0.0, 0.0, 0.0), _diagonal(1.0, 0.0), "log-factor"),
    "scale-y": ((0.0, 0.0, 0.0, 1.0), _diagonal(0.0, 1.0), "log-factor"),
    "shear-x": ((0.0, 1.0, 0.0, 0.0), lambda t: _matrix(1 + 0 * t, t, 0 * t, 1 + 0 * t), "plain"),
    "shear-y": ((0.0, 0.0, 1.0, 0.0), lambda t: _matrix(1 + 0 * t, 0 * t, t, 1 + 0 * t), "plain"),
    "hyperbolic": ((1.0, 0.0, 0.0, -1.0), _diagonal(1.0, -1.0), "plain"),
    "hyperbolic-diagonal": (
        (0.0, 1.0, 1.0, 0.0),
        lambda t: _matrix(np.cosh(t), np.sinh(t), np.sinh(t), np.cosh(t)),
        "plain",
    ),
    "spiral": ((SPIRAL_GROWTH, -1.0, 1.0, SPIRAL_GROWTH), _spiral, "degree"),
}
_TRANSLATION: Mapping[str, tuple[float, float]] = {"translation-x": (1.0, 0.0), "translation-y": (0.0, 1.0)}
_SPECIAL_CONFORMAL: Mapping[str, tuple[tuple[float, ...], complex]] = {
    "sct-x": ((0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0), 1 + 0j),
    "sct-y": ((0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0), -1j),
}

TRANSFORMS: Mapping[str, float] = {
    "rotation": 45.0,
    "scale": 0.4,
    "scale-x": 0.4,
    "scale-y": 0.4,
    "translation-x": 5.0,
    "translation-y": 5.0,
    "shear-x": 0.5,
    "shear-y": 0.5,
    "hyperbolic": 0.4,
    "hyperbolic-diagonal": 0.4,
    "spiral": 45.0,
    "sct-x": 0.4,
    "sct-y": 0.4,
}
"""Names of the canonical groups and the default half-width of their magnitudes in natural units."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "translation": ("translation-x", "translation-y"),
    "anisotropic-scale": ("scale-x", "scale-y"),
    "euclidean": ("rotation", "translation-x", "translation-y"),
    "similarity": ("rotation", "scale", "translation-x", "translation-y"),
}
"""Shorthands for compositions; ``euclidean`` is the three-parameter group SE(2), ``similarity`` Sim(2)."""


def canonical_transform(name: str, frame: Frame, centre: Sequence[float] | None = None) -> Transform:
    """The canonical group of that name on images of a frame.

    Parameters
    ----------
    name : str
        One of ``TRANSFORMS``.
    frame : Frame
        Gives the size of a pixel and the place of the centre.
    centre : (column, row), optional
        Fixed point in pixels of the final image, real-valued, (0, 0) at the top left pixel's centre; default
        the true image centre. It adds a drift to the coefficients. Translations have none; SCTs take none.

    Raises
    ------
    InputError
        Unknown name (with did-you-mean), or a centre for a special conformal transform.
    """
    if name in _TRANSLATION:
        u, v = _TRANSLATION[name]
        flow = affine_flow(lambda tau: np.broadcast_to(np.eye(2), (len(tau), 2, 2)), velocity=(u, v))
        return Transform(name, "affine", (u, 0.0, 0.0, v, 0.0, 0.0), "pixel", 1.0 / frame.pixels_per_unit, flow)
    if name in _SPECIAL_CONFORMAL:
        if centre is not None:
            raise InputError(f"expected no centre for {name}, got {tuple(centre)}, try rotation, scale or spiral")
        coefficients, direction = _SPECIAL_CONFORMAL[name]
        return Transform(name, "quadratic", coefficients, "plain", 1.0, special_conformal_flow(direction))
    if name not in _LINEAR:
        raise InputError(f"unknown transform {name!r}.{suggest(name, [*TRANSFORMS, *ALIASES])}")
    (a, b, c, d), exponential, unit = _LINEAR[name]
    cx, cy = (0.0, 0.0) if centre is None else frame.from_pixels(centre)
    # The field M (p - centre) has the drift -M centre.
    # Adding zero turns -0.0 into 0.0.
    coefficients = (0.0 - (a * cx + b * cy), a, b, 0.0 - (c * cx + d * cy), c, d)
    per_unit = np.pi / 180 if unit == "degree" else 1.0
    return Transform(name, "affine", coefficients, unit, per_unit, affine_flow(exponential, centre=(cx, cy)))


def user_transform(coefficients: Sequence[float] | np.ndarray, name: str = "generator") -> Transform:
    """The group of any polynomial field, by its coefficients.

    Parameters
    ----------
    coefficients : sequence of float
        6 (affine), 12 (quadratic), 20 (cubic), ... numbers, [u..., v...] over the monomials by total degree.
        Magnitudes are then "plain": the field parameter of the coefficients as given.

    Raises
    ------
    InputError
        Wrong count, non-finite or all-zero coefficients.
    """
    values = tuple(float(c) for c in np.ravel(coefficients))
    degree = _degree_of(len(values))
    if not np.all(np.isfinite(values)) or not np.any(values):
        raise InputError(f"expected finite, not all zero generator coefficients, got {quoted(list(values), 200)}")
    if not _SMALLEST <= max(abs(value) for value in values) <= 1 / _SMALLEST:
        got = quoted(list(values), 200)
        raise InputError(f"expected generator coefficients between {_SMALLEST:g} and {1 / _SMALLEST:g}, got {got}")
    basis = {1: "affine", 2: "quadratic"}.get(degree, f"polynomial-{degree}")
    return Transform(name, basis, values, "plain", 1.0, polynomial_flow(np.reshape(values, (2, -1)), degree))


def _degree_of(count: int) -> int:
    for degree in range(1, 9):
        if count == (degree + 1) * (degree + 2):
            return degree
    raise InputError(f"expected 6 (affine), 12 (quadratic) or 20 (cubic) generator coefficients, got {count}")


def parse_transforms(
    transform: str | Transform | Sequence[str | Transform],
    frame: Frame,
    centre: Sequence[float] | None = None,
) -> tuple[Transform, ...]:
    """The transforms of a composition, in the order in which they are applied (left to right).

    ``"rotation+scale"`` rotates first. ``"generator:0,0,-1,0,1,0"`` gives a field by its coefficients;
    ``translation``, ``anisotropic-scale``, ``euclidean`` and ``similarity`` are shorthands (see ``ALIASES``).
    """
    items = [transform] if isinstance(transform, str | Transform) else list(transform)
    parts: list[str | Transform] = []
    for item in items:
        # A plus sign joins transforms only before a name: "1e+3" inside coefficients stays whole.
        names = re.split(r"\+(?=[A-Za-z])", item.replace(" ", "")) if isinstance(item, str) else [item]
        for name in names:
            parts.extend(ALIASES.get(name, (name,)) if isinstance(name, str) else (name,))
    if not parts:
        raise InputError("expected at least one transform, got none, try 'rotation'")
    bound = tuple(p if isinstance(p, Transform) else _bind(p, frame, centre) for p in parts)
    if centre is not None and not any(t.name in _LINEAR for t in bound):
        raise InputError(f"expected no centre for {'+'.join(t.name for t in bound)}, try rotation, scale or spiral")
    return bound


def _bind(name: str, frame: Frame, centre: Sequence[float] | None) -> Transform:
    if name.startswith("generator:"):
        try:
            coefficients = [float(c) for c in name.removeprefix("generator:").split(",")]
        except ValueError:
            raise InputError(f"expected numbers in {name!r}, try 'generator:0,0,-1,0,1,0' for a rotation") from None
        return user_transform(coefficients, name)
    return canonical_transform(name, frame, None if name in _SPECIAL_CONFORMAL else centre)
