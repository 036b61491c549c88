"""A result in plain words, for the terminal and for the page."""

from __future__ import annotations

import math

import numpy as np

from liescope.algebra import Generator
from liescope.answer import LABELS, Answer
from liescope.answer.numbers import number, p_value_words
from liescope.report.numbers import amount, precision, span, unit_label

__all__ = [
    "action",
    "algebra_words",
    "bare_amount",
    "centre_words",
    "clean_words",
    "ends",
    "factor_words",
    "how_much",
    "law_caption",
    "modes_of",
    "modes_words",
    "reason",
    "sentence",
    "spoken_name",
    "title",
    "unit_words",
]

_MANY_MODES = 9


def title(result: Answer) -> str:
    """The verdict in a few words."""
    names = [spoken_name(g.generator.name) for g in result.generators]
    if result.verdict == "undecided":
        return "Undecided" + (f": {_listed(names)} fits best" if names else "")
    if result.verdict != "symmetry":
        return "No symmetry found"
    if len(names) > 1:
        text = f"{len(names)} symmetries: {_listed(names)}"
        return text if len(text) < 70 else f"{len(names)} symmetries"
    return names[0][0].upper() + names[0][1:]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def spoken_name(name: str) -> str:
    """The name of a generator as it stands in a sentence."""
    spoken = {
        "general": "a general flow",
        "scale": "scaling",
        "scale-x": "stretching along x",
        "scale-y": "stretching along y",
        "shear-x": "shear along x",
        "shear-y": "shear along y",
        "hyperbolic": "hyperbolic stretch",
        "hyperbolic-diagonal": "diagonal hyperbolic stretch",
        "translation-x": "shift along x",
        "translation-y": "shift along y",
        "translation": "shift",
        "sct": "special conformal transform",
        "sct-x": "special conformal transform along x",
        "sct-y": "special conformal transform along y",
    }
    return spoken.get(name, name)


def centre_words(generator: Generator) -> str:
    """ " about (13.5, 13.5)" where the generator has a centre, else nothing."""
    if generator.centre_px is None:
        return ""
    column, row = (number(round(c, 1), 4) for c in generator.centre_px)
    return f" about ({column}, {row})"


def action(generator: Generator) -> str:
    """What a positive magnitude does to an image: "rotated counter-clockwise about (13.5, 13.5)"."""
    centre = centre_words(generator)
    recognition = generator.recognition
    if generator.name == "spiral":
        growth = float(np.trace(recognition.linear) / 2) / generator.unit_per_t
        factor = number(math.exp(90 * growth))
        return f"rotated counter-clockwise{centre} and at the same time scaled (by {factor} every 90 degrees)"
    if generator.name == "translation":
        u, v = recognition.drift
        return f"shifted at {number(math.degrees(math.atan2(v, u)))} degrees to the x axis"
    phrases = {
        "rotation": f"rotated counter-clockwise{centre}",
        "scale": f"scaled{centre}",
        "scale-x": f"stretched along x{centre}",
        "scale-y": f"stretched along y{centre}",
        "translation-x": "shifted to the right",
        "translation-y": "shifted upwards",
        "shear-x": "sheared along x (what is higher slides further to the right)",
        "shear-y": "sheared along y (what is further right slides further up)",
        "hyperbolic": f"stretched along x and squeezed along y{centre}",
        "hyperbolic-diagonal": f"stretched along one diagonal and squeezed along the other{centre}",
        "sct": "bent by a special conformal transform",
        "sct-x": "bent by the special conformal transform along x",
        "sct-y": "bent by the special conformal transform along y",
    }
    return phrases.get(generator.name, f"moved along the flow of {generator.equation}")


def modes_of(result: Answer, index: int) -> list[float]:
    """Modes of the law of one generator's magnitude, in natural units; none where there is a single hump."""
    modes = result.magnitudes_summary["modes"]
    if index >= len(modes) or len(modes[index]) < 2:
        return []
    return [m * result.generators[index].generator.unit_per_t for m in modes[index]]


def ends(result: Answer, index: int) -> tuple[str, str]:
    """The range of a magnitude in natural units, without the unit's name: ("-60", "60")."""
    generator = result.generators[index].generator
    low, high = span(result, index)
    if math.isnan(low):
        return "unknown", "unknown"
    step = precision(low, high)
    return bare_amount(generator, low, step), bare_amount(generator, high, step)


def how_much(result: Answer, index: int = 0) -> str:
    """The range of a magnitude in words: "by between -60 and 60 degrees"."""
    generator = result.generators[index].generator
    first, last = ends(result, index)
    if first == "unknown":
        return "by an unknown amount"
    unit = "" if generator.unit in ("plain", "log-factor") else f" {unit_label(generator)}"
    kind = {"log-factor": "a factor ", "plain": "a parameter "}.get(generator.unit, "")
    if first == last:
        return f"by {kind}{'of ' if kind else ''}{first}{unit}"
    return f"by {kind}between {first} and {last}{unit}"


def unit_words(generator: Generator) -> str:
    """What one unit of t is: "40.51 degrees", "a log-factor of 0.7071"."""
    value = number(generator.unit_per_t, 4)
    kinds = {"log-factor": "a log-factor of", "plain": "a parameter of"}
    return f"{kinds[generator.unit]} {value}" if generator.unit in kinds else f"{value} {unit_label(generator)}"


def bare_amount(generator: Generator, natural: float, step: float) -> str:
    """A magnitude in natural units without the unit's name."""
    text = amount(generator, natural, step)
    return text.removeprefix("factor ").removesuffix(f" {unit_label(generator)}")


def modes_words(result: Answer, index: int) -> str:
    """ "mostly near -60, 0 and 60 degrees", or nothing for a law with one hump."""
    modes = modes_of(result, index)
    if not modes or len(modes) > _MANY_MODES:
        return f"in {len(modes)} separate humps" if modes else ""
    generator = result.generators[index].generator
    step = precision(min(modes), max(modes))
    texts = [bare_amount(generator, m, step) for m in modes]
    kind = "a factor of " if generator.unit == "log-factor" else ""
    unit = "" if generator.unit in ("plain", "log-factor") else f" {unit_label(generator)}"
    return f"mostly near {kind}{', '.join(texts[:-1])} and {texts[-1]}{unit}"


def law_caption(generator: Generator, contrast: bool, sets: bool = False) -> str:
    """What the table of a magnitude's law counts in, and over which pairs."""
    kinds = {"log-factor": "Scale factor", "plain": "Parameter", "degree": "Degrees", "pixel": "Pixels"}
    which = "without wild pairs" if contrast else "over the pairs that follow it"
    which = "as it was found between the two sets" if sets else which
    return f"{kinds.get(generator.unit, generator.unit)}, {which}"


def reason(result: Answer) -> str:
    """The result's reason as a sentence."""
    text = result.reason.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def sentence(result: Answer) -> str:
    """The answer in one sentence; where there is no symmetry, or none is decided, the reason first."""
    if result.verdict == "symmetry":
        return _moved(result)
    if not result.generators:
        return reason(result)
    best = "What fits best" if result.verdict == "undecided" else "What was asked for, at its best"
    told = _moved(result)
    return f"{reason(result)} {best}: {told[:1].lower()}{told[1:]}"


def _moved(result: Answer) -> str:
    """What the generators do to images."""
    if len(result.generators) > 1:
        parts = [f"({k + 1}) {action(g.generator)}, {how_much(result, k)}" for k, g in enumerate(result.generators)]
        return f"{_whole(result)} moved in {len(parts)} ways together: " + "; ".join(parts) + "."
    modes = modes_words(result, 0)
    tail = f", {modes}" if modes else ""
    return f"{_whole(result)} {action(result.generators[0].generator)}, {how_much(result)}{tail}."


def _whole(result: Answer) -> str:
    """How a sentence about the pairs begins."""
    if result.engine == LABELS:
        return "Labels stay the same when an image is"
    if result.film is not None:
        return "From a frame to a later one the film is"
    if result.kind == "sets":
        return "Images of the second set are others of the kind of the first,"
    if result.evidence.get("sets") or (result.evidence.get("contrast") and len(result.generators) == 1):
        return "Each target is another image of its source's kind,"
    return "Each target is its source"


def algebra_words(result: Answer) -> str:
    """Dimension, name and closure of what the generators span."""
    name, described = result.algebra.get("name"), result.algebra.get("description")
    size = int(result.algebra.get("dimension") or len(result.generators))
    if not size:
        return ""
    what = "The generator spans" if len(result.generators) == 1 else "The generators span"
    closed, residual = result.algebra.get("closed"), result.algebra.get("closure_residual")
    whole = result.algebra.get("smallest_closed_dimension")
    if name == "not closed":
        text = f"{what} {size} dimensions that are no Lie algebra."
    else:
        text = f"{what} a Lie algebra of dimension {size}" + (f", called {name}." if name else ".")
    if described:
        text += f" In words: {described[:1].lower()}{str(described[1:]).rstrip('.')}."
    if size > 1 and closed is not None:
        verb = "do not close" if name == "not closed" else "close"
        roughly = "" if closed or name == "not closed" else " up to the errors of the generators"
        text += f" They {verb} under the bracket{roughly} (residual {number(residual)})."
    if closed is False and whole and whole > size:
        named = result.algebra["smallest_closed_name"]
        text += f" The smallest algebra that holds them has dimension {whole} ({named})."
    return text


def factor_words(result: Answer) -> str:
    """What the pairs are products of, or nothing."""
    factors = result.algebra.get("factors")
    if not factors:
        return ""
    names = [spoken_name(name) for name in factors["names"]]
    misfit = number(float(factors["misfit_px"]), 1)
    listed = f"first {', then '.join(names)}" if factors["ordered"] else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"Every pair is a product of {len(names)} transforms: {listed} (to {misfit} pixels)."


def clean_words(result: Answer) -> str:
    """Generators in simple numbers and what those cost, or nothing where the data contradict all simple ones."""
    clean = result.algebra.get("clean")
    if not clean or not any(clean["snapped"]):
        return ""
    simple = [text for text, snapped in zip(clean["equations"], clean["snapped"], strict=True) if snapped]
    p = float(clean["p_value"])
    text = f"In simple numbers: {'; '.join(simple)}. The pairs do not contradict them ({p_value_words(p)})"
    other = len(clean["snapped"]) - len(simple)
    return text + (f"; {other} of the generators cannot be written so." if other else ".")
