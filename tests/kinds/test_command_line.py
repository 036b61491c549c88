"""Kinds without pairs on the command line, and what other commands say of their results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liescope import InputError, detect_invariance, load_result
from liescope.cli import main
from liescope.handover import kornia, lie_algebra
from liescope.type2 import Scheme


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(**arrays: Any) -> str:
    np.savez("data.npz", **arrays)
    return "data.npz"


def test_values_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    points = np.random.default_rng(0).normal(size=(500, 2))
    file = written(X=points, y=np.square(points).sum(axis=1))
    assert main(["detect", file, "--kind", "invariance", "--out", "found", "-q"]) == 0
    assert load_result("found").generators[0].name == "rotation"
    assert Path("found/report.html").stat().st_size > 10_000
    assert main(["detect", file, "--kind", "invariance", "--out", "found"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Rotation. There is one field")
    assert main(["detect", file, "--kind", "invariance", "--out", "found", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "function"
    assert main(["report", "found"]) == 0


def test_clouds_and_laws_of_motion_on_the_command_line() -> None:
    rng = np.random.default_rng(0)
    file = written(X=rng.normal(size=(3000, 2)))
    assert main(["detect", file, "--kind", "cloud", "--out", "cloud", "-q"]) == 0
    assert load_result("cloud").kind == "cloud"
    states = rng.normal(size=(300, 2))
    file = written(x=states, derivatives=states * np.square(states).sum(axis=1, keepdims=True))
    assert main(["detect", file, "--kind", "dynamics", "--time-scaling", "--out", "law", "-q"]) == 0
    assert len(load_result("law").generators) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kind", "dynamic"], "Did you mean 'dynamics'"),
        (["--kind", "dynamics"], "runs and t, or x and derivatives"),
        (["--kind", "invariance"], "y"),
        (["--kind", "cloud", "--time-scaling"], "--time-scaling with --kind dynamics"),
        (["--kind", "cloud", "--tolerance", "2"], "tolerance between 0 and 1"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(X=np.random.default_rng(0).normal(size=(100, 2)))
    assert main(["detect", file, "--out", "found", *words]) == 2
    error = capsys.readouterr().err.strip()
    assert told in error
    assert "\n" not in error
    assert not Path("found").exists()


def test_other_rooms_take_what_fits_them_and_refuse_the_rest() -> None:
    points = np.random.default_rng(0).normal(size=(300, 3))
    result = detect_invariance(lambda x: np.linalg.norm(x, axis=1), points)
    matrices = lie_algebra(result, warn=False)
    assert matrices.shape == (3, 4, 4)
    np.testing.assert_allclose(matrices[:, :3, :3] + matrices[:, :3, :3].transpose(0, 2, 1), 0, atol=1e-8)
    for refused in (kornia, Scheme.from_result):
        with pytest.raises(InputError):
            refused(result)
    result.save("found")
    np.savez("images.npz", images=np.zeros((2, 9, 9)))
    assert main(["apply", "found", "images.npz", "--t", "0.1,0.1,0.1", "--out", "moved.npz"]) == 2
    assert main(["report", "found", "found", "--out", "both.html"]) == 2


@pytest.mark.parametrize("entry", ["generators", "evidence", "terms", "files", "data"])
def test_broken_folders_are_told(entry: str) -> None:
    points = np.random.default_rng(0).normal(size=(300, 2))
    detect_invariance(lambda x: np.linalg.norm(x, axis=1), points).save("found")
    file = Path("found/result.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    values: tuple[Any, ...] = (None, 3, [], {})
    for value in values:
        file.write_text(json.dumps(content | {entry: value}), encoding="utf-8")
        if (entry, value) in (("generators", []), ("evidence", {})):
            continue
        with pytest.raises(InputError) as caught:
            load_result("found")
        assert "\n" not in str(caught.value)
