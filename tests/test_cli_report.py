"""``liescope report`` for several results."""

from __future__ import annotations

from pathlib import Path

import pytest

from liescope.cli import main


@pytest.fixture(autouse=True)
def in_a_folder_with_results(tmp_path, monkeypatch, make_result):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIESCOPE_DEBUG", raising=False)
    make_result("rotation").save("first")
    make_result("scale").save("second")
    make_result().save("deeper/first")


def test_several_results_go_on_one_page_in_the_current_folder(capsys):
    assert main(["report", "first", "second"]) == 0
    assert capsys.readouterr().out == "compare.html\n"
    page = Path("compare.html").read_text()
    assert "2 results side by side" in page
    assert "second" in page


def test_the_page_goes_where_it_is_wanted(capsys):
    assert main(["report", "first", "second", "deeper/first", "--out", "deeper/all.html", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    page = Path("deeper/all.html").read_text()
    # Equal last names are told apart by their paths.
    assert "deeper/first" in page
    assert not Path("compare.html").exists()


def test_one_result_may_go_elsewhere_too(capsys):
    assert main(["report", "first", "--out", "mine.html"]) == 0
    assert capsys.readouterr().out == "mine.html\n"
    assert Path("mine.html").read_bytes() == Path("first/report.html").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["first", "nowhere", "second"], "expected a result folder, got 'nowhere': no such folder"),
        (["first", "deeper"], "expected a result folder, got 'deeper': no result.json in it"),
        (["first", "second", "--out", "page.txt"], "ending in .html, got 'page.txt'"),
        (["first", "second", "--out", "no/page.html"], "in a folder that exists, got 'no/page.html'"),
        ([], "Missing argument 'DIR...'"),
    ],
)
def test_one_bad_word_writes_nothing(capsys, words, message):
    before = sorted(Path(".").rglob("*"))
    assert main(["report", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert sorted(Path(".").rglob("*")) == before


def test_a_result_that_is_broken_is_named(capsys):
    Path("second/result.json").write_text("{")
    assert main(["report", "first", "second"]) == 2
    assert "second/result.json" in capsys.readouterr().err
    assert not Path("compare.html").exists()
