"""The latent engine from the command line: what is written, what is refused, and going on after a kill."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liescope.engines.latent.training
from liescope.cli import main
from liescope.engines.latent import CHECKPOINT_FILES, LatentConfig, loss_terms
from liescope.result import RESULT_FILES, WORK_FOLDER, load_result

TOML = """
[model]
latent_size = 25
hidden = [16]
magnitude_hidden = [16]

[training]
epochs = 3
batch_size = 16
distil_epochs = 1
restarts = 2
search_steps = 4
checkpoint_every = 1
"""

OF_A_TRAINING = set(RESULT_FILES) - {"fitted.npz"}
"""A trained model is its own three files."""


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIESCOPE_DEBUG", raising=False)
    Path("mine.toml").write_text(TOML)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    """40 pairs of rotated digits, as ``liescope make`` writes them."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.npz"
    assert main(["make", "symnist", "--range", "40", "--pairs", "40", "--quiet", "--out", str(path)]) == 0
    return str(path)


def train(made: str, *words: str, config: str = "mine.toml") -> int:
    return main(["train", made, "--config", config, "--out", "found", *words])


def entries(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


@pytest.fixture
def cut_short(made: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A training in ``found`` that was interrupted in its third epoch."""
    with monkeypatch.context() as patch:
        finish(patch, 3, KeyboardInterrupt())
        assert train(made, "--quiet") == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "liescope: error: interrupted\n"


def finish(monkeypatch: pytest.MonkeyPatch, epoch: int, error: BaseException) -> None:
    """Make the training fail at the end of an epoch, before its checkpoint."""
    progress = liescope.engines.latent.training._Progress.on_train_epoch_end

    def failing(self: Any, trainer: Any, pl_module: Any) -> None:
        progress(self, trainer, pl_module)
        if trainer.current_epoch + 1 == epoch:
            raise error

    monkeypatch.setattr(liescope.engines.latent.training._Progress, "on_train_epoch_end", failing)


# --- what is written


def test_train_tells_and_writes_a_result_with_its_model(made: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(made) == 0
    captured = capsys.readouterr()
    assert "found/report.html" in captured.out or "No symmetry found" in captured.out
    lines = captured.err.splitlines()
    assert all(line.startswith("liescope: ") for line in lines)
    assert any("training the latent model" in line for line in lines)
    assert lines[-1] == "liescope: writing the result"
    assert entries("found") == OF_A_TRAINING
    result = load_result("found")
    assert result.engine == "latent"
    assert result.latent is not None
    assert result.latent.config.model.hidden == [16]
    with Path("found/history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert json.loads(Path("found/config.json").read_text())["config"]["training"]["epochs"] == 3


def test_detect_with_the_latent_engine_writes_the_same_files(
    capsys: pytest.CaptureFixture[str], refused: Callable[..., str]
) -> None:
    rng = np.random.default_rng(0)
    np.savez("p.npz", source=rng.random((20, 9, 9)), target=rng.random((20, 9, 9)))
    assert main(["detect", "p.npz", "--out", "found", "--engine", "latent", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    assert entries("found") == OF_A_TRAINING
    result = load_result("found")
    assert result.latent is not None
    assert result.latent.config == LatentConfig()
    assert result.verdict == "no symmetry"
    assert "without any" in refused("apply", "found", "p.npz", "--t", "0.1", "--out", "q.npz")


def test_detect_with_the_latent_engine_has_the_default_settings(
    made: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def watched(*arguments: Any, **options: Any) -> Any:
        asked.append(options)
        raise KeyboardInterrupt  # the training itself is tested elsewhere

    monkeypatch.setattr("liescope.cli.detecting.detect", watched)
    words = ["detect", made, "--out", "found", "--engine", "latent", "--seed", "4", "--generators", "1", "--quiet"]
    assert main(words) == 130
    assert (asked[0]["engine"], asked[0]["random_state"], asked[0]["n_generators"]) == ("latent", 4, 1)
    assert asked[0]["config"].training.epochs == 40
    assert asked[0]["work_dir"] == Path("found") / WORK_FOLDER
    assert asked[0]["resume"] is False
    capsys.readouterr()
    assert main(["detect", made, "--out", "found", "--quiet"]) == 130
    assert not {"config", "work_dir", "resume"} & set(asked[1])


def test_train_json_is_the_file_and_nothing_else(made: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(made, "--json", "--quiet", "--seed", "2") == 0
    captured = capsys.readouterr()
    assert captured.out == Path("found/result.json").read_text()
    assert captured.err == ""
    content = json.loads(captured.out)
    assert (content["engine"], content["seed"]) == ("latent", 2)


def test_settings_of_a_result_are_a_settings_file(made: str) -> None:
    assert train(made, "--quiet") == 0
    words = ["train", made, "--config", "found/config.json", "--out", "again", "--quiet"]
    assert main(words) == 0
    first, again = (load_result(folder) for folder in ("found", "again"))
    np.testing.assert_array_equal(first.residual, again.residual)


def test_the_users_own_files_stay(made: str) -> None:
    assert train(made, "--quiet") == 0
    Path("found/notes.txt").write_text("mine")
    (Path("found") / WORK_FOLDER / "tensorboard").mkdir(parents=True)
    (Path("found") / WORK_FOLDER / "tensorboard/events").write_text("of another program")
    assert train(made, "--quiet") == 0
    assert entries("found") == {*OF_A_TRAINING, "notes.txt", WORK_FOLDER}
    assert (Path("found") / WORK_FOLDER / "tensorboard/events").exists()


# --- going on


@pytest.mark.usefixtures("cut_short")
def test_an_unfinished_training_is_neither_thrown_away_nor_taken_for_a_result(
    made: str, refused: Callable[..., str]
) -> None:
    assert entries("found") == {WORK_FOLDER}
    assert entries(f"found/{WORK_FOLDER}") == set(CHECKPOINT_FILES)
    for words in (
        ["train", made, "--config", "mine.toml", "--out", "found"],
        ["detect", made, "--engine", "latent", "--out", "found"],
    ):
        line = refused(*words)
        assert "'found' holds an unfinished training, try liescope train with --resume" in line
        assert f"remove 'found/{WORK_FOLDER}'" in line
    assert "no result.json in it" in refused("report", "found")


@pytest.mark.usefixtures("cut_short")
def test_a_resumed_training_ends_with_the_same_numbers(
    made: str, capsys: pytest.CaptureFixture[str], refused: Callable[..., str]
) -> None:
    assert train(made, "--resume") == 0
    lines = capsys.readouterr().err.splitlines()
    assert any("training the latent model" in line for line in lines)
    assert entries("found") == OF_A_TRAINING
    whole = ["train", made, "--config", "mine.toml", "--out", "whole", "--quiet"]
    assert main(whole) == 0
    found, expected = (load_result(folder) for folder in ("found", "whole"))
    np.testing.assert_array_equal(found.residual, expected.residual)
    np.testing.assert_array_equal(found.t, expected.t)
    for name in ("model.safetensors", "history.csv", "config.json"):
        assert Path("found", name).read_bytes() == Path("whole", name).read_bytes()
    line = refused(*whole[:5], "found", "--resume")
    assert "expected an unfinished training in 'found', got a finished one, try without --resume" in line


@pytest.mark.usefixtures("cut_short")
def test_another_training_is_not_gone_on_with(made: str, refused: Callable[..., str]) -> None:
    Path("mine.toml").write_text(TOML.replace("epochs = 3", "epochs = 5", 1))
    words = ["train", made, "--config", "mine.toml", "--out", "found", "--resume", "--quiet"]
    line = refused(*words)
    assert "belongs to another training: training.epochs 3 instead of 5" in line
    Path("mine.toml").write_text(TOML)
    assert "seed 0 instead of 1" in refused(*words, "--seed", "1")
    checkpoint = Path("found") / WORK_FOLDER / CHECKPOINT_FILES[0]
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    assert "got a truncated or foreign file" in refused(*words)


def test_resuming_what_was_never_begun_begins_it(made: str) -> None:
    assert train(made, "--resume", "--quiet") == 0
    assert load_result("found").latent is not None


def test_a_failed_training_is_code_1_and_can_be_gone_on_with(
    made: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [0]

    def broken(*arguments: Any) -> Any:
        calls[0] += 1
        terms = loss_terms(*arguments)
        return terms | {"moved": terms["moved"] * (float("nan") if calls[0] > 2 else 1)}  # two batches an epoch

    with monkeypatch.context() as patch:
        patch.setattr("liescope.engines.latent.training.loss_terms", broken)
        assert train(made, "--quiet") == 1
    line = capsys.readouterr().err
    assert line.startswith("liescope: error: the loss is not finite at step 2 (epoch 1): moved is nan")
    assert f"the state after epoch 1 is kept in 'found/{WORK_FOLDER}'" in line
    assert line.count("\n") == 1
    assert train(made, "--resume", "--quiet") == 0


# --- what is refused


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ("[modle]\nchannels = 2\n[loss]\nlasso = -1\n", ["Did you mean 'model'?", "loss.lasso: expected"]),
        ("[model]\nlatent_size = 80\nkernel = 'gausian'\n", ["got 80, try 81", "Did you mean 'gaussian'?"]),
        ("model = 3\n", ["model: expected"]),
        ("[model\n", ["expected TOML (or JSON in a .json file) in 'mine.toml'"]),
        ("[training]\nheld_out = nan\n", ["training.held_out: expected"]),
    ],
)
def test_bad_settings_get_one_line_before_the_pairs_are_read(
    content: str, messages: list[str], refused: Callable[..., str]
) -> None:
    Path("mine.toml").write_text(content)
    line = refused("train", "nowhere.npz", "--config", "mine.toml", "--out", "found")
    for message in messages:
        assert message in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "p.npz", "--out", "r", "--config", "papr"], "expected a settings file or a preset (default, paper)"),
        (["train", "p.npz", "--out", "r"], "no such file 'p.npz'"),
        (["train", "p.npz", "--out", "r", "--basis", "afine"], "Did you mean 'affine'?"),
        (["train", "p.npz", "--out", "r", "--generators", "0"], "expected --generators auto or a number"),
        (["train", "p.npz", "--out", "r", "--seed", "-1"], "expected a seed"),
        (["train", "p.npz", "--out", "r", "--engine", "latent"], "No such option: --engine"),
        (["detect", "p.npz", "--out", "r", "--resume"], "No such option: --resume"),
        (["detect", "p.npz", "--out", "r", "--engine", "latnet"], "Did you mean 'latent'?"),
        (["train", "p.npz"], "Missing option '--out'"),
    ],
)
def test_mistakes_get_one_line(words: list[str], message: str, refused: Callable[..., str]) -> None:
    assert message in refused(*words)


def test_pairs_and_settings_that_do_not_fit_leave_nothing_behind(
    made: str, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("mine.toml").write_text(TOML.replace("[model]", "[model]\nclosure = true"))
    words = ["--config", "mine.toml", "--out", "found", "--quiet"]
    assert "closed under the bracket" in refused("train", made, "--basis", "quadratic", *words)
    np.savez("few.npz", source=np.zeros((5, 9, 9)), target=np.zeros((5, 9, 9)))
    assert "5 pairs, where at least 8 are needed" in refused("train", "few.npz", *words)
    Path("mine.toml").write_text(TOML + "held_out = 0.99\n")
    assert "at least 2 pairs to train on" in refused("train", made, *words)
    monkeypatch.setitem(sys.modules, "lightning", None)
    assert "pip install '.[latent]'" in refused("train", made, "--out", "found", "--quiet")


def test_train_has_help_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    assert "\n    liescope train pairs.npz --config paper --out found" in text
    assert "--resume" in text


# --- a result in use


@pytest.mark.parametrize("fields", [("rotation",), ("rotation", "translation-x")])
def test_apply_and_report_work_on_a_latent_result(
    fields: tuple[str, ...],
    made: str,
    make_result: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train(made, "--quiet", "--generators", str(len(fields))) == 0
    latent = load_result("found").latent
    assert latent is not None
    # Trained for a moment the model convinces nobody: the result around it is made by hand.
    result = make_result(*fields, shape=(1, 28, 28), engine="latent", product=True, state=latent.state())
    result.save("done")
    images = np.random.default_rng(0).random((3, 28, 28))
    np.save("i.npy", images)
    t = ["0.5", "0.2"][: len(fields)]
    assert main(["apply", "done", "i.npy", "--t", ",".join(t), "--out", "o.npz"]) == 0
    assert capsys.readouterr().out == "3 images moved: o.npz\n"
    with np.load("o.npz") as archive:
        moved = archive["images"]
    expected = images
    for name, value in zip(fields, t, strict=True):
        expected = make_result(name, shape=(1, 28, 28)).transform(expected, float(value))
    np.testing.assert_allclose(moved, expected, atol=1e-5)
    page = Path("done/report.html")
    before = page.read_bytes()
    page.unlink()
    assert main(["report", "done"]) == 0
    assert page.read_bytes() == before
