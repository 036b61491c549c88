"""Folders of schema liescope.result/1, written by liescope 0.1.0 (make_v1.py says how): they load for ever."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy import ndimage
from scipy.linalg import expm

from liescope.errors import InputError
from liescope.geometry import Basis, affine, field_basis
from liescope.result import SymmetryResult, load_result

FOLDERS = sorted(path for path in (Path(__file__).parent / "v1").iterdir() if path.is_dir())
LATENT = [folder for folder in FOLDERS if (folder / "model.safetensors").exists()]
EXPECTED = {
    "colour": ["scale"],
    "conformal": ["spiral"],
    "latent": ["rotation"],
    "latent-two": ["rotation", "translation-x"],
    "own": ["general"],
    "quadratic": ["general"],
    "roots": ["rotation"],
    "rotation": ["rotation"],
    "several": ["translation-x", "translation-y", "rotation"],
    "unrelated": [],
}
every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def own_basis(folder: Path) -> Basis | None:
    """Fields that a file names but cannot hold."""
    if folder.name != "own":
        return None
    return affine() + field_basis({"vortex": lambda x, y: (-y * (x**2 + y**2), x * (x**2 + y**2))}, name="vortex")


def load(folder: Path) -> SymmetryResult:
    return load_result(folder, own_basis(folder))


def content_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return content


def arrays_of(file: Path) -> dict[str, np.ndarray]:
    with np.load(file) as archive:
        return {name: archive[name] for name in archive.files}


def missing_or_changed(old: Any, new: Any, place: str = "") -> list[str]:
    """What an old record has and a new one has not; keys may be added.

    Numbers agree but for their last bits: the gauge is fixed anew.
    """
    if isinstance(old, dict):
        return [
            fault
            for key, value in old.items()
            for fault in (
                missing_or_changed(value, new[key], f"{place}.{key}") if key in new else [f"{place}.{key} is gone"]
            )
        ]
    if isinstance(old, list):
        if len(old) != len(new):
            return [f"{place}: {len(old)} entries, now {len(new)}"]
        parts = enumerate(zip(old, new, strict=True))
        return [fault for k, pair in parts for fault in missing_or_changed(*pair, f"{place}[{k}]")]
    if isinstance(old, float) and isinstance(new, float):
        return [] if old == pytest.approx(new, rel=1e-12, abs=1e-12) else [f"{place}: {old} is now {new}"]
    return [] if type(old) is type(new) and old == new else [f"{place}: {old!r} is now {new!r}"]


def test_every_kind_of_result_is_there_and_small() -> None:
    names = {folder.name: [g["name"] for g in content_of(folder)["generators"]] for folder in FOLDERS}
    assert names == EXPECTED
    assert {content_of(folder)["schema"] for folder in FOLDERS} == {"liescope.result/1"}
    assert {content_of(folder)["engine"] for folder in FOLDERS} >= {"latent"}
    assert sum(file.stat().st_size for folder in FOLDERS for file in folder.iterdir()) < 600_000


@every_folder
def test_an_old_folder_says_what_its_files_say(folder: Path) -> None:
    result, content = load(folder), content_of(folder)
    del content["schema"]
    assert missing_or_changed(content, result.to_dict()) == []
    arrays = arrays_of(folder / "magnitudes.npz")
    assert {"t", "residual", "accepted"} <= set(arrays)
    for name, array in arrays.items():
        kept = getattr(result, name)
        assert kept.dtype == array.dtype, name
        np.testing.assert_array_equal(kept, array, err_msg=name)
    for name in {"t_error", "identifiable", "factor_t"} - set(arrays):
        assert getattr(result, name) is None
    assert result.samples is not None
    for name, array in arrays_of(folder / "samples.npz").items():
        np.testing.assert_array_equal(getattr(result.samples, name), array, err_msg=name)
    assert (folder.name == "several") == ("factor_t" in arrays)


@every_folder
def test_it_is_summed_up_in_words(folder: Path) -> None:
    summary, content = load(folder).summary(), content_of(folder)
    for generator in content["generators"]:
        assert f"X = {generator['equation']} " in summary
    first = {
        "rotation": "Rotation.",
        "conformal": "Spiral.",
        "unrelated": "No symmetry found.",
        "several": "3 symmetries",
    }
    assert summary.startswith(first.get(folder.name, ""))


def moved_by_scipy(image: np.ndarray, a: np.ndarray) -> np.ndarray:
    """An image (H, W) after an affine field's flow: each pixel's value from where the inverse matrix puts it."""
    height, width = image.shape
    s = max(height, width) / 2
    rows, columns = np.indices(image.shape)
    points = np.stack([(columns - (width - 1) / 2) / s, ((height - 1) / 2 - rows) / s, np.ones(image.shape)])
    matrix = expm(-np.array([[a[1], a[2], a[0]], [a[4], a[5], a[3]], [0, 0, 0]]))
    points = np.einsum("ij,jhw->ihw", matrix, points)
    places = np.stack([(height - 1) / 2 - points[1] * s, points[0] * s + (width - 1) / 2])
    moved: np.ndarray = ndimage.map_coordinates(image, places, order=1, mode="grid-constant")
    return moved


@every_folder
def test_it_moves_images(folder: Path) -> None:
    result, content = load(folder), content_of(folder)
    images = ndimage.gaussian_filter(np.random.default_rng(0).random((2, 17, 14)), (0, 1, 1)).astype(np.float32)
    if not content["generators"]:
        with pytest.raises(InputError, match="expected a result with a symmetry"):
            result.transform(images, 0.1)
        return
    t = np.linspace(0.2, -0.3, len(content["generators"]))
    np.testing.assert_allclose(result.transform(images, 0 * t), images, atol=1e-5)
    moved = result.transform(images, t)
    assert moved.shape == images.shape
    assert np.abs(moved - images).max() > 0.05
    if content["basis"] == "affine":
        each = [value * np.array(g["coefficients"]) for value, g in zip(t, content["generators"], strict=True)]
        fields = each if content["engine"] == "latent" else [np.sum(each, axis=0)]
        for image, found in zip(images, moved, strict=True):
            for field in fields:  # the latent engine's factors one after the other, the others' sum at once
                image = moved_by_scipy(image, field)
            np.testing.assert_allclose(found, image, atol=1e-4)


@every_folder
def test_it_is_written_again_without_a_loss(folder: Path, tmp_path: Path) -> None:
    result = load(folder)
    again = load_result(result.save(tmp_path / folder.name), own_basis(folder))
    assert missing_or_changed(result.to_dict(), again.to_dict()) == []
    for file in ("magnitudes.npz", "samples.npz"):
        before, after = arrays_of(folder / file), arrays_of(tmp_path / folder.name / file)
        assert set(before) <= set(after)
        for name, array in before.items():
            np.testing.assert_array_equal(after[name], array, err_msg=name)
    assert {entry.name for entry in folder.iterdir()} | {"report.html"} <= {
        entry.name for entry in (tmp_path / folder.name).iterdir()
    }


@pytest.mark.parametrize("folder", LATENT, ids=lambda folder: folder.name)
def test_an_old_latent_model_still_decodes(folder: Path) -> None:
    result = load(folder)
    assert result.latent is not None
    assert result.samples is not None
    weights = load_file(folder / "model.safetensors")
    state = result.latent.model.state_dict()
    assert set(state) == set(weights)
    for name, tensor in weights.items():
        np.testing.assert_array_equal(state[name].numpy(), tensor, err_msg=name)
    about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert missing_or_changed(about["config"], result.latent.config.model_dump()) == []
    images = result.samples.source
    t = result.t[result.samples.index]
    np.testing.assert_allclose(result.latent.reconstruct(images, t), result.samples.transported, atol=1e-5)


def test_one_without_its_own_fields_says_what_it_needs(tmp_path: Path) -> None:
    shutil.copytree(FOLDERS[0].parent / "own", tmp_path / "own")
    with pytest.raises(InputError, match="try loading with basis="):
        load_result(tmp_path / "own")
