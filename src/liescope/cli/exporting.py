"""``liescope export``."""

from __future__ import annotations

from pathlib import Path

import typer

from liescope.answer.folder import check_result
from liescope.cli.arguments import check_file
from liescope.handover.targets import check_target, endings

__all__ = ["run_export"]


def run_export(folder: Path, to: str, out: Path, quiet: bool) -> None:
    """Write what was found as a file for another library."""
    check_file(out, endings(to))
    check_target(to, out)
    check_result(folder)
    # All of this before anything heavy is imported.
    from liescope.handover.export import export
    from liescope.result import load_result

    told = export(load_result(folder), to, out)
    if not quiet:
        typer.echo(told)
