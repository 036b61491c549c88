"""Columns of the tables of sweeps: measurements with their targets beside them."""

from __future__ import annotations

from collections.abc import Sequence

from liescope.evaluation.benchmarks.table import MISSING, Column, Row, number, value, verdict

__all__ = ["CASE", "EXACT_NOTE", "HELD_NOTE", "LAW", "MODES", "NOISE", "READING_NOTE", "columns"]

READING_NOTE = (
    "Worst over the seeds; seconds of the detection alone, after import and one untimed call: median, interquartile "
    "range (IQR) and maximum over the seeds. Errors of t and W1 (the Wasserstein distance between found and true "
    "magnitudes) are shares of the range of t, over all pairs. K is the number of generators found (target 1)."
)
EXACT_NOTE = (
    "The engine resamples linearly itself: data made with order 1 and without noise have a solution without any rest, "
    "and errors there come down to rounding. Order 3, which it cannot reproduce, and noise say more about other data."
)
HELD_NOTE = (
    "t error, held: nearest-neighbour resampling (order 0) of a translation by d pixels is exactly that by d "
    "rounded to whole pixels, so that no method can be nearer to d than a quarter of a pixel in the median: 1.8 % "
    "of this range. Such rows are judged by the error against the rounded magnitude, which the images hold."
)


def _cosine(row: Row) -> str:
    return f"{number(row['cosine'], 6)} (≥ {row['target']['cosine']:g})"


def _limited(key: str, limit: str) -> Column:
    heading = {"t_error_median": "median t error", "w1": "W1"}[key]

    def cell(row: Row) -> str:
        shown = number(row[key], 3, 100, " %")
        most = row["target"][limit]
        # Where the images hold rounded magnitudes the target stands beside the error against those.
        judged = most is not None and not (key == "t_error_median" and row["t_error_held"] is not None)
        return f"{shown} (≤ {100 * most:g} %)" if judged else shown

    return Column(heading, cell)


def _held(row: Row) -> str:
    if row["t_error_held"] is None:
        return ""
    most = row["target"]["t_error"]
    return number(row["t_error_held"], 3, 100, " %") + ("" if most is None else f" (≤ {100 * most:g} %)")


def _different(numbers: Sequence[int]) -> str:
    return ", ".join(str(k) for k in sorted(set(numbers)))


def _seconds(row: Row) -> str:
    middle, width, most = (number(row[f"seconds_{key}"], 2) for key in ("median", "iqr", "max"))
    return f"{middle}, IQR {width}, max {most} (≤ {row['target']['seconds']:g})"


def _modes(row: Row) -> str:
    expected = row["target"]["modes"]
    return f"{_different(row['modes'])} ({MISSING if expected is None else expected})"


CASE = (
    Column("transform", value("case")),
    Column("range", value("range")),
    Column("order", value("order")),
)
LAW = Column("law", value("law"))
NOISE = Column("noise", value("noise"))
MODES = Column("modes (true)", _modes)


def columns(*extra: Column, held: bool = False) -> list[Column]:
    """The columns of a sweep, with further ones behind the case; ``held`` adds the error against what images hold."""
    return [
        *CASE,
        *extra,
        Column("worst cosine", _cosine),
        _limited("t_error_median", "t_error"),
        *([Column("t error, held", _held)] if held else []),
        Column("p90 t error", value("t_error_p90", 3, 100, " %")),
        _limited("w1", "w1"),
        Column("accepted", value("accepted_fraction", 1, 100, " %")),
        Column("K", lambda row: _different(row["generators"])),
        Column("seeds", lambda row: str(len(row["seeds"]))),
        Column("seconds", _seconds),
        Column("", verdict),
    ]
