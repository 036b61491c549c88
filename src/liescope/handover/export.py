"""What was found as one file: a module of Python that holds the coefficients, or the matrices as arrays."""

from __future__ import annotations

import json
import pprint
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from liescope import __version__
from liescope.answer import LABELS
from liescope.data.pairs import atomic_path
from liescope.handover.matrices import check_central_rotation, lie_algebra, trace_warning
from liescope.handover.targets import ARRAYS, LAWS, MADE, check_target
from liescope.handover.transformation import Transformation, planar
from liescope.result import SymmetryResult

__all__ = ["export"]

WIDTH = 110
DIGITS = 7
"""Of magnitudes: they are measured, and less exactly than that."""


def export(result: SymmetryResult, to: str, path: Path) -> str:
    """Write the file; what was written, in one line.

    Raises
    ------
    InputError
        An unknown library, another ending, nothing to hand over, or what this library has no object for.
    """
    check_target(to, path)
    found = planar(result) if to != "emlp" else Transformation.of(result)
    told = ""
    if to == "escnn":
        check_central_rotation(found)
    if to == "emlp":
        matrices = lie_algebra(found, warn=False)
        told = trace_warning(matrices)
    if path.suffix in ARRAYS:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, matrices) if path.suffix == ".npy" else np.savez(file, lie_algebra=matrices)
    else:
        with atomic_path(path) as temporary:
            temporary.write_text(_module(found, result, to, path.stem), encoding="utf-8")
    what = "matrices for emlp" if path.suffix in ARRAYS else MADE[to].what
    return f"{found.name} as {what}: {path}" + (f"; {told}" if told else "")


def _module(found: Transformation, result: SymmetryResult, to: str, stem: str) -> str:
    made = MADE[to]
    of_a_law = (
        f"\n    {made.name}(range=...)  # half-width of a law of your own, in {_units(found)}" if to in LAWS else ""
    )
    head = f"{found.name.capitalize()} ({'; '.join(g.equation for g in found.generators)}), as {made.what}."
    size = " x ".join(map(str, found.shape))
    count = f"{result.evidence['labels']} labelled images" if result.engine == LABELS else f"{result.pairs} pairs"
    origin = f"Found in {count} of {size} pixels by liescope {__version__}: {result.verdict}."
    needs = f"Needs liescope and {'scikit-learn' if to == 'sklearn' else to}; options: help(liescope.handover.{to})."
    return f'''"""{textwrap.fill(head, WIDTH)}

    from {stem} import {made.name}
    {made.use}{of_a_law}

{origin}
{needs}
"""

from liescope.handover import Transformation
from liescope.handover import {to} as handed_over

FOUND = Transformation(
{_arguments(found, to)}
)


def {made.name}(**options):
    """Make {made.what}; options as of liescope.handover.{to}."""
    return handed_over(FOUND, **options)
{_constant(found) if to == "emlp" else ""}'''


def _units(found: Transformation) -> str:
    return ", ".join(dict.fromkeys(g.unit for g in found.generators))


def _arguments(found: Transformation, to: str) -> str:
    plain = found.plain()
    if to not in LAWS or found.t is None:
        plain["t"] = None
    else:
        plain["t"] = [[float(f"{value:.{DIGITS}g}") for value in row] for row in found.t.tolist()]
    given = {name: value for name, value in plain.items() if value not in (None, False)}
    texts = (f"{name}={_literal(value)}," for name, value in given.items())
    return textwrap.indent("\n".join(texts), "    ")


def _literal(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else pprint.pformat(value, width=WIDTH, compact=True)


def _constant(found: Transformation) -> str:
    matrices = _literal(lie_algebra(found, warn=False).tolist())
    return f"""

# Matrices that act on (x, y, 1): the image's centre is the origin, y points up, the longest side spans [-1, 1].
LIE_ALGEBRA = {matrices}
"""
