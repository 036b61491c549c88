"""``liescope detect``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal, cast

from liescope.cli.progress import ProgressDisplay
from liescope.cli.table import print_result
from liescope.data import load_pairs
from liescope.detector import ENGINES, detect
from liescope.errors import InputError, suggest
from liescope.geometry import get_basis
from liescope.result import check_folder
from liescope.result.values import json_text

__all__ = ["run_detect"]


def run_detect(
    pairs: Path,
    out: Path,
    engine: str,
    basis: str,
    generators: str,
    seed: int,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Check everything, detect, write the result folder, tell."""
    if engine not in ENGINES:
        raise InputError(f"unknown engine {engine!r}.{suggest(engine, ENGINES)}")
    count = _generator_count(generators)
    if seed < 0:
        raise InputError(f"expected a seed that is a whole number >= 0, got {seed}")
    fields = get_basis(basis)
    check_folder(out)
    with ProgressDisplay(quiet) as display:
        data = load_pairs(pairs)
        result = detect(
            data.source,
            data.target,
            basis=fields,
            engine=cast(Any, engine),
            n_generators=count,
            random_state=seed,
            progress=display,
        )
        display("writing the result", 1.0)
        result.save(out)
    if as_json:
        sys.stdout.write(json_text(result.to_dict()))
    elif not quiet:
        print_result(result, out)


def _generator_count(text: str) -> Literal["auto"] | int:
    if text == "auto":
        return "auto"
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"expected --generators auto or a number of at least 1, got {text!r}")
    return int(text)
