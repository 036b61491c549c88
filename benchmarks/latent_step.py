"""One optimisation step of the latent engine: against its bare networks, and against the published formulation.

``python -m benchmarks.latent_step``
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from benchmarks.command import Options, main
from benchmarks.memory import peak_bytes, reset_peak, resident_bytes
from liescope.data import load_corpus, pairs_from, resize_images
from liescope.engines.latent import LatentConfig, LatentModel, PixelAction, get_config, loss_terms
from liescope.evaluation.bench.record import Record, spread
from liescope.evaluation.bench.table import Column, Table, number, value, verdict
from liescope.geometry import Grid, affine
from liescope.reproduce.dense import DenseFormulation

BATCH = 1024
DENSE_BATCH = 64
"""Of the published order 2: its matrices take 5 MB a pair and order, several times over."""
REPEATS = 15
OVERHEAD, FASTER, LIGHTER = 1.3, 50.0, 0.2

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

Step = Callable[[], None]


def run(options: Options) -> Record:
    """Exact and Taylor forms at batch 1,024; growth with the image's and the latent's side."""
    batch, repeats = (32, 2) if options.tiny else (BATCH, REPEATS)
    dense_batch = 8 if options.tiny else DENSE_BATCH
    forms: dict[str, tuple[Mapping[str, Any], int]] = {
        "exact (default)": ({"alpha_form": "exact", "taylor_order": None}, 0),
        "Taylor, order 1": ({"alpha_form": "taylor", "taylor_order": 1}, batch),
        "Taylor, order 2": ({"alpha_form": "taylor", "taylor_order": 2}, dense_batch),
    }
    if options.tiny:
        del forms["Taylor, order 1"]
    rows = [_row(name, loss, batch, dense, repeats, options.tiny) for name, (loss, dense) in forms.items()]
    growth = []
    sides = ((28, 9), (56, 9)) if options.tiny else ((28, 9), (56, 9), (112, 9), (28, 5), (28, 16))
    for side, latent in sides:
        growth.append(_growth(side, latent, 32 if options.tiny else 256, repeats, options.tiny))
    tables = (
        Table(f"One step, batch {batch:,}", COLUMNS, rows, (NOTE,)),
        Table("Growth", GROWTH_COLUMNS, growth, (GROWTH_NOTE,)),
    )
    used = {"batch": batch, "dense_batch_of_order_2": dense_batch, "repeats": repeats, "tiny": options.tiny}
    return Record("latent_step", "One step of the latent engine", tables, [*rows, *growth], used)


def _row(name: str, loss: Mapping[str, Any], batch: int, dense_batch: int, repeats: int, tiny: bool) -> dict[str, Any]:
    print(name, file=sys.stderr, flush=True)
    ours = _measured(tiny, _both_steps, loss, batch, repeats)
    row: dict[str, Any] = {
        "form": name,
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
        same = ours if dense_batch == batch else _measured(tiny, _both_steps, loss, dense_batch, repeats)
        dense = _measured(tiny, _dense_step, loss, dense_batch, max(2, repeats // 5))
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


def _growth(side: int, latent: int, batch: int, repeats: int, tiny: bool) -> dict[str, Any]:
    print(f"side {side}, latent {latent}", file=sys.stderr, flush=True)
    loss = {"alpha_form": "taylor", "taylor_order": 1}
    ours = _measured(tiny, _both_steps, loss, batch, repeats, side, latent)
    exact = _measured(tiny, _both_steps, {"alpha_form": "exact", "taylor_order": None}, batch, repeats, side, latent)
    # 4 bytes x pixels^2 x pairs, about six times over.
    fits = max(1, min(batch, int(3e9 / (24 * side**4))))
    dense = _measured(tiny, _dense_step, loss, fits, 1 if tiny else 3, side, latent)
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


def _set_up(
    loss: Mapping[str, Any], batch: int, side: int, latent: int
) -> tuple[LatentConfig, LatentModel, Tensor, Tensor]:
    digits = np.asarray(load_corpus("mnist-5k").images)[:: 5000 // batch or 1][:batch] / np.float32(255)
    images = digits if side == 28 else resize_images(digits, (side, side))
    pairs = pairs_from(images, transform="rotation", range=60, seed=0, pairs=batch)
    settings = get_config("paper").model_dump(exclude_none=True)
    settings["model"]["latent_size"] = latent**2
    settings["loss"].pop("taylor_order")
    settings["loss"] |= {key: item for key, item in loss.items() if item is not None}
    config = get_config(settings)
    model = LatentModel(config.model, affine(), (1, side, side), seed=0)
    source, target = (torch.from_numpy(np.asarray(x))[:, None] for x in (pairs.source, pairs.target))
    return config, model, source, target


def _both_steps(
    threads: int, loss: Mapping[str, Any], batch: int, repeats: int, side: int = 28, latent: int = 9
) -> dict[str, Any]:
    """Seconds of steps of ours and of the bare networks, in turns, and the peak memory of ours."""
    torch.set_num_threads(threads)
    config, model, source, target = _set_up(loss, batch, side, latent)
    weights = config.loss
    pixels = PixelAction(
        model.basis, Grid.of(side, side), weights.taylor_order, config.model.kernel, False, torch.device("cpu")
    )

    def ours() -> Tensor:
        terms = loss_terms(model, model(source, target), source, target, pixels, weights)
        return torch.stack(list(terms.values())).sum()

    def bare() -> Tensor:
        t = model.magnitudes(source, target)
        z = model.encoder(torch.cat((source, target)))
        decoded = model.decoder(torch.cat((z, z[: len(source)])))
        return mse_loss(decoded, torch.cat((source, target, target))) + t.square().mean()

    own, networks = _step(model, ours), _step(model, bare)
    before = resident_bytes()
    reset_peak()
    own()
    peak = peak_bytes()
    networks()
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(repeats):
        for name, step in (("ours", own), ("bare", networks)):
            seconds[name].append(_timed(step))
    return {**seconds, "peak": None if peak is None or before is None else peak - before}


def _dense_step(
    threads: int, loss: Mapping[str, Any], batch: int, repeats: int, side: int = 28, latent: int = 9
) -> dict[str, Any]:
    """Seconds of steps of the published formulation, and its peak memory."""
    torch.set_num_threads(threads)
    config, model, source, target = _set_up(loss, batch, side, latent)
    dense = DenseFormulation(model, config.loss)
    step = _step(model, lambda: dense.loss(source, target))
    before = resident_bytes()
    reset_peak()
    step()
    peak = peak_bytes()
    seconds = [_timed(step) for _ in range(repeats)]
    return {"ours": seconds, "bare": [], "peak": None if peak is None or before is None else peak - before}


def _step(model: LatentModel, loss: Callable[[], Tensor]) -> Step:
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


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


if __name__ == "__main__":
    main({"latent_step": run})
