"""``liescope report``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from liescope.answer.reading import folder_of
from liescope.cli.arguments import check_file
from liescope.data.guard import reason
from liescope.data.pairs import atomic_path
from liescope.errors import InputError
from liescope.report import write_comparison
from liescope.report.folder import write_report
from liescope.result import FieldResult, load_result

__all__ = ["run_report"]


def run_report(folders: Sequence[Path], out: Path | None, quiet: bool) -> None:
    """Write the page of one result, or one page for several, and say where it is."""
    folders = [folder_of(folder) for folder in folders]
    single = len(folders) == 1
    page = out or (folders[0] / "report.html" if single else Path("compare.html"))
    if out or not single:
        check_file(page, (".html",))
    results = [load_result(folder) for folder in folders]
    with atomic_path(page) as temporary, _what_fits_together(folders):
        if single:
            write_report(results[0], temporary, folders[0].resolve().name)
        elif any(isinstance(result, FieldResult) for result in results):
            raise InputError("expected results of images to compare, got one of another kind, try one at a time")
        else:
            write_comparison(results, _names(folders), temporary)
    if not quiet:
        typer.echo(str(page))


@contextlib.contextmanager
def _what_fits_together(folders: Sequence[Path]) -> Iterator[None]:
    """What a page is made of was checked when it was read; what words are made of may still be anything."""
    try:
        yield
    except InputError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        told = f"{str(folders[0])!r} with entries that cannot be ({type(error).__name__}: {reason(error)})"
        raise InputError(f"expected a result that can be shown, got {told}, try detecting again") from error


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' last names; their paths as they were written where those are not distinct."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]
