"""Tables that are printed and written as markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

__all__ = ["MISSING", "Column", "Row", "Table", "markdown_table", "number", "value", "verdict"]

Row = Mapping[str, Any]
MISSING = "–"


class Column(NamedTuple):
    """A heading, and how the cell below it is made from a row.

    Attributes
    ----------
    heading : str
    cell : callable
        From a row, as it was made or as it was read back from a record, to text.
    needs : str, optional
        A value that rows of older records do not have: the column is left out where no row has it.
    """

    heading: str
    cell: Callable[[Row], str]
    needs: str | None = None


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

    @property
    def shown(self) -> list[Column]:
        """The columns that there are values for."""
        return [one for one in self.columns if one.needs is None or any(one.needs in row for row in self.rows)]

    def cells(self) -> list[list[str]]:
        """The text of every row."""
        return [[column.cell(row) for column in self.shown] for row in self.rows]

    def markdown(self) -> str:
        """The table as markdown, with its title and footnotes."""
        lines = [f"### {self.title}", "", *markdown_table([one.heading for one in self.shown], self.cells())]
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines) + "\n"

    def show(self, console: Console) -> None:
        """Print the table."""
        shown = RichTable(title=self.title, box=box.SIMPLE_HEAD, title_justify="left")
        for column in self.shown:
            shown.add_column(column.heading)
        for cells in self.cells():
            shown.add_row(*cells)
        console.print(shown)
        for note in self.notes:
            console.print(note)


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table in markdown, from the text of its cells."""
    return [_line(cells) for cells in (headings, ["---"] * len(headings), *rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"


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
