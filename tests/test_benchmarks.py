"""Every benchmark runs in its tiny mode, and what they judge by can fail."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import json
import mmap
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from liescope.algebra import Generator
from liescope.data import make_pairs
from liescope.errors import InputError
from liescope.evaluation.benchmarks import BENCHMARKS, Options, Record, environment, memory, sweep
from liescope.evaluation.benchmarks.problems import Target, true_coefficients
from liescope.evaluation.benchmarks.suite import decision_runs
from liescope.evaluation.benchmarks.table import Column, Table, value
from liescope.reproduce.study import Finding, Reproduction, Request
from liescope.reproduce.writing import write_reproduction

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SWEEPS = ("accuracy", "laws", "noise", "quadratic")
HAS_KORNIA = importlib.util.find_spec("kornia") is not None


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture
def committed(monkeypatch):
    """Whatever the state of the checkout is, records are those of committed code."""
    monkeypatch.setattr(environment, "commit", lambda: "0123456789" * 4)


def module(name: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.{name}")


def suite(name: str) -> ModuleType:
    return BENCHMARKS[name].module


def run_tiny(name: str, folder: Path) -> None:
    # One thread: the tests may share their processor.
    module("command").main(BENCHMARKS, [name, "--tiny", "--threads", "1", "--out", str(folder)])


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory):
    """The folder of a benchmark that was run once for all tests that look at its record."""

    @functools.cache
    def run(name: str) -> Path:
        folder: Path = tmp_path_factory.mktemp(name)
        run_tiny(name, folder)
        return folder

    return run


def read(name: str, folder: Path) -> dict[str, Any]:
    """The record that was written, after a look at what all records have in common."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    text = (folder / f"{name}.json").read_text(encoding="utf-8")
    record: dict[str, Any] = json.loads(text, parse_constant=refuse)
    keys = {"schema", "name", "title", "passed", "environment", "settings", "tables", "runs"}
    assert set(record) == keys
    assert (record["schema"], record["name"], record["settings"]["tiny"]) == ("liescope.benchmark/1", name, True)
    environment = record["environment"]
    assert set(environment["versions"]) == {"python", "liescope", "torch", "numpy", "scipy"}
    assert {"date", "commit", "cpu", "cpu_count", "load_average", "system"} < set(environment)
    assert environment["threads"] == 1
    assert record["runs"]
    page = (folder / f"{name}.md").read_text(encoding="utf-8")
    for table in record["tables"]:
        assert table["rows"]
        assert f"### {table['title']}" in page
        for row in table["rows"]:
            assert row["seconds_median"] > 0
            assert row["seconds_iqr"] >= 0
    rows = sum(len(table["rows"]) for table in record["tables"])
    assert sum(line.startswith("| ") for line in page.splitlines()) == rows + 2 * len(record["tables"])
    return record


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_measures_real_detections(name, tiny_run):
    record = read(name, tiny_run(name))
    for row in (row for table in record["tables"] for row in table["rows"]):
        assert 0.99 < row["cosine"] <= 1
        assert row["generators"] == [1]
        assert row["target"]["cosine"] >= 0.99
        assert 0 <= row["t_error_median"] <= row["t_error_p90"] < 0.05
        assert 0 <= row["w1"] < 0.05
        assert 0.5 < row["accepted_fraction"] <= 1
        assert set(row["missed"]) <= {"cosine", "t error", "W1", "modes", "seconds"}
        if row["law"] == "two-modal":
            assert row["modes"] == [2]
        if row["order"] == 0:
            assert row["t_error_held"] < 0.005 < row["t_error_median"]


def test_scaling_measures_time_and_memory(tmp_path):
    run_tiny("scaling", tmp_path)
    by_count, by_side = (table["rows"] for table in read("scaling", tmp_path)["tables"])
    assert all(0.99 < row["cosine"] <= 1 for row in (*by_count, *by_side))
    assert [row["data_bytes"] for row in by_count] == [2 * 4 * 784 * row["pairs"] for row in by_count]
    if memory.peak_bytes() is not None:
        assert all(1e5 < row["peak_bytes"] < 1e9 for row in by_count)
    for row in by_side:
        nanoseconds = 1e9 * row["seconds_median"] / (row["pairs"] * row["side"] ** 2)
        assert row["nanoseconds_per_pixel_pair"] == pytest.approx(nanoseconds)


def test_the_latent_engine_is_measured_on_equal_and_different_roots(tmp_path):
    run_tiny("latent", tmp_path)
    equal, different = (table["rows"] for table in read("latent", tmp_path)["tables"])
    assert equal[0]["cosine"] > 0.99  # the warm start's
    assert 0 <= different[0]["cosine"] <= 1
    for row in (*equal, *different):
        # Nothing trained for two epochs decodes or measures well enough.
        assert "error" in row["missed"] or "count" in row["missed"] or "cosine" in row["missed"]
        assert row["passed"] is False
        # Hardly trained networks are no better than doing nothing, but they are compared with the same pairs.
        assert 0.05 < row["still"] < 0.2
        assert 0 < row["error"] < 1


def test_a_step_is_measured_beside_the_published_formulation(tmp_path):
    run_tiny("latent_step", tmp_path)
    steps, growth = (table["rows"] for table in read("latent_step", tmp_path)["tables"])
    assert [row["form"] for row in steps] == ["exact (default)", "Taylor, order 2"]
    assert steps[0]["speedup"] is None
    assert steps[1]["speedup"] == pytest.approx(steps[1]["dense_median"] / steps[1]["same_median"])
    if steps[1]["memory"] is not None:
        assert steps[1]["memory"] < 1
    assert [row["side"] for row in growth] == [28, 56]
    assert all(row["overhead"] > 0 and row["dense_median"] > 0 for row in growth)


def test_decisions_are_counted_over_seeds(tiny_run):
    alarms, right, mixed, coverage = (table["rows"] for table in read("decisions", tiny_run("decisions"))["tables"])
    assert [(row["kind"], row["runs"], row["claimed"]) for row in alarms] == [
        ("identical", 2, 0.0),
        ("shuffled", 2, 0.0),
    ]
    assert (right[0]["generators"], right[0]["right"], right[0]["algebras"]) == ({"1": 2}, 1.0, ["so(2)"])
    assert right[0]["angle_max"] < 1
    assert right[0]["extra"] > 0.2
    assert mixed[0]["intruders_found"] > 0.8
    assert mixed[0]["kept"] > 0.8
    assert 0 <= coverage[0]["covered"] <= 1


HAS_PEERS = all(importlib.util.find_spec(name) for name in ("cv2", "pystackreg", "skimage"))


@pytest.mark.skipif(not HAS_PEERS, reason="the extra 'bench' is not installed")
def test_pictures_are_judged_beside_what_registers_them_one_by_one(tmp_path, committed):
    run_tiny("pictures", tmp_path / "results")
    kinds, errors, ways, alarms = (table["rows"] for table in read("pictures", tmp_path / "results")["tables"])
    assert [row["kind"] for row in kinds] == ["film-short", "mirror-columns", "photo-shift"]
    for row in kinds:
        assert row["right"] + row["honest"] + row["wrong"] == pytest.approx(1)
        # Of what is mirrored nobody asks them.
        assert all((share is None) == (row["kind"] == "mirror-columns") for share in row["peers"].values())
    assert [row["kind"] for row in errors] == ["film-short", "photo-shift"]
    assert max(row["errors"]["ecc"] for row in errors) < 0.5
    assert [row["method"] for row in ways] == ["liescope", "phase", "ecc", "sift", "stackreg"]
    assert ways[0]["time"] == 1
    assert all(row["time"] > 0 for row in ways)
    assert [(row["kind"], row["form"]) for row in alarms] == [
        (kind, form) for kind in ("unrelated", "identical") for form in ("set", "single")
    ]
    for row in alarms:
        assert row["claimed"] + row["undecided"] + row["none"] + row["raised"] == pytest.approx(1)
    # Its page, from the record alone, with its picture.
    module("render").main(["--results", str(tmp_path / "results"), "--docs", str(tmp_path / "docs")])
    assert (tmp_path / "docs" / "images" / "bench-pictures.png").is_file()
    assert BENCHMARKS["pictures"].read(tmp_path / "results").markdown() == (
        tmp_path / "results" / "pictures.md"
    ).read_text(encoding="utf-8")


@pytest.mark.skipif(not HAS_PEERS, reason="the extra 'bench' is not installed")
def test_a_peer_that_is_not_installed_is_a_row_that_says_so(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "cv2" else find(name, *a))
    words = ["pictures", "--tiny", "--kinds", "film-short", "--methods", "ecc", "phase", "--out", str(tmp_path)]
    module("command").main(BENCHMARKS, words)
    record = json.loads((tmp_path / "pictures.json").read_text(encoding="utf-8"))
    told = record["settings"]["left_out"]
    assert set(told) == {"ecc"}
    assert told["ecc"].startswith("cv2 is not installed, try pip install opencv-python-headless, or")
    ecc, phase = record["tables"][-1]["rows"]
    assert (ecc["method"], ecc["runs"], phase["runs"]) == ("ecc", 0, 1)
    assert "| ecc | cv2 is not installed" in (tmp_path / "pictures.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, []),
        ({"generators": 2}, ["right"]),
        ({"angle": 4.0}, ["right"]),
        ({"angle": np.nan}, ["right"]),
        ({"seconds_known": 0.1}, ["time"]),
    ],
)
def test_a_wrong_number_or_span_is_no_right_answer(change, missed):
    decisions = suite("decisions")
    task = decision_runs.Task("right", "rotation", (60.0,), 1000, "affine", 0)
    good = decision_runs.Run(task, 1, 1, 0.1, 1.0, np.nan, 1.0, "so(2)", 1.0, 0.9, 1.0, True)
    runs = [dataclasses.replace(good, **change)] * 2 + [good]
    assert decisions._rows("right", runs)[0]["missed"] == missed


def test_a_claim_without_a_symmetry_is_an_alarm():
    decisions = suite("decisions")
    task = decision_runs.Task("alarm", "noise", (), 200, "affine", 0)
    quiet = decision_runs.Run(task, 0, 0, np.nan, np.nan, np.nan, 0.0, "trivial", 1.0, np.nan, np.nan, False)
    runs = [quiet] * 19 + [dataclasses.replace(quiet, generators=1)]
    assert decisions._rows("alarm", runs)[0]["passed"]
    assert decisions._rows("alarm", [*runs, runs[-1]])[0]["missed"] == ["alarms"]


@pytest.mark.skipif(not HAS_KORNIA, reason="kornia is not installed")
def test_kornia_is_compared_on_the_same_pairs(tmp_path):
    # Its check of kornia's sign convention on a known pair runs first, and raises.
    run_tiny("kornia_registrator", tmp_path)
    shipped, tuned, ours, many, known = read("kornia_registrator", tmp_path)["tables"][0]["rows"]
    assert shipped["pairs"] == tuned["pairs"] == ours["pairs"] == known["pairs"] < many["pairs"]
    assert tuned["angle_error_median"] < 1 < shipped["angle_error_median"]
    assert max(row["angle_error_median"] for row in (ours, many, known)) < 0.5
    assert shipped["ratio"] == pytest.approx(shipped["seconds_median"] / ours["seconds_median"])


def test_without_kornia_the_benchmark_is_skipped_with_a_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
    run_tiny("kornia_registrator", tmp_path)
    assert "kornia_registrator: skipped, kornia is not installed" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["acuracy"], ["--threads", "0"], ["--seeds"], ["pictures", "--tiny", "--kinds", "claen"]]
)
def test_bad_usage_runs_nothing(arguments):
    with pytest.raises(SystemExit) as stopped:
        module("command").main(BENCHMARKS, arguments)
    assert stopped.value.code == 2


def test_an_affine_truth_is_the_same_field_in_the_quadratic_basis():
    pairs = make_pairs(transform="rotation", centre=(18, 10), pairs=8)
    affine = Generator(pairs.meta["generators"][0], "affine")
    quadratic = Generator(true_coefficients(pairs, 12), "quadratic")
    points = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    np.testing.assert_allclose(quadratic.field(points), affine.field(points), atol=1e-12)


@pytest.mark.parametrize(("transform", "axis", "sign"), [("translation-x", 1, 1), ("translation-y", 0, -1)])
def test_nearest_neighbour_images_hold_the_rounded_translation(transform, axis, sign):
    pairs = make_pairs(transform=transform, range=7, pairs=12, order=0)
    held = sweep.held_magnitude(pairs) * pairs.meta["unit_per_t"][0]
    for source, target, pixels in zip(pairs.source, pairs.target, held, strict=True):
        whole = round(float(pixels))
        assert pixels == pytest.approx(whole)
        wide = np.pad(source, 8)
        np.testing.assert_array_equal(np.roll(wide, sign * whole, axis)[8:-8, 8:-8], target)
    assert sweep.held_magnitude(make_pairs(transform=transform, pairs=12, order=1)) is None
    assert sweep.held_magnitude(make_pairs(transform="rotation", pairs=12, order=0)) is None


GOOD = {"cosine": 1.0, "t_error_median": 0.0, "t_error_held": None, "w1": 0.0, "modes": [1], "generators": [1, 1]}


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, []),
        ({"cosine": 0.9}, ["cosine"]),
        ({"cosine": np.nan}, ["cosine"]),
        ({"t_error_median": np.nan}, ["t error"]),
        ({"t_error_median": 0.02}, ["t error"]),
        ({"t_error_median": 0.02, "t_error_held": 0.001}, []),
        ({"t_error_held": 0.02}, ["t error"]),
        ({"w1": 0.02}, ["W1"]),
        ({"modes": [1, 2]}, ["modes"]),
        ({"generators": [1, 2]}, ["count"]),
        ({"generators": [0]}, ["count"]),
        ({"seconds_max": 6.0}, ["seconds"]),
    ],
)
def test_a_missed_target_is_named(change, missed):
    target = Target(0.9995, 5.0, t_error=0.01, w1=0.01, modes=1)
    assert sweep._missed({**GOOD, "seconds_max": 1.0, **change}, target) == missed


def test_growth_is_flagged_beside_the_size_before():
    scaling = suite("scaling")
    rows = [
        {"seconds_per_1k": 2.0, "peak_bytes": 10**8},
        {"seconds_per_1k": 1.0, "peak_bytes": 1.2 * 10**8},
        {"seconds_per_1k": 1.2, "peak_bytes": 2 * 10**9},
    ]
    judged = scaling._judged(rows, scaling._count_missed)
    assert [row["missed"] for row in judged] == [[], [], ["linear time", "memory", "flat memory"]]


def test_peak_memory_sees_what_was_freed():
    if memory.peak_bytes() is None:
        pytest.skip("the system does not tell")
    memory.reset_peak()
    before = memory.resident_bytes()
    # A region of its own: an array may be given memory that was freed before and is resident still.
    with mmap.mmap(-1, 2**27) as region:
        region[:: mmap.PAGESIZE] = b"1" * (2**27 // mmap.PAGESIZE)
    peak = memory.peak_bytes()
    assert before is not None
    assert peak is not None
    assert peak - before > 0.9 * 2**27


def test_corpora_given_as_files_appear_by_their_stem(tmp_path, monkeypatch):
    decisions = suite("decisions")

    def seen(task):
        return decision_runs.Run(task, 1, 1, 0.1, 1.0, 0.9, 1.0, "so(2)", 1.0, 0.9, 1.0, True)

    monkeypatch.setattr(decisions, "detect_task", seen)
    record = decisions.run(Options(tiny=True, corpora=(str(tmp_path / "galaxies.npz"),)))
    text = json.dumps(record.to_dict())
    assert str(tmp_path) not in text
    assert {run["task"]["corpus"] for run in record.to_dict()["runs"]} == {"mnist-5k", "galaxies"}


def test_results_become_a_page(tmp_path, committed):
    for name in ("lconv", "headline"):
        run_tiny(name, tmp_path / "results")
    run_tiny("laws", tmp_path / "results")
    render = module("render")
    render.main(["--results", str(tmp_path / "results"), "--docs", str(tmp_path / "docs")])
    page = (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for name in ("lconv", "headline"):
        tables = (tmp_path / "results" / f"{name}.md").read_text(encoding="utf-8").splitlines()
        # Everything but that it is from a run: every row, note, and the machine.
        assert set(tables) <= set(page.splitlines())
    assert "Not measured yet: `liescope bench methods --out DIR`" in page
    assert "[Laws of the magnitudes](../results/laws.md)" in page
    links = [part.partition(")")[0] for part in page.split("](")[1:]]
    assert {link for link in links if link.endswith(".png")} == {"images/bench-headline.png", "images/bench-lconv.png"}
    assert all((tmp_path / "docs" / link).is_file() for link in links)
    again = tmp_path / "docs" / "benchmarks.md"
    before = again.read_bytes()
    render.main(["--results", str(tmp_path / "results"), "--docs", str(tmp_path / "docs")])
    assert again.read_bytes() == before


def test_reproduced_figures_become_a_page_of_claims(tmp_path, committed):
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1])
    found = [
        Finding("It works | always.", "Fig. 4", "Error 0.1 (null 0.2).", "confirmed"),
        Finding("It fails.", "Discussion", "Cosine 1.00.", "improved"),
        Finding("It is slow.", "Discussion", "1 s.", "improved"),
    ]
    made = Reproduction("fig4", "Histograms", "Laws of t.", {"": figure}, [{"a": 1}], found, {})
    write_reproduction(made, tmp_path / "figures", Request("quick"), 3.0)
    run_tiny("laws", tmp_path / "results")
    command = ["--results", str(tmp_path / "results"), "--docs", str(tmp_path / "docs")]
    module("render").main([*command, "--paper", str(tmp_path / "figures")])
    page = (tmp_path / "docs" / "claims.md").read_text(encoding="utf-8")
    assert "Of 3 claims 1 are confirmed, 2 are improved." in page
    assert "| It works \\| always. (Fig. 4) | Error 0.1 (null 0.2). | confirmed |" in page
    assert "![Histograms](images/paper-fig4.png)\n\nLaws of t." in page
    assert plt.imread(tmp_path / "docs" / "images" / "paper-fig4.png").shape[:2] == (200, 400)
    # What was taken over stays: without the folder the page is the same.
    module("render").main(command)
    assert (tmp_path / "docs" / "claims.md").read_text(encoding="utf-8") == page


def test_a_page_of_nothing_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        module("render").main(["--results", str(tmp_path), "--docs", str(tmp_path)])
    assert stopped.value.code == 2
    assert "expected results" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_points_of_the_plots_are_the_numbers_of_the_rows():
    names = ("rotation", "scale")
    rows = [
        {
            "transform": name,
            "law": law,
            "cosine": cosine,
            "w1": w1,
            "null_w1": 0.05,
            "null_cosine": 0.3,
            "target": 0.999,
        }
        for name in names
        for law, cosine, w1 in (("uniform", 0.9, 0.02), ("normal", 1.0, None))
    ]
    record = {"tables": [{"rows": rows}]}
    figure, words = module("charts").CHARTS["headline"][0](record)
    left, right = figure.axes
    assert "beside their null levels" in words
    assert [tick.get_text() for tick in left.get_xticklabels()] == list(names)
    assert left.get_ylabel() == "1 − cosine of the fields, worst seed"
    assert "% of the range" in right.get_ylabel()
    points = left.collections[0].get_offsets()
    np.testing.assert_allclose(points[:, 1], [0.1, 0.1])
    np.testing.assert_allclose(right.collections[0].get_offsets()[:, 1], [2, 2])
    assert np.isnan(np.ma.filled(right.collections[2].get_offsets()[:, 1].astype(float), np.nan)).all()


def test_the_committed_pages_are_those_of_the_committed_records():
    render = module("render")
    records = render.read_records(RESULTS)
    assert {path.stem for path in RESULTS.glob("*.json")} == set(records)
    # What has no record yet has a place on the page that says so.
    assert set(BENCHMARKS) - set(records) <= {"pictures", "type2"}
    for name, record in records.items():
        assert (RESULTS / f"{name}.md").read_text(encoding="utf-8") == record.markdown(), name
        assert record.to_dict() == json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")), name
    page = render.benchmarks_page(records, RESULTS, ROOT / "docs")
    assert (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8") == page
    assert all(render.MISSING.format(name=name) in page for name in set(BENCHMARKS) - set(records))
    claims = module("claims").claims_page(RESULTS / "paper", ROOT / "docs")
    assert (ROOT / "docs" / "claims.md").read_text(encoding="utf-8") == claims


def test_a_record_tells_its_tables_again(tmp_path, committed):
    run_tiny("laws", tmp_path)
    assert BENCHMARKS["laws"].read(tmp_path).markdown() == (tmp_path / "laws.md").read_text(encoding="utf-8")
    (tmp_path / "noise.json").write_text("{}")
    for name in ("noise", "accuracy"):
        with pytest.raises(InputError, match=r"expected (a|the) record"):
            BENCHMARKS[name].read(tmp_path)


def keys(value: Any) -> Any:
    """The keys of a record at every depth; of a list those of its first item."""
    if isinstance(value, dict):
        return {key: keys(item) for key, item in value.items()}
    return keys(value[0]) if isinstance(value, list) and value and isinstance(value[0], dict) else None


@pytest.mark.parametrize("name", ["laws", "decisions"])
def test_new_records_have_the_keys_of_the_committed_ones(name, tiny_run):
    folders = (tiny_run(name), RESULTS)
    new, old = (json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for folder in folders)
    for rows in (new, old):
        for row in (row for table in rows["tables"] for row in table["rows"]):
            # Of a decision: how often which number was found.
            row["generators"] = None
    assert keys(new["tables"]) == keys(old["tables"])
    assert keys(new["runs"]) == keys(old["runs"])


def refuse_work(options: Options) -> Any:
    raise AssertionError("nothing may run")


@pytest.mark.parametrize("state", ["0123456789" * 4 + "-dirty", None])
def test_a_record_of_uncommitted_code_is_refused_before_the_work(state, monkeypatch, capsys, tmp_path):
    command = module("command")
    monkeypatch.setattr(environment, "commit", lambda: state)
    monkeypatch.setattr(environment, "uncommitted", lambda: ["src/liescope/detector.py"] if state else [])
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    for extra in ([], ["--out", str(tmp_path / "results")], ["--out", str(tmp_path / "results" / "deep")]):
        with pytest.raises(SystemExit) as stopped:
            command.main({"some": refuse_work}, extra)
        assert stopped.value.code == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert "expected a checkout without uncommitted changes" in error
        assert ("1 changed files (src/liescope/detector.py" if state else "no commit") in error
    assert list(tmp_path.iterdir()) == []


def made(options: Options) -> Record:
    row = {"a": 1, "passed": True, "missed": [], "seconds_median": 1.0}
    return Record("some", "Some", [Table("T", [Column("a", value("a"))], [row])], [{"a": 1}], {"tiny": options.tiny})


def test_uncommitted_code_is_measured_elsewhere_and_says_so(monkeypatch, tmp_path):
    command = module("command")
    dirty = "0123456789" * 4 + "-dirty"
    monkeypatch.setattr(environment, "commit", lambda: dirty)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(command, "ELSEWHERE", tmp_path / "elsewhere")
    command.main({"some": made}, ["--allow-dirty"])
    command.main({"some": made}, ["--out", str(tmp_path / "mine")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "mine"]
    told = json.loads((tmp_path / "mine" / "some.json").read_text(encoding="utf-8"))
    assert told["environment"]["commit"] == dirty
    with pytest.raises(SystemExit):
        command.main({"some": made}, ["--allow-dirty", "--out", str(tmp_path / "results")])
    assert not (tmp_path / "results").exists()


def test_code_that_changes_while_it_is_measured_is_not_written(monkeypatch, tmp_path, capsys):
    command = module("command")
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    states = ["a" * 40, "a" * 40, "b" * 40]
    monkeypatch.setattr(environment, "commit", lambda: states.pop(0))
    with pytest.raises(SystemExit):
        command.main({"some": made}, [])
    assert "expected the code of some to stay as it was" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(environment, "commit", lambda: "a" * 40)
    command.main({"some": made}, [])
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["some.json", "some.md"]


@pytest.mark.parametrize("state", ["0123456789" * 4 + "-dirty", None])
def test_pages_are_made_of_committed_code_alone(state, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(environment, "commit", lambda: state)
    run_tiny("laws", tmp_path / "results")
    with pytest.raises(SystemExit) as stopped:
        module("render").main(["--results", str(tmp_path / "results"), "--docs", str(tmp_path / "docs")])
    assert stopped.value.code == 2
    assert "got uncommitted changes in laws" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()


def test_a_changed_file_makes_the_commit_dirty_and_a_result_does_not(tmp_path):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")

    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org", *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    package = tmp_path / "src" / "package"
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    package.mkdir(parents=True)
    shutil.copyfile(environment.__file__, package / "environment.py")
    (tmp_path / "README.md").write_text("text")
    git("init", "-q")
    spec = importlib.util.spec_from_file_location("a_copy", package / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)

    assert copy.commit() is None
    git("add", "-A")
    git("commit", "-qm", "first")
    head = git("rev-parse", "HEAD")
    assert copy.commit() == head
    (tmp_path / "benchmarks" / "results" / "some.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("mine")
    assert copy.commit() == head
    (package / "new.py").write_text("x = 1")
    assert copy.commit() == f"{head}-dirty"
    (package / "new.py").unlink()
    (tmp_path / "README.md").write_text("other")
    assert copy.commit() == f"{head}-dirty"
    assert copy.uncommitted() == ["README.md"]
