"""Devices: those that are not there are refused in one line, and random numbers of others are left alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from liescope import SymmetryDetector, detect
from liescope.engines.devices import available_device, kept_random_state, seed_random_state
from liescope.engines.latent import LatentModel, ModelConfig, fit_latent, get_config, load_latent
from liescope.errors import InputError
from liescope.geometry import affine

CPU = torch.device("cpu")
MISSING = [
    name for name, here in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())) if not here
]
NEVER = ["meta", "vulkan", "hpu", f"cuda:{torch.cuda.device_count()}"]


def pairs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((20, 9, 9)), rng.random((20, 9, 9))


# --- whether a device is there


@pytest.mark.parametrize("name", [None, "", "cpu", "cpu:0"])
def test_the_cpu_is_always_there(name: str | None) -> None:
    assert available_device(name).type == "cpu"


@pytest.mark.parametrize("name", MISSING + NEVER)
@pytest.mark.parametrize("engine", ["registration", "latent"])
def test_a_device_that_is_not_there_is_refused_before_any_work(
    name: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("work was begun")

    monkeypatch.setattr("liescope.detector.fitting.validate_images", work)
    with pytest.raises(InputError, match=rf"^expected a device of this machine, got '{name}': ") as caught:
        SymmetryDetector(engine=engine, device=name).fit(*pairs())
    assert str(caught.value).endswith(", try device='cpu'")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu "])
def test_a_name_that_is_no_devices_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"^expected a torch device such as 'cpu' or 'cuda', got '{name}'"):
        available_device(name)


def test_a_wrong_device_is_told_with_the_other_faults() -> None:
    with pytest.raises(InputError, match=r"unknown engine 'latnt'.*; expected a device of this machine, got 'meta'"):
        detect(*pairs(), engine="latnt", device="meta")


def test_a_model_is_not_read_onto_a_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^expected a device of this machine, got 'meta'"):
        load_latent(tmp_path, device="meta")


# --- random numbers


@pytest.fixture
def devices_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way to seed the generators of other devices fails."""

    def refusing(name: str) -> Any:
        def seeded(*args: Any) -> None:
            raise AssertionError(f"{name}: the generators of a device that is not used were seeded")

        return seeded

    for module in (torch.cuda, torch.mps, torch.xpu):
        for name in ("manual_seed", "manual_seed_all"):
            if hasattr(module, name):
                # Functions of their own each: torch keeps a table by function, and takes no double entries.
                monkeypatch.setattr(module, name, refusing(name))


TINY = {
    "model": {"latent_size": 9, "hidden": [8], "magnitude_hidden": [8], "dropout": 0.1},
    "training": {"epochs": 2, "batch_size": 8, "search_steps": 12, "restarts": 2},
}


@pytest.mark.usefixtures("devices_left_alone")
def test_the_latent_engine_on_a_cpu_touches_no_generator_of_other_devices() -> None:
    pytest.importorskip("lightning")
    random = torch.Generator().manual_seed(0)
    source, target = (torch.rand(24, 1, 9, 9, generator=random) for _ in range(2))
    before = torch.get_rng_state()
    first, again = (fit_latent(source, target, affine(), 1, get_config(TINY), seed=3) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name


@pytest.mark.usefixtures("devices_left_alone")
def test_a_new_model_touches_no_generator_of_other_devices() -> None:
    before = torch.get_rng_state()
    model = LatentModel(ModelConfig.model_validate(TINY["model"]), affine(), (1, 9, 9), 1, seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    other = LatentModel(ModelConfig.model_validate(TINY["model"]), affine(), (1, 9, 9), 1, seed=6)
    assert not torch.equal(model.raw_coefficients, other.raw_coefficients)


@pytest.mark.parametrize("seed", [0, 7, 1_000_003 * 5, 2**63 + 1])
def test_the_cpus_numbers_are_those_of_torchs_own_seed(seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(1)
        expected = torch.randn(5, generator=torch.Generator().manual_seed(seed))
        seed_random_state(seed, CPU)
        assert torch.equal(torch.randn(5), expected)


def test_the_state_is_put_back_after_a_failure_too() -> None:
    before = torch.get_rng_state()
    with contextlib.suppress(KeyError), kept_random_state(CPU):
        seed_random_state(1, CPU)
        torch.rand(3)
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)


def test_a_gpu_is_seeded_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    current, seeded = [0], []

    @contextlib.contextmanager
    def device(index: int) -> Iterator[None]:
        current.append(index)
        yield
        current.pop()

    monkeypatch.setattr(torch.cuda, "device", device)
    monkeypatch.setattr(torch.cuda, "manual_seed", lambda seed: seeded.append((current[-1], seed)))
    with kept_random_state(CPU):
        seed_random_state(11, torch.device("cuda:1"))
        seed_random_state(12, torch.device("cuda"))
    assert seeded == [(1, 11), (0, 12)]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_state_of_a_gpu_is_put_back() -> None:
    gpu = torch.device("cuda:0")
    states = torch.cuda.get_rng_state(gpu), torch.get_rng_state()
    drawn = []
    for _ in range(2):
        with kept_random_state(gpu):
            seed_random_state(3, gpu)
            drawn.append(torch.rand(4, device=gpu).cpu())
    assert torch.equal(*drawn)
    assert torch.equal(torch.cuda.get_rng_state(gpu), states[0])
    assert torch.equal(torch.get_rng_state(), states[1])
