"""The page of a result: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import math
import re
import shlex
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.image import imsave

from liescope.report import words
from liescope.report.numbers import angle_bound, error_size, number, number_fixed, percent, precision
from liescope.report.plots import DIFFERENCE, plot_field, plot_magnitudes
from liescope.report.samples import SampleView, sample_views
from liescope.report.theme import PAGE, page_svg
from liescope.result import DetectedGenerator, SymmetryResult
from liescope.result.values import plain_values

__all__ = ["render_page", "write_page"]


class Coefficient(NamedTuple):
    """A row of the coefficient table: numbers for the drawing, texts, and how the row is set.

    ``weight`` is ``bold`` for terms of the short equation, ``quiet`` where the interval holds zero.
    """

    term: str
    value: float
    low: float
    high: float
    value_text: str
    interval_text: str
    weight: str


class GeneratorView(NamedTuple):
    """What the page shows of one generator."""

    name: str
    action: str
    how_much: str
    equation: str
    unit: str
    direction_error_deg: float
    coefficients: list[Coefficient]
    field: Markup
    magnitudes: Markup
    law: list[tuple[str, str]]
    law_caption: str


class Picture(NamedTuple):
    """An image inside the page: where from (a data URI), its words, its caption."""

    uri: str
    alt: str
    caption: str


class PairView(NamedTuple):
    """A sample pair as pictures."""

    kind: str
    caption: str
    residual: float
    pictures: list[Picture]


def render_page(result: SymmetryResult, folder_name: str = "RESULT") -> str:
    """The page as text.

    Parameters
    ----------
    result : SymmetryResult
    folder_name : str
        How the lines to copy call the result's folder.

    Returns
    -------
    str
        HTML without references to anything outside it.
    """
    environment = Environment(
        loader=PackageLoader("liescope.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "angle_bound": angle_bound,
        "error_size": error_size,
        "number": number,
        "percent": percent,
        "prose": prose,
        "typeset": typeset,
    }
    return environment.get_template("page.html.j2").render(
        result=result,
        title=words.title(result),
        sentence=words.sentence(result),
        generators=[_generator_view(result, k) for k in range(len(result.generators))],
        explained=words.explained(result),
        evidence=words.evidence_words(result),
        reason=words.reason(result),
        algebra=" ".join(
            filter(None, (text(result) for text in (words.algebra_words, words.factor_words, words.clean_words)))
        ),
        pairs=[_pair_view(view) for view in sample_views(result)],
        use=_lines_to_use(result, folder_name),
        details=_details(result),
        settings=_settings(result),
    )


def write_page(result: SymmetryResult, path: Path, folder_name: str = "RESULT") -> None:
    """Write :func:`render_page` to a file."""
    path.write_text(render_page(result, folder_name), encoding="utf-8")


def prose(text: str) -> str:
    """A hyphen before a digit is a minus sign."""
    return re.sub(r"(?<![\w.-])-(?=[\d.])", "\N{MINUS SIGN}", text)


def typeset(equation: str) -> Markup:
    """An equation such as ``-y d/dx + x^2 d/dy`` as mathematics; the text is escaped first."""
    text = re.sub(r"(?<!\w)-", "\N{MINUS SIGN}", str(Markup.escape(equation)))
    text = re.sub(r"d/d([xy])\b", "\N{PARTIAL DIFFERENTIAL}<sub>\\1</sub>", text)
    # Monomials, but not the x of "<sub>x" nor of a user's "x-flow".
    text = re.sub(
        r"(?<![\w>-])(?:[xy](?:\^\d+)?)+(?![\w-])",
        lambda monomial: re.sub(r"([xy])(?:\^(\d+))?", _power, monomial[0]),
        text,
    )
    return Markup(text)


def _power(match: re.Match[str]) -> str:
    return f"<i>{match[1]}</i>" + (f"<sup>{match[2]}</sup>" if match[2] else "")


def _generator_view(result: SymmetryResult, index: int) -> GeneratorView:
    found: DetectedGenerator = result.generators[index]
    g = found.generator
    spoken = f"{words.action(g)}, {words.how_much(result, index)}"
    field = page_svg(plot_field(g, theme=PAGE), f"field{index}", _alt(f"Vector field: content is {words.action(g)}"))
    chart = page_svg(plot_magnitudes(result, generator=index, theme=PAGE), f"law{index}", _alt(f"Histogram: {spoken}"))
    return GeneratorView(
        name=g.name,
        action=words.action(g),
        how_much=words.how_much(result, index),
        equation=g.equation,
        unit=words.unit_words(g),
        direction_error_deg=found.direction_error_deg,
        coefficients=_coefficients(found),
        field=Markup(field),
        magnitudes=Markup(chart),
        law=_law(result, index),
        law_caption=words.law_caption(g),
    )


def _coefficients(found: DetectedGenerator) -> list[Coefficient]:
    """Rows of the table, with as many decimals as the intervals deserve."""
    g = found.generator
    widest = float(np.nanmax(found.interval[:, 1] - found.interval[:, 0], initial=0.0))
    decimals = 4 if not widest > 0 else min(max(4, 1 - math.floor(math.log10(widest))), 6)
    largest = float(np.abs(g.coefficients).max())

    def told(value: float) -> str:
        return number_fixed(value, decimals)

    rows = []
    for term, a, (low, high) in zip(g.basis.terms, g.coefficients, found.interval, strict=True):
        known = math.isfinite(low) and math.isfinite(high)
        interval = f"{told(low)} to {told(high)}" if known else "unknown"
        weight = "bold" if abs(a) >= 0.01 * largest else "quiet" if known and low <= 0 <= high else ""
        ends = (float(low), float(high)) if known else (float(a), float(a))
        rows.append(Coefficient(term, float(a), *ends, told(a), interval, weight))
    return rows


def _alt(text: str) -> str:
    return str(Markup.escape(prose(text)))


def _law(result: SymmetryResult, index: int) -> list[tuple[str, str]]:
    """Rows (name, value) that describe the magnitudes of one generator in natural units."""
    g = result.generators[index].generator
    summary = result.magnitudes_summary
    if not summary["quantiles"]:
        return []
    middle = {float(q): values[index] * g.unit_per_t for q, values in summary["quantiles"].items()}
    step = precision(middle[0.05], middle[0.95])

    def told(value: float) -> str:
        return words.bare_amount(g, value, step)

    rows = [
        ("Mean", told(summary["mean"][index] * g.unit_per_t)),
        ("Median", told(middle[0.5])),
        ("Middle half", f"{told(middle[0.25])} to {told(middle[0.75])}"),
        ("Middle 90 %", f"{told(middle[0.05])} to {told(middle[0.95])}"),
    ]
    modes = words.modes_of(result, index)
    rows.append(("Modes", ", ".join(told(m) for m in modes) if modes else "one hump"))
    return rows


def _pair_view(view: SampleView) -> PairView:
    pictures = [
        Picture(_data_uri(view.source), f"source image of pair {view.pair}", "source"),
        Picture(_data_uri(view.target), f"target image of pair {view.pair}", "target"),
    ]
    if view.transported is not None:
        alt = f"source of pair {view.pair} moved by {view.caption}"
        pictures.append(Picture(_data_uri(view.transported), alt, "transported"))
    what = "transported source minus target" if view.transported is not None else "source minus target"
    shades = DIFFERENCE((view.difference + 1) / 2)[..., :3]
    pictures.append(Picture(_data_uri(shades), f"{what}, pair {view.pair}", "difference"))
    return PairView(view.kind, view.caption, view.residual, pictures)


def _data_uri(image: np.ndarray) -> str:
    """A PNG of an (H, W) or (H, W, 3) image in [0, 1]."""
    shades = np.nan_to_num(image) if image.ndim == 3 else np.repeat(np.nan_to_num(image)[..., None], 3, axis=-1)
    buffer = BytesIO()
    # matplotlib's default entry names its version: pages would differ where nothing else does.
    imsave(buffer, np.round(255 * shades).astype(np.uint8), format="png", metadata={"Software": ""})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _lines_to_use(result: SymmetryResult, folder_name: str) -> list[tuple[str, str]]:
    """(what it does, lines to copy)."""
    if not result.generators:
        return []
    count = len(result.generators)
    example = ",".join(["0.3"] * count)
    python = "0.3" if count == 1 else "[" + ", ".join(["0.3"] * count) + "]"
    folder = shlex.quote(folder_name)
    return [
        (
            "On the command line",
            f"liescope apply {folder} images.npz --t {example} --out moved.npz\n"
            f"liescope apply {folder} images.npz --t {_natural_example(result)} --in-units --out moved.npz",
        ),
        (
            "In Python",
            "from liescope import load_result\n\n"
            f"result = load_result({folder_name!r})\n"
            f"moved = result.transform(images, t={python})",
        ),
    ]


def _natural_example(result: SymmetryResult) -> str:
    handy = {"degree": "30", "pixel": "2", "log-factor": "0.2"}
    return ",".join(handy.get(g.generator.unit, "0.3") for g in result.generators)


def _details(result: SymmetryResult) -> list[tuple[str, str]]:
    """The run: data, engine, seed, time, versions."""
    channels, height, width = result.shape
    rows = [
        ("Pairs", f"{result.pairs:,} of {height} \N{MULTIPLICATION SIGN} {width} pixels, {channels} channel"),
        ("Engine", result.engine),
        ("Basis", f"{result.basis.name} ({result.basis.dimension} fields)"),
        ("Seed", str(result.seed)),
        ("Time", f"{number(result.seconds, 2)} s"),
        ("liescope", result.version),
    ]
    rows[0] = (rows[0][0], rows[0][1] + "s" * (channels > 1))
    names = {"python": "Python", "torch": "PyTorch", "numpy": "NumPy", "scipy": "SciPy"}
    return rows + [(names.get(name, name), str(version)) for name, version in result.versions.items()]


def _settings(result: SymmetryResult) -> list[tuple[str, str]]:
    settings: dict[str, Any] = plain_values(result.settings)
    return [(str(name).replace("_", " "), _setting(value)) for name, value in settings.items()]


def _setting(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    return "none" if value is None else str(value)
