"""``liescope export``."""

from __future__ import annotations

from pathlib import Path

import typer

from liescope.cli.arguments import check_file
from liescope.handover.export import check_export, endings, export
from liescope.result import load_result

__all__ = ["run_export"]


def run_export(folder: Path, to: str, out: Path, quiet: bool) -> None:
    """Write what was found as a file for another library."""
    check_file(out, endings(to))
    check_export(to, out)
    told = export(load_result(folder), to, out)
    if not quiet:
        typer.echo(told)
