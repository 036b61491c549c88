"""Training: the same bits again, the same bits after a kill, and failures that keep the last good state."""

from __future__ import annotations

import csv
import errno
import logging
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import Tensor

from liescope.engines.latent import CHECKPOINT_FILES, TERMS, LatentConfig, LatentFit, WarmStart, fit_latent, loss_terms
from liescope.errors import ComputationError
from liescope.geometry import affine

Digits = tuple[Tensor, Tensor, Tensor]
MakeConfig = Callable[..., LatentConfig]
ROTATION = np.array([[0, 0, -1, 0, 1, 0]]) / 2**0.5


def fit(digits: Digits, config: LatentConfig, warm: bool = True, **options: Any) -> LatentFit:
    source, target, t = digits
    start = WarmStart(ROTATION, t.double().numpy()) if warm else None
    return fit_latent(source, target, affine(), 1, config, start=start, **options)


def same(first: LatentFit, second: LatentFit) -> bool:
    """Equal to the last bit: weights and history."""
    states = first.model.state_dict(), second.model.state_dict()
    equal = all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    return equal and states[0].keys() == states[1].keys() and first.history == second.history


class Stop:
    """A progress callback that stops the training in the given epoch of so many."""

    def __init__(self, epoch: int, epochs: int, error: type[BaseException] = RuntimeError) -> None:
        self.done, self.error = epoch / epochs, error

    def __call__(self, stage: str, done: float) -> None:
        if done >= self.done - 1e-9:
            raise self.error("stopped on purpose")


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


# --- the same again


def test_a_rerun_gives_the_same_bits_and_another_seed_does_not(digit_pairs: Digits, small: MakeConfig) -> None:
    config = small(model_dropout=0.2)
    first = fit(digit_pairs, config, seed=3)
    torch.manual_seed(99)
    assert same(first, fit(digit_pairs, config, seed=3))
    assert not same(first, fit(digit_pairs, config, seed=4))


def test_a_cold_rerun_gives_the_same_bits_too(digit_pairs: Digits, small: MakeConfig) -> None:
    config = small(training_restarts=2, training_search_steps=4, training_epochs=2)
    assert same(fit(digit_pairs, config, False), fit(digit_pairs, config, False))


def test_no_random_state_but_its_own_is_touched(digit_pairs: Digits, small: MakeConfig) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    legacy: Any = np.random.get_state()  # noqa: NPY002
    fit(digit_pairs, small(training_epochs=1, model_dropout=0.5))
    assert torch.equal(torch.get_rng_state(), before)
    again: Any = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(again[1], legacy[1])


def test_dropout_is_drawn_anew_in_every_epoch(digit_pairs: Digits, small: MakeConfig) -> None:
    seen = []

    def draw(stage: str, done: float) -> None:
        seen.append(float(torch.rand(1)))

    fit(digit_pairs, small(model_dropout=0.5), report=draw)
    assert len(set(seen)) == 4


def test_nothing_is_printed_and_loggers_are_left_as_they_were(
    digit_pairs: Digits, small: MakeConfig, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    fit(digit_pairs, small(), folder=tmp_path)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
    assert [logger.level for logger in loggers] == levels


# --- what it learns


def test_the_loss_falls_and_the_model_is_left_ready_for_use(digit_pairs: Digits, small: MakeConfig) -> None:
    fitted = fit(digit_pairs, small(training_epochs=8, training_learning_rate=0.01))
    losses = [row["loss"] for row in fitted.history]
    assert losses[-1] < 0.8 * losses[0]
    assert fitted.history[-1]["held_out_moved"] < fitted.history[0]["held_out_moved"]
    assert not fitted.model.training
    assert all(parameter.requires_grad for parameter in fitted.model.parameters())


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 9, 10, 11, 20])
def test_any_number_of_steps_has_a_schedule(steps: int, digit_pairs: Digits, small: MakeConfig) -> None:
    fitted = fit(digit_pairs, small(training_epochs=steps, training_batch_size=64))
    assert len(fitted.history) == steps
    assert all(math.isfinite(value) for row in fitted.history for value in row.values())


def test_the_rate_rises_over_a_tenth_of_the_steps_and_falls_to_nothing(
    digit_pairs: Digits, small: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[list[float]] = []
    step = torch.optim.Adam.step

    def watched(self: torch.optim.Adam, *arguments: Any, **named: Any) -> Any:
        rates.append([group["lr"] for group in self.param_groups])
        return step(self, *arguments, **named)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    config = small(training_epochs=10, training_batch_size=16, training_learning_rate=0.02)
    fit(digit_pairs, config)
    networks, coefficients = np.array(rates).T
    assert len(networks) == 40
    assert networks.argmax() == 3
    assert networks.max() == pytest.approx(0.02)
    assert coefficients.max() == pytest.approx(0.001)
    assert networks[-1] < 1e-3 * networks.max()
    rates.clear()
    fit(
        digit_pairs, config.model_copy(update={"training": config.training.model_copy(update={"schedule": "constant"})})
    )
    assert np.unique(np.array(rates)[:, 0]) == pytest.approx([0.02])


@pytest.mark.parametrize("largest", [0.0, 0.01])
def test_gradients_are_cut_to_the_largest_norm(
    largest: float, digit_pairs: Digits, small: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms: list[float] = []
    step = torch.optim.Adam.step

    def watched(self: torch.optim.Adam, closure: Callable[[], Any]) -> Any:
        def evaluated() -> Any:
            loss = closure()
            gradients = [p.grad for group in self.param_groups for p in group["params"]]
            norms.append(float(torch.stack([g.norm() for g in gradients if g is not None]).norm()))
            return loss

        return step(self, evaluated)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    fit(digit_pairs, small(training_epochs=1, training_gradient_clip=largest))
    assert len(norms) == 4
    if largest:
        assert max(norms) == pytest.approx(largest, rel=1e-3)
    else:
        assert min(norms) > 0.1


def test_held_coefficients_stay_and_others_move(digit_pairs: Digits, small: MakeConfig) -> None:
    source, target, t = digit_pairs
    moved = {}
    for hold in (True, False):
        start = WarmStart(ROTATION, t.double().numpy(), hold)
        config = small(training_epochs=1, training_coefficient_rate=0.1)
        model = fit_latent(source, target, affine(), 1, config, start=start).model
        moved[hold] = np.abs(model.coefficients.detach().numpy() - ROTATION).max()
    assert moved[True] < 1e-7
    assert moved[False] > 1e-2


def test_held_out_pairs_teach_nothing(digit_pairs: Digits, small: MakeConfig) -> None:
    first = fit(digit_pairs, small())
    source, target = digit_pairs[0].clone(), digit_pairs[1].clone()
    source[first.held_out], target[first.held_out] = 0.5, 0.25
    second = fit((source, target, digit_pairs[2]), small())
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name])
    assert first.history[-1]["held_out_moved"] != second.history[-1]["held_out_moved"]


def test_progress_goes_from_epoch_to_epoch(digit_pairs: Digits, small: MakeConfig) -> None:
    seen: list[tuple[str, float]] = []
    fit(digit_pairs, small(), report=lambda stage, done: seen.append((stage, done)))
    assert seen == [("training the latent model", done) for done in (0.25, 0.5, 0.75, 1.0)]


def test_training_stops_early_where_held_out_pairs_get_no_better(
    digit_pairs: Digits, small: MakeConfig, tmp_path: Path
) -> None:
    # Without a rate worth the name nothing gets better.
    still = small(training_patience=2, training_epochs=9, training_learning_rate=1e-30, training_coefficient_rate=0.0)
    fitted = fit(digit_pairs, still, folder=tmp_path)
    assert len(fitted.history) == 3
    assert len(fit(digit_pairs, small(training_patience=2)).history) == 4
    assert entries(tmp_path) == set(CHECKPOINT_FILES)
    # Killed before the result was written: there is nothing left to train.
    assert same(fit(digit_pairs, still, folder=tmp_path, resume=True), fitted)


# --- the history


def test_the_history_has_a_row_an_epoch_and_the_file_is_the_same(
    digit_pairs: Digits, small: MakeConfig, tmp_path: Path
) -> None:
    config = small(loss_lasso=0.1, training_checkpoint_every=2, training_coefficient_rate=0.01)
    fitted = fit(digit_pairs, config, folder=tmp_path)
    assert [row["epoch"] for row in fitted.history] == [1, 2, 3, 4]
    coefficients = {f"a0_{i}" for i in range(6)}
    for number, row in enumerate(fitted.history):
        terms = set(TERMS) - ({"distillation"} if number >= 2 else set())  # it has faded out
        assert set(row) == {"epoch", "loss", "held_out_moved", "held_out_own"} | terms | coefficients
        assert row["loss"] == pytest.approx(sum(row[name] for name in terms))
        assert row["lasso"] == pytest.approx(0.1 * 2**0.5, rel=0.05)
    last = [fitted.history[-1][f"a0_{i}"] for i in range(6)]
    np.testing.assert_allclose(last, fitted.model.coefficients.detach()[0], atol=1e-7)
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    for row, text in zip(fitted.history, rows, strict=True):
        assert {name: float(value) for name, value in text.items() if value} == row
    assert rows[-1]["distillation"] == ""


def test_means_and_held_out_errors_are_what_their_names_say(digit_pairs: Digits, small: MakeConfig) -> None:
    source, target, _ = digit_pairs
    # Nothing moves: so the means over an epoch are those of the model that is left.
    config = small(
        training_epochs=1, training_learning_rate=1e-30, training_coefficient_rate=0.0, training_batch_size=16
    )
    fitted = fit(digit_pairs, config)
    held = fitted.held_out
    trained = np.setdiff1d(np.arange(len(source)), held)
    row = fitted.history[0]
    with torch.no_grad():
        output = fitted.model(source[held], target[held])
        assert row["held_out_moved"] == pytest.approx(float((output.moved - target[held]).square().mean()), rel=1e-5)
        assert row["held_out_own"] == pytest.approx(float((output.target - target[held]).square().mean()), rel=1e-5)
        output = fitted.model(source[trained], target[trained])
        assert row["moved"] == pytest.approx(float((output.moved - target[trained]).square().mean()), rel=1e-4)
    assert len(held) == 16


# --- after a kill


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("epoch", [2, 3])
def test_a_training_that_was_cut_short_goes_on_to_the_same_bits(
    epoch: int, error: type[BaseException], digit_pairs: Digits, small: MakeConfig, tmp_path: Path
) -> None:
    config = small(model_dropout=0.1, training_checkpoint_every=2)
    whole = fit(digit_pairs, config)
    with pytest.raises(error):
        fit(digit_pairs, config, folder=tmp_path, report=Stop(epoch, 4, error))
    assert entries(tmp_path) == (set(CHECKPOINT_FILES) if epoch > 2 else set())
    seen: list[float] = []
    resumed = fit(digit_pairs, config, folder=tmp_path, resume=True, report=lambda stage, done: seen.append(done))
    assert seen == ([0.75, 1.0] if epoch > 2 else [0.25, 0.5, 0.75, 1.0])
    assert same(resumed, whole)
    assert entries(tmp_path) == set(CHECKPOINT_FILES)


def test_a_cold_training_goes_on_without_a_new_search(digit_pairs: Digits, small: MakeConfig, tmp_path: Path) -> None:
    config = small(training_restarts=3, training_search_steps=4)
    whole = fit(digit_pairs, config, False)

    def stop(stage: str, done: float) -> None:
        if stage == "training the latent model" and done > 0.6:
            raise RuntimeError("stopped on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fit(digit_pairs, config, False, folder=tmp_path, report=stop)
    stages: list[str] = []
    resumed = fit(
        digit_pairs, config, False, folder=tmp_path, resume=True, report=lambda stage, _: stages.append(stage)
    )
    assert same(resumed, whole)
    assert set(stages) == {"training the latent model"}


def test_a_finished_training_is_not_trained_again(digit_pairs: Digits, small: MakeConfig, tmp_path: Path) -> None:
    whole = fit(digit_pairs, small(), folder=tmp_path)
    seen: list[float] = []
    again = fit(digit_pairs, small(), folder=tmp_path, resume=True, report=lambda stage, done: seen.append(done))
    assert seen == []
    assert same(again, whole)


def test_ctrl_c_is_left_as_it_was(digit_pairs: Digits, small: MakeConfig) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(digit_pairs, small(), report=Stop(1, 4, KeyboardInterrupt))
    assert signal.getsignal(signal.SIGINT) is before


KILLED = """
import os, signal, sys
import numpy as np, torch
from pathlib import Path
from liescope.data import make_pairs
from liescope.geometry import affine
from liescope.engines.latent import WarmStart, fit_latent, get_config

pairs = make_pairs(transform="rotation", range=45, pairs=80)
source, target = (torch.from_numpy(np.asarray(stack))[:, None] for stack in (pairs.source, pairs.target))
config = get_config(Path(sys.argv[2]))
start = WarmStart(np.array([[0, 0, -1, 0, 1, 0]]) / 2**0.5, pairs.magnitude.astype(np.float32).astype(np.float64))

def report(stage, done):
    if done > 0.6:
        os.kill(os.getpid(), signal.SIGKILL)

torch.set_num_threads(int(sys.argv[3]))
fit_latent(source, target, affine(), 1, config, start=start, folder=Path(sys.argv[1]), report=report)
"""


@pytest.mark.slow
def test_a_killed_process_is_gone_on_from(digit_pairs: Digits, small: MakeConfig, tmp_path: Path) -> None:
    config = small()
    settings, work = tmp_path / "settings.json", tmp_path / "work"
    settings.write_text(config.model_dump_json())
    words = [sys.executable, "-c", KILLED, str(work), str(settings), str(torch.get_num_threads())]
    killed = subprocess.run(words, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout == killed.stderr == ""
    assert entries(work) == set(CHECKPOINT_FILES)
    resumed = fit(digit_pairs, config, folder=work, resume=True)
    assert same(resumed, fit(digit_pairs, config))


# --- failures


def broken_term(after: int) -> Callable[..., dict[str, Tensor]]:
    """Loss terms of which one is infinite from a step on."""
    calls = [0]

    def terms(*arguments: Any) -> dict[str, Tensor]:
        calls[0] += 1
        found = loss_terms(*arguments)
        return found | {"alpha": found["alpha"] * (torch.inf if calls[0] > after else 1)}

    return terms


def test_a_loss_that_is_not_finite_stops_with_step_and_term_and_keeps_the_last_state(
    digit_pairs: Digits, small: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(digit_pairs, small())
    with monkeypatch.context() as patch:
        patch.setattr("liescope.engines.latent.training.loss_terms", broken_term(10))  # four batches an epoch
        with pytest.raises(ComputationError) as caught:
            fit(digit_pairs, small(), folder=tmp_path)
    message = str(caught.value)
    assert "the loss is not finite at step 10 (epoch 2): alpha is inf" in message
    assert f"the state after epoch 2 is kept in '{tmp_path}'" in message
    assert "try a lower learning rate" in message
    assert "\n" not in message
    assert same(fit(digit_pairs, small(), folder=tmp_path, resume=True), whole)


def test_a_failure_after_a_resume_tells_what_is_kept(
    digit_pairs: Digits, small: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RuntimeError, match="on purpose"):
        fit(digit_pairs, small(), folder=tmp_path, report=Stop(3, 4))
    monkeypatch.setattr("liescope.engines.latent.training.loss_terms", broken_term(0))
    with pytest.raises(ComputationError, match=r"at step 8 \(epoch 2\).*the state after epoch 2 is kept"):
        fit(digit_pairs, small(), folder=tmp_path, resume=True)


def test_a_failure_before_the_first_checkpoint_promises_nothing(
    digit_pairs: Digits, small: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liescope.engines.latent.training.loss_terms", broken_term(0))
    with pytest.raises(ComputationError, match="at step 0") as caught:
        fit(digit_pairs, small(), folder=tmp_path)
    assert "kept" not in str(caught.value)
    assert not entries(tmp_path)


@pytest.mark.parametrize("part", ["networks", "coefficients"])
def test_weights_that_are_not_finite_are_never_kept(
    part: str, digit_pairs: Digits, small: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finite loss can have a gradient that is not: the weights are spoilt after the last step of an epoch."""
    config = small(model_latent="vector", model_latent_size=3)
    whole = fit(digit_pairs, config)
    step, calls = torch.optim.Adam.step, [0]

    def spoiling(self: torch.optim.Adam, *arguments: Any, **named: Any) -> Any:
        result = step(self, *arguments, **named)
        calls[0] += 1
        if calls[0] == 8:  # the last step of the second epoch
            group = self.param_groups[0 if part == "networks" else 1]
            group["params"][0].data.fill_(torch.nan)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", spoiling)
        with pytest.raises(ComputationError, match=r"not finite after epoch 2.*the state after epoch 1 is kept"):
            fit(digit_pairs, config, folder=tmp_path)
    assert same(fit(digit_pairs, config, folder=tmp_path, resume=True), whole)


def full_disk(*arguments: object, **named: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("place", ["checkpoint", "swap", "history"])
def test_a_full_disk_is_one_line_and_leaves_the_last_checkpoint_and_no_litter(
    place: str, digit_pairs: Digits, small: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small()
    whole = fit(digit_pairs, config)
    save, replace, writerows = pl.Trainer.save_checkpoint, os.replace, csv.DictWriter.writerows
    full = [False]

    def save_checkpoint(self: pl.Trainer, path: Any, *arguments: Any, **named: Any) -> None:
        if full[0] and place == "checkpoint":
            Path(path).write_bytes(b"half of a checkpoint")
            full_disk()
        save(self, path, *arguments, **named)

    def swap(old: Any, new: Any) -> None:
        if full[0] and place == "swap" and str(new).endswith(".ckpt"):
            full_disk()
        replace(old, new)

    def write(self: Any, rows: Any) -> None:
        if full[0] and place == "history":
            full_disk()
        writerows(self, rows)

    def report(stage: str, done: float) -> None:
        full[0] = done > 0.6

    with monkeypatch.context() as patch:
        patch.setattr(pl.Trainer, "save_checkpoint", save_checkpoint)
        patch.setattr(os, "replace", swap)
        patch.setattr(csv.DictWriter, "writerows", write)
        with pytest.raises(ComputationError) as caught:
            fit(digit_pairs, config, folder=tmp_path, report=report)
    message = str(caught.value)
    assert "the checkpoint of epoch 3 could not be written" in message
    assert os.strerror(errno.ENOSPC) in message
    assert f"the state after epoch 2 is kept in '{tmp_path}'" in message
    assert "\n" not in message
    assert entries(tmp_path) == set(CHECKPOINT_FILES)
    seen: list[float] = []
    resumed = fit(digit_pairs, config, folder=tmp_path, resume=True, report=lambda stage, done: seen.append(done))
    assert seen == [0.75, 1.0]
    assert same(resumed, whole)
