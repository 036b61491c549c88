"""What a benchmark found, on what machine and with what versions, as JSON, markdown and CSV."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch
from rich.console import Console

from liescope import __version__
from liescope.data.pairs import atomic_path
from liescope.evaluation.bench.table import Table
from liescope.evaluation.bench.unfinished import forget

__all__ = ["SCHEMA", "Record", "csv_text", "environment", "spread", "versions_text"]

SCHEMA = "liescope.benchmark/1"


def spread(values: Sequence[float], prefix: str = "seconds") -> dict[str, float]:
    """Median, interquartile range and maximum of repeated measurements, as ``PREFIX_median``, ..."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {
        f"{prefix}_median": float(middle),
        f"{prefix}_iqr": float(high - low),
        f"{prefix}_max": float(np.max(values)),
    }


def environment() -> dict[str, Any]:
    """Date, commit, versions and machine."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "versions": {
            "python": platform.python_version(),
            "liescope": __version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        "threads": torch.get_num_threads(),
        "cpu": _cpu_model(),
        "cpu_count": os.cpu_count(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
    }


def versions_text(machine: Mapping[str, Any]) -> str:
    """The versions in an :func:`environment`, for people."""
    return ", ".join(f"{name} {number}" for name, number in machine["versions"].items())


def _commit() -> str | None:
    """The commit of the code, ``-dirty`` behind it where files were changed; None where it is in no repository."""
    here = Path(__file__)
    commands = (
        # An installed copy may lie inside of somebody else's repository.
        ["git", "ls-files", "--error-unmatch", here.name],
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
    )
    try:
        told = [
            subprocess.run(command, cwd=here.parent, capture_output=True, check=True, text=True, timeout=10).stdout
            for command in commands
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    return told[-1].strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


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
        plain: dict[str, Any] = _plain(
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
        return plain

    def markdown(self) -> str:
        """The tables and, in one line, what they were measured on."""
        machine = self.machine
        count = self.settings.get("processes", 1)
        used = f"{count} processes of one thread" if count > 1 else f"{machine['threads']} threads"
        measured_on = (
            f"{machine['date']}, commit {machine['commit']}, {versions_text(machine)}; "
            f"{machine['cpu']}, {used}. All measurements: `{self.name}.json`."
        )
        return "\n".join([f"## {self.title}", "", *(t.markdown() for t in self.tables), measured_on, ""])

    def show(self, console: Console) -> None:
        """Print the tables."""
        for table in self.tables:
            table.show(console)

    def csv(self) -> str:
        """Every run as a line; the names of nested values are joined by dots."""
        return csv_text([_flat(run) for run in _plain(self.runs)])

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


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain({one.name: getattr(value, one.name) for one in dataclasses.fields(value)})
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
