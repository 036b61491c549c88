"""The page that puts several results side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from liescope import __version__
from liescope.answer import Answer
from liescope.answer.numbers import angle_bound, error_size, number, p_value_words, percent
from liescope.errors import InputError
from liescope.report import words
from liescope.report.agreement import cosine_matrix, span_degrees
from liescope.report.drawings import field_svg
from liescope.report.evidence import explained, gain_p_value
from liescope.report.numbers import span
from liescope.report.overlay import Law, draw_laws
from liescope.report.theme import PAGE, figure, page_svg
from liescope.report.typesetting import escaped, fill

__all__ = ["render_comparison", "write_comparison"]

_SAME_DEG = 5.0
"""Spans closer than this are called the same: about what different engines and bases leave between them."""


class Column(NamedTuple):
    """One result: its letter in the drawings, its name, and what the table says of it."""

    letter: str
    name: str
    title: str
    equations: list[str]
    rows: dict[str, str]


class Field(NamedTuple):
    """A small vector field and what stands below it."""

    svg: Markup
    label: str
    caption: str


class LawsView(NamedTuple):
    """Laws in one unit: the drawing, and the same as rows (label, range, modes)."""

    svg: Markup
    rows: list[tuple[str, str, str]]


def render_comparison(results: Sequence[Answer], names: Sequence[str]) -> str:
    """The page as text.

    Parameters
    ----------
    results : sequence of Answer
        Two or more.
    names : sequence of str
        What to call them, one each.

    Raises
    ------
    InputError
        Fewer than two results, or another number of names.
    """
    if len(results) < 2 or len(results) != len(names):
        raise InputError(f"expected two results or more with a name each, got {len(results)} and {len(names)} names")
    letters = [_letter(k) for k in range(len(results))]
    columns = [_column(*entry) for entry in zip(results, names, letters, strict=True)]
    labels = [
        label for result, letter in zip(results, letters, strict=True) for label in _generator_labels(result, letter)
    ]
    matrix = cosine_matrix(results)
    angles = span_degrees(results)
    return fill(
        "compare.html.j2",
        version=__version__,
        kind="comparison",
        title=f"{len(results)} results side by side",
        sentence=_sentence(results, angles),
        columns=columns,
        fields=_fields(results, letters),
        laws=_laws(results, letters),
        labels=labels,
        cosines=[[_cosine(value) for value in row] for row in matrix],
        spans=[
            (f"{letters[i]} and {letters[j]}", ", ".join(f"{number(float(a), 2)}\N{DEGREE SIGN}" for a in found))
            for (i, j), found in angles.items()
        ],
    )


def write_comparison(results: Sequence[Answer], names: Sequence[str], path: Path) -> None:
    """Write :func:`render_comparison` to a file."""
    path.write_text(render_comparison(results, names), encoding="utf-8")


def _letter(k: int) -> str:
    """A, B, ..., Z, A2, B2, ..."""
    return chr(ord("A") + k % 26) + (str(k // 26 + 1) if k >= 26 else "")


def _generator_labels(result: Answer, letter: str) -> list[str]:
    count = len(result.generators)
    return [f"{letter}{k + 1}" if count > 1 else letter for k in range(count)]


def _error_left(result: Answer) -> str:
    heldout = result.evidence.get("heldout_error")
    if heldout is None:
        return "unknown"
    # The magnitudes of different roots are read off all pairs; others off pairs that the fit did not see.
    everything = result.generators and result.evidence.get("contrast")
    return f"{error_size(float(heldout))} {'over all' if everything else 'on held-out'} pairs"


def _column(result: Answer, name: str, letter: str) -> Column:
    share = explained(result)
    p = gain_p_value(result)
    found = bool(result.generators)
    errors = [angle_bound(g.direction_error_deg) for g in result.generators]
    algebra = result.algebra.get("name") if found else None
    return Column(
        letter,
        name,
        words.title(result),
        [g.generator.equation for g in result.generators],
        {
            "How much": "; ".join(words.how_much(result, k) for k in range(len(result.generators))) or "nothing",
            "Algebra": str(algebra) if algebra else "none",
            "Difference explained": percent(max(share, 0.0)) if not math.isnan(share) else "unknown",
            "Error left": _error_left(result),
            "Chance of such a gain without symmetry": "unknown" if p is None else p_value_words(p),
            "Direction uncertain by": ", ".join(f"{e}\N{DEGREE SIGN}" for e in errors) or "nothing found",
            "Pairs that follow it": "–"
            if result.evidence.get("contrast") or result.evidence.get("sets") or not result.pairs
            else f"{percent(result.accepted_fraction)} of {result.pairs:,}",
            "Engine and basis": f"{result.engine}, {result.basis.name}",
            "Seconds": number(result.seconds, 2),
            "Seed": str(result.seed),
        },
    )


def _sentence(results: Sequence[Answer], angles: dict[tuple[int, int], np.ndarray]) -> str:
    """Whether they say the same, in one sentence."""
    found = [len(result.generators) for result in results]
    if not any(found):
        return "None of them finds a symmetry."
    if not all(found):
        return f"{sum(map(bool, found))} of {len(results)} find a symmetry, the others find none."
    largest = max((float(a.max()) for a in angles.values()), default=math.nan)
    if len(set(found)) > 1:
        counts = ", ".join(map(str, found[:-1])) + f" and {found[-1]}"
        return f"They find different numbers of generators: {counts}."
    if len(angles) == math.comb(len(results), 2) and largest < _SAME_DEG:
        return (
            f"All find the same symmetry, up to an angle of {number(largest, 2)} degrees between their vector fields."
        )
    return (
        f"They find different symmetries: the angles between their vector fields go up to {number(largest, 2)} degrees."
    )


def _fields(results: Sequence[Answer], letters: Sequence[str]) -> list[Field]:
    fields = []
    for result, letter in zip(results, letters, strict=True):
        for k, label in enumerate(_generator_labels(result, letter)):
            g = result.generators[k].generator
            spoken = escaped(f"{label}: vector field, content is {words.action(g)}")
            svg = Markup(field_svg(g, f"field-{label}", spoken, width=2.6))
            fields.append(Field(svg, label, words.spoken_name(g.name)))
    return fields


def _laws(results: Sequence[Answer], letters: Sequence[str]) -> list[LawsView]:
    """One drawing for every unit, and another for plain parameters of fields with other names."""
    groups: dict[tuple[str, str], list[Law]] = {}
    for result, letter in zip(results, letters, strict=True):
        for k, label in enumerate(_generator_labels(result, letter)):
            g = result.generators[k].generator
            if not math.isnan(span(result, k)[0]):
                key = (g.unit, g.name if g.unit in ("plain", "pixel") else "")
                groups.setdefault(key, []).append(Law(result, k, label))
    views = []
    for k, laws in enumerate(groups.values()):
        rows = [
            (
                law.label,
                words.how_much(law.result, law.generator).removeprefix("by "),
                words.modes_words(law.result, law.generator) or "one hump",
            )
            for law in laws
        ]
        fig = figure(6.4, 2.4)
        draw_laws(laws, fig.axes[0], PAGE)
        spoken = "Histograms: " + "; ".join(f"{label} {how_much}, {modes}" for label, how_much, modes in rows)
        views.append(LawsView(Markup(page_svg(fig, f"laws{k}", escaped(spoken))), rows))
    return views


def _cosine(value: float) -> str:
    """Three decimals; never 1 for less than that."""
    if math.isnan(value):
        return "unknown"
    return "over 0.999" if 0.9995 <= value < 1 - 1e-9 else f"{value:.3f}"
