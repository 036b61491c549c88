"""The columns of the tables of real pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from liescope.evaluation.benchmarks.methods.peers import PEERS
from liescope.evaluation.benchmarks.pictures.judging import (
    LEAST_ACCEPTED,
    LEAST_R2,
    LEAST_WITHIN,
    MOST_DEGREES,
    PIXEL,
)
from liescope.evaluation.benchmarks.pictures.running import METHODS, OWN
from liescope.evaluation.benchmarks.suite.picture_rows import LEAST_ERROR, LEAST_RIGHT, MOST_ALARMS
from liescope.evaluation.benchmarks.table import MISSING, Column, Row, number, value, verdict

__all__ = ["ALARMS", "ERRORS", "NOTES", "VERDICTS", "WAYS", "layout"]

VERDICTS = "Kinds of pictures"
ERRORS = "Motion of every pair"
WAYS = "Ways to register"
ALARMS = "False alarms on pictures"

NOTES: Mapping[str, str] = {
    VERDICTS: (
        f"Right: the verdict, the number of generators, their span within {MOST_DEGREES:g}° over the image, R2 of the "
        f"magnitudes at least {LEAST_R2:g} (where they do not vary: {100 * LEAST_WITHIN:g} % of the pairs within a "
        f"pixel), {100 * LEAST_ACCEPTED:g} % of the pairs accepted, and what the generator is called where that "
        "matters. Honest: undecided, of one pair or five. Untrue: a symmetry is claimed that is not there, or a "
        "generator outside of the true span. An error that is raised is wrong. A peer, told the model of the motion "
        f"and the valid pixels, is right where {100 * LEAST_WITHIN:g} % of the pairs are registered to within "
        f"{PIXEL:g} px and its model holds the motion; it has no verdict, so that kinds without a symmetry are not "
        f"scored. Target: {100 * LEAST_RIGHT:g} % right or honest, as often as the best peer, nothing untrue."
    ),
    ERRORS: (
        "Endpoint error of a pair: the root mean square, over the overlap, of the distance between where pixels go and "
        "where they are said to go. Median over the pairs, then over the runs; in brackets the share of pairs within "
        f"{PIXEL:g} px. Ratio: of liescope's error to that of the peer with the smallest; errors below "
        f"{LEAST_ERROR:g} px count as that."
    ),
    WAYS: (
        "Runs on kinds with a motion. Error beside it: liescope's as a multiple of the method's on the same pairs; "
        "time: seconds as a multiple of liescope's; medians over the runs, one thread each: the others register every "
        "pair by itself and look for no generator."
    ),
    ALARMS: (
        "Pairs without a symmetry, as 60 windows of 64 px, as a film of 30 frames of one scene at lags 1 and 2 "
        "(mirrored: lag 1), and as one pair of 128 px. Claimed: the verdict is a symmetry; target at most "
        f"{100 * MOST_ALARMS:g} %. Raised: an error in place of a verdict. Peers have no verdict on pairs that nothing "
        "relates: they return a motion for all of them, and are not scored."
    ),
}
"""What stands below every table."""

NO_ANSWER = "no motion"


def _share(key: str) -> Callable[[Row], str]:
    return value(key, 0, 100, " %")


def _peer_share(name: str) -> Callable[[Row], str]:
    return lambda row: number(row["peers"][name], 0, 100, " %")


def _pixels(error: float | None, within: float | None) -> str:
    """An error in pixels; one that is infinite is None in a record, where the share within a pixel is known."""
    if within is None or math.isnan(within):
        return MISSING
    return NO_ANSWER if error is None or math.isinf(error) else number(error, 3)


def _error(name: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        within = row["within"][name]
        told = _pixels(row["errors"][name], within)
        return told if told == MISSING else f"{told} ({number(within, 0, 100, ' %')})"

    return cell


def _ratio(row: Row) -> str:
    ratio = row["ratio"]
    if ratio is None or not math.isfinite(ratio):
        return MISSING
    return f"{number(ratio, 2)} ({row['best']})"


def _of_way(key: str, digits: int, scale: float = 1.0, unit: str = "") -> Callable[[Row], str]:
    return lambda row: number(row.get(key), digits, scale, unit)


def _way_error(row: Row) -> str:
    return _pixels(row.get("error"), row.get("within"))


SECONDS = Column("seconds", value("seconds_median", 2))

_COLUMNS: Mapping[str, Sequence[Column]] = {
    VERDICTS: (
        Column("kind", value("kind")),
        Column("pairs are", value("about")),
        Column("runs", value("runs")),
        Column("right", _share("right")),
        Column("honest", _share("honest")),
        Column("wrong", _share("wrong")),
        Column("untrue", _share("untrue")),
        Column("angle", value("angle", 2, unit="°")),
        *(Column(f"{name} right", _peer_share(name)) for name in PEERS),
        SECONDS,
        Column("", verdict),
    ),
    ERRORS: (
        Column("kind", value("kind")),
        *(Column(f"{name}, px", _error(name)) for name in METHODS),
        Column("ratio (best peer)", _ratio),
    ),
    WAYS: (
        Column("method", value("method")),
        Column("what is called", lambda row: row["reason"] or row["about"]),
        Column("version", lambda row: row.get("version") or MISSING),
        Column("runs", value("runs")),
        Column("right", _of_way("right", 0, 100, " %")),
        Column("pairs within 1 px", _of_way("within", 0, 100, " %")),
        Column("error, px", _way_error),
        Column(f"{OWN}'s error beside it", _of_way("ratio", 2, unit="x")),
        Column(f"time, of {OWN}'s", _of_way("time", 3, unit="x")),
    ),
    ALARMS: (
        Column("pairs are", value("kind")),
        Column("", value("about")),
        Column("as", value("form")),
        Column("runs", value("runs")),
        Column("claimed", _share("claimed")),
        Column("undecided", _share("undecided")),
        Column("no symmetry", _share("none")),
        Column("raised", _share("raised")),
        SECONDS,
        Column("", verdict),
    ),
}


def layout(title: str) -> Sequence[Column]:
    """The columns of a table."""
    return _COLUMNS[title]
