"""What a benchmark found, on what machine and with what versions, as JSON and as markdown."""

from __future__ import annotations

import dataclasses
import datetime
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

from benchmarks.table import Table
from liescope import __version__

__all__ = ["SCHEMA", "Record", "environment", "spread"]

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


def _commit() -> str | None:
    """The commit of the code, ``-dirty`` behind it where files were changed; None outside of a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, check=True, text=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


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
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
        measured_on = (
            f"{machine['date']}, commit {machine['commit']}, {versions}; "
            f"{machine['cpu']}, {machine['threads']} threads. All measurements: `{self.name}.json`."
        )
        return "\n".join([f"## {self.title}", "", *(t.markdown() for t in self.tables), measured_on, ""])

    def show(self, console: Console) -> None:
        """Print the tables."""
        for table in self.tables:
            table.show(console)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write NAME.json and NAME.md; the folder is made."""
        folder.mkdir(parents=True, exist_ok=True)
        as_json, as_text = folder / f"{self.name}.json", folder / f"{self.name}.md"
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)
        as_json.write_text(text + "\n", encoding="utf-8")
        as_text.write_text(self.markdown(), encoding="utf-8")
        return as_json, as_text


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
