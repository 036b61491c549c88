"""``make bench``: run benchmarks from a clean checkout, and write their records to the committed results."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from rich.console import Console

from liescope.cli.progress import ProgressDisplay
from liescope.errors import InputError
from liescope.evaluation.benchmarks import Options, Record, UnavailableError, environment

__all__ = ["RESULTS", "main"]

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
ELSEWHERE = ROOT / "build" / "benchmarks"
"""Where ``--allow-dirty`` writes to: no folder that is committed."""
WIDTH = 190


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def main(benchmarks: Mapping[str, Callable[[Options], Record]], argv: Sequence[str] | None = None) -> list[Record]:
    """Run the benchmarks that the command line names; without names, all of them.

    Tables go to standard output, files to ``--out`` (default: the folder ``results`` beside this file; with
    ``--tiny``, nowhere). Records of a checkout with uncommitted changes are refused in that folder before any work
    starts. A benchmark whose counterpart is not installed is skipped with a line that says so.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed and accuracy of liescope.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(benchmarks)}; default: all")
    parser.add_argument("--tiny", action="store_true", help="a few seconds of each, to see that it runs")
    parser.add_argument("--seeds", type=int, nargs="+", help="seeds of every row (default: as each table says)")
    parser.add_argument("--corpus", nargs="+", default=[], help="further corpora, or another where there is but one")
    parser.add_argument("--methods", nargs="+", help="which are compared, where a benchmark has a choice")
    parser.add_argument("--kinds", nargs="+", help="of pictures: which kinds of pairs")
    parser.add_argument("--images", nargs="+", help="of pictures: tuning, confirming, or photographs by name")
    parser.add_argument("--threads", type=int, help="threads of torch (default: its own choice)")
    parser.add_argument("--out", type=Path, help="folder of the results (default: benchmarks/results)")
    parser.add_argument(
        "--allow-dirty", action="store_true", help="run with uncommitted changes; writes to build/benchmarks"
    )
    arguments = parser.parse_args(argv)
    names = arguments.names or list(benchmarks)
    unknown = [name for name in names if name not in benchmarks]
    if unknown:
        parser.error(f"unknown benchmark {', '.join(unknown)}: expected one of {', '.join(benchmarks)}")
    if arguments.threads is not None and arguments.threads < 1:
        parser.error(f"expected at least one thread, got {arguments.threads}")
    folder = _folder(arguments)
    if folder is not None and (refused := environment.refusal(folder, RESULTS, arguments.tiny)):
        parser.error(f"{refused} (--allow-dirty: build/benchmarks)")
    began_at = environment.commit()
    seeds = None if arguments.seeds is None else tuple(arguments.seeds)

    # Tables are wide; a narrow terminal breaks their lines, which is better than to lose numbers.
    console = Console(highlight=False, markup=False, width=max(Console().width, WIDTH))
    records = []
    with _threads(arguments.threads), ProgressDisplay() as display:
        options = Options(
            arguments.tiny,
            seeds,
            tuple(arguments.corpus),
            methods=_words(arguments.methods),
            progress=display,
            folder=folder,
            kinds=_words(arguments.kinds),
            images=_words(arguments.images),
        )
        for name in names:
            try:
                record = benchmarks[name](options)
            except UnavailableError as reason:
                console.print(f"{name}: skipped, {reason}")
                continue
            except InputError as reason:
                parser.error(str(reason))
            record.show(console)
            records.append(record)
            if folder is None:
                continue
            if _is_committed(folder) and record.machine["commit"] != began_at:
                parser.error(f"expected the code of {name} to stay as it was while it ran, got changes: not written")
            as_json, _ = record.write(folder)
            console.print(f"{name}: written to {as_json}")
    for record in records:
        outcome = "all targets met" if record.passed else "TARGETS MISSED"
        console.print(f"{record.name}: {'tiny, targets do not count' if arguments.tiny else outcome}")
    return records


def _words(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _folder(arguments: argparse.Namespace) -> Path | None:
    out: Path | None = arguments.out
    if out is not None or arguments.tiny:
        return out
    return ELSEWHERE if arguments.allow_dirty else RESULTS


def _is_committed(folder: Path) -> bool:
    """Whether a folder is that of the committed results, or lies in it."""
    return folder.resolve().is_relative_to(RESULTS.resolve())
