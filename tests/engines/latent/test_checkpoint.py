"""Checkpoints: only the training that is asked for is gone on with, and nothing in a file is executed."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from liescope.engines.latent import LatentConfig, LatentModel, WarmStart, fit_latent
from liescope.engines.latent.checkpoint import check_checkpoint, checkpoint_path, describe_training
from liescope.errors import InputError
from liescope.geometry import affine, conformal

Digits = tuple[Tensor, Tensor, Tensor]
MakeConfig = Callable[..., LatentConfig]


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory, digit_pairs: Digits, small: MakeConfig) -> Path:
    """A folder with the state after one epoch of two."""
    folder: Path = tmp_path_factory.mktemp("work")

    def stop(stage: str, done: float) -> None:
        if done > 0.6:
            raise RuntimeError("stopped on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        resume(digit_pairs, small(training_epochs=2), folder, report=stop, resume=False)
    return folder


def resume(digits: Digits, config: LatentConfig, folder: Path, **options: Any) -> None:
    source, target, t = digits
    basis, generators = options.pop("basis", affine()), options.pop("generators", 1)
    if basis.dimension == 6 and generators == 1 and basis.terms == affine().terms:
        options["start"] = WarmStart(np.eye(6)[:1], t.double().numpy())
    fit_latent(source, target, basis, generators, config, folder=folder, **({"resume": True} | options))


def refusal(*arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        resume(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_a_checkpoint_holds(unfinished: Path, digit_pairs: Digits) -> None:
    content = torch.load(checkpoint_path(unfinished), weights_only=True)
    about = content["liescope"]
    assert about["shape"] == [1, 28, 28]
    assert about["pairs"] == len(digit_pairs[0])
    assert about["training.epochs"] == 2
    assert about["model.hidden"] == [16]
    assert [row["epoch"] for row in content["history"]] == [1]


@pytest.mark.parametrize(
    ("changes", "options", "differences"),
    [
        ({"training_epochs": 3}, {}, ["training.epochs 2 instead of 3"]),
        ({"loss_lasso": 0.5}, {}, ["loss.lasso 0.0 instead of 0.5"]),
        ({"model_hidden": [16, 8]}, {}, ["model.hidden [16] instead of [16, 8]"]),
        ({"model_latent_size": 9, "training_batch_size": 10}, {}, ["model.latent_size 25", "training.batch_size 20"]),
        ({}, {"seed": 7}, ["seed 0 instead of 7"]),
        ({}, {"generators": 2}, ["generators 1 instead of 2"]),
        ({}, {"basis": conformal()}, ['basis ["d/dx", "x d/dx"']),
    ],
)
def test_another_training_is_refused_with_every_difference(
    changes: dict[str, Any],
    options: dict[str, Any],
    differences: list[str],
    unfinished: Path,
    digit_pairs: Digits,
    small: MakeConfig,
) -> None:
    before = checkpoint_path(unfinished).read_bytes()
    message = refusal(digit_pairs, small(**({"training_epochs": 2} | changes)), unfinished, **options)
    assert f"the checkpoint '{checkpoint_path(unfinished)}' belongs to another training" in message
    assert "try the same settings, or another folder" in message
    for difference in differences:
        assert difference in message
    assert checkpoint_path(unfinished).read_bytes() == before


def test_a_checkpoint_of_another_version(
    unfinished: Path, digit_pairs: Digits, small: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liescope.engines.latent.checkpoint.__version__", "99.0")
    message = refusal(digit_pairs, small(training_epochs=2), unfinished)
    assert "version" in message
    assert 'instead of "99.0"' in message


def cropped(images: Tensor) -> Tensor:
    return images[..., :20]


def brightened(images: Tensor) -> Tensor:
    return images * 1.001


def reordered(images: Tensor) -> Tensor:
    return images[torch.arange(len(images) - 1, -1, -1)]


def fewer(images: Tensor) -> Tensor:
    return images[:70]


@pytest.mark.parametrize(
    ("change", "name"),
    [(cropped, "shape"), (brightened, "data"), (reordered, "data"), (fewer, "pairs 80 instead of 70;")],
)
def test_a_checkpoint_of_other_data(
    change: Callable[[Tensor], Tensor], name: str, unfinished: Path, digit_pairs: Digits, small: MakeConfig
) -> None:
    source, target, t = digit_pairs
    changed = (change(source), change(target), t[: len(change(source))])
    assert f" {name} " in refusal(changed, small(training_epochs=2), unfinished)


def test_sources_and_targets_in_each_others_place_are_other_data(
    unfinished: Path, digit_pairs: Digits, small: MakeConfig
) -> None:
    source, target, t = digit_pairs
    assert "data " in refusal((target, source, t), small(training_epochs=2), unfinished)


def test_the_description_of_the_data_does_not_depend_on_the_number_of_threads(
    digit_pairs: Digits, small: MakeConfig
) -> None:
    random = torch.Generator().manual_seed(0)
    images = torch.randn(500, 1, 64, 64, generator=random)
    before, described = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            described.append(describe_training(small(), affine(), (1, 64, 64), 1, 0, images, images.flip(0)))
    finally:
        torch.set_num_threads(before)
    assert described[0] == described[1] == described[2]


class Trap:
    """Executed by an ordinary unpickler."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


def test_files_that_are_no_checkpoints_are_refused_and_not_executed(
    unfinished: Path, digit_pairs: Digits, small: MakeConfig, tmp_path: Path
) -> None:
    whole = checkpoint_path(unfinished).read_bytes()
    trap = tmp_path / "executed"
    contents: list[Any] = [
        b"",
        b"hello",
        whole[:500],
        whole[: len(whole) // 2],
        pickle.dumps(Trap(trap), protocol=2),
        [1, 2],
        {"liescope": 3, "state_dict": {}},
        {"liescope": {}},
        {"state_dict": {}},
        {"liescope": {}, "state_dict": 3},
        {"liescope": Trap(trap), "state_dict": {}},
    ]
    file = checkpoint_path(tmp_path)
    for content in contents:
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            torch.save(content, file)
        message = refusal(digit_pairs, small(training_epochs=2), tmp_path)
        assert f"'{file}'" in message, content
        assert "weights_only" not in message  # torch's advice is to execute it all the same
    assert not trap.exists()


def test_weights_of_other_shapes_are_refused(unfinished: Path, digit_pairs: Digits, small: MakeConfig) -> None:
    config = small(training_epochs=2)
    about = describe_training(config, affine(), (1, 28, 28), 1, 0, *digit_pairs[:2])
    model = LatentModel(config.model, affine(), (1, 28, 28), 1)
    check_checkpoint(checkpoint_path(unfinished), about, model)
    wider = small(model_hidden=[17])
    with pytest.raises(InputError, match=r"expected .* of shape .*17.*got .*16"):
        check_checkpoint(checkpoint_path(unfinished), about, LatentModel(wider.model, affine(), (1, 28, 28), 1))


def test_a_resume_without_a_checkpoint_begins_at_the_beginning(
    digit_pairs: Digits, small: MakeConfig, tmp_path: Path
) -> None:
    seen: list[float] = []
    resume(digit_pairs, small(training_epochs=2), tmp_path, report=lambda stage, done: seen.append(done))
    assert seen == [0.5, 1.0]
