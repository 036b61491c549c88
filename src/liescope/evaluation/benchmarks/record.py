"""What a benchmark found, on what machine and with what versions, as JSON, markdown and CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from liescope.data.guard import json_of, reading
from liescope.data.pairs import atomic_path
from liescope.errors import InputError
from liescope.evaluation.benchmarks.environment import environment, measured_on
from liescope.evaluation.benchmarks.table import Column, Table
from liescope.evaluation.benchmarks.unfinished import forget

__all__ = ["SCHEMA", "Layout", "Record", "csv_text", "plain", "read_record", "spread"]

SCHEMA = "liescope.benchmark/1"

Layout = Callable[[str], Sequence[Column]]
"""The columns of a table, from its title."""


def spread(values: Sequence[float], prefix: str = "seconds") -> dict[str, float]:
    """Median, interquartile range and maximum of repeated measurements, as ``PREFIX_median``, ..."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {
        f"{prefix}_median": float(middle),
        f"{prefix}_iqr": float(high - low),
        f"{prefix}_max": float(np.max(values)),
    }


@dataclass(frozen=True)
class Record:
    """The outcome of a benchmark.

    Parameters
    ----------
    name : str
        Of the files that are written.
    title : str
    tables : sequence of Table
    runs : sequence of mappings or dataclasses
        Every single measurement behind the tables.
    settings : mapping
        What was asked for.
    """

    name: str
    title: str
    tables: Sequence[Table]
    runs: Sequence[Any]
    settings: Mapping[str, Any]
    machine: Mapping[str, Any] = field(default_factory=environment)

    @property
    def passed(self) -> bool:
        """Whether all targets are met."""
        return all(table.passed for table in self.tables)

    def to_dict(self) -> dict[str, Any]:
        """Everything, in types that JSON has; what is not a finite number is None."""
        told: dict[str, Any] = plain(
            {
                "schema": SCHEMA,
                "name": self.name,
                "title": self.title,
                "passed": self.passed,
                "environment": self.machine,
                "settings": self.settings,
                "tables": [{"title": t.title, "rows": t.rows, "notes": t.notes} for t in self.tables],
                "runs": self.runs,
            }
        )
        return told

    def markdown(self) -> str:
        """The tables and, in one line, what they were measured on."""
        told = measured_on(self.machine, self.settings.get("processes", 1))
        found = f"{told}. All measurements: `{self.name}.json`."
        return "\n".join([f"## {self.title}", "", *(t.markdown() for t in self.tables), found, ""])

    def show(self, console: Console) -> None:
        """Print the tables."""
        for table in self.tables:
            table.show(console)

    def csv(self) -> str:
        """Every run as a line; the names of nested values are joined by dots."""
        return csv_text([_flat(run) for run in plain(self.runs)])

    def write(self, folder: Path, runs: bool = False) -> tuple[Path, Path]:
        """Write NAME.json and NAME.md, each as a whole or not at all; the folder is made.

        Runs that were kept in case the benchmark were stopped are removed.

        Parameters
        ----------
        folder : Path
        runs : bool
            Whether NAME.csv, the runs, is written too.
        """
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)
        files = {".json": text + "\n", ".md": self.markdown()}
        if runs:
            files[".csv"] = self.csv()
        folder.mkdir(parents=True, exist_ok=True)
        for ending, content in files.items():
            with atomic_path(folder / f"{self.name}{ending}") as temporary:
                temporary.write_text(content, encoding="utf-8", newline="\n")
        forget(folder, self.name)
        return folder / f"{self.name}.json", folder / f"{self.name}.md"


def read_record(path: Path, layout: Layout) -> Record:
    """A record as it was written.

    Parameters
    ----------
    path : Path
        NAME.json.
    layout : callable
        From the title of a table to its columns: cells are no part of the file.

    Raises
    ------
    InputError
        No such file, or one of something else.
    """
    with reading(path, "the record of a benchmark"):
        told = json_of(path.read_bytes(), path.name)
        return _record(told, path, layout)


def _record(told: Any, path: Path, layout: Layout) -> Record:
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise InputError(f"expected a record of the schema {SCHEMA}, got another file in {path.name}")
    tables = [Table(one["title"], layout(one["title"]), one["rows"], one["notes"]) for one in told["tables"]]
    return Record(told["name"], told["title"], tables, told["runs"], told["settings"], told["environment"])


def csv_text(lines: Sequence[Mapping[str, Any]]) -> str:
    """Lines under all the headings that any of them has; a line without one leaves its place empty."""
    headings = list(dict.fromkeys(name for line in lines for name in line))
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, headings, lineterminator="\n")
    table.writeheader()
    table.writerows(lines)
    return buffer.getvalue()


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, lists as text."""
    if isinstance(value, dict):
        items = (_flat(item, f"{name}.{key}" if name else key) for key, item in value.items())
        return {key: item for part in items for key, item in part.items()}
    return {name: " ".join(map(str, value)) if isinstance(value, list) else value}


def plain(value: Any) -> Any:
    """Dataclasses, tuples and arrays' numbers as what JSON has; a number that is not finite is None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({one.name: getattr(value, one.name) for one in dataclasses.fields(value)})
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
