"""What people have of pairs, and what they are told where it will not do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset

import liescope
from liescope import InputError, SymmetryDetector, detect, load_result
from liescope.data import Pairs, load_pairs, save_pairs
from liescope.detector.inputs import given, plain_images

tifffile = pytest.importorskip("tifffile")

RNG = np.random.default_rng(0)
X = RNG.integers(0, 255, (9, 7, 8), dtype=np.uint8)
Y = X[:, ::-1].copy()


class Items(Dataset[Any]):
    """A data set that answers whatever number it is asked for: its length ends it."""

    def __init__(self, source: Any, target: Any) -> None:
        self.source, self.target = source, target

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Any:
        return {"source": self.source[index % len(self)], "target": self.target[index % len(self)]}


def tensors() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(X), torch.from_numpy(Y)


def ways() -> dict[str, Any]:
    x, y = tensors()
    return {
        "Pairs": Pairs(X, Y),
        "a tuple": (X, Y),
        "a mapping": {"source": X, "target": Y},
        "TensorDataset": TensorDataset(x, y, torch.arange(9)),
        "DataLoader": DataLoader(TensorDataset(x, y), batch_size=4),
        "DataLoader of images with channels": DataLoader(TensorDataset(x[:, None], y[:, None]), batch_size=4),
        "DataLoader without batches": DataLoader(TensorDataset(x, y), batch_size=None),
        "a data set": Items(x, y),
        "an iterator": iter(zip(X, Y, strict=True)),
        "batches": iter([(x[:5, None], y[:5, None]), (x[5:, None], y[5:, None])]),
        "a list": [(a, b, "label") for a, b in zip(X, Y, strict=True)],
        "PIL images": [(Image.fromarray(a), Image.fromarray(b)) for a, b in zip(X, Y, strict=True)],
    }


@pytest.mark.parametrize("way", ways())
def test_one_thing_with_both_sides(way):
    found = given(ways()[way])
    np.testing.assert_array_equal(np.asarray(found.source).reshape(X.shape), X)
    np.testing.assert_array_equal(np.asarray(found.target).reshape(Y.shape), Y)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64])
def test_tensors_of_every_type(dtype):
    tensor = torch.arange(12.0).reshape(3, 2, 2).to(dtype)
    images = plain_images(tensor.requires_grad_() if dtype.is_floating_point else tensor, "source")
    np.testing.assert_array_equal(images, np.arange(12).reshape(3, 2, 2))
    assert images.dtype == {torch.float64: np.float64, torch.int64: np.int64}.get(dtype, np.float32)


class Elsewhere(torch.Tensor):
    """A tensor of another device: numpy cannot see it before it was brought here."""

    def cpu(self, *_: Any, **__: Any) -> torch.Tensor:
        return self.as_subclass(torch.Tensor)

    def numpy(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


def test_tensors_of_another_device_are_brought_here():
    np.testing.assert_array_equal(plain_images(tensors()[0].as_subclass(Elsewhere), "source"), X)
    np.testing.assert_array_equal(plain_images([t.as_subclass(Elsewhere) for t in tensors()[0]], "source"), X)


def test_colour_of_pil_images_comes_first():
    colour = RNG.integers(0, 255, (3, 7, 8, 3), dtype=np.uint8)
    images = plain_images([Image.fromarray(image) for image in colour], "source")
    np.testing.assert_array_equal(images, colour.transpose(0, 3, 1, 2))


def refusals() -> dict[str, Any]:
    x, y = tensors()
    last = np.zeros((9, 7, 8, 4))
    rgba = [Image.new("RGBA", (8, 7))] * 9
    return {
        "with values, got a tensor on the device 'meta'": lambda: detect(x.to("meta"), y),
        "try .permute(0, 3, 1, 2)": lambda: detect(torch.zeros(9, 7, 8, 3), torch.zeros(9, 7, 8, 3)),
        "shape (9, 7, 8, 4), try channels first: images.transpose(0, 3, 1, 2)": lambda: detect(last, last),
        "shape (9, 7, 8, 5), try channels first": lambda: detect(np.zeros((9, 7, 8, 5)), np.zeros((9, 7, 8, 5))),
        "mode RGBA, try .convert('RGB')": lambda: detect(rgba, rgba),
        "got X alone (ndarray of shape (9, 7, 8)), try detect(X, Y)": lambda: detect(X),
        "got Tensor of shape (7, 8) as number 0, try detect(X, Y)": lambda: detect(iter(x)),
        "expected target of shape (N, H, W) or (N, C, H, W), got (9,)": lambda: detect(
            TensorDataset(x, torch.arange(9))
        ),
        "got (7, 8) and (6, 8) (number 2), try resizing": lambda: detect([x[0], x[1], x[2, 1:]], y[:3]),
        "got an empty list": lambda: detect([]),
        "got images, labels": lambda: detect({"images": X, "labels": Y}),
        "one shape, got (9, 7, 8) and (8, 7, 8)": lambda: detect(X, Y[1:]),
        "try image_shape=(H, W) or reshape(-1, H, W) for flattened images, or images[None] for one alone": lambda: (
            detect(X[0], Y[0])
        ),
        "both as paths or both as arrays, got 'a.npz' for one": lambda: detect("a.npz", Y),
        "image_shape as (H, W) or (C, H, W), got (7,)": lambda: detect(X, Y, image_shape=(7,)),
        "49 pixels an image for image_shape (7, 7), got 56 in source (shape (9, 56))": lambda: detect(
            X.reshape(9, -1), Y.reshape(9, -1), image_shape=7
        ),
    }


@pytest.mark.parametrize("message", refusals())
def test_what_will_not_do_is_told_in_one_line(message):
    with pytest.raises(InputError) as refused:
        refusals()[message]()
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def folders(*names: str) -> None:
    """Folders of TIFF files with the sources and targets."""
    for name, images in zip(names, (X, Y), strict=True):
        Path(name).mkdir(parents=True)
        for k, image in enumerate(images):
            tifffile.imwrite(f"{name}/im{k}.tif", image)


@pytest.mark.parametrize("names", [("A", "B"), ("p/before", "p/after"), ("p/source", "p/target")])
def test_two_folders_are_matched_by_name(tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    folders(*names)
    found = given("A", "B") if names[0] == "A" else given("p")
    np.testing.assert_array_equal(np.asarray(found.source[:]).reshape(X.shape), X)
    np.testing.assert_array_equal(np.asarray(found.target[:]).reshape(Y.shape), Y)
    assert found.names is not None
    assert found.names.tolist() == [[f"im{k}.tif"] * 2 for k in range(9)]


def test_two_stacks_and_two_images(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, images in (("A", X), ("B", Y)):
        tifffile.imwrite(f"{name}.tif", images)
        np.save(f"{name}.npy", images)
        np.savez(f"{name}.npz", images=images)
        Image.fromarray(images[0]).save(f"{name}.png")
        tifffile.imwrite(f"{name}1.tif", images[0].astype(np.float32))
    for a, b in (("A.tif", "B.tif"), ("A.npy", "B.npz")):
        found = given(a, Path(b))
        np.testing.assert_array_equal(np.asarray(found.source[:])[:, 0], X)
        np.testing.assert_array_equal(np.asarray(found.target[:])[:, 0], Y)
    for a, b in (("A.png", "B.png"), ("A1.tif", "B1.tif")):
        np.testing.assert_array_equal(np.asarray(given(a, b).target[:])[0, 0], Y[0])


def test_what_does_not_match_is_named(tmp_path, monkeypatch, refused):
    monkeypatch.chdir(tmp_path)
    folders("A", "B")
    tifffile.imwrite("long.tif", X)
    tifffile.imwrite("short.tif", Y[:7])
    save_pairs("pairs.npz", Pairs(X, Y))
    Path("B/im4.tif").rename("B/im4b.tif")
    Path("B/im7.tif").unlink()
    out = ("--out", "found")
    told = refused("detect", "A", "B", *out)
    assert "got 9 and 8 images, 3 without a partner, the first 'im4.tif' in 'A' alone" in told
    told = refused("detect", "long.tif", "short.tif", *out)
    assert "got 9 and 7, the first without a partner number 7 of 'long.tif'" in told
    assert "got one folder, 'A', and one file" in refused("detect", "A", "long.tif", *out)
    assert "no such file 'C'" in refused("detect", "A", "C", *out)
    assert "expected a stack of images, got pairs in 'pairs.npz'" in refused("detect", "pairs.npz", "pairs.npz", *out)
    assert "expected a film with --lags, got sources 'A' and" in refused("detect", "A", "B", "--lags", "1", *out)
    Path("half/before").mkdir(parents=True)
    assert "got no 'after'" in refused("detect", "half", *out)


def test_a_tif_or_a_folder_is_never_asked_to_be_an_npz(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders("A", "B")
    tifffile.imwrite("A.tif", X)
    for path in ("A", "A.tif"):
        with pytest.raises(InputError) as refused:
            load_pairs(path)
        assert ".npz file" not in str(refused.value)
    with pytest.raises(InputError, match="try two of them"):
        load_pairs("A.tif")


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory, digits: np.ndarray) -> Any:
    """A detection of two folders at the command line."""
    from liescope.cli import main

    folder = tmp_path_factory.mktemp("brief")
    turned = np.rot90(digits[:12], axes=(1, 2))
    for name, images in (("before", digits[:12]), ("after", turned)):
        (folder / name).mkdir()
        for k, image in enumerate(images):
            Image.fromarray(image).save(folder / name / f"digit{k:02d}.png")
    assert main(["detect", str(folder / "before"), str(folder / "after"), "--out", str(folder / "found"), "-q"]) == 0
    return folder


def test_the_command_takes_two_folders(brief, digits):
    result = load_result(brief / "found" / "result.json")
    assert result.generators[0].name == "rotation"
    np.testing.assert_allclose(np.abs(result.natural), 90, atol=0.5)
    assert result.names is not None
    assert result.names[3].tolist() == ["digit03.png", "digit03.png"]


def test_a_generator_that_was_found_speaks_for_itself(brief):
    found = load_result(brief / "found").generators[0]
    for name in ("name", "equation", "unit", "unit_per_t", "centre_px", "period", "basis"):
        assert getattr(found, name) == getattr(found.generator, name)
    np.testing.assert_array_equal(found.coefficients, found.generator.coefficients)
    points = np.array([[0.3, -0.2]])
    np.testing.assert_array_equal(found.field(points), found.generator.field(points))
    np.testing.assert_array_equal(found.flow(points, 0.4), found.generator.flow(points, 0.4))
    np.testing.assert_array_equal(found.bracket(found), found.generator.bracket(found.generator))


def test_a_detector_measures_tensors(digits):
    x = torch.from_numpy(digits[:12].copy())
    detector = SymmetryDetector(n_generators=1).fit(x, torch.rot90(x, 1, (1, 2)))
    unit = detector.generators_[0].unit_per_t
    with pytest.raises(InputError, match=r"shape \(28, 28\) as fitted, got X of shape \(3, 27, 28\)"):
        detector.score(x[:3, 1:], x[:3, 1:])
    quarter = DataLoader(TensorDataset(x, torch.rot90(x, 1, (1, 2))), batch_size=5)
    np.testing.assert_allclose(np.abs(detector.predict_magnitude(quarter) * unit), 90, atol=1)
    half = x[:3].bfloat16()
    np.testing.assert_allclose(
        np.abs(detector.predict_magnitude(half, torch.rot90(half, 1, (1, 2))) * unit), 90, atol=1
    )


def test_rooms_are_reached_from_the_package_alone():
    code = "import sys, liescope; assert 'numpy' not in sys.modules; print(liescope.data.load_pairs.__name__)"
    source = str(Path(liescope.__file__).parents[1])
    run = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=True)
    assert run.stdout == "load_pairs\n"
