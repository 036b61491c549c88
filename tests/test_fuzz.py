"""Readers against files that were made worse: arrays as documented, or one line; nothing else, and no hang.

``MUTATIONS`` says how many of every format, ``FUZZ_SEED`` which ones (``make fuzz``). What falls is left in the folder
that the message names.
"""

from __future__ import annotations

import faulthandler
import gc
import gzip
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
import pytest
import tifffile
import torch
from astropy.io import fits
from mutations import mutated, with_inner_arrays, with_png_chunks
from PIL import Image

from liescope import errors
from liescope.data import load_corpus, load_pairs, pairs_from_paths, parse_law, read_film
from liescope.data.corpora.fetched import read_idx
from liescope.data.images import read_image
from liescope.data.rewriting import rewrite_image
from liescope.engines.latent import LatentConfig, get_config
from liescope.engines.latent.checkpoint import read_checkpoint
from liescope.engines.state import pack_arrays
from liescope.errors import InputError
from liescope.result import load_result

MUTATIONS = int(os.environ.get("MUTATIONS", "150"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
LONGEST_LINE = 500
MANY_FAULTS = 6000
SECONDS = 20
FREE = 300_000_000
"""Bytes of memory that readers are told are left."""
MOST_MEMORY = 2_000_000_000
"""Bytes by which the process may grow while all mutations of a format are read."""

V1 = Path(__file__).parent / "result" / "v1"
RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (6, 12, 16), dtype=np.uint8)
DEEP = FRAMES.astype(np.uint16) * 257
REAL = FRAMES.astype(np.float32) / 7
COLOUR = RNG.integers(0, 256, (6, 12, 16, 3), dtype=np.uint8)

Mutate = Callable[[np.random.Generator, bytes, Sequence[bytes]], bytes]


class HungError(BaseException):
    """A reader that does not come back; no handler of exceptions may hold it."""


@dataclass(frozen=True)
class Format:
    """Valid files, how they are read, and what comes out."""

    name: str
    seeds: list[bytes]
    read: Callable[[Path], None]
    mutations: tuple[Mutate, ...] = (mutated,)
    cost: int = 1
    """How many mutations of others take as long as one of these."""
    longest: int = LONGEST_LINE
    """Letters of a message; settings tell all of their faults at once."""


# --- what comes out


def check_stack(stack: Any, ranks: tuple[int, ...]) -> None:
    assert len(stack.shape) in ranks
    assert np.dtype(stack.dtype).kind in "fiub"
    assert min(stack.shape) >= 1
    whole = np.asarray(stack)
    assert whole.shape == tuple(stack.shape)
    assert whole.dtype == np.dtype(stack.dtype)
    whole.sum(dtype=np.float64)


def read_pairs(path: Path) -> None:
    pairs = load_pairs(path)
    assert pairs.source.shape == pairs.target.shape
    check_stack(pairs.source, (4,))
    check_stack(pairs.target, (4,))
    assert isinstance(pairs.meta, dict)
    assert pairs.magnitude is None or pairs.magnitude.shape[0] == len(pairs)


def read_frames(path: Path) -> None:
    check_stack(read_film(path), (3, 4))


def read_apart(path: Path) -> None:
    pairs_from_paths(path, path)


def write_again(path: Path) -> None:
    rewrite_image(path, path.with_name(f"written-{path.name}"), lambda images: images.astype(np.float32))


def read_one(path: Path) -> None:
    image = read_image(path)
    check_stack(image, (2, 3))


def read_images(path: Path) -> None:
    check_stack(load_corpus(path).images, (3, 4))


def read_bytes(path: Path) -> None:
    assert read_idx(path).dtype == np.uint8


def read_samples(path: Path) -> None:
    assert parse_law(f"samples:{path}", 1.0).sample(np.random.default_rng(0), 3).shape == (3,)


def read_settings(path: Path) -> None:
    assert isinstance(get_config(path), LatentConfig)


def read_state(path: Path) -> None:
    about, tensors = read_checkpoint(path)
    assert isinstance(about, dict)
    assert all(isinstance(value, torch.Tensor) for value in tensors.values())


def read_result(folder: Path, name: str) -> Callable[[Path], None]:
    """Of a folder in which one file is replaced."""

    def read(path: Path) -> None:
        shutil.copyfile(path, folder / name)
        result = load_result(folder)
        assert result.t.shape == (result.pairs, len(result.generators))
        assert result.accepted.dtype == bool
        assert all(np.isfinite(g.generator.coefficients).all() for g in result.generators)
        assert result.samples is None or result.samples.source.ndim == 4

    return read


# --- valid files


def buffered(write: Callable[..., Any], *content: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    write(buffer, *content, **options)
    return buffer.getvalue()


def in_hdf5(names: Sequence[str], stack: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name in names:
            file.create_dataset(name, data=stack, **options)
        file.attrs["meta"] = '{"task": "a"}'
        file["magnitude"] = np.zeros(len(stack))
    return buffer.getvalue()


def in_fits(stack: np.ndarray, **cards: Any) -> bytes:
    unit = fits.PrimaryHDU(stack)
    for name, value in cards.items():
        unit.header[name] = value
    return buffered(unit.writeto)


def in_film(ending: str, codec: str, pixels: str) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, f"film.{ending}")
        with av.open(str(path), "w") as film:
            stream: Any = film.add_stream(codec, rate=10)
            stream.height, stream.width, stream.pix_fmt = 12, 16, pixels
            for frame in COLOUR:
                film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            film.mux(stream.encode())
        return path.read_bytes()


def png(image: np.ndarray, **options: Any) -> bytes:
    return buffered(Image.fromarray(image).save, format="PNG", **options)


def deep_png(image: np.ndarray) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.png_encode(image))


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def animated(kind: str) -> bytes:
    frames = [Image.fromarray(frame) for frame in COLOUR]
    return buffered(frames[0].save, format=kind, save_all=True, append_images=frames[1:])


def readable(kind: str, image: np.ndarray) -> bytes:
    return buffered(Image.fromarray(image).save, format=kind)


def state_of_a_span() -> bytes:
    """As the registration engine keeps it."""
    state = pack_arrays(
        kind="same root", shape=(12, 12), background=np.zeros((1, 1, 1)), amplitude=1.0, change=np.eye(1),
        span=np.array([[0, 0, -1, 0, 1, 0]]).T / 2**0.5, starts=np.zeros((3, 1)), reach=1.0, interpolation="linear",
    )  # fmt: skip
    return state["fitted.npz"]


def settings_of(name: str) -> bytes:
    config = json.loads((V1 / "latent" / "config.json").read_text())["config"]
    if name == "json":
        return json.dumps(config).encode()
    lines = []
    for section, keys in config.items():
        told = (f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None)
        lines += [f"[{section}]", *told]
    return "\n".join(lines).encode()


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Format]:
    return {one.name: one for one in all_formats(tmp_path_factory.mktemp("results"))}


NAMES = (
    "pairs.npz", "film.npz", "film.npy", "pairs.h5", "film.h5", "image.png", "deep.png", "film.png",
    "image.tif", "deep.tif", "film.tif", "apart.tif", "again.tif", "again.png",
    "film.fits", "film.fits.gz", "film.avi", "film.mp4", "film.gif",
    "film.webp", "image.jpg", "image.bmp", "image.ppm", "corpus.npz", "images-idx3-ubyte.gz", "samples.txt",
    "config.json", "config.toml", "checkpoint.ckpt", "result.json", "magnitudes.npz", "samples.npz",
    "fitted.npz", "model.safetensors", "latent config.json", "history.csv",
)  # fmt: skip


def all_formats(place: Path) -> Iterator[Format]:
    arrays = (mutated, with_inner_arrays)
    pairs: dict[str, Any] = {"source": REAL, "target": REAL, "meta": np.array('{"unit": 1}'), "label": np.arange(6)}
    yield Format("pairs.npz", [buffered(np.savez, **pairs), buffered(np.savez_compressed, **pairs)], read_pairs, arrays)
    yield Format(
        "film.npz",
        [buffered(np.savez, frames=DEEP), buffered(np.savez, frames=COLOUR.swapaxes(1, 3))],
        read_frames,
        arrays,
    )
    yield Format("film.npy", [buffered(np.save, FRAMES), buffered(np.save, np.asfortranarray(REAL))], read_frames)
    packed = {"chunks": (2, 12, 16), "compression": "gzip", "shuffle": True}
    both = ["source", "target"]
    yield Format("pairs.h5", [in_hdf5(both, REAL), in_hdf5(both, DEEP, **packed)], read_pairs, cost=2)
    yield Format(
        "film.h5", [in_hdf5(["frames"], REAL, **packed), in_hdf5(["frames"], FRAMES, fletcher32=True)], read_frames
    )
    chunks = (mutated, with_png_chunks)
    palette = buffered(Image.fromarray(COLOUR[0]).quantize(16).save, format="PNG")
    yield Format("image.png", [png(FRAMES[0]), png(COLOUR[0]), png(DEEP[0]), palette], read_one, chunks)
    yield Format("deep.png", [deep_png(COLOUR[0].astype(np.uint16) * 257)], read_one, chunks)
    yield Format("film.png", [animated("PNG")], read_frames, chunks)
    write, grey = tifffile.imwrite, {"photometric": "minisblack"}
    tiles: dict[str, Any] = {"tile": (16, 16), "compression": "lzw", "photometric": "rgb"}
    yield Format(
        "image.tif",
        [buffered(write, FRAMES[0], **grey), buffered(write, COLOUR[0], **tiles)],
        read_one,
    )
    deep = [buffered(write, DEEP[0], **grey), buffered(write, REAL[0], compression="zlib", predictor=True, **grey)]
    yield Format("deep.tif", deep, read_one)
    in_time: dict[str, Any] = {"metadata": {"axes": "TYX"}}
    stacks = [
        buffered(write, FRAMES, imagej=True, **in_time), buffered(write, DEEP, compression="zlib", **grey),
        buffered(write, REAL, ome=True, **in_time, **grey), buffered(write, COLOUR, photometric="rgb", bigtiff=True),
    ]  # fmt: skip
    yield Format("film.tif", stacks, read_frames, cost=3)
    yield Format("apart.tif", stacks, read_apart, cost=3)
    yield Format("again.tif", stacks, write_again, cost=3)
    yield Format("again.png", [png(FRAMES[0]), png(COLOUR[0]), png(DEEP[0])], write_again, chunks, cost=2)
    cubes = [in_fits(REAL), in_fits(FRAMES.astype(np.int16), BSCALE=2.0, BZERO=1.0, BLANK=3)]
    yield Format("film.fits", cubes, read_frames, cost=3)
    yield Format("film.fits.gz", [gzip.compress(cube, mtime=0) for cube in cubes], read_frames, cost=3)
    yield Format(
        "film.avi", [in_film("avi", "ffv1", "yuv420p"), in_film("avi", "mjpeg", "yuvj420p")], read_frames, cost=4
    )
    yield Format(
        "film.mp4", [in_film("mp4", "libx264", "yuv420p"), in_film("mp4", "mpeg4", "yuv420p")], read_frames, cost=4
    )
    yield Format("film.gif", [animated("GIF")], read_frames)
    yield Format("film.webp", [animated("WEBP")], read_frames, cost=2)
    yield Format("image.jpg", [readable("JPEG", FRAMES[0]), readable("JPEG", COLOUR[0])], read_one)
    yield Format("image.bmp", [readable("BMP", FRAMES[0]), readable("BMP", COLOUR[0])], read_one)
    ppm = b"P6 16 12 65535\n" + COLOUR[0].astype(">u2").tobytes()
    yield Format("image.ppm", [readable("PPM", FRAMES[0]), readable("PPM", COLOUR[0]), ppm], read_one)
    corpus = buffered(np.savez, images=FRAMES, labels=np.array(list("abcabc")), label_names=np.array(list("abc")))
    yield Format("corpus.npz", [corpus], read_images, arrays)
    yield Format("images-idx3-ubyte.gz", [idx(FRAMES), gzip.compress(idx(FRAMES), mtime=0)], read_bytes)
    yield Format("samples.txt", [b"1.5\n2.5e3\n-7\n", b"1,2,3\n"], read_samples)
    yield Format("config.json", [settings_of("json")], read_settings, longest=MANY_FAULTS)
    yield Format("config.toml", [settings_of("toml")], read_settings, longest=MANY_FAULTS)
    weights = {"liescope": {"format": 1}, "state_dict": {"model.a": torch.zeros(3)}, "history": [{"epoch": 1}]}
    yield Format("checkpoint.ckpt", [buffered(lambda file: torch.save(weights, file))], read_state, cost=2)
    yield from formats_of_results(place)


def formats_of_results(place: Path) -> Iterator[Format]:
    for name in ("rotation", "latent"):
        shutil.copytree(V1 / name, place / name)
    plain, latent = place / "rotation", place / "latent"
    for name in ("result.json", "magnitudes.npz", "samples.npz"):
        shutil.copytree(plain, place / name)
        arrays = (mutated, with_inner_arrays) if name.endswith("npz") else (mutated,)
        yield Format(name, [(plain / name).read_bytes()], read_result(place / name, name), arrays, cost=2)
    shutil.copytree(plain, place / "fitted")
    content = json.loads((plain / "result.json").read_text())
    kept = content | {"schema": "liescope.result/2", "files": ["fitted.npz"], "kind": "images", "product": False}
    (place / "fitted" / "result.json").write_text(json.dumps(kept))
    yield Format(
        "fitted.npz",
        [state_of_a_span()],
        read_result(place / "fitted", "fitted.npz"),
        (mutated, with_inner_arrays),
        cost=3,
    )
    for name, told in (("model.safetensors", None), ("config.json", "latent config.json"), ("history.csv", None)):
        shutil.copytree(latent, place / (told or name))
        seeds = [(latent / name).read_bytes()]
        longest = MANY_FAULTS if told else LONGEST_LINE
        yield Format(told or name, seeds, read_result(place / (told or name), name), cost=3, longest=longest)


# --- reading


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Little memory, an alarm for what hangs, and warnings of others that are not raised."""

    def hung(*_: object) -> None:
        raise HungError

    monkeypatch.setattr(errors, "free_memory", lambda: FREE)
    # imageio collects garbage for every film, which takes longer than all else.
    monkeypatch.setattr(gc, "collect", lambda *_: 0)
    before = signal.signal(signal.SIGALRM, hung)
    # What hangs in C hears no alarm: the file that is read last is the one.
    faulthandler.dump_traceback_later(120 + MUTATIONS / 10, exit=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def outcome(chosen: Format, path: Path) -> str | None:
    """What is wrong with how a file was read or refused; None where nothing is."""
    signal.alarm(SECONDS)
    try:
        chosen.read(path)
    except InputError as error:
        line = str(error)
        if not line.isprintable() or len(line) >= chosen.longest or not line:
            return f"a message of {len(line)} letters: {line!r}"
        return None
    except HungError:
        return f"no end within {SECONDS} seconds"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    return None


def peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def test_every_format_is_mutated(formats: dict[str, Format]) -> None:
    assert tuple(formats) == NAMES


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("name", NAMES)
def test_mutated_files_are_read_or_refused(formats: dict[str, Format], tmp_path: Path, name: str) -> None:
    chosen = formats[name]
    path = tmp_path / name.rpartition(" ")[2]
    for seed in chosen.seeds:
        path.write_bytes(seed)
        chosen.read(path)
    peak, fallen = peak_memory(), []
    for number in range(max(1, MUTATIONS // chosen.cost)):
        rng = np.random.default_rng([SEED, number, *name.encode()])
        mutate = chosen.mutations[number % len(chosen.mutations)]
        content = mutate(rng, chosen.seeds[number % len(chosen.seeds)], chosen.seeds)
        path.write_bytes(content)
        if wrong := outcome(chosen, path):
            kept = tmp_path / f"fallen-{number}-{path.name}"
            kept.write_bytes(content)
            fallen.append(f"{kept}: {wrong}")
    assert not fallen, f"{len(fallen)} fell:\n" + "\n".join(fallen[:20])
    assert peak_memory() - peak < MOST_MEMORY
