"""The documentation site: it builds without a warning, its links lead somewhere, and its sessions print what it says.

The build runs every example of the gallery in its tiny mode, the only time that the suite runs them.
"""

from __future__ import annotations

import doctest
import html
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest import mock
from urllib.parse import unquote

import pytest

from liescope.data import TASKS
from liescope.geometry import KERNELS

ROOT = Path(__file__).parents[1]
GALLERY = sorted((ROOT / "examples" / "gallery").glob("plot_*.py"))
SESSIONS = sorted(path for path in (ROOT / "docs").glob("*.md") if ">>>" in path.read_text(encoding="utf-8"))
TOOLS = ("sphinx", "furo", "myst_parser", "sphinx_gallery", "sphinx_copybutton", "pandas")

# What an example must have printed: the answer that its text is about.
PRINTED = {
    "plot_01_digits_rotation": ["Rotation. Each target is its source rotated", "cosine of the two fields: 0.9999"],
    "plot_02_off_centre": ["centre: column 18.0", "row 9.0"],
    "plot_03_galaxies": ["Scaling. Each target is its source scaled", "border comes in: symmetry"],
    "plot_04_faces": ["Shear along x. Each target is its source sheared", "cosine with the truth: 1.00"],
    "plot_05_special_conformal": ["affine: no symmetry, nothing", "quadratic: symmetry, sct-x", "the truth: 0.999"],
    "plot_06_two_generators": ["2 symmetries: rotation and scaling", "so(2)+gl(1)", "smallest closed algebra: se(2)"],
    "plot_07_own_basis": ["X = vortex", "same coordinates: True", "affine only: symmetry (rotation)"],
    "plot_08_pandas_scikit_learn": ["translations", "Generator(translation-x: d/dx, basis='translations')"],
    "plot_09_latent_traversal": ["Rotation. Each target is its source rotated", "correlation with the truth: 0."],
    "plot_10_no_symmetry": ["rotated: symmetry", "targets swapped: no symmetry", "noise: no symmetry"],
    "plot_11_augmentation": ["as they are: ", "found symmetry: "],
    "plot_12_few_labels": ["rotation, full circle, +", "Labels stay the same when an image is rotated", "learnt: "],
    "plot_13_galaxies_labels": ["rotation, full circle, +", "rotation: "],
}


# What people look for who do not know our words.
LOOKED_FOR = (
    "uint16",
    "tif",
    "stack",
    "drift",
    "film",
    "dockerfile",
    "pipeline",
    "microscope",
    "json",
    "nodata",
    "cuda",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    missing = [name for name in TOOLS if importlib.util.find_spec(name) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"the extra 'docs' is not installed: {', '.join(missing)}")
    out = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "docs.site", "--tiny", "--out", str(out)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (out / "said.txt").write_text(run.stdout, encoding="utf-8")
    return out / "html"


def pages_of(site: Path) -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def broken_links(pages: Mapping[Path, str]) -> list[str]:
    """Local links that lead to no file, or to no place in a page."""
    places = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in pages.items()}
    broken = []
    for path, text in pages.items():
        for link in set(re.findall(r'\b(?:href|src)="([^"]+)"', text)):
            if re.match(r"[a-z]+:", link):
                continue
            file, _, place = html.unescape(link).partition("#")
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            if not target.exists() or (place and target in places and unquote(place) not in places[target]):
                broken.append(f"{path.name}: {link}")
    return broken


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


@pytest.mark.slow
def test_every_page_is_there(site: Path) -> None:
    written = [path.stem for path in (ROOT / "docs").glob("*.md")]
    measured = [f"measured/{path.stem}" for path in (ROOT / "benchmarks" / "results").glob("*.md")]
    gallery = [f"gallery/{path.stem}" for path in GALLERY]
    made = ["command-line", "changelog", "contributing", "api/index", "gallery/index", "measured/index"]
    missing = [name for name in (*written, *measured, *gallery, *made) if not (site / f"{name}.html").is_file()]
    assert len(written) >= 12
    assert len(GALLERY) >= 9
    assert missing == []


@pytest.mark.slow
def test_every_link_leads_somewhere(site: Path) -> None:
    pages = pages_of(site)
    assert broken_links(pages) == []
    index = site / "index.html"
    planted = '<a href="nowhere.html">a</a><a href="start.html#nowhere">b</a><a href="start.html">c</a>'
    assert sorted(broken_links({**pages, index: planted})) == [
        "index.html: nowhere.html",
        "index.html: start.html#nowhere",
    ]


def silent_pictures(text: str) -> list[str]:
    """Pictures in Markdown, reStructuredText or HTML that say nothing to whoever does not see them."""
    told = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text)
    silent = [place for words, place in told if len(words.split()) < 3]
    for place, options in re.findall(r"^ *\.\. (?:image|figure):: (\S+)\n((?: +:.*\n?)*)", text, re.MULTILINE):
        silent += [] if re.search(r":alt: *\S+ \S+ \S+", options) else [place]
    return silent + [tag for tag in re.findall(r"<img\b[^>]*>", text) if not re.search(r'\balt="[^"]*\w', tag)]


def test_every_picture_says_in_words_what_it_shows() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks" / "results").glob("*.md")]
    pages += list((ROOT / "examples" / "gallery").glob("*.rst"))
    texts = {page.name: page.read_text(encoding="utf-8") for page in pages}
    assert sum(text.count("![") for text in texts.values()) >= 6
    assert {name: silent for name, text in texts.items() if (silent := silent_pictures(text))} == {}
    planted = '![](a.png) ![fig](b.png)\n.. image:: c.png\n   :width: 9\n\n<img src="d.png"> ![what it shows](e.png)\n'
    assert silent_pictures(planted) == ["a.png", "b.png", "c.png", '<img src="d.png">']


@pytest.mark.slow
def test_every_picture_of_the_site_has_words(site: Path) -> None:
    tags = [tag for page in pages_of(site).values() for tag in re.findall(r"<img\b[^>]*>", page)]
    assert len(tags) > 30
    # Thumbnails stand beside their title, and switches are no pictures: an empty text is right for both.
    told = [tag for tag in tags if "_thumb.png" not in tag and 'class="toggler"' not in tag]
    assert len(told) > 20
    assert [tag for tag in told if not re.search(r'\balt="[^"]*\w', tag)] == []


@pytest.mark.slow
def test_words_that_people_look_for_are_found(site: Path) -> None:
    from sphinx.search.en import SearchEnglish

    index = json.loads((site / "searchindex.js").read_text(encoding="utf-8").partition("(")[2].rpartition(")")[0])
    stem = SearchEnglish({}).stem
    found = {word: index["terms"].get(stem(word), index["titleterms"].get(stem(word))) for word in LOOKED_FOR}
    assert [word for word, pages in found.items() if pages is None] == []


@pytest.mark.slow
def test_the_build_says_how_far_it_is(site: Path) -> None:
    said = (site.parent / "said.txt").read_text(encoding="utf-8").splitlines()
    steps = [line.partition("] ")[2] for line in said if re.match(r"site \[\d+ s\] ", line)]
    assert steps[0] == "gathering sources"
    examples = [f"example {k} of {len(GALLERY)}: {path.stem}" for k, path in enumerate(GALLERY, start=1)]
    assert [step for step in steps if step.startswith("example ")] == examples
    assert re.fullmatch(r"writing \d+ pages", steps[-1])


@pytest.mark.slow
def test_the_site_needs_no_network(site: Path) -> None:
    for path, page in pages_of(site).items():
        fetched = re.findall(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]*"', page)
        fetched += re.findall(r'<link\b(?![^>]*rel="canonical")[^>]*href="(?:https?:)?//[^"]*"', page)
        assert fetched == [], path
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", style.read_text(encoding="utf-8")) == [], style


@pytest.mark.slow
def test_formulas_are_shown_by_the_browser_itself(site: Path) -> None:
    theory = (site / "theory.html").read_text(encoding="utf-8")
    assert theory.count('<math display="block"') + theory.count('display="block"') >= 14
    assert "merror" not in theory
    assert "$" not in text_of(theory.partition("<article")[2].partition("</article>")[0])


@pytest.mark.slow
def test_every_public_name_is_in_the_api(site: Path) -> None:
    from docs.site.reference import FACADE, PACKAGES

    folders = [path.parent for path in (ROOT / "src" / "liescope").glob("*/__init__.py")]
    assert {f"liescope.{folder.name}" for folder in folders} - set(PACKAGES) <= {"liescope.cli"}
    for name in PACKAGES:
        page = (site / "api" / f"{name}.html").read_text(encoding="utf-8")
        public = set(importlib.import_module(name).__all__) - {"__version__"}
        shown = {member for member in public if f'id="{name}.{member}"' in page or f">{member}<" in page}
        assert shown == public, name
        if name != FACADE:
            assert {member for member in public if f'id="{name}.{member}"' in page} == public, name


@pytest.mark.slow
def test_shapes_are_readable_and_lead_to_the_source(site: Path) -> None:
    page = (site / "api" / "liescope.geometry.html").read_text(encoding="utf-8")
    assert "points: Float[Tensor, '*b d']" in text_of(page)
    assert "jaxtyping." not in text_of(page)
    assert "_modules/liescope/geometry/fields.html#" in page


@pytest.mark.slow
def test_every_command_and_option_is_described(site: Path) -> None:
    text = text_of((site / "command-line.html").read_text(encoding="utf-8"))
    source = (ROOT / "src" / "liescope" / "cli" / "application.py").read_text(encoding="utf-8")
    commands = re.findall(r"^@app\.command\(\)\ndef (\w+)", source, re.MULTILINE)
    assert len(commands) >= 5
    assert [name for name in commands if f"liescope {name.rstrip('_')}" not in text] == []
    assert [name for name in re.findall(r'"(--[a-z-]+)"', source) if name not in text] == []


@pytest.mark.slow
@pytest.mark.parametrize("example", GALLERY, ids=lambda path: path.stem)
def test_example_says_what_its_text_is_about(site: Path, example: Path) -> None:
    page = text_of((site / "gallery" / f"{example.stem}.html").read_text(encoding="utf-8"))
    assert [text for text in PRINTED[example.stem] if text not in page] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", SESSIONS, ids=lambda path: path.stem)
def test_the_sessions_of_a_page(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with mock.patch.dict(KERNELS), mock.patch.dict(TASKS):
        result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0, capsys.readouterr().out
