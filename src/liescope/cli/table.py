"""The answer as a short table on the terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from liescope.report import words
from liescope.report.numbers import angle_bound, histogram, number, percent
from liescope.result import SymmetryResult

__all__ = ["print_result", "text_histogram"]

_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*#%"
_BINS = 28


def print_result(result: SymmetryResult, out: Path | None = None) -> None:
    """A short table on stdout."""
    console = Console(highlight=False)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(result, console.encoding, out):
        # Text from files must not be read as markup.
        table.add_row(name, Text(value))
    console.print(table)


def _rows(result: SymmetryResult, encoding: str, out: Path | None) -> list[tuple[str, str]]:
    rows = [("what", words.title(result))]
    several = len(result.generators) > 1
    if not result.generators:
        rows.append(("why", words.sentence(result)))
    for k, found in enumerate(result.generators):
        g = found.generator
        rows += [
            (f"generator {k + 1}" if several else "how", f"{words.action(g)}, {words.how_much(result, k)}"),
            ("", f"X = {g.equation}"),
            ("", text_histogram(result, k, encoding)),
            ("direction", f"uncertain by {angle_bound(found.direction_error_deg)} degrees"),
        ]
        if modes := words.modes_words(result, k):
            rows.append(("modes", modes))
    if several and result.algebra.get("name"):
        rows.append(("algebra", _algebra(result)))
    if product := words.factor_words(result):
        rows.append(("", product))
    if simple := words.clean_words(result):
        rows.append(("", simple))
    rows.append(("evidence", _evidence(result)))
    if result.generators:
        rows.append(("pairs", _pairs(result)))
    rows.append(("time", f"{number(result.seconds, 2)} s, {result.engine} engine"))
    if out is not None:
        rows.append(("page", str(out / "report.html")))
    return rows


def _algebra(result: SymmetryResult) -> str:
    name, described = str(result.algebra["name"]), result.algebra.get("description")
    return f"{name}: {described}" if described else name


def _pairs(result: SymmetryResult) -> str:
    text = f"{percent(result.accepted_fraction)} of {result.pairs} follow it"
    if result.identifiable is None or result.evidence.get("contrast") or not result.accepted.any():
        return text
    vague = float((result.accepted & ~result.identifiable).sum() / result.accepted.sum())
    return f"{text}, {percent(vague)} of them without telling by how much" if vague else text


def _evidence(result: SymmetryResult) -> str:
    share = words.explained(result)
    text = f"{percent(max(share, 0.0))} of the difference explained on held-out pairs"
    p = result.evidence.get("p_value")
    return text if p is None else f"{text}, {words.p_value_words(float(p))}"


def text_histogram(result: SymmetryResult, index: int, encoding: str) -> str:
    """The law of a magnitude in one line: smallest, a bar for every bin, largest."""
    bars = histogram(result, index, bins=_BINS)
    marks = _BARS if "utf" in encoding.lower() else _ASCII_BARS
    heights = np.ceil((len(marks) - 1) * bars.counts / max(int(bars.counts.max()), 1)).astype(int)
    low, high = words.ends(result, index)
    return f"{low} {''.join(marks[h] for h in heights)} {high}"
