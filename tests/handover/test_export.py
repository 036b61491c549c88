"""``liescope export``: files that are imported make what the functions make, and what is refused is one line."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision_standin import standing_in

from liescope.answer import write_files
from liescope.cli import main
from liescope.errors import InputError
from liescope.geometry import affine
from liescope.handover import LIBRARIES, Transformation, lie_algebra
from liescope.handover.export import export
from liescope.handover.targets import MADE
from liescope.result import load_result

IMAGES = np.random.default_rng(0).random((3, 1, 14, 12), dtype=np.float32)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results by name, without their pages."""
    from tests.conftest import build_result

    home = tmp_path_factory.mktemp("results")
    clean = {"clean": {"coefficients": [[0, 0, -1.0, 0, 1.0, 0]]}}
    results = {
        "found": build_result("rotation", "scale", background=np.array([0.25]), samples=False),
        "clean": build_result([0.01, 0, -1, 0, 1, 0], algebra=clean, samples=False),
        "off": build_result("off-centre", samples=False),
        "none": build_result(samples=False),
        "curved": build_result(np.eye(12)[3], basis="quadratic", samples=False),
    }
    for name, result in results.items():
        (home / name).mkdir()
        write_files(result, home / name)
    return home


@pytest.fixture
def folder(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with those results."""
    monkeypatch.chdir(tmp_path)
    for result in written.iterdir():
        (tmp_path / result.name).symlink_to(result)
    return tmp_path


def imported(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_file_of_kornia_is_the_augmentation(folder, capsys) -> None:
    pytest.importorskip("kornia", reason="kornia is not installed")
    assert main(["export", "found", "--to", "kornia", "--out", "turning.py"]) == 0
    assert capsys.readouterr() == ("rotation and scale as an augmentation of kornia: turning.py\n", "")
    result = load_result("found")
    (folder / "found").unlink()
    augmentation = imported(folder / "turning.py").augmentation(p=1.0)
    moved = augmentation(torch.from_numpy(IMAGES))
    t = augmentation._params["t"].double().numpy()
    np.testing.assert_allclose(moved.numpy(), result.transform(IMAGES, t), atol=1e-5)
    accepted = result.t[result.accepted]
    assert all(abs(accepted - one).max(axis=1).min() < 1e-6 for one in t)


def test_the_file_of_torchvision_is_the_transform(folder) -> None:
    assert main(["export", "found", "--to", "torchvision", "--out", "turning.py", "--quiet"]) == 0
    with standing_in():
        transform = imported(folder / "turning.py").transform(law="fixed:30+fixed:0.1")
        moved = transform(torch.from_numpy(IMAGES))
    result = load_result("found")
    t = np.array([30, 0.1]) / [g.generator.unit_per_t for g in result.generators]
    np.testing.assert_allclose(moved.numpy(), result.transform(IMAGES, t), atol=1e-5)


def test_the_file_of_scikit_learn_is_the_transformer(folder) -> None:
    assert main(["export", "found", "--to", "sklearn", "--out", "turning.py"]) == 0
    moved = imported(folder / "turning.py").transformer(t=[0.3, -0.1]).fit_transform(IMAGES)
    np.testing.assert_allclose(moved, load_result("found").transform(IMAGES, [0.3, -0.1]), atol=1e-5)


def test_the_file_of_albumentations_is_the_transform(folder, monkeypatch) -> None:
    assert main(["export", "found", "--to", "albumentations", "--out", "turning.py"]) == 0
    module = imported(folder / "turning.py")
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")
    pytest.importorskip("albumentations", reason="albumentations is not installed")
    transform = module.transform()
    moved = transform(image=IMAGES[0, 0])["image"]
    t = transform.get_applied_params()["t"]
    np.testing.assert_allclose(moved, load_result("found").transform(IMAGES[0, 0], t), atol=1e-5)


@pytest.mark.parametrize("ending", ["npy", "npz", "py"])
def test_matrices_for_emlp(folder, capsys, ending) -> None:
    out = folder / f"algebra.{ending}"
    assert main(["export", "clean", "--to", "emlp", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "trace" not in captured.out
    if ending == "py":
        matrices = np.array(imported(out).LIE_ALGEBRA)
    else:
        matrices = np.load(out) if ending == "npy" else np.load(out)["lie_algebra"]
    assert matrices.tolist() == [[[0, -1, 0], [1, 0, 0], [0, 0, 0]]]
    if ending == "py":
        np.testing.assert_array_equal(lie_algebra(imported(out).FOUND), matrices)


def test_without_accepted_pairs_the_file_asks_for_a_range(make_result, tmp_path) -> None:
    export(make_result("rotation", accepted=np.zeros(60, bool), samples=False), "sklearn", tmp_path / "turning.py")
    transformer = imported(tmp_path / "turning.py").transformer
    with pytest.raises(InputError, match="expected magnitudes of accepted pairs to draw t from, got none, try range="):
        transformer()
    assert transformer(range=30).fit_transform(IMAGES).shape == IMAGES.shape


def test_a_trace_is_told_in_the_line(folder, capsys) -> None:
    assert main(["export", "found", "--to", "emlp", "--out", "algebra.npy"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    assert "generators with a trace (0, 1.41) change areas: emlp is made for groups of traceless ones" in captured.out
    assert captured.err == ""


def test_the_file_of_escnn_is_written_for_central_rotations_only(folder, refused) -> None:
    assert main(["export", "clean", "--to", "escnn", "--out", "space.py", "--quiet"]) == 0
    module = imported(folder / "space.py")
    assert module.FOUND.t is None
    told = refused("export", "off", "--to", "escnn", "--out", "other.py")
    assert "expected a rotation about the image's centre for escnn, got one about column 7.0, row 4.0" in told


def test_every_library_has_its_file() -> None:
    assert set(MADE) == set(LIBRARIES)


@pytest.mark.parametrize("to", LIBRARIES)
def test_files_are_plain_python_that_fits_a_page(make_result, tmp_path, to) -> None:
    result = make_result("rotation", pairs=3000, t=np.random.default_rng(0).normal(size=(3000, 1)), samples=False)
    out = tmp_path / "turning.py"
    export(result, to, out)
    text = out.read_text(encoding="utf-8")
    names = {
        alias.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert names == {"Transformation", to}
    assert "-y d/dx + x d/dy" in str(ast.get_docstring(ast.parse(text)))
    assert max(map(len, text.splitlines())) <= 120
    assert len(text) < 40_000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("found", "--to", "torchvison", "--out", "a.py"), "unknown library 'torchvison'. Did you mean 'torchvision'?"),
        (("found", "--to", "kornia", "--out", "a.npy"), "expected an output file ending in .py, got 'a.npy'"),
        (
            ("found", "--to", "kornia", "--out", "my-turn.py"),
            "expected a file that Python can import, got 'my-turn.py'",
        ),
        (("found", "--to", "kornia", "--out", "a.b.py"), "expected a file that Python can import, got 'a.b.py'"),
        (("found", "--to", "kornia", "--out", "class.py"), "expected a file that Python can import, got 'class.py'"),
        (("found", "--to", "kornia", "--out", "kornia.py"), "expected a file that hides no package, got 'kornia.py'"),
        (("found", "--to", "emlp", "--out", "a.txt"), "expected an output file ending in .py or .npy or .npz"),
        (("found", "--to", "kornia", "--out", "no/a.py"), "expected an output file in a folder that exists"),
        (("nowhere", "--to", "kornia", "--out", "a.py"), "nowhere"),
        (("found", "--to", "escnn", "--out", "a.py"), "expected one rotation for escnn, got 2: rotation and scale"),
        (("found", "--out", "a.py"), "Missing option '--to'"),
        (
            ("none", "--to", "sklearn", "--out", "a.py"),
            "expected a result with a symmetry to hand over, got no symmetry",
        ),
        (("curved", "--to", "emlp", "--out", "a.py"), "expected generators in an affine basis, got 'quadratic'"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(folder, refused, words, told) -> None:
    assert told in refused("export", *words)


@pytest.mark.parametrize("name", ["torchvision", "albumentations", "emlp", "escnn"])
def test_a_library_that_is_missing_is_told_in_one_line(make_result, monkeypatch, name) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda wanted, *rest: None if wanted == name else find(wanted, *rest)
    )
    with pytest.raises(InputError, match=f"expected the package {name}, got none, try pip install {name}$"):
        LIBRARIES[name](make_result("rotation"))


@pytest.mark.parametrize("name", ["torchvision", "kornia", "albumentations", "sklearn", "escnn"])
def test_results_of_other_dimensions_are_refused(name) -> None:
    volumes = Transformation([np.eye(12)[5]], affine(3), (8, 8, 8), t=[[0.1]])
    with pytest.raises(InputError, match="expected a result of images, got one in 3 coordinates"):
        LIBRARIES[name](volumes)


@pytest.mark.parametrize("name", LIBRARIES)
def test_nothing_found_hands_nothing_over(make_result, name) -> None:
    with pytest.raises(InputError, match="expected a result with a symmetry to hand over, got no symmetry"):
        LIBRARIES[name](make_result())
