"""Lightning, as every training of the engine uses it: without its banners, and stopped by Ctrl-C like anything else."""

from __future__ import annotations

import contextlib
import logging
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader

from liescope.engines.devices import kept_random_state
from liescope.engines.latent.batches import Batch

__all__ = ["one_cycle", "run_trainer"]


def run_trainer(
    module: pl.LightningModule,
    loader: DataLoader[Batch],
    *,
    device: str | None,
    devices: int = 1,
    checkpoint: Path | None = None,
    **options: Any,
) -> None:
    """Fit a module.

    Parameters
    ----------
    device : str, optional
        Torch device; the CPU by default.
    devices : int
        How many of them.
    checkpoint : path, optional
        To go on from.
    options
        Of Lightning's Trainer.

    Raises
    ------
    KeyboardInterrupt
        At Ctrl-C.
    """
    target = torch.device(device or "cpu")
    accelerator = {"cuda": "gpu", "cpu": "cpu", "mps": "mps"}.get(target.type, "auto")
    chosen: Any = [target.index] if target.index is not None and accelerator == "gpu" else devices
    with _quiet(), kept_random_state(target):
        trainer = pl.Trainer(
            accelerator=accelerator,
            devices=chosen,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=10**9,
            **options,
        )
        handler = signal.getsignal(signal.SIGINT)
        try:
            trainer.fit(module, loader, ckpt_path=checkpoint, weights_only=True if checkpoint else None)
        except SystemExit:
            # Lightning's own answer to Ctrl-C, which also turns a further one off.
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from None


def one_cycle(optimiser: torch.optim.Optimizer, steps: int) -> dict[str, Any]:
    """The optimiser with a schedule of one cycle, in Lightning's form; the rates are its peaks."""
    peaks = [max(group["lr"], 1e-12) for group in optimiser.param_groups]
    # A rise of a single step, a tenth of ten, has no length that torch could divide by.
    rise = 0.15 if steps == 10 else 0.1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peaks, total_steps=steps, pct_start=rise)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's banners and its advice on data loaders, which are not files here."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        warnings.filterwarnings("ignore", message=r".*lr_scheduler\.step.*")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
