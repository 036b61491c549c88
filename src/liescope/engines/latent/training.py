"""Training with all losses, from a warm start or where a search arrived."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, Checkpoint, EarlyStopping
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch import Tensor
from torch.nn.functional import mse_loss

from liescope.engines.devices import seed_random_state
from liescope.engines.latent.alpha import PixelAction
from liescope.engines.latent.batches import Batch, PairTensors, in_parts, make_loader
from liescope.engines.latent.checkpoint import CHECKPOINT_FILES, checkpoint_path
from liescope.engines.latent.config import LatentConfig
from liescope.engines.latent.history import History, write_history
from liescope.engines.latent.losses import TERMS, consistency_pairs, distillation, loss_terms
from liescope.engines.latent.model import LatentModel
from liescope.engines.latent.trainer import one_cycle, run_trainer
from liescope.errors import ComputationError
from liescope.geometry import Grid

__all__ = ["train"]


class _Training(pl.LightningModule):
    """The model under training: its losses, optimiser, and the history."""

    def __init__(self, model: LatentModel, config: LatentConfig, held_out: PairTensors, hold: bool, seed: int) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.held_out = held_out
        self.hold = hold
        self.seed = seed
        self.history: History = []
        self._sums: dict[str, Tensor] = {}
        self._batches = 0

    def on_fit_start(self) -> None:
        settings = self.config.model
        grid = Grid.of(*self.model.shape[1:])
        make = (grid, self.config.loss.taylor_order, settings.kernel, settings.closure, self.device)
        self.pixels = PixelAction(self.model.basis, *make)
        # Pairs for the t-network are transported exactly, whatever form the alpha matching has.
        self.transport = PixelAction(self.model.basis, grid, None, *make[2:])
        for callback in self.trainer.early_stopping_callbacks:
            # Of a training that was resumed after it had stopped early: nothing is left to do.
            self.trainer.should_stop |= callback.wait_count >= callback.patience

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Not at the start of the epoch: that hook is left out for the first epoch after a resume.
        if batch_idx == 0:
            # Dropout draws from torch's own generator; by epoch, so that a resumed run draws the same.
            seed_random_state(self.seed * 1_000_003 + self.current_epoch, self.device)
            self._sums, self._batches = {}, 0

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        source, target, known = batch
        weights = self.config.loss
        output = self.model(source, target)
        terms = loss_terms(self.model, output, source, target, self.pixels, weights)
        fading = weights.distillation * self._distilling()
        if fading > 0:
            terms["distillation"] = fading * distillation(output.t, known)
        if weights.consistency:
            moved, t = consistency_pairs(self.model, self.transport, source, output.t, known)
            terms["consistency"] = weights.consistency * mse_loss(self.model.magnitudes(source, moved), t)
        total = torch.stack(list(terms.values())).sum()
        if not torch.isfinite(total):
            values = {name: float(value.detach()) for name, value in terms.items()}
            self._give_up(f"the loss is not finite at step {self.global_step} (epoch {self.current_epoch})", values)
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(value.detach())) + value.detach()
        self._batches += 1
        return total

    def _distilling(self) -> float:
        """1 at the start of a warm-started training, 0 after ``distil_epochs``."""
        fade = self.config.training.distil_epochs
        return max(0.0, 1.0 - self.current_epoch / fade) if fade else 0.0

    def _give_up(self, what: str, values: Mapping[str, float]) -> NoReturn:
        """Stop with the values that are not finite, and what is kept."""
        wrong = ", ".join(f"{name} is {value}" for name, value in values.items() if not math.isfinite(value))
        keepers = [c for c in self.trainer.callbacks if isinstance(c, _Keeper)]  # type: ignore[attr-defined]
        kept = keepers[0].kept() if keepers else ""
        raise ComputationError(f"{what}: {wrong}{kept}, try a lower learning rate or a smaller model.latent_size")

    def on_train_epoch_end(self) -> None:
        row: dict[str, float] = {"epoch": self.current_epoch + 1}
        row |= {name: float(total) / self._batches for name, total in self._sums.items()}
        row["loss"] = sum(row.get(name, 0.0) for name in TERMS)
        row |= held_out_errors(self.model, self.held_out, self.device)
        row |= {f"a{k}_{i}": float(v) for k, a in enumerate(self.model.coefficients.detach()) for i, v in enumerate(a)}
        if not all(map(math.isfinite, row.values())):
            # The gradient of a finite loss may not be finite. Such weights must not get into a checkpoint.
            self._give_up(f"the model is not finite after epoch {self.current_epoch + 1}", row)
        self.history.append(row)
        self.log("held_out", row["held_out_moved"])
        if self.loggers:
            self.log_dict({name: value for name, value in row.items() if name != "epoch"})

    def configure_optimizers(self) -> Any:
        settings = self.config.training
        own = {id(self.model.raw_coefficients)}
        networks = [p for p in self.model.parameters() if id(p) not in own]
        self.model.raw_coefficients.requires_grad_(not self.hold)
        groups: list[dict[str, Any]] = [{"params": networks, "lr": settings.learning_rate}]
        if not self.hold:
            groups.append({"params": [self.model.raw_coefficients], "lr": settings.coefficient_rate})
        optimiser = torch.optim.Adam(groups)
        if settings.schedule == "constant":
            return optimiser
        return one_cycle(optimiser, int(self.trainer.estimated_stepping_batches))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.history = [dict(row) for row in checkpoint["history"]]


@torch.no_grad()
def held_out_errors(model: LatentModel, pairs: PairTensors, device: torch.device) -> dict[str, float]:
    """Mean squared errors on held-out pairs: of the moved reconstruction, and of the targets' own."""
    training = model.training
    model.eval()
    moved = own = 0.0
    for source, target, _ in in_parts(pairs, device):
        output = model(source, target)
        moved += float(mse_loss(output.moved, target)) * len(source)
        own += float(mse_loss(output.target, target)) * len(source)
    model.train(training)
    return {"held_out_moved": moved / len(pairs), "held_out_own": own / len(pairs)}


class _Keeper(Checkpoint):
    """Writes the state of the training every few epochs, all or nothing; and the history."""

    def __init__(self, folder: Path, every: int, about: Mapping[str, Any]) -> None:
        self.folder = folder
        self.every = every
        self.about = dict(about)
        self.saved = 0

    def kept(self) -> str:
        """What remains if the training stops now."""
        return f"; the state after epoch {self.saved} is kept in '{self.folder}'" if self.saved else ""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if epoch % self.every and epoch != trainer.max_epochs and not trainer.should_stop:
            return
        target, temporary = checkpoint_path(self.folder), self.folder / ".checkpoint.ckpt"
        try:
            trainer.save_checkpoint(temporary)
            if trainer.is_global_zero:
                write_history(pl_module.history, self.folder / CHECKPOINT_FILES[1])  # type: ignore[arg-type]
                os.replace(temporary, target)
        except (OSError, RuntimeError) as error:
            temporary.unlink(missing_ok=True)
            raise ComputationError(
                f"the checkpoint of epoch {epoch} could not be written: {error}{self.kept()}"
            ) from None
        self.saved = epoch

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["liescope"] = self.about

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self.saved = len(checkpoint["history"])


class _Progress(Callback):
    def __init__(self, report: Callable[[str, float], None]) -> None:
        self.report = report

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.report("training the latent model", (trainer.current_epoch + 1) / (trainer.max_epochs or 1))


def train(
    model: LatentModel,
    config: LatentConfig,
    pairs: PairTensors,
    held_out: PairTensors,
    *,
    seed: int,
    hold: bool = False,
    device: str | None = None,
    folder: Path | None = None,
    resume: bool = False,
    about: Mapping[str, Any] | None = None,
    report: Callable[[str, float], None] | None = None,
) -> History:
    """Train the model in place.

    Parameters
    ----------
    model : LatentModel
    config : LatentConfig
    pairs, held_out : PairTensors
        What is trained on, and what errors are measured on.
    seed : int
        Of batches and dropout.
    hold : bool
        Leave the generators' coefficients as they are.
    device : str, optional
        Torch device; the CPU by default.
    folder : path, optional
        For the checkpoint, the history and, where TensorBoard is installed, its log.
    resume : bool
        Go on from the folder's checkpoint.
    about : mapping, optional
        Plain values kept in the checkpoint.

    Returns
    -------
    History

    Raises
    ------
    ComputationError
        A loss that is not finite, a checkpoint that cannot be written. The last good checkpoint stays.
    """
    settings = config.training
    training = _Training(model, config, held_out, hold, seed)
    callbacks: list[Callback] = []
    if report is not None:
        callbacks.append(_Progress(report))
    if settings.patience:
        callbacks.append(EarlyStopping("held_out", patience=settings.patience, check_on_train_epoch_end=True))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        callbacks.append(_Keeper(folder, settings.checkpoint_every, about or {}))
    run_trainer(
        training,
        make_loader(pairs, settings.batch_size, seed),
        device=device,
        devices=settings.devices,
        checkpoint=checkpoint_path(folder) if folder is not None and resume else None,
        strategy=settings.strategy,
        max_epochs=settings.epochs,
        gradient_clip_val=settings.gradient_clip or None,
        logger=_logger(folder),
        callbacks=callbacks,
        enable_checkpointing=folder is not None,
        default_root_dir=folder,
    )
    model.raw_coefficients.requires_grad_(True)
    model.eval()
    return training.history


def _logger(folder: Path | None) -> Logger | bool:
    if folder is None or importlib.util.find_spec("tensorboard") is None:
        return False
    return TensorBoardLogger(folder, name="", version="tensorboard")
