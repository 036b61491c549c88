"""``liescope apply`` on image files: what goes in comes out, kind, depth and name."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from liescope.cli import main
from liescope.cli.table import print_result
from liescope.data.images import read_image

tifffile = pytest.importorskip("tifffile")

RNG = np.random.default_rng(0)
TURN = ("--t", "90", "--in-units")


@pytest.fixture(autouse=True)
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_result: Any) -> None:
    """A rotation about the centre, in the current folder."""
    monkeypatch.chdir(tmp_path)
    make_result("rotation").save("found")


def noise(*shape: int, dtype: Any) -> np.ndarray:
    if np.dtype(dtype).kind == "f":
        return RNG.normal(size=shape).astype(dtype)
    ends = np.iinfo(dtype)
    return RNG.integers(ends.min, ends.max, shape, dtype=dtype, endpoint=True)


def turned(image: np.ndarray, dtype: Any) -> Any:
    """By a quarter of a turn; what single precision loses of it may round the other way."""
    exact = np.rot90(image, axes=(-2, -1))
    size = 1e-4 if np.dtype(dtype).kind == "f" else max(1, 1e-5 * np.iinfo(dtype).max)
    return pytest.approx(exact.astype(np.float64), abs=size)


@pytest.mark.parametrize(
    ("name", "dtype", "colours"),
    [
        ("a.png", np.uint8, 1), ("a.png", np.uint8, 3), ("a.png", np.uint16, 1), ("a.png", np.uint16, 3),
        ("a.bmp", np.uint8, 1), ("a.pgm", np.uint8, 1), ("a.webp", np.uint8, 3),
        ("a.tif", np.uint8, 1), ("a.tif", np.uint8, 3), ("a.tif", np.uint16, 1), ("a.tif", np.uint16, 3),
        ("a.tif", np.int16, 1), ("a.tif", np.float32, 1), ("a.tiff", np.float64, 1), ("a.tif", np.uint32, 1),
    ],
)  # fmt: skip
def test_an_image_keeps_kind_and_depth(name, dtype, colours):
    image = noise(9, 9, dtype=dtype) if colours == 1 else noise(9, 9, 3, dtype=dtype)
    if name.endswith("png") and colours == 3 and dtype == np.uint16:
        Path(name).write_bytes(pytest.importorskip("imagecodecs").png_encode(image))
    elif name[2:5] == "tif":
        tifffile.imwrite(name, image, photometric="rgb" if colours == 3 else "minisblack")
    else:
        Image.fromarray(image).save(name, lossless=True)
    out = f"moved{Path(name).suffix}"
    assert main(["apply", "found", name, *TURN, "--out", out, "-q"]) == 0
    read = tifffile.imread if name[2:5] == "tif" else read_image
    moved, before = (np.asarray(read(Path(file))) for file in (out, name))
    assert moved.dtype == dtype
    if moved.ndim == 3 and moved.shape[-1] == 3:
        moved, before = np.moveaxis(moved, -1, 0), np.moveaxis(before, -1, 0)
    assert moved == turned(before, dtype)
    assert Path(out).read_bytes()[:3] == Path(name).read_bytes()[:3]


@pytest.mark.parametrize(
    ("how", "shape", "axes"),
    [
        ({}, (4, 9, 9), "QYX"),
        ({"imagej": True, "metadata": {"axes": "TYX"}}, (4, 9, 9), "TYX"),
        ({"imagej": True, "metadata": {"axes": "ZCYX"}}, (4, 2, 9, 9), "ZCYX"),
        ({"ome": True, "metadata": {"axes": "TCZYX"}}, (2, 3, 4, 9, 9), "TCZYX"),
        ({"photometric": "rgb", "compression": "zlib"}, (4, 9, 9, 3), "QYXS"),
    ],
)
def test_a_stack_keeps_its_axes(how, shape, axes):
    stack = noise(*shape, dtype=np.uint16)
    tifffile.imwrite("stack.tif", stack, **({"photometric": "minisblack"} | how))
    assert main(["apply", "found", "stack.tif", *TURN, "--out", "moved.tif", "-q"]) == 0
    with tifffile.TiffFile("moved.tif") as file:
        assert file.series[0].axes == axes
        assert (file.is_imagej, file.is_ome) == (bool(how.get("imagej")), bool(how.get("ome")))
        moved = file.asarray()
    assert moved.dtype == np.uint16
    last = (axes.index("Y"), axes.index("X"))
    np.testing.assert_allclose(moved.astype(int), np.rot90(stack, axes=last), atol=1)


def test_the_resolution_of_a_scan_is_kept():
    tifffile.imwrite("a.tif", noise(9, 9, dtype=np.uint8), resolution=(300, 300), resolutionunit="CENTIMETER")
    assert main(["apply", "found", "a.tif", "--t", "0.1", "--out", "b.tif", "-q"]) == 0
    with tifffile.TiffFile("b.tif") as file:
        assert file.pages[0].tags["XResolution"].value == (300, 1)
        assert file.pages[0].tags["ResolutionUnit"].value == 3


def test_integers_are_rounded_and_held_within_their_range():
    image = np.zeros((12, 12), np.uint8)
    image[3:9, 3:9] = 255
    Image.fromarray(image).save("a.png")
    words = ["apply", "found", "a.png", "--t", "20", "--in-units", "--interpolation", "cubic", "--out", "b.png", "-q"]
    assert main(words) == 0
    np.savez("a.npz", images=image)
    assert main([*words[:2], "a.npz", *words[3:-2], "b.npz", "-q"]) == 0
    with np.load("b.npz") as archive:
        exact = archive["images"]
    assert exact.max() > 256  # a cubic kernel overshoots, which must not turn white into black
    np.testing.assert_array_equal(np.asarray(Image.open("b.png")), np.clip(np.rint(exact), 0, 255))


def test_a_folder_becomes_a_folder(capsys):
    Path("in").mkdir()
    images = {"b.png": noise(9, 9, dtype=np.uint8), "a.tif": noise(7, 7, dtype=np.uint16)}
    Image.fromarray(images["b.png"]).save("in/b.png")
    tifffile.imwrite("in/a.tif", images["a.tif"])
    Path("in/notes.txt").write_text("mine")
    assert main(["apply", "found/result.json", "in", *TURN, "--out", "deep/out"]) == 0
    assert capsys.readouterr().out == "2 images moved (1 other file left out): deep/out\n"
    assert sorted(path.name for path in Path("deep/out").iterdir()) == ["a.tif", "b.png"]
    for name, image in images.items():
        moved = read_image(Path("deep/out") / name)
        assert moved.dtype == image.dtype
        assert moved == turned(image, image.dtype)


def unsuitable() -> dict[str, Any]:
    grey, clear = Image.new("L", (9, 9)), Image.new("RGBA", (9, 9))
    return {
        "without alpha, got 'clear.png' of mode RGBA": ("clear.png", clear.save),
        "without alpha, got 'key.png' of mode L": ("key.png", lambda path: grey.save(path, transparency=0)),
        "got a palette in 'labels.png'": ("labels.png", grey.convert("P").save),
        "got a mask of one bit in 'mask.png'": ("mask.png", grey.convert("1").save),
        "got a mask of one bit in 'mask.tif'": ("mask.tif", grey.convert("1").save),
        "without alpha, got 'clear.tif' with it": ("clear.tif", clear.save),
        "of mode CMYK": ("ink.jpg", Image.new("CMYK", (9, 9)).save),
        "a.tif: expected finite pixels": (
            "a.tif", lambda path: tifffile.imwrite(path, np.full((9, 9), np.nan, np.float32))
        ),
        "expected an image file, got 'no.png'": ("no.png", lambda path: Path(path).write_bytes(b"\x89PNG\r\n\x1a\nno")),
    }  # fmt: skip


@pytest.mark.parametrize("message", unsuitable())
def test_what_cannot_be_moved_is_named_and_nothing_is_written(refused, message):
    name, write = unsuitable()[message]
    Path("in").mkdir()
    write(f"in/{name}")
    assert message in refused("apply", "found", f"in/{name}", "--t", "0.1", "--out", f"out{Path(name).suffix}")
    assert message in refused("apply", "found", "in", "--t", "0.1", "--out", "new/out", "-q")


def test_outputs_are_of_the_kind_of_the_input(refused):
    Path("in").mkdir()
    Image.new("L", (9, 9)).save("in/a.png")
    np.savez("a.npz", images=np.zeros((9, 9)))
    words = ("--t", "0.1", "--out")
    assert "ending in .png, got 'b.tif'" in refused("apply", "found", "in/a.png", *words, "b.tif")
    assert "ending in .npz, got 'b.png'" in refused("apply", "found", "a.npz", *words, "b.png")
    assert "expected a folder to write for images of a folder" in refused("apply", "found", "in", *words, "b.npz")
    assert "new or empty output folder, got 'in' with files" in refused("apply", "found", "in", *words, "in")
    assert "the other way round, try liescope apply found in ..." in refused("apply", "in", "found", *words, "out")
    Path("pairs/before").mkdir(parents=True)
    Path("pairs/after").mkdir()
    assert "without any, try pairs/before" in refused("apply", "found", "pairs", *words, "out")


def test_masks_of_arrays_stay_and_are_told(capsys):
    np.savez("p.npz", source=np.zeros((2, 9, 9)), source_mask=np.ones((9, 9), bool))
    assert main(["apply", "found", "p.npz", "--t", "0.1", "--out", "o.npz"]) == 0
    assert capsys.readouterr().out == "2 images moved (not their masks): o.npz\n"


@pytest.mark.parametrize(
    ("pairs", "images", "moved"),
    [("pairs", "pairs/before", "moved"), ("plain", "plain", "moved"), ("a.tif", "a.tif", "moved.tif")],
)
def test_the_next_line_moves_what_was_looked_at(capsys, make_result, pairs, images, moved):
    for folder in ("pairs/before", "pairs/after", "plain"):
        Path(folder).mkdir(parents=True)
        Image.new("L", (9, 9)).save(f"{folder}/a.png")
    tifffile.imwrite("a.tif", noise(9, 9, dtype=np.uint8))
    print_result(make_result("rotation"), Path("found"), Path(pairs))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next")]
    words = shlex.split(line)[2:]
    assert (words[2], words[-1]) == (images, moved)
    assert main([*words, "-q"]) == 0
    assert Path(moved).exists()
