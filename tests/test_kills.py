"""Writers that are killed at any moment leave the old file or the new one, whole; the next one clears up."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liescope.report.folder
from liescope.cli import main
from liescope.data import save_pairs, write_film
from liescope.data.pairs import Pairs
from liescope.engines.latent.history import write_history
from liescope.evaluation.benchmarks.environment import environment
from liescope.evaluation.benchmarks.record import Record
from liescope.evaluation.benchmarks.table import Column, Table
from liescope.result import load_result

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")]

KILLS = 20
MACHINE = environment()
RNG = np.random.default_rng(0)
STACKS = [RNG.integers(0, 256, (12, 32, 32), dtype=np.uint8) for _ in range(2)]

Write = Callable[[Path, int], object]
"""Writes one of two contents (0 or 1) to a path."""


def started(write: Callable[[], object]) -> int:
    """A child that writes and ends, with all modules that are loaded here."""
    child = os.fork()
    if child == 0:
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            write()
        finally:
            os._exit(0)
    return child


def again(write: Callable[[int], object], first: int) -> None:
    """One content and the other in turn, for longer than anybody lets it run."""
    for number in range(first, first + 50):
        write(number % 2)


def seconds_of(write: Callable[[], object]) -> float:
    """From a child's beginning to its end."""
    start = time.perf_counter()
    os.waitpid(started(write), 0)
    return time.perf_counter() - start


def killed(write: Callable[[], object], after: float) -> None:
    """Run in a child, which is killed after some seconds."""
    child = started(write)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def pairs_of(which: int) -> Pairs:
    return Pairs(STACKS[which], STACKS[which], meta={"which": which})


def in_parts(path: Path, which: int) -> None:
    write_film(path, (STACKS[which][k : k + 2] for k in range(0, 12, 2)), STACKS[which].shape, np.dtype(np.uint8))


def makes(path: Path, which: int) -> None:
    assert (
        main(
            ["make", "symnist", "--corpus", "digits8", "--pairs", "40", "--seed", str(which), "--out", str(path), "-q"]
        )
        == 0
    )


def applies(path: Path, which: int) -> None:
    found, images = path.parent / "found", path.parent / "images.npy"
    words = ["apply", str(found), str(images), "--t", f"0.{which + 1}", "--out", str(path), "-q"]
    assert main(words) == 0


def records(path: Path, which: int) -> None:
    table = Table("a table", [Column("a", lambda row: str(row["a"]))], [{"a": which}] * 200, [])
    Record("bench", "a title", [table], [{"a": which}] * 500, {}, MACHINE).write(path.parent, runs=True)


def history(path: Path, which: int) -> None:
    write_history([{"epoch": k, "loss": which / 7} for k in range(500)], path)


WRITERS: dict[str, Write] = {
    "pairs.npz": lambda path, which: save_pairs(path, pairs_of(which)),
    "pairs.h5": lambda path, which: save_pairs(path, pairs_of(which)),
    "film.npz": in_parts,
    "film.tif": in_parts,
    "film.mp4": in_parts,
    "made.npz": makes,
    "moved.npz": applies,
    "bench.json": records,
    "history.csv": history,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_killed_writer_leaves_the_old_file_or_the_new_one(
    name: str, tmp_path: Path, make_result: Callable[..., Any]
) -> None:
    write, path = WRITERS[name], tmp_path / name
    np.save(tmp_path / "images.npy", STACKS[0])
    if name == "moved.npz":
        make_result("rotation").save(tmp_path / "found")
    whole = []
    for which in (1, 0):
        write(path, which)
        whole.append(path.read_bytes())
    assert whole[0] != whole[1]
    usual = min(seconds_of(lambda: write(path, 0)) for _ in range(3))
    rng, seen = np.random.default_rng(1), set()
    for number in range(KILLS):
        killed(
            partial(again, partial(write, path), number),
            usual * float(rng.uniform(0.2, 1.3)),
        )
        content = path.read_bytes()
        assert content in whole, f"{len(content)} bytes that nobody wrote"
        seen.add(whole.index(content))
    assert seen == {0, 1}
    write(path, 0)
    assert path.read_bytes() == whole[1]


@pytest.mark.parametrize("exchange", [True, False])
def test_a_killed_writer_leaves_the_old_result_or_the_new_one(
    tmp_path: Path, make_result: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    # The page takes a hundred times as long as all else.
    monkeypatch.setattr(liescope.report.folder, "write_page", lambda answer, path, **_: path.write_text("page" * 9999))
    if not exchange:
        monkeypatch.setattr("liescope.answer.folder._exchanged", lambda first, second: False)
    results = [make_result("rotation", pairs=40), make_result("scale", pairs=60)]
    folder = tmp_path / "r"
    results[0].save(folder)
    (folder / "mine.txt").write_text("of the user")
    usual = min(seconds_of(lambda: results[0].save(folder)) for _ in range(3))
    rng, seen = np.random.default_rng(1), set()
    for number in range(KILLS):
        killed(
            partial(again, lambda which: results[which].save(folder), number),
            usual * float(rng.uniform(0.2, 1.3)),
        )
        result = load_result(folder)
        found = result.generators[0].generator.name, result.pairs
        assert found in {("rotation", 40), ("scale", 60)}
        seen.add(found)
    assert len(seen) == 2
    results[0].save(folder)
    assert load_result(folder).pairs == 40
    assert (folder / "mine.txt").read_text() == "of the user"
    assert os.listdir(tmp_path) == ["r"]
