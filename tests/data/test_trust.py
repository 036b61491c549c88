"""Files that want more than to be read: other files' bytes, endless waiting, all memory, a traceback."""

from __future__ import annotations

import errno
import io
import os
import shutil
import socket
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from liescope import errors
from liescope.cli.applying import load_images
from liescope.data import Corpus, holds_film, load_corpus, load_pairs, make_pairs, parse_law, read_film, save_pairs
from liescope.data.images import read_image
from liescope.data.pairs import Pairs
from liescope.engines.latent import get_config
from liescope.errors import InputError
from liescope.geometry import get_basis
from liescope.result import load_result

IMAGES = np.arange(9 * 8 * 8, dtype=np.float32).reshape(9, 8, 8) / 600
SHALLOW = (200 * IMAGES).astype(np.uint8)


def told(read: Callable[..., Any], *arguments: Any) -> str:
    """The one line with which something is refused."""
    with pytest.raises(InputError) as caught:
        read(*arguments)
    line = str(caught.value)
    assert line.isprintable()
    assert len(line) < 500
    return line


def whole(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Both images of all pairs of a file, read to the end."""
    pairs = load_pairs(path)
    return np.asarray(pairs.source), np.asarray(pairs.target)


# --- HDF5


def hdf5(path: Path, source: Callable[[h5py.File], Any]) -> Path:
    with h5py.File(path, "w") as file:
        file["target"] = IMAGES
        source(file)
    return path


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file whose bytes are nobody's business."""
    path = tmp_path / "secret.bin"
    path.write_bytes(np.full(9 * 64, 7, np.float32).tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["source"] = IMAGES
    return path


def external(file: h5py.File) -> None:
    file.create_dataset("source", (9, 8, 8), np.float32, external=[("secret.bin", 0, h5py.h5f.UNLIMITED)])


def virtual(name: str) -> Callable[[h5py.File], None]:
    def make(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((9, 8, 8), np.float32)
        layout[:] = h5py.VirtualSource(name, "source", (9, 8, 8))
        file.create_virtual_dataset("source", layout)

    return make


def linked(file: h5py.File) -> None:
    file["source"] = h5py.ExternalLink("other.h5", "/source")


def linked_behind(file: h5py.File) -> None:
    file["group"] = h5py.ExternalLink("other.h5", "/")
    file["middle"] = h5py.SoftLink("/group")
    file["source"] = h5py.SoftLink("middle/source")


def circle(file: h5py.File) -> None:
    file["source"] = h5py.SoftLink("/again")
    file["again"] = h5py.SoftLink("/source")


def unwritten(file: h5py.File) -> None:
    file.create_dataset("source", (9, 8, 8), np.float32, chunks=(1, 8, 8))[:4] = IMAGES[:4]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (external, "'source' in another file, 'secret.bin'"),
        (virtual("other.h5"), "'source' as a virtual data set"),
        (virtual("missing.h5"), "'source' as a virtual data set"),
        (linked, "'source' as a link to another file, 'other.h5'"),
        (linked_behind, "as a link to another file, 'other.h5'"),
        (circle, "links in a circle"),
        (unwritten, "was not written, or in part"),
        (lambda file: file.create_dataset("source", (10**6, 10**4, 10**4), np.float32, chunks=(1, 8, 8)), "in part"),
        (lambda file: file.create_group("source"), "got no source"),
        (lambda file: file.create_dataset("source", data=h5py.Empty("f4")), "got an empty data set"),
        (lambda file: file.create_dataset("source", data=["a"] * 9), "expected numbers"),
        (lambda file: file.create_dataset("source", data=np.zeros(9, [("a", "f4", (8, 8))])), "expected numbers"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_pixels_of_an_hdf5_file_lie_in_it(tmp_path: Path, secret: Path, source: Any, message: str) -> None:
    path = hdf5(tmp_path / "a.h5", source)
    assert message in told(whole, path)


def test_links_within_an_hdf5_file_are_followed(tmp_path: Path) -> None:
    def inside(file: h5py.File) -> None:
        file["group/pixels"] = IMAGES + 1
        file["source"] = h5py.SoftLink("/group/pixels")

    np.testing.assert_array_equal(whole(hdf5(tmp_path / "a.h5", inside))[0][:, 0], IMAGES + 1)


def test_a_corrupt_chunk_is_told_when_it_is_read(tmp_path: Path) -> None:
    def packed(file: h5py.File) -> None:
        file.create_dataset("source", data=IMAGES, chunks=(1, 8, 8), compression="gzip")

    path = hdf5(tmp_path / "a.h5", packed)
    with h5py.File(path) as file:
        place = file["source"].id.get_chunk_info(5).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 4 : place + 20] = bytes(16)
    path.write_bytes(content)
    assert "'a.h5', truncated or corrupt" in told(whole, path)


@pytest.mark.parametrize("size", [0, 1 << 63, (1 << 64) - 16, (1 << 64) - 1, 5000])
@pytest.mark.parametrize("place", ["collection", "text", "free"])
def test_texts_in_a_heap_that_has_no_end(tmp_path: Path, place: str, size: int) -> None:
    """The library follows some of them in circles, for ever."""
    path = save_pairs(tmp_path / "a.h5", Pairs(IMAGES, IMAGES, meta={"a": 1}))
    content = bytearray(path.read_bytes())
    start = content.index(b"GCOL")
    text = int.from_bytes(content[start + 24 : start + 32], "little")
    at = start + {"collection": 8, "text": 24, "free": 32 + (text + 7) // 8 * 8 + 8}[place]
    content[at : at + 8] = size.to_bytes(8, "little")
    path.write_bytes(content)
    assert "a heap of" in told(load_pairs, path)


@pytest.mark.parametrize(
    "meta",
    [
        np.zeros(3), np.zeros((2, 2), "U3"), np.array("{"), np.array(1.5), np.array([], "U1"), np.array("[" * 9999),
        np.array(b"\xff\xfe{"), np.array("[1]"), np.zeros(2, "f4"), np.array(True), np.array("{}" * 2),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("ending", ["npz", "h5"])
def test_meta_of_any_shape_and_type_is_one_line(tmp_path: Path, meta: np.ndarray, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "npz":
        np.savez(path, source=IMAGES, target=IMAGES, meta=meta)
    else:
        with h5py.File(path, "w") as file:
            file["source"] = file["target"] = IMAGES
            file.attrs["meta"] = meta.astype("S") if meta.dtype.kind == "U" else meta
    assert "expected meta as" in told(load_pairs, path)


# --- archives of numpy


def npy(descr: str, shape: str, body: bytes = b"", header: str | None = None) -> bytes:
    text = header or f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + body


ODD = {
    "terabytes": npy("'<f4'", "(1000000, 1000, 1000)"),
    "more than there can be": npy("'<f4'", f"({10**15}, {10**15}, {10**15})"),
    "negative": npy("'<f4'", "(-9, 8, 8)"),
    "a pair of negatives": npy("'<f4'", "(-9, -8, 8)", IMAGES.tobytes()),
    "objects": npy("'|O'", "(9, 8, 8)", bytes(9999)),
    "records": npy("[('a', '<f4', (8, 8))]", "(9,)", IMAGES.tobytes()),
    "nothing times much": npy("'<U0'", f"({10**12}, 8, 8)"),
    "a header too long": npy("", "", header="{" + " " * 20000 + "}"),
    "a deep header": npy("", "", header="(" * 5000),
    "no header": b"\x93NUMPY\x01\x00\xff\xff",
    "another version": b"\x93NUMPY\x09\x00" + npy("'<f4'", "(9, 8, 8)")[8:],
    "truncated": npy("'<f4'", "(9, 8, 8)", IMAGES.tobytes()[:-1]),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_headers_of_arrays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    told(read_film, tmp_path / "a.npy")
    told(load_images, tmp_path / "a.npy")
    for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "a.npz", "w", how) as archive:
            archive.writestr("source.npy", content)
            archive.writestr("target.npy", content)
        told(load_pairs, tmp_path / "a.npz")
        told(load_images, tmp_path / "a.npz")


def archive_with(place: int, value: bytes) -> bytes:
    """An archive of pairs with some bytes of both headers of its first member changed."""
    buffer = io.BytesIO()
    np.savez(buffer, source=IMAGES, target=IMAGES)
    content = bytearray(buffer.getvalue())
    for start, further in ((0, 0), (content.index(b"PK\x01\x02"), 2)):
        at = start + place + further
        content[at : at + len(value)] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive_with(6, b"\x01\x00"), "'source' encrypted"),
        (archive_with(8, struct.pack("<H", 97)), "truncated or corrupt"),
        (archive_with(8, struct.pack("<H", zipfile.ZIP_LZMA)), "truncated or corrupt"),
        (archive_with(8, struct.pack("<H", zipfile.ZIP_BZIP2)), "truncated or corrupt"),
    ],
    ids=["encrypted", "unknown", "lzma", "bzip2"],
)
def test_archives_that_cannot_be_unpacked(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    assert message in told(load_pairs, tmp_path / "a.npz")


def test_names_in_an_archive_are_told_in_short(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {f"{'x' * 200}\n{k}": np.zeros(1) for k in range(50)}
    np.savez(tmp_path / "a.npz", **arrays)
    assert "and 42 more" in told(load_pairs, tmp_path / "a.npz")
    told(holds_film, tmp_path / "a.npz")


# --- folders of images


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".tif":
        tifffile.imwrite(path, image, photometric="minisblack")
    else:
        Image.fromarray(image).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for side in ("source", "target"):
        (tmp_path / "pairs" / side).mkdir(parents=True)
        for k in range(9):
            save(tmp_path / "pairs" / side / f"{k:03d}.png", SHALLOW[k])
    return tmp_path / "pairs"


@pytest.mark.parametrize("deep", [IMAGES[3], np.uint16(60000 * IMAGES[3])], ids=["float", "16 bits"])
def test_depths_side_by_side_are_refused_with_both_files(folder: Path, deep: np.ndarray) -> None:
    (folder / "source" / "003.png").unlink()
    save(folder / "source" / "003.tif", deep)
    line = told(whole, folder)
    assert "'source/003.tif'" in line
    assert "'source/000.png'" in line
    line = told(lambda: np.asarray(load_corpus(folder / "source").images))
    assert "'source/003.tif'" in line
    assert "'source/000.png'" in line


def test_two_files_of_one_name_are_both_named(folder: Path) -> None:
    save(folder / "source" / "003.bmp", SHALLOW[3])
    line = told(load_pairs, folder)
    assert "'003.bmp'" in line
    assert "'003.png'" in line


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe.npz")
    return tmp_path / "pipe.npz"


@pytest.fixture
def listening() -> Iterator[Path]:
    # Names of sockets are short.
    with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX) as one:
        one.bind(f"{place}/s.npz")
        yield Path(place, "s.npz")


READERS: dict[str, Callable[[Path], Any]] = {
    "pairs": load_pairs, "film": read_film, "images": load_images, "image": read_image, "config": get_config,
    "law": lambda path: parse_law(f"samples:{path}", 1.0), "corpus": load_corpus, "result": load_result,
}  # fmt: skip


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_what_is_no_file_is_not_waited_for(read: Callable[[Path], Any], pipe: Path, listening: Path) -> None:
    assert "FIFO" in told(read, pipe) or read is load_result
    assert "a socket" in told(read, listening) or read is load_result
    told(read, Path("/dev/zero"))
    told(read, Path("/dev/tty0" if Path("/dev/tty0").exists() else "/dev/null"))


def test_what_is_no_file_among_images(folder: Path) -> None:
    os.mkfifo(folder / "source" / "100.png")
    for read in (load_pairs, lambda path: load_corpus(path / "source"), lambda path: read_film(path / "source")):
        assert "a named pipe (FIFO)" in told(read, folder)
    (folder / "source" / "100.png").unlink()
    (folder / "source" / "100.png").symlink_to("100.png")
    assert "100.png" in told(load_pairs, folder)
    (folder / "source" / "100.png").unlink()
    (folder / "source" / "100.png").symlink_to("nowhere.png")
    assert "no such file" in told(load_pairs, folder)
    (folder / "source" / "100.png").unlink()
    (folder / "source" / "100.png").mkdir()
    assert "the folder '100.png'" in told(load_pairs, folder)


def test_parts_of_a_result_that_are_no_files(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    shutil.copytree(Path(__file__).parents[1] / "result" / "v1" / "rotation", folder)
    for name in ("magnitudes.npz", "samples.npz"):
        (folder / name).rename(tmp_path / name)
        os.mkfifo(folder / name)
        assert "FIFO" in told(load_result, folder)
        (folder / name).unlink()
        (tmp_path / name).rename(folder / name)
    assert load_result(folder).generators[0].generator.name == "rotation"


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_names_that_no_file_can_have(read: Callable[[Path], Any], tmp_path: Path) -> None:
    told(read, tmp_path / ("a" * 300 + ".npz"))
    told(read, tmp_path / "a\nb.npz")
    (tmp_path / "loop.npz").symlink_to("loop.npz")
    told(read, tmp_path / "loop.npz")
    told(read, tmp_path / "loop.npz" / "further.npz")


# --- sizes


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 100 MB left."""
    monkeypatch.setattr(errors, "free_memory", lambda: 100_000_000)


def png(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def tiff(side: int) -> bytes:
    """Of one strip that unpacks to nothing like what the page says."""
    tags = [(256, side), (257, side), (258, 8), (259, 8), (262, 1), (273, 200), (277, 1), (278, side), (279, 20)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\x00" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    return head.ljust(200, b"\x00") + zlib.compress(bytes(1000)).ljust(20, b"\x00")


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", png(12_000, 12_000)),
        ("a.png", png(65_000, 65_000)),
        ("a.png", png(12_000, 12_000, 16, 2)),
        ("a.tif", tiff(40_000)),
        ("a.ppm", b"P6 12000 12000 255\n"),
    ],
    ids=["png", "bomb", "deep png", "tif", "ppm"],
)
def test_images_that_do_not_fit_into_memory(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, on a bomb
        line = told(read_image, tmp_path / name)
    assert " needed and 100 MB free" in line or "decompression bomb" in line


@pytest.mark.usefixtures("little")
def test_arrays_that_do_not_fit_into_memory(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", source=np.zeros((500, 500, 500), np.uint8), target=np.zeros(1))
    assert "got 125 MB needed and 100 MB free" in told(load_pairs, tmp_path / "a.npz")


def test_sizes_are_told_before_memory_is_taken() -> None:
    line = told(lambda: make_pairs(pairs=10**12))
    assert "10" + 11 * "0" in line.replace(",", "")
    assert "TB needed" in line
    assert "needed" in told(lambda: make_pairs(pairs=8, canvas=10**6))
    assert "needed" in told(lambda: make_pairs(pairs=10**12, scratch="/tmp"))


def test_free_memory_is_a_number_or_not_known() -> None:
    free = errors.free_memory()
    assert free is None or 0 < free < 1 << 60


# --- words


@pytest.mark.parametrize("text", ["polynomial-²", "polynomial-٣", "polynomial-", "polynomial-9" + 5000 * "9"])
def test_degrees_in_other_digits_are_no_names(text: str) -> None:
    told(get_basis, text)


@pytest.mark.parametrize("text", ["²-modal", "9" * 5000 + "-modal", "٣-modal", "samples:²", "uniform:1,²"])
def test_laws_in_other_digits_are_no_names(text: str) -> None:
    told(parse_law, text, 1.0)


def test_many_samples_are_no_name_of_a_file() -> None:
    law = parse_law("samples:" + ",".join(map(str, range(500))), 1.0)
    assert "500 values" in law.text


# --- the disk


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("ending", ["npz", "h5"])
def test_a_full_disk_is_one_line_with_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    save_pairs(path, Pairs(IMAGES, IMAGES))
    before = path.read_bytes()
    monkeypatch.setattr(np.lib.format, "write_array", full)
    monkeypatch.setattr(h5py.Dataset, "__setitem__", full)
    line = told(save_pairs, path, Pairs(IMAGES + 1, IMAGES))
    assert "expected room on the disk for" in line
    assert str(path) in line
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_a_full_disk_leaves_the_earlier_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_result: Callable[..., Any]
) -> None:
    folder = make_result("rotation").save(tmp_path / "r")
    monkeypatch.setattr(np, "savez", full)
    line = told(make_result("scale").save, folder)
    assert "expected room on the disk for" in line
    assert str(folder) in line
    monkeypatch.undo()
    assert load_result(folder).generators[0].generator.name == "rotation"
    assert os.listdir(tmp_path) == ["r"]


# --- what is made


@pytest.mark.parametrize(
    "options",
    [
        {"transform": "scale", "range": 1e300},
        {"transform": "scale", "law": "fixed:1e308"},
        {"noise": 1e308},
        {"noise": float("inf")},
        {"transform": "generator:1e308,0,0,0,0,1e308"},
        {"transform": "generator:1e-320,0,0,0,0,0"},
        {"transform": "translation-x", "range": 1e308, "law": "normal"},
        {"transform": "sct-x", "range": 1e200},
        {"transform": "shear-x", "law": "uniform:-1e308,1e308"},
    ],
    ids=str,
)
def test_no_pairs_are_made_of_what_is_no_number(digits: Corpus, options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told(lambda: make_pairs(corpus=digits, pairs=8, border="edge", **options))
