"""What an answer is made of: generators with their uncertainty, and a few pairs kept for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from liescope.algebra import Generator
from liescope.algebra.display import card
from liescope.answer.numbers import angle_bound
from liescope.geometry import Basis

__all__ = ["DetectedGenerator", "Samples"]


@dataclass(frozen=True, eq=False)
class Samples:
    """A few pairs kept for the page: their place in the data and images of shape (S, C, H, W), float32."""

    index: np.ndarray
    source: np.ndarray
    target: np.ndarray
    transported: np.ndarray


@dataclass(frozen=True, eq=False)
class DetectedGenerator:
    """A generator with its uncertainty; what the generator says of itself is here too.

    Parameters
    ----------
    generator : Generator
    direction_error_deg : float
        Angle between the true direction and the found one that the data allow, in degrees.
    interval : array, shape (m, 2)
        Lower and upper bound of every coefficient (95 %).
    defect : float, optional
        What is left over of the terms that a symmetry cancels: 0 of an exact one, about 1 where nothing cancels.
    defect_interval : (float, float), optional
        95 % interval of the defect.
    tier : {"exact", "approximate"}, optional
        Whether noise alone explains the defect.
    """

    generator: Generator
    direction_error_deg: float
    interval: np.ndarray
    defect: float | None = None
    defect_interval: tuple[float, float] | None = None
    tier: str | None = None

    @property
    def coefficients(self) -> np.ndarray:
        """Coefficients of unit norm in the documented gauge, shape (m,)."""
        return self.generator.coefficients

    @property
    def basis(self) -> Basis:
        """What the coefficients refer to."""
        return self.generator.basis

    @property
    def name(self) -> str:
        """``rotation``, ``scale``, ``translation-x``, ..., or ``general``."""
        return self.generator.name

    @property
    def equation(self) -> str:
        """The field as text: ``-y d/dx + x d/dy``."""
        return self.generator.equation

    @property
    def unit(self) -> str:
        """Natural unit of the magnitude."""
        return self.generator.unit

    @property
    def unit_per_t(self) -> float:
        """Natural units in one unit of t."""
        return self.generator.unit_per_t

    @property
    def centre_px(self) -> tuple[float, ...] | None:
        """Fixed point (column, row) in pixels, where the field has one."""
        return self.generator.centre_px

    @property
    def period(self) -> float | None:
        """The t of a full turn of a rotation; None of any other flow."""
        return self.generator.period

    def field(self, points: Any) -> Any:
        """As :meth:`liescope.Generator.field`."""
        return self.generator.field(points)

    def flow(self, points: Any, t: float) -> Any:
        """As :meth:`liescope.Generator.flow`."""
        return self.generator.flow(points, t)

    def matrix(self, t: float, convention: str = "field", shape: Sequence[int] | None = None) -> np.ndarray:
        """As :meth:`liescope.Generator.matrix`."""
        return self.generator.matrix(t, convention, shape)

    def bracket(self, other: Generator | DetectedGenerator) -> np.ndarray:
        """As :meth:`liescope.Generator.bracket`."""
        return self.generator.bracket(other.generator if isinstance(other, DetectedGenerator) else other)

    def to_dict(self) -> dict[str, Any]:
        """The generator as ``result.json`` keeps it."""
        g = self.generator
        return {
            "coefficients": g.coefficients,
            "name": g.name,
            "equation": g.equation,
            "direction_error_deg": self.direction_error_deg,
            "interval": self.interval,
            "centre_px": g.centre_px,
            "unit": g.unit,
            "unit_per_t": g.unit_per_t,
        } | self._defects()

    def _defects(self) -> dict[str, Any]:
        if self.tier is None:
            return {}
        return {"defect": self.defect, "defect_interval": self.defect_interval, "tier": self.tier}

    def _repr_html_(self) -> str:
        return card(self.html())

    def html(self, further: Mapping[str, str] | None = None) -> str:
        """The generator with its uncertainty, for a notebook; ``further`` rows come before that."""
        uncertainty = {"direction": f"uncertain by {angle_bound(self.direction_error_deg)} degrees"}
        return self.generator.html(dict(further or {}) | uncertainty)
