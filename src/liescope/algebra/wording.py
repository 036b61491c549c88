"""Algebras in plain words, for people who do not know the names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from liescope.geometry.domain import axis_names

__all__ = ["ALGEBRA_WORDS", "algebra_sentence"]

ALGEBRA_WORDS: Mapping[str, str] = {
    "trivial": "no motion at all",
    "t(1)": "shifts along one direction",
    "so(2)": "rotations about one point",
    "gl(1)": "changes of size about one point",
    "so(1,1)": "stretching along one line while squeezing along another, areas kept",
    "shear": "shears along one line",
    "one-parameter": "one motion that is run forwards or backwards",
    "t(2)": "shifts in every direction",
    "so(2)+gl(1)": "rotations and changes of size about one point, in any order",
    "se(2)": "rotations and shifts in any order: rigid motions of the plane",
    "t(2)+gl(1)": "shifts and changes of size in any order, without rotation",
    "sim(2)": "shifts, rotations and changes of size in any order: motions that keep shapes",
    "sl(2)": "linear maps about one point that keep areas",
    "gl(2)": "all linear maps about one point",
    "saff(2)": "shifts and linear maps that keep areas, in any order",
    "aff(2)": "all affine maps of the plane: what takes parallel lines to parallel lines",
    "conformal": "maps that keep angles: shifts, rotations, changes of size and special conformal ones, in any order",
    "aff(1)": "shifts along a line and changes of scale along it, in any order",
    "so(3)": "rotations of a sphere",
    "sl(3)": "projective maps of the plane: what takes straight lines to straight lines",
    "abelian": "motions whose order never matters",
    "solvable": "motions whose order matters, and that come apart in steps in each of which it does not",
    "general": "a closed set of motions without a common name",
}
"""What the transformations of every named algebra of the plane are, without capital and full stop."""

_PLACES = {1: ("sample",), 2: ("column", "row"), 3: ("column", "row", "slice")}
_SPECIAL = ("t(1)", "gl(1)", "aff(1)")
_KINDS = {
    "t": "shifts along {size} directions",
    "so": "rotations about one point in {size} dimensions",
    "se": "rotations and shifts in any order: rigid motions in {size} dimensions",
    "sim": "shifts, rotations and changes of size in any order: motions that keep shapes in {size} dimensions",
    "gl": "all linear maps about one point in {size} dimensions",
    "sl": "linear maps about one point that keep volumes in {size} dimensions",
    "sp": "linear maps about one point that keep a symplectic form in {size} dimensions",
    "aff": "all affine maps in {size} dimensions: what takes parallel lines to parallel lines",
    "saff": "shifts and linear maps that keep volumes in {size} dimensions, in any order",
}
"""The same in any number of coordinates, by the first part of the name."""


def algebra_sentence(
    dimension: int,
    name: str,
    position: str | None,
    centre_px: tuple[float, ...] | None,
    smallest: tuple[int | None, str | None],
    ndim: int = 2,
) -> str:
    """One sentence on an algebra.

    Parameters
    ----------
    dimension, name, position, centre_px
        As in :class:`liescope.algebra.AlgebraDescription`.
    smallest : (int or None, str or None)
        Dimension and name of the smallest algebra that contains the generators.
    ndim : int
        Number of coordinates.
    """
    if name == "not closed":
        return _open_sentence(dimension, *smallest, ndim)
    words = _words(name, ndim)
    if position == "abstract" and name not in ("abelian", "solvable"):
        return f"Motions that combine as these do: {words}."
    sentence = words[0].upper() + words[1:]
    if position == "stretched":
        sentence += ", seen in a slanted or stretched frame"
    if position in ("moved", "stretched") and centre_px is not None:
        axes = _PLACES.get(len(centre_px), axis_names(len(centre_px)))
        place = ", ".join(f"{axis} {at:.1f}" for axis, at in zip(axes, centre_px, strict=True))
        sentence += f", with the fixed point at {place}"
    return f"{sentence}."


def _words(name: str, ndim: int) -> str:
    """Of the plane from the table; elsewhere put together from the parts of the name."""
    if ndim == 2:
        return ALGEBRA_WORDS[name]
    shifts = f"t({ndim})+"
    if name.startswith(shifts):
        return f"shifts in every direction and {_words(name.removeprefix(shifts), ndim)}, in any order"
    if name.endswith("+gl(1)"):
        return f"{_words(name.removesuffix('+gl(1)'), ndim)}, and changes of size, in any order"
    # Linear maps have no more dimensions than the space: what has two more is conformal.
    if name in (f"so({ndim + 1},1)", "sl(2)" if ndim == 1 else ""):
        return ALGEBRA_WORDS["conformal"] if ndim > 1 else "projective maps of a line"
    if form := re.fullmatch(r"so\((\d+),(\d+)\)", name):
        return f"linear maps that keep a difference of {form[1]} squares and {form[2]}"
    if name == "so(2)":
        return "rotations about one axis" if ndim == 3 else "rotations of one plane"
    if name == f"t({ndim})":
        return "shifts in every direction"
    if name in _SPECIAL:
        return ALGEBRA_WORDS[name]
    kind, _, size = name.rstrip(")").partition("(")
    if kind in _KINDS:
        return _KINDS[kind].format(size=size)
    return ALGEBRA_WORDS[name]


def _open_sentence(dimension: int, smallest: int | None, name: str | None, ndim: int) -> str:
    start = "Motions that make new ones when they are done one after the other"
    if smallest is None or name is None:
        return f"{start}, and these are no longer of the kind that was looked for."
    if smallest == dimension:
        return f"Motions that combine nearly as these do: {_words(name, ndim)}."
    return f"{start}; all of them together have {smallest} independent generators: {_words(name, ndim)}."
