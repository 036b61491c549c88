"""The page: whole, self-contained, safe and readable by more than eyes."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from liescope.geometry import affine, field_basis
from liescope.report import render_page
from liescope.report.page import prose, typeset

VOID = {"meta", "img", "link", "br", "hr", "input"}


class Reader(HTMLParser):
    """Tags, attributes and text of a page; every tag must be closed by its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.text += " ".join(data.split()) + " "

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


CASES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "one": (("rotation",), {}),
    "off centre, wide": (("off-centre",), {"shape": (1, 10, 30)}),
    "three channels": (("scale",), {"shape": (3, 12, 12)}),
    "two channels, tall": (("shear-x",), {"shape": (2, 30, 10)}),
    "no name": (("general",), {}),
    "two": (("rotation", "translation-x"), {}),
    "none": ((), {}),
    "no samples": (("rotation",), {"samples": False}),
    "nothing accepted": (("rotation",), {"accepted": np.zeros(60, bool)}),
    "one magnitude": (("hyperbolic",), {"t": np.full((60, 1), 0.2)}),
    "no evidence": (("rotation",), {"evidence": {"p_value": float("nan")}}),
    "large images": (("translation-y",), {"shape": (3, 300, 200)}),
}


@pytest.fixture(params=CASES)
def page(request, make_result):
    fields, changes = CASES[request.param]
    return render_page(make_result(*fields, **changes))


def test_every_page_is_whole_and_needs_nothing_else(page):
    reader = Reader(page)
    assert len(page.encode()) < 5_000_000
    for _, attributes in reader.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/png;base64,", "#")), value
    assert not re.search(r"url\((?!#)|@import|<script|<link|<iframe", page)
    identifiers = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    references = set(re.findall(r'(?:url\(|href=")#([^)"]+)', page))
    assert references <= set(identifiers)


def test_every_page_says_its_pictures_in_words(page):
    reader = Reader(page)
    assert all(image.get("alt") for image in reader.all("img"))
    drawings = reader.all("svg")
    assert len(reader.all("h1")) == 1
    assert all(d.get("aria-label") for d in drawings if d.get("role") == "img")
    assert reader.all("html")[0]["lang"] == "en"
    assert "nan" not in reader.text.lower().split()
    assert "None" not in reader.text.split()


def test_the_page_of_one_generator(make_result):
    reader = Reader(render_page(make_result("rotation"), folder_name="my result"))
    text = reader.text
    assert "Each target is its source rotated counter-clockwise about (5.5, 5.5)" in text
    assert "90 % of the difference is explained" in text
    assert "so(2)" in text
    assert "liescope apply 'my result' images.npz --t 0.3 --out moved.npz" in text
    assert "load_result('my result')" in text
    assert "0.0.test" in text
    assert len([d for d in reader.all("svg") if d.get("role") == "img"]) == 2


def test_pairs_are_embedded_pixel_by_pixel(make_result):
    result = make_result("rotation", shape=(3, 8, 12))
    first = Reader(render_page(result)).all("img")[0]
    shown = imread(BytesIO(base64.b64decode(first["src"].split(",")[1])))[..., :3]
    low = min(result.samples.source.min(), result.samples.target.min())
    high = max(result.samples.source.max(), result.samples.target.max())
    expected = (np.moveaxis(result.samples.source[0], 0, -1) - low) / (high - low)
    assert shown == pytest.approx(expected, abs=0.003)
    assert "image-rendering: pixelated" in render_page(result)


def test_best_typical_worst_and_rejected_pairs_are_shown(make_result):
    text = Reader(render_page(make_result("rotation"))).text
    for kind in ("best:", "typical:", "worst accepted:", "rejected:"):
        assert kind in text
    everything = np.ones(60, bool)
    assert "rejected:" not in Reader(render_page(make_result("rotation", accepted=everything))).text


def test_the_page_without_a_symmetry_says_why(make_result):
    reader = Reader(render_page(make_result(reason="shuffled targets fit as well", pairs=20)))
    assert "No symmetry found" in reader.text
    assert "Shuffled targets fit as well." in reader.text
    assert "liescope apply" not in reader.text
    assert "transported" not in {a["alt"].split()[0] for a in reader.all("img")}


def test_the_page_of_two_generators(make_result):
    algebra = {"dimension": 2, "name": None, "closed": False, "closure_residual": 0.5}
    reader = Reader(render_page(make_result("rotation", "translation-x", algebra=algebra)))
    assert len([d for d in reader.all("svg") if d.get("role") == "img"]) == 4
    assert "--t 0.3,0.3" in reader.text
    assert "t=[0.3, 0.3]" in reader.text
    assert "do not close" in reader.text


def test_whatever_is_in_the_data_is_text_on_the_page(make_result):
    evil = "<script>alert('1')</script>\"&"
    basis = affine() + field_basis({evil: lambda x, y: (y, x)}, name=evil)
    result = make_result(
        [0, 0, -1, 0, 1, 0, 0.5],
        basis=basis,
        reason=evil,
        version=evil,
        settings={evil: evil},
        versions={evil: evil},
    )
    page = render_page(result, folder_name=evil)
    assert "<script" not in page
    assert Reader(page).text.count("<script>alert(") >= 6


def test_equations_as_mathematics():
    assert typeset("-y d/dx + 0.5 x^2 d/dy") == (
        "\N{MINUS SIGN}<i>y</i> \N{PARTIAL DIFFERENTIAL}<sub>x</sub> + 0.5 <i>x</i><sup>2</sup> "
        "\N{PARTIAL DIFFERENTIAL}<sub>y</sub>"
    )
    assert typeset("a<b sct-x xy") == "a&lt;b sct-x <i>x</i><i>y</i>"


def test_minus_signs_in_prose():
    assert prose("between -60 and -0.5, so-called 1e-7 e-5") == (
        "between \N{MINUS SIGN}60 and \N{MINUS SIGN}0.5, so-called 1e-7 e-5"
    )


def test_the_same_result_gives_the_same_page(make_result):
    assert render_page(make_result("rotation")) == render_page(make_result("rotation"))
