"""One optimisation step of the latent engine: against its bare networks, and against the published formulation."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from liescope.evaluation.benchmarks.memory import peak_bytes, reset_peak, resident_bytes
from liescope.evaluation.benchmarks.methods.steps import (
    Step,
    bare_loss,
    dense_loss,
    engine_loss,
    new_model,
    rotated_digits,
    step_of,
    step_settings,
)
from liescope.evaluation.benchmarks.options import Options
from liescope.evaluation.benchmarks.record import Record, spread
from liescope.evaluation.benchmarks.table import Column, Table, number, value, verdict

BATCH = 1024
DENSE_BATCH = 64
"""Of the published order 2: its matrices take 5 MB a pair and order, several times over."""
REPEATS = 15
OVERHEAD, FASTER, LIGHTER = 1.3, 50.0, 0.2
GROWTH = "Growth"

NOTE = (
    "One step: forward and backward pass and Adam, batches of real digits rotated by up to 60 degrees, the published "
    "networks (latent 81, one channel), each row in a process of its own; contenders of a row take turns. Bare: the "
    "same three networks with the same forward and backward passes and plain squared errors, no generator. Dense: "
    "the published formulation, a batch of 81 x 81 matrix exponentials and of 784 x 784 Taylor matrices; order 2 at "
    "the batch that fits. Most possible: dense in units of the bare networks alone. Memory: peak above what is "
    f"resident before the first step. Targets: at most {OVERHEAD:g} times the bare networks, {FASTER:g} times faster "
    f"than dense at {LIGHTER:g} of its memory."
)
GROWTH_NOTE = (
    "Milliseconds of one step at batch 256 as images or the latent grow; dense in the same run where it fits, "
    "at the batch that is given, scaled to 256. The paper: a matrix exponential of the latent patch's pixels cubed "
    "for each pair, and pixels squared (order 1) or cubed (order 2) for alpha matching."
)


@dataclass(frozen=True)
class Form:
    """A way to match in pixels: exactly (None), or by a polynomial of that order, beside so large a dense batch."""

    name: str
    order: int | None
    dense_batch: int
    batch: int
    repeats: int
    tiny: bool


@dataclass(frozen=True)
class Size:
    """Sides of the image and of the latent patch."""

    side: int
    latent: int
    batch: int
    repeats: int
    tiny: bool


def layout(title: str) -> tuple[Column, ...]:
    """The columns of a table."""
    return GROWTH_COLUMNS if title == GROWTH else COLUMNS


def run(options: Options) -> Record:
    """Exact and Taylor forms at batch 1,024; growth with the image's and the latent's side."""
    batch, repeats = (32, 2) if options.tiny else (BATCH, REPEATS)
    dense_batch = 8 if options.tiny else DENSE_BATCH
    forms = [
        Form("exact (default)", None, 0, batch, repeats, options.tiny),
        Form("Taylor, order 1", 1, batch, batch, repeats, options.tiny),
        Form("Taylor, order 2", 2, dense_batch, batch, repeats, options.tiny),
    ]
    if options.tiny:
        del forms[1]
    rows = options.run("latent_step", _row, forms, alone=True)
    sides = ((28, 9), (56, 9)) if options.tiny else ((28, 9), (56, 9), (112, 9), (28, 5), (28, 16))
    sizes = [Size(side, latent, 32 if options.tiny else 256, repeats, options.tiny) for side, latent in sides]
    growth = options.run("latent_step", _growth, sizes, alone=True)
    tables = (
        Table(f"One step, batch {batch:,}", layout(""), rows, (NOTE,)),
        Table(GROWTH, layout(GROWTH), growth, (GROWTH_NOTE,)),
    )
    used = {"batch": batch, "dense_batch_of_order_2": dense_batch, "repeats": repeats, "tiny": options.tiny}
    return Record("latent_step", "One step of the latent engine", tables, [*rows, *growth], used)


def _row(form: Form) -> dict[str, Any]:
    batch, dense_batch, repeats, tiny = form.batch, form.dense_batch, form.repeats, form.tiny
    ours = _measured(tiny, _both_steps, form.order, batch, repeats)
    row: dict[str, Any] = {
        "form": form.name,
        "batch": batch,
        **spread(ours["ours"]),
        "bare_median": float(np.median(ours["bare"])),
        "overhead": _ratio(ours["ours"], ours["bare"]),
        "peak_bytes": ours["peak"],
        "dense_batch": dense_batch or None,
        "speedup": None,
        "ceiling": None,
        "memory": None,
    }
    missed = [] if row["overhead"] <= OVERHEAD else ["overhead"]
    if dense_batch:
        # A small batch of ours is measured beside a small dense one: the comparison is at equal batch.
        same = ours if dense_batch == batch else _measured(tiny, _both_steps, form.order, dense_batch, repeats)
        dense = _measured(tiny, _dense_step, form.order, dense_batch, max(2, repeats // 5))
        row["dense_median"] = float(np.median(dense["ours"]))
        row["dense_peak_bytes"] = dense["peak"]
        row["same_median"] = float(np.median(same["ours"]))
        row["speedup"] = row["dense_median"] / row["same_median"]
        row["ceiling"] = row["dense_median"] / float(np.median(same["bare"]))
        missed += [] if row["speedup"] >= FASTER else ["speed"]
        if dense["peak"] and same["peak"] is not None:
            row["memory"] = same["peak"] / dense["peak"]
            missed += [] if row["memory"] <= LIGHTER else ["memory"]
    return {**row, "passed": not missed, "missed": missed}


def _growth(size: Size) -> dict[str, Any]:
    side, latent, batch, repeats, tiny = size.side, size.latent, size.batch, size.repeats, size.tiny
    ours = _measured(tiny, _both_steps, 1, batch, repeats, side, latent)
    exact = _measured(tiny, _both_steps, None, batch, repeats, side, latent)
    # 4 bytes x pixels^2 x pairs, about six times over.
    fits = max(1, min(batch, int(3e9 / (24 * side**4))))
    dense = _measured(tiny, _dense_step, 1, fits, 1 if tiny else 3, side, latent)
    per_batch = None if not dense["ours"] else float(np.median(dense["ours"])) * batch / fits
    return {
        "side": side,
        "latent": latent,
        "batch": batch,
        **spread(exact["ours"]),
        "bare_median": float(np.median(exact["bare"])),
        "overhead": _ratio(exact["ours"], exact["bare"]),
        "taylor_median": float(np.median(ours["ours"])),
        "dense_batch": fits,
        "dense_median": per_batch,
        "passed": None,
        "missed": [],
    }


def _ratio(first: list[float], second: list[float]) -> float:
    """Median over turns of the ratio within a turn: what slows both does not count."""
    return float(np.median(np.array(first) / np.array(second)))


def _measured(tiny: bool, function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What a child process measures (here where it is only tried out); nothing where it did not survive."""
    if tiny:
        return function(torch.get_num_threads(), *arguments)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, torch.get_num_threads(), *arguments).result()
        except (BrokenProcessPool, RuntimeError, MemoryError):
            return {"ours": [], "bare": [], "peak": None}


def _both_steps(
    threads: int, order: int | None, batch: int, repeats: int, side: int = 28, latent: int = 9
) -> dict[str, Any]:
    """Seconds of steps of ours and of the bare networks, in turns, and the peak memory of ours."""
    torch.set_num_threads(threads)
    config = step_settings(latent, order)
    model, (source, target) = new_model(config, side, seed=0), rotated_digits(side, batch, seed=0)
    ours = step_of(model, engine_loss(model, config, source, target))
    networks = step_of(model, bare_loss(model, source, target))
    peak = _peak(ours)
    networks()
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(repeats):
        for name, step in (("ours", ours), ("bare", networks)):
            seconds[name].append(_timed(step))
    return {**seconds, "peak": peak}


def _dense_step(
    threads: int, order: int | None, batch: int, repeats: int, side: int = 28, latent: int = 9
) -> dict[str, Any]:
    """Seconds of steps of the published formulation, and its peak memory."""
    torch.set_num_threads(threads)
    config = step_settings(latent, order)
    model, (source, target) = new_model(config, side, seed=0), rotated_digits(side, batch, seed=0)
    step = step_of(model, dense_loss(model, config, source, target))
    peak = _peak(step)
    return {"ours": [_timed(step) for _ in range(repeats)], "bare": [], "peak": peak}


def _peak(step: Step) -> int | None:
    """Memory of a first step above what is resident before it; None where it is not known."""
    before = resident_bytes()
    reset_peak()
    step()
    peak = peak_bytes()
    return None if peak is None or before is None else peak - before


def _timed(step: Step) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


COLUMNS = (
    Column("alpha matching", value("form")),
    Column(
        "ms a step", lambda row: f"{number(row['seconds_median'], 1, 1e3)}, IQR {number(row['seconds_iqr'], 1, 1e3)}"
    ),
    Column("bare networks, ms", value("bare_median", 1, 1e3)),
    Column(f"ratio (≤ {OVERHEAD:g})", value("overhead", 2)),
    Column("peak, MB", value("peak_bytes", 0, 1e-6)),
    Column("dense, batch", lambda row: number(row["dense_batch"], 0)),
    Column("dense, ms", lambda row: number(row.get("dense_median"), 0, 1e3)),
    Column("dense peak, MB", lambda row: number(row.get("dense_peak_bytes"), 0, 1e-6)),
    Column(f"faster at that batch (≥ {FASTER:g}x)", value("speedup", 0, unit="x")),
    Column("most possible", value("ceiling", 0, unit="x")),
    Column(f"memory at that batch (≤ {LIGHTER:g})", value("memory", 3)),
    Column("", verdict),
)
GROWTH_COLUMNS = (
    Column("image side", value("side")),
    Column("latent side", value("latent")),
    Column("exact, ms", value("seconds_median", 1, 1e3)),
    Column("Taylor order 1, ms", value("taylor_median", 1, 1e3)),
    Column("bare networks, ms", value("bare_median", 1, 1e3)),
    Column("exact / bare", value("overhead", 2)),
    Column("dense order 1, ms", value("dense_median", 0, 1e3)),
    Column("measured at batch", lambda row: number(row["dense_batch"], 0)),
)
