"""The tables of docs/algebra.md against the code."""

import re
from pathlib import Path

import numpy as np
import pytest

from liescope.algebra import (
    ALGEBRA_WORDS,
    NAMED_ALGEBRAS,
    AlgebraDescription,
    canonical_coefficients,
    describe_algebra,
)
from liescope.geometry import quadratic

PAGE = (Path(__file__).parents[2] / "docs" / "algebra.md").read_text(encoding="utf-8")
SINGLE = {
    "t(1)": "translation-x",
    "so(2)": "rotation",
    "gl(1)": "scale",
    "so(1,1)": "hyperbolic",
    "shear": "shear-x",
    "one-parameter": "scale-x",
}
EXAMPLES: dict[str, tuple[str, ...]] = {
    **NAMED_ALGEBRAS,
    **{name: (field,) for name, field in SINGLE.items()},
    "aff(1)": ("translation-x", "scale-x"),
    "abelian": ("scale", "hyperbolic"),
    "solvable": ("translation-x", "translation-y", "hyperbolic"),
}


def rows() -> dict[str, list[str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|"]
    return {row[0].strip("`"): row[1:] for row in cells if len(row) == 7 and row[0].startswith("`")}


def test_every_name_has_its_row_and_its_words() -> None:
    assert set(rows()) | {"trivial"} == set(ALGEBRA_WORDS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_rows_are_what_the_code_says(name: str) -> None:
    fields = [c for n in EXAMPLES[name] if (c := canonical_coefficients(n, quadratic())) is not None]
    found = describe_algebra(np.stack(fields, axis=1), quadratic(), (28, 28))
    dimension, _, killing, derived, centre, _ = rows()[name]
    assert found.name == name
    assert dimension in (str(found.dimension), "any")
    if re.match(r"\d", killing):
        assert killing == ", ".join(str(n) for n in found.killing_signature or ())
    if derived:
        assert derived == str(found.derived_dimension)
        assert centre in (str(found.centre_dimension), "all")


def test_every_field_has_its_row() -> None:
    section = PAGE.partition("## What is described")[2].partition("\n## ")[0]
    named = {
        name for line in section.splitlines() if line[:1] == "|" for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert named == set(AlgebraDescription._fields)
