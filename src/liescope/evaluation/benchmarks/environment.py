"""On what machine, with what versions and from which commit something was measured."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch

from liescope import __version__

__all__ = [
    "DIRTY",
    "commit",
    "environment",
    "is_clean",
    "measured_on",
    "refusal",
    "results_folder",
    "uncommitted",
    "versions_text",
]

DIRTY = "-dirty"
"""Behind a commit where files were changed since."""

_WRITTEN = "benchmarks/results"
"""The folder of a checkout that benchmarks write to: what one has written does not make the next one's code another."""


def environment() -> dict[str, Any]:
    """Date, commit, versions and machine."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
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


def measured_on(machine: Mapping[str, Any], processes: int = 1) -> str:
    """Date, commit, versions, processor and threads of an :func:`environment`, in one line for people."""
    used = f"{processes} processes of one thread" if processes > 1 else f"{machine['threads']} threads"
    return f"{machine['date']}, commit {machine['commit']}, {versions_text(machine)}; {machine['cpu']}, {used}"


def commit() -> str | None:
    """The commit of the code, :data:`DIRTY` behind it where it was changed; None where it is in no repository."""
    head = _git("rev-parse", "HEAD")
    if head is None:
        return None
    return head.strip() + (DIRTY if uncommitted() else "")


def is_clean(machine: Mapping[str, Any]) -> bool:
    """Whether an :func:`environment` names a commit, and nothing was changed since."""
    told = machine.get("commit")
    return isinstance(told, str) and bool(told) and not told.endswith(DIRTY)


def uncommitted() -> list[str]:
    """Files of the checkout that are not as the commit has them; new ones count where code lies."""
    beside = f":(top,exclude){_WRITTEN}"
    changed = _git("diff", "HEAD", "--name-only", "--", ":/", beside)
    new = _git("ls-files", "--others", "--exclude-standard", "--full-name", "--", ":/src", ":/benchmarks", beside)
    return [*(changed or "").splitlines(), *(new or "").splitlines()]


def results_folder() -> Path | None:
    """The folder of the committed results; None where the code is in no repository."""
    top = _git("rev-parse", "--show-toplevel")
    return None if top is None else Path(top.strip()) / _WRITTEN


def refusal(folder: Path, results: Path | None, tiny: bool) -> str | None:
    """Why records may not be written to a folder, in one line; None where they may.

    Parameters
    ----------
    folder : Path
    results : Path or None
        The folder of the committed results: numbers in it, and below, must be those of a commit.
    tiny : bool
        Whether the work is only tried out.
    """
    if results is None or not folder.resolve().is_relative_to(results.resolve()):
        return None
    if tiny:
        return "expected another folder than that of the committed results for what is only tried out"
    if is_clean({"commit": commit()}):
        return None
    changed = uncommitted()
    told = f"{len(changed)} changed files ({changed[0]}, ...)" if changed else "no commit"
    return (
        f"expected a checkout without uncommitted changes for records in {_WRITTEN}, got {told}: try to commit them, "
        "or another folder"
    )


def _git(*words: str) -> str | None:
    """What git says of the repository that this file is tracked in; None where there is none."""
    here = Path(__file__)
    commands = (
        # An installed copy may lie inside of somebody else's repository.
        ["git", "ls-files", "--error-unmatch", here.name],
        ["git", *words],
    )
    try:
        told = [
            subprocess.run(command, cwd=here.parent, capture_output=True, check=True, text=True, timeout=10).stdout
            for command in commands
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    return told[-1]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
