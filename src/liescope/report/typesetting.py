"""Text on the pages: templates, minus signs, equations."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from liescope.algebra.display import equation_html
from liescope.answer.numbers import angle_bound, error_size, number, percent
from liescope.report.palette import DARK, LIGHT, PAPER

__all__ = ["escaped", "fill", "prose", "spoken", "typeset"]


def fill(template: str, *, package: str = "liescope.report", **values: Any) -> str:
    """A template of a package filled in; it may extend those of this one. Text is escaped unless it is Markup."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, "liescope.report"))]),
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
        "spoken": spoken,
        "typeset": typeset,
    }
    environment.globals |= {"light": LIGHT, "dark": DARK, "paper": PAPER}
    return environment.get_template(template).render(**values)


def prose(text: str) -> str:
    """A hyphen before a digit is a minus sign."""
    return re.sub(r"(?<![\w.-])-(?=[\d.])", "\N{MINUS SIGN}", text)


def escaped(text: str) -> str:
    """Prose as the value of an attribute in markup that is put together by hand."""
    return str(Markup.escape(prose(text)))


def typeset(equation: str) -> Markup:
    """An equation such as ``-y d/dx + x^2 d/dy`` as mathematics; the text is escaped first."""
    return Markup(equation_html(equation))


def spoken(equation: str) -> str:
    """The equation in words, for readers who hear it: ``minus y d by dx plus x squared d by dy``."""
    text = re.sub(r"(?<!\w)-\s*", "minus ", equation)
    text = re.sub(r"(?<!\w)\+", "plus", text)
    text = re.sub(r"d/d([xy])\b", r"d by d\1", text)
    text = re.sub(r"(?<![\w-])([xy])([xy])(?![\w-])", r"\1 \2", text)
    text = re.sub(r"\^2\b", " squared ", text)
    text = re.sub(r"\^3\b", " cubed ", text)
    text = re.sub(r"\^(\d+)", r" to the power \1 ", text)
    return " ".join(text.split())
