"""Grey scales of sources and targets that differ are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from liescope.cli.table import print_result
from liescope.data import validate_images
from liescope.detector.missing import missing_pixels
from liescope.detector.scales import with_scales
from liescope.engines import PairSet


def told(make_result: Any, source: Any, target: Any, *fields: str, **changes: Any) -> Any:
    """The result of pairs like these, as it is told."""
    x, y = validate_images(source, target, nan=True)
    missing = missing_pixels(x, y, None, None, changes.pop("nodata", None))
    result = make_result(*fields, pairs=len(x), shape=tuple(x.shape[1:]), **changes)
    return with_scales(result, PairSet.of(x, y, missing=missing))


def by_pixel(images: np.ndarray) -> np.ndarray:
    return np.asarray(StandardScaler().fit_transform(images.reshape(len(images), -1))).reshape(images.shape)


def as_a_whole(images: np.ndarray) -> np.ndarray:
    return np.asarray((images - images.mean()) / images.std())


CASES = {
    "on different grey scales": (lambda x: x, lambda y: y / 255, "sources (0 to 255) and targets (0 to 1) are"),
    "the other way round": (lambda x: x / 255, lambda y: y * 100.0, "sources (0 to 1) and targets (0 to 25500) are"),
    "standardised sources": (as_a_whole, lambda y: y / 255, "sources look standardised, targets do not ("),
    "standardised targets": (lambda x: x, as_a_whole, "targets look standardised, sources do not (0 to 255 against"),
    "pixel by pixel": (by_pixel, lambda y: y, "sources look standardised pixel by pixel, targets do not"),
    "alike": (lambda x: x, lambda y: y, None),
    "brighter": (lambda x: x, lambda y: y * 3.0 + 20, None),
    "both standardised": (as_a_whole, as_a_whole, None),
    "both pixel by pixel": (by_pixel, by_pixel, None),
    "blank targets": (lambda x: x, lambda y: 0 * y, None),
}


@pytest.mark.parametrize("case", CASES)
def test_scales_that_differ_are_told(make_result, digits, case):
    of_source, of_target, expected = CASES[case]
    turned = np.rot90(digits[:100], axes=(1, 2))
    result = told(make_result, of_source(digits[:100]), of_target(turned), "rotation")
    note = result.evidence.get("scales", {}).get("note")
    assert note is None if expected is None else note.startswith(expected)
    assert result.reason == "held-out pairs say so"


def test_what_is_missing_is_no_grey_value(make_result, digits):
    source, target = digits[:40].astype(float), digits[40:80].astype(float)
    source[:, 0, 0], target[:, 5, 5] = 1e6, np.nan
    assert "scales" not in told(make_result, source, target, "rotation", nodata=1e6).evidence


def test_the_note_is_where_people_look(make_result, digits, capsys):
    gain = np.full(40, 1 / 255)
    found = told(make_result, digits[:40], digits[:40] / 255, "rotation", gain=gain, offset=gain)
    note = "sources (0 to 255) and targets (0 to 1) are on different grey scales: gain and offset of every pair were"
    assert note[1:] in found.summary()
    print_result(found, Path("found"))
    assert note in " ".join(capsys.readouterr().out.split())
    nothing = told(make_result, digits[:40], digits[:40] / 255)
    assert nothing.reason.endswith("grey scales: try the same scale for both")
