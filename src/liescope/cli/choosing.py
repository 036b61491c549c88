"""``liescope choose``."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from liescope.cli.arguments import check_files_folder
from liescope.errors import InputError

__all__ = ["run_choose"]


def run_choose(
    labelled: Path,
    out: Path,
    schemes: str | None,
    seed: int,
    *,
    as_json: bool,
    quiet: bool,
    test: Path | None = None,
) -> None:
    """Check everything, compare the schemes, write the choice."""
    check_files_folder(out)
    for file in (labelled, test):
        if file is not None and not file.exists():
            raise InputError(f"expected labelled images, got no such file '{file}'")
    # Nothing heavy was imported so far: what is wrong was told at once.
    from liescope.answer.values import json_text
    from liescope.cli.progress import ProgressDisplay
    from liescope.data import Corpus, load_corpus
    from liescope.result import load_result
    from liescope.type2 import CANDIDATES, Scheme, select_scheme, try_schemes, write_choice

    def read(file: Path) -> Corpus:
        found = load_corpus(str(file))
        if found.labels is None:
            raise InputError(f"expected images with labels in '{file}', got images alone")
        return found

    corpus = read(labelled)
    others = None if test is None else read(test)
    words = CANDIDATES if schemes is None else tuple(word.strip() for word in schemes.split(","))
    asked = [Scheme.from_result(load_result(word)) if Path(word).is_dir() else word for word in words]
    with ProgressDisplay(quiet) as display:
        choice = select_scheme(
            corpus.images,
            corpus.labels,
            asked,
            random_state=seed,
            progress=lambda scheme, done: display(f"comparing schemes: {scheme}", done),
        )
        if others is not None:
            choice = try_schemes(
                choice,
                corpus.images,
                corpus.labels,
                others.images,
                others.labels,
                random_state=seed,
                progress=lambda scheme, done: display(f"training and testing: {scheme}", done),
            )
        write_choice(choice, out)
    if as_json:
        sys.stdout.write(json_text(choice.to_dict(), "utf" not in (sys.stdout.encoding or "").lower()))
    elif not quiet:
        typer.echo(str(choice))
        typer.echo(f"choice.json, report.html in {out}")
