"""What the page shows of generators and pairs, ready for the template."""

from __future__ import annotations

import base64
import itertools
import math
from io import BytesIO
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.image import imsave

from liescope.answer import LABELS, Answer
from liescope.answer.numbers import number, number_fixed
from liescope.answer.parts import DetectedGenerator
from liescope.report import words
from liescope.report.drawings import field_svg, law_svg
from liescope.report.interactive import Sources, moved_images, natural_range
from liescope.report.numbers import amount, precision
from liescope.report.plots import DIFFERENCE
from liescope.report.samples import SampleView
from liescope.report.typesetting import escaped

__all__ = [
    "Coefficient",
    "GeneratorView",
    "PairView",
    "Picture",
    "Share",
    "bracket_rows",
    "data_uri",
    "for_drawing",
    "generator_view",
    "pair_view",
]

_STILLS = (-1.0, -0.5, 0.0, 0.5, 1.0)


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


class Picture(NamedTuple):
    """An image inside the page: where from (a data URI), its words, its caption."""

    uri: str
    alt: str
    caption: str


class GeneratorView(NamedTuple):
    """What the page shows of one generator. ``stills``: an image moved by a few magnitudes, for paper."""

    name: str
    title: str
    action: str
    how_much: str
    equation: str
    unit: str
    has_centre: bool
    direction_error_deg: float
    coefficients: list[Coefficient]
    field: Markup
    magnitudes: Markup
    law: list[tuple[str, str]]
    law_caption: str
    stills: list[Picture]


class Share(NamedTuple):
    """A generator's part in a bracket: sign as it is printed, factor, the generator's number."""

    sign: str
    factor: str
    number: int


class PairView(NamedTuple):
    """A sample pair as pictures."""

    kind: str
    caption: str
    residual: float
    pictures: list[Picture]


def generator_view(result: Answer, index: int, sources: Sources | None) -> GeneratorView:
    """Everything about one generator of a result."""
    found = result.generators[index]
    g = found.generator
    action, how_much = words.action(g), words.how_much(result, index)
    spoken = ", ".join(filter(None, (action, how_much, words.modes_words(result, index))))
    return GeneratorView(
        name=g.name,
        title=words.spoken_name(g.name),
        action=action,
        how_much=how_much,
        equation=g.equation,
        unit=words.unit_words(g),
        has_centre=g.centre_px is not None,
        direction_error_deg=found.direction_error_deg,
        coefficients=_coefficients(found),
        field=Markup(field_svg(g, f"field{index}", escaped(f"Vector field: content is {action}"))),
        magnitudes=Markup(law_svg(result, index, f"law{index}", escaped(f"Histogram: {spoken}"))),
        law=_law(result, index),
        law_caption=words.law_caption(g, bool(result.evidence.get("contrast")), bool(result.evidence.get("sets"))),
        stills=_stills(result, index, sources),
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


def _law(result: Answer, index: int) -> list[tuple[str, str]]:
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


def _stills(result: Answer, index: int, sources: Sources | None) -> list[Picture]:
    """The first image moved by a few magnitudes."""
    if sources is None:
        return []
    g = result.generators[index].generator
    reach, step = natural_range(result, index)
    natural = reach * np.array(_STILLS)
    copies = np.repeat(sources.images[:1], len(natural), axis=0)
    moved = moved_images(g, copies, natural / g.unit_per_t, sources)
    captions = [amount(g, float(value), step) for value in natural]
    pair, of = sources.pairs[0], "image" if result.engine == LABELS else "source of pair"
    return [
        Picture(data_uri(for_drawing(image)), f"{of} {pair} moved by {caption}", caption)
        for image, caption in zip(moved, captions, strict=True)
    ]


def for_drawing(image: np.ndarray) -> np.ndarray:
    """(1, H, W) or (3, H, W) as (H, W) or (H, W, 3), in [0, 1]."""
    shown: np.ndarray = np.clip(image[0] if len(image) == 1 else np.moveaxis(image, 0, -1), 0, 1)
    return shown


def bracket_rows(result: Answer) -> list[tuple[tuple[int, int], list[Share]]]:
    """((1, 2), its parts): the brackets of the generators by each other, where the algebra is closed."""
    constants = result.algebra.get("structure_constants")
    count = len(result.generators)
    if count < 2 or not result.algebra.get("closed") or np.shape(constants or []) != (count, count, count):
        return []
    table = np.asarray(constants, dtype=np.float64)
    negligible = 0.02 * max(1.0, float(np.abs(table).max()))
    rows = []
    for i, j in itertools.combinations(range(count), 2):
        parts: list[Share] = []
        for k, value in enumerate(table[i, j]):
            if abs(value) > negligible:
                sign = "\N{MINUS SIGN}" if value < 0 else "+"
                sign = f"{sign} " if parts else sign.replace("+", "")
                parts.append(Share(sign, number(abs(float(value)), 2), k + 1))
        rows.append(((i + 1, j + 1), parts))
    return rows


def pair_view(view: SampleView) -> PairView:
    """The pictures of a pair."""
    pictures = [
        Picture(data_uri(view.source), f"source image of pair {view.pair}", "source"),
        Picture(data_uri(view.target), f"target image of pair {view.pair}", "target"),
    ]
    if view.transported is not None:
        alt = f"source of pair {view.pair} moved by {view.caption}"
        pictures.append(Picture(data_uri(view.transported), alt, "transported"))
    what = "transported source minus target" if view.transported is not None else "source minus target"
    shades = DIFFERENCE((view.difference + 1) / 2)[..., :3]
    pictures.append(Picture(data_uri(shades), f"{what}, pair {view.pair}", "difference"))
    return PairView(view.kind, view.caption, view.residual, pictures)


def data_uri(image: np.ndarray) -> str:
    """A PNG of an (H, W) or (H, W, 3) image in [0, 1]."""
    shades = np.nan_to_num(image) if image.ndim == 3 else np.repeat(np.nan_to_num(image)[..., None], 3, axis=-1)
    buffer = BytesIO()
    # matplotlib's default entry names its version: pages would differ where nothing else does.
    imsave(buffer, np.round(255 * shades).astype(np.uint8), format="png", metadata={"Software": ""})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
