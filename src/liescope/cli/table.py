"""The answer on the terminal: a short table, where the files are, what to do next."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from liescope.algebra import Generator
from liescope.answer import LABELS
from liescope.answer.numbers import angle_bound, number, p_value_words, percent
from liescope.answer.values import json_text
from liescope.data.images import IMAGE_SUFFIXES
from liescope.data.stacks import sides_of_folder
from liescope.report import words
from liescope.report.evidence import explained, gain_p_value
from liescope.report.film import film_words
from liescope.report.numbers import histogram, span, unit_label
from liescope.report.sets import pairs_words
from liescope.result import RESULT_FILES, SymmetryResult

__all__ = ["print_json", "print_result", "text_histogram"]

_BARS, _MARK = " ▁▂▃▄▅▆▇█", "▲"
_ASCII_BARS, _ASCII_MARK = " .:-=+*#%", "^"
_BINS = 28

_PLAIN = ("log-factor", "plain")
"""Units without a name that would follow a number."""


def print_json(content: Mapping[str, Any]) -> None:
    """JSON on stdout, in plain letters where the terminal has no others."""
    sys.stdout.write(json_text(content, "utf" not in (sys.stdout.encoding or "").lower()))


def print_result(result: SymmetryResult, out: Path | None = None, pairs: Path | None = None) -> None:
    """A short table on stdout; then, where the result was written to ``out``, its files and the next line to type.

    Parameters
    ----------
    result : SymmetryResult
    out : Path, optional
        Folder of the result.
    pairs : Path, optional
        File that it was found in.
    """
    console = Console(highlight=False)
    # Text from files must not be read as markup.
    console.print(Text(words.title(result), style="bold"))
    if len(result.generators) < 2:
        console.print(Text(words.sentence(result)))
    rows = list(_rows(result, console.encoding))
    lines = [] if out is None else list(_afterwards(result, out, pairs))
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True, min_width=max(len(name) for name, _ in rows + lines))
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(value, style="cyan" if name in _LAWS.values() else ""))
    console.print(table)
    width = table.columns[0].min_width or 0
    for name, value in lines:
        # Whole, so that they can be copied whatever the width of the terminal.
        console.print(Text.assemble((f"{name:<{width}}", "bold"), "  ", value), soft_wrap=True)


_LAWS = {"degree": "angle", "log-factor": "factor", "pixel": "shift", "plain": "parameter"}


def _rows(result: SymmetryResult, encoding: str) -> Iterator[tuple[str, str]]:
    several = len(result.generators) > 1
    for k, found in enumerate(result.generators):
        g = found.generator
        if several:
            yield f"generator {k + 1}", f"{words.action(g)}, {words.how_much(result, k)}"
        yield "equation", f"X = {g.equation}"
        if result.engine == LABELS:
            continue
        yield _LAWS.get(g.unit, g.unit), text_histogram(result, k, encoding)
        if marked := _marked_modes(result, k, encoding):
            yield "", marked
        yield "direction", f"uncertain by {angle_bound(found.direction_error_deg)} degrees"
    if several and result.algebra.get("name"):
        yield "algebra", _algebra(result)
    if product := words.factor_words(result):
        yield "product", product
    if simple := _simple(result):
        yield "", simple
    if result.engine == LABELS:
        gain, count = float(result.evidence["nats"]), int(result.evidence["labels"])
        yield "evidence", f"{gain:+.0f} nats over no sharing, {count} labels"
        yield "time", f"{number(result.seconds, 2)} s"
        return
    yield "evidence", _evidence(result)
    if contrast := _contrast(result):
        yield "", contrast
    yield ("images" if result.kind == "sets" else "pairs"), _pairs(result)
    if (scales := result.evidence.get("scales")) and result.verdict == "symmetry":
        yield "note", str(scales["note"])
    if told := film_words(result):
        yield "film", " ".join(told)
    yield "time", f"{number(result.seconds, 2)} s, {result.engine} engine"


def _simple(result: SymmetryResult) -> str:
    """Equations in simple numbers, unless they are those that stand there already."""
    clean = result.algebra.get("clean")
    if clean and list(clean["equations"]) == [g.generator.equation for g in result.generators]:
        return ""
    return words.clean_words(result)


def _algebra(result: SymmetryResult) -> str:
    name, described = str(result.algebra["name"]), result.algebra.get("description")
    return f"{name}: {described}" if described else name


def _pairs(result: SymmetryResult) -> str:
    if result.kind == "sets":
        return pairs_words(result).removesuffix(" images")
    if not result.generators or result.evidence.get("contrast") or result.evidence.get("sets"):
        return f"{result.pairs:,}"
    text = f"{percent(result.accepted_fraction)} of {result.pairs:,} follow it"
    if result.identifiable is None or not result.accepted.any():
        return text
    vague = float((result.accepted & ~result.identifiable).sum() / result.accepted.sum())
    return f"{text}, {percent(vague)} of them without telling by how much" if vague else text


def _evidence(result: SymmetryResult) -> str:
    p = gain_p_value(result)
    chance = "" if p is None else f", {p_value_words(p)}"
    if not result.generators:
        return f"nothing that counts was explained{chance}"
    if result.evidence.get("sets"):
        return f"{percent(max(explained(result), 0.0))} of the distance between the two sets taken away{chance}"
    pairs = "all" if result.evidence.get("contrast") else "held-out"
    return f"{percent(max(explained(result), 0.0))} of the difference of {pairs} pairs explained{chance}"


def _contrast(result: SymmetryResult) -> str:
    contrast = result.evidence.get("contrast")
    if not contrast:
        return ""
    return f"pairs vary at most {number(float(contrast['ratio']), 2)} times as much as images that look alike do"


def text_histogram(result: SymmetryResult, index: int, encoding: str) -> str:
    """The law of a magnitude in one line: smallest, a bar for every bin, largest, unit."""
    generator = result.generators[index].generator
    bars = histogram(result, index, bins=_BINS)
    marks = _BARS if "utf" in encoding.lower() else _ASCII_BARS
    heights = np.ceil((len(marks) - 1) * bars.counts / max(int(bars.counts.max()), 1)).astype(int)
    low, high = words.ends(result, index)
    unit = "" if generator.unit in _PLAIN else f" {unit_label(generator)}"
    return f"{low} {''.join(marks[h] for h in heights)} {high}{unit}"


def _marked_modes(result: SymmetryResult, index: int, encoding: str) -> str:
    """A line below the histogram with a mark under the bin of every mode, or nothing for a single hump."""
    modes = words.modes_of(result, index)
    if not modes:
        return ""
    edges = histogram(result, index, bins=_BINS).edges
    places = set(np.clip(np.searchsorted(edges, modes) - 1, 0, _BINS - 1).tolist())
    mark = _MARK if "utf" in encoding.lower() else _ASCII_MARK
    marks = "".join(mark if k in places else " " for k in range(_BINS)).rstrip()
    # One generator's modes stand in the sentence above.
    told = "modes" if len(result.generators) == 1 else words.modes_words(result, index)
    return f"{' ' * (len(words.ends(result, index)[0]) + 1)}{marks}  {told}"


def _afterwards(result: SymmetryResult, out: Path, pairs: Path | None) -> Iterator[tuple[str, str]]:
    """Where the files are, and one line to go on with."""
    yield "page", f"{out / 'report.html'} (open it in a browser)"
    others = [name for name in RESULT_FILES if name != "report.html" and (out / name).exists()]
    if others:
        yield "files", f"{', '.join(others)} in {out}"
    if result.frame_t is not None:
        film = str(pairs) if pairs is not None else "FILM"
        yield "next", shlex.join(["liescope", "apply", str(out), film, "--steady", "--out", "steadied.mp4"])
    elif result.engine == LABELS:
        labelled = str(pairs) if pairs is not None else "labelled.npz"
        if result.verdict == "symmetry":
            yield "next", shlex.join(["liescope", "choose", labelled, "--schemes", f"none,{out}", "--out", "choice"])
        else:
            yield "try", "more labels"
    elif result.generators:
        images, moved = _to_move(pairs)
        values = ",".join(_example(result, k) for k in range(len(result.generators)))
        typed = ["liescope", "apply", str(out), images, "--t", values, "--in-units", "--out", moved]
        yield "next", shlex.join(typed)
    else:
        wider = "" if result.basis.dimension > 6 else "a larger basis (--basis quadratic), "
        yield "try", f"{wider}pairs that are moved less, or more of them"


def _to_move(pairs: Path | None) -> tuple[str, str]:
    """Images to try it on, where they can be moved as they are, and what they would become."""
    if pairs is not None and pairs.is_dir():
        sides = sides_of_folder(pairs)
        return str(sides[0] if sides else pairs), "moved"
    if pairs is not None and (pairs.suffix == ".npz" or pairs.suffix.lower() in IMAGE_SUFFIXES):
        return str(pairs), f"moved{pairs.suffix}"
    return "images.npz", "moved.npz"


def _example(result: SymmetryResult, index: int) -> str:
    """A magnitude to try, in natural units: one digit of the largest that was found, positive where that is as good."""
    generator: Generator = result.generators[index].generator
    low, high = span(result, index)
    value = high if 1.5 * high > -low else low
    if not math.isfinite(value) or value == 0:
        value = 0.5 * generator.unit_per_t
    return f"{float(f'{value:.1g}'):g}"
