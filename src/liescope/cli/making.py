"""``liescope make``."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console

from liescope.cli.arguments import check_file, numbers, whole_number
from liescope.cli.progress import ProgressDisplay
from liescope.data import Pairs, make_pairs, preview_sheet, save_pairs
from liescope.errors import InputError

__all__ = ["MakeRequest", "run_make"]


class MakeRequest(NamedTuple):
    """The options of ``liescope make`` as they were written."""

    task: str
    out: Path
    transform: str
    range: list[str]
    law: str
    modes: int | None
    pairs: int
    order: str
    corpus: str | None
    split: str | None
    data_dir: Path | None
    centre: str | None
    noise: float
    border: str
    canvas: str | None
    crop: str | None
    size: str | None
    preview: Path | None
    seed: int


def run_make(request: MakeRequest, quiet: bool) -> None:
    """Make the pairs and write them."""
    out = check_file(request.out, (".npz", ".h5", ".hdf5"))
    sheet = None if request.preview is None else check_file(request.preview, (".png", ".pdf", ".svg"))
    canvas = _sides(request.canvas, "--canvas")
    crop, size = _sides(request.crop, "--crop"), _sides(request.size, "--size")
    ranges = [value for text in request.range for value in numbers(text, "--range")]
    centre = None if request.centre is None else numbers(request.centre, "--centre", count=2)
    order = whole_number(request.order)
    with ProgressDisplay(quiet) as display:
        pairs = make_pairs(
            request.task,
            transform=request.transform,
            range=ranges or None,
            law=_law(request),
            pairs=request.pairs,
            order=request.order if order is None else order,
            corpus=request.corpus,
            seed=request.seed,
            centre=centre,
            noise=request.noise,
            border=request.border,
            canvas=canvas,
            crop=crop,
            size=size,
            split=request.split,
            data_dir=request.data_dir,
            progress=lambda done, total: display("making pairs", done / total),
        )
    save_pairs(out, pairs)
    if sheet is not None:
        preview_sheet(pairs, sheet)
    if not quiet:
        Console(highlight=False, soft_wrap=True).print(_told(pairs, out), markup=False)


def _sides(text: str | None, option: str) -> list[int] | None:
    """ROWS,COLUMNS or one SIDE for both; None stays None."""
    if text is None:
        return None
    values = numbers(text, option)
    if len(values) not in (1, 2) or any(value != int(value) for value in values):
        raise InputError(f"expected {option} SIDE or ROWS,COLUMNS in whole pixels, got {text!r}")
    sides = [int(value) for value in values]
    return sides * (3 - len(sides))


def _law(request: MakeRequest) -> str:
    if request.modes is None:
        return request.law
    if request.law != "uniform":
        raise InputError(f"expected --law or --modes, got both, try --law {request.law}")
    if request.modes < 1:
        raise InputError(f"expected --modes of at least 1, got {request.modes}")
    return f"{request.modes}-modal"


def _told(pairs: Pairs, out: Path) -> str:
    shape = "x".join(str(n) for n in pairs.source.shape[1:])
    text = f"{len(pairs)} pairs of {shape} images, {pairs.meta['transform']}"
    natural = pairs.natural_magnitude
    if natural is not None:
        spans = (
            f"{low:.4g} to {high:.4g} ({unit})"
            for low, high, unit in zip(
                np.min(natural, axis=0), np.max(natural, axis=0), pairs.meta["unit"], strict=True
            )
        )
        text += " by " + ", ".join(spans)
    return f"{text}: {out}"
