"""``liescope reproduce``."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import typer

from liescope.answer.values import json_text
from liescope.cli.arguments import check_files_folder
from liescope.cli.progress import ProgressDisplay
from liescope.reproduce import FIGURES, Request, figure_names, reproduce
from liescope.reproduce.page import write_page
from liescope.reproduce.writing import write_reproduction

__all__ = ["run_reproduce"]


def run_reproduce(
    figure: str, out: Path, scale: str, seed: int, galaxies: str | None, *, tiny: bool, as_json: bool, quiet: bool
) -> None:
    """Check everything, then make the figures one by one; each is written as soon as it is there."""
    names = figure_names(figure)
    check_files_folder(out)
    findings: list[dict[str, Any]] = []
    with ProgressDisplay(quiet) as display:
        done = 0

        def report(stage: str, fraction: float) -> None:
            display(f"{names[done]}: {stage}" if len(names) > 1 else stage, (done + fraction) / len(names))

        request = Request(scale, seed, galaxies, tiny, report, out)
        _check_corpus(request)
        began = time.perf_counter()
        for name, made in reproduce(names, request):
            written = write_reproduction(made, out, request, time.perf_counter() - began)
            findings += [{"figure": name, **finding._asdict()} for finding in made.findings]
            if len(names) > 1 or (out / "index.html").exists():
                write_page(out)
            done, began = min(done + 1, len(names) - 1), time.perf_counter()
            if not quiet and not as_json:
                typer.echo(f"{name}: {FIGURES[name]}")
                typer.echo(f"  {', '.join(path.name for path in written)} in {out}")
                for finding in made.findings:
                    typer.echo(f"  {finding.verdict}: {finding.claim} ({finding.place}): {finding.measured}")
    if as_json:
        sys.stdout.write(json_text({"schema": "liescope.reproduction/1", "findings": findings}))
    elif not quiet and len(names) > 1:
        counted = Counter(finding["verdict"] for finding in findings)
        told = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        typer.echo(f"{len(findings)} claims: {told}. The page: {out / 'index.html'}")


def _check_corpus(request: Request) -> None:
    """A corpus that is not there is told before hours of work, not after."""
    if request.galaxies is not None:
        from liescope.data import load_corpus

        load_corpus(request.galaxies)
