"""The contact sheet: it is drawn, it shows the pairs, it does not leave half a file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from liescope.data import Corpus, Pairs, make_pairs, pairs_from_sequence, preview_sheet
from liescope.errors import InputError


def test_sheet_holds_source_and_target_side_by_side(tmp_path: Path) -> None:
    source = np.zeros((1, 10, 10))
    source[0, :5] = 1.0  # bright above
    target = source[:, ::-1].copy()  # bright below
    sheet = preview_sheet(Pairs(source, target), tmp_path / "a.png", columns=1)
    pixels = np.asarray(Image.open(sheet).convert("L"), dtype=float)
    rows, columns = np.nonzero(pixels < 5)
    # The black quarters: below on the left, above on the right.
    left = columns < columns.mean()
    assert rows[left].mean() > rows[~left].mean() + 10


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_every_kind_of_pairs_is_drawn(tmp_path: Path, digits: Corpus, suffix: str) -> None:
    made = make_pairs(transform="rotation+sct-x", range=[40, 0.3], pairs=30, corpus=digits)
    assert preview_sheet(made, tmp_path / f"a{suffix}", count=6).stat().st_size > 5000
    video = pairs_from_sequence(np.random.default_rng(0).random((9, 3, 8, 8)))
    preview_sheet(video, tmp_path / f"b{suffix}", count=2)
    assert sorted(os.listdir(tmp_path)) == [f"a{suffix}", f"b{suffix}"]


def test_bad_sheets_are_named(tmp_path: Path) -> None:
    pairs = Pairs(np.zeros((2, 8, 8)), np.zeros((2, 8, 8)))
    with pytest.raises(InputError, match=r"ending in .png, .pdf or .svg"):
        preview_sheet(pairs, tmp_path / "a.txt")
    with pytest.raises(InputError, match="at least one pair"):
        preview_sheet(pairs, tmp_path / "a.png", count=0)
    with pytest.raises(InputError, match="folder that can be written"):
        preview_sheet(pairs, tmp_path / "none" / "a.png")
