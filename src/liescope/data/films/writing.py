"""Writing a film, frame by frame, as an archive, a stack of pages or a video."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from liescope.data.guard import reason
from liescope.data.pairs import atomic_path
from liescope.errors import InputError, require_packages

__all__ = ["FILM_SUFFIXES", "write_film"]

FILM_SUFFIXES = (".npz", ".tif", ".tiff", ".mp4")

_FRAMES_PER_SECOND = 10
_HARDLY_LOSSY = {"crf": "12"}
"""Of x264: losses that are not seen. Other players than FFmpeg's do not know its lossless mode."""


def write_film(path: str | Path, parts: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    """Write a film, all or nothing.

    Parameters
    ----------
    path : path
        ``.npz`` (``frames``), ``.tif`` (ImageJ's axes where it knows the type), or ``.mp4`` (eight bits, H.264).
    parts : iterable of array, shape (n, H, W) or (n, C, H, W)
        The frames in order, some at a time.
    shape : tuple of int
        (T, H, W) or (T, C, H, W) of all of them.
    dtype : dtype

    Returns
    -------
    str
        What had to be changed, for the reader; empty where nothing was.

    Raises
    ------
    InputError
        Another ending, channels that a video does not have, packages that are missing.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in FILM_SUFFIXES:
        raise InputError(f"expected a film ending in {', '.join(FILM_SUFFIXES)}, got '{path}'")
    if suffix == ".mp4":
        return _write_video(path, parts, shape, dtype)
    if suffix == ".npz":
        with atomic_path(path) as temporary:
            _write_npz(temporary, parts, shape, dtype)
        return ""
    require_packages("tifffile")
    import tifffile

    axes = "TYX" if len(shape) == 3 else "TCYX"
    known = dtype in (np.uint8, np.uint16, np.float32)
    with atomic_path(path) as temporary:
        frames = (plane for part in parts for plane in part.reshape(-1, *shape[-2:]))
        tifffile.imwrite(
            temporary,
            _pages(frames, shape, dtype),
            shape=shape,
            dtype=dtype,
            imagej=known,
            ome=not known,
            photometric="minisblack",
            metadata={"axes": axes},
            bigtiff=int(np.prod(shape)) * dtype.itemsize > 3 << 30 and not known,
        )
    return ""


def _pages(planes: Iterator[np.ndarray], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[np.ndarray]:
    for plane in planes:
        yield np.ascontiguousarray(plane, dtype=dtype)


def _write_npz(path: Path, parts: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """An archive as ``np.savez`` writes it, without all frames in memory; its dates are the archive's default."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive,
        archive.open("frames.npy", "w", force_zip64=True) as member,
    ):
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, header)
        for part in parts:
            member.write(np.ascontiguousarray(part, dtype=dtype).tobytes())


def _write_video(path: Path, parts: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    require_packages("av")
    import av

    if len(shape) == 4 and shape[1] not in (1, 3):
        raise InputError(f"expected one or three channels for '{path.name}', got {shape[1]}, try .npz or .tif")
    even = tuple(n + n % 2 for n in shape[-2:])
    changes = []
    if even != tuple(shape[-2:]):
        changes.append(f"padded to {even[1]}x{even[0]}")
    scale = _Scale(dtype)
    if dtype != np.uint8:
        changes.append("grey values as 8 bits")
    try:
        with atomic_path(path) as temporary, av.open(str(temporary), "w") as film:
            stream: Any = film.add_stream("libx264", rate=_FRAMES_PER_SECOND, options=_HARDLY_LOSSY)
            stream.height, stream.width = even
            stream.pix_fmt = "yuv420p"
            for frame in (frame for part in parts for frame in part):
                film.mux(stream.encode(av.VideoFrame.from_ndarray(_colour(scale(frame), even), format="rgb24")))
            film.mux(stream.encode())
    except (OSError, ValueError, RuntimeError, av.FFmpegError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"expected a film that can be written, got '{path.name}' ({reason(error)})") from None
    return f" ({', '.join(changes)})" if changes else ""


class _Scale:
    """Grey values to eight bits: by the type's range where it is that of integers, else by the first frame's."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._ends: tuple[float, float] | None = (0.0, 255.0) if dtype == np.uint8 else None

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        if self._ends is None:
            known = frame[np.isfinite(frame)]
            ends = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
            self._ends = ends if ends[1] > ends[0] else (ends[0], ends[0] + 1)
        low, high = self._ends
        return np.round(np.clip((np.nan_to_num(frame.astype(np.float64)) - low) / (high - low), 0, 1) * 255).astype(
            np.uint8
        )


def _colour(frame: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(H, W) or (C, H, W) as (rows, columns, 3), its last row and column repeated."""
    planes = frame if frame.ndim == 3 else frame[None]
    planes = np.repeat(planes, 3, axis=0) if len(planes) == 1 else planes
    rows, columns = (n - m for n, m in zip(shape, planes.shape[1:], strict=True))
    return np.ascontiguousarray(np.moveaxis(np.pad(planes, ((0, 0), (0, rows), (0, columns)), mode="edge"), 0, -1))
