"""Tables that are printed and written as markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

__all__ = ["MISSING", "Column", "Row", "Table", "number", "value", "verdict"]

Row = Mapping[str, Any]
MISSING = "–"


class Column(NamedTuple):
    """A heading, and how the cell below it is made from a row."""

    heading: str
    cell: Callable[[Row], str]


@dataclass(frozen=True)
class Table:
    """Rows of named values and the columns to show of them.

    Parameters
    ----------
    title : str
    columns : sequence of Column
    rows : sequence of mappings
        They may hold more than is shown; ``passed`` (True, False, None) says whether the row meets its targets.
    notes : sequence of str
        Footnotes.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def passed(self) -> bool:
        """Whether no row misses a target."""
        return not any(row.get("passed") is False for row in self.rows)

    def cells(self) -> list[list[str]]:
        """The text of every row."""
        return [[column.cell(row) for column in self.columns] for row in self.rows]

    def markdown(self) -> str:
        """The table as markdown, with its title and footnotes."""
        lines = [f"### {self.title}", ""]
        lines += [_line([column.heading for column in self.columns]), _line(["---"] * len(self.columns))]
        lines += [_line(cells) for cells in self.cells()]
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines) + "\n"

    def show(self, console: Console) -> None:
        """Print the table."""
        shown = RichTable(title=self.title, box=box.SIMPLE_HEAD, title_justify="left")
        for column in self.columns:
            shown.add_column(column.heading)
        for cells in self.cells():
            shown.add_row(*cells)
        console.print(shown)
        for note in self.notes:
            console.print(note)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def number(x: float | None, digits: int, scale: float = 1.0, unit: str = "") -> str:
    """``scale * x`` with that many decimals; a dash where there is no number."""
    return MISSING if x is None or math.isnan(x) else f"{scale * x:,.{digits}f}{unit}"


def value(key: str, digits: int | None = None, scale: float = 1.0, unit: str = "") -> Callable[[Row], str]:
    """The cell with the value under a key: text as it is, numbers by :func:`number`."""
    if digits is None:
        return lambda row: str(row[key])
    decimals = digits
    return lambda row: number(row[key], decimals, scale, unit)


def verdict(row: Row) -> str:
    """``pass``, or what was missed; nothing where the row has no target."""
    if row.get("passed") is None:
        return ""
    return "pass" if row["passed"] else f"FAIL: {', '.join(row['missed'])}"
