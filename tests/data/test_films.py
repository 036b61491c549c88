"""Films from files that other libraries wrote: every page, channel and bit; refusals name the way that works."""

from __future__ import annotations

import gzip
import io
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import h5py
import imageio.v3 as iio
import numpy as np
import pytest
import scipy.io
import tifffile
from astropy.io import fits
from PIL import Image

from liescope.data import film_pairs, holds_film, load_pairs, read_film, spool, validate_images, write_film
from liescope.data.films import as_film, check_lags, frame_rows
from liescope.data.films.folders import natural_order
from liescope.data.lazy import LazyImages
from liescope.errors import InputError


def noise(*shape: int, dtype: Any = np.uint8, seed: int = 0) -> np.ndarray:
    """Values over all of the type's range: a lost bit or a mixed-up axis shows."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    ends = np.iinfo(dtype)
    return rng.integers(ends.min, ends.max, shape, dtype=dtype, endpoint=True)


def planes(stack: Any) -> np.ndarray:
    pixels: np.ndarray = np.asarray(stack[:])
    return pixels


# --- stacks of pages

GREY, COLOUR = (9, 12, 17), (9, 3, 12, 17)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"compression": "zlib"},
        {"compression": "lzw", "metadata": None},
        {"imagej": True, "metadata": {"axes": "TYX"}},
        {"ome": True, "metadata": {"axes": "TYX"}},
        {"metadata": None},
        {"bigtiff": True},
        {"byteorder": ">"},
    ],
    ids=str,
)
def test_every_page_of_a_stack_is_a_frame(tmp_path: Path, dtype: Any, how: dict[str, Any]) -> None:
    frames = noise(*GREY, dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", frames, photometric="minisblack", **how)
    film = read_film(tmp_path / "a.tif")
    assert (film.shape, film.dtype) == (GREY, dtype)
    np.testing.assert_array_equal(planes(film), frames)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colours_of_a_stack_come_first(tmp_path: Path, seed: int, dtype: Any) -> None:
    frames = noise(*COLOUR, dtype=dtype, seed=seed)
    last = np.ascontiguousarray(frames.transpose(0, 2, 3, 1))
    tifffile.imwrite(tmp_path / "rgb.tif", last, photometric="rgb")
    tifffile.imwrite(tmp_path / "packed.tif", last, photometric="rgb", compression="zlib")
    tifffile.imwrite(tmp_path / "ij.tif", frames, imagej=True, metadata={"axes": "TCYX"})
    alpha = np.concatenate([last, noise(*last.shape[:3], 1, dtype=dtype)], axis=-1)
    tifffile.imwrite(tmp_path / "rgba.tif", alpha, photometric="rgb", extrasamples=["unassalpha"])
    for name in ("rgb.tif", "packed.tif", "ij.tif", "rgba.tif"):
        film = read_film(tmp_path / name)
        assert (film.shape, film.dtype) == (COLOUR, dtype)
        np.testing.assert_array_equal(planes(film), frames, err_msg=name)


def test_stacks_of_another_library_are_read(tmp_path: Path) -> None:
    frames = noise(*GREY)
    pages = [Image.fromarray(frame) for frame in frames]
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(planes(read_film(tmp_path / "p.tif")), frames)


def test_large_stacks_stay_in_their_file(tmp_path: Path) -> None:
    frames = noise(400, 128, 128, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "little.tif", frames, photometric="minisblack")
    tifffile.imwrite(tmp_path / "big.tif", frames, photometric="minisblack", byteorder=">")
    for name in ("little.tif", "big.tif"):
        tracemalloc.start()
        film = read_film(tmp_path / name)
        source = frame_rows(as_film(film), film_pairs(400, [1, 2, 3])[0])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < frames.nbytes / 8
        np.testing.assert_array_equal(source[[0, 399, 5]][:, 0], frames[[0, 0, 5]])


@pytest.mark.parametrize(
    ("frames", "how", "message"),
    [
        (noise(9, 12, 17), {"imagej": True, "metadata": {"axes": "ZYX"}}, r"9 of depth \(Z\) \(axes ZYX\), .*frames"),
        (noise(9, 12, 17), {"imagej": True, "metadata": {"axes": "CYX"}}, r"9 of channels \(axes CYX\)"),
        (noise(4, 3, 12, 17), {"imagej": True, "metadata": {"axes": "TZYX"}}, r"4 of time, 3 of depth"),
        (noise(4, 3, 12, 17), {"photometric": "minisblack"}, r"axes QQYX\), .*'axes': 'TCYX'"),
        (noise(12, 17), {}, r"one image, 'a.tif', try a stack of several pages"),
        (noise(12, 17, 3), {"photometric": "rgb"}, r"one image, 'a.tif'"),
        (noise(1, 12, 17), {"imagej": True, "metadata": {"axes": "TYX"}}, "one image"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_an_axis_that_need_not_be_time_is_refused(tmp_path: Path, frames: Any, how: Any, message: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", frames, **how)
    with pytest.raises(InputError, match=message) as caught:
        read_film(tmp_path / "a.tif")
    assert "\n" not in str(caught.value)
    assert "truncated" not in str(caught.value)


def test_the_way_that_the_refusal_names_works(tmp_path: Path) -> None:
    frames = noise(6, 3, 12, 17)
    tifffile.imwrite(tmp_path / "a.tif", frames, imagej=True, metadata={"axes": "TCYX"})
    np.testing.assert_array_equal(planes(read_film(tmp_path / "a.tif")), frames)


def test_pages_of_two_sizes_and_palettes_are_named(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for k in range(5):
            file.write(noise(12, 17 + (k == 3)), contiguous=False, metadata=None)
    with pytest.raises(InputError, match=r"one size in 'a.tif', got 12x17 in page 0 and 12x18 in page 3"):
        read_film(tmp_path / "a.tif")
    pages = [Image.fromarray(frame).convert("P", palette=Image.Palette.ADAPTIVE) for frame in noise(4, 12, 17)]
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="got palette, try converting them to RGB"):
        read_film(tmp_path / "p.tif")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"compression": "zlib"},
        {"compression": "lzw", "metadata": None},
        {"imagej": True, "metadata": {"axes": "TYX"}},
        {"ome": True, "metadata": {"axes": "TYX"}},
        {"metadata": None},
    ],
    ids=str,
)
def test_a_stack_that_was_cut_off_is_refused(tmp_path: Path, how: dict[str, Any], share: float) -> None:
    frames = noise(20, 32, 48)
    tifffile.imwrite(tmp_path / "a.tif", frames, photometric="minisblack", **how)
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match="truncated") as caught:
        read_film(tmp_path / "a.tif")
    assert "\n" not in str(caught.value)


# --- FITS


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_cubes_are_read_in_their_own_type(tmp_path: Path, dtype: Any) -> None:
    frames = noise(*GREY, dtype=dtype)
    if np.dtype(dtype).kind == "f":
        frames[2, 3, 4] = np.nan
    fits.PrimaryHDU(frames).writeto(tmp_path / "a.fits")
    fits.PrimaryHDU(frames[None]).writeto(tmp_path / "b.fits.gz")
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(frames, name="SCI"), fits.ImageHDU(noise(4, 5))]).writeto(
        tmp_path / "c.fit"
    )
    for name in ("a.fits", "b.fits.gz", "c.fit"):
        film = read_film(tmp_path / name)
        assert (film.shape, film.dtype) == (GREY, dtype)
        assert film.dtype.isnative
        np.testing.assert_array_equal(planes(film), frames, err_msg=name)


def test_scaled_blank_and_compressed_cubes(tmp_path: Path) -> None:
    counts = noise(*GREY, dtype=np.int16)
    counts[1, 2, 3] = -5
    unit = fits.PrimaryHDU(counts)
    unit.header["BLANK"] = -5
    unit.writeto(tmp_path / "blank.fits")
    film = planes(read_film(tmp_path / "blank.fits"))
    assert np.isnan(film[1, 2, 3])
    np.testing.assert_array_equal(film[counts != -5], counts[counts != -5])
    unit = fits.PrimaryHDU((np.arange(9 * 12 * 17).reshape(GREY) * 0.5 + 3).astype(np.float32))
    unit.scale("int16", bscale=0.5, bzero=3.0)
    unit.writeto(tmp_path / "scaled.fits")
    np.testing.assert_allclose(planes(read_film(tmp_path / "scaled.fits")).ravel(), np.arange(9 * 12 * 17) * 0.5 + 3)
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(counts)]).writeto(tmp_path / "packed.fits")
    np.testing.assert_array_equal(planes(read_film(tmp_path / "packed.fits")), counts)


def cube_with(**header: Any) -> fits.HDUList:
    unit = fits.PrimaryHDU(noise(*GREY))
    unit.header.update(header)
    return fits.HDUList([unit])


@pytest.mark.parametrize(
    ("units", "message"),
    [
        (lambda: cube_with(CTYPE3="WAVE"), "the first of WAVE, try np.savez"),
        (lambda: cube_with(CTYPE3="VELO-LSR"), "the first of VELO-LSR"),
        (lambda: fits.HDUList([fits.PrimaryHDU(noise(12, 17))]), "one image, 'a.fits', try a cube"),
        (lambda: fits.HDUList([fits.PrimaryHDU(noise(4, 9, 12, 17))]), "axes 4 x 9 x 12 x 17"),
        (lambda: fits.HDUList([fits.PrimaryHDU(noise(*GREY)), fits.ImageHDU(noise(*GREY))]), "one cube .* got 2"),
        (lambda: fits.HDUList([fits.PrimaryHDU(noise(5, 6)), fits.ImageHDU(noise(5, 6))]), "got 2 images, try"),
    ],
)
def test_what_is_no_cube_of_time_is_refused(tmp_path: Path, units: Callable[[], Any], message: str) -> None:
    units().writeto(tmp_path / "a.fits")
    with pytest.raises(InputError, match=message):
        read_film(tmp_path / "a.fits")
    cube_with(CTYPE3="TIME").writeto(tmp_path / "t.fits")
    assert read_film(tmp_path / "t.fits").shape == GREY


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cube_that_was_cut_off_is_refused(tmp_path: Path, name: str, share: float) -> None:
    fits.PrimaryHDU(noise(*GREY, dtype=np.float32)).writeto(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match="truncated"):
        read_film(tmp_path / name)


# --- folders


def test_frames_of_a_folder_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    frames = noise(12, 10, 11)
    for k, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"frame{k}.png")
    (tmp_path / "notes.txt").write_text("of no concern")
    np.testing.assert_array_equal(read_film(tmp_path), frames)
    assert natural_order(["f10", "f2", "f1"]) == ["f1", "f2", "f10"]


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_stay_in_grey_and_in_colour(tmp_path: Path, ending: str) -> None:
    for name, shape in (("grey", (4, 10, 11)), ("colour", (4, 10, 11, 3))):
        frames = noise(*shape, dtype=np.uint16)
        (tmp_path / name).mkdir()
        for k, frame in enumerate(frames):
            if ending == "tif":
                tifffile.imwrite(tmp_path / name / f"{k}.tif", frame, photometric="rgb" if frame.ndim == 3 else None)
            else:
                (tmp_path / name / f"{k}.png").write_bytes(sixteen_bit_png(frame))
        expected = frames if frames.ndim == 3 else frames.transpose(0, 3, 1, 2)
        film = read_film(tmp_path / name)
        assert film.dtype == np.uint16
        np.testing.assert_array_equal(film, expected)


def sixteen_bit_png(frame: np.ndarray) -> bytes:
    """The file as the standard has it, put together by hand: no filter, one block of data."""
    import struct
    import zlib

    height, width = frame.shape[:2]
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in frame)
    header = struct.pack(">IIBBBBB", width, height, 16, 2 if frame.ndim == 3 else 0, 0, 0, 0)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def folder_of(folder: Path, **files: np.ndarray) -> Path:
    for name, image in files.items():
        Image.fromarray(image).save(folder / f"{name}.png")
    return folder


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"f1": noise(9, 9), "f2": noise(9, 9), "f3": noise(9, 8)},
            "got 9x9 uint8 in 'f1.png' and 9x8 uint8 in 'f3.png'",
        ),
        (
            {"f9": noise(9, 9), "f10": noise(9, 9, dtype=np.uint16)},
            "9x9 uint8 in 'f9.png' and 9x9 uint16 in 'f10.png'",
        ),
        ({"f1": noise(9, 9), "f2": noise(9, 9, 3)}, "9x9 uint8 in 'f1.png' and 3x9x9 uint8 in 'f2.png'"),
        ({"f1": noise(9, 9), "mask": noise(9, 9)}, "under one name .* 'f1.png' and 'mask.png'"),
        ({"one": noise(9, 9), "two": noise(9, 9)}, "under one name"),
        ({f"t{t}c{c}": noise(9, 9) for t in (1, 2) for c in (1, 2)}, "one number .* 2 in 't1c1.png' to 't2c2.png'"),
        ({"f1": noise(9, 9)}, "at least 2 frames, got 1"),
        ({}, "without either, try folders source/ and target/"),
    ],
)
def test_bad_folders_are_named(tmp_path: Path, files: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_film(folder_of(tmp_path, **files))


# --- films in containers


def write_video(path: Path, frames: np.ndarray, codec: str, stored: str, given: str = "rgb24") -> None:
    """With PyAV itself: ``read_film`` reads by way of imageio."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=10)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], stored
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format=given)))
        file.mux(stream.encode())


@pytest.mark.parametrize(
    ("name", "codec", "stored"), [("a.avi", "ffv1", "bgr0"), ("a.mkv", "ffv1", "bgr0"), ("a.mov", "qtrle", "rgb24")]
)
def test_lossless_films_are_read_to_the_bit(tmp_path: Path, name: str, codec: str, stored: str) -> None:
    frames = noise(11, 32, 48, 3)
    write_video(tmp_path / name, frames, codec, stored)
    film = read_film(tmp_path / name)
    assert film.shape == (11, 3, 32, 48)
    np.testing.assert_array_equal(film, frames.transpose(0, 3, 1, 2))


def test_grey_films_have_no_channels_and_deep_ones_keep_their_depth(tmp_path: Path) -> None:
    frames = noise(11, 32, 48)
    write_video(tmp_path / "g.avi", frames, "ffv1", "gray", "gray")
    np.testing.assert_array_equal(read_film(tmp_path / "g.avi"), frames)
    write_video(tmp_path / "rgb.avi", np.repeat(frames[..., None], 3, axis=-1), "ffv1", "bgr0")
    np.testing.assert_array_equal(read_film(tmp_path / "rgb.avi"), frames)
    deep = noise(11, 32, 48, dtype=np.uint16)
    write_video(tmp_path / "deep.mkv", deep, "ffv1", "gray16le", "gray16le")
    film = read_film(tmp_path / "deep.mkv")
    assert film.dtype == np.uint16
    np.testing.assert_array_equal(film, deep)


def smooth_film(count: int = 12) -> np.ndarray:
    """A bright spot that moves: what codecs with losses are made for. (T, H, W)."""
    y, x = np.mgrid[:48, :64]
    spots = [np.exp(-((x - 15 - 2 * k) ** 2 + (y - 20) ** 2) / 60) for k in range(count)]
    film: np.ndarray = np.round(230 * np.stack(spots) + 10).astype(np.uint8)
    return film


def test_films_with_losses_come_near(tmp_path: Path) -> None:
    frames = smooth_film()
    write_video(tmp_path / "a.mp4", np.repeat(frames[..., None], 3, axis=-1), "libx264", "yuv420p")
    film = read_film(tmp_path / "a.mp4")
    assert film.shape == frames.shape
    assert np.abs(film.astype(int) - frames).mean() < 3
    # What imageio makes of the same file.
    other = iio.imread(tmp_path / "a.mp4", plugin="pyav")
    np.testing.assert_array_equal(film, other[..., 0])


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_a_film_that_was_cut_off_is_refused(tmp_path: Path, name: str, share: float) -> None:
    codec, stored = ("libx264", "yuv420p") if name == "a.mp4" else ("mpeg4", "yuv420p")
    write_video(tmp_path / name, np.repeat(smooth_film(40)[..., None], 3, axis=-1), codec, stored)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match="truncated"):
        read_film(tmp_path / name)


def test_what_no_codec_reads_is_said_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    frames = np.repeat(smooth_film()[..., None], 3, axis=-1)
    write_video(tmp_path / "a.avi", frames, "mpeg4", "yuv420p")
    content = (tmp_path / "a.avi").read_bytes()
    for code in (b"mp4v", b"FMP4", b"MP4S", b"fmp4"):
        content = content.replace(code, b"ZZZ9")
    (tmp_path / "a.avi").write_bytes(content)
    with pytest.raises(InputError, match=r"'a\.avi' in a codec that is not known, try writing it anew") as caught:
        read_film(tmp_path / "a.avi")
    assert "\n" not in str(caught.value)
    with av.open(str(tmp_path / "sound.mp4"), "w") as file:
        stream: Any = file.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8000
        file.mux(stream.encode(sound))
        file.mux(stream.encode())
    with pytest.raises(InputError, match=r"'sound\.mp4' without pictures"):
        read_film(tmp_path / "sound.mp4")
    assert capfd.readouterr().err == ""


def test_animated_images_are_films(tmp_path: Path) -> None:
    frames = noise(5, 12, 13) // 64 * 64
    pages = [Image.fromarray(frame) for frame in frames]
    for name in ("a.gif", "a.png"):
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
        np.testing.assert_array_equal(read_film(tmp_path / name), frames)
    whole = (tmp_path / "a.gif").read_bytes()
    for end in (len(whole) - 1, len(whole) // 2):
        (tmp_path / "b.gif").write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"b\.gif"):
            read_film(tmp_path / "b.gif")


def test_decoded_films_beyond_memory_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 5000)
    frames = noise(30, 32, 48, 3)
    write_video(tmp_path / "a.avi", frames, "ffv1", "bgr0")
    film = read_film(tmp_path / "a.avi")
    owner = film
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    assert isinstance(owner, np.memmap)
    np.testing.assert_array_equal(film, frames.transpose(0, 3, 1, 2))

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(InputError, match=r"room for the frames of 'a\.avi' .*TMPDIR"):
        read_film(tmp_path / "a.avi")


# --- arrays, and telling what a file is


def test_arrays_of_frames(tmp_path: Path) -> None:
    frames = noise(*COLOUR)
    np.savez(tmp_path / "a.npz", frames=frames)
    np.savez_compressed(tmp_path / "b.npz", frames=frames)
    np.save(tmp_path / "c.npy", frames)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["frames"] = frames
    for name in ("a.npz", "b.npz", "c.npy", "d.h5"):
        assert holds_film(tmp_path / name)
        np.testing.assert_array_equal(planes(read_film(tmp_path / name)), frames)
    assert isinstance(read_film(tmp_path / "d.h5"), LazyImages)


def test_a_film_is_told_by_what_it_is_and_not_by_its_name(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.dat", noise(*GREY), photometric="minisblack")
    assert read_film(tmp_path / "stack.dat").shape == GREY
    np.savez(tmp_path / "pairs.npz", source=noise(*GREY), target=noise(*GREY))
    assert not holds_film(tmp_path / "pairs.npz")
    (tmp_path / "folder" / "source").mkdir(parents=True)
    assert not holds_film(tmp_path / "folder")
    with pytest.raises(InputError, match=r"got pairs in 'pairs\.npz', try load_pairs"):
        read_film(tmp_path / "pairs.npz")


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def zipped(texts: dict[str, str]) -> bytes:
    """A zip archive that holds no arrays."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def written(write: Callable[..., Any], *content: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    write(buffer, *content, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.npz",
            npz(images=noise(*GREY)),
            r"source and target .pairs., or frames .a film., .* got images, try naming",
        ),
        ("a.npz", npz(before=noise(*GREY), after=noise(*GREY)), r"sets .*not there yet"),
        ("a.npz", npz(frames=noise(1, 9, 9)), "at least 2 frames, got 1"),
        ("a.npz", npz(frames=noise(5, 9, 9, 3)), r"channels first.*try frames.transpose\(0, 3, 1, 2\)"),
        ("a.npz", npz(frames=noise(5, 9)), r"\(T, H, W\) or \(T, C, H, W\), got \(5, 9\)"),
        ("a.npz", npz(frames=noise(5, 3, 9)), "at least 5x5 pixels, got 3x9"),
        ("a.npz", npz(frames=noise(5, 9, 9) + 1j), "real or integer"),
        ("a.npz", npz(frames=noise(5, 9, 9))[:300], "truncated or corrupt"),
        ("a.jpg", written(Image.new("L", (9, 9)).save, format="JPEG"), "one image, 'a.jpg', try a folder of numbered"),
        ("a.png", written(Image.new("L", (9, 9)).save, format="PNG"), "one image, 'a.png'"),
        ("a.mat", written(scipy.io.savemat, {"x": noise(*GREY)}), "a MATLAB file, .* try scipy.io.loadmat"),
        ("a.pkl", pickle.dumps(noise(*GREY)), "pickles are never loaded"),
        ("a.npy", written(np.save, np.array([1, None])), "got an array of objects .pickles are never loaded."),
        ("a.npz", zipped({"readme.txt": "hello", "source": "no array"}), "in 'a.npz', got none"),
        ("a.csv", b"t,x,y\n1,2,3\n" * 20, "got text, 'a.csv'"),
        ("a.xyz", bytes(range(200, 256)), "kind that is not known"),
        ("a.gz", gzip.compress(b"x" * 100, mtime=0), "got a gzip file"),
        ("a.tif", b"", "an empty file"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_what_is_no_film_is_told_what_it_is(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_film(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (written(Image.new("L", (9, 9)).save, format="PNG"), "a PNG image"),
        (b"a,b\n1,2\n", "text"),
        (written(tifffile.imwrite, noise(*GREY), photometric="minisblack"), "a TIFF"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_an_intact_file_of_another_kind_is_not_called_corrupt(tmp_path: Path, content: bytes, what: str) -> None:
    for name in ("a.npz", "a.h5"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=what) as caught:
            load_pairs(tmp_path / name)
        assert "corrupt" not in str(caught.value)


# --- pairs of frames


def test_pairs_are_by_lag_and_then_in_time() -> None:
    first, second = film_pairs(5, [2, 1])
    np.testing.assert_array_equal(first, [0, 1, 2, 3, 0, 1, 2])
    np.testing.assert_array_equal(second - first, [1, 1, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(film_pairs(3)[1], [1, 2])


@pytest.mark.parametrize(
    ("lags", "message"),
    [
        ([0], "from 1 to 4 for 5 frames, got 0"),
        ([-1], "got -1"),
        ([1, 5], "got 5"),
        ([1.0], "got 1.0"),
        ("12", "got '12'"),
        ([True], "got True"),
        ([2, 1, 2], "every lag once, got 2 repeatedly"),
        ([], "every lag once, got none"),
    ],
)
def test_bad_lags_are_named(lags: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_lags(lags, 5)


@pytest.mark.parametrize("lazy", [False, True])
def test_pairs_are_rows_of_one_film(lazy: bool) -> None:
    frames = noise(40, 8, 9)
    read: list[int] = []

    def rows(indices: np.ndarray) -> np.ndarray:
        assert (np.diff(indices) > 0).all()
        read.extend(indices)
        rows_read: np.ndarray = frames[indices]
        return rows_read

    film = as_film(LazyImages(frames.shape, frames.dtype, rows) if lazy else frames)
    first, second = film_pairs(40, [1, 3])
    source, target = validate_images(frame_rows(film, first), frame_rows(film, second))
    assert source.shape == target.shape == (39 + 37, 1, 8, 9)
    assert not read
    index = np.array([75, 3, 40, 3])
    np.testing.assert_array_equal(source[index][:, 0], frames[first[index]])
    np.testing.assert_array_equal(target[10:60][:, 0], frames[second[10:60]])
    if not lazy:
        frames[first[3]] += 1
        np.testing.assert_array_equal(source[3][0], frames[first[3]])


# --- writing


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize("name", ["a.npz", "a.tif"])
def test_a_film_that_is_written_is_read_again(tmp_path: Path, name: str, shape: Any, dtype: Any) -> None:
    frames = noise(*shape, dtype=dtype)
    assert write_film(tmp_path / name, (frames[k : k + 4] for k in range(0, 9, 4)), shape, np.dtype(dtype)) == ""
    film = read_film(tmp_path / name)
    assert film.dtype == dtype
    np.testing.assert_array_equal(planes(film), frames)
    other = np.load(tmp_path / name)["frames"] if name == "a.npz" else tifffile.imread(tmp_path / name)
    np.testing.assert_array_equal(other, frames)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_written_video_is_padded_and_says_so(tmp_path: Path) -> None:
    frames = smooth_film()[:, :47, :63]
    told = write_film(tmp_path / "a.mp4", [frames], frames.shape, frames.dtype)
    assert told == " (padded to 64x48)"
    film = iio.imread(tmp_path / "a.mp4", plugin="pyav")
    assert film.shape == (12, 48, 64, 3)
    assert np.abs(film[:, :47, :63, 0].astype(int) - frames).mean() < 2
    deep = frames.astype(np.uint16) * 100
    assert "8 bits" in write_film(tmp_path / "b.mp4", [deep], deep.shape, deep.dtype)
    with pytest.raises(InputError, match="one or three channels"):
        write_film(tmp_path / "c.mp4", [], (4, 2, 8, 8), np.dtype(np.uint8))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]
