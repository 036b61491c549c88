"""What notebooks show of results, generators and fitted detectors."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn import config_context

from liescope import SymmetryDetector
from liescope.algebra import Generator
from liescope.data import make_pairs
from liescope.geometry import affine, field_basis


def test_a_generator_shows_its_equation_and_its_field(read):
    shown = read(Generator([0, 0, -1, 0, 1, 0])._repr_html_())
    assert "X=\N{MINUS SIGN}y\N{PARTIAL DIFFERENTIAL}x+x\N{PARTIAL DIFFERENTIAL}y" in "".join(shown.text.split())
    for text in ("rotation", "(13.5, 13.5) pixels", "40.51 degrees", "affine (6 fields)"):
        assert text in shown.text
    assert shown.drawings() == ["vector field of -y d/dx + x d/dy"]


@pytest.mark.parametrize("shape", [(28, 28), (10, 40), (40, 10)])
def test_arrows_of_the_small_field_lie_inside_and_follow_the_field(shape, read):
    generator = Generator([0.1, 1, 0.3, -0.7, -0.2, 0.4], domain=shape)
    (drawing,) = [attributes for tag, attributes in read(generator._repr_html_()).tags if tag == "svg"]
    width, height = (float(drawing[side] or "nan") for side in ("width", "height"))
    assert max(width, height) == 132
    assert width / height == pytest.approx(shape[1] / shape[0])
    shafts = re.search(r'<path d="([^"]+)"', generator._repr_html_())
    assert shafts is not None
    ends = np.array([float(n) for n in re.findall(r"-?[\d.]+", shafts[1])]).reshape(-1, 2, 2)
    assert (ends >= -2).all()
    assert (ends <= np.array([width, height]) + 2).all()
    # Back from pixels of the drawing, whose y points down.
    feet, necks = ((ends[:, k] - np.array([width, height]) / 2) * np.array([2, -2]) / 132 for k in (0, 1))
    vectors, field = necks - feet, generator.field((feet + necks) / 2)
    cosine = (vectors * field).sum(1) / np.linalg.norm(vectors, axis=1) / np.linalg.norm(field, axis=1)
    assert len(cosine) > 15
    assert cosine.min() > 0.9
    assert np.median(cosine) > 0.99


def test_a_found_generator_tells_how_sure_it_is(make_result, read):
    shown = read(make_result("off-centre").generators[0]._repr_html_())
    assert "uncertain by 0.4 degrees" in shown.text
    assert len(shown.drawings()) == 1


@pytest.mark.parametrize("fields", [(), ("rotation",), ("rotation", "translation-x", "general")])
def test_a_result_shows_verdict_fields_laws_and_numbers(make_result, fields, read):
    result = make_result(*fields, reason="nothing beats chance")
    shown = read(result._repr_html_())
    assert ("Nothing beats chance." if not fields else "rotated counter-clockwise") in shown.text
    for text in ("90 %", "p = 0.002", "1.2 s by the registration engine"):
        assert text in shown.text
    labels = shown.drawings()
    assert [label.split()[0] for label in labels] == ["vector", "histogram"] * len(fields)
    assert "nan" not in shown.text.lower()
    assert result._repr_html_() == result._repr_html_()


def test_what_is_shown_needs_nothing_else_and_leaks_nothing(make_result, read):
    one, other = make_result("rotation"), make_result("rotation", t=np.linspace(0, 1, 60)[:, None])
    text = one._repr_html_() + other._repr_html_() + make_result("scale", "shear-x")._repr_html_()
    shown = read(text)
    assert not {"script", "style", "link", "iframe", "img"} & {tag for tag, _ in shown.tags}
    assert not re.search(r"url\((?!#)|@import|(?:src|srcset)=", text)
    identifiers = [attributes["id"] for _, attributes in shown.tags if "id" in attributes]
    assert identifiers
    assert len(identifiers) == len(set(identifiers))
    # Light or dark: nothing is drawn in a colour that only one of them shows.
    assert set(re.findall(r"#[0-9a-f]{6}\b", text)) <= {"#2f80c8", "#cf5f12"}
    used = set(re.findall(r"var\((--\w+)", text))
    assert used
    assert used <= set(re.findall(r"(--\w+):", text))


@pytest.mark.parametrize("evidence", [{}, {"p_value": float("nan"), "heldout_error": None}])
def test_a_result_without_evidence_or_accepted_pairs_can_be_shown(make_result, evidence, read):
    shown = read(make_result("hyperbolic", evidence=evidence, accepted=np.zeros(60, bool))._repr_html_())
    assert "unknown" in shown.text
    assert "nan" not in shown.text


def test_whatever_is_in_the_data_is_text(make_result, read):
    evil = "<script>alert('1')</script>\"&"
    basis = affine() + field_basis({evil: lambda x, y: (y, x)}, name=evil)
    result = make_result([0, 0, -1, 0, 1, 0, 0.5], basis=basis, engine=evil, algebra={"name": evil})
    none = make_result(reason=evil)
    found = result.generators[0]
    for shown in (result, none, found, found.generator):
        text = shown._repr_html_()
        assert "<script" not in text
        assert "<script>alert(" in read(text).text


def test_a_detector_shows_its_answer_once_it_has_one():
    detector = SymmetryDetector(n_generators=1)
    plain = detector._repr_mimebundle_()
    assert "sk-estimator" in plain["text/html"]
    assert "Rotation" not in plain["text/html"]
    pairs = make_pairs("symnist", corpus="digits8", transform="rotation", range=40, pairs=60)
    detector.fit(pairs.source, pairs.target)
    bundle = detector._repr_mimebundle_()
    assert bundle["text/plain"] == plain["text/plain"] == "SymmetryDetector(n_generators=1)"
    assert detector.result_._repr_html_() in bundle["text/html"]
    assert "sk-estimator" in bundle["text/html"]
    assert detector.result_._repr_html_() in detector._repr_html_()
    with config_context(display="text"):
        assert set(detector._repr_mimebundle_()) == {"text/plain"}
