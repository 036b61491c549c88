"""Weight-sharing schemes: which flows a network shares its weights along, and how far (the S of eq. 1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from liescope.algebra import CANONICAL_FIELDS, Generator, canonical_coefficients
from liescope.errors import InputError, suggest
from liescope.geometry import Grid
from liescope.result import SymmetryResult

__all__ = ["FAMILIES", "LEAST_GAIN", "NATS_PER_GENERATOR", "NONE", "REACHES", "Scheme", "as_scheme", "log_priors"]

NONE = "none"

LEAST_GAIN = 3.0
"""Nats over no sharing below which no scheme stands out: those of shuffled labels stay below 2."""

NATS_PER_GENERATOR = 3.0
"""By which a scheme is less probable a priori for each of its generators."""

REACHES = (0.5, 1.0, 2.0)
"""Shares of a scheme's reach that are tried beside the whole circle."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    NONE: (),
    "translation": ("translation-x", "translation-y"),
    "shear": ("shear-x",),
} | {name: (name,) for name in CANONICAL_FIELDS}
"""Schemes by name, and the canonical fields they are made of; joined by ``+`` they are products."""

_REACH = 0.25  # rms displacement over the image, normalised units: 3.5 pixels of 28
_CIRCLE, _SEGMENT, _MOST = 16, 13, 36  # copies along a closed orbit, an open one, a lattice
_LONGEST = 1e3


@dataclass(frozen=True, eq=False)
class Scheme:
    """A weight-sharing scheme: copies of an image along flows share the weights of one network.

    Parameters
    ----------
    name : str
    generators : sequence of Generator
        On the grid of the images, all in one basis. None: nothing is shared.
    reach : sequence of float
        For every generator, the largest magnitude of a copy, either way; half the period where its orbits are closed.
    copies : sequence of int
        For every generator, how many copies; their product is the size of the lattice.

    Raises
    ------
    InputError
        Lengths differ, a reach that is not finite and positive, or beyond the circle, fewer than 2 copies.

    Notes
    -----
    The copy at magnitudes t of several generators is moved by exp(t_1 X_1 + t_2 X_2 + ...), one warp whatever their
    number (canonical coordinates of the first kind).
    """

    name: str
    generators: tuple[Generator, ...] = ()
    reach: tuple[float, ...] = ()
    copies: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.generators) == len(self.reach) == len(self.copies):
            raise InputError(
                f"expected a reach and a number of copies for each of {len(self.generators)} generators, "
                f"got {len(self.reach)} and {len(self.copies)}"
            )
        for generator, reach, copies in zip(self.generators, self.reach, self.copies, strict=True):
            if not 0 < reach <= _LONGEST:
                raise InputError(f"expected a reach that is finite and above 0, got {reach:g} for {generator.name}")
            if reach > _farthest(generator) * (1 + 1e-9):
                raise InputError(
                    f"expected a reach of at most half a turn, 180 degrees, for {generator.name}, "
                    f"got {reach * abs(generator.unit_per_t):g}"
                )
            if copies < 2:
                raise InputError(f"expected at least 2 copies along a generator, got {copies}")
        if len({generator.basis.terms for generator in self.generators}) > 1:
            raise InputError("expected generators in one basis, got several")

    @classmethod
    def none(cls) -> Scheme:
        """Nothing is shared: a plain network."""
        return cls(NONE)

    @classmethod
    def of(
        cls,
        generators: Generator | Sequence[Generator],
        reach: float | Sequence[float] | None = None,
        copies: int | Sequence[int] | None = None,
        name: str | None = None,
    ) -> Scheme:
        """A scheme along generators.

        Parameters
        ----------
        reach : float or sequence, optional
            Default: the whole orbit where it is closed, else what moves pixels by an eighth of the image (rms).
        copies : int or sequence, optional
            Default 16 along a closed orbit, 13 along an open one, and at most 36 in all.
        """
        each = (generators,) if isinstance(generators, Generator) else tuple(generators)
        if not each:
            raise InputError("expected at least one generator, got none, try Scheme.none()")
        far = [_default_reach(one) for one in each] if reach is None else np.broadcast_to(reach, len(each)).tolist()
        if copies is None:
            most = max(2, math.floor(_MOST ** (1 / len(each)) + 1e-9))
            copies = [
                (_CIRCLE if _is_circle(one, r) else _SEGMENT) if len(each) == 1 else most
                for one, r in zip(each, far, strict=True)
            ]
        counts = np.broadcast_to(copies, len(each)).tolist()
        return cls(name or "+".join(one.name for one in each), each, tuple(map(float, far)), tuple(map(int, counts)))

    @classmethod
    def named(cls, name: str, shape: tuple[int, int], reach: float | None = None) -> Scheme:
        """A scheme by name: one of :data:`FAMILIES`, or several joined by ``+``.

        Parameters
        ----------
        shape : (int, int)
            Height and width of the images.
        """
        fields: list[str] = []
        for part in name.split("+"):
            if part not in FAMILIES:
                raise InputError(f"unknown scheme {part!r}.{suggest(part, FAMILIES)}")
            fields += FAMILIES[part]
        if not fields:
            return cls.none()
        # Quadratic fields only where they are asked for: affine flows have a closed form.
        basis = (
            "affine" if all(canonical_coefficients(field, "affine") is not None for field in fields) else "quadratic"
        )
        generators = []
        for field in fields:
            coefficients = canonical_coefficients(field, basis)
            assert coefficients is not None
            generators.append(Generator(coefficients, basis, shape))
        return cls.of(generators, reach, name=name)

    @classmethod
    def from_result(cls, result: SymmetryResult, reach: float | Sequence[float] | None = None) -> Scheme:
        """The scheme of what a detection found, as far as twice the magnitudes that it saw.

        Networks are to be invariant to the *relative* magnitude of two images, whose range is twice as wide. What was
        learnt from labels (:func:`liescope.type2.learn_scheme`) has a reach of its own, which is taken as it is.

        Raises
        ------
        InputError
            No symmetry was found.
        """
        if result.verdict != "symmetry" or not result.generators:
            raise InputError(f"expected a result with a symmetry, got the verdict {result.verdict!r}")
        if result.reach is None and not result.t.size:
            raise InputError(f"expected a result of pairs of images, got one about a {result.kind}")
        generators = [found.generator for found in result.generators]
        if reach is None and result.reach is not None:
            reach = result.reach.tolist()
        if reach is None:
            seen = np.abs(result.t[result.accepted]).max(axis=0)
            reach = [min(2 * far, _LONGEST, _farthest(one)) for one, far in zip(generators, seen, strict=True)]
        return cls.of(generators, reach)

    @property
    def periodic(self) -> tuple[bool, ...]:
        """For every generator, whether its copies go once around a closed orbit."""
        return tuple(_is_circle(*pair) for pair in zip(self.generators, self.reach, strict=True))

    @property
    def size(self) -> int:
        """Copies in all."""
        return math.prod(self.copies)

    @property
    def steps(self) -> np.ndarray:
        """Distance of neighbouring copies for every generator, shape (K,)."""
        closed = zip(self.reach, self.copies, self.periodic, strict=True)
        return np.array([2 * reach / (copies if circle else copies - 1) for reach, copies, circle in closed])

    @property
    def t(self) -> np.ndarray:
        """Magnitudes of the copies, shape (J, K)."""
        axes = [
            -reach + step * np.arange(copies)
            for reach, step, copies in zip(self.reach, self.steps, self.copies, strict=True)
        ]
        if not axes:
            return np.zeros((1, 0))
        return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)

    @property
    def directions(self) -> np.ndarray:
        """Coefficients of the generators, shape (K, m)."""
        return np.stack([generator.coefficients for generator in self.generators])

    @property
    def grid(self) -> Grid | None:
        """Of the images; None where nothing is shared, and images of any shape will do."""
        return Grid.of(*self.generators[0].shape) if self.generators else None

    def reaching(self, factor: float) -> Scheme:
        """The same with every reach times a factor, at most once around closed orbits."""
        reach = tuple(min(far * factor, _farthest(one)) for far, one in zip(self.reach, self.generators, strict=True))
        return replace(self, reach=reach, copies=Scheme.of(self.generators, reach).copies) if reach else self

    def told(self) -> str:
        """The reach in natural units: ``rotation by up to 180 degrees``."""
        if not self.generators:
            return "no sharing"
        parts = []
        for one, reach, circle in zip(self.generators, self.reach, self.periodic, strict=True):
            amount = reach * abs(one.unit_per_t)
            unit = {"degree": " degrees", "pixel": " pixels", "plain": ""}.get(one.unit, f" {one.unit}")
            parts.append(f"{one.name}, full circle" if circle else f"{one.name} by up to {amount:.3g}{unit}")
        return " and ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, from which :meth:`from_dict` makes the scheme again."""
        return {
            "name": self.name,
            "basis": self.generators[0].basis.name if self.generators else None,
            "shape": list(self.generators[0].shape) if self.generators else None,
            "coefficients": self.directions.tolist() if self.generators else [],
            "reach": list(self.reach),
            "copies": list(self.copies),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scheme:
        """The scheme that :meth:`as_dict` wrote."""
        generators = tuple(Generator(row, data["basis"], tuple(data["shape"])) for row in data["coefficients"])
        return cls(str(data["name"]), generators, tuple(data["reach"]), tuple(data["copies"]))


def as_scheme(asked: Scheme | str | SymmetryResult | Generator, shape: tuple[int, int]) -> Scheme:
    """A scheme from whatever names one: itself, a name, a generator, the result of a detection."""
    if isinstance(asked, str):
        return Scheme.named(asked, shape)
    if isinstance(asked, Generator):
        scheme = Scheme.of(asked)
    else:
        scheme = Scheme.from_result(asked) if isinstance(asked, SymmetryResult) else asked
    if scheme.grid is not None and scheme.grid.shape != shape:
        raise InputError(f"expected a scheme for images of {shape}, got {scheme.name} for {scheme.grid.shape}")
    return scheme


def log_priors(schemes: Sequence[Scheme]) -> np.ndarray:
    """Log p(S): 3 nats less for every generator, shared among schemes with as many of them (eq. 1)."""
    counts = np.array([len(scheme.generators) for scheme in schemes])
    alike = np.array([(counts == count).sum() for count in counts])
    prior = -NATS_PER_GENERATOR * counts - np.log(alike)
    return np.asarray(prior - np.logaddexp.reduce(prior))


def _farthest(generator: Generator) -> float:
    """Half the period where orbits are closed: beyond it nothing is new."""
    return math.inf if generator.period is None else generator.period / 2


def _default_reach(generator: Generator) -> float:
    if generator.period is not None:
        return _farthest(generator)
    points = Grid.of(*generator.shape).points().double().numpy()
    return float(_REACH / np.sqrt((generator.field(points) ** 2).sum(axis=1).mean()))


def _is_circle(generator: Generator, reach: float) -> bool:
    return math.isclose(reach, _farthest(generator))
