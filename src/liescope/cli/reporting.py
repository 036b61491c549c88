"""``liescope report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from liescope.answer.reading import folder_of
from liescope.cli.arguments import check_file
from liescope.data.pairs import atomic_path
from liescope.report import write_comparison, write_page
from liescope.result import load_result

__all__ = ["run_report"]


def run_report(folders: Sequence[Path], out: Path | None, quiet: bool) -> None:
    """Write the page of one result, or one page for several, and say where it is."""
    folders = [folder_of(folder) for folder in folders]
    single = len(folders) == 1
    page = out or (folders[0] / "report.html" if single else Path("compare.html"))
    if out or not single:
        check_file(page, (".html",))
    results = [load_result(folder) for folder in folders]
    with atomic_path(page) as temporary:
        if single:
            write_page(results[0], temporary, folder_name=folders[0].resolve().name)
        else:
            write_comparison(results, _names(folders), temporary)
    if not quiet:
        typer.echo(str(page))


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' last names; their paths as they were written where those are not distinct."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]
