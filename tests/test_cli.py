"""The command line, from words to exit codes."""

from __future__ import annotations

import json
import logging
import re
import shlex
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liescope import __version__
from liescope.cli import detecting, main
from liescope.cli.progress import ProgressDisplay, _TimeColumn, duration
from liescope.cli.table import print_result, text_histogram
from liescope.data import load_pairs
from liescope.engines import engine_names
from liescope.engines.contract import BORDERS
from liescope.geometry import BASES
from liescope.result import load_result


def angles(path: Path | str) -> np.ndarray:
    """True magnitudes of a file of pairs in natural units."""
    natural = load_pairs(path).natural_magnitude
    assert natural is not None
    return natural


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIESCOPE_DEBUG", raising=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Pairs of rotated digits, as ``liescope make`` writes them."""
    path: Path = tmp_path_factory.mktemp("pairs") / "pairs.npz"
    words = [
        "make",
        "symnist",
        "--range",
        "40",
        "--pairs",
        "200",
        "--seed",
        "1",
        "--quiet",
        "--out",
        str(path),
    ]
    assert main(words) == 0
    return path


@pytest.fixture
def found(make_result):
    make_result("rotation").save("found")
    return Path("found")


# --- help and usage


def test_help_and_version_are_fast_because_nothing_heavy_is_loaded():
    code = (
        "import sys; from liescope.cli import main\n"
        "assert main(['--help']) == 0 and main(['detect', '--help']) == 0 and main(['--version']) == 0\n"
        "heavy = {'torch', 'numpy', 'scipy', 'matplotlib', 'sklearn', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "liescope detect pairs.npz --out found" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("liescope ")


@pytest.mark.parametrize(
    "words",
    [
        ["detect", "missing.npz", "--out", "r", "--engine", "registration", "--basis", "quadratic"],
        ["detect", "missing.npz", "--out", "r", "--seed", "-1"],
        ["apply", "missing", "i.npz", "--t", "1", "--out", "o.npz"],
        ["apply", "missing", "i.npz", "--t", "1", "--out", "o.npz", "--border", "zeros"],
        ["report", "missing"],
        ["export", "missing", "--to", "kornia", "--out", "turning.py"],
        ["export", ".", "--to", "korna", "--out", "turning.py"],
    ],
)
def test_what_is_missing_or_wrong_is_told_before_anything_heavy_is_loaded(words):
    code = (
        "import sys; from liescope.cli import main\n"
        "assert main(sys.argv[1:]) == 2\n"
        "heavy = {'torch', 'numpy', 'scipy', 'matplotlib', 'sklearn', 'pandas', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("liescope: error: ")
    assert done.stderr.count("\n") == 1


def test_words_that_are_known_without_loading_anything_are_those_of_the_engines():
    assert engine_names() == detecting._ENGINES
    assert detecting._BORDERS == BORDERS
    assert tuple(BASES) == detecting._BASES


def test_python_m_liescope_passes_the_exit_code_on():
    done = subprocess.run([sys.executable, "-m", "liescope", "detct"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "liescope: error: No such command 'detct'. Did you mean 'detect'?\n"


@pytest.mark.parametrize("command", ["make", "detect", "apply", "report"])
def test_every_command_has_help_with_examples(capsys, command):
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Examples:" in text
    assert f"\n    liescope {command} " in text


def test_no_words_at_all_is_a_call_for_help(capsys):
    assert main([]) == 0
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["detect", "p.npz", "--out", "r", "--bais", "affine"],
            "No such option: --bais. Did you mean '--basis'?",
        ),
        (["detect"], "Missing argument 'PAIRS'"),
        (["detect", "p.npz"], "Missing option '--out'"),
        (["detect", "p.npz", "--out", "r", "--seed", "x"], "Invalid value for '--seed'"),
        (["detect", "p.npz", "--out", "r", "--engine", "registraton"], "Did you mean 'registration'?"),
        (["detect", "p.npz", "--out", "r", "--basis", "afine"], "Did you mean 'affine'?"),
        (["detect", "p.npz", "--out", "r", "--generators", "0"], "expected --generators auto or a number"),
        (["detect", "p.npz", "--out", "r", "--seed", "-1"], "expected a seed"),
        (["detect", "p.npz", "--out", "r"], "no such file 'p.npz'"),
        (["make", "symnits", "--out", "p.npz"], "Did you mean 'symnist'?"),
        (["make", "symnist", "--out", "p.npz", "--transform", "rotaton"], "Did you mean 'rotation'?"),
        (["make", "symnist", "--out", "p.npz", "--law", "unifrom"], "Did you mean 'uniform'?"),
        (
            ["make", "symnist", "--out", "p.npz", "--law", "normal", "--modes", "3"],
            "expected --law or --modes",
        ),
        (
            ["make", "symnist", "--out", "p.npz", "--range", "a"],
            "expected numbers separated by commas for --range",
        ),
        (["make", "symnist", "--out", "p.npz", "--range", "nan"], "expected finite numbers for --range"),
        (["make", "symnist", "--out", "p.npz", "--range", "1,2"], "expected one range per transform"),
        (["make", "symnist", "--out", "p.npz", "--centre", "4"], "expected 2 numbers for --centre"),
        (["make", "symnist", "--out", "p.npz", "--order", "2"], "expected interpolation order"),
        (["make", "symnist", "--out", "p.npz", "--corpus", "mnist5k"], "Did you mean 'mnist-5k'?"),
        (["make", "symnist", "--out", "p.csv"], "expected an output file ending in .npz"),
        (["make", "symnist", "--out", "no/such/p.npz"], "in a folder that exists"),
        (["report", "nowhere"], "no such folder"),
        (["apply", "nowhere", "i.npz", "--t", "1", "--out", "o.npz"], "no such folder"),
        (
            ["apply", "nowhere", "i.npz", "--t", "1", "--out", "o.npz", "--border", "zeros"],
            "Did you mean 'zero'?",
        ),
    ],
)
def test_mistakes_get_one_line(refused, words, message):
    assert message in refused(*words)


def bad_pairs() -> dict[str, dict[str, np.ndarray]]:
    good = np.random.default_rng(0).random((9, 8, 8))
    holes = good.copy()
    holes[4, 2, 3] = np.inf
    return {
        "got no source": {"target": good},
        "of one shape": {"source": good, "target": good[:, :7]},
        "got 1 infinite in 1 target image, the first at pair 4, row 2, column 3": {
            "source": good,
            "target": holes,
        },
        "at least 1 pairs": {"source": good[:0], "target": good[:0]},
        "at least 5x5": {"source": good[..., :4], "target": good[..., :4]},
        "object array": {"source": np.array([object()]), "target": good},
        "expected source_mask as booleans of shape (8, 8) or (9, 8, 8)": {
            "source": good, "target": good, "source_mask": np.ones((9, 4, 4), bool),
        },
        "expected valid pixels in sources and targets, got none": {
            "source": good, "target": good, "target_mask": np.zeros((8, 8), bool),
        },
        "at least 25 pixels that are valid in source and target of some pair": {
            "source": good, "target": good, "source_mask": np.eye(8, dtype=bool),
        },
    }  # fmt: skip


@pytest.mark.parametrize("message", bad_pairs())
def test_bad_pairs_get_one_line(refused, message):
    arrays: dict[str, Any] = bad_pairs()[message]
    np.savez("p.npz", **arrays)
    assert message in refused("detect", "p.npz", "--out", "r", "--quiet")


def test_a_value_that_no_pixel_has_gets_one_line(refused):
    np.savez("p.npz", source=np.zeros((9, 8, 8)), target=np.ones((9, 8, 8)))
    assert "expected pixels of value nodata=7.0, got none" in refused("detect", "p.npz", "--nodata", "7", "--out", "r")


def test_a_truncated_file_gets_one_line(refused, made):
    Path("p.npz").write_bytes(made.read_bytes()[:1000])
    assert "truncated or corrupt" in refused("detect", "p.npz", "--out", "r", "--quiet")


def test_the_output_is_checked_before_the_input_is_read(refused):
    Path("file").write_text("x")
    assert "got the file 'file'" in refused("detect", "nowhere.npz", "--out", "file")
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("x")
    assert "with other files" in refused("detect", "nowhere.npz", "--out", "mine")


def test_a_failure_is_one_line_and_code_1_with_the_traceback_on_request(capsys, refused, found, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("liescope.report.page.render_page", fail)
    line = refused("report", "found", code=1)
    assert "unexpected RuntimeError: two lines" in line
    for words in (["report", "found", "--debug"], ["--debug", "report", "found"]):
        assert main(words) == 1
        assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("LIESCOPE_DEBUG", "1")
    assert main(["report", "found"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_no_traceback(capsys, found, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("liescope.report.page.render_page", interrupt)
    assert main(["report", "found"]) == 130
    assert "Traceback" not in capsys.readouterr().err


# --- make


def test_make_writes_what_was_asked_for(capsys, made):
    pairs = load_pairs(made)
    assert pairs.source.shape == (200, 1, 28, 28)
    assert pairs.meta["transform"] == "rotation"
    assert pairs.meta["seed"] == 1
    assert np.abs(angles(made)).max() == pytest.approx(40, abs=1)

    words = [
        "make",
        "symnist",
        "--transform",
        "rotation+scale",
        "--range",
        "30",
        "--range",
        "0.2",
        "--pairs",
        "12",
    ]
    more = ["--corpus", "digits8", "--centre", "2,5", "--noise", "0.1", "--order", "cubic", "--out", "q.npz"]
    assert main([*words, *more]) == 0
    captured = capsys.readouterr()
    assert "12 pairs of 8x8 images, rotation+scale by" in captured.out
    assert captured.out.strip().endswith("q.npz")
    assert "making pairs" in captured.err
    meta = load_pairs("q.npz").meta
    assert (meta["centre_px"], meta["noise"], meta["interpolation"]) == ([2.0, 5.0], 0.1, "cubic")
    assert np.abs(angles("q.npz")).max(axis=0) == pytest.approx([30, 0.2], rel=0.5)


def test_modes_are_short_for_a_law():
    words = ["make", "symnist", "--corpus", "digits8", "--range", "30", "--modes", "3", "--pairs", "50"]
    assert main([*words, "--out", "q.npz", "--quiet"]) == 0
    assert np.unique(np.round(angles("q.npz"), 6)) == pytest.approx([-30, 0, 30])


# --- detect


def test_detect_finds_tells_and_writes(capsys, made):
    assert main(["detect", str(made), "--out", "found"]) == 0
    captured = capsys.readouterr()
    assert "rotated counter-clockwise about (13.5, 13.5)" in " ".join(captured.out.split())
    assert "X = -y d/dx + x d/dy" in captured.out
    assert "found/report.html" in captured.out
    assert "result.json, magnitudes.npz, magnitudes.csv, samples.npz, fitted.npz in found" in captured.out
    lines = captured.err.splitlines()
    assert lines[-1] == "liescope: writing the result"
    assert all(line.startswith("liescope: ") for line in lines)
    result = load_result("found")
    assert result.generators[0].generator.name == "rotation"
    assert np.median(np.abs(result.natural - angles(made))) < 0.5
    assert Path("found/report.html").stat().st_size < 5_000_000


def test_detect_json_is_the_file_and_nothing_else(capsys, made):
    words = [
        "detect",
        str(made),
        "--out",
        "found",
        "--json",
        "--quiet",
        "--basis",
        "conformal",
        "--generators",
        "1",
    ]
    assert main([*words, "--seed", "2"]) == 0
    captured = capsys.readouterr()
    assert captured.out == Path("found/result.json").read_text()
    content = json.loads(captured.out)
    assert (content["basis"], content["seed"], len(content["generators"])) == ("conformal", 2, 1)
    assert captured.err == ""


def test_no_symmetry_is_an_answer(capsys, refused):
    rng = np.random.default_rng(0)
    np.savez("p.npz", source=rng.random((60, 12, 12)), target=rng.random((60, 12, 12)))
    assert main(["detect", "p.npz", "--out", "found", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert load_result("found").verdict == "no symmetry"
    assert "No symmetry found" in Path("found/report.html").read_text()
    assert "without any" in refused("apply", "found", "p.npz", "--t", "0.1", "--out", "q.npz")


def test_detecting_again_replaces_the_result(made, found):
    Path("found/notes.txt").write_text("mine")
    assert main(["detect", str(made), "--out", "found", "--quiet"]) == 0
    assert load_result("found").pairs == 200
    assert Path("found/notes.txt").read_text() == "mine"


# --- apply and report


def images_of(path: str) -> np.ndarray:
    with np.load(path, allow_pickle=False) as archive:
        assert archive.files == ["images"]
        return np.asarray(archive["images"])


def test_apply_by_a_quarter_turn(capsys, found):
    images = np.random.default_rng(0).random((3, 2, 9, 9))
    np.savez("i.npz", images=images, source=images[:1])
    assert main(["apply", "found", "i.npz", "--t", "90", "--in-units", "--out", "o.npz"]) == 0
    assert capsys.readouterr().out == "3 images moved: o.npz\n"
    moved = images_of("o.npz")
    assert moved.dtype == np.float32
    assert moved == pytest.approx(np.rot90(images, axes=(2, 3)), abs=1e-4)
    assert main(["apply", "found", "i.npz", "--t", f"-{np.sqrt(2) * np.pi / 2}", "--out", "o.npz", "-q"]) == 0
    assert images_of("o.npz") == pytest.approx(np.rot90(images, -1, axes=(2, 3)), abs=1e-4)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shape", [(6, 8), (2, 6, 8), (2, 3, 6, 8)])
def test_apply_keeps_the_shape_and_counts_pixels_of_the_images_at_hand(make_result, shape):
    # Found on 12 x 12 and applied to 6 x 8: a pixel is a pixel of the new images.
    make_result("translation-x", "translation-y").save("found")
    image = np.zeros(shape, np.uint8)
    image[..., 4, 2] = 255
    np.save("i.npy", image)
    assert main(["apply", "found", "i.npy", "--t", "3,2", "--in-units", "--out", "o.npz", "-q"]) == 0
    moved = images_of("o.npz")
    assert moved.shape == shape
    expected = np.zeros(shape)
    expected[..., 2, 5] = 255
    assert moved == pytest.approx(expected, abs=0.1)


def test_apply_takes_the_sources_of_a_pairs_file(found, made):
    assert main(["apply", "found", str(made), "--t", "0", "--out", "o.npz", "-q"]) == 0
    with np.load(made) as archive:
        assert images_of("o.npz") == pytest.approx(archive["source"], abs=1e-5)


@pytest.mark.parametrize(
    ("arrays", "t", "message"),
    [
        ({"images": np.zeros((2, 9, 9))}, "0.1,0.2", "expected 1 number for --t, got 2"),
        ({"images": np.zeros((2, 9, 9))}, "much", "expected numbers separated by commas for --t"),
        ({"images": np.zeros((2, 9, 9))}, "inf", "expected finite numbers for --t"),
        ({"pictures": np.zeros((2, 9, 9))}, "0.1", "got neither"),
        ({"images": np.zeros(9)}, "0.1", "expected real images (N, H, W)"),
        ({"images": np.zeros((2, 9, 9), complex)}, "0.1", "expected real images (N, H, W)"),
        ({"images": np.array([object()])}, "0.1", "object array"),
        ({"images": np.full((2, 9, 9), np.inf)}, "0.1", "expected finite pixels"),
    ],
)
def test_what_apply_refuses(refused, found, arrays, t, message):
    np.savez("i.npz", **arrays)
    assert message in refused("apply", "found", "i.npz", "--t", t, "--out", "o.npz")


def test_apply_tells_a_folder_from_a_missing_file(refused, found):
    Path("pictures").mkdir()
    message = refused("apply", "found", "pictures", "--t", "0.3", "--out", "moved")
    assert "got the folder 'pictures' without any" in message


def test_apply_refuses_pickles(refused, found):
    np.save("i.npy", np.array([{"a": 1}]), allow_pickle=True)
    assert "pickles are never loaded" in refused("apply", "found", "i.npy", "--t", "0.1", "--out", "o.npz")


def test_report_rebuilds_the_page(capsys, found):
    page = Path("found/report.html")
    before = page.read_bytes()
    page.unlink()
    assert main(["report", "found"]) == 0
    assert capsys.readouterr().out == "found/report.html\n"
    assert page.read_bytes() == before


# --- what is printed


def test_the_table_of_several_generators_and_of_none(capsys, make_result):
    print_result(make_result("rotation", "translation-x"))
    text = capsys.readouterr().out
    for word in (
        "generator 1",
        "generator 2",
        "rotation and shift along x",
        "algebra",
        "90 % of 60 follow it",
    ):
        assert word in text
    print_result(make_result(reason="[bold]no[/bold] gain"))
    text = capsys.readouterr().out
    assert "No symmetry found" in text
    assert "[bold]no[/bold] gain." in text


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def three_modes(make_result, *fields):
    """Magnitudes near -30, 0 and 30 degrees of a rotation, and of whatever comes with it."""
    rng = np.random.default_rng(0)
    degrees = rng.choice([-30.0, 0.0, 30.0], 600)[:, None] + rng.normal(0, 0.3, (600, len(fields) or 1))
    return make_result(*(fields or ["rotation"]), pairs=600, t=np.sqrt(2) * np.radians(degrees))


@pytest.mark.parametrize("fields", [("rotation",), ("rotation", "translation-x")])
def test_modes_are_marked_below_their_bars(capsys, make_result, fields):
    print_result(three_modes(make_result, *fields))
    lines = lines_of(capsys)
    row = next(k for k, line in enumerate(lines) if line.startswith("angle"))
    bars, marks = lines[row], lines[row + 1]
    assert bars.endswith("degrees")
    assert [place for place, mark in enumerate(marks) if mark == "▲"] == [
        place for place, bar in enumerate(bars) if bar in "▅▆▇█"
    ]
    # Told once: in the sentence of one generator, below the bars of several.
    text = " ".join(" ".join(lines).split())
    assert text.count("mostly near -") == len(fields)


def test_the_histogram_in_one_line(make_result):
    t = np.sqrt(2) * np.radians(np.repeat([-60, 60], [300, 600]))[:, None]
    result = make_result("rotation", pairs=900, t=t)
    text = text_histogram(result, 0, "utf-8").removesuffix(" degrees")
    low, bars, high = text[:4], text[4:-3], text[-2:]
    assert (low.strip(), high) == ("-60", "60")
    assert bars.strip()[0] == "▄"
    assert bars.strip()[-1] == "█"
    assert set(bars.strip()[1:-1]) == {" "}
    assert text_histogram(result, 0, "ascii").isascii()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode_gets_what_it_can_show(make_result, monkeypatch, encoding):
    raw = BytesIO()
    monkeypatch.setattr("sys.stdout", TextIOWrapper(raw, encoding=encoding, write_through=True))
    print_result(three_modes(make_result))
    assert "^" in raw.getvalue().decode("ascii")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_everything_fits_and_lines_to_copy_stay_whole(capsys, make_result, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    long = Path("results") / ("a long name " * 6).strip()
    result = make_result("rotation", "general", shape=(1, 28, 28))
    result.save(long)
    print_result(result, long, Path("pairs.npz"))
    lines = lines_of(capsys)
    copied = [line for line in lines if line.startswith(("page", "files", "next"))]
    assert len(copied) == 3
    assert max(len(line) for line in lines if line not in copied) <= columns
    assert copied[0].split(maxsplit=1)[1] == f"{long / 'report.html'} (open it in a browser)"
    assert shlex.split(copied[2])[1:5] == ["liescope", "apply", str(long), "pairs.npz"]


@pytest.mark.parametrize(
    ("fields", "file"), [(("rotation",), "i.npz"), (("scale", "shear-x"), "i.npz"), (("hyperbolic",), "i.h5")]
)
def test_the_next_line_can_be_run(capsys, make_result, fields, file):
    result = make_result(*fields)
    result.save("found")
    print_result(result, Path("found"), Path(file))
    (line,) = [line for line in lines_of(capsys) if line.startswith("next")]
    # Only .npz files can be moved as they are.
    np.savez("i.npz" if file == "i.npz" else "images.npz", source=np.random.default_rng(0).random((3, 12, 12)))
    assert main(shlex.split(line)[2:]) == 0
    assert images_of("moved.npz").shape == (3, 12, 12)


def test_without_a_symmetry_there_is_something_to_try(capsys, make_result):
    for basis, advice in (("affine", True), ("quadratic", False)):
        print_result(make_result(basis=basis), Path("found"))
        lines = lines_of(capsys)
        assert not [line for line in lines if line.startswith("next")]
        (line,) = [line for line in lines if line.startswith("try")]
        assert ("--basis quadratic" in line) == advice


def test_colours_are_left_out_where_nobody_wants_them(capsys, make_result, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    print_result(make_result("rotation"))
    assert "\x1b[36m" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    print_result(make_result("rotation"))
    assert "\x1b[36m" not in capsys.readouterr().out


def test_json_is_one_document_on_any_terminal(made, make_result, monkeypatch):
    raw = BytesIO()
    result = make_result("rotation", reason="naïve")
    monkeypatch.setattr("sys.stdout", TextIOWrapper(raw, encoding="ascii", write_through=True))
    monkeypatch.setattr("liescope.cli.detecting.detect", lambda *_, **__: result)
    assert main(["detect", str(made), "--out", "found", "--json", "-q"]) == 0
    assert json.loads(raw.getvalue()) == result.to_dict()


# --- the log


def test_verbose_says_on_stderr_what_is_done_and_why(capsys, made):
    assert main(["detect", str(made), "--out", "found", "--quiet", "-v"]) == 0
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert all(re.match(r"liescope \[\d+\.\d s\] \S", line) for line in lines)
    engine, *others = [line.partition("] ")[2] for line in lines if "engine" in line]
    assert engine.startswith("engine registration, the first that takes these data; basis affine, seed 0")
    assert not others
    assert any(re.search(r"finding the generators: \d+\.\d\d s$", line) for line in lines)
    assert load_result("found").reason in captured.err
    # It was asked for once.
    assert [type(handler) for handler in logging.getLogger("liescope").handlers] == [logging.NullHandler]


@pytest.mark.parametrize("words", [["-v", "report", "found"], ["report", "found", "--verbose"]])
def test_verbose_may_stand_before_or_after_the_command(found, words, capsys):
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{found / 'report.html'}\n"
    assert re.match(rf"liescope \[\S+ s\] version {re.escape(__version__)}, Python 3", captured.err)


# --- progress


def test_progress_is_plain_lines_where_there_is_no_terminal(capsys, monkeypatch):
    clock = iter([0.0, 1.0, 2.0, 20.0, 21.0, 200.0])
    monkeypatch.setattr("liescope.cli.progress.time.monotonic", lambda: next(clock))
    with ProgressDisplay() as display:
        for stage, done in (("one", 0.0), ("one", 0.1), ("two", 0.5), ("two", 0.9), ("two", 1.0), ("two", 1.0)):
            display(stage, done)
    captured = capsys.readouterr()
    # From 50 to 90 % in 18 s: 4.5 s for the rest.
    assert captured.err.splitlines() == [
        "liescope: one",
        "liescope: two 50 %",
        "liescope: two 90 %, about 5 s left",
        "liescope: two",
    ]
    assert captured.out == ""
    with ProgressDisplay(quiet=True) as display:
        display("one", 0.0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (12, "12 s"), (99, "99 s"), (99.8, "2 min"), (600, "10 min"), (7800, "2 h 10 min")],
)
def test_times_as_people_say_them(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("columns", [60, 120])
def test_progress_is_a_bar_on_a_terminal(capsys, monkeypatch, columns):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    stage = "measuring all pairs with the trained model"
    with ProgressDisplay() as display:
        display("measuring", 0.5)
        display(stage, 0.0)
        display(stage, 0.25)
    captured = capsys.readouterr()
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", captured.err).replace("\r", "\n").splitlines()
    shown = [line.rstrip() for line in last if line.strip()]
    assert max(map(len, shown)) <= columns
    # What is done is complete.
    assert any(line.startswith("measuring ") and "100%" in line for line in shown)
    assert any("25%" in line for line in shown)
    assert captured.out == ""


def test_the_time_left_is_told_once_there_is_a_pace(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    clock = [0.0]
    with ProgressDisplay() as display:
        assert display._bars is not None
        display._bars.get_time = lambda: clock[0]
        for second in range(5):
            clock[0] = float(second)
            display("training", second / 20)
        (task,) = display._bars.tasks
        # A twentieth every second, 4 of 20 done.
        assert _TimeColumn().render(task).plain == "about 16 s left"
    assert "left" in capsys.readouterr().err


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    with ProgressDisplay() as display:
        display("measuring", 0.5)
    assert capsys.readouterr().err == "liescope: measuring 50 %\n"
