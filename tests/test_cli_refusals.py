"""Bad input on the command line: exit code 2, one line, nothing written, no warnings of others."""

from __future__ import annotations

import ast
import copy
import errno
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liescope
from liescope import detect, errors
from liescope.cli import main
from liescope.engines.registration import RegistrationEngine
from liescope.errors import InputError
from liescope.result import load_result

V1 = Path(__file__).parent / "result" / "v1"
Refused = Callable[..., str]


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a result in the current one."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(V1 / "rotation", "found")
    return Path("found")


@pytest.fixture
def images(found: Path) -> Path:
    np.savez("images.npz", images=np.ones((3, 9, 9), np.float32))
    return Path("images.npz")


# --- words


@pytest.mark.parametrize(
    "words",
    [
        ["detect", "images.npz", "--out", "r", "--generators", "²"],
        ["detect", "images.npz", "--out", "r", "--generators", "9" * 5000],
        ["detect", "images.npz", "--out", "r", "--basis", "polynomial-²"],
        ["detect", "images.npz", "--out", "r", "--lags", "²"],
        ["make", "symnist", "--out", "p.npz", "--order", "²"],
        ["make", "symnist", "--out", "p.npz", "--law", "²-modal"],
        ["make", "symnist", "--out", "p.npz", "--seed", "²"],
        ["make", "symnist", "--out", "p.npz", "--pairs", "1000000000000"],
        ["make", "symnist", "--out", "p.npz", "--pairs", "1" + 40 * "0"],
        ["make", "symnist", "--out", "p.npz", "--canvas", "1000000"],
        ["make", "symnist", "--out", "p.npz", "--noise", "1e308"],
        ["make", "symnist", "--out", "p.npz", "--transform", "scale", "--range", "1e300"],
        ["make", "symnist", "--out", "p.npz", "--transform", "generator:1e308,1e308,0,0,0,0"],
        ["make", "symnist", "--out", "p.npz", "--corpus", "a" * 300],
        ["make", "symnist", "--out", "p.npz", "--corpus", "a" * 300 + ".npz"],
        ["make", "symnist", "--out", "a" * 300 + ".npz"],
        ["make", "symnist", "--out", "loop/p.npz"],
        ["detect", "loop", "--out", "r"],
        ["detect", "a" * 300, "--out", "r"],
        ["detect", "images.npz", "--out", "a" * 300],
        ["detect", "images.npz", "--out", "loop/r"],
        ["detect", "images.npz", "--out", "loop"],
        ["train", "images.npz", "--out", "r", "--config", "a" * 300],
        ["train", "images.npz", "--out", "r", "--config", "loop"],
        ["apply", "found", "images.npz", "--t", "1e300", "--out", "o.npz"],
        ["apply", "found", "images.npz", "--t", "1e39", "--out", "o.npz"],
        ["apply", "found", "a" * 300, "--t", "1", "--out", "o.npz"],
        ["apply", "a" * 300, "images.npz", "--t", "1", "--out", "o.npz"],
        ["apply", "loop", "images.npz", "--t", "1", "--out", "o.npz"],
        ["apply", "found", "images.npz", "--t", "1", "--out", "a" * 300 + ".npz"],
        ["report", "loop"],
        ["report", "found", "--out", "a" * 300 + ".html"],
        ["bench", "--out", "a" * 300],
        ["reproduce", "fig3", "--out", "loop"],
    ],
    ids=lambda words: " ".join(word[:20] for word in words),
)
def test_words_that_no_program_should_fall_over(refused: Refused, images: Path, words: list[str]) -> None:
    Path("loop").symlink_to("loop")
    refused(*words)


def test_pixels_that_single_precision_does_not_hold_are_not_written(refused: Refused, found: Path) -> None:
    np.savez("images.npz", images=np.full((3, 9, 9), 1e300))
    assert "finite pixels" in refused("apply", "found", "images.npz", "--t", "0.1", "--out", "o.npz")
    np.savez("images.npz", images=np.full((3, 9, 9), 3.4e38, np.float32) * (np.arange(9) % 2 * 2 - 1))
    line = refused("apply", "found", "images.npz", "--t", "0.3", "--interpolation", "cubic", "--out", "o.npz")
    assert "finite pixels after moving them" in line


def test_warnings_of_others_are_no_lines_of_ours(
    images: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(path: Path) -> np.ndarray:
        warnings.warn("look at me", RuntimeWarning, stacklevel=1)
        raise InputError("expected something else")

    monkeypatch.setattr("liescope.cli.applying.load_images", careless)
    words = ["apply", "found", "images.npz", "--t", "1", "--out", "o.npz"]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(words) == 2
        assert capsys.readouterr().err == "liescope: error: expected something else\n"


def test_lines_of_libraries_in_c_are_no_lines_of_ours() -> None:
    code = (
        "import os, sys, liescope.cli.run as run\n"
        "def app(*_, **__):\n"
        "    os.write(2, b'a word from C\\n')\n"
        "    print('progress', file=sys.stderr)\n"
        "    raise run.InputError('expected something else')\n"
        "run.app = app\n"
        "code = run.main(sys.argv[1:])\n"
        "print('afterwards', file=sys.stderr)\n"
        "os.write(2, b'C again\\n')\n"
        "raise SystemExit(code)\n"
    )
    for words, said in (["x"], []), (["--debug"], ["a word from C"]):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        lines = [line for line in done.stderr.splitlines() if line[:1] not in " T" and "InputError" not in line]
        assert lines == [*said, "progress", "liescope: error: expected something else", "afterwards", "C again"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_an_output_that_is_full_is_one_line() -> None:
    with open("/dev/full", "w") as nowhere:
        words = [sys.executable, "-m", "liescope", "--help"]
        done = subprocess.run(words, stdout=nowhere, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "liescope: error: expected a place that can be read or written, got the output " + (
        f"({os.strerror(errno.ENOSPC)})\n"
    )


def test_a_full_disk_is_one_line(refused: Refused, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    assert "expected room on the disk for 'o.npz'" in refused(
        "apply", "found", "images.npz", "--t", "0.1", "--out", "o.npz"
    )


# --- results


def edited(folder: Path, place: str, value: Any) -> None:
    """Another value in ``result.json``, at a place like ``data.shape``."""
    content = json.loads((folder / "result.json").read_text())
    *path, last = place.split(".")
    inner = content
    for part in path:
        inner = inner[int(part) if part.isdigit() else part]
    inner[int(last) if last.isdigit() else last] = value
    (folder / "result.json").write_text(json.dumps(content))


WRONG: list[tuple[str, Any]] = [
    ("schema", ["liescope.result/1"]), ("schema", "x" * 9999), ("verdict", "perhaps"), ("verdict", None),
    ("engine", {"a": 1}), ("basis", 7), ("basis", "x" * 9999), ("terms", "d/dx"), ("terms", [1, 2]),
    ("data", []), ("data.pairs", "many"), ("data.pairs", -1), ("data.pairs", 1e300), ("data.shape", [1, 28]),
    ("data.shape", [1, 0, 28]), ("data.shape", [1, 28, 10**30]), ("generators", {}), ("generators", [[]] * 3),
    ("generators.0.coefficients", [float("nan")] * 6), ("generators.0.coefficients", [1e400] * 6),
    ("generators.0.coefficients", [0.0] * 6), ("generators.0.coefficients", ["a"] * 6),
    ("generators.0.coefficients", [1.0]), ("generators.0.interval", [[0, 1]]), ("generators.0.interval", 3),
    ("algebra", None), ("algebra.factors", 3), ("evidence", []), ("seconds", "long"), ("seed", 1.5), ("settings", 1),
    ("version", None), ("files", ["../../etc/passwd"]), ("files", "fitted.npz"), ("magnitudes", None),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value"), WRONG, ids=str)
def test_entries_of_a_result_that_cannot_be(found: Path, place: str, value: Any) -> None:
    edited(found, place, value)
    if place == "magnitudes":  # a summary of what magnitudes.npz has; nobody reads it
        assert load_result(found).pairs
        return
    with pytest.raises(InputError) as caught:
        load_result(found)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[" * 100_000, b'{"schema": ' + b"9" * 5000 + b"}", b"nan", b'{"a":1}{"b":2}', b"\x00" * 99],
    ids=["empty", "no text", "deep", "a long number", "nan", "two", "zeros"],
)
def test_what_is_no_json(refused: Refused, found: Path, content: bytes) -> None:
    (found / "result.json").write_bytes(content)
    assert "JSON" in refused("report", "found") or "schema" in refused("report", "found")


@pytest.mark.parametrize(
    ("file", "name", "array"),
    [
        ("magnitudes", "t", np.full((2, 1), "a")),
        ("magnitudes", "t", np.zeros((2, 1), complex)),
        ("magnitudes", "accepted", np.zeros(2)),
        ("magnitudes", "residual", np.zeros(3)),
        ("samples", "index", np.array([0.5])),
        ("samples", "index", np.array([10**9])),
        ("samples", "index", np.zeros((1, 1), int)),
        ("samples", "source", np.zeros((1, 3, 9, 9))),
        ("samples", "target", np.full((1, 1, 28, 28), "a")),
    ],
    ids=str,
)
def test_arrays_of_a_result_that_cannot_be(refused: Refused, found: Path, file: str, name: str, array: Any) -> None:
    with np.load(found / f"{file}.npz") as held:
        arrays = dict(held)
    if len(array) == 2:
        array = np.resize(array, arrays[name].shape)
    np.savez(found / f"{file}.npz", **(arrays | {name: array}))
    assert name in refused("report", "found")


def test_words_of_a_result_that_no_page_can_be_made_of(refused: Refused, found: Path) -> None:
    edited(found, "evidence", {"p_value": {"a": "b"}, "contrast": 7})
    assert "expected a result that can be shown" in refused("report", "found")


# --- the latent engine


@pytest.fixture
def no_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("registration ran")

    monkeypatch.setattr(RegistrationEngine, "fit", never)


@pytest.mark.usefixtures("no_registration")
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x80\x02]q\x00.", b"text"])
def test_a_broken_checkpoint_is_told_before_registration(digits: np.ndarray, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.ckpt").write_bytes(content)
    with pytest.raises(InputError, match="expected a checkpoint of this program"):
        detect(digits[:40], digits[:40], engine="latent", work_dir=tmp_path, resume=True)


@pytest.mark.usefixtures("no_registration")
def test_a_model_that_does_not_fit_into_memory_is_told_before_registration(
    digits: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "free_memory", lambda: 16_000_000_000)
    config = {"model": {"hidden": [30_000, 30_000]}}
    with pytest.raises(InputError, match=r"expected training on 40 pairs .* got .* GB needed and 16 GB free"):
        detect(digits[:40], digits[:40], engine="latent", config=config)


def test_a_stored_model_that_does_not_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(V1 / "latent", tmp_path / "r")
    content = json.loads((tmp_path / "r" / "config.json").read_text())
    other = copy.deepcopy(content)
    other["config"]["model"]["hidden"] = [65_536] * 4
    (tmp_path / "r" / "config.json").write_text(json.dumps(other))
    monkeypatch.setattr(errors, "free_memory", lambda: 16_000_000_000)
    with pytest.raises(InputError, match="GB needed and 16 GB free"):
        load_result(tmp_path / "r")


@pytest.mark.parametrize("text", ["epoch\n²\n", "epoch\n1,2\n", "epoch\nfour\n", "epoch\n\xb3\n"])
def test_a_broken_history(tmp_path: Path, text: str) -> None:
    shutil.copytree(V1 / "latent", tmp_path / "r")
    (tmp_path / "r" / "history.csv").write_text(text)
    with pytest.raises(InputError, match="expected a history in"):
        load_result(tmp_path / "r")


# --- nothing is executed


UNPICKLES = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}


def test_nothing_that_we_read_is_unpickled() -> None:
    """No module unpickles; arrays are loaded without pickles, torch's files as weights alone."""
    root = Path(str(liescope.__file__)).parent
    files = [*root.rglob("*.py"), *(Path(__file__).parents[1] / "benchmarks").rglob("*.py")]
    found = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            told = {name.split(".")[0] for name in names} & {
                "pickle",
                "joblib",
                "dill",
                "cloudpickle",
                "shelve",
                "marshal",
            }
            found += [f"{file.name}: imports {name}" for name in told]
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = f"{getattr(node.func.value, 'id', '')}.{node.func.attr}"
                given = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
                safe = {"np.load": ("allow_pickle", False), "torch.load": ("weights_only", True)}
                if called in safe and given.get(safe[called][0]) is not safe[called][1]:
                    found.append(f"{file.name}:{node.lineno} {called}")
                if given.get("allow_pickle"):
                    found.append(f"{file.name}:{node.lineno} allow_pickle")
    assert len(files) > 200
    assert found == []
