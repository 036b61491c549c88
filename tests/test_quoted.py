"""Every number that the documentation quotes from a benchmark is what the committed record says."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
RECORD = {
    "tables": [
        {
            "rows": [
                {"case": "a", "cosine": 0.99896, "seconds": 61.0, "error": None},
                {"case": "b", "cosine": 0.9, "n": 2},
            ]
        },
        {"rows": [{"case": "c, d", "cosine": 0.5, "seconds": 1.25, "target": {"cosine": 0.999}}]},
    ],
    "findings": [{"measured": "Cosine 0.99956 of 1,210 runs."}],
}


@pytest.fixture
def quoted(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.quoted")


def test_every_quoted_number_is_that_of_its_record(quoted) -> None:
    found = {
        name: quoted.faults((ROOT / name).read_text(encoding="utf-8"), sections, quoted.read)
        for name, sections in quoted.CHECKED.items()
    }
    assert {name: faults for name, faults in found.items() if faults} == {}
    assert (ROOT / "docs" / "speed.md").read_text(encoding="utf-8").count("<!-- methods: ") > 10


@pytest.mark.parametrize("name", [path.name for path in (ROOT / "docs").glob("*.md")] + ["README.md"])
def test_no_mark_breaks_a_paragraph_or_a_table(name) -> None:
    page = (ROOT / name if name == "README.md" else ROOT / "docs" / name).read_text(encoding="utf-8")
    # A line that begins with a comment ends the paragraph before it; a bar inside of one ends the cell.
    blocks = [block.strip("\n") for block in re.split(r"\n{2,}", page)]
    assert [block for block in blocks if re.search(r"^ *<!--", block, re.MULTILINE) and block[:4] != "<!--"] == []
    assert [comment for comment in re.findall(r"<!--.*?-->", page, re.DOTALL) if "|" in comment] == []


@pytest.mark.parametrize(
    "name", ["README.md", "docs/speed.md", "docs/evidence.md", "docs/latent.md", "docs/engines.md"]
)
def test_readers_see_the_page_as_if_there_were_no_marks(name) -> None:
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")
    page = (ROOT / name).read_text(encoding="utf-8")

    def seen(text: str) -> list[str]:
        return re.sub(r"<!--.*?-->", "", markdown.render(text), flags=re.DOTALL).split()

    assert seen(page) == seen(re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL))


@pytest.mark.parametrize(
    "text",
    [
        "0.998<!-- r: max tables.rows.cosine, down -->",
        "0.999<!-- r: max tables.rows.cosine -->",
        "0.5 to 1.0<!-- r: range tables.rows.cosine, out -->",
        "0.90<!-- r: tables[0].rows[1].cosine -->",
        "1<!-- r: tables.rows[case=a].seconds / 60 --> minute",
        "125<!-- r: tables[1].rows.seconds x 100 -->",
        "60<!-- r: max tables.rows.seconds to 10 --> seconds",
        "25 %<!-- r: tables[1].rows.seconds x 100 - 100 -->",
        "3<!-- r: count tables.rows --> rows",
        "2<!-- r: count tables.rows[case!=b] --> rows, 2<!-- r: count tables.rows[case=a/b] --> rows",
        "2.4<!-- r: sum tables[0/1].rows.cosine -->",
        "60<!-- r: min tables.rows.cosine degrees -->",
        "0.099<!-- r: max tables[0].rows[case=a].cosine minus tables[0].rows[case=b].cosine -->",
        "0.999<!-- r: tables[1].rows.target.cosine -->",
        "0.99956<!-- r: text findings[0].measured -->, 1,210<!-- r: text findings.measured -->",
        "`5` of 7 pairs<!-- set-up: 7 pairs -->, W1 in L2\n\n    12 34\n\n1. one",
    ],
)
def test_what_is_right_passes(quoted, text) -> None:
    assert quoted.faults(text, (), lambda name: {"r": RECORD}[name]) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("0.999<!-- r: max tables.rows.cosine, down -->", "the record says 0.998"),
        ("0.6 to 1.0<!-- r: range tables.rows.cosine -->", "the record says 0.5 to 1.0"),
        ("in 0.5<!-- r: range tables.rows.cosine -->", "expected 2 numbers"),
        ("0.9<!-- r: tables.rows.cosine -->", "expected one value"),
        ("0.9<!-- r: max tables.rows.cosin -->", "expected a value at tables.rows.cosin"),
        ("0.9<!-- r: max tables.rows.error -->", "expected a value at"),
        ("0.9<!-- s: max tables.rows.cosine -->", "'s'"),
        ("0.9<!-- r: largest of all -->", "expected a mark"),
        ("0.9<!-- a note -->", "expected a mark"),
        ("0.9996<!-- r: text findings.measured -->", "the record says none"),
        ("it takes 3 seconds", "without a mark: 3"),
        ("28 x 28 of 17<!-- set-up: 28 x 28 -->", "without a mark: 17"),
        ("nothing<!-- set-up: 28 x 28 -->", "listed, but not on the page: '28 x 28'"),
    ],
)
def test_what_is_wrong_is_told(quoted, text, fault) -> None:
    found = quoted.faults(text, (), lambda name: {"r": RECORD}[name])
    assert any(fault in one for one in found), found


def test_only_the_named_sections_must_be_marked(quoted) -> None:
    page = "# T\n\n## Free\n\n7 things\n\n## Bound\n\n8 things\n"
    assert [one.partition(" in ")[0] for one in quoted.faults(page, ("Bound",), dict)] == ["without a mark: 8"]
    with pytest.raises(ValueError, match="expected a section"):
        quoted.faults(page, ("Gone",), dict)
