"""The table of pairs: its columns, its file, and what becomes of a user's file of that name."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from liescope import InputError, load_result
from liescope.answer.film import Film


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_is_beside_the_arrays_in_natural_units(make_result, tmp_path):
    names = np.array([[f"a{k}.tif", f"b,{k}.tif"] for k in range(60)])
    error = np.full((60, 2), 0.01)
    error[3, 1] = np.nan
    gain = np.linspace(0.5, 2, 60)
    result = make_result("rotation", "translation-x", names=names, t_error=error, gain=gain, offset=gain - 1)
    result.save(tmp_path / "found")
    table = rows(tmp_path / "found" / "magnitudes.csv")
    assert list(table[0]) == [
        "pair", "source_file", "target_file", "t1_rotation_degree", "t1_rotation_degree_error",
        "t2_translation-x_pixel", "t2_translation-x_pixel_error", "residual", "accepted", "gain", "offset",
    ]  # fmt: skip
    assert table[5]["target_file"] == "b,5.tif"
    assert [row["accepted"] for row in table[8:11]] == ["True", "False", "True"]
    assert table[3]["t2_translation-x_pixel_error"] == ""
    with np.load(tmp_path / "found" / "magnitudes.npz") as arrays:
        degrees = np.degrees(arrays["t"][:, 0] / np.sqrt(2))  # of the rotation of unit norm
        np.testing.assert_allclose([float(row["t1_rotation_degree"]) for row in table], degrees)
        np.testing.assert_allclose([float(row["t2_translation-x_pixel"]) for row in table], arrays["t"][:, 1] * 6)
    assert float(table[0]["t1_rotation_degree_error"]) == pytest.approx(np.degrees(0.01 / np.sqrt(2)))
    kept = load_result(tmp_path / "found").names
    assert kept is not None
    assert kept.tolist() == names.tolist()


def test_frames_are_numbered_and_nothing_found_is_a_table_too(make_result, tmp_path):
    film = Film(21, (1,), np.arange(20), np.arange(1, 21))
    result = make_result("rotation", pairs=20, film=film)
    assert [row["second_frame"] for row in rows(result.to_csv(tmp_path / "t.csv"))] == [str(k) for k in range(1, 21)]
    table = rows(make_result(pairs=20).to_csv(tmp_path / "none.csv"))
    assert list(table[0]) == ["pair", "residual", "accepted"]
    assert {row["accepted"] for row in table} == {"False"}


def test_a_frame_of_pandas_is_what_pandas_reads_from_the_file(make_result, tmp_path):
    pd = pytest.importorskip("pandas")
    result = make_result("scale", t_error=np.full((60, 1), 0.5))
    frame = result.to_frame()
    pd.testing.assert_frame_equal(frame, pd.read_csv(result.to_csv(tmp_path / "t.csv")))
    np.testing.assert_array_equal(frame["t1_scale_log-factor"], result.natural[:, 0])


def test_without_pandas_it_is_said_what_to_install(make_result, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "pandas" else find(name, *a))
    with pytest.raises(InputError, match=r"expected the package pandas, got none, try pip install pandas$"):
        make_result("scale").to_frame()


def test_a_table_of_the_user_is_not_replaced(make_result, tmp_path):
    result = make_result("rotation")
    folder = result.save(tmp_path / "found")
    result.save(folder)  # its own table is
    content = json.loads((folder / "result.json").read_text())
    del content["tables"]  # as before results had one
    (folder / "result.json").write_text(json.dumps(content))
    (folder / "magnitudes.csv").write_text("mine")
    with pytest.raises(InputError, match=r"'magnitudes\.csv', which is not of the result there"):
        result.save(folder)
    assert (folder / "magnitudes.csv").read_text() == "mine"
    (folder / "magnitudes.csv").unlink()
    changed = dataclasses.replace(result, gain=np.ones(60))
    assert "gain" in rows(changed.save(folder) / "magnitudes.csv")[0]
