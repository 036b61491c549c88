"""Numbers that the documentation quotes, read from the records: ``python -m benchmarks quoted`` checks all of them.

A number carries a *mark* behind it, a comment that no reader sees::

    in 0.99998<!-- headline: min tables.rows.cosine, down --> of all runs
    takes 4 to 10<!-- quadratic: range tables.rows.seconds_median, out --> seconds

A mark is ``RECORD: [AGGREGATE] PATH [minus PATH] [OPERATIONS][, ROUNDING]``.

- *Record*: ``NAME`` or ``paper/NAME`` of ``benchmarks/results/NAME.json``.
- *Path*: keys joined by dots. A key of a list is that of all its items; ``rows[3]`` is one, ``rows[1/2]`` are two,
  ``rows[law=uniform/normal, basis!=quadratic]`` those with such values. ``minus``: the differences, one by one.
- *Aggregate*: ``min``, ``max``, ``median``, ``mean``, ``sum``, ``count``; ``range`` for the two numbers before the
  mark; ``text`` for a number in a sentence of a record; without one all values must be the same.
- *Operations*, from left to right: ``x 100``, ``/ 60``, ``+ 1``, ``- 1``; ``degrees``: the angle of a cosine.
- *Rounding*: ``near`` (default), ``down``, ``up``, ``out`` (of a range: down and up), to as many decimals as are
  written, or ``to 10`` behind it.

What is no measurement is named once a page: ``<!-- set-up: 28 x 28; 5,000 pairs -->``. Numbers of measurements without
a record are named by ``<!-- not recorded: ... -->``.
"""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

__all__ = ["CHECKED", "Mark", "faults", "main", "values"]

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"

CHECKED: Mapping[str, tuple[str, ...]] = {
    "README.md": ("Speed and accuracy",),
    "docs/evidence.md": (),
    "docs/latent.md": ("When to use it", "Where it starts", "The cost of exp(tG) z", "How well it does"),
    "docs/engines.md": (),
    "docs/pitfalls.md": (),
    "docs/reading.md": (),
    "docs/speed.md": (),
    "docs/start.md": (),
}
"""Pages, and the sections of each in which no number may stand without a mark; none named: all of it."""

_COMMENT = re.compile(r"<!--\s*(.*?)\s*-->", re.DOTALL)
_LISTED = re.compile(r"(?:set-up|not recorded): (.*)", re.DOTALL)
_PATH = r"\w+(?:\[[^\]]*\])?(?:\.\w+(?:\[[^\]]*\])?)*"
_MARK = re.compile(
    rf"(?P<record>[\w/]+): (?:(?P<aggregate>min|max|median|mean|sum|count|range|text) )?(?P<path>{_PATH})"
    rf"(?: minus (?P<less>{_PATH}))?(?P<operations>(?: degrees| [x/+-] [\d.]+)*)"
    r"(?:, (?P<rounding>near|down|up|out))?(?: to (?P<step>[\d.]+))?"
)
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?")
_CODE = re.compile(r"^```.*?^```|^ {4,}\S.*?$|`[^`\n]+`|\]\([^)]*\)", re.DOTALL | re.MULTILINE)
_COUNTING = re.compile(r"^(?:#+ | *)\d+\. ", re.MULTILINE)
_ROUNDINGS = {"near": (ROUND_HALF_UP,) * 2, "down": (ROUND_FLOOR,) * 2, "up": (ROUND_CEILING,) * 2}
_ROUNDINGS["out"] = (ROUND_FLOOR, ROUND_CEILING)
_AGGREGATES: Mapping[str, Callable[[Sequence[Any]], Sequence[Any]]] = {
    "min": lambda found: [min(found)],
    "max": lambda found: [max(found)],
    "median": lambda found: [statistics.median(found)],
    "mean": lambda found: [statistics.fmean(found)],
    "sum": lambda found: [sum(found)],
    "count": lambda found: [len(found)],
    "range": lambda found: [min(found), max(found)],
}


@dataclass(frozen=True)
class Mark:
    """A mark, taken apart.

    Parameters
    ----------
    record : str
    aggregate : str or None
    path : str
    less : str or None
        Path of what is taken off.
    operations : tuple of (str, Decimal)
    rounding : str
    step : Decimal or None
        What is rounded to; None: the last decimal that is written.
    """

    record: str
    aggregate: str | None
    path: str
    less: str | None
    operations: tuple[tuple[str, Decimal], ...]
    rounding: str
    step: Decimal | None

    @classmethod
    def parse(cls, text: str) -> Mark:
        """A mark from its text.

        Raises
        ------
        ValueError
            Text that is none.
        """
        found = _MARK.fullmatch(" ".join(text.split()))
        if found is None:
            raise ValueError(f"expected a mark 'RECORD: [AGGREGATE] PATH [OPERATIONS][, ROUNDING]', got {text!r}")
        words = found["operations"].replace("degrees", "degrees 0").split()
        operations = tuple((sign, Decimal(by)) for sign, by in zip(words[::2], words[1::2], strict=True))
        step = None if found["step"] is None else Decimal(found["step"])
        paths = (found["path"], found["less"])
        return cls(found["record"], found["aggregate"], *paths, operations, found["rounding"] or "near", step)

    def expected(self, quoted: Sequence[str], record: Mapping[str, Any]) -> list[str]:
        """How the numbers before the mark must read, with as many decimals as they have."""
        found = values(record, self.path)
        if self.less is not None:
            found = [one - other for one, other in zip(found, values(record, self.less), strict=True)]
        if self.aggregate == "text":
            return [one if any(one in _NUMBER.findall(str(text)) for text in found) else "none" for one in quoted]
        if self.aggregate is None and len(set(map(str, found))) > 1:
            raise ValueError(f"expected one value at {self.path}, got {len(found)} different ones")
        combined = found[:1] if self.aggregate is None else _AGGREGATES[self.aggregate](found)
        # An angle falls as its cosine rises.
        scaled = sorted(self._scaled(Decimal(repr(value))) for value in combined)
        ways = _ROUNDINGS[self.rounding]
        return [self._rounded(value, one, way) for value, one, way in zip(scaled, quoted, ways, strict=False)]

    def _scaled(self, value: Decimal) -> Decimal:
        for sign, by in self.operations:
            if sign == "degrees":
                value = Decimal(math.degrees(math.acos(value)))
            else:
                value = {"x": value * by, "/": value / (by or 1), "+": value + by, "-": value - by}[sign]
        return value

    def _rounded(self, value: Decimal, quoted: str, way: str) -> str:
        decimals = len(quoted.partition(".")[2])
        step = Decimal(1).scaleb(-decimals) if self.step is None else self.step
        return f"{(value / step).quantize(Decimal(1), way) * step:,.{decimals}f}"


def values(record: Any, path: str) -> list[Any]:
    """All values at a path of a record, those that are None left out.

    Raises
    ------
    ValueError
        There is none.
    """
    found: list[Any] = [record]
    for key, selector in re.findall(r"(\w+)(?:\[([^\]]*)\])?", path):
        items = [item[key] for item in found if isinstance(item, Mapping) and key in item]
        chosen = [_selected(item, selector) for item in items]
        found = [item for part in chosen for item in (part if isinstance(part, list) else [part])]
    found = [item for item in found if item is not None]
    if not found:
        raise ValueError(f"expected a value at {path}, got none")
    return found


def _selected(item: Any, selector: str) -> Any:
    if not selector:
        return item
    if re.fullmatch(r"\d+(/\d+)*", selector):
        return [item[int(number)] for number in selector.split("/")]
    conditions = [re.fullmatch(r"([\w.]+)(!?=)(.*)", one.strip()) for one in selector.split(",")]
    if not all(conditions):
        raise ValueError(f"expected conditions KEY=VALUE, got {selector!r}")
    return [one for one in item if all(_holds(one, *condition.groups()) for condition in conditions if condition)]


def _holds(item: Any, key: str, sign: str, options: str) -> bool:
    for part in key.split("."):
        item = item[part]
    return (str(item) in options.split("/")) == (sign == "=")


def faults(page: str, sections: Sequence[str], record: Callable[[str], Mapping[str, Any]]) -> list[str]:
    """What is wrong with the numbers of a page.

    Parameters
    ----------
    page : str
        Markdown.
    sections : sequence of str
        Headings of the parts in which no number may stand without a mark; none: all of the page.
    record : callable
        From a name to its record.
    """
    found, kept, listed = [], [], []
    position = 0
    for comment in _COMMENT.finditer(page):
        before = page[position : comment.start()]
        position = comment.end()
        if told := _LISTED.fullmatch(comment[1]):
            listed += [" ".join(phrase.split()) for phrase in told[1].split(";")]
            kept.append(before)
            continue
        line = page.count("\n", 0, comment.start()) + 1
        try:
            mark = Mark.parse(comment[1])
            wanted = 2 if mark.aggregate == "range" else 1
            places = list(_NUMBER.finditer(before))[-wanted:]
            if len(places) < wanted:
                raise ValueError(f"expected {wanted} numbers before {comment[1]!r}")
            quoted = [place[0] for place in places]
            expected = mark.expected(quoted, record(mark.record))
            if quoted != expected:
                found.append(
                    f"line {line}: {' to '.join(quoted)}, the record says {' to '.join(expected)}: {comment[1]}"
                )
            for place in places:
                before = before[: place.start()] + "~" * len(place[0]) + before[place.end() :]
        except (ValueError, KeyError, OSError) as reason:
            found.append(f"line {line}: {reason}")
        kept.append(before)
    return found + list(_unmarked("".join(kept) + page[position:], sections, listed))


def _unmarked(page: str, sections: Sequence[str], listed: Sequence[str]) -> Iterator[str]:
    """Numbers of a page without comments that nothing was said of, and phrases that are not on it."""
    text = "\n".join(_section(page, heading) for heading in sections) if sections else page
    text = " ".join(_COUNTING.sub("", _CODE.sub(" ", text)).split())
    for phrase in sorted(listed, key=len, reverse=True):
        if not re.search(rf"(?<![\d.,]){re.escape(phrase)}", text):
            yield f"listed, but not on the page: {phrase!r}"
        text = re.sub(rf"(?<![\d.,]){re.escape(phrase)}", "~", text)
    for number in _NUMBER.finditer(text):
        yield f"without a mark: {number[0]} in {text[max(0, number.start() - 40) : number.end() + 30]!r}"


def _section(page: str, heading: str) -> str:
    _, found, rest = page.partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"expected a section {heading!r}, got none")
    return rest.partition("\n## ")[0]


def read(name: str) -> dict[str, Any]:
    """A committed record."""
    told: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return told


def main() -> int:
    """Print what is wrong in all pages; 1 if anything is."""
    wrong = [
        f"{name}: {fault}"
        for name, sections in CHECKED.items()
        for fault in faults((ROOT / name).read_text(encoding="utf-8"), sections, read)
    ]
    print("\n".join(wrong) or "every quoted number is what its record says")
    return min(len(wrong), 1)
