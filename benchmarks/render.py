"""The pages of the benchmark and of the paper's claims: ``python -m benchmarks render [--paper DIR]``.

Written from whatever results there are: the tables as they were measured, plots of the public ones, and the machine,
threads, versions and dates.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from os.path import relpath
from pathlib import Path
from typing import Any

from benchmarks.charts import CHARTS
from benchmarks.claims import claims_page, take_over
from liescope.evaluation.bench import BENCHMARKS

__all__ = ["main", "render"]

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parents[1] / "docs"

OPENING = """\
# Benchmarks

What the methods of this package and others reach on data with a known answer, each number beside what an answer that
knows nothing would score. `liescope bench NAME --out DIR` measures the first four tables on your machine
(`--quick`: in seconds, to see that it runs); `python -m benchmarks NAME` the others. The metrics are those of
`liescope.evaluation`: signs and scales of generators do not matter, vector fields are compared over the image.

This page is written by `python -m benchmarks render` from the results in `benchmarks/results`.
"""
MISSING = "Not measured yet: `liescope bench {name} --out DIR`."
OTHERS = "## Further tables\n\nMeasured by `python -m benchmarks NAME`, with targets beside every number.\n"


def render(results: Path, docs: Path) -> Path:
    """Write ``benchmarks.md`` and ``images/bench-*.png`` to the folder of the docs.

    Parameters
    ----------
    results : Path
        Folder with the files NAME.json and NAME.md of the benchmarks that were run.
    docs : Path
    """
    images = docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))}
    parts = [OPENING]
    for name in BENCHMARKS:
        if name not in records:
            parts.append(f"## {name}\n\n{MISSING.format(name=name)}\n")
            continue
        pictures = [_picture(name, number, draw, records[name], images) for number, draw in enumerate(CHARTS[name])]
        title, _, tables = (results / f"{name}.md").read_text(encoding="utf-8").partition("\n")
        parts += [f"{title}\n", f"Measured by `liescope bench {name}`.\n", *pictures, tables.strip() + "\n"]
    others = {name: record for name, record in records.items() if name not in BENCHMARKS}
    if others:
        parts.append(OTHERS + "\n" + _list(others, results, docs))
    page = docs / "benchmarks.md"
    page.write_text("\n".join(parts), encoding="utf-8")
    return page


def _picture(
    name: str, number: int, draw: Callable[[Mapping[str, Any]], Any], record: Mapping[str, Any], images: Path
) -> str:
    file = images / f"bench-{name}{f'-{number + 1}' if number else ''}.png"
    figure, words = draw(record)
    figure.savefig(file, dpi=160, metadata={"Software": None})
    return f"![{words}](images/{file.name})\n"


def _list(records: Mapping[str, Mapping[str, Any]], results: Path, docs: Path) -> str:
    lines = ["| table | date | processor, threads | torch | targets |", "| --- | --- | --- | --- | --- |"]
    for name, record in records.items():
        machine = record["environment"]
        link = f"[{record['title']}]({Path(relpath(results / f'{name}.md', docs)).as_posix()})"
        outcome = "all met" if record["passed"] else "some missed"
        cells = (
            link,
            machine["date"][:10],
            f"{machine['cpu']}, {machine['threads']}",
            machine["versions"]["torch"],
            outcome,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


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
    if arguments.paper is not None:
        if not any(arguments.paper.glob("*.json")):
            parser.error(f"expected figures in {arguments.paper}, got none")
        take_over(arguments.paper, paper, arguments.docs)
    if not any(arguments.results.glob("*.json")):
        parser.error(f"expected results in {arguments.results}, got none")
    print(render(arguments.results, arguments.docs))
    if (claims := render_claims(paper, arguments.docs)) is not None:
        print(claims)


if __name__ == "__main__":
    main()
