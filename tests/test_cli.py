"""The command line, from words to exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liescope.cli import main
from liescope.cli.progress import ProgressDisplay
from liescope.cli.table import print_result, text_histogram
from liescope.data import load_pairs
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


def refused(capsys: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    """The one line of a refusal, after checking that nothing was written and nothing said elsewhere."""
    before = sorted(Path(".").rglob("*"))
    assert main(list(words)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("liescope: error: ")
    assert sorted(Path(".").rglob("*")) == before
    return captured.err


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
def test_mistakes_get_one_line(capsys, words, message):
    assert message in refused(capsys, *words)


def bad_pairs() -> dict[str, dict[str, np.ndarray]]:
    good = np.random.default_rng(0).random((9, 8, 8))
    holes = good.copy()
    holes[4, 2, 3] = np.nan
    return {
        "got no source": {"target": good},
        "of one shape": {"source": good, "target": good[:, :7]},
        "got 1 NaN or infinite in 1 target image, the first at pair 4, row 2, column 3": {
            "source": good,
            "target": holes,
        },
        "at least 8 pairs": {"source": good[:5], "target": good[:5]},
        "at least 5x5": {"source": good[..., :4], "target": good[..., :4]},
        "object array": {"source": np.array([object()]), "target": good},
    }  # fmt: skip


@pytest.mark.parametrize("message", bad_pairs())
def test_bad_pairs_get_one_line(capsys, message):
    arrays: dict[str, Any] = bad_pairs()[message]
    np.savez("p.npz", **arrays)
    assert message in refused(capsys, "detect", "p.npz", "--out", "r", "--quiet")


def test_a_truncated_file_gets_one_line(capsys, made):
    Path("p.npz").write_bytes(made.read_bytes()[:1000])
    assert "truncated or corrupt" in refused(capsys, "detect", "p.npz", "--out", "r", "--quiet")


def test_the_output_is_checked_before_the_input_is_read(capsys):
    Path("file").write_text("x")
    assert "got the file 'file'" in refused(capsys, "detect", "nowhere.npz", "--out", "file")
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("x")
    assert "with other files" in refused(capsys, "detect", "nowhere.npz", "--out", "mine")


def test_a_failure_is_one_line_and_code_1_with_the_traceback_on_request(capsys, found, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("liescope.report.page.render_page", fail)
    line = refused(capsys, "report", "found", code=1)
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


def test_no_symmetry_is_an_answer(capsys):
    rng = np.random.default_rng(0)
    np.savez("p.npz", source=rng.random((60, 12, 12)), target=rng.random((60, 12, 12)))
    assert main(["detect", "p.npz", "--out", "found", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert load_result("found").verdict == "no symmetry"
    assert "No symmetry found" in Path("found/report.html").read_text()
    assert "without any" in refused(capsys, "apply", "found", "p.npz", "--t", "0.1", "--out", "q.npz")


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
def test_what_apply_refuses(capsys, found, arrays, t, message):
    np.savez("i.npz", **arrays)
    assert message in refused(capsys, "apply", "found", "i.npz", "--t", t, "--out", "o.npz")


def test_apply_refuses_pickles(capsys, found):
    np.save("i.npy", np.array([{"a": 1}]), allow_pickle=True)
    assert "cannot be read" in refused(capsys, "apply", "found", "i.npy", "--t", "0.1", "--out", "o.npz")


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


def test_the_histogram_in_one_line(make_result):
    t = np.sqrt(2) * np.radians(np.repeat([-60, 60], [300, 600]))[:, None]
    result = make_result("rotation", pairs=900, t=t)
    text = text_histogram(result, 0, "utf-8")
    low, bars, high = text[:4], text[4:-3], text[-2:]
    assert (low.strip(), high) == ("-60", "60")
    assert bars.strip()[0] == "▄"
    assert bars.strip()[-1] == "█"
    assert set(bars.strip()[1:-1]) == {" "}
    assert text_histogram(result, 0, "ascii").isascii()


def test_progress_is_plain_lines_where_there_is_no_terminal(capsys, monkeypatch):
    clock = iter([0.0, 1.0, 2.0, 20.0, 21.0])
    monkeypatch.setattr("liescope.cli.progress.time.monotonic", lambda: next(clock))
    with ProgressDisplay() as display:
        for stage, done in (("one", 0.0), ("one", 0.1), ("two", 0.5), ("two", 0.9), ("two", 1.0)):
            display(stage, done)
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["liescope: one", "liescope: two 50 %", "liescope: two 90 %"]
    assert captured.out == ""
    with ProgressDisplay(quiet=True) as display:
        display("one", 0.0)
    assert capsys.readouterr().err == ""


def test_progress_is_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with ProgressDisplay() as display:
        display("measuring", 0.5)
    captured = capsys.readouterr()
    assert "measuring" in captured.err
    assert "50%" in captured.err
    assert captured.out == ""
