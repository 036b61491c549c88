"""The page of an answer that null vectors gave: one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from liescope.answer import FieldAnswer
from liescope.answer.numbers import number, number_fixed
from liescope.report import field_words
from liescope.report.citation import citations
from liescope.report.details import setting_rows, version_rows
from liescope.report.field_drawings import field_drawing, spectrum_drawing
from liescope.report.numbers import unit_label
from liescope.report.typesetting import fill
from liescope.report.views import Coefficient
from liescope.report.words import spoken_name

__all__ = ["render_field_page", "write_field_page"]

_MOST_SHOWN = 12
_MOST_ROWS = 30


class FieldView(NamedTuple):
    """What the page shows of one generator."""

    title: str
    equation: str
    words: str
    drawing: Markup | None
    coefficients: list[Coefficient]
    unit: str


def render_field_page(result: FieldAnswer, folder_name: str = "RESULT") -> str:
    """The page as text, without references to anything outside it."""
    return fill(
        "field.html.j2",
        result=result,
        title=field_words.title(result),
        sentence=field_words.sentence(result),
        generators=[_view(result, k) for k in range(min(len(result.generators), _MOST_SHOWN))],
        more=max(len(result.generators) - _MOST_SHOWN, 0),
        spectrum=spectrum_drawing(result),
        evidence=field_words.evidence_words(result),
        algebra=field_words.algebra_sentences(result),
        facts=_facts(result),
        use=_lines_to_use(result, folder_name),
        citations=citations(result.version),
        details=_rows(result),
        settings=setting_rows(result),
    )


def write_field_page(result: FieldAnswer, path: Path, folder_name: str = "RESULT") -> None:
    """Write :func:`render_field_page` to a file."""
    path.write_text(render_field_page(result, folder_name), encoding="utf-8")


def _view(result: FieldAnswer, index: int) -> FieldView:
    g = result.generators[index]
    name = spoken_name(g.name)
    return FieldView(
        name[0].upper() + name[1:],
        g.equation,
        field_words.generator_words(result, index),
        field_drawing(result, index),
        _coefficients(result, index),
        f"{number(g.unit_per_t)} {unit_label(g.generator)}",
    )


def _coefficients(result: FieldAnswer, index: int) -> list[Coefficient]:
    """Rows of the table: the largest terms where there are many."""
    g = result.generators[index]
    order = np.sort(np.argsort(-np.abs(g.coefficients), kind="stable")[:_MOST_ROWS])
    rows = []
    for i in order:
        value, (low, high) = float(g.coefficients[i]), (float(x) for x in g.interval[i])
        weight = "quiet" if low <= 0 <= high or abs(value) < 1e-6 else "bold"
        interval = f"{number_fixed(low, 3)} to {number_fixed(high, 3)}"
        rows.append(Coefficient(g.basis.terms[i], value, low, high, number_fixed(value, 3), interval, weight))
    return rows


def _facts(result: FieldAnswer) -> list[tuple[str, str, str]]:
    evidence = result.evidence
    tolerance = f"tolerance {number(float(evidence['tolerance']))}"
    facts = [("Smallest defect", number(float(evidence["spectrum"][0]), 2), tolerance)]
    if result.generators:
        exact = sum(g.tier == "exact" for g in result.generators)
        facts.append(("Symmetries", str(len(result.generators)), f"{exact} exact"))
    facts.append(("Points", f"{result.pairs:,}", f"in {result.domain.ndim} dimensions"))
    facts.append(("Found in", f"{number(result.seconds, 2)} s", f"basis {result.basis.name}"))
    return facts


def _lines_to_use(result: FieldAnswer, folder_name: str) -> list[tuple[str, str]]:
    if not result.generators:
        return []
    t = "0.3" if len(result.generators) == 1 else f"[0.3] * {len(result.generators)}"
    load = f"from liescope import load_result\n\nresult = load_result({folder_name!r})\n"
    lines = [("Move points", f"{load}moved = result.transform(points, t={t})")]
    if result.kind in ("function", "equivariance", "cloud"):
        values = "X, y = result.augment(X, y)" if result.kind != "cloud" else "X = result.augment(X)"
        lines.append(("More data of the same kind", f"{load}{values}"))
    return lines


def _rows(result: FieldAnswer) -> list[tuple[str, str]]:
    fit = [(name.replace("_", " "), number(v) if isinstance(v, float) else str(v)) for name, v in result.fit.items()]
    rows = [
        ("Kind", result.kind),
        ("Points", f"{result.pairs:,} in {result.domain.ndim} dimensions"),
        *((f"Fit, {name}", value) for name, value in fit if len(value) < 200),
        ("Engine", result.engine),
        ("Basis", f"{result.basis.name} ({result.basis.dimension} fields)"),
        ("Coverage", number(float(result.evidence["coverage"]), 2)),
        ("Seed", str(result.seed)),
        ("Time", f"{number(result.seconds, 2)} s"),
    ]
    return rows + version_rows(result)
