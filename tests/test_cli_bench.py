"""``liescope bench``: quick runs of every benchmark, what they write, and every way to ask wrongly."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liescope.cli import benching, main
from liescope.data import load_corpus
from liescope.evaluation.benchmarks import BENCHMARKS, DEFAULTS, Options, Record, environment
from liescope.evaluation.benchmarks.suite.methods import METHODS, QUICK_METHODS
from liescope.evaluation.benchmarks.table import Column, Table, value


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIESCOPE_DEBUG", raising=False)


def read(name: str, folder: str = "out") -> dict[str, Any]:
    """A record after a look at what all have in common."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    record: dict[str, Any] = json.loads(Path(folder, f"{name}.json").read_text("utf-8"), parse_constant=refuse)
    assert set(record) == {"schema", "name", "title", "passed", "environment", "settings", "tables", "runs"}
    assert (record["schema"], record["name"]) == ("liescope.benchmark/1", name)
    assert {"date", "commit", "versions", "threads", "cpu"} <= set(record["environment"])
    page = Path(folder, f"{name}.md").read_text("utf-8")
    for table in record["tables"]:
        assert table["rows"]
        assert f"### {table['title']}" in page
        for row in table["rows"]:
            assert {"passed", "missed", "seconds_median"} <= set(row)
    with Path(folder, f"{name}.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(record["runs"])
    for path in Path(folder).iterdir():
        assert str(Path.cwd()) not in path.read_text("utf-8")
    return record


def test_headline(capsys):
    assert main(["bench", "headline", "--quick", "--out", "out"]) == 0
    told = capsys.readouterr()
    assert "headline.json" in told.out
    assert "liescope: headline" in told.err
    rows, (whole,) = (table["rows"] for table in read("headline")["tables"])
    assert [row["transform"] for row in rows] == ["rotation", "scale"]
    for row in rows:
        assert row["cosine"] > 0.999 > 0.5 > row["null_cosine"]
        assert row["w1"] < 0.01 < row["null_w1"]
        assert row["pearson"] > 0.99 > row["null_pearson"]
    assert (whole["runs"], whole["cosine"]) == (2, min(row["cosine"] for row in rows))


def test_lconv_prints_json(capsys):
    assert main(["bench", "lconv", "--quick", "--json", "--out", "out"]) == 0
    assert json.loads(capsys.readouterr().out) == read("lconv")
    for row in read("lconv")["tables"][0]["rows"]:
        assert row["cosine"] > 0.999
        assert row["matrix_cosine"] > 0.999
        assert row["published"] < row["exact_half_pixel"] < 0.999
        assert row["angle_error_median"] < 0.1


def test_symnist_on_other_images(capsys):
    digits = np.asarray(load_corpus("mnist-5k").images[:100])
    Path("private").mkdir()
    np.savez("private/mine.npz", images=digits)
    corpus = str(Path("private/mine.npz").absolute())
    words = ["bench", "symnist2023", "--quick", "--quiet", "--corpus", corpus, "--seeds", "4", "--out", "deep/out"]
    assert main(words) == 0
    assert capsys.readouterr() == ("", "")
    record = read("symnist2023", "deep/out")
    assert record["settings"]["corpus"] == record["runs"][0]["problem"]["corpus"] == "mine"
    assert [row["law"] for row in record["tables"][0]["rows"]] == ["uniform", "normal", "five-modal"]
    assert [row["seeds"] for row in record["tables"][0]["rows"]] == [[4]] * 3
    assert [row["modes"] for row in record["tables"][0]["rows"]] == [[1], [1], [5]]


def test_methods_side_by_side():
    words = ["bench", "methods", "--quick", "--transforms", "shear-x", "--methods", "registration,least-squares"]
    assert main([*words, "--out", "out"]) == 0
    normal, small = (table["rows"] for table in read("methods")["tables"])
    assert [row["method"] for row in normal] == [row["method"] for row in small] == ["registration", "least-squares"]
    assert [row["passed"] for row in normal] == [True, None]
    assert all(row["cosine"] > 0.99 for row in small)
    # What a first-order expansion is for, and what not.
    assert normal[1]["w1"] > 3 * small[1]["w1"]


def test_trained_methods_stop_where_they_are_told():
    pytest.importorskip("lightning")
    words = ["bench", "methods", "--quick", "--methods", "latent,latent-cold,latent-paper", "--epochs", "1"]
    assert main([*words, "--transforms", "translation-x", "--out", "out"]) == 0
    rows = read("methods")["tables"][0]["rows"]
    assert [row["method"] for row in rows] == ["latent", "latent-cold", "latent-paper"]
    assert rows[0]["cosine"] > 0.99  # the warm start's
    assert [row["passed"] is None for row in rows] == [False, False, True]
    assert all(row["pairs"] == 24 for row in rows)  # held out


def test_a_method_whose_package_is_missing_is_left_out_and_named(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "kornia" else find(name, *a))
    words = ["bench", "methods", "--quick", "--transforms", "rotation", "--out", "out", "--methods"]
    assert main([*words, "kornia-pairs"]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert "kornia is not installed, try pip install kornia, or pip install '.[bench]'" in message
    assert not Path("out").exists()
    assert main([*words, "least-squares,kornia-pairs"]) == 0
    assert "Left out: kornia-pairs, kornia is not installed" in capsys.readouterr().out
    assert read("methods")["settings"]["methods"] == ["least-squares"]


def fake(name: str, seen: list[Options], fail: type[BaseException] | None = None) -> Any:
    def run(options: Options) -> Record:
        seen.append(options)
        options.progress(name, 0.5)
        if fail is not None:
            raise fail
        row = {"a": 1, "passed": False, "missed": ["a"], "seconds_median": 1.0}
        return Record(name, name.title(), [Table("T", [Column("a", value("a"))], [row])], [{"a": 1}], {})

    return run


def test_without_a_name_all_run_but_for_long_trainings(monkeypatch, capsys):
    seen: list[Options] = []
    monkeypatch.setattr(benching, "BENCHMARKS", {name: fake(name, seen) for name in BENCHMARKS})
    assert main(["bench", "--out", "out", "--seeds", "3,1", "--processes", "2"]) == 0
    assert {path.stem for path in Path("out").iterdir()} == set(DEFAULTS)
    assert {(one.seeds, one.processes, one.methods) for one in seen} == {((3, 1), 2, QUICK_METHODS)}
    assert set(QUICK_METHODS) < set(METHODS)
    assert "targets missed" in capsys.readouterr().out
    assert main(["bench", "--json", "--out", "out"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["benchmarks"]] == list(DEFAULTS)


def test_what_is_complete_is_kept_when_it_is_stopped(monkeypatch):
    seen: list[Options] = []
    runs = {"headline": fake("headline", seen), "methods": fake("methods", seen, KeyboardInterrupt)}
    monkeypatch.setattr(benching, "BENCHMARKS", runs)
    assert main(["bench", "--out", "out"]) == 130
    assert sorted(path.name for path in Path("out").iterdir()) == ["headline.csv", "headline.json", "headline.md"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hedline"], "unknown benchmark 'hedline'. Did you mean 'headline'?"),
        (["methods", "--methods", "registraton"], "unknown method 'registraton'. Did you mean 'registration'?"),
        (["headline", "--transforms", "rotate"], "unknown transform 'rotate'. Did you mean 'rotation'?"),
        (["symnist2023", "--transforms", "sct-x"], "unknown transform 'sct-x' for symnist2023"),
        (["headline", "--seeds", "1,1"], "different whole numbers"),
        (["headline", "--seeds", "0.5"], "different whole numbers"),
        (["headline", "--seeds", "one"], "expected numbers separated by commas for --seeds"),
        (["headline", "--processes", "0"], "--processes of at least 1"),
        (["methods", "--epochs", "0"], "--epochs of at least 1"),
        (["lconv", "--corpus", "mnist-5k"], "expected --corpus with one of headline, methods, symnist2023"),
        (
            ["--methods", "registration"],
            "expected --methods with one of methods, pictures, type2, got it with all benchmarks",
        ),
        (["headline", "--kinds", "clean"], "expected --kinds with one of pictures, type2, got it with headline"),
        (["pictures", "--kinds", "claen"], "unknown kind 'claen'. Did you mean 'clean'?"),
        (["pictures", "--images", "tunning"], "unknown picture 'tunning'. Did you mean 'tuning'?"),
        (["pictures", "--methods", "registration"], "unknown method 'registration'"),
        (["headline", "--corpus", "mnst-5k"], "mnist-5k"),
    ],
)
def test_bad_usage_is_one_line_and_writes_nothing(words, message, capsys):
    assert main(["bench", *words, "--out", "out"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert message in error[-1]
    assert len(error) == 1
    assert not Path("out").exists()


def test_any_benchmark_is_run_by_its_name(capsys):
    assert main(["bench", "laws", "--quick", "--out", "out"]) == 0
    assert "laws.json" in capsys.readouterr().out
    (row,) = read("laws")["tables"][0]["rows"]
    assert (row["law"], row["modes"]) == ("two-modal", [2])
    assert row["cosine"] > 0.99


def test_every_benchmark_is_named_by_the_help(capsys):
    assert main(["bench", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert [name for name in BENCHMARKS if name not in told] == []
    for name, benchmark in BENCHMARKS.items():
        assert benchmark.module.__name__.endswith(f".suite.{name}")


def test_uncommitted_numbers_do_not_get_among_the_committed_ones(monkeypatch, capsys):
    seen: list[Options] = []
    monkeypatch.setattr(benching, "BENCHMARKS", {"lconv": fake("lconv", seen)} | dict.fromkeys(BENCHMARKS))
    monkeypatch.setattr(environment, "results_folder", lambda: Path("results").absolute())
    monkeypatch.setattr(environment, "commit", lambda: f"{'a' * 40}-dirty")
    assert main(["bench", "--out", "results"]) == 2
    assert "expected a checkout without uncommitted changes" in capsys.readouterr().err
    assert (seen, list(Path.cwd().iterdir())) == ([], [])
    assert environment.refusal(Path("elsewhere"), Path("results"), tiny=False) is None
    assert environment.refusal(Path("results"), None, tiny=False) is None
    assert environment.refusal(Path("results/deep"), Path("results"), tiny=True) is not None


def test_a_file_in_place_of_the_folder_is_refused(capsys):
    Path("out").write_text("mine")
    assert main(["bench", "lconv", "--quick", "--out", "out"]) == 2
    assert "expected an output folder, got the file 'out'" in capsys.readouterr().err
    assert Path("out").read_text() == "mine"
    assert main(["bench", "lconv"]) == 2
    assert "--out" in capsys.readouterr().err
