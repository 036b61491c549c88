"""``liescope apply --steady``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import typer

from liescope.cli.arguments import check_file, check_sampling
from liescope.cli.progress import ProgressDisplay
from liescope.data import read_film, write_film
from liescope.data.checks import chunks
from liescope.data.films import FILM_SUFFIXES
from liescope.errors import InputError
from liescope.geometry.transport import Border, Interpolation
from liescope.result import SymmetryResult, load_result

__all__ = ["run_steady"]


def run_steady(folder: Path, film: Path, out: Path, interpolation: str, border: str, quiet: bool) -> None:
    """Move every frame back by its magnitude and write the film in its own type."""
    check_sampling(interpolation, border)
    check_file(out, FILM_SUFFIXES)
    result = load_result(folder)
    _check_known(folder, result)
    with ProgressDisplay(quiet) as display:
        display("reading the film", 0.0)
        frames = read_film(film)
        if result.film is not None and len(frames) != result.film.frames:
            raise InputError(
                f"expected the film of the result, of {result.film.frames} frames, got {len(frames)} in '{film.name}'"
            )
        how = {"interpolation": cast(Interpolation, interpolation), "border": cast(Border, border)}

        def steadied() -> Iterator[np.ndarray]:
            for part in chunks(frames):
                display("steadying the film", part.start / len(frames))
                moved = result.steadied(frames[part], part.start, **cast(Any, how))
                yield _in_type(moved, np.dtype(frames.dtype))

        note = write_film(out, steadied(), tuple(frames.shape), np.dtype(frames.dtype))
    if not quiet:
        unknown = 0 if result.frame_t is None else int(np.isnan(result.frame_t).any(axis=1).sum())
        left = f", {unknown} left as they were (no accepted pair connects them)" if unknown else ""
        typer.echo(f"{len(frames)} frames steadied{left}{note}: {out}")


def _check_known(folder: Path, result: SymmetryResult) -> None:
    if result.film is None:
        raise InputError(f"expected the result of a film, got one of pairs in '{folder}', try liescope detect FILM")
    if not result.generators:
        raise InputError(f"expected a result with a symmetry to apply, got '{folder}' without any: {result.reason}")
    if result.film.t is None:
        why = result.evidence.get("film", {}).get("reason")
        raise InputError(f"expected magnitudes of the frames in '{folder}', got none: {why}")


def _in_type(moved: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Grey values in the film's own type."""
    if dtype.kind not in "iu":
        return moved.astype(dtype if dtype.kind == "f" else np.float32)
    ends = np.iinfo(dtype)
    return np.clip(np.rint(moved.astype(np.float64)), ends.min, ends.max).astype(dtype)
