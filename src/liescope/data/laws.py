"""Text of laws of t: what ``--law`` reads and what files keep."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from liescope.data.archives import read_npy
from liescope.data.guard import quoted, reading
from liescope.data.magnitudes import (
    Categorical,
    Fixed,
    Law,
    Mixture,
    Normal,
    Samples,
    Uniform,
    VonMises,
    equally_spaced,
)
from liescope.errors import InputError, suggest

__all__ = ["LAWS", "parse_law", "parse_laws"]

LAWS: Mapping[str, str] = {
    "uniform": "uniform on [-R, R]; uniform:LOW,HIGH",
    "normal": "standard deviation R/2, cut at two of them; normal:MEAN,SIGMA",
    "categorical": "five equally spaced modes; categorical:-90,0,90, with weights categorical:-90@1,0@2,90@1",
    "two-modal": "modes -R and R; likewise three-, four-, five-modal, 7-modal",
    "mixture": "two normals at -R/2 and R/2; mixture:normal:-30,5@1|fixed:30@2",
    "von-mises": "normal law of the circle; von-mises:CONCENTRATION,MEAN,HALF_TURN",
    "fixed": "always R; fixed:VALUE",
    "samples": "drawn from your own values; samples:1,2,3 or samples:FILE (.npy, or text)",
}
"""Law names and how they are written; R is the half-width given with ``--range``."""

DEFAULT_MODES = 5
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}


def parse_law(law: str | float | Law | Sequence[float] | np.ndarray, half_width: float) -> Law:
    """The law that a text, a number, a law or an array of samples stands for.

    Parameters
    ----------
    law : str, float, Law or array
        Text as in ``LAWS``; a number is a fixed magnitude; an array holds samples.
    half_width : float
        R, in natural units. Laws that state their own numbers do not use it.

    Raises
    ------
    InputError
        Unknown name (with did-you-mean), wrong or missing numbers, negative weights.
    """
    if isinstance(law, Law):
        return law
    if isinstance(law, int | float):
        return Fixed(float(law))
    if not isinstance(law, str):
        return Samples(tuple(float(v) for v in np.ravel(law)))
    if not (np.isfinite(half_width) and half_width >= 0):
        raise InputError(f"expected a finite range >= 0, got {half_width}, try 45 for a rotation in degrees")
    name, _, arguments = law.strip().partition(":")
    modal = re.fullmatch(r"([a-z]+|[0-9]{1,6})-modal", name)
    if modal and (modal[1] in _COUNTS or modal[1].isdigit()):
        return equally_spaced(_COUNTS.get(modal[1]) or int(modal[1]), half_width)
    if name not in _BUILDERS:
        raise InputError(f"unknown law {quoted(name)}.{suggest(name, LAWS)}")
    return _BUILDERS[name](arguments, float(half_width))


def parse_laws(law: str | float | Law | Sequence[str | float | Law], half_widths: Sequence[float]) -> tuple[Law, ...]:
    """One law per transform: one for all, or several as a list or joined by ``+``."""
    items: list[str | float | Law]
    if isinstance(law, str):
        # A plus sign joins laws only before a name: "1e+3" stays whole.
        items = list(re.split(r"\+(?=[A-Za-z]|\d+-modal)", law))
    elif isinstance(law, int | float | Law):
        items = [law]
    else:
        items = list(law)
    if len(items) == 1:
        items = items * len(half_widths)
    if len(items) != len(half_widths):
        raise InputError(
            f"expected one law, or one for each of the {len(half_widths)} transforms, got {len(items)}, "
            "try 'uniform' or 'uniform+normal'"
        )
    return tuple(parse_law(item, r) for item, r in zip(items, half_widths, strict=True))


def _numbers(text: str, law: str, counts: Sequence[int]) -> list[float]:
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        raise InputError(f"expected numbers in law {quoted(f'{law}:{text}')}, try {LAWS[law]!r}") from None
    if counts and len(values) not in counts:
        wanted = " or ".join(str(c) for c in counts)
        raise InputError(f"expected {wanted} numbers in law '{law}:{text}', got {len(values)}, try {LAWS[law]!r}")
    return values


def _weighted(pieces: Sequence[str], law: str) -> tuple[list[str], list[float]]:
    """Split ``value@weight`` pieces; no weights at all means equal ones (an empty list).

    The last ``@`` counts, so a member of a mixture with weights of its own needs one for itself behind them.
    """
    parts = [piece.rpartition("@") if "@" in piece else (piece, "", "1") for piece in pieces]
    given = any("@" in piece for piece in pieces)
    weights = [_numbers(weight, law, [1])[0] for _, _, weight in parts]
    return [value for value, _, _ in parts], weights if given else []


def _uniform(text: str, r: float) -> Law:
    low, high = _numbers(text, "uniform", [2]) if text else (-r, r)
    return Uniform(low, high)


def _normal(text: str, r: float) -> Law:
    return Normal(*_numbers(text, "normal", [2, 3])) if text else Normal(0.0, r / 2)


def _categorical(text: str, r: float) -> Law:
    if not text:
        return equally_spaced(DEFAULT_MODES, r)
    values, weights = _weighted(text.split(","), "categorical")
    return Categorical(tuple(_numbers(v, "categorical", [1])[0] for v in values), tuple(weights))


def _two_modal(text: str, r: float) -> Law:
    return equally_spaced(2, r)


def _mixture(text: str, r: float) -> Law:
    if not text:
        return Mixture((Normal(-r / 2, r / 8), Normal(r / 2, r / 8)))
    members, weights = _weighted(text.split("|"), "mixture")
    return Mixture(tuple(parse_law(member, r) for member in members), tuple(weights))


def _von_mises(text: str, r: float) -> Law:
    return VonMises(*_numbers(text, "von-mises", [1, 2, 3])) if text else VonMises(half_turn=r or 180.0)


def _fixed(text: str, r: float) -> Law:
    return Fixed(_numbers(text, "fixed", [1])[0] if text else r)


def _samples(text: str, r: float) -> Law:
    if not text:
        raise InputError("expected values or a file after 'samples:', got none, try samples:10,20,30")
    path = Path(text)
    try:
        there = path.exists()
    except OSError:  # many values are no name that a file may have
        there = False
    if not there:
        return Samples(tuple(_numbers(text, "samples", [])))
    with reading(path, "numbers in the samples file"):
        if path.suffix == ".npy":
            values = read_npy(path)
        else:
            values = np.loadtxt(path, delimiter="," if "," in path.read_text(encoding="utf-8") else None)
        return Samples(tuple(float(v) for v in np.ravel(values)))


_BUILDERS: Mapping[str, Callable[[str, float], Law]] = {
    "uniform": _uniform,
    "normal": _normal,
    "categorical": _categorical,
    "two-modal": _two_modal,
    "mixture": _mixture,
    "von-mises": _von_mises,
    "fixed": _fixed,
    "samples": _samples,
}
