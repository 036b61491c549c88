"""``liescope choose``."""

from __future__ import annotations

from pathlib import Path

import typer

from liescope.cli.arguments import check_files_folder, labelled_images
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
    from liescope.cli.progress import ProgressDisplay
    from liescope.cli.table import print_json
    from liescope.result import load_result
    from liescope.type2 import CANDIDATES, Scheme, select_scheme, try_schemes, write_choice

    corpus = labelled_images(labelled)
    others = None if test is None else labelled_images(test)
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
        print_json(choice.to_dict())
    elif not quiet:
        typer.echo(str(choice))
        typer.echo(f"choice.json, report.html in {out}")
