"""``liescope detect --kind``: functions by their values, clouds of points, laws of motion, from an ``.npz``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from liescope.answer.folder import check_folder
from liescope.cli.arguments import generator_count
from liescope.data.guard import check_place, quoted
from liescope.errors import InputError, suggest

__all__ = ["KINDS", "run_detect_kind"]

KINDS = {
    "invariance": ("X and y (values or labels)", ("X", "y"), ()),
    "cloud": ("X (points), perhaps groups", ("X",), ("groups",)),
    "dynamics": ("runs and t, or x and derivatives", (), ("runs", "t", "x", "derivatives")),
}
"""What every kind's file holds: in words, what it must have, what it may have."""


def run_detect_kind(
    kind: str,
    file: Path,
    out: Path,
    basis: str,
    generators: str,
    seed: int,
    tolerance: float,
    *,
    time_scaling: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Check everything, detect, write the result folder, tell."""
    if kind not in KINDS:
        raise InputError(f"unknown kind {quoted(kind)}.{suggest(kind, ('images', 'sets', *KINDS))}")
    if seed < 0:
        raise InputError(f"expected a seed that is a whole number >= 0, got {seed}")
    if time_scaling and kind != "dynamics":
        raise InputError(f"expected --time-scaling with --kind dynamics, got {kind}")
    count = generator_count(generators)
    check_folder(out)
    check_place(file, f"an .npz with {KINDS[kind][0]}")
    # Nothing heavy was imported so far: what is wrong was told at once.
    from liescope.cli.progress import ProgressDisplay
    from liescope.cli.table import print_json
    from liescope.data.archives import read_npz
    from liescope.kinds import detect_dynamics, detect_invariance, detect_points

    told, required, optional = KINDS[kind]
    arrays = read_npz(file, required, optional)
    if kind == "dynamics" and not ({"runs", "t"} <= set(arrays) or {"x", "derivatives"} <= set(arrays)):
        raise InputError(f"expected {told} in {quoted(str(file))}, got {', '.join(sorted(arrays)) or 'neither'}")
    options: dict[str, Any] = {"basis": basis, "n_generators": count, "tolerance": tolerance, "random_state": seed}
    with ProgressDisplay(quiet) as display:
        options["progress"] = display
        if kind == "invariance":
            result = detect_invariance(**arrays, **options)
        elif kind == "cloud":
            result = detect_points(**arrays, **options)
        else:
            result = detect_dynamics(**arrays, time_scaling=time_scaling, **options)
        display("writing the result", 0.0)
        result.save(out)
    if as_json:
        print_json(result.to_dict())
    elif not quiet:
        typer.echo(result.summary())
        typer.echo(f"page  {out / 'report.html'} (open it in a browser)")
