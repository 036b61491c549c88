"""Several results on one page, and how far they agree."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from liescope import InputError
from liescope.evaluation import field_cosine, principal_angles
from liescope.geometry import quadratic
from liescope.report import render_comparison
from liescope.report.agreement import cosine_matrix, span_degrees


def test_cosines_are_those_of_the_evaluation(make_result):
    fields = ("rotation", "off-centre", "general")
    results = [make_result(*fields[:2]), make_result(fields[2])]
    matrix = cosine_matrix(results)
    generators = [g.generator.coefficients for r in results for g in r.generators]
    for i, j in itertools.product(range(3), repeat=2):
        expected = field_cosine(generators[i], generators[j], "affine", (12, 12))
        assert matrix[i, j] == pytest.approx(expected, abs=1e-9)


def test_results_in_different_bases_are_compared_as_vector_fields(make_result):
    wide = np.zeros(12)
    wide[[2, 7]] = -1, 1
    results = [make_result("rotation"), make_result(wide, basis=quadratic())]
    assert cosine_matrix(results)[0, 1] == pytest.approx(1)
    assert span_degrees(results)[0, 1] == pytest.approx([0], abs=1e-6)


def test_spans_are_compared_by_principal_angles(make_result):
    first, second = make_result("rotation", "scale"), make_result("off-centre", "general")
    a, b = (np.array([g.generator.coefficients for g in r.generators]) for r in (first, second))
    expected = principal_angles(a, b, "affine", (12, 12))
    found = span_degrees([first, make_result(), second])
    assert list(found) == [(0, 2)]
    assert found[0, 2] == pytest.approx(expected, abs=1e-6)
    mixed = [[1, 1], [1, -2]] @ a
    assert span_degrees([first, make_result(*mixed)])[0, 1] == pytest.approx([0, 0], abs=1e-5)


def test_the_page_has_every_result(make_result, read):
    results = [make_result("rotation"), make_result("rotation", "translation-x"), make_result(), make_result("scale")]
    page = render_comparison(results, ["one", "two <b>", "none", "four"])
    reader = read(page)
    for words in ("A one", "B two <b>", "C none", "D four", "No symmetry found", "3 of 4 find a symmetry"):
        assert words in reader.text
    assert "<b>" not in re.sub(r"<b>[A-D]\w?</b>|<td><b>", "", page)
    drawings = [d for d in reader.all("svg") if d.get("role") == "img"]
    # A field for every generator; laws in degrees (two), pixels and log-factors.
    assert len(drawings) == 4 + 3
    assert all(d["aria-label"] for d in drawings)
    identifiers = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    assert "nan" not in reader.text.lower().split()
    assert page == render_comparison(results, ["one", "two <b>", "none", "four"])
    assert not re.search(r"url\((?!#)|@import|<link|https?://(?!www.w3.org)", page)


def test_different_roots_have_their_own_chance_and_error(make_result, read):
    contrast = {"ratio": 3.1, "p_value": 0.01, "gain_p_value": 0.004, "soft": None}
    evidence = {"heldout_error": 0.02, "identity_error": 0.05}
    same = make_result("rotation", evidence=evidence | {"p_value": 0.002})
    different = make_result("rotation", evidence=evidence | {"contrast": contrast})
    text = read(render_comparison([same, different], ["same", "different"])).text
    assert "on held-out pairs" in text
    assert "over all pairs" in text
    assert "p = 0.004" in text
    assert "p = 0.01" not in text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((("rotation",), ("rotation",)), "All find the same symmetry"),
        ((("rotation",), ("scale",)), "They find different symmetries"),
        ((("rotation",), ("rotation", "scale")), "They find different numbers of generators: 1 and 2."),
        (((), ()), "None of them finds a symmetry."),
    ],
)
def test_the_sentence_says_whether_they_agree(make_result, fields, sentence, read):
    page = render_comparison([make_result(*names) for names in fields], ["a", "b"])
    assert sentence in read(page).text


def test_cosines_are_never_rounded_to_agreement(make_result, read):
    near = make_result([0, 0.01, -1, 0, 1, 0])
    assert "over 0.999" in read(render_comparison([make_result("rotation"), near], ["a", "b"])).text


@pytest.mark.parametrize(("count", "names"), [(1, ["a"]), (2, ["a"])])
def test_a_comparison_needs_two_results_with_names(make_result, count, names):
    with pytest.raises(InputError, match="two results or more"):
        render_comparison([make_result("rotation")] * count, names)
