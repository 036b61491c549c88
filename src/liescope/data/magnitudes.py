"""Laws of the magnitude t over a data set, in natural units (degrees, pixels, log-factor, plain).

``half_width`` R is the one number that people give: ``uniform`` fills [-R, R]; ``normal`` has standard
deviation R/2 and is cut at two of them, so that it too stays in [-R, R]; ``categorical`` puts equally spaced
modes on [-R, R], both ends included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special

from liescope.errors import InputError

__all__ = [
    "Categorical",
    "Fixed",
    "Law",
    "Mixture",
    "Normal",
    "Samples",
    "Uniform",
    "VonMises",
    "equally_spaced",
]


SAMPLES_IN_TEXT = 32
"""More user samples than this are counted, not listed, in the text of their law."""


class Law(ABC):
    """A law of one magnitude. ``text`` is what the command line reads and files keep."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, " n"]:
        """Independent magnitudes in natural units."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The law as text that :func:`liescope.data.laws.parse_law` reads back; many samples are counted."""


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _finite(what: str, *values: float) -> None:
    if not all(np.isfinite(v) for v in values):
        raise InputError(f"expected finite numbers for {what}, got {', '.join(str(v) for v in values)}")


def _weights(weights: Sequence[float], count: int, what: str) -> tuple[float, ...]:
    """Probabilities that add up to one; equal ones where none are given."""
    if len(weights) == 0:
        return (1.0 / count,) * count
    values = np.asarray(weights, dtype=np.float64)
    if len(values) != count:
        raise InputError(f"expected one weight for each of the {count} {what}, got {len(values)}")
    if not np.all(np.isfinite(values)) or np.any(values < 0) or values.sum() == 0:
        raise InputError(f"expected weights >= 0 with a positive sum for {what}, got {[float(v) for v in values]}")
    return tuple(float(v) for v in values / values.sum())


@dataclass(frozen=True)
class Uniform(Law):
    """Uniform on [low, high]."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _finite("a uniform law", self.low, self.high)
        _finite("the width of a uniform law", float(self.high) - float(self.low))
        if self.low > self.high:
            raise InputError(f"expected low <= high for a uniform law, got {self.low} and {self.high}")

    def sample(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, " n"]:
        return rng.uniform(self.low, self.high, count)

    @property
    def text(self) -> str:
        return f"uniform:{_number(self.low)},{_number(self.high)}"


@dataclass(frozen=True)
class Normal(Law):
    """Normal with mean and standard deviation sigma, cut at ``mean +- cut sigma``."""

    mean: float
    sigma: float
    cut: float = 2.0

    def __post_init__(self) -> None:
        _finite("a normal law", self.mean, self.sigma)
        if self.sigma < 0:
            raise InputError(f"expected a standard deviation >= 0 for a normal law, got {self.sigma}")
        if not self.cut > 0:
            raise InputError(f"expected a positive cut for a normal law, got {self.cut}")

    def sample(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, " n"]:
        # By inversion: the same number of draws whatever the cut, so streams stay aligned between settings.
        tail = special.ndtr(-self.cut)
        quantile = special.ndtri(rng.uniform(tail, 1 - tail, count))
        draws: np.ndarray = self.mean + self.sigma * np.clip(quantile, -self.cut, self.cut)
        return draws

    @property
    def text(self) -> str:
        return f"normal:{_number(self.mean)},{_number(self.sigma)}" + (
            "" if self.cut == 2.0 else f",{_number(self.cut)}"
        )


@dataclass(frozen=True)
class Categorical(Law):
    """A few modes with weights (equal by default)."""

    modes: tuple[float, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.modes) == 0:
            raise InputError("expected at least one mode for a categorical law, got none, try categorical:-45,45")
        _finite("the modes of a categorical law", *self.modes)
        object.__setattr__(self, "modes", tuple(float(m) for m in self.modes))
        object.__setattr__(self, "weights", _weights(self.weights, len(self.modes), "modes"))

    def sample(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, " n"]:
        return rng.choice(np.asarray(self.modes), size=count, p=self.weights)

    @property
    def text(self) -> str:
        equal = len(set(self.weights)) == 1
        pieces = [
            _number(m) if equal else f"{_number(m)}@{_number(w)}" for m, w in zip(self.modes, self.weights, strict=True)
        ]
        return "categorical:" + ",".join(pieces)


@dataclass(frozen=True)
class VonMises(Law):
    """The normal law of the circle, with the circle laid on [-half_turn, half_turn].

    For rotations take ``half_turn = 180``. ``concentration`` 0 is uniform, large is narrow (its inverse is
    the variance in radians squared).
    """

    concentration: float = 2.0
    mean: float = 0.0
    half_turn: float = 180.0

    def __post_init__(self) -> None:
        _finite("a von Mises law", self.concentration, self.mean, self.half_turn)
        if self.concentration < 0 or self.half_turn <= 0:
            raise InputError(
                "expected concentration >= 0 and a positive half-turn for a von Mises law, "
                f"got {self.concentration} and {self.half_turn}"
            )

    def sample(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, " n"]:
        scale = self.half_turn / np.pi
        return rng.vonmises(self.mean / scale, self.concentration, count) * scale

    @property
    def text(self) -> str:
        return f"von-mises:{_number(self.concentration)},{_number(self.mean)},{_number(self.half_turn)}"


@dataclass(frozen=True)
class Fixed(Law):
    """The same magnitude for every pair."""

    value: float

    def __post_init__(self) -> None:
        _finite("a fixed law", self.value)

    def sample(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, " n"]:
        return np.full(count, float(self.value))

    @property
    def text(self) -> str:
        return f"fixed:{_number(self.value)}"


@dataclass(frozen=True)
class Mixture(Law):
    """One of several laws for each pair, chosen with weights (equal by default)."""

    laws: tuple[Law, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.laws) == 0:
            raise InputError("expected at least one law in a mixture, got none")
        object.__setattr__(self, "weights", _weights(self.weights, len(self.laws), "laws"))

    def sample(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, " n"]:
        chosen = rng.choice(len(self.laws), size=count, p=self.weights)
        draws = np.stack([law.sample(rng, count) for law in self.laws])
        return draws[chosen, np.arange(count)]

    @property
    def text(self) -> str:
        parts = zip(self.laws, self.weights, strict=True)
        return "mixture:" + "|".join(f"{law.text}@{_number(w)}" for law, w in parts)


@dataclass(frozen=True)
class Samples(Law):
    """Magnitudes drawn, with replacement, from the user's own."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.values) == 0:
            raise InputError("expected at least one sample of t, got none")
        _finite("the samples of t", *self.values)

    def sample(self, rng: np.random.Generator, count: int) -> Float[np.ndarray, " n"]:
        return rng.choice(np.asarray(self.values, dtype=np.float64), size=count)

    @property
    def text(self) -> str:
        if len(self.values) > SAMPLES_IN_TEXT:
            low, high = min(self.values), max(self.values)
            return f"samples ({len(self.values)} values from {low:.4g} to {high:.4g})"
        return "samples:" + ",".join(_number(v) for v in self.values)


def equally_spaced(count: int, half_width: float) -> Categorical:
    """``count`` modes from -half_width to half_width, both included."""
    if count < 1:
        raise InputError(f"expected at least one mode, got {count}")
    return Categorical(tuple(float(m) for m in np.linspace(-half_width, half_width, count)))
