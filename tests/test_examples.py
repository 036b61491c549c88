"""Every example runs, in its tiny mode; those of the gallery run in test_docs.py, where the site is built."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(example), "--tiny"])
    runpy.run_path(str(example), run_name="__main__")
    assert "rotated counter-clockwise" in " ".join(capsys.readouterr().out.split())


def test_the_demo_leaves_its_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo = runpy.run_path(str(next(path for path in EXAMPLES if path.stem == "demo")))
    result = demo["main"](Path("demo"), tiny=True)
    assert result.generators[0].generator.name == "rotation"
    assert Path("demo/report.html").is_file()
