"""Time and memory as the number of pairs and the size of the images grow."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from liescope.data import Pairs, load_corpus, pairs_from, resize_images, save_pairs
from liescope.evaluation.benchmarks.columns import EXACT_NOTE
from liescope.evaluation.benchmarks.memory import peak_bytes, reset_peak, resident_bytes
from liescope.evaluation.benchmarks.options import Options
from liescope.evaluation.benchmarks.problems import Problem
from liescope.evaluation.benchmarks.record import Record, spread
from liescope.evaluation.benchmarks.sweep import compare, timed_detection, warm_up
from liescope.evaluation.benchmarks.table import Column, Row, Table, number, value, verdict
from liescope.result import SymmetryResult

ROTATION = Problem("rotation", 60.0, order=1)
COUNTS = (1_000, 5_000, 20_000, 60_000)
SIDES = (28, 56, 112, 224)
SIDE_PAIRS = 600
REPEATS = 3

MOST_BYTES = 1_000_000_000
LINEAR = 1.1
"""Time per unit of work may exceed that of the next smaller size by this factor: what timing varies by."""
FLAT = 1.5
"""Memory may exceed that of the next smaller size by this factor; the number of pairs grows three to five fold."""

COUNT_NOTE = (
    "Each size in a fresh process. Peak memory is that of the first detection, above what is resident just before it "
    "(libraries and the data, in memory); seconds are the median and interquartile range of the detections after it. "
    f"Targets: below {MOST_BYTES / 1e9:g} GB; at most {FLAT:g} times the memory and {LINEAR:g} times the seconds per "
    "1,000 pairs of the size before. Digits repeat, with new magnitudes, beyond 5,000."
)
SIDE_NOTE = (
    f"Digits resized, then rotated. Target: at most {LINEAR:g} times the seconds per pixel and pair of the side before."
)


def layout(title: str) -> tuple[Column, ...]:
    """The columns of a table."""
    return COUNT_COLUMNS if title.startswith("Number") else SIDE_COLUMNS


def run(options: Options) -> Record:
    """1,000 to 60,000 pairs of 28 x 28 pixels; 600 pairs of 28 x 28 to 224 x 224."""
    counts, sides = ((64,), (28, 56)) if options.tiny else (COUNTS, SIDES)
    side_pairs, repeats = (24, 1) if options.tiny else (SIDE_PAIRS, REPEATS)
    seed = (options.seeds or (0,))[0]
    by_count = options.run("scaling", _of_count, [_Count(count, seed, repeats) for count in counts], alone=True)
    warm_up(tiny=options.tiny)
    tasks = [_Side(side, side_pairs, seed, repeats) for side in sides]
    by_side = options.run("scaling", _of_side, tasks, alone=True)
    tables = (
        Table(
            "Number of pairs (28 x 28 pixels, affine basis, rotation ±60°)",
            layout("Number"),
            _judged(by_count, _count_missed),
            (COUNT_NOTE, EXACT_NOTE),
        ),
        Table(
            f"Image side ({side_pairs} pairs, affine basis, rotation ±60°)",
            layout("Image side"),
            _judged(by_side, _side_missed),
            (SIDE_NOTE, EXACT_NOTE),
        ),
    )
    used = {"repeats": repeats, "seed": seed, "tiny": options.tiny, "basis": "affine"}
    return Record("scaling", "Scaling", tables, [*by_count, *by_side], used)


class _Count(NamedTuple):
    pairs: int
    seed: int
    repeats: int


class _Side(NamedTuple):
    side: int
    pairs: int
    seed: int
    repeats: int


def _of_count(task: _Count) -> dict[str, Any]:
    count, seed, repeats = task
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.npz"
        save_pairs(path, replace(ROTATION, pairs=count, seed=seed).make())
        # Spawned, not forked: the child starts without the memory of this process.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            measured = pool.submit(detect_alone, path, seed, repeats, torch.get_num_threads()).result()
    per_thousand = 1000 * measured["seconds_median"] / count
    return {"pairs": count, **measured, "seconds_per_1k": per_thousand}


def detect_alone(path: Path, seed: int, repeats: int, threads: int) -> dict[str, Any]:
    """What a child process does: one detection whose memory is measured, then some that are timed."""
    torch.set_num_threads(threads)
    with np.load(path, allow_pickle=False) as file:
        meta = json.loads(str(file["meta"]))
        pairs = Pairs(file["source"], file["target"], file["magnitude"], meta=meta)
    before = resident_bytes()
    reset_peak()
    result, first = timed_detection(pairs, seed=seed)
    peak = peak_bytes()
    seconds = [timed_detection(pairs, seed=seed)[1] for _ in range(repeats)]
    return {
        **_accuracy(pairs, result),
        **spread(seconds),
        "first_seconds": first,
        "data_bytes": pairs.source.nbytes + pairs.target.nbytes,
        "resident_bytes": before,
        "peak_bytes": None if peak is None or before is None else peak - before,
    }


def _of_side(task: _Side) -> dict[str, Any]:
    side, count, seed, repeats = task
    digits = np.asarray(load_corpus("mnist-5k").images)
    chosen = np.random.default_rng(seed).permutation(len(digits))[:count]
    large = resize_images(digits[chosen] / np.float32(255), (side, side))
    pairs = pairs_from(large, transform=ROTATION.transform, range=ROTATION.range, seed=seed)
    detections = [timed_detection(pairs, seed=seed) for _ in range(repeats)]
    seconds = spread([taken for _, taken in detections])
    return {
        "side": side,
        "pairs": count,
        **_accuracy(pairs, detections[0][0]),
        **seconds,
        "nanoseconds_per_pixel_pair": 1e9 * seconds["seconds_median"] / (count * side**2),
    }


def _accuracy(pairs: Pairs, result: SymmetryResult) -> dict[str, Any]:
    found = compare(ROTATION, pairs, result, 0.0)
    return {
        "cosine": found.score.cosine,
        "t_error_median": found.t_error_median,
        "generators": found.score.generators,
    }


def _judged(rows: Sequence[dict[str, Any]], missed: Callable[[Row, Row | None], list[str]]) -> list[dict[str, Any]]:
    """Rows with what they miss, each seen beside the one before."""
    judged = []
    for before, row in zip([None, *rows[:-1]], rows, strict=True):
        misses = missed(row, before)
        judged.append({**row, "passed": not misses, "missed": misses})
    return judged


def _count_missed(row: Row, before: Row | None) -> list[str]:
    misses = []
    if before is not None and not row["seconds_per_1k"] <= LINEAR * before["seconds_per_1k"]:
        misses.append("linear time")
    peak = row["peak_bytes"]
    if peak is not None and not peak < MOST_BYTES:
        misses.append("memory")
    if peak is not None and before is not None and not peak <= FLAT * before["peak_bytes"]:
        misses.append("flat memory")
    return misses


def _side_missed(row: Row, before: Row | None) -> list[str]:
    key = "nanoseconds_per_pixel_pair"
    return ["time per pixel"] if before is not None and not row[key] <= LINEAR * before[key] else []


def _seconds(row: Row) -> str:
    return f"{number(row['seconds_median'], 2)}, IQR {number(row['seconds_iqr'], 2)}"


ACCURACY_COLUMNS = (
    Column("cosine", value("cosine", 6)),
    Column("median t error", value("t_error_median", 4, 100, " %")),
    Column("seconds", _seconds),
)
COUNT_COLUMNS = (
    Column("pairs", value("pairs", 0)),
    *ACCURACY_COLUMNS,
    Column("seconds per 1,000 pairs", value("seconds_per_1k", 3)),
    Column("data, MB", value("data_bytes", 0, 1e-6)),
    Column("peak above data, MB", value("peak_bytes", 0, 1e-6)),
    Column("", verdict),
)
SIDE_COLUMNS = (
    Column("side", value("side")),
    *ACCURACY_COLUMNS,
    Column("ns per pixel and pair", value("nanoseconds_per_pixel_pair", 0)),
    Column("", verdict),
)
