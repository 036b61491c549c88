"""Files, page and command of reproduced figures, with a figure that takes no time."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from liescope.cli import main
from liescope.errors import InputError
from liescope.reproduce import FIGURES, Finding, Reproduction, Request, reproduce
from liescope.reproduce import registry as registry_module
from liescope.reproduce.page import render_reproductions
from liescope.reproduce.writing import read_findings, write_reproduction


def drawn(request: Request, name: str = "fig4") -> Reproduction:
    request.progress("drawing", 0.5)
    figures = {}
    for ending in ("", "second"):
        figures[ending] = Figure(figsize=(2, 1), facecolor="white")
        figures[ending].add_subplot().plot([0, 1], [0, request.seed])
    return Reproduction(
        name,
        "Histograms <of> t",
        "What is seen, -3 to 3.",
        figures,
        [{"transform": "rotation", "cosine": 0.999, "w1": float("nan")}, {"transform": "scale, both", "cosine": 1.0}],
        [
            Finding("modes are right", "Fig. 4", "five of five (a Gaussian law: one)", "confirmed"),
            Finding("rarely correct", "Results", "cosine 0.999 (random: 0.35)", "improved"),
        ],
        {"pairs": request.size(10, 2000, 60000), "laws": ["uniform", "normal"]},
    )


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure's module is one that draws two lines."""

    def module(name: str) -> SimpleNamespace:
        return SimpleNamespace(make=lambda request: drawn(request, name.rpartition(".")[2]))

    monkeypatch.setattr(registry_module, "importlib", SimpleNamespace(import_module=module))


def test_a_request_knows_its_sizes() -> None:
    assert [Request(scale).size(1, 2, 3) for scale in ("quick", "full")] == [2, 3]
    assert Request("full", tiny=True).size(1, 2, 3) == 1
    with pytest.raises(InputError, match="Did you mean 'quick'"):
        Request("quik")
    with pytest.raises(InputError, match="seed"):
        Request(seed=-1)


def test_files_of_a_figure(tmp_path: Path) -> None:
    request = Request(galaxies="somewhere/deep/galaxies.npz", seed=3)
    written = write_reproduction(drawn(request), tmp_path / "new", request, 12.3)
    names = {path.name for path in written}
    pictures = {"fig4.png", "fig4.pdf", "fig4-second.png", "fig4-second.pdf"}
    assert names == pictures | {"fig4.csv", "fig4.json"} == {path.name for path in (tmp_path / "new").iterdir()}
    assert imread(tmp_path / "new" / "fig4.png").shape[:2] == (200, 400)
    assert (tmp_path / "new" / "fig4.pdf").read_bytes().startswith(b"%PDF")
    with (tmp_path / "new" / "fig4.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"transform": "scale, both", "cosine": "1.0", "w1": ""}
    told = json.loads((tmp_path / "new" / "fig4.json").read_text())
    assert told["settings"] == {
        "scale": "quick",
        "tiny": False,
        "seed": 3,
        "galaxies": "galaxies",
        "pairs": 2000,
        "laws": ["uniform", "normal"],
    }
    assert told["environment"]["versions"]["torch"]
    assert [finding["verdict"] for finding in told["findings"]] == ["confirmed", "improved"]
    assert read_findings(tmp_path / "new") == [told]


def test_the_same_request_gives_the_same_pictures(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_reproduction(drawn(Request()), tmp_path / folder, Request(), 1.0)
    for name in ("fig4.png", "fig4-second.pdf", "fig4.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_page_holds_every_figure_and_claim(tmp_path: Path) -> None:
    for name in ("fig7", "fig4"):
        write_reproduction(drawn(Request(), name), tmp_path, Request(), 1.0)
    (tmp_path / "fig3.json").write_text('{"schema": "something else"}')
    page = render_reproductions(tmp_path)
    assert page.index('id="fig4"') < page.index('id="fig7"')
    assert 'id="fig3"' not in page
    assert page.count("data:image/png;base64,") == 4
    assert "Histograms &lt;of&gt; t" in page
    assert page.count("rarely correct") == 2
    assert "Not in this folder: fig3," in page
    # Two confirmed, two improved, none refuted.
    assert re.findall(r"Claims ([a-z ]+)</dt><dd>(\d+)", page) == [
        ("confirmed", "2"),
        ("improved", "2"),
        ("not confirmed", "0"),
    ]
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)


@pytest.mark.usefixtures("instant")
def test_one_figure_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "fig5", "--out", str(tmp_path / "out"), "--seed", "2"]) == 0
    out = capsys.readouterr().out
    assert "fig5.png" in out
    assert "improved: rarely correct (Results): cosine 0.999 (random: 0.35)" in out
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [
        ".csv",
        ".json",
        ".pdf",
        ".pdf",
        ".png",
        ".png",
    ]


@pytest.mark.usefixtures("instant")
def test_all_figures_and_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "all", "--out", str(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    findings = json.loads(captured.out)["findings"]
    assert [finding["figure"] for finding in findings[::2]] == list(FIGURES)
    page = (tmp_path / "index.html").read_text()
    assert all(f'id="{name}"' in page for name in FIGURES)
    assert "Not in this folder" not in page
    assert "fig4: drawing" in captured.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fig44"], "unknown figure 'fig44'. Did you mean 'fig4'?"),
        (["fig4", "--scale", "ful"], "Did you mean 'full'?"),
        (["fig4", "--seed", "-1"], "seed"),
        (["fig6", "--galaxies", "missing.npz"], "missing.npz"),
    ],
)
@pytest.mark.usefixtures("instant")
def test_bad_requests_are_one_line_and_write_nothing(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", *words, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("mine")
    assert main(["reproduce", "fig4", "--out", str(tmp_path / "out")]) == 2
    assert "expected an output folder, got the file" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "mine"


def test_unknown_names_are_told_before_any_work() -> None:
    with pytest.raises(InputError, match="fig9"):
        next(reproduce(["fig4", "fig9"], Request(tiny=True)))
