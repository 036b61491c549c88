"""Magnitudes to transform by: drawn from those that were found, or from a law of your own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from liescope.data.laws import parse_laws
from liescope.data.magnitudes import Law
from liescope.errors import InputError
from liescope.handover.transformation import Transformation

__all__ = ["LawLike", "Magnitudes", "numpy_generator"]

LawLike = str | float | Law | Sequence[str | float | Law] | np.ndarray | None
"""A law of t as people give it: text, a number, a law, one of these for each generator, or values."""

_SEEDS = 1 << 62


class Magnitudes:
    """Where t is drawn from.

    Parameters
    ----------
    transformation : Transformation
    law : str, float, Law, sequence of these, or array, optional
        In natural units (degrees, pixels of the images that were learnt from, log-factor): one law for all
        generators or one for each, or values of shape (n,) or (n, K). By default the magnitudes of the accepted
        pairs, drawn with replacement, those of one pair together.
    range : float or sequence of K floats, optional
        Half-width R of laws that do not state their own numbers; alone, uniform on [-R, R].

    Raises
    ------
    InputError
        An unknown law, another number of laws or ranges than generators, a law that needs a range and has none, or no
        magnitudes to draw from.
    """

    def __init__(
        self, transformation: Transformation, law: LawLike = None, range: float | Sequence[float] | None = None
    ) -> None:
        units = transformation.units_per_t
        self._units = units
        self._rows: np.ndarray | None = None
        self._laws: tuple[Law, ...] = ()
        if law is None and range is None:
            if transformation.t is None:
                raise InputError("expected magnitudes of accepted pairs to draw t from, got none, try range=")
            self._rows = transformation.t
        elif isinstance(law, np.ndarray):
            self._rows = _values(law, len(units)) / units
        else:
            self._laws = _laws("uniform" if law is None else law, range, len(units))

    def draw(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, "n k"]:
        """Independent t in units of the unit-norm generators."""
        if self._rows is not None:
            drawn: np.ndarray = self._rows[rng.integers(len(self._rows), size=count)]
        else:
            drawn = np.stack([law.sample(rng, count) for law in self._laws], axis=1) / self._units
        return drawn

    def __repr__(self) -> str:
        if self._rows is not None:
            return f"{len(self._rows)} magnitudes"
        return "+".join(law.text for law in self._laws)


def _values(values: np.ndarray, size: int) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    array = array[:, None] if array.ndim == 1 and size == 1 else array
    if array.ndim != 2 or array.shape[1] != size or not len(array) or not np.isfinite(array).all():
        raise InputError(f"expected finite magnitudes of shape (n, {size}), got shape {np.shape(values)}")
    return array


def _laws(law: Any, range: float | Sequence[float] | None, size: int) -> tuple[Law, ...]:
    if range is None:
        # Laws that state their own numbers are the same whatever the range.
        laws, others = parse_laws(law, [1.0] * size), parse_laws(law, [2.0] * size)
        if laws != others:
            raise InputError(f"expected a range beside the law {law!r}, got none, try range=30")
        return laws
    half_widths = [float(one) for one in np.atleast_1d(np.asarray(range, dtype=np.float64))]
    half_widths = half_widths * size if len(half_widths) == 1 else half_widths
    if len(half_widths) != size or not all(np.isfinite(half_widths)) or min(half_widths) < 0:
        raise InputError(f"expected a finite range of at least 0 for each of {size} generators, got {range}")
    return parse_laws(law, half_widths)


def numpy_generator(generator: torch.Generator | None = None) -> np.random.Generator:
    """NumPy's generator, seeded by torch's: what follows ``torch.manual_seed``, and differs between loader workers."""
    return np.random.default_rng(int(torch.randint(_SEEDS, (), generator=generator)))
