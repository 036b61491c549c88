"""The pages of the benchmark and of the paper's claims: ``python -m benchmarks render [--paper DIR]``.

Written from the records alone: their tables, plots of the public ones, and the machine, threads, versions and dates.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from os.path import relpath
from pathlib import Path
from typing import Any

from benchmarks.charts import CHARTS
from benchmarks.claims import claims_page, take_over
from benchmarks.command import RESULTS
from liescope.data.pairs import atomic_path
from liescope.errors import InputError
from liescope.evaluation.benchmarks import BENCHMARKS, SHOWN, Record
from liescope.evaluation.benchmarks.environment import is_clean
from liescope.evaluation.benchmarks.table import markdown_table

__all__ = ["BEFORE_THE_RULE", "benchmarks_page", "main", "read_records", "render"]

DOCS = Path(__file__).parents[1] / "docs"

BEFORE_THE_RULE: Mapping[str, str] = {
    "corpora": "2026-11-24T04:16:46+00:00",
    "kornia_registrator": "2026-11-24T04:20:17+00:00",
    "latent_step": "2026-11-24T23:26:30+00:00",
    "laws": "2026-11-24T04:19:49+00:00",
    "noise": "2026-11-24T04:07:30+00:00",
    "quadratic": "2026-11-24T04:14:39+00:00",
    "scaling": "2026-11-24T04:18:25+00:00",
}
"""Records of uncommitted code from before such were refused, by the time they were made at; no other is read."""

OPENING = """\
# Benchmarks

What the methods of this package and others reach on data with a known answer, each number beside what an answer that
knows nothing would score. `liescope bench NAME --out DIR` measures any of these tables on your machine (`--quick`: in
seconds, to see that it runs). The metrics are those of `liescope.evaluation`: signs and scales of generators do not
matter, vector fields are compared over the image.

This page is written by `python -m benchmarks render` from the records in `benchmarks/results`, and a test compares it
with them.
"""
MISSING = "Not measured yet: `liescope bench {name} --out DIR`."
OTHERS = "## Further tables\n\nMeasured by `liescope bench NAME`, with targets beside every number.\n"
CHANGED = "changed since"
CHANGED_NOTE = (
    f"{CHANGED.capitalize()}: files were not as that commit has them. Records of such code are refused now; these are "
    "older, and will be measured again."
)


def read_records(results: Path) -> dict[str, Record]:
    """The records in a folder, by name.

    Raises
    ------
    InputError
        No record at all, or one of code that no commit has.
    """
    records = {name: one.read(results) for name, one in BENCHMARKS.items() if (results / f"{name}.json").is_file()}
    if not records:
        raise InputError(f"expected results in {results}, got none")
    unknown = [
        name
        for name, record in records.items()
        if not is_clean(record.machine) and BEFORE_THE_RULE.get(name) != record.machine["date"]
    ]
    if unknown:
        raise InputError(
            f"expected records of committed code, got uncommitted changes in {', '.join(unknown)}: "
            "try to measure again from a clean checkout"
        )
    return records


def render(results: Path, docs: Path) -> Path:
    """Write ``benchmarks.md`` and ``images/bench-*.png`` to the folder of the docs, and NAME.md beside every record.

    Parameters
    ----------
    results : Path
        Folder with the files NAME.json of the benchmarks that were run.
    docs : Path
    """
    records = read_records(results)
    (docs / "images").mkdir(parents=True, exist_ok=True)
    for name in (name for name in SHOWN if name in records):
        for number, draw in enumerate(CHARTS[name]):
            file = docs / "images" / _picture_name(name, number)
            draw(records[name].to_dict()).figure.savefig(file, dpi=160, metadata={"Software": None})
    for name, record in records.items():
        with atomic_path(results / f"{name}.md") as temporary:
            temporary.write_text(record.markdown(), encoding="utf-8", newline="\n")
    page = docs / "benchmarks.md"
    page.write_text(benchmarks_page(records, results, docs), encoding="utf-8")
    return page


def benchmarks_page(records: Mapping[str, Record], results: Path, docs: Path) -> str:
    """The page of all records as Markdown, with links from the folder of the docs to that of the results."""
    parts = [OPENING]
    for name in SHOWN:
        if name not in records:
            parts.append(f"## {name}\n\n{MISSING.format(name=name)}\n")
            continue
        pictures = [_picture(name, number, draw, records[name]) for number, draw in enumerate(CHARTS[name])]
        title, _, tables = records[name].markdown().partition("\n")
        parts += [f"{title}\n", f"Measured by `liescope bench {name}`.\n", *pictures, tables.strip() + "\n"]
    others = {name: record for name, record in records.items() if name not in SHOWN}
    if others:
        parts.append(OTHERS + "\n" + _list(others, results, docs))
    return "\n".join(parts)


def _picture_name(name: str, number: int) -> str:
    return f"bench-{name}{f'-{number + 1}' if number else ''}.png"


def _picture(name: str, number: int, draw: Callable[[Mapping[str, Any]], Any], record: Record) -> str:
    return f"![{draw(record.to_dict()).words}](images/{_picture_name(name, number)})\n"


def _list(records: Mapping[str, Record], results: Path, docs: Path) -> str:
    rows = []
    for name, record in records.items():
        machine = record.machine
        link = Path(relpath(results / f"{name}.md", docs)).as_posix()
        rows.append(
            [
                f"[{record.title}]({link})",
                machine["date"][:10],
                str(machine["commit"])[:7] + ("" if is_clean(machine) else f", {CHANGED}"),
                f"{machine['cpu']}, {machine['threads']}",
                machine["versions"]["torch"],
                _outcome(record),
            ]
        )
    headings = ["table", "date", "commit", "processor, threads", "torch", "targets"]
    lines = markdown_table(headings, rows)
    notes = [] if all(is_clean(record.machine) for record in records.values()) else ["", CHANGED_NOTE]
    return "\n".join([*lines, *notes]) + "\n"


def _outcome(record: Record) -> str:
    """Which rows miss which of their targets."""
    judged = [row for table in record.tables for row in table.rows if row.get("passed") is not None]
    missed = [row for row in judged if not row["passed"]]
    if not missed:
        return "all met"
    named = [
        f"{', '.join(str(row[key]) for key in ('case', 'form', 'corpus') if key in row)} ({', '.join(row['missed'])})"
        for row in missed
    ]
    return f"{len(missed)} of {len(judged)} rows missed: {'; '.join(named)}"


def render_claims(results: Path, docs: Path) -> Path | None:
    """Write ``claims.md`` to the folder of the docs, if figures of the paper were made."""
    text = claims_page(results, docs)
    if text is None:
        return None
    page = docs / "claims.md"
    page.write_text(text, encoding="utf-8")
    return page


def main(argv: Sequence[str] | None = None) -> None:
    """Render the committed results, or those of another folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks render", description="The page of the benchmark.")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of the page and its images")
    parser.add_argument("--paper", type=Path, help="take over what `liescope reproduce all --out PAPER` wrote")
    arguments = parser.parse_args(argv)
    paper = arguments.results / "paper"
    try:
        if arguments.paper is not None:
            take_over(arguments.paper, paper, arguments.docs)
        print(render(arguments.results, arguments.docs))
        if (claims := render_claims(paper, arguments.docs)) is not None:
            print(claims)
    except InputError as reason:
        parser.error(str(reason))


if __name__ == "__main__":
    main()
