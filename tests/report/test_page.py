"""The page: whole, self-contained, safe and readable by more than eyes."""

from __future__ import annotations

import base64
import itertools
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from liescope.geometry import affine, field_basis
from liescope.report import render_page
from liescope.report.citation import citations
from liescope.report.palette import DARK, LIGHT, PAPER, TEXT_ON_GROUND
from liescope.report.typesetting import prose, spoken, typeset

ROOT = Path(__file__).parents[2]


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


def test_every_page_is_whole_and_needs_nothing_else(page, read):
    reader = read(page)
    assert len(page.encode()) < 5_000_000
    for _, attributes in reader.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/png;base64,", "#")), value
    assert not re.search(r"url\((?!#)|@import|<link|<iframe|<script[^>]* src", page)
    (policy,) = [a["content"] for a in reader.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert policy.startswith("default-src 'none';")
    assert not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket|import\(", "".join(reader.scripts))
    identifiers = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    references = set(re.findall(r'(?:url\(|href=")#([^)"]+)', page))
    assert references <= set(identifiers)


def test_every_page_says_its_pictures_in_words(page, read):
    reader = read(page)
    assert all(image.get("alt") for image in reader.all("img"))
    drawings = reader.all("svg")
    assert len(reader.all("h1")) == 1
    assert all(d.get("aria-label") for d in drawings if d.get("role") == "img")
    assert reader.all("html")[0]["lang"] == "en"
    assert all(e.get("aria-label") for _, e in reader.tags if e.get("role") == "math")
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert "nan" not in reader.text.lower().split()
    assert "None" not in reader.text.split()


def test_the_page_of_one_generator(make_result, read):
    reader = read(render_page(make_result("rotation"), folder_name="my result"))
    text = reader.text
    assert "Each target is its source rotated counter-clockwise about (5.5, 5.5)" in text
    assert "90 % of the difference is explained" in text
    assert "so(2)" in text
    assert "liescope apply 'my result' images.npz --t 0.3 --out moved.npz" in text
    assert "liescope apply 'my result' images.npz --t 30 --in-units --out moved.npz" in text
    assert "load_result('my result')" in text
    assert "0.0.test" in text
    assert len([d for d in reader.all("svg") if d.get("role") == "img"]) == 2


def test_pairs_are_embedded_pixel_by_pixel(make_result, read):
    result = make_result("rotation", shape=(3, 8, 12))
    images = read(render_page(result)).all("img")
    first = next(image for image in images if image["alt"].startswith("source image"))
    shown = imread(BytesIO(base64.b64decode(first["src"].split(",")[1])))[..., :3]
    low = min(result.samples.source.min(), result.samples.target.min())
    high = max(result.samples.source.max(), result.samples.target.max())
    expected = (np.moveaxis(result.samples.source[0], 0, -1) - low) / (high - low)
    assert shown == pytest.approx(expected, abs=0.003)
    assert "image-rendering: pixelated" in render_page(result)


def test_best_typical_worst_and_rejected_pairs_are_shown(make_result, read):
    text = read(render_page(make_result("rotation"))).text
    for kind in ("best:", "typical:", "worst accepted:", "rejected:"):
        assert kind in text
    everything = np.ones(60, bool)
    assert "rejected:" not in read(render_page(make_result("rotation", accepted=everything))).text


def test_the_page_without_a_symmetry_says_why(make_result, read):
    reader = read(render_page(make_result(reason="shuffled targets fit as well", pairs=20)))
    assert "No symmetry found" in reader.text
    assert "Shuffled targets fit as well." in reader.text
    assert "liescope apply" not in reader.text
    assert "transported" not in {a["alt"].split()[0] for a in reader.all("img")}


def test_the_page_of_two_generators(make_result, read):
    algebra = {"dimension": 2, "name": "not closed", "closed": False, "closure_residual": 0.5}
    reader = read(render_page(make_result("rotation", "translation-x", algebra=algebra)))
    assert len([d for d in reader.all("svg") if d.get("role") == "img"]) == 4
    panels = [e["data-tab"] for _, e in reader.tags if "data-tab" in e]
    assert panels == ["1. rotation", "2. shift along x", "Algebra"]
    assert "--t 0.3,0.3" in reader.text
    assert "t=[0.3, 0.3]" in reader.text
    assert "do not close" in reader.text


def test_whatever_is_in_the_data_is_text_on_the_page(make_result, read):
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
    reader = read(page)
    assert len(reader.all("script")) == page.count("<script") == 3
    assert reader.text.count("<script>alert(") >= 6


def test_what_is_embedded_for_scripts_cannot_end_the_script(make_result, read):
    evil = "</script><script>alert(1)</script>"
    basis = field_basis({evil: lambda x, y: (y, x), "<!--": lambda x, y: (x, y)}, name=evil)
    page = render_page(make_result([1, 0], basis=basis, settings={"name": evil}), folder_name=evil)
    reader = read(page)
    assert len(reader.all("script")) == page.count("</script>") == 3
    data = [json.loads(text) for text in reader.scripts if text.startswith("{")]
    assert [g["unit"] for g in data[0]["generators"]] == ["plain"]


def test_equations_as_mathematics():
    assert typeset("-y d/dx + 0.5 x^2 d/dy") == (
        "\N{MINUS SIGN}<i>y</i>_\N{PARTIAL DIFFERENTIAL}<sub>x</sub> +_0.5_<i>x</i><sup>2</sup>_"
        "\N{PARTIAL DIFFERENTIAL}<sub>y</sub>"
    ).replace("_", "\N{NO-BREAK SPACE}")
    assert typeset("a<b sct-x xy") == "a&lt;b sct-x <i>x</i><i>y</i>"


def test_equations_in_words():
    assert spoken("-y d/dx + 0.5 x^2 d/dy - xy d/dx") == (
        "minus y d by dx plus 0.5 x squared d by dy minus x y d by dx"
    )
    assert spoken("sct-x - 0.1 my-field") == "sct-x minus 0.1 my-field"


@pytest.mark.parametrize("palette", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])
def test_text_stands_out_from_its_ground_in_every_scheme(palette):
    def luminance(colour: str) -> float:
        # WCAG 2's relative luminance.
        channels = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    def contrast(first: str, second: str) -> float:
        low, high = sorted(luminance(palette[name]) for name in (first, second))
        return (high + 0.05) / (low + 0.05)

    for letters, ground in itertools.product(*TEXT_ON_GROUND):
        assert contrast(letters, ground) >= 4.5, (letters, ground)
    assert contrast("edge", "ground") >= 3.0


def test_the_schemes_of_the_page_are_those_of_the_palette(make_result):
    style = render_page(make_result()).partition("<style>")[2].partition("</style>")[0]
    blocks = re.findall(r"\{ color-scheme: (\w+); (--[^}]*)\}", style)
    schemes = [(name, dict(re.findall(r"--([\w-]+): ([^;]+);", block))) for name, block in blocks]
    assert schemes == [("light", LIGHT), ("dark", DARK), ("dark", DARK), ("light", PAPER)]
    used = set(re.findall(r"var\(--(\w+)\)", style))
    assert used <= {*LIGHT, "serif", "sans", "mono"}


def test_the_citation_is_that_of_the_repository():
    text = " ".join((ROOT / "CITATION.cff").read_text(encoding="utf-8").split())
    title, journal, volume, page, year, doi = (
        re.findall(pattern, text)[-1]
        for pattern in (
            r"title: ([^:]+?) authors:", r"journal: ([\w ]+?) volume:", r"volume: (\d+)", r'start: "(\d+)"',
            r"year: (\d+)", r"doi: (\S+)",
        )
    )  # fmt: skip
    software, paper = citations("1.2.3")
    for value in (title, journal, volume, page, year, doi):
        assert value in paper.text
        assert value in re.sub("[{}]", "", paper.bibtex)
    for name in re.findall(r"family-names: (\w+)", text):
        assert name in paper.text
        assert name in paper.bibtex
    assert re.findall(r'title: "([^"]+)"', text)[0] in software.text
    assert "version = {1.2.3}" in software.bibtex
    assert software.bibtex.count("{") == software.bibtex.count("}")


def test_minus_signs_in_prose():
    assert prose("between -60 and -0.5, so-called 1e-7 e-5") == (
        "between \N{MINUS SIGN}60 and \N{MINUS SIGN}0.5, so-called 1e-7 e-5"
    )


def test_the_same_result_gives_the_same_page(make_result):
    assert render_page(make_result("rotation")) == render_page(make_result("rotation"))


def test_brackets_are_shown_where_the_algebra_is_closed(make_result, read):
    # [d/dx, -y d/dx + x d/dy] = d/dy, the second by 0.7071 of itself.
    constants = np.zeros((3, 3, 3))
    constants[0, 2, 1], constants[1, 2, 0] = 0.7071, -0.7071
    constants -= constants.swapaxes(0, 1)
    algebra = {"dimension": 3, "name": "se(2)", "closed": True, "structure_constants": constants.tolist()}
    fields = ("translation-x", "translation-y", "rotation")
    text = read(render_page(make_result(*fields, algebra=algebra))).text
    for words in ("[X 1 , X 2 ] 0", "[X 1 , X 3 ] 0.71 X 2", "[X 2 , X 3 ] \N{MINUS SIGN}0.71 X 1"):
        assert words in text
    open_algebra = algebra | {"closed": False}
    assert "[X" not in read(render_page(make_result(*fields, algebra=open_algebra))).text


def test_nested_settings_are_rows_of_their_own(make_result, read):
    text = read(render_page(make_result("rotation", settings={"config": {"loss": {"alpha": 0.1}}, "seed": 4}))).text
    assert "loss, alpha 0.1" in text
    assert "{" not in text.partition("Settings")[2]
