"""A trained model in use: arrays in and out, magnitudes in every form, and files that are read back bit for bit."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from liescope.engines.latent import SCHEMA, LatentModel, TrainedLatent, load_latent
from liescope.engines.latent.history import history_of, write_history
from liescope.errors import InputError
from liescope.geometry import affine, field_basis, get_basis

Make = Callable[..., TrainedLatent]


def images(count: int = 5, shape: tuple[int, ...] = (1, 12, 10), seed: int = 0) -> np.ndarray:
    found: np.ndarray = np.random.default_rng(seed).random((count, *shape), dtype=np.float32)
    return found


# --- what it computes


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((1, 12, 10), {}),
        ((3, 7, 9), {"model_channels": 4, "model_latent_size": 9}),
        ((2, 8, 8), {"model_encoder": "conv"}),
        ((1, 12, 10), {"model_latent": "vector", "model_latent_size": 3}),
    ],
)
@pytest.mark.parametrize("generators", [1, 2])
def test_encoding_decoding_and_moving_are_the_models(
    shape: tuple[int, int, int], settings: dict[str, Any], generators: int, untrained: Make
) -> None:
    latent = untrained(generators, shape, background=0.25, amplitude=4.0, **settings)
    model, x = latent.model, images(5, shape)
    t = np.random.default_rng(1).uniform(-0.5, 0.5, (5, generators))
    size, channels = latent.config.model.latent_size, latent.config.model.channels
    z = latent.encode(x)
    assert z.shape == (5, channels, size)
    with torch.no_grad():
        scaled = torch.from_numpy((x - 0.25) / 4).float()
        flat = model.encoder(scaled)
        moved = model.decoder(model.move(flat, torch.from_numpy(t).float())) * 4 + 0.25
        still = model.decoder(flat) * 4 + 0.25
        magnitudes = model.magnitudes(scaled, scaled.flip(0))
    np.testing.assert_allclose(z.reshape(5, -1), flat, atol=1e-6)
    np.testing.assert_allclose(latent.decode(z, t), moved, atol=1e-5)
    np.testing.assert_allclose(latent.decode(z), still, atol=1e-5)
    np.testing.assert_array_equal(latent.reconstruct(x), latent.decode(z, 0))
    np.testing.assert_array_equal(latent.reconstruct(x, t), latent.decode(z, t))
    np.testing.assert_allclose(latent.magnitudes(x, x[::-1]), magnitudes, atol=1e-6)
    assert latent.decode(z).shape == (5, *shape)
    assert latent.decode(z).dtype == np.float32
    assert latent.shape == shape
    assert latent.generators.shape == (generators, 6)


def test_errors_are_shares_of_the_targets_energy(untrained: Make) -> None:
    latent = untrained(background=0.1, amplitude=2.0)
    x, y = images(6), images(6, seed=1)
    t, moved, still = latent.errors(x, y)
    energy = np.square(y - 0.1).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(t, latent.magnitudes(x, y), atol=1e-6)
    expected = np.square(latent.reconstruct(x, t) - y).sum(axis=(1, 2, 3)) / energy
    np.testing.assert_allclose(moved, expected, rtol=1e-4)
    np.testing.assert_allclose(still, np.square(latent.reconstruct(x) - y).sum(axis=(1, 2, 3)) / energy, rtol=1e-4)


def test_large_stacks_are_done_in_batches(untrained: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    latent, x = untrained(), images(11)
    t = np.linspace(-1, 1, 11)[:, None]
    whole = latent.reconstruct(x, t), latent.magnitudes(x, x[::-1])
    monkeypatch.setattr("liescope.engines.latent.trained._BATCH", 4)
    np.testing.assert_allclose(latent.reconstruct(x, t), whole[0], atol=1e-5)
    np.testing.assert_allclose(latent.magnitudes(x, x[::-1]), whole[1], atol=1e-5)


def test_dropout_is_off_in_use(untrained: Make) -> None:
    latent, x = untrained(model_dropout=0.5), images()
    latent.model.train()
    np.testing.assert_array_equal(latent.encode(x), latent.encode(x))


def test_any_real_dtype_and_images_without_channel(untrained: Make) -> None:
    latent = untrained(amplitude=255.0)
    grey = (255 * images(4)).astype(np.uint8)
    expected = latent.encode(grey)
    for other in (grey.astype(np.float64), grey.astype(np.float16), grey[:, 0], grey.astype(np.int64)):
        np.testing.assert_allclose(latent.encode(other), expected, atol=1e-6)
    assert np.isfinite(latent.encode(grey > 100)).all()


@pytest.mark.parametrize("factor", [1e100, 1e-100, 1e30])
def test_grey_values_that_single_precision_cannot_hold(factor: float, untrained: Make) -> None:
    plain, x = untrained(), images().astype(np.float64)
    latent = TrainedLatent(plain.model, plain.config, plain.background, factor)
    np.testing.assert_allclose(latent.reconstruct(factor * x, 0.3) / factor, plain.reconstruct(x, 0.3), rtol=1e-5)


# --- magnitudes


def test_a_magnitude_for_all_or_for_each(untrained: Make) -> None:
    one, two, x = untrained(1), untrained(2), images()
    for_all = one.reconstruct(x, 0.3)
    for form in ([0.3], np.full(5, 0.3), np.full((5, 1), 0.3), np.float64(0.3)):
        np.testing.assert_array_equal(one.reconstruct(x, form), for_all)
    pair = two.reconstruct(x, [0.3, -0.2])
    np.testing.assert_array_equal(two.reconstruct(x, np.tile([0.3, -0.2], (5, 1))), pair)
    np.testing.assert_array_equal(two.reconstruct(x, 0), two.reconstruct(x, [0.0, 0.0]))
    each = np.random.default_rng(0).uniform(-1, 1, (5, 2))
    single = np.concatenate([two.reconstruct(x[i : i + 1], each[i]) for i in range(5)])
    np.testing.assert_allclose(two.reconstruct(x, each), single, atol=1e-5)
    # Two images and two generators: a list of two is a magnitude for each generator.
    np.testing.assert_allclose(two.reconstruct(x[:2], [0.3, -0.2]), pair[:2], atol=1e-5)


def test_closure_factors_may_be_given_or_left_out(untrained: Make) -> None:
    latent, x = untrained(2, model_closure=True), images()
    without = latent.reconstruct(x, [0.3, -0.2])
    np.testing.assert_array_equal(latent.reconstruct(x, [0.3, -0.2, 0.0]), without)
    assert np.abs(latent.reconstruct(x, [0.3, -0.2, 0.1]) - without).max() > 1e-4
    assert latent.magnitudes(x, x).shape == (5, 3)
    np.testing.assert_array_equal(latent.reconstruct(x, 0), latent.reconstruct(x, [0.0, 0.0, 0.0]))


@pytest.mark.parametrize("generators", [1, 2])
def test_a_traverse_is_a_reconstruction_at_every_magnitude(generators: int, untrained: Make) -> None:
    latent, x = untrained(generators, (2, 6, 7)), images(3, (2, 6, 7))
    ts = np.linspace(-1, 1, 4 * generators).reshape(4, generators)
    strip = latent.traverse(x, ts if generators > 1 else ts[:, 0])
    assert strip.shape == (3, 4, 2, 6, 7)
    for step, t in enumerate(ts):
        np.testing.assert_array_equal(strip[:, step], latent.reconstruct(x, t))
    assert np.abs(strip[:, 0] - strip[:, -1]).max() > 1e-4


@pytest.mark.parametrize(
    ("generators", "t", "message"),
    [
        (1, [0.1, 0.2], "expected 1 magnitude t, got shape"),
        (1, np.zeros((5, 2)), "expected 1 magnitude t"),
        (1, np.zeros((4, 1)), "expected 1 magnitude t"),
        (2, 0.3, "expected 2 magnitudes t"),
        (2, np.zeros((2, 5)), "expected 2 magnitudes t"),
        (2, [0.1, 0.2, 0.3], "expected 2 magnitudes t"),
        (1, math.nan, "expected finite magnitudes t"),
        (1, math.inf, "expected finite magnitudes t"),
        (1, 1e300, "expected finite magnitudes t"),
        (2, [0.1, math.nan], "expected finite magnitudes t"),
    ],
)
def test_bad_magnitudes(generators: int, t: Any, message: str, untrained: Make) -> None:
    latent = untrained(generators)
    with pytest.raises(InputError, match=message) as caught:
        latent.reconstruct(images(), t)
    assert "\n" not in str(caught.value)


def test_bad_images(untrained: Make) -> None:
    latent = untrained(shape=(3, 12, 10))
    for bad in (
        images(),
        images(5, (12, 10)),
        images(5, (3, 10, 12)),
        images(5, (3, 12, 10))[0],
        np.zeros((5, 3, 12, 10), complex),
        np.array(["a"]),
        np.zeros((0, 3, 12)),
    ):
        with pytest.raises(InputError, match=r"expected images of shape \(N, 3, 12, 10\)"):
            latent.encode(bad)
    for hole in (math.nan, math.inf):
        holes = images(5, (3, 12, 10))
        holes[2, 1, 4, 4] = hole
        with pytest.raises(InputError, match="expected finite pixels"):
            latent.encode(holes)
    with pytest.raises(InputError, match="at least one image"):
        latent.encode(np.zeros((0, 3, 12, 10)))
    with pytest.raises(InputError, match="as many sources as targets, got 4 and 5"):
        latent.magnitudes(images(4, (3, 12, 10)), images(5, (3, 12, 10)))
    with pytest.raises(InputError, match="as many sources as targets, got 1 and 5"):
        latent.errors(images(1, (3, 12, 10)), images(5, (3, 12, 10)))


def test_bad_latents_and_traverses(untrained: Make) -> None:
    latent = untrained(model_channels=4)
    for bad in (np.zeros((3, 4, 24)), np.zeros(100), np.float64(0.5), np.zeros((3, 1, 25))):
        with pytest.raises(InputError, match=r"expected latents of shape \(\d+, 4, 25\)"):
            latent.decode(bad)
    with pytest.raises(InputError, match="at least one latent"):
        latent.decode(np.zeros((0, 4, 25)))
    with pytest.raises(InputError, match="expected finite latents"):
        latent.decode(np.full((2, 4, 25), np.nan))
    with pytest.raises(InputError, match="expected numbers as latents"):
        latent.decode([["a"] * 100])
    with pytest.raises(InputError, match="at least one magnitude to traverse"):
        latent.traverse(images(), [])
    assert latent.traverse(images(), np.array(0.3)).shape == (5, 1, 1, 12, 10)
    # Latents may be given flat.
    z = latent.encode(images())
    np.testing.assert_array_equal(latent.decode(z.reshape(5, 100), 0.2), latent.decode(z, 0.2))


# --- files


@pytest.mark.parametrize(
    ("generators", "shape", "settings"),
    [
        (1, (1, 12, 10), {}),
        (3, (3, 7, 9), {"model_closure": True, "model_channels": 4, "model_layer_norm": True}),
        (2, (1, 12, 10), {"model_latent": "vector", "model_latent_size": 3}),
        (1, (2, 9, 8), {"model_encoder": "conv", "model_kernel": "gaussian", "loss_lasso": 0.1}),
    ],
)
def test_a_saved_model_reads_back_bit_for_bit(
    generators: int, shape: tuple[int, int, int], settings: dict[str, Any], untrained: Make, tmp_path: Path
) -> None:
    latent = untrained(generators, shape, background=1 / 3, amplitude=0.7, **settings)
    latent = TrainedLatent(
        latent.model, latent.config, np.linspace(0, 1 / 3, shape[0])[:, None, None], 0.7, latent.history
    )
    assert latent.save(tmp_path) == tmp_path
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "config.json", "history.csv"}
    again = load_latent(tmp_path)
    x, y = images(4, shape), images(4, shape, 1)
    t = np.full((4, generators), 0.2)
    np.testing.assert_array_equal(again.encode(x), latent.encode(x))
    np.testing.assert_array_equal(again.reconstruct(x, t), latent.reconstruct(x, t))
    np.testing.assert_array_equal(again.magnitudes(x, y), latent.magnitudes(x, y))
    np.testing.assert_array_equal(again.generators, latent.generators)
    np.testing.assert_array_equal(again.background, latent.background)
    assert (again.config, again.history, again.amplitude) == (latent.config, latent.history, latent.amplitude)
    assert not again.model.training
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_pickled_model_is_the_same_model(untrained: Make) -> None:
    latent = untrained()
    copy = pickle.loads(pickle.dumps(latent))
    np.testing.assert_array_equal(copy.encode(images()), latent.encode(images()))


def test_the_files_hold_no_pickle(untrained: Make, tmp_path: Path) -> None:
    latent = untrained()
    latent.save(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert set(file.keys()) == set(latent.model.state_dict())
        assert file.metadata() == {"schema": SCHEMA}
    for path in tmp_path.iterdir():
        with pytest.raises((pickle.UnpicklingError, EOFError, ValueError, LookupError)):
            pickle.loads(path.read_bytes())
    about = json.loads((tmp_path / "config.json").read_text())
    assert about["schema"] == SCHEMA == "liescope.latent/1"
    assert (about["shape"], about["generators"], about["basis"]) == ([1, 12, 10], 1, "affine")


def test_fields_of_ones_own_must_be_given_to_read_a_model_back(untrained: Make, tmp_path: Path) -> None:
    plain = untrained()
    swirl = field_basis({"swirl": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))}, name="mine")
    for basis, known in ((affine() + swirl, False), (affine() + get_basis("conformal"), True)):
        model = LatentModel(plain.config.model, basis, (1, 12, 10))
        latent = TrainedLatent(model, plain.config, plain.background, 1.0)
        latent.save(tmp_path)
        if known:
            assert load_latent(tmp_path).model.basis.terms == basis.terms
        else:
            with pytest.raises(InputError, match="'affine\\+mine'"):
                load_latent(tmp_path)
        again = load_latent(tmp_path, basis)
        np.testing.assert_array_equal(again.reconstruct(images(), 0.3), latent.reconstruct(images(), 0.3))
        with pytest.raises(InputError, match="expected a basis with the terms"):
            load_latent(tmp_path, affine())


@pytest.fixture
def saved(untrained: Make, tmp_path: Path) -> Path:
    return untrained(background=0.1).save(tmp_path)


def edit(folder: Path, **changes: Any) -> None:
    content = json.loads((folder / "config.json").read_text()) | changes
    content = {key: value for key, value in content.items() if value is not ...}
    (folder / "config.json").write_text(json.dumps(content))


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def append(path: Path, content: bytes) -> None:
    path.write_bytes(path.read_bytes() + content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "config.json").unlink(), "got no config.json in it"),
        (lambda f: cut(f / "config.json", 100), "expected JSON in .*config.json"),
        (lambda f: (f / "config.json").write_bytes(b"\xff"), "expected JSON in .*config.json"),
        (lambda f: (f / "config.json").write_text("[]"), "expected schema 'liescope.latent/1'"),
        (lambda f: edit(f, schema="liescope.engines.latent/2"), "got 'liescope.engines.latent/2'"),
        (lambda f: edit(f, schema=...), "got None"),
        (lambda f: edit(f, config=...), "wrong or missing entry: 'config'"),
        (lambda f: edit(f, shape=...), "wrong or missing entry: 'shape'"),
        (lambda f: edit(f, terms=...), "wrong or missing entry: 'terms'"),
        (lambda f: edit(f, amplitude=...), "wrong or missing entry: 'amplitude'"),
        (lambda f: edit(f, config={"model": {"chanels": 3}}), "Did you mean 'channels'"),
        (lambda f: edit(f, config={"model": 3}), "model: expected"),
        (lambda f: edit(f, basis="afine"), "Did you mean 'affine'"),
        (lambda f: edit(f, terms=["d/dx"]), "expected a basis with the terms"),
        (lambda f: edit(f, shape=[12, 10]), "wrong or missing entry"),
        (lambda f: edit(f, shape=[1, 12, -10]), "wrong or missing entry"),
        (lambda f: edit(f, shape=[1, 0, 10]), "wrong or missing entry"),
        (lambda f: edit(f, shape=[1, 10**7, 10**7]), "expected a model of these settings to fit into memory"),
        (lambda f: edit(f, generators=0), "wrong or missing entry"),
        (lambda f: edit(f, background=[]), "wrong or missing entry"),
        (lambda f: edit(f, background=[0.1, 0.2]), "wrong or missing entry"),
        (lambda f: edit(f, background=[None]), "wrong or missing entry"),
        (lambda f: edit(f, amplitude=0), "wrong or missing entry"),
        (lambda f: edit(f, amplitude=-1.5), "wrong or missing entry"),
        (lambda f: edit(f, amplitude=math.nan), "wrong or missing entry"),
        (lambda f: edit(f, shape=[1, 12, 11]), r"expected .* of shape .*132.*got .*120"),
        (lambda f: edit(f, generators=2), "belongs to other settings"),
        (lambda f: (f / "model.safetensors").unlink(), "missing or corrupt"),
        (lambda f: cut(f / "model.safetensors", 5), "missing or corrupt"),
        (lambda f: cut(f / "model.safetensors", 2000), "missing or corrupt"),
        (lambda f: append(f / "model.safetensors", b"more"), "missing or corrupt"),
        (lambda f: (f / "model.safetensors").write_bytes(pickle.dumps([1])), "missing or corrupt"),
        (lambda f: torch.save({}, f / "model.safetensors"), "missing or corrupt"),
        (lambda f: (f / "history.csv").write_text("epoch,loss\n1,a\n"), "expected a history in"),
        (lambda f: (f / "history.csv").write_text("epoch,loss\n1,2,3\n"), "expected a history in"),
        (lambda f: (f / "history.csv").write_bytes(b"\xff\xfe"), "expected a history in"),
    ],
)
def test_damaged_files_give_one_clear_line(damage: Callable[[Path], Any], message: str, saved: Path) -> None:
    damage(saved)
    with pytest.raises(InputError, match=message) as caught:
        load_latent(saved)
    assert "\n" not in str(caught.value)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"got no config.json in it"):
        load_latent(tmp_path / "nowhere")


def test_a_history_reads_back_with_the_gaps_that_it_has(tmp_path: Path) -> None:
    history = [{"epoch": 1, "loss": 1 / 3, "distillation": 1e-12}, {"epoch": 2, "loss": -0.0}, {"epoch": 3, "new": 7.5}]
    write_history(history, tmp_path / "history.csv")
    assert history_of((tmp_path / "history.csv").read_bytes(), "there") == history
    assert {path.name for path in tmp_path.iterdir()} == {"history.csv"}
    write_history([], tmp_path / "history.csv")
    assert history_of((tmp_path / "history.csv").read_bytes(), "there") == []
