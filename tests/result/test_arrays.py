"""Every .npz file holds the arrays that are documented, and no others."""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liescope
from liescope.cli import main
from liescope.data import make_pairs, save_pairs
from liescope.result import SymmetryResult, load_result

ALWAYS = {"t", "residual", "accepted"}


def savez_of_numpy_2_1(file: str | Path, *args: Any, **arrays: Any) -> None:
    """As it was before it had the keyword ``allow_pickle``: every keyword is an array."""
    assert not args
    path = Path(file) if str(file).endswith(".npz") else Path(f"{file}.npz")
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asanyarray(array))


@pytest.fixture(params=[False, True], ids=["numpy", "numpy 2.1"])
def any_numpy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        monkeypatch.setattr(np, "savez", savez_of_numpy_2_1)
        monkeypatch.setattr(np, "savez_compressed", savez_of_numpy_2_1)


def names(file: Path) -> set[str]:
    with np.load(file) as archive:
        return set(archive.files)


@pytest.mark.usefixtures("any_numpy")
@pytest.mark.parametrize(
    "further",
    [
        {},
        {"t_error": np.full((60, 2), 0.1), "identifiable": np.ones(60, bool)},
        {
            "factor_t": np.zeros((60, 2)),
            "algebra": {"factors": {"names": ["a", "b"], "misfit_px": 0.1, "ordered": True}},
        },
    ],
    ids=["plain", "errors", "factors"],
)
def test_a_result_has_its_documented_arrays(
    make_result: Callable[..., SymmetryResult], tmp_path: Path, further: dict[str, Any]
) -> None:
    result = make_result("rotation", "scale", **further)
    folder = result.save(tmp_path / "r")
    assert names(folder / "magnitudes.npz") == ALWAYS | (set(further) - {"algebra"})
    assert names(folder / "samples.npz") == {"index", "source", "target", "transported"}
    np.testing.assert_array_equal(load_result(folder).t, result.t)


@pytest.mark.usefixtures("any_numpy")
def test_moved_images_and_pairs_have_theirs(make_result: Callable[..., SymmetryResult], tmp_path: Path) -> None:
    folder = make_result("rotation").save(tmp_path / "r")
    np.save(tmp_path / "images.npy", np.zeros((3, 12, 12)))
    words = ["apply", str(folder), str(tmp_path / "images.npy"), "--t", "0.1", "--out", str(tmp_path / "moved.npz")]
    assert main(words) == 0
    assert names(tmp_path / "moved.npz") == {"images"}
    save_pairs(tmp_path / "pairs.npz", make_pairs(pairs=8))
    assert names(tmp_path / "pairs.npz") == {"source", "target", "magnitude", "label", "meta"}


def test_no_call_hands_numpy_an_option_that_an_older_one_takes_for_an_array() -> None:
    package = Path(str(liescope.__file__)).parent
    found = [
        f"{file.relative_to(package)}:{node.lineno}"
        for file in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("savez", "savez_compressed")
        and any(word.arg == "allow_pickle" for word in node.keywords)
    ]
    assert found == []
